"""Upgrade: the cheapest capacity that lets a network survive every single failure as it grows,
checked by a model and repaired where delay is missed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from typing import NamedTuple

import numpy as np

from nettwin.apps.capacity.case import CapacityCase
from nettwin.apps.capacity.loads import disconnected
from nettwin.apps.capacity.purchase import Ground, Purchases, ground, purchases
from nettwin.apps.capacity.rules import RULES, by_rule
from nettwin.apps.capacity.runout import Missed, expectations, held
from nettwin.apps.resilience.cases import Cases
from nettwin.intent import Expectation, Intent
from nettwin.model import NetworkModel, settled
from nettwin.optimize.solvers.linear.modules import cheapest_modules
from nettwin.optimize.stop import Clock
from nettwin.scenario.changes import apply_all
from nettwin.scenario.scenario import Scenario

EVERY = 81  # ways to build candidates up to which all are looked at
ROUNDS = 12  # of repair
RELIEF = 0.9  # what the busiest link of a missed flow may be offered afterwards, of its load
ENDLESS = 100.0  # times a capacity: as much as anybody could buy
IDLE = 0.3  # offered load below which more capacity hardly makes a delay shorter
Progress = Callable[[float], None]


class Check(NamedTuple):
    """An expectation after what was bought, at the end of a period under the worst failure."""

    period: int
    expectation: str
    met: bool
    value: float
    limit: float
    cause: str


@dataclass(frozen=True)
class Upgrade:
    """The cheapest purchases, and what people buy instead. `checked` is what a model says of every
    period after every failure; `repairs` how often capacity was added for it."""

    scenario: Scenario
    case: CapacityCase
    best: Purchases
    rules: tuple[Purchases, ...]
    exempt: dict[str, list[str]]
    seconds: float
    every_build: bool  # whether all ways to build candidates were looked at
    checked: tuple[Check, ...] = ()
    repairs: int = 0
    engine: str = ""

    @property
    def met(self) -> bool:
        """Whether every link and every expectation holds in every period."""
        return self.best.fits and all(check.met for check in self.checked)

    def saving(self, rule: str = "hand rule") -> float:
        """The part of a rule's cost that is saved; NaN where the rule buys nothing."""
        other = next(p for p in self.rules if p.method == rule)
        return 1 - self.best.cost / other.cost if other.cost > 0 else float("nan")


def upgrade(
    scenario: Scenario,
    case: CapacityCase,
    intent: Intent | None = None,
    model: NetworkModel | None = None,
    *,
    seconds: float = 300.0,
    progress: Progress | None = None,
) -> Upgrade:
    """The cheapest upgrades over all periods, the network's own routing kept.

    Loads under failures do not depend on capacities as long as routing stays, so each failure is
    looked at once, and what remains of all of them is the highest load of each link: an exact
    decomposition. New links change paths: every way to build them is looked at where there are few,
    else ways are improved one candidate at a time. With an intent, the model judges every period
    after every failure, and links that make flows miss it get more capacity until it is met or
    capacity does not help.
    """
    case = case.with_modules(scenario)
    clock = Clock()

    def left_s() -> float:
        return seconds - clock.seconds

    best, every = _built(scenario, case, left_s, progress)
    start = best.ground if not case.candidates else ground(scenario, case)
    rules = tuple(by_rule(start, rule) for rule in RULES)
    checked: list[Check] = []
    repairs, engine = 0, ""
    expect = expectations(intent)
    if expect:
        if model is not None:
            model = settled(model, [best.network(0), best.network(case.periods - 1)])
            engine = model.name
        can = reachable(best, expect, model)
        best, checked, repairs = _repaired(
            best, expect, can, model, left_s, lambda of: _bought(of, left_s)
        )
        rules = tuple(
            _repaired(one, expect, can, model, left_s, partial(by_rule, rule=one.method))[0]
            for one in rules
        )
    return Upgrade(
        scenario,
        case,
        best,
        rules,
        disconnected(best.ground.scenario, case, best.ground.loads),
        clock.seconds,
        every,
        tuple(checked),
        repairs,
        engine,
    )


def _bought(of: Ground, left_s: Callable[[], float], method: str = "cheapest") -> Purchases:
    case = of.case
    found = cheapest_modules(
        of.need_bps,
        np.array([m.capacity_bps for m in case.modules]),
        of.lines.prices(of.scenario.topology, case.modules),
        case.visit,
        case.worth,
        np.maximum(case.budgets - of.built_cost, 0.0),
        left_s,
    )
    return purchases(method, of, found.count, bound=found.bound, short_bps=found.short_bps)


def _value(found: Purchases) -> tuple[float, float]:
    """What is compared: first what is missing, then the cost."""
    over = np.maximum(found.ground.built_cost - found.ground.case.budgets, 0.0)
    return float(found.short_bps.sum()) + float(over.sum()) * 1e12, found.cost


def _built(
    scenario: Scenario, case: CapacityCase, left_s: Callable[[], float], progress: Progress | None
) -> tuple[Purchases, bool]:
    """The best way to build candidates, and whether every way was looked at."""
    best = _bought(ground(scenario, case), left_s)
    count, never = len(case.candidates), case.periods
    if not count:
        return best, True
    if (never + 1) ** count <= EVERY:
        ways = list(product(range(never + 1), repeat=count))
        for number, way in enumerate(ways):
            if left_s() <= 0:
                return best, False
            if way != (never,) * count:
                best = min(best, _bought(ground(scenario, case, way), left_s), key=_value)
            if progress:
                progress((number + 1) / len(ways))
        return best, True
    now = (never,) * count
    better = True
    while better and left_s() > 0:
        better = False
        for k in range(count):
            for when in range(never + 1):
                if when == now[k] or left_s() <= 0:
                    continue
                other = (*now[:k], when, *now[k + 1 :])
                found = _bought(ground(scenario, case, other), left_s)
                if _value(found) < _value(best):
                    best, now, better = found, other, True
    return best, False


def reachable(
    best: Purchases, expect: tuple[Expectation, ...], model: NetworkModel | None
) -> tuple[bool, ...]:
    """Whether capacity without end would have each expectation met at the end of the plan. Where it
    is propagation that misses it, nothing is bought for it."""
    last = best.network(best.ground.case.periods - 1)
    capacity = last.topology.link_capacity_bps * ENDLESS
    wide = last.with_(topology=last.topology.with_arrays(link_capacity_bps=capacity))
    return tuple(not found.missed for found in held(wide, best.ground.case, expect, model))


def _repaired(
    best: Purchases,
    expect: tuple[Expectation, ...],
    can: tuple[bool, ...],
    model: NetworkModel | None,
    left_s: Callable[[], float],
    buy: Callable[[Ground], Purchases],
) -> tuple[Purchases, list[Check], int]:
    """Judge every period; where a flow misses an expectation, have the busiest link of its path in
    that failure offered less, and buy again."""
    case, repairs = best.ground.case, 0
    while True:
        checks: list[Check] = []
        more = best.ground.need_bps.copy()
        for period in range(case.periods):
            network = best.network(period)
            answers = held(network, case, expect, model)
            for e, helps, found in zip(expect, can, answers, strict=True):
                checks.append(
                    Check(period, e.describe(), not found.missed, found.value, e.limit, found.cause)
                )
                if found.missed and helps:
                    _relieve(network, best, period, e, found, more)
        grown = bool((more > best.ground.need_bps * (1 + 1e-9)).any())
        if not grown or repairs >= ROUNDS or left_s() <= 0:
            return best, checks, repairs
        best = buy(replace(best.ground, need_bps=more))
        repairs += 1


def _relieve(
    network: Scenario,
    best: Purchases,
    period: int,
    e: Expectation,
    found: Missed,
    more: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
) -> None:
    """Raise what is needed of the links that are to blame, from this period on."""
    case = best.ground.case
    state = network
    if found.state:
        state = apply_all(network, Cases(network.topology, case.survive)[found.state - 1].changes)
    load = state.link_offered_load
    if e.about.kind == "flow":
        paths = state.paths
        hops = np.isin(paths.hop_flow, found.elements)
        flow, link = paths.hop_flow[hops], paths.links[hops]
        order = np.lexsort((-load[link], flow))
        first = np.unique(flow[order], return_index=True)[1]
        blamed = np.unique(link[order][first])
    elif e.about.kind == "queue":
        blamed = np.unique(state.topology.queues.link[list(found.elements)])
    else:
        blamed = np.array(found.elements)
    base = best.ground.scenario.topology.link_capacity_bps
    for k in blamed.tolist():
        if load[k] <= IDLE:
            continue
        wanted = network.topology.link_capacity_bps[k] / RELIEF
        line = best.ground.lines.of_link[k]
        lacks = wanted - base[k]
        more[line, period:] = np.maximum(more[line, period:], lacks)
