"""Purchase: capacity that is bought for the links of a network, period by period."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nettwin.apps.capacity.case import Candidate, CapacityCase
from nettwin.apps.capacity.lines import Lines, lengths_km, with_candidates, with_capacity
from nettwin.apps.capacity.loads import GroupLoads, group_loads
from nettwin.scenario.changes import Change, SetCapacity
from nettwin.scenario.scenario import Scenario

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Ground:
    """A network with some candidates built from a period on, and what its traffic needs.

    `built[k]` is the period in which candidate k is built, or the number of periods: never. Lines
    are those of the network with all that are ever built; `need_bps` [lines, periods] is what their
    capacity lacks at the end of each period.
    """

    scenario: Scenario  # with all that are ever built
    case: CapacityCase
    built: tuple[int, ...]
    lines: Lines
    need_bps: Floats
    worst_bps: Floats  # [periods, links] the highest load under any failure
    calm_bps: Floats  # [periods, links] with nothing failed
    loads: GroupLoads  # of the network of the last period

    @property
    def built_cost(self) -> Floats:
        """What fiber and sites cost in each period. [periods]"""
        cost = np.zeros(self.case.periods)
        for k, one in enumerate(self.case.candidates):
            if self.built[k] < self.case.periods:
                km = float(lengths_km(self.scenario.topology, [one])[0])
                cost[self.built[k]] += km * one.fiber_km + one.site
        return cost


def ground(scenario: Scenario, case: CapacityCase, built: tuple[int, ...] = ()) -> Ground:
    """A network, what is built of it, and what every period needs, under every failure."""
    built = built or (case.periods,) * len(case.candidates)
    spark = 1.0  # bit/s that a new link has until modules are bought for it
    ever = [c for c, when in zip(case.candidates, built, strict=True) if when < case.periods]
    whole = with_candidates(scenario, ever, spark)
    topology, links = whole.topology, scenario.topology.link_count
    lines = Lines.of(topology)
    worst = np.zeros((case.periods, topology.link_count))
    calm = np.zeros_like(worst)
    loads: GroupLoads | None = None
    there: list[Candidate] | None = None
    for period, years in enumerate(case.years.tolist()):
        now = [c for c, when in zip(case.candidates, built, strict=True) if when <= period]
        if now != there or loads is None:
            there, loads = now, group_loads(with_candidates(scenario, now, spark), case)
        at = _places(ever, now, links)
        found = loads.at(case.factors(years))
        worst[period, at], calm[period, at] = found.max(axis=0), found[0]
    assert loads is not None
    lacks = worst / case.limit - topology.link_capacity_bps
    lacks[lacks < 1e-9 * topology.link_capacity_bps] = 0.0
    need = np.maximum(lines.most(lacks), 0.0).T
    return Ground(whole, case, built, lines, need, worst, calm, loads)


def _places(ever: list[Candidate], now: list[Candidate], links: int) -> NDArray[np.intp]:
    """Where the links of a network with some candidates stand in that with all of them."""
    mine = [k for k, one in enumerate(ever) if one in now]
    new = [links + k for k in mine] + [links + len(ever) + k for k in mine]
    return np.array([*range(links), *new], np.intp)


class Bought(NamedTuple):
    """Modules bought for a line in a period, and a new line where it is built."""

    period: int
    line: str
    modules: tuple[tuple[str, int], ...]  # names and how many
    added_bps: float
    cost: float  # undiscounted
    built: bool = False


@dataclass(frozen=True)
class Purchases:
    """What one method buys. `cost` is discounted, `paid` [periods] is not; `bound` proves that
    nothing that keeps the network's routing, with the same new links, costs less (NaN: not proven).
    """

    method: str
    ground: Ground
    count: NDArray[np.int64]  # [lines, periods, modules]
    bought: tuple[Bought, ...]
    cost: float
    paid: Floats
    bound: float
    short_bps: Floats  # [lines, periods] what budgets leave missing

    @property
    def gap(self) -> float:
        """How much of the cost may be saved at most."""
        return max(self.cost - self.bound, 0.0) / self.cost if self.cost > 0 else 0.0

    @property
    def fits(self) -> bool:
        """Whether no link is offered more than it may be in any period."""
        return not bool((self.short_bps > 0).any())

    def added_bps(self, period: int) -> Floats:
        """The capacity that was added to each line by the end of a period. [lines]"""
        size = np.array([m.capacity_bps for m in self.ground.case.modules])
        return np.asarray(self.count[:, : period + 1].sum(axis=1) @ size)

    def network(self, period: int) -> Scenario:
        """The network at the end of a period, with its traffic then and what was bought by then;
        new links that are not built yet are down."""
        case, ground = self.ground.case, self.ground
        grown = case.grown(ground.scenario, float(case.years[period]))
        made = with_capacity(grown, ground.lines, self.added_bps(period))
        late = [
            ground.scenario.topology.link_count
            - 2 * sum(w < case.periods for w in ground.built)
            + k
            for k in self._not_yet(period)
        ]
        if not late:
            return made
        up = made.topology.link_up.copy()
        up[late] = False
        return made.with_(topology=made.topology.with_arrays(link_up=up))

    def _not_yet(self, period: int) -> list[int]:
        ever = [w for w in self.ground.built if w < self.ground.case.periods]
        late = [k for k, when in enumerate(ever) if when > period]
        return [*late, *(len(ever) + k for k in late)]

    def changes(self, period: int) -> list[Change]:
        """What is set in a period, as changes of the links that are there."""
        topology = self.ground.scenario.topology
        before = self.added_bps(period - 1) if period else np.zeros(len(self.ground.lines.name))
        after = self.added_bps(period)
        found: list[Change] = []
        for k in np.flatnonzero(after > before).tolist():
            for link in self.ground.lines.links[k]:
                new = float(topology.link_capacity_bps[link] + after[k])
                found.append(SetCapacity(topology.link_name[link], new))
        return found


def purchases(
    method: str,
    of: Ground,
    count: NDArray[np.int64],
    *,
    bound: float = float("nan"),
    short_bps: Floats | None = None,
) -> Purchases:
    """What counts of modules mean: lists and costs."""
    from nettwin.optimize.solvers.linear.modules import paid_for

    case = of.case
    price = of.lines.prices(of.scenario.topology, case.modules)
    paid = paid_for(count, price, case.visit) + of.built_cost
    size = np.array([m.capacity_bps for m in case.modules])
    bought = []
    ever = [w for w in of.built if w < case.periods]
    old = of.scenario.topology.link_count - 2 * len(ever)
    for period in range(case.periods):
        for line in np.flatnonzero(count[:, period].any(axis=1)).tolist():
            mine = count[line, period]
            first = of.lines.links[line][0]
            built = first >= old and ever[(first - old) % len(ever)] == period
            bought.append(
                Bought(
                    period,
                    of.lines.name[line],
                    tuple((case.modules[m].name, int(mine[m])) for m in np.flatnonzero(mine)),
                    float(mine @ size),
                    float(mine @ price[line] + case.visit),
                    built,
                )
            )
    short = np.zeros(count.shape[:2]) if short_bps is None else short_bps
    fixed = float(of.built_cost @ case.worth)
    return Purchases(
        method, of, count, tuple(bought), float(paid @ case.worth), paid, bound + fixed, short
    )
