"""ExplicitPathProblem: the loads of a problem whose flows may take explicit paths.

Minimize the highest utilization over links, where each flow may follow any links that lead from its
source to its target. What `SegmentRoutingProblem` is for midpoints; in one state of the network, as
an explicit path that breaks is given up for the common routing, which is no sum of paths.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from nettwin.optimize.problems.feasibility import Limits, keeps_limits, links_keep
from nettwin.optimize.problems.segment_flows import SegmentFlows
from nettwin.optimize.problems.segment_routing import NONE
from nettwin.quantity import ReadOnly
from nettwin.scenario.routing import Routing
from nettwin.scenario.topology import Topology

Path = tuple[int, ...] | None  # links; None: no explicit path
Paths = dict[int, tuple[int, ...]]  # flow -> links, of flows that have an explicit path


@dataclass(frozen=True)
class ExplicitPathProblem(ReadOnly):
    """Flows that may be moved, and what limits them.

    `capacity_bps` is what a link may carry: its capacity times the limit on its utilization, so
    that a utilization of 1 is the limit. `fixed_bps` is load of all other flows (rate 0 here).
    `start` holds the explicit paths of today; flows that are not in it go where `rule` leads, over
    their `midpoints`, if they have any (padded with NONE at the end).

    `limit_s` is the propagation that a flow may take from end to end. `excluded` marks links that
    the flows of a group must not cross; `group` is -1 where there is none.
    """

    topology: Topology
    source: NDArray[np.int32]  # [flows]
    target: NDArray[np.int32]  # [flows]
    rate_bps: NDArray[np.float64]  # [flows]
    capacity_bps: NDArray[np.float64]  # [links]
    fixed_bps: NDArray[np.float64]  # [links]
    limit_s: NDArray[np.float64]  # [flows], inf: none
    start: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    rule: Routing = field(default_factory=Routing)
    most_changes: int = -1  # flows that may differ from `start`; -1: any number
    midpoints: NDArray[np.int32] = field(default_factory=lambda: np.zeros((0, 0), np.int32))
    excluded: NDArray[np.bool_] = field(default_factory=lambda: np.zeros((0, 0), np.bool_))
    group: NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, np.int32))

    @cached_property
    def segments(self) -> SegmentFlows:
        """Where the rule leads between any two nodes."""
        return SegmentFlows.of([self.topology], self.rule)

    @cached_property
    def legs(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Segments that flows without an explicit path follow: from, to. [flows, legs]"""
        here = np.asarray(self.source, np.int64)
        stops = [here]
        for there in self.midpoints.T if self.midpoints.size else ():
            stops.append(np.where(there == NONE, stops[-1], there))
        stops.append(np.asarray(self.target, np.int64))
        return np.stack(stops[:-1], axis=1), np.stack(stops[1:], axis=1)

    @cached_property
    def movable(self) -> NDArray[np.bool_]:
        """Flows that carry something from one node to another and have a path. [flows]"""
        routed = ~self.segments.broken[0][self.legs].any(axis=1)
        routed[list(self.start)] = True
        return np.asarray(routed & (self.rate_bps > 0) & (self.source != self.target))

    def loads(self, paths: Mapping[int, Path], flows: NDArray[np.int64]) -> NDArray[np.float64]:
        """The load of links by some flows, when those have these explicit paths. [links]"""
        common = np.array([f for f in flows.tolist() if paths.get(f) is None], np.int64)
        load = np.zeros(self.topology.link_count)
        here, there = (ends[common] for ends in self.legs)
        for k in range(here.shape[1]):
            load += self.segments.loads(here[:, k], there[:, k], self.rate_bps[common])
        for f in np.setdiff1d(flows, common).tolist():
            np.add.at(load, list(paths[f] or ()), self.rate_bps[f])
        return load

    def candidate(self, flow: int, path: Path) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Links that a flow crosses, and its share on each; a link may stand twice."""
        if path is not None:
            return np.array(path, np.int64), np.ones(len(path))
        segments = self.segments
        parts = [slice(*segments.offset[k : k + 2]) for k in self._segments_of(flow)]
        link = np.concatenate([segments.link[part] for part in parts])
        share = np.concatenate([segments.share[part] for part in parts])
        return link.astype(np.int64), share.astype(np.float64)

    def keeps(self, flow: int, path: Path) -> bool:
        """Whether a path keeps the limits of a flow (see `feasibility`)."""
        if path is None:
            here, there = self.legs[0][flow].tolist(), int(self.target[flow])
            midpoints = np.array(here[1:], np.int32)
            return bool(keeps_limits(self._limits, flow, here[0], midpoints, there))
        group = int(self.group[flow]) if self.group.size else -1
        excluded = self.excluded[group] if group >= 0 else None
        topology = self.topology
        live, delay_s = topology.link_live, topology.link_delay_s
        return links_keep(np.array(path, np.int64), live, delay_s, self.limit_s[flow], excluded)

    def _segments_of(self, flow: int) -> NDArray[np.int64]:
        here, there = (ends[flow] for ends in self.legs)
        return np.asarray(here * self.topology.node_count + there)

    @cached_property
    def _limits(self) -> Limits:
        """The limits of flows without an explicit path, by segments."""
        segments, delay_s = self.segments, np.zeros((self.topology.node_count,) * 2)
        if np.isfinite(self.limit_s).any():
            delay_s = segments.longest(self.topology.link_delay_s)
        crossing = [segments.cost(row.astype(np.float64)) > 0 for row in self.excluded]
        excluded = np.stack(crossing) if crossing else np.zeros((0, *delay_s.shape), np.bool_)
        return Limits.of(segments.unreachable, delay_s, self.limit_s, excluded, self.group)


def moved_flows(path_problem: ExplicitPathProblem, paths: Mapping[int, Path]) -> list[int]:
    """The flows that differ from the start where flows have these explicit paths."""
    start = path_problem.start
    return [f for f in sorted(paths.keys() | start.keys()) if paths.get(f) != start.get(f)]


def fewest_paths(path_problem: ExplicitPathProblem, paths: Paths) -> Paths:
    """Paths in which flows that need not have moved go as at the start again.

    No link gets busier than the busiest of `paths`. Small flows first, as most of them fit.
    """
    found: dict[int, Path] = dict(paths)
    load = path_problem.fixed_bps + path_problem.loads(paths, np.arange(len(path_problem.source)))
    most = (load / path_problem.capacity_bps).max(initial=0.0) * path_problem.capacity_bps
    start = path_problem.start
    for f in sorted(moved_flows(path_problem, found), key=lambda f: (path_problem.rate_bps[f], f)):
        if not path_problem.keeps(f, start.get(f)):
            continue
        new = load.copy()
        for path, sign in ((found.get(f), -1.0), (start.get(f), 1.0)):
            link, share = path_problem.candidate(f, path)
            np.add.at(new, link, sign * share * path_problem.rate_bps[f])
        if (np.maximum(new, 0.0) <= most).all():
            load = new
            found[f] = start.get(f)
    return {f: path for f, path in sorted(found.items()) if path is not None}
