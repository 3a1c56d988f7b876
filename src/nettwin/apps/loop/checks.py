"""Checks: what a measurement tells surely, and whether it contradicts itself."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from nettwin.intent import Intent, Judgement, State, judge
from nettwin.metrics import Metrics, Table
from nettwin.observation import Observation
from nettwin.units import percent, rate

MORE = 1.25  # times what went in may come out: the rest was under way, or counters lag
MIN_BPS = 1.0
CONSERVED = 0.25  # share by which links and flows may differ: layer 2, packets under way
SHOWN = 5
SURELY_LOST = 0.5  # a flow that may deliver more of its packets is not known to be cut off


def contradictions(observation: Observation) -> list[str]:
    """Why not all that was measured can be true, one sentence each."""
    scenario, metrics = observation.scenario, observation.metrics
    topology, names = scenario.topology, scenario.topology.link_name
    found = []
    if "throughput_bps" in metrics.link:
        carried = metrics.link["throughput_bps"]
        dead = ~topology.link_live & (carried > MIN_BPS)
        # of an interval in which it went down a link may have carried some
        over = carried > topology.link_capacity_bps * MORE
        found += [
            f"link {names[k]} carries {rate(float(carried[k]))} and is"
            f" {rate(float(topology.link_capacity_bps[k]))} wide"
            for k in np.flatnonzero(over & ~dead).tolist()
        ]
        found += _lost_or_made(observation, carried)
    sent, got = scenario.traffic.flow_rate_bps, metrics.flow["throughput_bps"]
    if len(sent):
        slack = MIN_BPS + MORE * sent + _packets(scenario.traffic.flow_mean_size_bits, observation)
        found += [
            f"flow {scenario.flow_names[f]} delivers {rate(float(got[f]))} and is offered"
            f" {rate(float(sent[f]))}"
            for f in np.flatnonzero(got > slack).tolist()
        ]
    loss = metrics.flow["loss_ratio"]
    arrives = (loss >= 1.0) & (got > MIN_BPS)
    found += [
        f"flow {scenario.flow_names[f]} loses everything and delivers {rate(float(got[f]))}"
        for f in np.flatnonzero(arrives).tolist()
    ]
    more = len(found) - SHOWN
    return [*found[:SHOWN], f"and {more} more"] if more > 0 else found


def _packets(size_bits: NDArray[np.float64], observation: Observation) -> NDArray[np.float64]:
    """The rate of so many packets as may be counted in another interval than they were sent."""
    simulated = float(observation.metrics.provenance.get("simulated_s", observation.interval_s))
    return np.asarray(100 * size_bits / simulated)


def _lost_or_made(observation: Observation, carried: NDArray[np.float64]) -> list[str]:
    """Links and flows that cannot both be right: what all links carry is what flows put on them."""
    scenario, metrics = observation.scenario, observation.metrics
    loss = np.nan_to_num(metrics.flow["loss_ratio"], nan=0.0)
    if loss.max(initial=0.0) > CONSERVED:  # then where it is lost decides
        return []
    links, flows = float(carried.sum()), float(scenario.link_load_bps.sum())
    if flows > 0 and abs(links - flows) > CONSERVED * max(links, flows):
        return [
            f"the links carry {rate(links)} together, and the flows put {rate(flows)} on them"
            f" ({percent(links / flows - 1)})"
        ]
    return []


def at_best(metrics: Metrics) -> Metrics:
    """The metrics at the better end of what the measurement allows: the lowest delays and losses,
    the highest throughput; no delay of a flow whose few packets were lost by chance. What is missed
    at best is missed surely."""
    best = _side(metrics, best=True)
    flow = best.flow
    by_chance = (metrics.flow["loss_ratio"] >= 1) & (flow["loss_ratio"] < SURELY_LOST)
    columns = {
        name: np.where(by_chance & np.isnan(values), 0.0, values)
        for name, values in flow.columns.items()
    }
    return replace(best, flow=Table(columns))


def at_worst(metrics: Metrics) -> Metrics:
    """The metrics at the worse end. What is met at worst is met surely."""
    return _side(metrics, best=False)


_HIGH_IS_GOOD = ("throughput_bps",)


def _side(metrics: Metrics, *, best: bool) -> Metrics:
    return replace(
        metrics,
        flow=_at(metrics.flow, best=best),
        link=_at(metrics.link, best=best),
        queue=_at(metrics.queue, best=best),
    )


def _at(table: Table, *, best: bool) -> Table:
    columns = {}
    for name, values in table.columns.items():
        side = table.high if best == (name in _HIGH_IS_GOOD) else table.low
        bound = side.get(name, values)
        columns[name] = np.where(np.isfinite(bound), bound, values)
    return Table(columns)


def measured(intent: Intent, observation: Observation, *, best: bool = False) -> Judgement:
    """What was measured held against an intent; with `best` at the better end of the bounds.
    Failures that the intent wants survived are left out: they are not measured."""
    metrics = at_best(observation.metrics) if best else observation.metrics
    return judge(replace(intent, survive=None), State(observation.scenario, metrics))


def untold(intent: Intent, observation: Observation) -> list[str]:
    """The lines of an intent that the measurement misses and, within its bounds, may as well meet;
    and those of which nothing was measured."""
    surely, maybe = measured(intent, observation, best=True), measured(intent, observation)
    found = [
        f"{line.text}: {line.worst} may be within its limit or beyond"
        for line, best in zip(maybe.lines, surely.lines, strict=True)
        if not line.met and best.met
    ]
    return found + [
        f"{line.text}: nothing was measured" for line in maybe.lines if not line.selected
    ]


def beyond(
    intent: Intent, observation: Observation, predicted: Metrics, tolerance: float
) -> list[str]:
    """The lines of an intent in which a network is surely worse than predicted, by more than the
    share `tolerance` and beyond the prediction's own bounds; one sentence each."""
    plain = replace(intent, survive=None)
    seen = measured(intent, observation, best=True)
    worst = judge(plain, State(observation.scenario, at_worst(predicted)))
    found = []
    for expectation, real, thought in zip(intent.expect, seen.lines, worst.lines, strict=False):
        most = expectation.at_most is not None
        limit = thought.value * (1 + tolerance if most else 1 - tolerance)
        if real.selected and (real.value > limit if most else real.value < limit):
            found.append(
                f"{real.text}: measured {real.value:.4g} at best, predicted {thought.value:.4g}"
                f" ({real.worst})"
            )
    return found
