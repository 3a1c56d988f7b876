"""Causes: the flows, classes, sources and targets that make the delay or the loss of a target.

By gradient for all flows at once, then by counterfactual for those that the gradient puts first:
they are removed, or halved, and the network is predicted again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from nettwin.apps.explanation.target import Floats, Places, Target, hop_rates_bps
from nettwin.metrics import Metrics
from nettwin.model import NetworkModel
from nettwin.scenario.changes import Change, RateLimit, ScaleTraffic
from nettwin.scenario.scenario import Scenario

Progress = Callable[[float], None]  # called with the share done, 0 to 1
AT_ONCE = 16  # scenarios given to a model together, between two steps of progress
NUDGE = 0.02  # relative change of a rate for gradients
MAX_GROUPS = 12  # of flows at a port that are nudged apart
MAX_PORTS = 8  # of a flow's path, those with the largest delay, that are looked at
LOSS_FIRST = 0.01  # loss from which on it is explained, and not the delay


class Cause(NamedTuple):
    """A flow or an aggregate, and what the target would have without it (or with half of it)."""

    kind: str  # flow, class, source or target
    name: str
    flows: int  # that cross the target's ports
    rate_bps: float  # of these flows
    share: float  # of what is offered to the target's ports
    gradient: float  # d delay (in s) or d loss, over d ln rate
    delay_s: float  # of the target without it; NaN: nothing is left to wait
    loss: float
    change: Change  # that takes it away


@dataclass(frozen=True)
class Causes:
    """What makes a target's delay, or its loss where that is `measure`; the largest first."""

    target: Target
    measure: str  # delay or loss
    delay_s: float
    loss: float
    factor: float  # by which the rates were multiplied
    flows: int  # that cross the target's ports
    found: tuple[Cause, ...]
    gradient: Floats  # [flows of the scenario] of the measure

    def effect(self, cause: Cause) -> float:
        """How much of the measure goes with a cause, in seconds or as a part of the packets."""
        if self.measure == "loss":
            return self.loss - cause.loss
        return self.delay_s - cause.delay_s

    def of(self, kind: str) -> tuple[Cause, ...]:
        """The causes of a kind, the largest first."""
        return tuple(cause for cause in self.found if cause.kind == kind)

    @property
    def agreement(self) -> float:
        """Rank correlation (Spearman) of gradient and counterfactual over the flows tried."""
        tried = self.of("flow")
        return rank_correlation(
            np.array([c.gradient for c in tried]), np.array([self.effect(c) for c in tried])
        )


def find_causes(
    scenario: Scenario,
    model: NetworkModel,
    target: Target,
    *,
    top: int = 10,
    factor: float = 0.0,
    before: Metrics | None = None,
    progress: Progress | None = None,
) -> Causes:
    """What makes a target's delay or loss. `top` flows are tried, and the classes and the first
    sources and targets; `factor` multiplies their rates (0: removed, 0.5: halved)."""
    tell = progress or (lambda _: None)
    before = before or model.predict([scenario])[0]
    delay, loss = target.delay_s(before), target.loss(before)
    measure = "loss" if loss >= LOSS_FIRST or not np.isfinite(delay) else "delay"
    gradient = flow_gradients(
        scenario, model, target, before, measure, lambda part: tell(0.5 * part)
    )
    share = offered_shares(scenario, target)
    tried = _candidates(scenario, gradient, share, top, factor)
    answers = predict_all(
        model,
        [change.apply(scenario) for _, _, _, change in tried],
        lambda part: tell(0.5 + 0.5 * part),
    )
    found = [
        Cause(
            kind,
            name,
            len(flows),
            float(scenario.traffic.flow_rate_bps[flows].sum()),
            float(share[flows].sum()),
            float(gradient[flows].sum()),
            target.delay_s(after),
            target.loss(after),
            change,
        )
        for (kind, name, flows, change), after in zip(tried, answers, strict=True)
    ]
    crossing = int(np.count_nonzero(share))
    causes = Causes(target, measure, delay, loss, factor, crossing, (), gradient)
    found.sort(key=lambda c: -np.nan_to_num(causes.effect(c)))
    return Causes(target, measure, delay, loss, factor, crossing, tuple(found), gradient)


def flow_gradients(
    scenario: Scenario,
    model: NetworkModel,
    target: Target,
    before: Metrics,
    measure: str,
    progress: Progress,
) -> Floats:
    """d delay (in s) or d loss of a target over d ln rate of each flow. [flows]

    At each port the flows that go to one queue and send alike are nudged together; what the target
    feels of it is laid upon them by their rates.
    """
    out = np.zeros(scenario.traffic.flow_count)
    now = _at_queues(target, before, measure)
    groups = _groups(scenario, target, now)
    nudged = [without(scenario, flows, 1.0 - NUDGE) for _, flows, _ in groups]
    for (mine, flows, part), after in zip(
        groups, predict_all(model, nudged, progress), strict=True
    ):
        felt = (now - _at_queues(target, after, measure))[mine] @ target.weight[mine]
        out[flows] += felt / -np.log(1.0 - NUDGE) * part
    return out


def offered_shares(scenario: Scenario, target: Target) -> Floats:
    """The part of each flow in what is offered to the target's ports. [flows]"""
    ports = scenario.topology.queues.link[target.queues]
    there = np.isin(scenario.paths.links, ports)
    count = scenario.traffic.flow_count
    rate = np.bincount(
        scenario.paths.hop_flow[there], hop_rates_bps(scenario)[there], count
    ).astype(np.float64)
    return np.asarray(rate / max(rate.sum(), 1e-300))


def without(scenario: Scenario, flows: Places, factor: float = 0.0) -> Scenario:
    """The scenario without some flows, or with a part of them; they keep their rows."""
    rate = scenario.traffic.flow_rate_bps.copy()
    rate[flows] *= factor
    return scenario.with_(traffic=scenario.traffic.with_arrays(flow_rate_bps=rate))


def predict_all(
    model: NetworkModel, scenarios: Sequence[Scenario], progress: Progress
) -> list[Metrics]:
    """The metrics of many scenarios, some at a time."""
    found: list[Metrics] = []
    for start in range(0, len(scenarios), AT_ONCE):
        found += model.predict(scenarios[start : start + AT_ONCE])
        progress(len(found) / len(scenarios))
    return found


def rank_correlation(a: Floats, b: Floats) -> float:
    """Spearman's, ties at their mean rank; NaN for fewer than three."""
    known = np.isfinite(a) & np.isfinite(b)
    if known.sum() < 3:
        return float("nan")
    one, other = _ranks(a[known]), _ranks(b[known])
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return float("nan")
    return float(np.corrcoef(one, other)[0, 1])


def _ranks(values: Floats) -> Floats:
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(count) - (count - 1) / 2)[place])


def _at_queues(target: Target, metrics: Metrics, measure: str) -> Floats:
    if measure == "loss":
        return np.nan_to_num(metrics.queue["loss_ratio"][target.queues])
    return target.queue_delays_s(metrics)


def _groups(scenario: Scenario, target: Target, now: Floats) -> list[tuple[Places, Places, Floats]]:
    """Groups of flows to nudge: the queues of the target that are at their port (places in
    `target.queues`), the flows, and the part of each in the group."""
    paths, traffic = scenario.paths, scenario.traffic
    rate, flow_of_hop = hop_rates_bps(scenario), paths.hop_flow
    port_of = scenario.topology.queues.link[target.queues]
    ports = np.unique(port_of)
    felt = np.array([(target.weight * now)[port_of == port].sum() for port in ports])
    out = []
    for port in ports[np.argsort(-felt, kind="stable")[:MAX_PORTS]].tolist():
        hops = np.flatnonzero((paths.links == port) & (rate > 0))
        flows = flow_of_hop[hops]
        alike = np.stack(
            [scenario.hop_queue[hops], traffic.flow_arrival[flows], traffic.flow_size[flows]]
        )
        _, group = np.unique(alike, axis=1, return_inverse=True)
        if group.max(initial=0) >= MAX_GROUPS:
            _, group = np.unique(alike[0], return_inverse=True)
        for k in range(group.max(initial=-1) + 1):
            members, place = np.unique(flows[group == k], return_inverse=True)
            part = np.bincount(place, rate[hops[group == k]])
            out.append((np.flatnonzero(port_of == port), members, part / part.sum()))
    return out


def _candidates(
    scenario: Scenario, gradient: Floats, share: Floats, top: int, factor: float
) -> list[tuple[str, str, Places, Change]]:
    """What is worth trying: kind, name, its flows that cross the target's ports, and the change."""
    traffic, nodes = scenario.traffic, scenario.topology.node_name
    crossing = np.flatnonzero(share)
    order = crossing[np.lexsort((-share[crossing], -gradient[crossing]))]
    out: list[tuple[str, str, Places, Change]] = []
    for f in order[:top].tolist():
        name = scenario.flow_names[f]
        limit = RateLimit(name, float(traffic.flow_rate_bps[f]) * factor)
        out.append(("flow", name, np.array([f]), limit))
    for kind, index, names, most in (
        ("class", traffic.flow_class, traffic.class_name, len(traffic.class_name)),
        ("source", traffic.flow_source, nodes, 3),
        ("target", traffic.flow_target, nodes, 3),
    ):
        total = np.bincount(index[crossing], gradient[crossing], len(names))
        members = np.bincount(index[crossing], minlength=len(names))
        if np.count_nonzero(members) < 2:
            continue
        for k in np.argsort(-total, kind="stable")[:most].tolist():
            if members[k] > (0 if kind == "class" else 1):
                attribute = "traffic_class" if kind == "class" else kind
                change = ScaleTraffic(factor, **{attribute: names[k]})
                out.append((kind, names[k], crossing[index[crossing] == k], change))
    return out
