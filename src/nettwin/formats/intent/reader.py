"""Reader: an intent's plain data into an Intent."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from nettwin.formats.intent.fields import (
    CHANGES,
    ELEMENT_WORDS,
    ELEMENTS,
    FLOW_WORDS,
    GROWTH,
    KEPT,
    LEVER_LIMITS,
    MAX_BARE,
    MIDPOINTS,
    OVERS,
    PRICES,
    REDUCES,
    SELECTORS,
    STEP,
    SYNONYMS,
    WEIGHT,
    limit,
)
from nettwin.formats.native.checks import Checks, shown
from nettwin.formats.native.document import Document, Place
from nettwin.intent.intent import (
    LEVER_OF,
    LEVERS,
    SURVIVABLE,
    Avoid,
    Expectation,
    Intent,
    Lever,
    Objective,
    Over,
    Prices,
    Survive,
)
from nettwin.intent.measures import NAMED, Kind, Measure, Reduce
from nettwin.intent.selector import FIELDS, WORDS, Selector
from nettwin.quantity import Quantity

MAX_ENTRIES = 200  # of a list
MAX_NAMES, LONGEST_NAME = 1000, 1000
RawFields = Mapping[str, tuple[Any, Place]]


def intent_from(document: Document) -> Intent:
    """The intent that a document holds. Raises FormatError with every issue of it."""
    checks = _Words()
    data = document.data
    if not isinstance(data, dict):
        checks.issue(
            (), "is not a mapping", "Begin with `minimize:` or `expect:`; see docs/intent.md."
        )
        checks.end(document)
    if "nettwin" in data:
        checks.issue(("nettwin",), "is a network", "Give the intent first, then the network.")
        checks.end(document)
    intent = _Reader(checks).intent(checks.entry(data, (), ELEMENTS["intent"]))
    checks.end(document)
    return intent


class _Words(Checks):
    """Checks that know what people write instead of the names of the language."""

    def unknown(self, place: Place, kind: str, name: str, known: Iterable[str]) -> None:
        meant = SYNONYMS.get(name.lower())
        if meant in (names := list(known)):
            self.issue(place, f"there is no {kind} {shown(name)}", f"Did you mean {meant}?")
        else:
            super().unknown(place, kind, name, names)

    def limit(self, value: Any, place: Place, quantity: Quantity) -> float:
        """A number whose unit cannot be mistaken."""
        most, unit = MAX_BARE.get(quantity.unit, (float("inf"), ""))
        bare = isinstance(value, int | float) and not isinstance(value, bool)
        if bare and most < value < 1e9:
            other = f" or {value:g} s" if quantity.unit == "s" else ""
            self.issue(
                place, f"is {shown(value)} without a unit", f"Write {value:g} {unit}{other}."
            )
            return float(value)
        return self.number(value, place, quantity)

    def several(self, value: Any, place: Place) -> list[tuple[Any, Place]]:
        """The entries of a list of bounded length with their places; text alone is one entry."""
        if isinstance(value, str):
            return [(value, place)]
        found = self.listing(value, place)
        if len(found) > MAX_ENTRIES:
            reason = f"has {len(found)} entries, at most {MAX_ENTRIES} are allowed"
            self.issue(place, reason, "Join lines with * or lists of names.")
        return [(item, (*place, i)) for i, item in enumerate(found[:MAX_ENTRIES])]

    def part(self, value: Any, place: Place, element: str, short: str = "") -> RawFields | None:
        """What a mapping says, or one word for its field `short`; None where it is neither."""
        if short and isinstance(value, str):
            return {short: (value, place)}
        if not isinstance(value, dict):
            title = ELEMENTS[element].title
            form = f"{{{short or 'key'}: ...}}"
            self.issue(place, f"is {shown(value)}: must be {title}", f"Write {form}.")
            return None
        return self.entry(value, place, ELEMENTS[element])


class _Reader:
    """Reads one intent; issues go to `checks`."""

    def __init__(self, checks: _Words) -> None:
        self.checks = checks

    def intent(self, raw: RawFields) -> Intent:
        checks, default = self.checks, Intent()
        if not set(raw) & {"minimize", "expect", "survive", "avoid"}:
            checks.issue((), "asks for nothing", "Add minimize, expect, survive or avoid.")
        change = checks.part(*raw["change"], "change") if "change" in raw else None
        change = change or {}
        return Intent(
            minimize=self._levels(*raw["minimize"]) if "minimize" in raw else default.minimize,
            expect=self._expectations(*raw["expect"]) if "expect" in raw else (),
            survive=self._survive(*raw["survive"]) if "survive" in raw else None,
            avoid=self._avoids(*raw["avoid"]) if "avoid" in raw else (),
            levers=self._levers(*change["with"]) if "with" in change else default.levers,
            most_changes=self._count(*change["at_most"]) if "at_most" in change else None,
            prices=self._prices(*change["prices"]) if "prices" in change else default.prices,
            name=checks.name(*raw["intent"]) if "intent" in raw else default.name,
        )

    # objectives, expectations

    def _levels(self, value: Any, place: Place) -> tuple[tuple[Objective, ...], ...]:
        levels = []
        for item, where in self.checks.several(value, place):
            if isinstance(item, list) and not item:
                self.checks.issue(where, "is an empty list", "Remove it, or name what to minimize.")
            summed = isinstance(item, list)
            entries = self.checks.several(item, where) if summed else [(item, where)]
            found = [self._objective(*entry, summed=summed) for entry in entries]
            for entry, where_of in entries:
                if isinstance(entry, dict) and "failures" in entry:
                    remedy = "Write it under minimize of survive."
                    place_of = (*where_of, "failures")
                    self.checks.issue(place_of, "is not about failures", remedy)
            levels.append(tuple(o for o in found if o))
        return tuple(levels)

    def _objective(self, value: Any, place: Place, *, summed: bool) -> Objective | None:
        checks = self.checks
        raw = checks.part(value, place, "objective", "measure")
        measure = raw and self._measure(raw)
        if not raw or not measure:
            return None
        if measure.worst == "min":
            remedy = f"Write it under expect, with {measure.name} and at_least."
            checks.issue(raw["measure"][1], f"{measure.name} shall not be low", remedy)
        if "weight" in raw and not summed:
            reason = "has a weight alone: the first entry comes before the second"
            remedy = "Put what is to be weighed into one entry that is a list: [{...}, {...}]."
            checks.issue(raw["weight"][1], reason, remedy)
        return Objective(
            measure.name,
            self._selector(raw, measure.kind, measure.name),
            self._reduce(raw, measure) or measure.worst,
            checks.number(*raw["weight"], WEIGHT) if "weight" in raw else 1.0,
            self._over(raw),
        )

    def _expectations(
        self, value: Any, place: Place, *, failed: bool = False
    ) -> tuple[Expectation, ...]:
        found = [self._expectation(v, p, failed) for v, p in self.checks.several(value, place)]
        return tuple(e for e in found if e)

    def _expectation(self, value: Any, place: Place, failed: bool) -> Expectation | None:
        raw = self.checks.part(value, place, "expectation")
        measure = raw and self._measure(raw, failed=failed)
        if not raw or not measure:
            return None
        sides = [side for side in ("at_most", "at_least") if side in raw]
        if len(sides) != 1:
            reason = "has both at_most and at_least" if sides else "has no limit"
            remedy = "Write two lines." if sides else "Add at_most or at_least."
            self.checks.issue(place, reason, remedy)
        limits = {side: self.checks.limit(*raw[side], limit(measure)) for side in sides}
        return Expectation(
            measure.name,
            self._selector(raw, measure.kind, measure.name),
            limits.get("at_most"),
            limits.get("at_least"),
            self._reduce(raw, measure),
        )

    def _measure(self, raw: RawFields, *, failed: bool = False) -> Measure | None:
        if "measure" not in raw:
            return None
        name = self.checks.one_of(*raw["measure"], "measure", NAMED)
        measure = NAMED.get(name)
        if measure and failed and measure.kind == "plan":
            reason = f"{name} is of the plan: no failure changes it"
            self.checks.issue(raw["measure"][1], reason, "Write it outside of survive.")
        return measure

    def _over(self, raw: RawFields) -> Over:
        if "failures" not in raw:
            return "worst"
        how = self.checks.one_of(*raw["failures"], "way to join failures", OVERS)
        return cast("Over", how)

    def _reduce(self, raw: RawFields, measure: Measure) -> Reduce | None:
        if "reduce" not in raw:
            return None
        if measure.kind == "plan":
            reason = f"{measure.name} is one number already"
            self.checks.issue(raw["reduce"][1], reason, "Remove reduce.")
        how = self.checks.one_of(*raw["reduce"], "way to reduce", REDUCES)
        return cast("Reduce", how)

    # selectors

    def _selector(
        self, raw: RawFields, kind: Kind, of: str, words: Sequence[str] = tuple(SELECTORS)
    ) -> Selector:
        """The selector of some of an entry's words; `of` is what it selects elements for."""
        given = {}
        for word in words:
            if word not in raw:
                continue
            value, place = raw[word]
            if SELECTORS[word] not in FIELDS[kind]:
                known = ", ".join(WORDS.get(name, name) for name in FIELDS[kind])
                takes = f"is selected by {known}" if known else "takes no selector"
                reason = f"{of} is of the {kind} and {takes}, not by {word}"
                self.checks.issue(place, reason, "Remove it, or ask about another measure.")
            given[SELECTORS[word]] = self._names(value, place)
        return Selector(**given)

    def _names(self, value: Any, place: Place) -> tuple[str, ...]:
        names = self.checks.names(value, place)
        if isinstance(value, list) and not value:
            self.checks.issue(place, "is an empty list", "Name one, or remove the key.")
        if len(names) > MAX_NAMES:
            reason = f"has {len(names)} names, at most {MAX_NAMES} are allowed"
            self.checks.issue(place, reason, "Use a pattern with *.")
        for name in names:
            if not name.strip() and isinstance(value, str | list):
                self.checks.issue(place, "holds an empty name", "Name one, or remove the key.")
            elif len(name) > LONGEST_NAME:
                reason = f"holds a name of {len(name)} characters"
                self.checks.issue(place, reason, f"Shorten it to {LONGEST_NAME}.")
        return names

    # failures, exclusions

    def _survive(self, value: Any, place: Place) -> Survive | None:
        checks = self.checks
        raw = checks.part(value, place, "survive", "any")
        if raw is None:
            return None
        kinds = []
        for item, where in checks.several(*raw.get("any", ("link", place))):
            kind = checks.one_of(item, where, "kind of element that fails", SURVIVABLE)
            if kind in kinds:
                checks.issue(where, f"duplicate {kind}", "Remove one of them.")
            kinds.append(kind)
        if not kinds:
            checks.issue(place, "says of nothing that it fails", "Write `any: link`.")
        minimize = []
        for item, where in checks.several(*raw.get("minimize", (None, place))):
            minimize.append(self._objective(item, where, summed=False))
        expect = self._expectations(*raw.get("expect", (None, place)), failed=True)
        if not {"expect", "minimize"} & set(raw):
            checks.issue(place, "asks for nothing", "Add expect or minimize to it.")
        return Survive(cast("Any", tuple(kinds)), expect, tuple(o for o in minimize if o))

    def _avoids(self, value: Any, place: Place) -> tuple[Avoid, ...]:
        found = []
        for item, where in self.checks.several(value, place):
            raw = self.checks.part(item, where, "avoid")
            if raw is None:
                continue
            if not set(raw) & set(ELEMENT_WORDS):
                remedy = "Add link, node or srlg, which its flows must not cross."
                self.checks.issue(where, "says nothing to avoid", remedy)
            found.append(
                Avoid(
                    self._selector(raw, "flow", "avoid", FLOW_WORDS),
                    self._selector(raw, "link", "avoid", ELEMENT_WORDS),
                )
            )
        return tuple(found)

    # changes

    def _levers(self, value: Any, place: Place) -> tuple[Lever, ...]:
        found: dict[str, Lever] = {}
        for item, where in self.checks.several(value, place):
            raw = self.checks.part(item, where, "lever", "lever")
            if not raw or "lever" not in raw:
                continue
            kind = self.checks.one_of(*raw["lever"], "lever", LEVERS)
            if kind not in LEVERS:
                continue
            if kind in found:
                remedy = "Name both selections in one entry, as lists."
                self.checks.issue(where, f"duplicate lever {kind}", remedy)
            found[kind] = self._lever(kind, raw)
        return tuple(found.values())

    def _lever(self, kind: str, raw: RawFields) -> Lever:
        numbers: dict[str, Any] = {}
        for word, name, quantity in (
            ("step", "step_bps", STEP),
            ("at_most", "at_most_bps", GROWTH),
            ("at_least", "at_least", KEPT),
            ("midpoints", "midpoints", MIDPOINTS),
        ):
            if word in raw and word not in LEVER_LIMITS[kind]:
                takes = ", ".join(LEVER_LIMITS[kind]) or "no limit"
                reason = f"the lever {kind} takes {takes}, not {word}"
                self.checks.issue(raw[word][1], reason, "Remove it.")
            elif quantity is MIDPOINTS and word in raw:
                numbers[name] = self._count(*raw[word], quantity)
            elif word in raw:
                numbers[name] = self.checks.limit(*raw[word], quantity)
        return Lever(kind, self._selector(raw, LEVER_OF[kind], f"the lever {kind}"), **numbers)

    def _count(self, value: Any, place: Place, quantity: Quantity = CHANGES) -> int:
        number = self.checks.number(value, place, quantity)
        if math.isfinite(number) and not number.is_integer():
            remedy = f"Write {round(number)}."
            self.checks.issue(place, f"is {shown(value)}: must be a whole number", remedy)
        return int(number) if math.isfinite(number) else 0

    def _prices(self, value: Any, place: Place) -> Prices:
        raw = self.checks.part(value, place, "prices") or {}
        return Prices(**{n: self.checks.number(*raw[n], q) for n, q in PRICES.items() if n in raw})
