"""Feasibility: whether the path of a flow keeps its limits. The one place of this rule.

A path over SR midpoints is feasible where it crosses no segment that is broken while nothing has
failed, no segment that its flow must avoid, and where the propagation of all its segments is within
the flow's limit. An explicit path is feasible where its links are up, none of them must be avoided,
and their propagation is within the limit.

The functions are machine code that kernels call, and Python too.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nettwin.compiled import compiled, kernel
from nettwin.optimize.problems.failover import NONE


class Limits(NamedTuple):
    """What flows may use, as arrays; of a SegmentRoutingProblem, or of other rows than flows."""

    unreachable: Any  # [nodes, nodes] segments that no flow may use
    segment_delay_s: Any  # [nodes, nodes] longest propagation of each segment
    limit_s: Any  # [flows] propagation that a flow may take, inf: any
    excluded: Any  # [groups, nodes, nodes] segments that the flows of a group must avoid
    group: Any  # [flows], -1: none
    limited: Any  # [flows] whether a flow has limits of its own

    @classmethod
    def of(
        cls,
        unreachable: NDArray[np.bool_],
        segment_delay_s: NDArray[np.float64],
        limit_s: NDArray[np.float64],
        excluded: NDArray[np.bool_],
        group: NDArray[np.int32],
    ) -> Limits:
        """The limits of flows; an empty `group` stands for no flow having any."""
        groups = group if len(group) else np.full(len(limit_s), -1, np.int32)
        limited = np.isfinite(limit_s) | (groups >= 0)
        return cls(unreachable, segment_delay_s, limit_s, excluded, groups, limited)


@kernel
def usable(limits: Limits, f: int, a: int, b: int) -> Any:
    """Whether flow f may use the segment from a to b, its delay aside."""
    if a == b:
        return True
    if limits.unreachable[a, b]:
        return False
    return limits.group[f] < 0 or not limits.excluded[limits.group[f], a, b]


@kernel
def keeps_over(limits: Limits, f: int, s: int, m: int, t: int) -> Any:
    """Whether flow f from s to t keeps its limits over the midpoint m, or none where m is an
    end."""
    if not (usable(limits, f, s, m) and usable(limits, f, m, t)):
        return False
    delay_s = 0.0
    if s != m:
        delay_s += limits.segment_delay_s[s, m]
    if m != t:
        delay_s += limits.segment_delay_s[m, t]
    return delay_s <= limits.limit_s[f]


@kernel
def keeps_limits(limits: Limits, f: int, s: int, row: Any, t: int) -> Any:
    """Whether flow f from s to t keeps its limits over the midpoints of `row`, padded with NONE."""
    many = 0
    while many < row.size and row[many] != NONE:
        many += 1
    return keeps_replaced(limits, f, s, row, t, many, many, many, t)


@kernel
def keeps_replaced(
    limits: Limits, f: int, s: int, row: Any, t: int, many: int, i: int, j: int, m: int
) -> Any:
    """Whether flow f keeps its limits where m stands in the place of what is between its stops i
    and j + 1; stop 0 is s, the next are the `many` midpoints of `row`, the last is t."""
    delay_s, here = 0.0, s
    for k in range(1, many + 2):
        if i < k <= j:
            continue
        there = t if k > many else row[k - 1]
        if k == j + 1:
            if not usable(limits, f, here, m):
                return False
            if here != m:
                delay_s += limits.segment_delay_s[here, m]
            here = m
        if not usable(limits, f, here, there):
            return False
        if here != there:
            delay_s += limits.segment_delay_s[here, there]
        here = there
    return delay_s <= limits.limit_s[f]


@compiled
def allowed_midpoints(limits: Limits, f: int, s: int, t: int) -> Any:
    """Which single midpoints flow f may take; its ends stand for none. [nodes]"""
    nodes = limits.unreachable.shape[0]
    row = np.empty(nodes, np.bool_)
    for m in range(nodes):
        row[m] = keeps_over(limits, f, s, m, t)
    return row


def links_keep(
    links: NDArray[np.int64],
    live: NDArray[np.bool_],
    delay_s: NDArray[np.float64],
    limit_s: float,
    excluded: NDArray[np.bool_] | None,
) -> bool:
    """Whether an explicit path along `links` keeps the limits of its flow; the other arrays are of
    all links."""
    if not live[links].all() or (excluded is not None and excluded[links].any()):
        return False
    return bool(np.isinf(limit_s) or delay_s[links].sum() <= limit_s)
