"""Fewest: an answer that is as good and changes fewer flows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nettwin.optimize.problems.segment_routing import SegmentRoutingProblem
from nettwin.optimize.solvers.local_search import kernels, repairs
from nettwin.optimize.solvers.local_search.moves import network_of, state_of

PASSES = 3  # over all flows: what one undoes may make room for another


def fewest(
    segment_problem: SegmentRoutingProblem, midpoints: NDArray[np.int32], tolerance: float = 0.0
) -> NDArray[np.int32]:
    """Midpoints in which flows that need not have moved go as at the start again.

    No link gets busier than (1 + tolerance) times the busiest of `midpoints`. Small flows first,
    as most of them fit. Flows that could not go back within their limits stay where they are.
    [flows, most_midpoints]
    """
    network, state = network_of(segment_problem), state_of(segment_problem)
    state.midpoints[:] = midpoints
    kernels.load(network, state)
    top = float((state.load_bps / segment_problem.capacity_bps).max(initial=0.0))
    for _ in range(PASSES):
        changed = np.flatnonzero((state.midpoints != segment_problem.start).any(axis=1))
        order = changed[np.argsort(segment_problem.rate_bps[changed], kind="stable")]
        if not repairs.undo(network, state, order, top * (1.0 + tolerance)):
            break
    return np.asarray(state.midpoints)
