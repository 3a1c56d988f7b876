"""Packets: a simulated network in motion, of which each interval a part is simulated.

Queues carry over from one interval to the next. After a failure packets follow the old paths until
the routers have heard of it; that time is simulated whole, and the rest of the interval by a part,
whose counts stand for all of it.
"""

from __future__ import annotations

from dataclasses import fields
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nettwin.engines.packet.batches import Batches
from nettwin.engines.packet.precision import row_of
from nettwin.engines.packet.results import metrics_of
from nettwin.engines.packet.simulation import Simulation
from nettwin.engines.packet.statistics import Counts
from nettwin.engines.packet.stopping import default_warmup_s, memory_s
from nettwin.errors import InputError
from nettwin.metrics import Metrics
from nettwin.scenario.routing import Routing
from nettwin.scenario.scenario import Scenario

Floats = NDArray[np.float64]
MAX_ROUTES = 200  # times the paths of one moment that a simulation may remember
STRETCHES = 16  # of the part that is simulated, whose scatter gives the intervals


class Seen(NamedTuple):
    """What one interval was like: its metrics by the network's own measure, and its counts."""

    metrics: Metrics
    counts: Counts
    simulated_s: float
    transient_s: float


class Packets:
    """Packets of a network; `simulated_s` of each interval are simulated in the steady state."""

    def __init__(self, simulated_s: float, convergence_s: float, seed: int) -> None:
        self.simulated_s, self.convergence_s, self.seed = simulated_s, convergence_s, seed
        self._simulation: Simulation | None = None

    def interval(self, truth: Scenario, interval_s: float) -> Seen:
        """The next interval, of a network that is `truth` from its beginning."""
        simulation, rerouting = self._moved(truth)
        transient_s = 0.0
        before = simulation.counts()
        if rerouting:
            transient_s = min(self.convergence_s, interval_s / 2)
            simulation.advance(simulation.now_s + transient_s)
        simulation.reroute(truth)
        steady = simulation.counts()
        simulation.begin_extremes()
        part_s = min(self.simulated_s, interval_s - transient_s)
        batches = Batches(part_s / STRETCHES, memory_s(truth))
        begin = simulation.now_s
        last = steady
        for k in range(STRETCHES):
            simulation.advance(begin + (k + 1) * part_s / STRETCHES)
            now = simulation.counts()
            batches.add(row_of(now.since(last), truth))
            last = now
        whole = _sum(steady.since(before), last.since(steady), (interval_s - transient_s) / part_s)
        metrics = metrics_of(
            truth,
            whole,
            simulation.extremes(),
            batches,
            {},
            under_way=simulation.flow_packets_under_way,
        )
        return Seen(metrics, whole, part_s, transient_s)

    def _moved(self, truth: Scenario) -> tuple[Simulation, bool]:
        """The simulation, of a network as it is now; and whether routers have to hear of it."""
        if self._simulation is not None and self._simulation.route_memory > MAX_ROUTES:
            self._simulation = None  # it keeps every path that packets were ever given
        if self._simulation is not None:
            old = self._simulation.scenario.topology
            try:
                self._simulation.become(truth)
            except InputError:  # another scheduler or delay: its queues begin empty
                self._simulation = None
            else:
                live = truth.topology.link_live
                return self._simulation, not np.array_equal(old.link_live, live)
        self._simulation = Simulation(truth, self.seed, later=[fastest(truth)])
        self._simulation.advance(default_warmup_s(truth, self.simulated_s))
        return self._simulation, False


def fastest(scenario: Scenario) -> Scenario:
    """The scenario with everything up, where each flow takes the path of the least delay."""
    topology = scenario.topology
    smallest = min((size.min_bits for size in scenario.traffic.sizes), default=1.0)
    delay_s = topology.link_delay_s + smallest / topology.link_capacity_bps
    return scenario.with_(
        topology=topology.with_arrays(
            link_weight=delay_s,
            link_up=np.ones(topology.link_count, np.bool_),
            node_up=np.ones(topology.node_count, np.bool_),
        ),
        routing=Routing(ecmp=False),
    )


def _sum(transient: Counts, steady: Counts, times: float) -> Counts:
    """The counts of a transient, and those of a part of the steady state so many times over."""
    values = {
        f.name: getattr(transient, f.name) + getattr(steady, f.name) * times for f in fields(Counts)
    }
    return Counts(**values)
