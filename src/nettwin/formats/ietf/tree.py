"""Tree: JSON of YANG data as parts that know their place, for errors that tell where.

A member is found under its name with the module (`ietf-te-topology:te`) or without it, as both
occur.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from nettwin.errors import FormatError
from nettwin.formats.files import read_text
from nettwin.quantity import Quantity


def load(path: Path) -> Part:
    """The whole file as a part. Raises FormatError where it is not a JSON object."""
    text = read_text(path)
    try:
        value = json.loads(text, parse_constant=_no_constant)
        if "\\u" in text:  # half a surrogate pair is not text
            json.dumps(value, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        raise FormatError(
            path, f"line {error.lineno}", f"is not valid JSON: {error.msg}", "Correct it."
        ) from None
    except RecursionError:
        raise FormatError(path, "its brackets", "are nested too deep", "Flatten them.") from None
    except ValueError as error:
        raise FormatError(path, "a value", f"is not valid JSON: {error}", "Correct it.") from None
    whole = Part(path, "", value)
    whole.members()
    return whole


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number that JSON knows")


@dataclass(frozen=True)
class Part:
    """A part of the file: its place, such as `network[0]/link[3]`, and its value."""

    path: Path
    place: str
    value: Any

    def error(self, reason: str, remedy: str) -> FormatError:
        return FormatError(self.path, self.place or "the whole file", reason, remedy)

    def shown(self) -> str:
        """The value for an error, cut to a length that can be read."""
        if isinstance(self.value, dict | list):
            return "an object" if isinstance(self.value, dict) else "a list"
        return f"{json.dumps(self.value, ensure_ascii=False):.60}"

    def members(self) -> dict[str, Any]:
        """The value as an object."""
        if not isinstance(self.value, dict):
            raise self.error(f"is {self.shown()}: must be an object", "Write {...} there.")
        return self.value

    def find(self, name: str) -> Part | None:
        """The member of a name, given as `module:name` and found with or without the module."""
        members = self.members()
        for key in (name, name.partition(":")[2] or name):
            if key in members:
                place = f"{self.place}/{key}" if self.place else key
                return Part(self.path, place, members[key])
        return None

    def need(self, name: str) -> Part:
        """The member of a name (see `find`); FormatError where it is missing."""
        found = self.find(name)
        if found is None:
            raise self.error(f"lacks {name.partition(':')[2] or name}", "Add it.")
        return found

    def items(self, name: str) -> Iterator[Part]:
        """The entries of a list member; none where it is missing."""
        part = self.find(name)
        if part is None:
            return
        if not isinstance(part.value, list):
            raise part.error(f"is {part.shown()}: must be a list", "Write [...] there.")
        for i, value in enumerate(part.value):
            yield Part(self.path, f"{part.place}[{i}]", value)

    def at(self, *names: str) -> Part | None:
        """The member that a chain of names leads to, None where one is missing."""
        part: Part | None = self
        for name in names:
            part = part.find(name) if part is not None else None
        return part

    def text(self) -> str:
        """The value as a name: text, or a number as written; spaces at its ends are left out."""
        if isinstance(self.value, bool) or not isinstance(self.value, str | int):
            raise self.error(f"is {self.shown()}: must be text", "Write text there.")
        name = str(self.value).strip()
        if not name:
            raise self.error("is empty: must be text", "Write text there.")
        return name

    def number(self) -> float:
        """The value as a finite number, which YANG also writes as text."""
        try:
            if isinstance(self.value, bool) or not isinstance(self.value, str | int | float):
                raise TypeError
            number = float(self.value)
        except (TypeError, ValueError, OverflowError):
            number = math.nan
        if not math.isfinite(number):
            raise self.error(f"is {self.shown()}: must be a number", "Correct it.")
        return number

    def within(self, quantity: Quantity, value: float | None = None) -> float:
        """A number (by default the value) in the range of a quantity."""
        number = self.number() if value is None else value
        if not quantity.valid(number):
            raise self.error(
                f"is {self.shown()}: {quantity.allowed}", f"Give the {quantity.meaning}."
            )
        return number

    def flag(self) -> bool:
        """The value as true or false."""
        if not isinstance(self.value, bool):
            raise self.error(f"is {self.shown()}: must be true or false", "Write one of them.")
        return self.value

    def others(self, known: Iterable[str]) -> list[str]:
        """The keys of members that are not among the known ones."""
        names = {key for name in known for key in (name, name.partition(":")[2] or name)}
        return [key for key in self.members() if key not in names and not key.startswith("@")]
