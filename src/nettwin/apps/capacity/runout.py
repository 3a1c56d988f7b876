"""Run-out: when links are offered more than they may be, and when intents are missed, after the
worst single failure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nettwin.apps.capacity.case import YEAR_S, CapacityCase
from nettwin.apps.capacity.loads import NOTHING, GroupLoads, disconnected, group_loads
from nettwin.apps.resilience.cases import Cases
from nettwin.errors import InputError
from nettwin.intent import Expectation, Intent
from nettwin.intent.measures import reduced
from nettwin.metrics import Metrics
from nettwin.model import NetworkModel, settled
from nettwin.scenario.changes import apply_all
from nettwin.scenario.scenario import Scenario

HORIZON_YEARS = 10.0
STEP_YEARS = 1 / 12
DAY_YEARS = 1 / 365.25
SIDES: tuple[Literal["yearly", "high", "low"], ...] = ("yearly", "high", "low")
AT_ONCE = 64  # states that are predicted together
Floats = NDArray[np.float64]
Progress = Callable[[float], None]


class RunOut(NamedTuple):
    """When a link or a line of an intent runs out: years from the beginning, as expected, at the
    earliest (every group grows as its `high`) and at the latest; inf: not within the horizon."""

    kind: Literal["link", "intent"]
    element: str
    years: float
    early: float
    late: float
    cause: str  # the failure under which it does; of links that do not run out, the worst now
    now: float  # the worst value with today's traffic
    limit: float


@dataclass(frozen=True)
class RunOuts:
    """All links and intents, the first to run out first. `exempt` are flows that a failure leaves
    without a path: no capacity helps them."""

    scenario: Scenario
    case: CapacityCase
    found: tuple[RunOut, ...]
    exempt: dict[str, list[str]]
    horizon_years: float = HORIZON_YEARS
    engine: str = ""

    def date_s(self, years: float) -> float:
        """The time of a number of years, in seconds since 1970."""
        return self.case.begin_s + years * YEAR_S


def run_outs(
    scenario: Scenario,
    case: CapacityCase,
    intent: Intent | None = None,
    model: NetworkModel | None = None,
    *,
    horizon_years: float = HORIZON_YEARS,
    progress: Progress | None = None,
) -> RunOuts:
    """When each link, and each expectation of an intent, runs out under the worst single failure.

    Loads are exact under the network's own routing. Expectations are judged after every failure by
    the model, with flows that a failure disconnects left out; when they are first missed is found
    by bisection, to a week. Raises InputError where the intent needs a model and there is none.
    """
    loads = group_loads(scenario, case)
    found = _links(scenario, case, loads, horizon_years)
    engine = ""
    expect = expectations(intent)
    if expect:
        if any(e.about.predicted for e in expect):
            if model is None:
                raise InputError("the intent asks for delays or losses: give an engine.")
            model = settled(model, [scenario, case.grown(scenario, horizon_years)])
            engine = model.name
        found += _intents(scenario, case, expect, model, horizon_years, progress)
    found.sort(key=lambda one: (one.years, one.kind != "intent", -one.now / one.limit))
    return RunOuts(
        scenario, case, tuple(found), disconnected(scenario, case, loads), horizon_years, engine
    )


def expectations(intent: Intent | None) -> tuple[Expectation, ...]:
    """What an intent expects of links, queues and flows, now and after failures."""
    if intent is None:
        return ()
    every = (*intent.expect, *(intent.survive.expect if intent.survive else ()))
    return tuple(dict.fromkeys(e for e in every if e.about.kind != "plan"))


def _links(
    scenario: Scenario, case: CapacityCase, loads: GroupLoads, horizon: float
) -> list[RunOut]:
    capacity = scenario.topology.link_capacity_bps
    limit = capacity * case.limit
    times = {side: _first_over(case, loads, limit, horizon, side) for side in SIDES}
    now = loads.at(case.factors(0.0))
    out = []
    for k, name in enumerate(scenario.topology.link_name):
        when = float(times["yearly"][k])
        then = now[:, k] if np.isinf(when) else _of_link(case, loads, k, when)
        value = float(now[:, k].max() / capacity[k])
        cause = loads.states[int(np.argmax(then))]
        early, late = float(times["high"][k]), float(times["low"][k])
        out.append(RunOut("link", name, when, early, late, cause, value, case.limit))
    return out


def _of_link(case: CapacityCase, loads: GroupLoads, link: int, years: float) -> Floats:
    return np.asarray(case.factors(years) @ loads.load_bps[:, :, link])


def _first_over(
    case: CapacityCase,
    loads: GroupLoads,
    limit: Floats,
    horizon: float,
    side: Literal["yearly", "high", "low"],
) -> Floats:
    """The first time at which each link is offered more than its limit, to a day. [links]"""
    when = np.full(len(limit), np.inf)
    before = 0.0
    for years in np.append(np.arange(0.0, horizon, STEP_YEARS), horizon).tolist():
        over = loads.worst(case.factors(years, side)) > limit * (1 + 1e-12)
        for k in np.flatnonzero(over & np.isinf(when)).tolist():
            low, high = before, years
            while high - low > DAY_YEARS / 2:
                middle = (low + high) / 2
                load = case.factors(middle, side) @ loads.load_bps[:, :, k]
                low, high = (low, middle) if load.max() > limit[k] else (middle, high)
            when[k] = high
        before = years
    return when


def _intents(
    scenario: Scenario,
    case: CapacityCase,
    expect: Sequence[Expectation],
    model: NetworkModel | None,
    horizon: float,
    progress: Progress | None,
) -> list[RunOut]:
    known: dict[tuple[float, str], list[Missed]] = {}

    def at(years: float, side: Literal["yearly", "high", "low"]) -> list[Missed]:
        if (years, side) not in known:
            known[years, side] = held(case.grown(scenario, years, side), case, expect, model)
        return known[years, side]

    out, done = [], 0
    now = at(0.0, "yearly")
    for number, expectation in enumerate(expect):
        times = {}
        for side in SIDES:
            low, high = 0.0, horizon
            if now[number].missed:
                high = 0.0
            elif not at(horizon, side)[number].missed:
                low = high = np.inf
            while high - low > 7 * DAY_YEARS:
                middle = round((low + high) / 2, 9)
                low, high = (low, middle) if at(middle, side)[number].missed else (middle, high)
            times[side] = high
            done += 1
            if progress:
                progress(done / (len(SIDES) * len(expect)))
        when = times["yearly"]
        cause = (now if np.isinf(when) else at(when, "yearly"))[number].cause
        out.append(
            RunOut(
                "intent",
                expectation.describe(),
                when,
                times["high"],
                times["low"],
                cause,
                now[number].value,
                expectation.limit,
            )
        )
    return out


class Missed(NamedTuple):
    """Whether an expectation is missed in any state, the worst value and the failure of it, and
    which flows or links miss it there."""

    missed: bool
    value: float
    cause: str
    elements: tuple[int, ...] = ()
    state: int = 0  # 0: nothing failed; else the number of the failure, from 1


def held(
    scenario: Scenario,
    case: CapacityCase,
    expect: Sequence[Expectation],
    model: NetworkModel | None,
) -> list[Missed]:
    """Each expectation, held against the network with nothing failed and after every failure of a
    case; flows without a path are left out."""
    predicted = any(e.about.predicted for e in expect)
    cases = Cases(scenario.topology, case.survive)
    chosen = [e.select.select(scenario, e.about.kind) for e in expect]
    worst: list[Missed] = [
        Missed(False, -np.inf if e.at_most is not None else np.inf, NOTHING) for e in expect
    ]
    for first in range(0, 1 + len(cases), AT_ONCE):
        numbers = range(first, min(first + AT_ONCE, 1 + len(cases)))
        states = [apply_all(scenario, cases[k - 1].changes) if k else scenario for k in numbers]
        answers: list[Metrics | None] = [None] * len(states)
        if predicted and model is not None:
            answers = list(model.predict(states))
        for k, state, metrics in zip(numbers, states, answers, strict=True):
            name = cases[k - 1].name if k else NOTHING
            for i, (e, mask) in enumerate(zip(expect, chosen, strict=True)):
                worst[i] = _worse(worst[i], _state(e, mask, state, metrics, name, k), e)
    return worst


def _state(
    e: Expectation,
    mask: NDArray[np.bool_],
    state: Scenario,
    metrics: Metrics | None,
    name: str,
    number: int,
) -> Missed:
    assert e.about.of is not None
    values = e.about.of(state, metrics)
    weight = np.ones(len(values))
    if e.about.kind == "flow":
        mask = mask & (state.paths.status == 0) & (state.traffic.flow_rate_bps > 0)
        weight = state.traffic.flow_packet_rate_pps
    elements = np.flatnonzero(mask & ~np.isnan(values))
    values = values[elements]
    most = e.at_most is not None
    if e.reduce:
        values = np.array([reduced(values, e.reduce, weight[elements])])
    if not len(values):
        return Missed(False, -np.inf if most else np.inf, name)
    bad = values > e.limit * (1 + 1e-9) if most else values < e.limit * (1 - 1e-9)
    value = float(values.max() if most else values.min())
    those = elements if e.reduce and bad.any() else elements[bad] if not e.reduce else elements[:0]
    return Missed(bool(bad.any()), value, name, tuple(those.tolist()), number)


def _worse(one: Missed, other: Missed, e: Expectation) -> Missed:
    higher = other.value > one.value
    return other if higher == (e.at_most is not None) and other.value != one.value else one
