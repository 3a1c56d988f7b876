"""Lines: a REPETITA file as lines of columns; what is wrong with one is told with its number."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path

from nettwin.errors import FormatError
from nettwin.formats.files import read_text
from nettwin.quantity import Quantity

NODE_COLUMNS = "label x y"
EDGE_COLUMNS = "label src dest weight bw delay"
DEMAND_COLUMNS = "label src dest bw"
_COUNT = re.compile(r"[0-9]{1,9}$")


@dataclass(frozen=True)
class Lines:
    """Lines, and errors that tell where."""

    path: Path
    lines: list[str]

    @classmethod
    def of(cls, path: Path) -> Lines:
        """The lines of a file, without the empty ones at its end."""
        return cls(path, read_text(path).rstrip("\n").split("\n"))

    def error(self, index: int, reason: str, remedy: str) -> FormatError:
        place = f"line {index + 1}" if index < len(self.lines) else "its end"
        return FormatError(self.path, place, reason, remedy)

    def header(self, index: int, word: str) -> int:
        """The number after a word such as NODES in a line."""
        words = self.lines[index].split() if index < len(self.lines) else []
        if len(words) != 2 or words[0].upper() != word or not _COUNT.match(words[1]):
            shown = f"is {self.lines[index]!r:.60}" if index < len(self.lines) else "is missing"
            raise self.error(
                index, f"the line `{word} number` {shown}", f"Write {word} and how many."
            )
        return int(words[1])

    def columns(self, index: int, names: str) -> list[str]:
        """The columns of a line; only the first, the label, may hold spaces."""
        count = len(names.split())
        words = self.lines[index].rsplit(None, count - 1) if index < len(self.lines) else []
        if len(words) != count:
            shown = f"has {len(words)} of the {count} columns" if words else "is missing"
            raise self.error(index, f"the line `{names}` {shown}", "Complete the file.")
        return words

    def number(self, index: int, name: str, text: str, exponent: int = 0) -> float:
        """A number times a power of ten, rounded once."""
        try:
            return float(Decimal(text).scaleb(exponent))
        except (InvalidOperation, ValueError, OverflowError):
            raise self.error(
                index, f"{name} is {text!r:.40}, not a number", "Correct it."
            ) from None

    def quantity(self, index: int, quantity: Quantity, text: str, exponent: int = 0) -> float:
        """A number times a power of ten, within the range of a quantity."""
        value = self.number(index, quantity.name, text, exponent)
        if not quantity.valid(value):
            reason = f"{quantity.name} is {value:g}: {quantity.allowed}"
            raise self.error(index, reason, f"Give the {quantity.meaning}.")
        return value

    def node(self, index: int, name: str, text: str, count: int) -> int:
        """The number of a node."""
        if not _COUNT.match(text) or int(text) >= count:
            reason = f"{name} is {text!r:.40}: must be a node number 0 to {count - 1}"
            raise self.error(index, reason, "Number the nodes from 0, in their order.")
        return int(text)
