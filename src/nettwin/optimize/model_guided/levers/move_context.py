"""MoveContext: what hurts in a network and where; what levers make moves from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from nettwin.intent import Expectation, Objective, State
from nettwin.optimize.problem import Changes, Problem
from nettwin.optimize.problems.segment_flows import SegmentFlows
from nettwin.scenario.scenario import Scenario

LOST_S = 1.0  # what losing all packets in a queue hurts as much as: a second of waiting
WORST = 8  # elements that count where the worst of all is asked about


@dataclass(frozen=True)
class MoveContext:
    """A network after some changes, what it does, and random numbers to draw moves with."""

    problem: Problem
    changes: Changes
    state: State
    random: np.random.Generator

    @property
    def scenario(self) -> Scenario:
        """The network after the changes."""
        return self.state.scenario

    @cached_property
    def concern(self) -> NDArray[np.float64]:
        """How much each flow asks to be better off. [flows], summing to 1 or to 0"""
        return _shares(self._asked("flow"))

    @cached_property
    def missing(self) -> NDArray[np.bool_]:
        """Which flows miss a limit. [flows]"""
        missed = np.zeros(self.scenario.traffic.flow_count)
        for e in self.problem.intent.expect:
            if e.about.kind == "flow" and not e.reduce:
                missed += self._missed(e)
        return missed > 0

    @cached_property
    def hotspot(self) -> NDArray[np.float64]:
        """How much each link hurts: the waiting and losses of flows that ask to be better off, and
        what is asked of links themselves. [links], summing to 1"""
        scenario, metrics = self.state.scenario, self.state.metrics
        links = scenario.topology.link_count
        hotspot = np.zeros(links)
        if metrics is not None and self.concern.any():
            queue = metrics.queue
            waiting = np.nan_to_num(queue["delay_mean_s"])
            waiting = waiting + LOST_S * np.nan_to_num(queue["loss_ratio"])
            paths = scenario.paths
            weight = self.concern[paths.hop_flow] * paths.share[paths.hop_path]
            hotspot = hotspot + np.bincount(
                paths.links, weight * waiting[scenario.hop_queue], links
            )
        queues = scenario.topology.queues
        asked = self._asked("link") + np.bincount(queues.link, self._asked("queue"), links)
        hotspot = _shares(hotspot) + _shares(asked)
        return _shares(hotspot if hotspot.any() else scenario.link_offered_load)

    @cached_property
    def price(self) -> NDArray[np.float64]:
        """What it costs to use a link: its delay, and waiting that grows as it fills. [links]"""
        topology = self.scenario.topology
        used = np.minimum(self.scenario.link_offered_load, 0.98)
        traffic = self.scenario.traffic
        packets = float(traffic.flow_packet_rate_pps.sum())
        bits = float(traffic.flow_rate_bps.sum()) / packets if packets else 8000.0
        packet_s = bits / topology.link_capacity_bps
        waiting_s = packet_s / (1 - used) + self.hotspot * self._delay_s
        return np.asarray(topology.link_delay_s + waiting_s)

    @cached_property
    def segments(self) -> SegmentFlows:
        """The segments of the network as it is now."""
        return SegmentFlows.of([self.scenario.topology], self.scenario.routing)

    def hot_links(self, count: int) -> list[int]:
        """Links drawn by how hot they are, hottest first."""
        warm = np.flatnonzero(self.hotspot)
        count = min(count, len(warm))
        if not count:
            return []
        drawn = self.random.choice(warm, count, replace=False, p=_shares(self.hotspot[warm]))
        return sorted(drawn.tolist(), key=lambda k: -self.hotspot[k])

    def flows_on(self, link: int, allowed: NDArray[np.bool_], count: int) -> list[int]:
        """Flows that cross a link and may be touched: those that ask most, and the largest."""
        paths = self.scenario.paths
        here = np.unique(paths.hop_flow[paths.links == link])
        here = here[allowed[here]]
        rate = self.scenario.traffic.flow_rate_bps
        weight = _shares(self.concern[here]) + _shares(rate[here])
        if not weight.any():
            return []
        count = min(count, int(np.count_nonzero(weight)))
        drawn = self.random.choice(here, count, replace=False, p=_shares(weight))
        return [int(f) for f in drawn]

    def flows_to_move(self, allowed: NDArray[np.bool_], links: int, each: int) -> list[int]:
        """Flows on some hot links, so many on each."""
        found: dict[int, None] = {}
        for link in self.hot_links(links):
            found.update(dict.fromkeys(self.flows_on(link, allowed, each)))
        return list(found)

    @cached_property
    def _delay_s(self) -> float:
        """The size of a delay that matters here."""
        metrics = self.state.metrics
        delay = metrics.flow["owd_mean_s"] if metrics is not None else np.zeros(0)
        known = delay[np.isfinite(delay)]
        if len(known):
            return float(known.mean())
        return float(self.scenario.topology.link_delay_s.mean())

    def _asked(self, kind: str) -> NDArray[np.float64]:
        """What the lines about a kind of element ask of each: what is missed, or if nothing is,
        what the objectives want lower."""
        intent = self.problem.intent
        scenario = self.scenario
        sizes = {
            "flow": scenario.traffic.flow_count,
            "link": scenario.topology.link_count,
            "queue": len(scenario.topology.queues.link),
        }
        missed, wanted = np.zeros(sizes[kind]), np.zeros(sizes[kind])
        for e in intent.expect:
            if e.about.kind == kind:
                missed += self._missed(e)
        for entry in intent.minimize:
            for o in entry:
                if o.about.kind == kind:
                    wanted += self._wanted(o)
        return missed if missed.any() else wanted

    def _missed(self, e: Expectation) -> NDArray[np.float64]:
        mask = e.select.select(self.problem.scenario, e.about.kind)
        assert e.about.of is not None
        values = np.nan_to_num(e.about.of(self.scenario, self.state.metrics), posinf=1e3)
        over = values - e.limit if e.sense == "at most" else e.limit - values
        return np.where(mask, np.maximum(over, 0.0) / max(abs(e.limit), 1e-12), 0.0)

    def _wanted(self, o: Objective) -> NDArray[np.float64]:
        mask = o.select.select(self.problem.scenario, o.about.kind)
        assert o.about.of is not None
        values = np.nan_to_num(o.about.of(self.scenario, self.state.metrics), posinf=1e3)
        values = np.where(mask, np.maximum(values, 0.0), 0.0)
        if o.reduce == "max" and np.count_nonzero(values) > WORST:
            values = np.where(values >= np.partition(values, -WORST)[-WORST], values, 0.0)
        elif o.about.kind == "flow":
            values = values * self.scenario.traffic.flow_packet_rate_pps
        return o.weight * _shares(values)


def _shares(values: NDArray[np.float64]) -> NDArray[np.float64]:
    total = values.sum()
    return values / total if total > 0 else np.zeros_like(values)
