"""parallel_for: a loop whose turns do not depend on each other, done by two threads.

A turn computes the same whoever takes it, so that the number of cores changes no result. The thread
lives as long as the loop: a process that is forked later has none.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from nettwin.workers import usable_cores

T = TypeVar("T")
R = TypeVar("R")
_here = threading.local()  # `busy` in the threads of `side_by_side`
WORTH_S = 2e-3  # work that is worth a thread, which takes a tenth of that to begin


def parallel_for(run: Callable[[int, int], object], done: NDArray[Any], second_each: float) -> None:
    """Call `run(first, end)` for all turns, in two parts where that is faster.

    `done` [turns + 1] says how much is done before each turn, and `second_each` about how long a
    piece of that takes. `run` must leave the interpreter free (Numba's `nogil`).
    """
    turns = len(done) - 1
    if float(done[-1]) * second_each < WORTH_S or free_cores() < 2:
        run(0, turns)
        return
    middle = int(np.searchsorted(done, done[-1] / 2))
    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(run, middle, turns)
        run(0, middle)
        other.result()


def side_by_side(run: Callable[[T], R], items: Sequence[T]) -> list[R]:
    """`run` of each item, in their order, on as many threads as there are cores; what it does then
    keeps to its thread."""
    threads = min(free_cores(), len(items))
    if threads < 2:
        return [run(item) for item in items]
    with ThreadPoolExecutor(threads, initializer=_settle) as pool:
        return list(pool.map(run, items))


def free_cores() -> int:
    """How many threads a loop may take here: one in a thread of `side_by_side`."""
    return 1 if getattr(_here, "busy", False) else usable_cores()


def _settle() -> None:
    _here.busy = True
