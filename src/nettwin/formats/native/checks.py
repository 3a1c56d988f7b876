"""Checks: turns the plain data of a network file into values and collects every issue."""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from nettwin import units
from nettwin.errors import FormatError, InputError, ValidationIssue
from nettwin.formats.native.document import Document, Place, Table
from nettwin.formats.native.fields import ELEMENTS, ROWS, Element
from nettwin.quantity import Quantity

UNLIMITED = "unlimited"
SHOWN = 20
LONGEST_NUMBER = 60
_PARSERS: dict[str, tuple[Callable[[str], float], str]] = {
    "bit/s": (units.rate_bps, "10G or 45M"),
    "s": (units.time_s, "20ms or 3s"),
    "bit": (units.size_bits, "1500B or 12000bit"),
    "share": (units.share, "80% or 0.8"),
}


class Checks:
    """Values from plain data. What is wrong is noted, a stand-in returned, and reading goes on, so
    that `end` can tell all issues of a file at once."""

    def __init__(self) -> None:
        self.issues: list[tuple[Place, str, str]] = []

    def issue(self, place: Place, reason: str, remedy: str) -> None:
        """Note one thing that is wrong."""
        self.issues.append((place, reason, remedy))

    def noted(self, place: Place, issues: Iterable[ValidationIssue]) -> None:
        """Note what an object of the scenario finds wrong with itself."""
        for f in issues:
            self.issue(place, f"{f.element} is {f.value}: {f.allowed}", f.remedy)

    def end(self, document: Document) -> None:
        """Raise FormatError if anything was wrong, in the order of the file."""
        if not self.issues:
            return
        told = [
            (document.line(place), place, reason, remedy)
            for place, reason, remedy in self.issues[:SHOWN]
        ]
        told.sort(key=lambda issue: issue[0] or 0)
        line, place, reason, remedy = told[0]
        also = [f"  - {_where(n, p)}: {why}. {cure}" for n, p, why, cure in told[1:]]
        if len(self.issues) > SHOWN:
            also.append(f"  ... and {len(self.issues) - SHOWN} more")
        more = "\nAlso:\n" + "\n".join(also) if also else ""
        raise FormatError(document.path, _where(line, place), reason, remedy + more)

    def table(self, value: Any, place: Place) -> Mapping[str, Any]:
        """A mapping with any keys; empty where it is something else."""
        if value is None:
            return {}
        if not isinstance(value, dict):
            self.issue(place, f"is {shown(value)}: must be a mapping", "Write `key: value`.")
            return {}
        if isinstance(value, Table):
            for key in value.repeated:
                remedy = "Remove or rename one of them."
                self.issue((*place, key), f"duplicate key {shown(key)}", remedy)
        return value

    def listing(self, value: Any, place: Place) -> list[Any]:
        """A list; empty where it is something else."""
        if value is None:
            return []
        if not isinstance(value, list):
            self.issue(place, f"is {shown(value)}: must be a list", "Write `- item` or [item].")
            return []
        return value

    def entry(self, value: Any, place: Place, element: Element) -> dict[str, tuple[Any, Place]]:
        """What an element says: for each field that it gives, the plain value and its place."""
        found: dict[str, tuple[Any, Place]] = {}
        rest, where = value, place
        if element.row and isinstance(value, list):
            row = value
            rest = {}
            if row and isinstance(row[-1], dict):
                row, rest, where = row[:-1], row[-1], (*place, len(row) - 1)
            if len(row) > len(element.row):
                names = ", ".join(element.row)
                reason = f"has {len(row)} values, at most {len(element.row)} are allowed"
                self.issue(place, reason, f"Give {names}, and others in a mapping at the end.")
            for i, (name, item) in enumerate(zip(element.row, row, strict=False)):
                if item is not None:
                    found[name] = (item, (*place, i))
        elif element.row and not isinstance(value, dict):
            form = f"[{', '.join(element.row)}]"
            self.issue(place, f"is {shown(value)}: must be {element.title}", f"Write {form}.")
            return {}
        for key, item in self.table(rest, where).items():
            self._named(key, (*where, key), element.fields, found)
            field = element.fields.get(key)
            null_says = field is not None and field.quantity is not None and field.quantity.infinite
            if field and (item is not None or null_says):
                found[key] = (item, (*where, key))
        for name, field in element.fields.items():
            if field.required and name not in found:
                self.issue(place, f"has no {name} ({field.meaning})", f"Add {name}.")
        return found

    def _named(
        self, key: str, place: Place, known: Iterable[str], found: Mapping[str, object]
    ) -> None:
        if key in found:
            self.issue(place, f"duplicate {key}", "Remove one of them.")
        elif key not in known:
            self.unknown(place, "key", key, known)

    def number(self, value: Any, place: Place, quantity: Quantity) -> float:
        """A number of a quantity, with a unit where it is text; NaN where it is none."""
        if value is None or value == UNLIMITED:
            if quantity.infinite:
                return math.inf
        elif isinstance(value, str) and quantity.unit in _PARSERS and _has_unit(value):
            try:
                return self._in_range(_PARSERS[quantity.unit][0](value), place, quantity, value)
            except InputError as error:
                reason, _, remedy = str(error).partition(". ")
                self.issue(place, reason, remedy)
                return math.nan
        elif isinstance(value, int | float) and not isinstance(value, bool):
            try:
                return self._in_range(float(value), place, quantity, value)
            except OverflowError:
                pass
        self.issue(
            place, f"is {shown(value)}: {quantity.allowed}, a number", self._example(quantity)
        )
        return math.nan

    def _in_range(self, x: float, place: Place, quantity: Quantity, value: Any) -> float:
        if not (quantity.low <= x <= quantity.high and x > quantity.above and math.isfinite(x)):
            limit = f' (or "{UNLIMITED}")' if quantity.infinite else ""
            reason = f"is {shown(value)}: {quantity.allowed}{limit}"
            self.issue(place, reason, self._example(quantity))
            return math.nan
        return x

    def _example(self, quantity: Quantity) -> str:
        example = _PARSERS.get(quantity.unit, (None, ""))[1]
        hint = f", such as {example}" if example else ""
        return f"Give {quantity.meaning}{hint}."

    def text(self, value: Any, place: Place) -> str:
        """Text that may be anything; a whole number counts as its digits."""
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        if not isinstance(value, str):
            self.issue(place, f"is {shown(value)}: must be text", "Write it in quotes.")
            return ""
        if not value.isascii() and any("\ud800" <= ch <= "\udfff" for ch in value):
            self.issue(place, "holds half a character", "Remove the surrogate code point.")
            return ""
        return value

    def name(self, value: Any, place: Place) -> str:
        """Text that names something: not empty, no space at its ends."""
        text = self.text(value, place)
        if isinstance(value, str) and (not text or text != text.strip()):
            reason = f"is {shown(value)}: must not be empty nor begin or end with a space"
            self.issue(place, reason, "Give it a name.")
        return text

    def names(self, value: Any, place: Place) -> tuple[str, ...]:
        """A list of names; one alone needs no brackets."""
        if isinstance(value, str | int) and not isinstance(value, bool):
            return (self.text(value, place),)
        return tuple(
            self.text(item, (*place, i)) for i, item in enumerate(self.listing(value, place))
        )

    def flag(self, value: Any, place: Place) -> bool:
        """True or false."""
        if not isinstance(value, bool):
            self.issue(place, f"is {shown(value)}: must be true or false", "Write true or false.")
        return value is True

    def one_of(self, value: Any, place: Place, kind: str, known: Iterable[str]) -> str:
        """A name that must be among the known ones."""
        text = self.text(value, place)
        if text not in known:
            self.unknown(place, kind, text, known)
        return text

    def unknown(self, place: Place, kind: str, name: str, known: Iterable[str]) -> None:
        """Note a name that nothing has, with the nearest known ones."""
        hint = near(name, known) if len(self.issues) < SHOWN else ""
        self.issue(place, f"there is no {kind} {shown(name)}", hint)


def _has_unit(text: str) -> bool:
    # whether digits in quotes are bits or bytes would be a guess
    return len(text) <= LONGEST_NUMBER and (text[-1:].isalpha() or text[-1:] == "%")


def near(name: str, known: Iterable[str]) -> str:
    """A remedy for an unknown name: the nearest known ones."""
    names = list(known)
    found = difflib.get_close_matches(name[:100], names, n=3, cutoff=0.5) if name else []
    if found:
        return f"Did you mean {' or '.join(found)}?"
    more = f" and {len(names) - 12} more" if len(names) > 12 else ""
    return f"Known are: {', '.join(names[:12]) or 'none'}{more}."


def shown(value: Any) -> str:
    """A value in an error message, cut where it is long."""
    if value is None:
        return "empty"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    try:
        text = repr(value) if isinstance(value, str) else str(value)
    except ValueError:  # an integer of thousands of digits
        return "a number of thousands of digits"
    return text if len(text) <= 60 else f"{text[:57]}..."


def _where(line: int | None, place: Place) -> str:
    parts = [f"line {line}"] if line else []
    if place:
        steps: list[str] = []
        for depth, step in enumerate(place):
            row = ELEMENTS[ROWS[str(place[0])]].row if str(place[0]) in ROWS else ()
            if depth == 2 and row and isinstance(step, int):
                if step < len(row) and depth == len(place) - 1:  # else the mapping at the end
                    steps.append(f".{row[step]}")
            elif isinstance(step, int):
                steps.append(f"[{step}]")
            else:
                steps.append(f".{step}" if len(step) <= 40 else f".{step[:37]}...")
        parts.append("".join(steps).lstrip("."))
    return ", ".join(parts)
