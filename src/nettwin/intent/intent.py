"""Intent: objectives and expectations as an operator states them, before any network is named."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from nettwin import units
from nettwin.intent.measures import ALIASES, MEASURES, Kind, Measure, Reduce
from nettwin.intent.selector import EVERYTHING, Selector

Survivable = Literal["link", "node", "srlg"]
Over = Literal["worst", "mean"]
SURVIVABLE: Mapping[str, str] = {
    "link": "every link alone, both directions at once",
    "node": "every node alone, its own traffic left out",
    "srlg": "every shared-risk group alone",
}
LEVERS: Mapping[str, str] = {
    "segments": "SR midpoints of single flows",
    "paths": "explicit paths of single flows",
    "weights": "IGP weights of links",
    "schedulers": "queue weights and which class goes to which queue",
    "capacities": "capacity of links, for planning",
    "rates": "rate limits of flows at their source",
}
LEVER_OF: Mapping[str, Kind] = {  # what each lever is moved at
    "segments": "flow",
    "paths": "flow",
    "weights": "link",
    "schedulers": "link",
    "capacities": "link",
    "rates": "flow",
}


@dataclass(frozen=True)
class Objective:
    """What shall be as low as possible: a measure over the selected elements, as one number.

    `failures` says how the numbers after each failure become one; it is of no use elsewhere.
    """

    measure: str
    select: Selector = EVERYTHING
    reduce: Reduce = "max"
    weight: float = 1.0
    failures: Over = "worst"

    def __post_init__(self) -> None:
        object.__setattr__(self, "measure", ALIASES.get(self.measure, self.measure))

    @property
    def about(self) -> Measure:
        """The measure's declaration."""
        return MEASURES[self.measure]

    def describe(self) -> str:
        """The objective in words."""
        how = "" if self.about.kind == "plan" else f"{self.reduce} "
        scale = "" if self.weight == 1 else f"{self.weight:g} x "
        over = "mean over failures of " if self.failures == "mean" else ""
        return f"{over}{scale}{how}{self.measure}{self.select.of()}"


@dataclass(frozen=True)
class Expectation:
    """What must hold for every selected element, or for their mean or total where one is asked."""

    measure: str
    select: Selector = EVERYTHING
    at_most: float | None = None  # SI
    at_least: float | None = None
    reduce: Reduce | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "measure", ALIASES.get(self.measure, self.measure))

    @property
    def about(self) -> Measure:
        """The measure's declaration."""
        return MEASURES[self.measure]

    @property
    def limit(self) -> float:
        """The limit, whichever side it is on."""
        return float(self.at_most if self.at_most is not None else self.at_least or 0.0)

    @property
    def sense(self) -> Literal["at most", "at least"]:
        """Which side of the limit is good."""
        return "at most" if self.at_most is not None else "at least"

    def describe(self) -> str:
        """The expectation in words."""
        how = f"{self.reduce} " if self.reduce else ""
        value = shown(self.about, self.limit)
        return f"{how}{self.measure}{self.select.of()} {self.sense} {value}"


@dataclass(frozen=True)
class Survive:
    """What must still hold when any one element of these kinds fails and the IGP has rerouted."""

    kinds: tuple[Survivable, ...] = ("link",)
    expect: tuple[Expectation, ...] = ()
    minimize: tuple[Objective, ...] = ()  # over the failures, after the other objectives

    def describe(self) -> str:
        """The failures in words."""
        return f"any single {' or '.join(self.kinds)} fails"


@dataclass(frozen=True)
class Avoid:
    """Flows that must not cross some links or nodes."""

    flows: Selector  # source, target, traffic_class, flow
    links: Selector  # of links: link, node, srlg

    def describe(self) -> str:
        """The rule in words."""
        return f"{self.flows.describe() or 'every flow'} avoids {self.links.describe()}"


@dataclass(frozen=True)
class Lever:
    """Something that may be changed, and where; limits of a kind that has some.

    Segments send a flow over at most so many `midpoints`. Capacities grow in steps of `step_bps` to
    at most `at_most_bps`; a rate may be limited to no less than the share `at_least` of what the
    flow offers.
    """

    kind: str
    select: Selector = EVERYTHING
    step_bps: float = 10e9
    at_most_bps: float = float("inf")
    at_least: float = 0.5
    midpoints: int = 2

    @property
    def of(self) -> Kind:
        """What it is moved at, flows or links."""
        return LEVER_OF[self.kind]

    def describe(self) -> str:
        """The lever in words."""
        return self.kind + self.select.of()


@dataclass(frozen=True)
class Prices:
    """What changes cost: for each added Gbit/s of capacity, and for each change made."""

    capacity_gbps: float = 1.0
    change: float = 0.0


@dataclass(frozen=True)
class Intent:
    """Objectives, the first before the second; expectations; and what may be done.

    An entry of `minimize` with several objectives stands for their weighted sum. `most_changes`
    None means any number.
    """

    minimize: tuple[tuple[Objective, ...], ...] = ((Objective("offered_load"),),)
    expect: tuple[Expectation, ...] = ()
    survive: Survive | None = None
    avoid: tuple[Avoid, ...] = ()
    levers: tuple[Lever, ...] = (Lever("segments"),)
    most_changes: int | None = None
    prices: Prices = field(default_factory=Prices)
    name: str = "intent"

    def lever(self, kind: str) -> Lever | None:
        """The lever of a kind, if it may be used."""
        return next((lever for lever in self.levers if lever.kind == kind), None)

    @property
    def predicted(self) -> bool:
        """Whether a NetworkModel is needed to judge it."""
        asked = [o.measure for level in self.minimize for o in level]
        asked += [e.measure for e in self.expect]
        return self.predicted_after_failures or any(MEASURES[name].predicted for name in asked)

    @property
    def predicted_after_failures(self) -> bool:
        """Whether a NetworkModel is needed to judge what must survive."""
        survive = self.survive
        asked = [e.measure for e in survive.expect] if survive else []
        asked += [o.measure for o in survive.minimize] if survive else []
        return any(MEASURES[name].predicted for name in asked)


def shown(measure: Measure, value: float) -> str:
    """A value of a measure for people."""
    if measure.unit == "s":
        return units.duration(value)
    if measure.unit == "share":
        return units.percent(value, 2 if abs(value) < 0.1 else 1)
    if measure.unit == "bit/s":
        return units.rate(value)
    if measure.unit == "bit":
        return units.size(value)
    return f"{value:g}"
