"""What does not depend on each other, done by two threads: turns of a loop, pieces of work.

A turn computes the same whoever takes it, so that the number of cores changes no result. The thread
lives as long as the loop: a process that is forked later has none.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from nettwin.allocation import kept_memory
from nettwin.metrics import Metrics
from nettwin.scenario.scenario import Scenario
from nettwin.workers import usable_cores

T = TypeVar("T")
R = TypeVar("R")
_here = threading.local()  # `busy` in the threads of `side_by_side`
MANY_FLOWS = 5_000  # whose arrays are returned to the system each time that they are freed
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


def at_once(one: Callable[[], T], other: Callable[[], R], second: float) -> tuple[T, R]:
    """What two pieces of work answer that need nothing of each other; at the same time where that
    is faster. `second` is about how long they take together. As in `parallel_for`, most of it must
    leave the interpreter free."""
    if second < WORTH_S or free_cores() < 2:
        return one(), other()
    with ThreadPoolExecutor(1) as pool:
        later = pool.submit(other)
        return one(), later.result()


def side_by_side(run: Callable[[T], R], items: Sequence[T]) -> list[R]:
    """`run` of each item, in their order, on as many threads as there are cores; what it does then
    keeps to its thread."""
    threads = min(free_cores(), len(items))
    if threads < 2:
        return [run(item) for item in items]
    with ThreadPoolExecutor(threads, initializer=_settle) as pool:
        return list(pool.map(run, items))


def predictions(
    predict: Callable[[Scenario], Metrics], scenarios: Sequence[Scenario]
) -> list[Metrics]:
    """`predict` of each scenario, side by side; what one takes of memory is kept for the next."""
    large = any(scenario.traffic.flow_count >= MANY_FLOWS for scenario in scenarios)
    with kept_memory() if large else nullcontext():
        return side_by_side(predict, scenarios)


def free_cores() -> int:
    """How many threads a loop may take here: one in a thread of `side_by_side`."""
    return 1 if getattr(_here, "busy", False) else usable_cores()


def _settle() -> None:
    _here.busy = True
