"""SimulatedNetwork: a network that is watched and steered, and that behaves by packets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nettwin import units
from nettwin.errors import InputError
from nettwin.formats.demands import read_demands
from nettwin.metrics import Metrics, Table
from nettwin.observation import Observation
from nettwin.physical.applying import SteeredNetwork
from nettwin.physical.exporter import Ports
from nettwin.physical.network import Event
from nettwin.physical.simulated.devices import SimulatedDevices
from nettwin.physical.simulated.hidden import Hidden
from nettwin.physical.simulated.load import DailyCurve, Load, Replay
from nettwin.physical.simulated.packets import Packets, Seen
from nettwin.physical.simulated.record import Counters, Record, read_record, write_record
from nettwin.scenario.changes import AddFlow, RateLimit, RemoveFlow, ScaleTraffic, apply_all
from nettwin.scenario.demands import over_time
from nettwin.scenario.scenario import Scenario
from nettwin.settings import settings_of

Floats = NDArray[np.float64]
REFUSED = (AddFlow, RemoveFlow, RateLimit)


@dataclass(frozen=True)
class Simulated:
    """Settings of a simulated network.

    Each interval of `interval_s` seconds simulates `simulated_s` of them; routers hear of a failure
    after `convergence_s`. `error` is how far what is told may be from the truth, drawn with `seed`.
    `start` is the first moment of the network's time; the load follows a curve over day and week
    (`peak_hour`, `trough`, `weekend`, see DailyCurve), or repeats the file `demands`.
    """

    interval_s: float = 60.0
    simulated_s: float = 1.0
    convergence_s: float = 0.2
    seed: int = 1
    error: float = 0.05
    start: str = "2026-01-05T12:00:00+00:00"
    demands: str = ""
    peak_hour: float = 20.0
    trough: float = 0.5
    weekend: float = 0.8
    wander: float = 0.05

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Simulated:
        """Settings as they stand in a file. Raises InputError for one that is unknown or wrong."""
        made = settings_of(cls, settings, "a simulated network")
        for name, good, allowed in (
            ("interval_s", made.interval_s > 0, "above 0"),
            (
                "simulated_s",
                0 < made.simulated_s <= made.interval_s,
                "above 0 and at most interval_s",
            ),
            ("convergence_s", made.convergence_s >= 0, "at least 0"),
            ("error", 0 <= made.error < 0.5, "at least 0 and below 0.5"),
            ("trough", 0 < made.trough <= 1, "above 0 and at most 1"),
            ("weekend", made.weekend >= 0, "at least 0"),
            ("wander", made.wander >= 0, "at least 0"),
        ):
            if not good:
                raise InputError(f"{name} is {getattr(made, name)}: must be {allowed}. Correct it.")
        made.start_s  # noqa: B018  raises where it is not a time
        return made

    @property
    def start_s(self) -> float:
        """The first moment in seconds since 1970."""
        return units.moment_s(self.start)


class SimulatedNetwork(SteeredNetwork):
    """A network of simulated packets; see `nettwin.physical.network.Network`.

    What it is hidden behind what it tells: errors of capacity, delay, overhead, burstiness and
    demand (`hidden`). The folder keeps its time, events and counters.
    """

    name = "simulated"

    def __init__(self, plan: Scenario, folder: Path, settings: Simulated | None = None) -> None:
        self.settings = settings or Simulated()
        self.plan, self._load = _loaded(plan, self.settings)
        self.hidden = Hidden.drawn(self.plan, self.settings.seed, self.settings.error)
        self._file = folder / "simulated.json"
        topology, flows = self.plan.topology, self.plan.traffic.flow_count
        if self._file.exists():
            self._record = read_record(self._file)
            if len(self._record.counters.octets) != topology.link_count or (
                len(self._record.counters.flow_octets) != flows
            ):
                raise InputError(
                    f"{self._file} is of another network than the workspace's. Begin a new"
                    " workspace for this network."
                )
        else:
            counters = Counters.zero(topology.link_count, flows)
            self._record = Record(self.settings.start_s, counters, seed=self.settings.seed)
            write_record(self._file, self._record)
        self._measured_bps = self.plan.traffic.flow_rate_bps
        self._packets = Packets(
            self.settings.simulated_s,
            self.settings.convergence_s,
            self.settings.seed + self._record.intervals,
        )
        self._build()
        actuator = SimulatedDevices(self._told, self._remember)
        super().__init__(actuator, folder / "applied", lambda: self._record.time_s)

    @property
    def time_s(self) -> float:
        """The network's time in seconds since 1970."""
        return self._record.time_s

    @property
    def happened(self) -> tuple[Event, ...]:
        """What happened to it, and what was configured, in order."""
        return self._record.happened

    @property
    def counters(self) -> Counters:
        """The counters of its routers as they are now."""
        return self._record.counters

    def ports(self) -> Ports:
        """The counters of its ports, as routers tell them."""
        counters = self.counters
        return Ports(
            self._configuration.topology, counters.octets, counters.packets, counters.drops
        )

    def observe(self) -> Observation:
        self.expire()
        settings, record = self.settings, self._record
        rate = self._offered_bps(record.time_s + settings.interval_s / 2)
        truth = self.hidden.truth(self._true, rate)
        seen = self._packets.interval(truth, settings.interval_s)
        self._measured_bps = _rates(seen, self._configuration)
        self._record = replace(
            record,
            time_s=record.time_s + settings.interval_s,
            intervals=record.intervals + 1,
            counters=self._counted(record.counters, seen),
        )
        write_record(self._file, self._record)
        told = self._told()
        return Observation(
            self._record.time_s, settings.interval_s, told, self._measured(seen, told)
        )

    def inject(self, event: Event) -> None:
        """See `Network.inject`. Raises InputError for an event that this network cannot have."""
        if isinstance(event.change, REFUSED):
            raise InputError(
                f"{event.change.kind} cannot happen here: which flows there are is settled. Use"
                " scale_traffic."
            )
        event.change.apply(self._true)  # raises where it does not fit
        self._remember(event)

    def close(self) -> None:
        """Its record is on the disk already."""

    def _remember(self, event: Event) -> None:
        self._record = self._record.with_event(event)
        write_record(self._file, self._record)
        self._build()

    def _build(self) -> None:
        """Make the network of the plan and what happened: as it is told, and as it really is."""
        events = [e for e in self._record.happened if not isinstance(e.change, ScaleTraffic)]
        self._configuration = apply_all(self.plan, [e.change for e in events if e.told])
        _ = self._configuration.paths  # found once, for every interval
        hidden = any(not e.told for e in events)
        self._true = (
            apply_all(self.plan, [e.change for e in events]) if hidden else self._configuration
        )
        _ = self._true.paths
        ones = self.plan.traffic.with_arrays(flow_rate_bps=np.ones(self.plan.traffic.flow_count))
        surges = [e.change for e in self._record.happened if isinstance(e.change, ScaleTraffic)]
        scaled = apply_all(self.plan.with_(traffic=ones), surges)
        self._surge = scaled.traffic.flow_rate_bps

    def _told(self) -> Scenario:
        traffic = self._configuration.traffic.with_arrays(flow_rate_bps=self._measured_bps)
        return self._configuration.with_(traffic=traffic)

    def _offered_bps(self, time_s: float) -> Floats:
        """What flows offer by their own count. [flows]"""
        planned = self.plan.traffic.flow_rate_bps * self._surge
        return np.asarray(planned * self._load.factor(time_s) * self.hidden.demand)

    def _measured(self, seen: Seen, told: Scenario) -> Metrics:
        """What is measured: flows without layer 2, links against the capacity that is told."""
        flow, link = seen.metrics.flow, seen.metrics.link
        counted = ("throughput_bps", 1 / self.hidden.overhead)
        believed = self.hidden.capacity  # the true capacity over the one that is told
        metrics = seen.metrics
        provenance = {
            "network": self.name,
            "scenario": told.fingerprint(),
            "interval_s": self.settings.interval_s,
            "simulated_s": seen.simulated_s,
            "share": seen.simulated_s / self.settings.interval_s,
            "transient_s": seen.transient_s,
        }
        return Metrics(
            flow=_scaled(flow, *counted),
            link=_scaled(link, "utilization", believed, most=1.0),
            queue=metrics.queue,
            method="measured",
            engine=self.name,
            provenance=provenance,
            confidence=metrics.confidence,
        )

    def _counted(self, before: Counters, seen: Seen) -> Counters:
        topology, counts = self.plan.topology, seen.counts
        owner = self._true.topology.queues.link
        mean_octets = self.plan.traffic.flow_mean_size_bits / 8

        def by_link(values: NDArray[Any]) -> Floats:
            return np.bincount(owner, values, topology.link_count).astype(np.float64)

        new = (
            by_link(counts.served_bits) / 8,
            by_link(counts.served),
            by_link(counts.drops),
            counts.sent * mean_octets,
            counts.sent,
            counts.dropped,
        )
        old = (getattr(before, f.name) for f in fields(Counters))
        return Counters(
            *(
                a + np.maximum(np.rint(b), 0).astype(np.uint64)
                for a, b in zip(old, new, strict=True)
            )
        )


def _loaded(plan: Scenario, settings: Simulated) -> tuple[Scenario, Load]:
    """The network with every flow that it will have, and its load over time."""
    if not settings.demands:
        curve = DailyCurve(
            plan.traffic.flow_count,
            settings.seed,
            settings.peak_hour,
            settings.trough,
            settings.weekend,
            settings.wander,
        )
        return plan, curve
    series = read_demands(settings.demands, topology=plan.topology)
    states = list(over_time(plan, series.demand_bps))
    rates = np.array([state.traffic.flow_rate_bps for state in states])
    base = rates.max(axis=0)
    factors = np.divide(rates, base, out=np.zeros_like(rates), where=base > 0)
    step_s = float(np.diff(series.times_s).mean()) if len(states) > 1 else settings.interval_s
    whole = states[0].with_(traffic=states[0].traffic.with_arrays(flow_rate_bps=base))
    return whole, Replay(factors, step_s, settings.start_s)


def _rates(seen: Seen, told: Scenario) -> Floats:
    """What flows offered, by packets counted and the sizes that are known. [flows]"""
    sizes = told.traffic.flow_mean_size_bits
    return np.asarray(seen.counts.sent * sizes / seen.counts.time_s)


def _scaled(table: Table, column: str, factor: Floats | float, most: float = np.inf) -> Table:
    """A table with a column multiplied, and its bounds."""

    def changed(columns: Mapping[str, Floats]) -> dict[str, Floats]:
        return {
            name: np.minimum(values * factor, most) if name == column else values
            for name, values in columns.items()
        }

    return Table(changed(table.columns), changed(table.low), changed(table.high))
