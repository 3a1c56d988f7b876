"""PacketSimulator: the engine `packet`, a discrete-event simulation of every packet."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from nettwin.engines.packet.batches import Batches
from nettwin.engines.packet.events import Event, in_time, known
from nettwin.engines.packet.limits import unsupported
from nettwin.engines.packet.parallel import in_processes
from nettwin.engines.packet.precision import (
    PERCENTILES,
    Known,
    Tails,
    fate_unknown,
    precision,
    row_of,
)
from nettwin.engines.packet.results import metrics_of
from nettwin.engines.packet.simulation import Simulation
from nettwin.engines.packet.statistics import Counts, Extremes
from nettwin.engines.packet.stopping import (
    STRETCHES,
    StopRule,
    check_size,
    default_packets,
    default_warmup_s,
    memory_s,
)
from nettwin.errors import InputError
from nettwin.metrics import Interval, Metrics
from nettwin.scenario.scenario import Scenario
from nettwin.workers import usable_cores

Progress = Callable[[float], None]  # called with the share done, 0 to 1
NO_TRAFFIC = "no traffic"
INTERRUPTED = "Ctrl-C"


@dataclass(frozen=True)
class Run:
    """A finished simulation: metrics of the whole time and, if asked for, of each interval."""

    metrics: Metrics
    intervals: tuple[Interval, ...] = ()

    @property
    def stopped_by(self) -> str:
        """What ended the run."""
        return str(self.metrics.provenance["stopped_by"])


LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class PacketSimulator:
    """Simulates every packet: output-queued store-and-forward routers, one event a packet and hop.

    A run ends when 95 % of the flows know their mean delay and their loss, and 95 % of the links
    their utilization, to `precision` (half the 95 % confidence interval over the value, by batch
    means; of losses and utilizations under 10 %, to so much of 10 %), with `percentiles` also the
    50th, 90th and 99th percentile of delay; or after `max_packets` packets or `max_time_s` seconds
    simulated: the provenance then says what is known least (`known_least`). Same seed, same answer.
    `warmup_s` is left out of the statistics; by default packets have come over the longest path
    then and the slowest queue has settled. A flow of which no packet has arrived yet is not
    measured: its loss is NaN. With `keep_interrupted` Ctrl-C ends a run and keeps what it has.

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
    percentiles: bool = False
    keep_interrupted: bool = False
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
            alone = replace(self, jobs=1, progress=None)
            return in_processes(alone, scenarios, jobs, self.progress)
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
        not fit and for events that change what cannot change during a run.
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
            return self._for_time(scenario, 1.0, (), None, progress, why=NO_TRAFFIC)
        horizon = min(packets / pps, self.max_time_s)
        simulation, warmup = self._warm(scenario, horizon, packets=packets)
        rule = StopRule(self.precision, packets, self.max_time_s)
        batches = Batches(horizon / STRETCHES, memory_s(scenario))
        tails: Tails | None = None
        start = before = simulation.counts()
        sent_before = simulation.packets_sent
        reason = ""
        step = 0

        def known_by_now() -> list[Known]:
            return self._known(scenario, simulation, total, batches, tails)

        while not reason:
            stride = batches.stride if tails is None else tails.batches.stride
            step += stride
            try:
                simulation.advance(warmup + step * batches.length_s)
            except KeyboardInterrupt:
                if not self.keep_interrupted:
                    raise
                reason = INTERRUPTED
            now = simulation.counts()
            if not reason:
                part = now.since(before)
                batches.add(row_of(part, scenario), stride)
                if tails is not None:
                    tails.add(simulation.extremes().histogram, part.delivered, stride)
                elif self.percentiles and step >= STRETCHES // 16:
                    tails = _tails(simulation, batches)
            before = now
            total = now.since(start)
            sent = simulation.packets_sent - sent_before
            youngest = tails.batches if tails else None if self.percentiles else batches
            reason = reason or rule.reason(sent, total.time_s, youngest, known_by_now)
            LOG.debug("%s: %.6g s simulated, %d packets", scenario.name, total.time_s, sent)
            if progress:
                progress(1.0 if reason else min(max(sent / packets, total.time_s / horizon), 1.0))
        LOG.info(
            "%s: stopped after %.6g s and %d packets: %s",
            *(scenario.name, total.time_s, sent, reason),
        )
        return Run(self._metrics(scenario, simulation, warmup, total, batches, reason, tails=tails))

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
        batches = Batches(step, memory_s(scenario))
        start = begin = before = simulation.counts()
        intervals: list[Interval] = []
        merged = None
        reason = why or f"time limit: {until_s:g} s simulated"
        for time, actions in stops:
            try:
                simulation.advance(warmup + time, _ticker(progress, warmup, until_s))
            except KeyboardInterrupt:
                if not self.keep_interrupted:
                    raise
                reason = INTERRUPTED
            if time in ends or reason == INTERRUPTED:
                now = simulation.counts()
                extremes = simulation.extremes()
                batches.add(row_of(now.since(before), scenario))
                before = now
                if interval_s is not None:
                    span = now.since(begin)
                    present = simulation.scenario
                    found = self._metrics(present, simulation, warmup, span, None, reason)
                    end = now.time_s - warmup
                    intervals.append(Interval(begin.time_s - warmup, end, found, present))
                    merged = extremes.merged(merged)
                    simulation.begin_extremes()
                    begin = now
            if reason == INTERRUPTED:
                break
            for happens in actions:
                if happens is not None:
                    simulation.become(happens.scenario)
            if actions:
                simulation.reroute(known(scenario, due, time))
        total = before.since(start)
        metrics = self._metrics(
            scenario, simulation, warmup, total, batches, reason, extremes=merged
        )
        return Run(metrics, tuple(intervals))

    def _warm(
        self,
        scenario: Scenario,
        horizon_s: float,
        later: Sequence[Scenario] = (),
        packets: int | None = None,
    ) -> tuple[Simulation, float]:
        """A simulation that has run its warm-up, and how long that was."""
        warmup = default_warmup_s(scenario, horizon_s) if self.warmup_s is None else self.warmup_s
        check_size(scenario, warmup, packets)
        simulation = Simulation(scenario, self.seed, later=later)
        simulation.advance(warmup)
        simulation.begin_extremes()
        return simulation, warmup

    def _known(
        self,
        scenario: Scenario,
        simulation: Simulation,
        total: Counts,
        batches: Batches,
        tails: Tails | None,
    ) -> list[Known]:
        under_way = simulation.flow_packets_under_way
        extremes = simulation.extremes()
        return precision(scenario, total, extremes, batches, tails, under_way, self.confidence)

    def _metrics(
        self,
        scenario: Scenario,
        simulation: Simulation,
        warmup: float,
        total: Counts,
        batches: Batches | None,
        reason: str,
        *,
        extremes: Extremes | None = None,
        tails: Tails | None = None,
    ) -> Metrics:
        provenance: dict[str, Any] = {
            "engine": self.name,
            "seed": self.seed,
            "scenario": scenario.fingerprint(),
            "stopped_by": reason,
            "precision_reached": None,
            "precision_asked": self.precision,
            "warmup_s": warmup,
            "simulated_s": total.time_s,
            "packets_sent": int(total.sent.sum()),
            "packet_hops": simulation.packet_hops,
        }
        under_way = simulation.flow_packets_under_way
        not_measured = int(np.count_nonzero(fate_unknown(total, under_way)))
        if not_measured:
            provenance["not_measured"] = not_measured
        if batches is not None and reason != NO_TRAFFIC:
            known = self._known(scenario, simulation, total, batches, tails)
            least = max(known, key=lambda quantity: quantity.relative)
            if math.isfinite(least.relative):
                provenance["precision_reached"] = least.relative
            if len(batches) > 1 and least.relative > self.precision > 0:
                provenance["known_least"] = least.least
            elif len(batches) < 2:
                provenance["known_least"] = (
                    f"nothing has an interval: the run is shorter than {2 * batches.least_s:.3g} s,"
                    " two stretches that do not depend on each other"
                )
        return metrics_of(
            scenario,
            total,
            extremes or simulation.extremes(),
            batches,
            provenance,
            under_way=under_way,
            tails=tails,
            confidence=self.confidence,
            occupancy_counts_service=self.occupancy_counts_service,
        )


def _tails(simulation: Simulation, batches: Batches) -> Tails:
    extremes = simulation.extremes()
    delay = extremes.quantiles(tuple(PERCENTILES.values())) - extremes.base_s
    return Tails(extremes.histogram, delay, batches.length_s, batches.least_s)


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
