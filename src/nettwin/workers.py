"""Workers: independent pieces of work in processes here, or on a Ray cluster; and how many cores.

The one place that makes processes. They are begun afresh, never forked: a child of a process that
has threads may hang, and compiled parallel code was seen to answer zeros in one.
"""

from __future__ import annotations

import math
import multiprocessing
import os
import pickle
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from functools import cache
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from nettwin.blas import limit_blas_threads
from nettwin.errors import MissingExtraError, NettwinError

Work = TypeVar("Work")
Result = TypeVar("Result")
Warm = Callable[[], object]
MAX_DEATHS = 2  # of workers, with no piece of work finished between them
CGROUP = Path("/sys/fs/cgroup")
_MAIN = threading.RLock()


class LostWorkerError(NettwinError):
    """Worker processes died again and again, and no work was done."""


@cache
def usable_cores() -> int:
    """How many cores this process may use: those it is bound to, within a container's quota."""
    bound = os.cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):
        bound = len(os.sched_getaffinity(0))
    return max(1, math.ceil(min(bound, _quota_cores(CGROUP))))


def _quota_cores(root: Path) -> float:
    """The cores' worth of time that a control group allows; infinity where it does not say."""
    try:
        quota, period = (root / "cpu.max").read_text("ascii").split()  # version 2
    except (OSError, ValueError):
        try:  # version 1
            quota, period = (
                (root / "cpu" / f"cpu.cfs_{name}_us").read_text("ascii").strip()
                for name in ("quota", "period")
            )
        except (OSError, ValueError):
            return math.inf
    try:
        allowed = float(quota) / float(period)
    except (ValueError, ZeroDivisionError):
        return math.inf  # `max`: no limit
    return allowed if allowed > 0 else math.inf


def in_order_of_completion(
    function: Callable[[Work], Result],
    work: Sequence[Work],
    jobs: int,
    ray_address: str | None = None,
    *,
    warm: Warm | None = None,
) -> Iterator[tuple[int, Result]]:
    """The number of each piece and its result, whichever is done first.

    An error in one ends them all. What a worker that dies had in hand is given to another one;
    LostWorkerError, should that never end. `warm` is called first in every process: it imports
    modules and loads machine code. With `ray_address` (`auto`, `local` or the address of a cluster)
    Ray does the work; files that the function writes then go where every machine sees them.
    """
    if ray_address is not None:
        yield from _on_ray(function, work, ray_address, jobs)
    elif jobs == 1 or len(work) < 2:
        yield from ((k, function(piece)) for k, piece in enumerate(work))
    else:
        yield from _in_processes(function, work, jobs, warm)


def _in_processes(
    function: Callable[[Work], Result], work: Sequence[Work], jobs: int, warm: Warm | None
) -> Iterator[tuple[int, Result]]:
    open_ones = list(range(len(work)))
    deaths = 0  # since a piece was last finished
    while open_ones:
        before = len(open_ones)
        with process_pool(min(jobs, before), warm) as pool:
            with _without_main((function, work[0])):
                futures = {pool.submit(function, work[k]): k for k in open_ones}
            try:
                for future in as_completed(futures):
                    k = futures[future]
                    result = future.result()
                    open_ones.remove(k)
                    yield k, result
            except BrokenProcessPool:
                deaths = 1 if len(open_ones) < before else deaths + 1
        if deaths == MAX_DEATHS:
            raise LostWorkerError(
                f"a worker process died {deaths} times before it finished a piece of work. "
                "Is there enough memory? Use fewer jobs."
            )
        # those that were at work when it died come last
        open_ones = open_ones[jobs:] + open_ones[:jobs]


@contextmanager
def process_pool(jobs: int, warm: Warm | None = None) -> Iterator[ProcessPoolExecutor]:
    """A pool of fresh processes with one thread of linear algebra each, that Ctrl-C ends at once.

    `warm` is called first in each of them.
    """
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(jobs, mp_context=context, initializer=_begin, initargs=(warm,))
    try:
        yield pool
    except BaseException:
        processes = list((pool._processes or {}).values())
        pool.shutdown(wait=False, cancel_futures=True)
        for process in processes:
            process.terminate()
        raise
    pool.shutdown(wait=True, cancel_futures=True)


def _begin(warm: Warm | None) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent hears of Ctrl-C, and ends us
    limit_blas_threads()
    if warm is not None:
        warm()


def begin_beside(work: Callable[[], object]) -> BaseProcess:
    """Begin a piece of work that nobody waits for, in a process that ends with this one at last.

    What it raises is not told: whoever begins it can do without what it does.
    """
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=_in_silence, args=(work,), daemon=True)
    with _without_main(work):
        process.start()
    return process


def begin_talking(work: Callable[[Connection], object]) -> tuple[BaseProcess, Connection]:
    """Begin a piece of work in a process of its own, and a line over which to talk with it.

    The work is given its end of the line, where `recv` raises EOFError once this process has
    ended or closed its own.
    """
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_talking, args=(work, there), daemon=True)
    with _without_main(work):
        process.start()
    there.close()
    return process, here


def _talking(work: Callable[[Connection], object], line: Connection) -> None:
    _begin(None)
    work(line)


def _in_silence(work: Callable[[], object]) -> None:
    _begin(None)
    with suppress(Exception), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        work()


@contextmanager
def _without_main(pickled: object) -> Iterator[None]:
    """Let processes begin without running the caller's script again, where they can do without."""
    if b"__main__" in pickle.dumps(pickled):
        yield
        return
    with _MAIN:  # several threads may begin processes
        main = sys.modules["__main__"]
        sys.modules["__main__"] = ModuleType("__main__")
        try:
            yield
        finally:
            sys.modules["__main__"] = main


def _on_ray(
    function: Callable[[Work], Result], work: Sequence[Work], address: str, jobs: int
) -> Iterator[tuple[int, Result]]:
    try:
        import ray
    except ImportError:
        raise MissingExtraError("work on a Ray cluster", "ray") from None
    settings: dict[str, Any] = {"num_cpus": jobs} if address == "local" else {}
    ray.init(address=address, log_to_driver=False, **settings)
    try:
        remote = ray.remote(function)
        numbers = {remote.remote(piece): k for k, piece in enumerate(work)}
        while numbers:
            ready, _ = ray.wait(list(numbers), num_returns=1)
            for reference in ready:
                yield numbers.pop(reference), ray.get(reference)
    finally:
        ray.shutdown()
