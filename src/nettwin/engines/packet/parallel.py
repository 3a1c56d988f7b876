"""Many scenarios at once, in processes of their own."""

from __future__ import annotations

import multiprocessing
import threading
import warnings
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import replace
from typing import TYPE_CHECKING

from nettwin.metrics import Metrics
from nettwin.scenario.scenario import Scenario

if TYPE_CHECKING:
    from nettwin.engines.packet.engine import PacketSimulator


def in_processes(
    simulator: PacketSimulator, scenarios: Sequence[Scenario], jobs: int
) -> list[Metrics]:
    """The metrics of each scenario; the simulator's `progress` hears of every finished one."""
    alone = replace(simulator, jobs=1, progress=None)
    with warnings.catch_warnings(), ProcessPoolExecutor(jobs, mp_context=_context()) as pool:
        # A fork beside the idle threads of a linear-algebra library is safe.
        warnings.simplefilter("ignore", DeprecationWarning)
        futures = [pool.submit(_simulated, alone, scenario) for scenario in scenarios]
        try:
            for done, future in enumerate(as_completed(futures), 1):
                future.result()
                if simulator.progress:
                    simulator.progress(done / len(futures))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
        return [future.result() for future in futures]


def _simulated(simulator: PacketSimulator, scenario: Scenario) -> Metrics:
    return simulator.run(scenario).metrics


def _context() -> multiprocessing.context.BaseContext:
    """Forks where that is safe: it starts at once and does not run the caller's script again."""
    methods = multiprocessing.get_all_start_methods()
    if "fork" in methods and threading.active_count() == 1:
        return multiprocessing.get_context("fork")
    return multiprocessing.get_context("forkserver" if "forkserver" in methods else "spawn")
