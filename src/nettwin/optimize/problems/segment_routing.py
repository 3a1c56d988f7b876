"""SegmentRoutingProblem: the part of a problem that is about load, as arrays; and its answers.

Minimize the highest utilization over the links of all states, where each flow may be sent over
midpoints. All methods that steer (local search, linear and constraint programming, learning) solve
this, and none needs to know what an intent is: limits, exclusions and failures are in the arrays.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from nettwin.optimize.problems.failover import NONE, add_activations
from nettwin.optimize.problems.feasibility import Limits, allowed_midpoints, keeps_limits
from nettwin.optimize.problems.segment_flows import SegmentFlows
from nettwin.quantity import ReadOnly

__all__ = ["NONE", "SegmentRoutingProblem"]


@dataclass(frozen=True)
class SegmentRoutingProblem(ReadOnly):
    """Flows, segments and what limits them.

    `capacity_bps` is what a link may carry: its capacity times the limit on its utilization, so
    that a utilization of 1 is the limit. `fixed_bps` is load of flows that cannot be moved (rate 0
    here). `start` [flows, most_midpoints] holds the midpoints of today, padded with NONE at the
    end.

    What a flow may use (see `feasibility`) is said of segments: `segment_delay_s` [nodes, nodes] is
    the longest propagation of each segment in the first state (zeros where no flow has a limit) and
    `limit_s` [flows] what a flow may take in total. `excluded` [groups, nodes, nodes] marks those
    that the flows of a group must avoid; `group` [flows] is -1 where there is none.
    """

    segments: SegmentFlows
    source: NDArray[np.int32]  # [flows]
    target: NDArray[np.int32]  # [flows]
    rate_bps: NDArray[np.float64]  # [flows]
    movable: NDArray[np.bool_]  # [flows]
    start: NDArray[np.int32]  # [flows, most_midpoints]
    capacity_bps: NDArray[np.float64]  # [states * links]
    fixed_bps: NDArray[np.float64]  # [states * links]
    segment_delay_s: NDArray[np.float64]  # [nodes, nodes]
    limit_s: NDArray[np.float64]  # [flows], inf: none
    excluded: NDArray[np.bool_] = field(default_factory=lambda: np.zeros((0, 0, 0), np.bool_))
    group: NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, np.int32))
    most_changes: int = -1  # flows that may differ from `start`; -1: any number

    @property
    def flow_count(self) -> int:
        """How many flows."""
        return len(self.source)

    @property
    def most_midpoints(self) -> int:
        """How many midpoints a flow may have."""
        return int(self.start.shape[1])

    def loads(self, midpoints: NDArray[np.int32]) -> NDArray[np.float64]:
        """The load of every link when flows take these midpoints [flows, most_midpoints].
        [states * links]"""
        load = np.array(self.fixed_bps)
        here = np.asarray(self.source, np.int64)
        for k in range(midpoints.shape[1]):
            there = np.where(midpoints[:, k] == NONE, here, midpoints[:, k])
            load += self.segments.loads(here, there, self.rate_bps)
            here = there
        load += self.segments.loads(here, self.target, self.rate_bps)
        if self.segments.failover.needed and midpoints.shape[1]:
            ends = self.source, np.ascontiguousarray(midpoints, np.int32), self.target
            add_activations(self.segments.failover, *ends, self.rate_bps, load)
        return load

    def utilization(self, midpoints: NDArray[np.int32]) -> float:
        """The highest utilization over all links and states."""
        return float((self.loads(midpoints) / self.capacity_bps).max(initial=0.0))

    @cached_property
    def limits(self) -> Limits:
        """What flows may use, as kernels take it."""
        return Limits.of(
            self.segments.unreachable,
            self.segment_delay_s,
            self.limit_s,
            self.excluded,
            self.group,
        )

    def allowed(self, flow: int) -> NDArray[np.bool_]:
        """Which single midpoints a flow may take; its ends stand for none. [nodes]"""
        return np.asarray(allowed_midpoints(self.limits, flow, *self.ends(flow)))

    def keeps(self, flow: int, midpoints: NDArray[np.int32]) -> bool:
        """Whether a flow keeps its limits over these midpoints, padded with NONE at the end."""
        source, target = self.ends(flow)
        return bool(keeps_limits(self.limits, flow, source, midpoints, target))

    def ends(self, flow: int) -> tuple[int, int]:
        """Source and target of a flow."""
        return int(self.source[flow]), int(self.target[flow])
