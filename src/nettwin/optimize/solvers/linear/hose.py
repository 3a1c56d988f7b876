"""Hose: the most that any matrix within limits of what enters and leaves puts on a link."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from nettwin.optimize.solvers.linear import highs

Floats = NDArray[np.float64]


def most_on_links(
    source: NDArray[np.integer],
    target: NDArray[np.integer],
    parts: Floats,
    entering_bps: Floats,
    leaving_bps: Floats,
    left_s: Callable[[], float],
) -> Floats:
    """The most that each link is offered by any matrix within the hose (Duffield and others, 1999).

    `parts` [links, pairs] is the part of each pair's demand on each link; pair k goes from
    `source[k]` to `target[k]`. One linear program a link, of which only the objective changes; NaN
    where the time has ended. [links]
    """
    nodes, pairs = len(entering_bps), len(source)
    scale = max(float(entering_bps.max(initial=0.0)), float(leaving_bps.max(initial=0.0)), 1e-300)
    column = np.arange(pairs)
    matrix = sparse.csc_array(
        (
            np.ones(2 * pairs),
            (np.concatenate([source, nodes + target]), np.concatenate([column, column])),
        ),
        shape=(2 * nodes, pairs),
    )
    most = np.minimum(entering_bps[source], leaving_bps[target]) / scale
    limit = np.concatenate([entering_bps, leaving_bps]) / scale
    solver = highs.solver()
    nothing = np.full(2 * nodes, -np.inf)
    solver.passModel(highs.model(matrix, np.zeros(pairs), most, nothing, limit))
    found = np.full(len(parts), np.nan)
    for link, part in enumerate(parts):
        if not part.any():
            found[link] = 0.0
            continue
        solver.changeColsCost(pairs, column.astype(np.int32), -part)
        if not highs.run(solver, left_s):
            break
        found[link] = -float(solver.getInfo().objective_function_value) * scale
    return found
