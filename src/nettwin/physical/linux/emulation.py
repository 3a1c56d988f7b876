"""Emulation: a NetworkModel that runs a scenario on Linux routers for some seconds, and measures.

Networks that are too fast for one machine are run in slow motion: rates are divided by a factor,
times of bursts, buffers and cables are multiplied by it, and delays divided again. Queues see no
difference, as bits stay bits.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nettwin.errors import NettwinError, UnsupportedError
from nettwin.metrics import Metrics, Table
from nettwin.physical.linux.needs import missing
from nettwin.physical.linux.network import Linux, LinuxNetwork, as_emulated, check
from nettwin.scenario.arrivals import MMPP, ArrivalProcess, OnOff, Trace
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.scheduling import USUAL, Queue, Scheduler

PACKETS_A_SECOND = 8000.0  # that all links together carry; two cores do it with accurate clocks
MOST_S = 600.0  # of a network that sends next to nothing
POWERS = {"pdv_s2": 2, "throughput_bps": -1}  # of the factor; 1 for what is in seconds


@dataclass(frozen=True)
class Emulation:
    """Routers of Linux that stand for a scenario; root and FRR are needed (`needs.missing`).

    `seconds` is how long a scenario is measured, on the clock of this machine, after `warmup_s`;
    with `packets` as long as so many are sent, on average. Two runs differ, as those of a network
    do.
    """

    seconds: float = 10.0
    packets: float = 0.0
    warmup_s: float = 1.0
    seed: int = 1
    name: str = "emulation"

    def unsupported(self, scenario: Scenario) -> list[str]:
        """Why routers of Linux cannot stand for a scenario."""
        if words := missing():
            return [words.rstrip(".")]
        try:
            check(as_emulated(scenario))
        except NettwinError as error:
            return [str(error).rstrip(".")]
        if any(isinstance(a, Trace) and not a.stretch for a in scenario.traffic.arrivals):
            return ["a trace that is played as recorded cannot be run in slow motion"]
        return []

    def predict(self, scenarios: Sequence[Scenario]) -> list[Metrics]:
        """What was measured of each scenario. Raises UnsupportedError or NetworkError."""
        return [self._measured(scenario) for scenario in scenarios]

    def _measured(self, scenario: Scenario) -> Metrics:
        if reasons := self.unsupported(scenario):
            raise UnsupportedError(self.name, reasons)
        factor = slowness(scenario)
        with tempfile.TemporaryDirectory(prefix="nettwin-") as folder:
            slow = slowed(scenario, factor)
            seconds = self.seconds
            if self.packets:
                seconds = self.packets / max(float(slow.traffic.flow_packet_rate_pps.sum()), 1e-9)
            settings = Linux(min(seconds, MOST_S), self.seed, warmup_s=self.warmup_s)
            network = LinuxNetwork(slow, Path(folder), settings)
            try:
                seen = network.observe().metrics
            finally:
                network.close()
        return restored(seen, scenario, factor, self.name)


def slowness(scenario: Scenario) -> float:
    """By what a network must be slowed down; 1 for one that is slow enough."""
    packets = scenario.traffic.flow_packet_rate_pps
    hops = scenario.paths.link_loads(packets, scenario.topology.link_count).sum()
    return max(1.0, float(hops) / PACKETS_A_SECOND)


def slowed(scenario: Scenario, factor: float) -> Scenario:
    """A scenario in slow motion."""
    topology, traffic = scenario.topology, scenario.traffic
    schedulers, which = _schedulers(scenario, factor)
    return scenario.with_(
        topology=topology.with_arrays(
            link_capacity_bps=np.rint(topology.link_capacity_bps / factor / 8) * 8,
            link_delay_s=topology.link_delay_s * factor,
            schedulers=schedulers,
            link_scheduler=which,
        ),
        traffic=replace(
            traffic.with_arrays(flow_rate_bps=traffic.flow_rate_bps / factor),
            arrivals=tuple(_slowed(a, factor) for a in traffic.arrivals),
        ),
    )


def restored(seen: Metrics, scenario: Scenario, factor: float, name: str) -> Metrics:
    """What was measured in slow motion, as it is at full speed."""

    def table(old: Table) -> Table:
        def back(columns: Mapping[str, NDArray[np.float64]]) -> dict[str, NDArray[np.float64]]:
            return {n: v / factor ** _power(n) for n, v in columns.items()}

        return Table(back(old.columns), back(old.low), back(old.high))

    return replace(
        seen,
        flow=table(seen.flow),
        link=table(seen.link),
        queue=table(seen.queue),
        engine=name,
        provenance={
            **seen.provenance,
            "scenario": scenario.fingerprint(),
            "slowed": factor,
            "measured_s": seen.provenance["interval_s"] / factor,
        },
    )


def _power(column: str) -> int:
    return POWERS.get(column, 1 if column.endswith("_s") else 0)


def _schedulers(
    scenario: Scenario, factor: float
) -> tuple[tuple[Scheduler, ...], NDArray[np.int32]]:
    """Schedulers whose buffers in seconds last longer; the usual ones are told in bits, which may
    differ from link to link."""
    topology = scenario.topology
    made: dict[Scheduler, int] = {}
    which = []
    for link in range(topology.link_count):
        old = topology.schedulers[int(topology.link_scheduler[link])]
        begin = int(topology.queues.offset[link])
        queues = tuple(
            _queue(queue, float(topology.queues.buffer_bits[begin + i]), factor)
            for i, queue in enumerate(old.queues)
        )
        which.append(made.setdefault(replace(old, queues=queues), len(made)))
    return tuple(made), np.array(which, np.int32)


def _queue(queue: Queue, bits: float, factor: float) -> Queue:
    if queue.buffer_s == USUAL:
        return replace(queue, buffer_bits=bits, buffer_s=math.inf)
    return replace(queue, buffer_s=queue.buffer_s * factor)


def _slowed(arrival: ArrivalProcess, factor: float) -> ArrivalProcess:
    if isinstance(arrival, OnOff):
        return replace(arrival, on_s=arrival.on_s * factor, off_s=arrival.off_s * factor)
    if isinstance(arrival, MMPP):
        return replace(arrival, high_s=arrival.high_s * factor, low_s=arrival.low_s * factor)
    return arrival
