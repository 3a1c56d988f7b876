"""Reader: a capacity case from YAML, with the line of whatever is wrong."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np

from nettwin import units
from nettwin.apps.capacity.case import (
    OTHERS,
    PERIODS,
    Candidate,
    CapacityCase,
    Group,
    Growth,
    Module,
)
from nettwin.apps.resilience.cases import KINDS
from nettwin.errors import InputError
from nettwin.formats.files import read_text
from nettwin.formats.native.checks import Checks
from nettwin.formats.native.document import Document, Place
from nettwin.formats.native.fields import Element, Field
from nettwin.intent.selector import Selector
from nettwin.quantity import Quantity
from nettwin.scenario.scenario import Scenario

LARGEST_BYTES = 2**20
MOST_PERIODS, MOST_FACTOR = 60, 100.0
MEASURED = "measured"  # in the place of a growth: taken from history
YEARLY = Quantity("yearly", "share", "growth a year, such as 30%", above=-1.0, high=MOST_FACTOR)
FACTOR = Quantity("each", "", "factor of a period", above=0.0, high=MOST_FACTOR)
COUNT = Quantity("periods", "", "how many periods", 3, low=1, high=MOST_PERIODS)
COST = Quantity("cost", "", "a cost, in any currency", low=0.0)
CAPACITY = Quantity("capacity", "bit/s", "capacity of the module", above=0.0)
KM = Quantity("km", "", "length in km", low=0.0)
WEIGHT = Quantity("weight", "", "IGP weight", above=0.0)
LIMIT = Quantity("limit", "share", "offered load that no link may exceed", 1.0, above=0.0, high=1.0)
DISCOUNT = Quantity("discount", "share", "by what money is worth less a year", low=0.0, high=1.0)


def _element(title: str, *fields: Field) -> Element:
    return Element(title, {field.name: field for field in fields})


def _number(name: str, quantity: Quantity, *, required: bool = False) -> Field:
    return Field(name, "number", quantity.meaning, quantity, required)


_RATES = (
    _number("yearly", YEARLY),
    _number("low", YEARLY),
    _number("high", YEARLY),
    Field("each", "numbers", "factors period by period"),
)
SELECTORS = {"class": "traffic_class", "from": "source", "to": "target", "flow": "flow"}
ELEMENTS = {
    "case": _element(
        "a capacity case",
        Field("capacity", "name", "name of the plan", required=True),
        Field("begin", "text", "first day, such as 2027-01-01"),
        Field("period", "text", f"how long a period is: {', '.join(PERIODS)}"),
        _number("periods", COUNT),
        Field("growth", "growth", "how traffic grows", required=True),
        _number("limit", LIMIT),
        Field("survive", "names", f"what may fail: {', '.join(KINDS)}"),
        Field("modules", "modules", "what capacity can be bought"),
        _number("visit", COST),
        Field("candidates", "candidates", "links that may be built"),
        Field("budget", "numbers", "budget of each period, or one for all"),
        _number("discount", DISCOUNT),
    ),
    "growth": _element(
        "growth",
        Field("rest", "growth", "growth of all flows that no group names"),
        Field("groups", "groups", "flows that grow together"),
    ),
    "rest": _element("growth", *_RATES),
    "group": _element(
        "a group",
        Field("group", "name", "its name", required=True),
        *(Field(word, "names", "which flows") for word in SELECTORS),
        *_RATES,
    ),
    "module": _element(
        "a module",
        Field("name", "name", "its name"),
        _number("capacity", CAPACITY, required=True),
        _number("cost", COST, required=True),
        _number("cost_km", COST),
    ),
    "candidate": _element(
        "a candidate",
        Field("source", "name", "one end", required=True),
        Field("target", "name", "the other end", required=True),
        _number("km", KM),
        _number("fiber_km", COST),
        _number("site", COST),
        _number("weight", WEIGHT),
        Field("srlg", "names", "shared-risk groups"),
    ),
}


def read_case(path: str | Path, scenario: Scenario | None = None) -> CapacityCase:
    """The capacity case in a file. Raises FormatError with every issue of it; with a network also
    where a group or a candidate names what is not in it."""
    return case_from(Document(Path(path), read_text(Path(path), LARGEST_BYTES)), scenario)


def case_from(document: Document, scenario: Scenario | None = None) -> CapacityCase:
    """The capacity case that a document holds; see `read_case`."""
    checks = Checks()
    if not isinstance(document.data, dict):
        checks.issue((), "is not a mapping", "Begin with `capacity: NAME`; see docs/capacity.md.")
        checks.end(document)
    case = _Reader(checks, scenario).case(document.data)
    checks.end(document)
    return case


class _Reader:
    """Reads one case; issues go to `checks`."""

    def __init__(self, checks: Checks, scenario: Scenario | None) -> None:
        self.checks, self.scenario = checks, scenario
        self.periods = 3

    def case(self, data: Any) -> CapacityCase:
        checks = self.checks
        raw = checks.entry(data, (), ELEMENTS["case"])
        usual = CapacityCase()
        assumed: list[str] = []
        if "periods" in raw:
            self.periods = self._whole(*raw["periods"])
        period = usual.period
        if "period" in raw:
            word = checks.one_of(*raw["period"], "period", PERIODS)
            period = next((p for p in PERIODS if p == word), period)
        kinds = usual.survive
        if "survive" in raw:
            words = checks.names(*raw["survive"])
            for word in words:
                if word not in KINDS:
                    checks.unknown(raw["survive"][1], "kind of failure", word, KINDS)
            kinds = tuple(kind for kind in KINDS if kind in words)
        for key, said in (
            ("period", "periods are years"),
            ("limit", "no link may be offered more than 100 % after a failure"),
            ("survive", "every link may fail alone"),
            ("discount", "money keeps its worth"),
            ("visit", "coming to a link costs nothing"),
        ):
            if key not in raw:
                assumed.append(said)
        return CapacityCase(
            name=checks.name(*raw["capacity"]) if "capacity" in raw else usual.name,
            begin_s=self._day(*raw["begin"]) if "begin" in raw else 0.0,
            period=period,
            periods=self.periods,
            groups=self._groups(*raw["growth"]) if "growth" in raw else usual.groups,
            limit=checks.number(*raw["limit"], LIMIT) if "limit" in raw else usual.limit,
            survive=kinds,
            modules=self._modules(*raw["modules"]) if "modules" in raw else (),
            visit=checks.number(*raw["visit"], COST) if "visit" in raw else 0.0,
            candidates=self._candidates(*raw["candidates"]) if "candidates" in raw else (),
            budget=self._budget(*raw["budget"]) if "budget" in raw else (),
            discount=checks.number(*raw["discount"], DISCOUNT) if "discount" in raw else 0.0,
            assumed=tuple(assumed),
        )

    def _whole(self, value: Any, place: Place) -> int:
        number = self.checks.number(value, place, COUNT)
        if np.isfinite(number) and not number.is_integer():
            self.checks.issue(place, f"is {value}: must be a whole number", f"Write {number:.0f}.")
        return int(number) if np.isfinite(number) else 1

    def _day(self, value: Any, place: Place) -> float:
        try:
            return units.moment_s(self.checks.text(value, place), "2027-01-01")
        except InputError as error:
            reason, _, remedy = str(error).partition(". ")
            self.checks.issue(place, reason, remedy or "Write 2027-01-01.")
            return 0.0

    def _groups(self, value: Any, place: Place) -> tuple[Group, ...]:
        checks = self.checks
        if not isinstance(value, dict):
            return (self._rates(Group(OTHERS), {"yearly": (value, place)}),)
        raw = checks.entry(value, place, ELEMENTS["growth"])
        if not raw:
            checks.issue(place, "says nothing", "Write `growth: 30%`, or rest and groups.")
        found: list[Group] = []
        for item, where in self._items(raw, "groups"):
            fields = checks.entry(item, where, ELEMENTS["group"])
            select = Selector(
                **{name: checks.names(*fields[w]) for w, name in SELECTORS.items() if w in fields}
            )
            if not select.given:
                reason = "names no flows"
                checks.issue(where, reason, f"Add {', '.join(SELECTORS)}, or use rest.")
            elif self.scenario is not None:
                self._fits(select, where)
            name = checks.name(*fields["group"]) if "group" in fields else ""
            if name in [group.name for group in found]:
                checks.issue(where, f"duplicate group {name}", "Rename one of them.")
            if not {"yearly", "each"} & set(fields):
                checks.issue(where, "does not say how it grows", "Add yearly or each.")
            found.append(self._rates(Group(name, select), fields))
        rest = Group(OTHERS)
        if "rest" in raw:
            value, where = raw["rest"]
            whole = isinstance(value, dict)
            fields = checks.entry(value, where, ELEMENTS["rest"]) if whole else {}
            rest = self._rates(rest, fields if whole else {"yearly": (value, where)})
        return (*found, rest)

    def _fits(self, select: Selector, place: Place) -> None:
        assert self.scenario is not None
        try:
            select.select(self.scenario, "flow")
        except InputError as error:
            reason, _, remedy = str(error).partition(". ")
            self.checks.issue(place, reason, remedy or "Name what is in the network.")

    def _rates(self, group: Group, fields: dict[str, tuple[Any, Place]]) -> Group:
        checks = self.checks
        if "each" in fields:
            value, place = fields["each"]
            items = checks.listing(value, place)
            each = [checks.number(x, (*place, i), FACTOR) for i, x in enumerate(items)]
            if len(each) > self.periods:
                reason = f"has {len(each)} factors, there are {self.periods} periods"
                checks.issue(place, reason, "Give one a period; the last one goes on.")
            if "yearly" in fields:
                checks.issue(place, "stands beside yearly", "Give one of both.")
            return replace(group, each=tuple(each))
        if "yearly" not in fields:
            return group
        if fields["yearly"][0] == MEASURED:
            return replace(group, measured=True)
        yearly = checks.number(*fields["yearly"], YEARLY)
        ends = [
            checks.number(*fields[w], YEARLY) if w in fields else yearly for w in ("low", "high")
        ]
        if not ends[0] <= yearly <= ends[1] and np.isfinite([yearly, *ends]).all():
            reason = f"yearly is {yearly:g}, not within low {ends[0]:g} and high {ends[1]:g}"
            checks.issue(fields["yearly"][1], reason, "Correct them.")
        return replace(group, growth=Growth(yearly, *ends))

    def _items(self, raw: dict[str, tuple[Any, Place]], key: str) -> list[tuple[Any, Place]]:
        if key not in raw:
            return []
        value, place = raw[key]
        return [(item, (*place, i)) for i, item in enumerate(self.checks.listing(value, place))]

    def _modules(self, value: Any, place: Place) -> tuple[Module, ...]:
        checks, found = self.checks, []
        for item, where in self._items({"": (value, place)}, ""):
            raw = checks.entry(item, where, ELEMENTS["module"])
            if not {"capacity", "cost"} <= set(raw):
                continue
            size = checks.number(*raw["capacity"], CAPACITY)
            name = checks.name(*raw["name"]) if "name" in raw else units.rate(size)
            cost = checks.number(*raw["cost"], COST)
            km = checks.number(*raw["cost_km"], COST) if "cost_km" in raw else 0.0
            if cost == 0 and km == 0:
                checks.issue(where, "costs nothing", "Give it a cost above 0.")
            found.append(Module(name, size, cost, km))
        if not found:
            checks.issue(place, "names no module", "Add one, or remove modules.")
        return tuple(found)

    def _candidates(self, value: Any, place: Place) -> tuple[Candidate, ...]:
        checks, found = self.checks, []
        for item, where in self._items({"": (value, place)}, ""):
            raw = checks.entry(item, where, ELEMENTS["candidate"])
            if not {"source", "target"} <= set(raw):
                continue
            ends = [checks.name(*raw[end]) for end in ("source", "target")]
            if ends[0] == ends[1]:
                checks.issue(where, f"joins {ends[0]} to itself", "Name two nodes.")
            for end, name in zip(("source", "target"), ends, strict=True):
                if self.scenario and name not in self.scenario.topology.node_index:
                    checks.unknown(raw[end][1], "node", name, self.scenario.topology.node_name)
            numbers = {
                key: checks.number(*raw[key], quantity)
                for key, quantity in (
                    ("km", KM),
                    ("fiber_km", COST),
                    ("site", COST),
                    ("weight", WEIGHT),
                )
                if key in raw
            }
            srlg = checks.names(*raw["srlg"]) if "srlg" in raw else ()
            one = Candidate(ends[0], ends[1], srlg=srlg)
            found.append(replace(one, **cast("Any", numbers)))
        return tuple(found)

    def _budget(self, value: Any, place: Place) -> tuple[float, ...]:
        if not isinstance(value, list):
            return (self.checks.number(value, place, COST),) * self.periods
        if len(value) != self.periods:
            reason = f"has {len(value)} budgets, there are {self.periods} periods"
            self.checks.issue(place, reason, "Give one a period, or one for all.")
        each = [self.checks.number(x, (*place, i), COST) for i, x in enumerate(value)]
        return tuple([*each, *[0.0] * self.periods][: self.periods])
