"""Products of matrices that keep to the thread that asks for them."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from nettwin.compiled import compiled

SMALL = 250_000  # products of two numbers up to which OpenBLAS uses one thread

# Sums may be reordered and nothing is raised, which lets loops work on several numbers at a time
njit_fastmath = partial(compiled, nogil=True, fastmath={"contract", "reassoc"}, error_model="numpy")


@njit_fastmath
def product(x: Any, matrix: Any, out: Any) -> None:
    """out = x @ matrix, in pieces that linear algebra libraries do not hand out to threads.

    The start of threads costs more than such a piece; and where a core is busy with something else,
    threads that spin while they wait for it take many times the work itself.
    """
    rows = max(SMALL // matrix.size, 1)
    for k in range(0, len(x), rows):
        np.dot(x[k : k + rows], matrix, out[k : k + rows])
