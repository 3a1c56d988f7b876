"""Repaired: midpoints that keep the limits of flows, where those of today do not."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nettwin.optimize.problems.segment_routing import SegmentRoutingProblem
from nettwin.optimize.solvers.local_search.moves import Moves


def repaired(segment_problem: SegmentRoutingProblem) -> NDArray[np.int32]:
    """The midpoints of today; flows that break their limits get the cheapest single midpoint that
    keeps them, as far as there is one and flows may change. [flows, most_midpoints]"""
    start, most = segment_problem.start, segment_problem.most_changes
    limits = segment_problem.limits
    if not (limits.limited.any() or limits.unreachable.any()):
        return np.array(start)
    midpoints = Moves(segment_problem, lambda: True, np.random.default_rng(0)).midpoints
    changed = np.flatnonzero((midpoints != start).any(axis=1))
    if 0 <= most < len(changed):
        midpoints[changed[most:]] = start[changed[most:]]
    return midpoints
