"""SPREAD: the optimizer `spread`, single moves at random, those kept that help."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nettwin.extend import Method, Search, SegmentRoutingProblem


def spread(segment_problem: SegmentRoutingProblem, search: Search[Any], seed: int = 0) -> None:
    """Move one flow at a time over one midpoint, flows first that may not stay where they are; keep
    what lowers the highest utilization, or where it stays, the sum of their squares."""

    def value(midpoints: NDArray[np.int32]) -> tuple[float, float]:
        utilization = segment_problem.loads(midpoints) / segment_problem.capacity_bps
        return float(utilization.max(initial=0.0)), float((utilization**2).sum())

    random = np.random.default_rng(seed)
    best, lowest = segment_problem.start.copy(), value(segment_problem.start)
    movable = np.flatnonzero(segment_problem.movable)
    waiting = [
        int(f) for f in movable if not segment_problem.allowed(int(f))[segment_problem.source[f]]
    ]
    if not waiting:
        search.offer(lowest[0], best.copy())
    while len(movable) and search.step():
        must = bool(waiting)
        flow = waiting.pop() if must else int(random.choice(movable))
        nodes = np.flatnonzero(segment_problem.allowed(flow))
        if not len(nodes):
            continue
        tried = best.copy()
        tried[flow] = -1  # no midpoint, as where the node is one of its ends
        node = int(random.choice(nodes))
        if node not in (segment_problem.source[flow], segment_problem.target[flow]):
            tried[flow, 0] = node
        moved = np.count_nonzero((tried != segment_problem.start).any(axis=1))
        if 0 <= segment_problem.most_changes < moved:
            continue
        found = value(tried)
        if must or found < lowest:
            best, lowest = tried, found
            if not waiting:
                search.offer(lowest[0], best.copy())


SPREAD = Method("spread", "single moves at random, those kept that help", f"{__name__}:spread")
