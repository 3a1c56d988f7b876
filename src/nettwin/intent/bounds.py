"""Bounds: what no configuration of a network can be better than, from the graph alone."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nettwin.intent.intent import Expectation, Intent, Objective
from nettwin.intent.measures import Measure, Reduce, reduced
from nettwin.scenario.pathfinding import resolve
from nettwin.scenario.paths import Status
from nettwin.scenario.routing import Routing
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.topology import Topology

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
MAX_SIZES = 8  # of packets for which paths are sought; else the smallest stands for all


def joined(topology: Topology, source: NDArray[np.int32], target: NDArray[np.int32]) -> Mask:
    """Whether live links lead from each source to its target. [pairs]"""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    from nettwin.scenario.shortest import shortest_path_distances

    n, live = topology.node_count, topology.link_live
    ends = topology.link_source[live], topology.link_target[live]
    graph = coo_array((np.ones(len(ends[0])), ends), shape=(n, n))
    part = connected_components(graph, directed=True, connection="strong")[1]
    up: Mask = topology.node_up[source] & topology.node_up[target]
    if len(np.unique(part[topology.node_up])) <= 1:
        return up
    found: Mask = up & np.equal(part[source], part[target])
    rest = np.flatnonzero(up & ~found)
    if len(rest):
        near = shortest_path_distances(topology, target[rest]).distance
        found[rest] = np.isfinite(near[target[rest], source[rest]])
    return found


def always_routed(scenario: Scenario, topology: Topology) -> Mask:
    """Which flows a topology carries in any case, as far as tables of next hops say: what these
    lead nowhere may be lost, and then loads no link. [flows]"""
    table = scenario.routing.next_link
    if table is None:
        return np.ones(scenario.traffic.flow_count, np.bool_)
    paths = resolve(Routing(next_link=table), topology, scenario.traffic)
    return np.asarray(paths.status == Status.OK)


def delay_floor_s(scenario: Scenario, topology: Topology, capacity_bps: Floats) -> Floats:
    """Propagation and transmission of a flow's smallest packet over its quickest path; inf where
    there is none. [flows]"""
    from nettwin.scenario.shortest import shortest_path_distances

    traffic = scenario.traffic
    least = np.array([size.min_bits for size in traffic.sizes], np.float64)
    bits = least[traffic.flow_size] if len(least) else np.zeros(traffic.flow_count)
    if len(np.unique(bits)) > MAX_SIZES:
        bits = np.full(len(bits), bits.min())
    floor = np.full(len(bits), np.inf)
    source, target = traffic.flow_source, traffic.flow_target
    for size in np.unique(bits):
        mine = np.flatnonzero(bits == size)
        each = topology.with_arrays(link_weight=topology.link_delay_s + size / capacity_bps)
        near = shortest_path_distances(each, target[mine]).distance
        floor[mine] = near[target[mine], source[mine]]
    up = topology.node_up
    floor[~(up[source] & up[target])] = np.inf
    return floor


class Around(NamedTuple):
    """The cuts around single nodes, on one side: what must cross each, over which links."""

    leaving: bool
    at: NDArray[np.int32]  # [links], the node that a link leaves or enters
    demand_bps: Floats  # [nodes]


def around(
    topology: Topology, ends: Sequence[NDArray[np.int32]], rate_bps: Floats
) -> tuple[Around, Around]:
    """The cuts around all nodes; `ends` are the flows' sources and targets. Flows without a path
    have rate 0."""
    n = topology.node_count
    sent = np.bincount(ends[0], rate_bps, n).astype(np.float64)
    received = np.bincount(ends[1], rate_bps, n).astype(np.float64)
    return Around(True, topology.link_source, sent), Around(False, topology.link_target, received)


class Ground:
    """What holds in a network whatever the levers of an intent do.

    `excluded` are pairs of flows and the links that they must avoid. Raises what `select` raises.
    """

    def __init__(
        self, intent: Intent, scenario: Scenario, excluded: Sequence[tuple[Mask, Mask]] = ()
    ) -> None:
        self.scenario, self.topology, self.excluded = scenario, scenario.topology, tuple(excluded)
        traffic = scenario.traffic
        self.ends = traffic.flow_source, traffic.flow_target
        self.capacity_bps = self.topology.link_capacity_bps.copy()  # grown as far as may be
        if grown := intent.lever("capacities"):
            mask = grown.select.select(scenario, "link")
            self.capacity_bps[mask] = np.maximum(self.capacity_bps[mask], grown.at_most_bps)
        rate = traffic.flow_rate_bps.copy()
        limited = intent.lever("rates")
        if limited:
            rate[limited.select.select(scenario, "flow")] *= min(limited.at_least, 1.0)
        self.rates_move = limited is not None
        self.silent: Mask = rate <= 0  # what sends nothing, or may be made to
        sure = np.isfinite(self.floor_s) & always_routed(scenario, self.topology)
        self.rate_bps: Floats = np.where(sure, rate, 0.0)  # limited so

    @cached_property
    def floor_s(self) -> Floats:
        """The least delay of each flow; inf where it has no path. [flows]"""
        return delay_floor_s(self.scenario, self.topology, self.capacity_bps)

    @cached_property
    def avoiding_s(self) -> Floats:
        """The least delay of each flow over links that it need not avoid; inf without such a path.
        [flows]"""
        floor = self.floor_s.copy()
        if not self.excluded:
            return floor
        rules = np.array([flows for flows, _ in self.excluded])  # [rules, flows]
        kinds, which = np.unique(rules, axis=1, return_inverse=True)
        for k, rule in enumerate(kinds.T):
            if rule.any():
                links = np.any([self.excluded[i][1] for i in np.flatnonzero(rule)], axis=0)
                left = without(self.topology, links)
                mine = which.ravel() == k
                floor[mine] = delay_floor_s(self.scenario, left, self.capacity_bps)[mine]
        return floor

    def least(self, measure: Measure, floor_s: Floats) -> Floats:
        """What each flow's value cannot be below; NaN where it may send nothing. [flows]"""
        if measure.name == "loss":
            return np.where(np.isfinite(floor_s), 0.0, 1.0)
        if measure.unit != "s":
            return np.zeros(len(floor_s))
        if measure.name == "delay_variation":
            floor_s = np.where(np.isfinite(floor_s), 0.0, np.inf)
        return np.where(self.silent, np.nan, floor_s)

    def most(self, measure: Measure, floor_s: Floats) -> Floats:
        """What each flow's value cannot be above. [flows]"""
        if measure.name == "throughput":
            return np.where(np.isfinite(floor_s), self.scenario.traffic.flow_rate_bps, 0.0)
        return np.full(len(floor_s), measure.high)

    def whole(
        self, values: Floats, how: Reduce | None, chosen: NDArray[np.intp], up: bool
    ) -> float:
        """The bounds of flows as the bound of what they are reduced to; `up`: upper ones."""
        traffic = self.scenario.traffic
        if how == "mean" and self.rates_move:  # rates are its weights
            how = "max" if up else "min"
        elif how is None:
            how = "min" if up else "max"
        if how in ("min", "mean") and not up:  # what may be silenced need not be
            values = np.where(self.silent & (traffic.flow_rate_bps > 0), 0.0, values)
        return reduced(values[chosen], how, traffic.flow_packet_rate_pps[chosen])

    def bound(self, line: Objective | Expectation, mask: Mask) -> float | None:
        """What a line's value cannot be better than; None where nothing is known of it."""
        about, up = line.about, isinstance(line, Expectation) and line.at_most is None
        if about.kind == "flow":
            values = (self.most if up else self.least)(about, self.floor_s)
            found = self.whole(values, line.reduce, np.flatnonzero(mask), up)
            return found if np.isfinite(found) and (up or found > 0) else None
        if about.name == "offered_load" and line.reduce in (None, "max") and not up:
            return self._fullest(mask)
        return None

    def _fullest(self, mask: Mask) -> float | None:
        """What the highest utilization of some links cannot be under; None without a whole cut."""
        live, n = self.topology.link_live, self.topology.node_count
        found = 0.0
        for side in around(self.topology, self.ends, self.rate_bps):
            free = np.bincount(side.at[live & ~mask], minlength=n) > 0
            held = ~free & (side.demand_bps > 0)
            room = np.bincount(side.at[live], self.capacity_bps[live], n)
            found = max(found, float((side.demand_bps[held] / room[held]).max(initial=0.0)))
        return found or None


def without(topology: Topology, excluded: Mask) -> Topology:
    """A topology with some links down."""
    return topology.with_arrays(link_up=topology.link_up & ~excluded)
