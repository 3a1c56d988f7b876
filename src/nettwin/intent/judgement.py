"""Judgement: what a network does, held against an intent line by line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nettwin.errors import InputError
from nettwin.intent.intent import Expectation, Intent, Objective
from nettwin.intent.measures import Measure, reduced
from nettwin.intent.selector import Selector
from nettwin.metrics import Metrics
from nettwin.scenario.scenario import Scenario

HOPELESS = 1e6  # the excess of what has no finite value
TOLERANCE = 1e-9  # relative: what misses by less is met


class State(NamedTuple):
    """A network and what it does; `name` says which failure this is."""

    scenario: Scenario
    metrics: Metrics | None = None
    name: str = ""


class Line(NamedTuple):
    """One line of an intent, judged. `margin` is how far inside its limit it is, in the measure's
    unit; negative where it is missed. `excess` is by how much it is missed, relatively."""

    text: str
    measure: str
    met: bool
    value: float
    limit: float
    margin: float
    worst: str
    excess: float
    selected: int
    within: int  # how many of the selected are good


@dataclass(frozen=True)
class Judgement:
    """Every line, and the objectives' values in their order."""

    lines: tuple[Line, ...]
    objectives: tuple[float, ...]
    names: tuple[str, ...]  # of the objectives

    @property
    def met(self) -> bool:
        """Whether every expectation is met."""
        return all(line.met for line in self.lines)

    @property
    def violation(self) -> float:
        """The sum of what expectations miss, relatively; 0 where all are met."""
        return sum(line.excess for line in self.lines)

    @property
    def score(self) -> tuple[float, ...]:
        """Lower is better: the violation, then the objectives."""
        return (self.violation, *self.objectives)


def judge(
    intent: Intent,
    now: State,
    failures: Sequence[State] = (),
    *,
    changes: int = 0,
    cost: float = 0.0,
) -> Judgement:
    """Hold a network, and what it does after failures, against an intent.

    Selections are made on `now`. Raises InputError where a measure needs metrics and a state has
    none, and what `Selector.select` raises.
    """
    plan = {"changes": float(changes), "cost": cost}
    lines = [_line(expectation, now, (now,), plan) for expectation in intent.expect]
    lines += [_avoided(avoid.flows, avoid.links, avoid.describe(), now) for avoid in intent.avoid]
    if intent.most_changes is not None:
        most = Expectation("changes", at_most=float(intent.most_changes))
        lines.append(_line(most, now, (now,), plan))
    levels = [
        sum(o.weight * _objective(o, now, (now,), plan) for o in level) for level in intent.minimize
    ]
    names = [" + ".join(o.describe() for o in level) for level in intent.minimize]
    if intent.survive and failures:
        end = f" when {intent.survive.describe()}"
        for expectation in intent.survive.expect:
            line = _line(expectation, now, failures, plan)
            lines.append(line._replace(text=line.text + end))
        for o in intent.survive.minimize:
            levels.append(o.weight * _objective(o, now, failures, plan))
            names.append(o.describe() + end)
    return Judgement(tuple(lines), tuple(levels), tuple(names))


def _values(
    measure: Measure, select: Selector, now: State, state: State
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """The selected elements and their values; what is down or has no end of its own is left out
    after a failure."""
    if measure.predicted and state.metrics is None:
        raise InputError(
            f"{measure.name} needs a prediction and there is none: give metrics of the network."
        )
    assert measure.of is not None
    mask = select.select(now.scenario, measure.kind)
    if measure.kind == "flow" and state is not now:
        up = state.scenario.topology.node_up
        traffic = state.scenario.traffic
        mask = mask & up[traffic.flow_source] & up[traffic.flow_target]
    chosen = np.flatnonzero(mask)
    return chosen, measure.of(state.scenario, state.metrics)[chosen]


def _weights(measure: Measure, state: State, chosen: NDArray[np.intp]) -> NDArray[np.float64]:
    if measure.kind == "flow":
        return np.asarray(state.scenario.traffic.flow_packet_rate_pps[chosen])
    return np.ones(len(chosen))


def _objective(o: Objective, now: State, states: Sequence[State], plan: dict[str, float]) -> float:
    if o.measure in plan:
        return plan[o.measure]
    found = []
    for state in states:
        chosen, values = _values(o.about, o.select, now, state)
        values = np.where(np.isinf(values), HOPELESS, values)
        found.append(reduced(values, o.reduce, _weights(o.about, state, chosen)))
    if o.failures == "mean" and found:
        return float(np.mean(found))
    return max(found, default=0.0)


def _line(e: Expectation, now: State, states: Sequence[State], plan: dict[str, float]) -> Line:
    most = e.at_most is not None
    if e.measure in plan:
        value = plan[e.measure]
        return _judged(e, value, e.measure, _excess(value, e.limit, most), 1, 1)
    worst = -np.inf if most else np.inf
    where, excess, selected, within = "", 0.0, 0, 0
    for state in states:
        chosen, values = _values(e.about, e.select, now, state)
        known = ~np.isnan(values)
        chosen, values = chosen[known], values[known]
        if e.reduce:
            weights = _weights(e.about, state, chosen)
            values = np.array([reduced(values, e.reduce, weights)])
        if not len(values):
            continue
        k = int(values.argmax() if most else values.argmin())
        value = float(values[k])
        missed = [_excess(v, e.limit, most) for v in values.tolist()]
        excess += sum(missed)
        selected += len(values)
        within += sum(m == 0 for m in missed)
        if value > worst if most else value < worst:
            worst = value
            element = e.reduce or _name(e.about, state.scenario, int(chosen[k]))
            where = f"{element} ({state.name})" if state.name else element
    if not selected:
        worst = e.limit
    return _judged(e, worst, where, excess, selected, within)


def _judged(
    e: Expectation, value: float, worst: str, excess: float, selected: int, within: int
) -> Line:
    margin = e.limit - value if e.at_most is not None else value - e.limit
    met = excess == 0
    return Line(
        e.describe(), e.measure, met, value, e.limit, margin, worst, excess, selected, within
    )


def _excess(value: float, limit: float, most: bool) -> float:
    """By how much a value misses its limit, as a share of the limit."""
    if np.isinf(value) and (value > 0) == most:
        return HOPELESS
    over = value - limit if most else limit - value
    scale = max(abs(limit), 1e-12)
    return over / scale if over > TOLERANCE * scale else 0.0


def _avoided(flows: Selector, links: Selector, text: str, now: State) -> Line:
    scenario = now.scenario
    mine = flows.select(scenario, "flow")
    excluded = links.select(scenario, "link")
    paths = scenario.paths
    share = np.bincount(
        paths.hop_flow, paths.share[paths.hop_path] * excluded[paths.links], len(mine)
    )
    share = np.minimum(share, 1.0)[mine]
    names = np.flatnonzero(mine)
    k = int(share.argmax())
    worst = scenario.flow_names[names[k]] if share[k] > 0 else ""
    bad = int(np.count_nonzero(share > TOLERANCE))
    excess = float(share[share > TOLERANCE].sum())
    value = float(share[k])
    return Line(
        text, "avoid", not bad, value, 0.0, -value, worst, excess, len(share), len(share) - bad
    )


def _name(measure: Measure, scenario: Scenario, k: int) -> str:
    if measure.kind == "flow":
        return scenario.flow_names[k]
    if measure.kind == "link":
        return scenario.topology.link_name[k]
    return scenario.queue_names[k]
