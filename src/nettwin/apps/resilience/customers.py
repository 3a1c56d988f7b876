"""Customers: whether new traffic fits into a network, which flows it hurts, and how much would
fit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from nettwin.apps.whatif import LOSS_THAT_COUNTS, FlowChange, WhatIf, what_if
from nettwin.intent import Intent, Judgement
from nettwin.model import NetworkModel, settled
from nettwin.optimize.problem import Problem
from nettwin.scenario.arrivals import arrival_to_dict
from nettwin.scenario.changes import AddFlow
from nettwin.scenario.packet_sizes import size_to_dict
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.traffic import BEST_EFFORT
from nettwin.units import percent

Progress = Callable[[float], None]  # called with the share done, 0 to 1
SLOWER = 0.05  # relative growth of a mean delay from which on a flow is hurt
PRECISION = 0.005  # to which the largest rate is found, of itself
STEPS = 16  # of the search for it
CROSSED = 1e-9  # part of a flow from which on it is on a link


class Demand(NamedTuple):
    """Traffic that somebody wants to send."""

    rate_bps: float
    source: str
    target: str
    traffic_class: str = BEST_EFFORT


class Crossed(NamedTuple):
    """A link on the new traffic's path; `room_bps` is the rate of the new traffic that it takes."""

    link: str
    capacity_bps: float
    offered_load_before: float
    offered_load_after: float
    room_bps: float


@dataclass(frozen=True)
class Fit:
    """Whether a demand fits, and what it does."""

    demand: Demand
    limit: float  # offered load that no link on its path may exceed
    reasons: tuple[str, ...]  # why it does not fit; empty where it does
    largest_bps: float  # the largest rate that fits; 0: none does
    limited_by: str  # what ends it: a link or an expectation
    links: tuple[Crossed, ...]  # on its path, the one first that has the least room
    answer: WhatIf  # the network without and with it

    @property
    def fits(self) -> bool:
        """Whether the whole demand fits."""
        return not self.reasons

    @property
    def hurt(self) -> tuple[FlowChange, ...]:
        """Flows that were there and become 5 % slower or lose 0.1 % more, the worst first."""
        return tuple(f for f in self.answer.flows if _is_hurt(f))


def fit(
    scenario: Scenario,
    demand: Demand,
    model: NetworkModel,
    *,
    intent: Intent | None = None,
    limit: float = 1.0,
    progress: Progress | None = None,
) -> Fit:
    """Whether new traffic fits: no link on its path is offered more than `limit` of its capacity,
    and the intent, if one is given, stays met where it is met now.

    Its packets are like those of its class now. Raises InputError where it names no node, or its
    rate is not above 0.
    """
    change = _flow(scenario, demand)
    with_it = change.apply(scenario)
    one = settled(model, [scenario, with_it])
    answer = what_if(scenario, [change], one)
    links = _crossed(scenario, with_it, demand, limit)
    if with_it.paths.status[-1] != 0:
        why = f"there is no path from {demand.source} to {demand.target}"
        return Fit(demand, limit, (why,), 0.0, why, links, answer)
    reasons = tuple(
        f"link {c.link} would be offered {percent(c.offered_load_after)}"
        for c in links
        if c.offered_load_after > limit * (1 + 1e-9)
    )
    largest = max(min((c.room_bps for c in links), default=np.inf), 0.0)
    limited_by = f"link {links[0].link}" if links else ""
    if intent is not None:
        now = _judged(scenario, intent, one)
        missed = _newly_missed(now, _judged(with_it, intent, one))
        reasons += missed
        at_most = largest if np.isfinite(largest) else demand.rate_bps
        fits_in, line = _largest(scenario, demand, intent, one, now, at_most, progress)
        if line:
            largest, limited_by = fits_in, line
    if progress:
        progress(1.0)
    return Fit(demand, limit, reasons, float(largest), limited_by, links, answer)


def _flow(scenario: Scenario, demand: Demand) -> AddFlow:
    """The change that adds a demand, with the packets and arrivals of the class's largest flow."""
    traffic = scenario.traffic
    mine = np.zeros(traffic.flow_count, np.bool_)
    if demand.traffic_class in traffic.class_name:
        mine = traffic.flow_class == traffic.class_index(demand.traffic_class)
    like: dict[str, object] = {}
    if mine.any():
        largest = int(np.where(mine, traffic.flow_rate_bps, -1.0).argmax())
        like["size"] = size_to_dict(traffic.sizes[traffic.flow_size[largest]])
        arrival = arrival_to_dict(traffic.arrivals[traffic.flow_arrival[largest]])
        if arrival["kind"] != "trace":  # a recording is of its own flow
            like["arrival"] = arrival
    return AddFlow(
        demand.source,
        demand.target,
        demand.rate_bps,
        demand.traffic_class,
        **like,  # type: ignore[arg-type]
    )


def _crossed(
    before: Scenario, after: Scenario, demand: Demand, limit: float
) -> tuple[Crossed, ...]:
    topology = before.topology
    added = after.link_load_bps - before.link_load_bps
    part = added / demand.rate_bps if demand.rate_bps else added
    room = limit * topology.link_capacity_bps - before.link_load_bps
    found = [
        Crossed(
            topology.link_name[k],
            float(topology.link_capacity_bps[k]),
            float(before.link_offered_load[k]),
            float(after.link_offered_load[k]),
            float(max(room[k], 0.0) / part[k]),
        )
        for k in np.flatnonzero(part > CROSSED).tolist()
    ]
    return tuple(sorted(found, key=lambda c: c.room_bps))


def _judged(scenario: Scenario, intent: Intent, model: NetworkModel) -> Judgement:
    return Problem(scenario, intent, model if intent.predicted else None).before


def _newly_missed(before: Judgement, after: Judgement) -> tuple[str, ...]:
    """Lines that are missed and were met."""
    return tuple(
        f"{new.text} is no longer met"
        for old, new in zip(before.lines, after.lines, strict=True)
        if old.met and not new.met
    )


def _largest(
    scenario: Scenario,
    demand: Demand,
    intent: Intent,
    model: NetworkModel,
    now: Judgement,
    at_most: float,
    progress: Progress | None,
) -> tuple[float, str]:
    """The largest rate up to `at_most` with which the intent stays met, and the line that ends it;
    no line where all of it fits."""

    def missed(rate_bps: float) -> tuple[str, ...]:
        with_it = _flow(scenario, demand._replace(rate_bps=rate_bps)).apply(scenario)
        return _newly_missed(now, _judged(with_it, intent, model))

    if at_most <= 0 or not (ends := missed(at_most)):
        return at_most, ""
    low, high = 0.0, at_most
    for step in range(STEPS):
        if high - low <= PRECISION * high:
            break
        middle = (low + high) / 2
        found = missed(middle)
        low, high, ends = (low, middle, found) if found else (middle, high, ends)
        if progress:
            progress((step + 1) / STEPS)
    return low, ends[0].removesuffix(" is no longer met")


def _is_hurt(flow: FlowChange) -> bool:
    if not np.isfinite(flow.loss_before):
        return False  # it is the new one
    lost = np.nan_to_num(flow.loss_after) - np.nan_to_num(flow.loss_before)
    slower = flow.delay_after_s > flow.delay_before_s * (1 + SLOWER)
    return bool(lost >= LOSS_THAT_COUNTS or slower)
