"""PacketSimulator: the engine `packet`, a discrete-event simulation of every packet."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nettwin.engines.packet.events import Event, in_time, known
from nettwin.engines.packet.limits import unsupported
from nettwin.engines.packet.parallel import in_processes
from nettwin.engines.packet.results import metrics_of
from nettwin.engines.packet.simulation import Simulation
from nettwin.engines.packet.statistics import Batches, Counts
from nettwin.engines.packet.stopping import (
    STRETCHES,
    StopRule,
    default_packets,
    default_warmup_s,
    memory_s,
    relative_precision,
)
from nettwin.errors import InputError
from nettwin.metrics import Interval, Metrics
from nettwin.scenario.scenario import Scenario
from nettwin.workers import usable_cores

Progress = Callable[[float], None]  # called with the share done, 0 to 1


@dataclass(frozen=True)
class Run:
    """A finished simulation: metrics of the whole time and, if asked for, of each interval."""

    metrics: Metrics
    intervals: tuple[Interval, ...] = ()

    @property
    def stopped_by(self) -> str:
        """What ended the run."""
        return str(self.metrics.provenance["stopped_by"])


@dataclass(frozen=True)
class PacketSimulator:
    """Simulates every packet: output-queued store-and-forward routers, one event a packet and hop.

    A run ends when 95 % of the flows know their mean delay to `precision` (half the 95 % confidence
    interval over the mean, by batch means), or after `max_packets` packets or `max_time_s`
    seconds simulated. Same seed, same answer. `warmup_s` is left out of the statistics; by default
    it is long enough for the slowest queue to settle.

    Assumptions: a router's fabric is never the bottleneck; propagation delay is constant; packets
    keep the path they were given when sent; each packet of a multi-path flow draws its path;
    sources do not react to loss. Occupancies count packets that wait, with
    `occupancy_counts_service` the one in transmission as well.

    `predict` simulates several scenarios in `jobs` processes (default: one a core).
    """

    seed: int = 1
    precision: float = 0.02
    max_packets: int | None = None
    max_time_s: float = math.inf
    warmup_s: float | None = None
    jobs: int | None = None
    confidence: float = 0.95
    occupancy_counts_service: bool = False
    progress: Progress | None = field(default=None, compare=False, repr=False)
    name: str = field(default="packet", init=False)

    def __post_init__(self) -> None:
        for label, value, good, allowed in (
            ("precision", self.precision, self.precision >= 0, "at least 0 (0: never satisfied)"),
            (
                "max_packets",
                self.max_packets,
                self.max_packets is None or self.max_packets > 0,
                "above 0",
            ),
            ("max_time_s", self.max_time_s, self.max_time_s > 0, "above 0"),
            (
                "warmup_s",
                self.warmup_s,
                self.warmup_s is None or 0 <= self.warmup_s < math.inf,
                "finite and at least 0",
            ),
            ("jobs", self.jobs, self.jobs is None or self.jobs > 0, "above 0"),
            ("confidence", self.confidence, 0 < self.confidence < 1, "above 0 and below 1"),
        ):
            if not good:
                raise InputError(f"{label} is {value}: must be {allowed}")

    def unsupported(self, scenario: Scenario) -> list[str]:
        """Why a simulation would not tell the truth about a scenario."""
        return unsupported(scenario)

    def predict(self, scenarios: Sequence[Scenario]) -> list[Metrics]:
        """The metrics of each scenario, in their order."""
        jobs = min(self.jobs or usable_cores(), len(scenarios))
        if jobs > 1:
            return in_processes(self, scenarios, jobs)
        found = []
        for i, scenario in enumerate(scenarios):
            tell = _part(self.progress, i, len(scenarios))
            found.append(self.run(scenario, progress=tell).metrics)
        return found

    def run(
        self,
        scenario: Scenario,
        *,
        until_s: float | None = None,
        events: Sequence[Event] = (),
        interval_s: float | None = None,
        progress: Progress | None = None,
    ) -> Run:
        """Simulate one scenario.

        With `until_s` the run lasts exactly so long after the warm-up; `events` and `interval_s`
        (metrics of each stretch of so many seconds) need it. Raises InputError for times that do
        not fit and for events that change what cannot change on the way.
        """
        if until_s is None:
            if events or interval_s is not None:
                raise InputError("events and intervals need until_s, the time the run lasts")
            return self._until_precise(scenario, progress)
        return self._for_time(scenario, float(until_s), events, interval_s, progress)

    def _until_precise(self, scenario: Scenario, progress: Progress | None) -> Run:
        pps = float(scenario.traffic.flow_packet_rate_pps.sum())
        packets = self.max_packets or default_packets(scenario)
        if pps == 0.0:
            return self._for_time(scenario, 1.0, (), None, progress, why="no traffic")
        horizon = min(packets / pps, self.max_time_s)
        simulation, warmup = self._warm(scenario, horizon)
        rule = StopRule(
            self.precision, packets, self.max_time_s, self.confidence, memory_s(scenario)
        )
        batches = Batches(horizon / STRETCHES)
        start = before = simulation.counts()
        sent_before = simulation.packets_sent
        reason = ""
        step = 0
        while not reason:
            stride = batches.stride
            step += stride
            simulation.advance(warmup + step * batches.length_s)
            now = simulation.counts()
            batches.add(now.since(before), stride)
            before = now
            total = now.since(start)
            sent = simulation.packets_sent - sent_before
            reason = rule.reason(sent, total.time_s, batches, _mean_delay(simulation, total))
            if progress:
                progress(1.0 if reason else min(max(sent / packets, total.time_s / horizon), 1.0))
        metrics = metrics_of(
            scenario,
            total,
            simulation.extremes(),
            batches,
            self._provenance(scenario, simulation, warmup, total, batches, reason),
            confidence=self.confidence,
            occupancy_counts_service=self.occupancy_counts_service,
        )
        return Run(metrics)

    def _for_time(
        self,
        scenario: Scenario,
        until_s: float,
        events: Sequence[Event],
        interval_s: float | None,
        progress: Progress | None,
        why: str = "",
    ) -> Run:
        step = until_s if interval_s is None else float(interval_s)
        if not 0 < until_s < math.inf or not 0 < step < math.inf:
            raise InputError(
                f"until_s is {until_s:g} and interval_s {step:g}: both must be above 0"
            )
        for event in events:
            if not 0 <= event.time_s <= until_s or event.convergence_s < 0:
                raise InputError(
                    f"an event is at {event.time_s:g} s and converges after "
                    f"{event.convergence_s:g} s: must be in 0 to {until_s:g} s"
                )
        due = in_time(events)
        simulation, warmup = self._warm(scenario, until_s, [e.scenario for e in due])
        ends = dict.fromkeys(_interval_ends(until_s, step))
        stops = _stops(until_s, ends, due)
        batches = Batches(until_s)
        start = begin = before = simulation.counts()
        intervals: list[Interval] = []
        merged = None
        reason = why or f"time limit: {until_s:g} s simulated"
        for time, actions in stops:
            simulation.advance(warmup + time, _ticker(progress, warmup, until_s))
            if time in ends:
                now = simulation.counts()
                extremes = simulation.extremes()
                batches.add(now.since(before))
                before = now
                if interval_s is not None:
                    span = now.since(begin)
                    provenance = self._provenance(scenario, simulation, warmup, span, None, reason)
                    found = metrics_of(
                        simulation.scenario,
                        span,
                        extremes,
                        None,
                        provenance,
                        occupancy_counts_service=self.occupancy_counts_service,
                    )
                    intervals.append(
                        Interval(begin.time_s - warmup, time, found, simulation.scenario)
                    )
                    merged = extremes.merged(merged)
                    simulation.begin_extremes()
                    begin = now
            for happens in actions:
                if happens is not None:
                    simulation.become(happens.scenario)
            if actions:
                simulation.reroute(known(scenario, due, time))
        total = before.since(start)
        metrics = metrics_of(
            scenario,
            total,
            merged or simulation.extremes(),
            batches,
            self._provenance(scenario, simulation, warmup, total, batches, reason),
            confidence=self.confidence,
            occupancy_counts_service=self.occupancy_counts_service,
        )
        return Run(metrics, tuple(intervals))

    def _warm(
        self, scenario: Scenario, horizon_s: float, later: Sequence[Scenario] = ()
    ) -> tuple[Simulation, float]:
        """A simulation that has run its warm-up, and how long that was."""
        simulation = Simulation(scenario, self.seed, later=later)
        warmup = default_warmup_s(scenario, horizon_s) if self.warmup_s is None else self.warmup_s
        simulation.advance(warmup)
        simulation.begin_extremes()
        return simulation, warmup

    def _provenance(
        self,
        scenario: Scenario,
        simulation: Simulation,
        warmup: float,
        total: Counts,
        batches: Batches | None,
        reason: str,
    ) -> dict[str, Any]:
        reached = None
        if batches is not None and len(batches) > 1:
            mean = _mean_delay(simulation, total)
            width = relative_precision(batches, mean, self.confidence)
            reached = width if math.isfinite(width) else None  # too few packets to tell
        return {
            "engine": self.name,
            "seed": self.seed,
            "scenario": scenario.fingerprint(),
            "stopped_by": reason,
            "precision_reached": reached,
            "precision_asked": self.precision,
            "warmup_s": warmup,
            "simulated_s": total.time_s,
            "packets_sent": int(total.sent.sum()),
            "packet_hops": simulation.packet_hops,
        }


def _mean_delay(simulation: Simulation, counts: Counts) -> np.ndarray[Any, np.dtype[np.float64]]:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(simulation.state.flows["base_s"] + counts.delay / counts.delivered)


def _interval_ends(until_s: float, step_s: float) -> list[float]:
    count = math.ceil(until_s / step_s * (1 - 1e-12))
    return [min((i + 1) * step_s, until_s) for i in range(count)]


def _stops(
    until_s: float, ends: Iterable[float], events: Sequence[Event]
) -> list[tuple[float, list[Event | None]]]:
    """Times at which the simulation halts, with the events due then; None: routers hear of one."""
    stops: dict[float, list[Event | None]] = {end: [] for end in ends}
    for event in events:
        stops.setdefault(event.time_s, []).append(event)
        if event.convergence_s > 0 and event.known_s <= until_s:
            stops.setdefault(event.known_s, []).append(None)
    return sorted(stops.items(), key=lambda item: item[0])


def _part(progress: Progress | None, index: int, count: int) -> Progress | None:
    if progress is None:
        return None
    return lambda share: progress((index + share) / count)


def _ticker(progress: Progress | None, warmup: float, until_s: float) -> Progress | None:
    if progress is None:
        return None
    return lambda now: progress(min(max((now - warmup) / until_s, 0.0), 1.0))
