"""Case: what a capacity plan is asked for: how traffic grows, what capacity costs, over which
periods."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from nettwin.apps.resilience.cases import Kind
from nettwin.intent.selector import EVERYTHING, Selector
from nettwin.scenario.scenario import Scenario

Period = Literal["month", "quarter", "year"]
PERIODS: tuple[Period, ...] = get_args(Period)
MONTHS: dict[Period, int] = {"month": 1, "quarter": 3, "year": 12}
YEAR_S = 365.25 * 86400.0
M_PER_S = 2e8  # of light in fiber
# Modules where a file names none: sizes over the most usual capacity of the network, and costs; a
# bit/s of a large module costs less than one of a small one
USUAL_MODULES = ((1.0, 1.0), (4.0, 2.5), (10.0, 5.0))
OTHERS = "all other traffic"
Floats = NDArray[np.float64]


class Growth(NamedTuple):
    """Relative growth a year (0.3: 30 %), and the interval of 90 % that it is in."""

    yearly: float
    low: float
    high: float


NO_GROWTH = Growth(0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Group:
    """Flows that grow together. `each` are factors period by period, which go before `growth`;
    `measured`: the growth is to be taken from history."""

    name: str
    select: Selector = EVERYTHING
    growth: Growth = NO_GROWTH
    each: tuple[float, ...] = ()
    measured: bool = False


@dataclass(frozen=True)
class Module:
    """Capacity that is bought at once, for both directions of a link."""

    name: str
    capacity_bps: float
    cost: float
    cost_km: float = 0.0  # for each km of the link


@dataclass(frozen=True)
class Candidate:
    """A link that may be built. NaN: by the coordinates of its ends; `weight` NaN: as the usual."""

    source: str
    target: str
    km: float = float("nan")
    fiber_km: float = 0.0  # cost of each km of fiber
    site: float = 0.0  # cost of work at its ends
    weight: float = float("nan")
    srlg: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """`A<->B`."""
        return f"{self.source}<->{self.target}"


@dataclass(frozen=True)
class CapacityCase:
    """What is planned for. Traffic is as in the network when the first period begins; what a
    period's end asks for is bought within the period."""

    name: str = "capacity"
    begin_s: float = 0.0
    period: Period = "year"
    periods: int = 3
    groups: tuple[Group, ...] = (Group(OTHERS),)  # the last one is of all flows that are left
    limit: float = 1.0  # offered load of a link after any single failure
    survive: tuple[Kind, ...] = ("link",)
    modules: tuple[Module, ...] = ()
    visit: float = 0.0
    candidates: tuple[Candidate, ...] = ()
    budget: tuple[float, ...] = ()  # of each period; empty: none
    discount: float = 0.0  # a year
    assumed: tuple[str, ...] = ()  # what the file did not say

    @property
    def years(self) -> Floats:
        """The years from the beginning to the end of each period. [periods]"""
        return np.arange(1, self.periods + 1) * MONTHS[self.period] / 12

    @property
    def ends_s(self) -> Floats:
        """When each period ends. [periods]"""
        return np.asarray(self.begin_s + self.years * YEAR_S)

    @property
    def worth(self) -> Floats:
        """What money that is spent in each period is worth at the beginning. [periods]"""
        begins = self.years - MONTHS[self.period] / 12
        return np.asarray((1 + self.discount) ** -begins)

    @property
    def budgets(self) -> Floats:
        """The budget of each period, inf for none. [periods]"""
        return np.array(self.budget) if self.budget else np.full(self.periods, np.inf)

    def period_name(self, number: int) -> str:
        """`2027`, `2027 Q1` or `2027-01`; `year 1` where no beginning is given."""
        if not self.begin_s:
            return f"{self.period} {number + 1}"
        begin = datetime.fromtimestamp(self.begin_s, UTC)
        month = begin.year * 12 + begin.month - 1 + number * MONTHS[self.period]
        year, month = divmod(month, 12)
        if self.period == "year":
            return f"{year}" if month == 0 else f"{year}-{month + 1:02d}"
        return (
            f"{year} Q{month // 3 + 1}" if self.period == "quarter" else f"{year}-{month + 1:02d}"
        )

    def factors(self, years: float, side: Literal["yearly", "low", "high"] = "yearly") -> Floats:
        """What the traffic of each group has grown by after some years. [groups]"""
        return np.array([self._factor(group, years, side) for group in self.groups])

    def _factor(self, group: Group, years: float, side: str) -> float:
        if not group.each:
            return float((1 + getattr(group.growth, side)) ** years)
        step = MONTHS[self.period] / 12
        whole, part = divmod(years / step, 1)
        grown = 1.0
        for k in range(int(whole) + 1):  # what is given last goes on
            factor = group.each[min(k, len(group.each) - 1)]
            grown *= factor if k < int(whole) else factor**part
        return grown

    def members(self, scenario: Scenario) -> NDArray[np.intp]:
        """The group of each flow: the first that names it. [flows]

        Raises UnknownNameError and EmptySelectionError where a group names what is not there.
        """
        mine = np.full(scenario.traffic.flow_count, len(self.groups) - 1)
        taken = np.zeros(len(mine), np.bool_)
        for k, group in enumerate(self.groups[:-1]):
            chosen = group.select.select(scenario, "flow") & ~taken
            mine[chosen] = k
            taken |= chosen
        return mine

    def with_modules(self, scenario: Scenario) -> CapacityCase:
        """The case with modules: where none were given the usual ones, in the network's size."""
        if self.modules:
            return self
        values, times = np.unique(scenario.topology.link_capacity_bps, return_counts=True)
        usual = float(values[times.argmax()]) if len(values) else 1e9
        modules = tuple(
            Module(f"{factor:g} x {usual / 1e9:g}G", factor * usual, cost)
            for factor, cost in USUAL_MODULES
        )
        costs = ", ".join(f"{m.capacity_bps / 1e9:g} Gbit/s costs {m.cost:g}" for m in modules)
        return replace(self, modules=modules, assumed=(*self.assumed, f"modules: {costs}"))

    def grown(
        self, scenario: Scenario, years: float, side: Literal["yearly", "low", "high"] = "yearly"
    ) -> Scenario:
        """The network with its traffic after some years."""
        factor = self.factors(years, side)[self.members(scenario)]
        rate = scenario.traffic.flow_rate_bps * factor
        return scenario.with_(traffic=scenario.traffic.with_arrays(flow_rate_bps=rate))
