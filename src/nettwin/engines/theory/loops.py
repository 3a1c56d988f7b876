"""Loops: how the loops over flows, hops and ports are compiled.

The formulas of a port are small, and called hundred thousands of times. That Numba counts the
references to the arrays that it passes on took longer than the formulas themselves; here it does
not. Such a function makes no arrays and returns none: what it needs is a `Room` of its caller's.
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nettwin.compiled import compiled

# Leaves the interpreter to other threads; 1 / 0 is infinite and nothing is raised
njit_nogil = partial(compiled, nogil=True, error_model="numpy")
# `_nrt`: without Numba's run time, which counts references
in_place = partial(compiled, _nrt=False, error_model="numpy")
ROWS = 32
ATOMS = 16  # values of a queue's rate
POINTS = 64  # combinations of the rates of a port's queues


class Workspace(NamedTuple):
    """What is written down while a port is solved, made once for many ports."""

    numbers: NDArray[np.float64]  # [ROWS, n]
    marks: NDArray[np.bool_]  # [n, n]
    atoms: NDArray[np.float64]  # [2, n, ATOMS] values of the queues' rates, and their weights
    points: NDArray[np.float64]  # [6, POINTS, n] what was found for each combination of them
    chosen: NDArray[np.int64]  # [n] values of each queue's rate


@in_place
def total_of(values: Any) -> float:
    """The sum, in order; no array is made for it."""
    total = 0.0
    for k in range(values.size):
        total += values[k]
    return total
