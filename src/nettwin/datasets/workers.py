"""Workers: independent pieces of work in processes here, or on a Ray cluster."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import Any, TypeVar

from nettwin.errors import MissingExtraError

Work = TypeVar("Work")
Result = TypeVar("Result")


def in_order_of_completion(
    function: Callable[[Work], Result],
    work: Sequence[Work],
    jobs: int,
    ray_address: str | None = None,
) -> Iterator[Result]:
    """The result of each piece, whichever is done first; an error in one ends them all.

    With `ray_address` (`auto`, `local` or the address of a cluster) Ray does the work; files that
    the function writes then go where every machine sees them.
    """
    if ray_address is not None:
        yield from _on_ray(function, work, ray_address, jobs)
    elif jobs == 1 or len(work) < 2:
        yield from map(function, work)
    else:
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(min(jobs, len(work)), mp_context=context) as pool:
            futures = [pool.submit(function, piece) for piece in work]
            try:
                for future in as_completed(futures):
                    yield future.result()
            finally:
                pool.shutdown(wait=False, cancel_futures=True)


def _on_ray(
    function: Callable[[Work], Result], work: Sequence[Work], address: str, jobs: int
) -> Iterator[Result]:
    try:
        import ray
    except ImportError:
        raise MissingExtraError("work on a Ray cluster", "ray") from None
    settings: dict[str, Any] = {"num_cpus": jobs} if address == "local" else {}
    ray.init(address=address, log_to_driver=False, **settings)
    try:
        remote = ray.remote(function)
        waiting = [remote.remote(piece) for piece in work]
        while waiting:
            ready, waiting = ray.wait(waiting, num_returns=1)
            for reference in ready:
                yield ray.get(reference)
    finally:
        ray.shutdown()
