"""Simulation: a network in motion, moved on, changed and read from Python."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from nettwin.engines.packet import kernel, layout, loading
from nettwin.engines.packet.histogram import more_pages
from nettwin.engines.packet.statistics import Counts, Extremes
from nettwin.errors import InputError
from nettwin.scenario.scenario import Scenario

EVENTS_A_CALL = 2_000_000  # under half a second, so that Ctrl-C and progress get their turn


class Simulation:
    """A scenario being simulated; `now_s` is the simulated time.

    `later` lists the scenarios that it will `become`: delays are counted above the least of all.
    """

    def __init__(
        self,
        scenario: Scenario,
        seed: int,
        *,
        later: Sequence[Scenario] = (),
    ) -> None:
        for other in later:
            _check_same_shape(scenario, other)
        self.scenario = scenario
        self.seed = seed
        self.now_s = 0.0
        self.state = loading.load(scenario, seed, later=later)
        self._room_bits = np.zeros(scenario.topology.link_count)
        self._room_until_s = 0.0
        self._paths = scenario.paths
        kernel.start_sources(self.state, 0.0)

    def advance(self, until_s: float, tick: Callable[[float], None] | None = None) -> None:
        """Run to a time; `tick` is called with the time reached every so many events."""
        while True:
            self.now_s = float(self.state.clock[0])  # should Ctrl-C end it here
            answer = kernel.advance(self.state, float(until_s), EVENTS_A_CALL)
            if answer == kernel.REACHED:
                break
            if answer == kernel.POOL_EMPTY:
                self.state = layout.grown(self.state)
            elif answer == kernel.PAGES_EMPTY:
                self.state = self.state._replace(pages=more_pages(self.state.pages))
            elif tick:
                tick(float(self.state.clock[0]))
        self.now_s = float(until_s)
        if tick:
            tick(self.now_s)

    @property
    def packets_sent(self) -> int:
        """Packets sent since the beginning."""
        return int(self.state.counters[layout.EMISSIONS])

    @property
    def packet_hops(self) -> int:
        """Links crossed by packets since the beginning."""
        return int(self.state.counters[layout.HOPS])

    @property
    def packets_under_way(self) -> int:
        """Packets sent, and neither delivered nor dropped."""
        return int(self.state.counters[layout.LIVE])

    @property
    def flow_packets_under_way(self) -> NDArray[np.int64]:
        """Packets of each flow that were sent, and neither delivered nor dropped. [flows]"""
        flows = self.state.flows
        return np.asarray(flows["sent"] - flows["delivered"] - flows["dropped"])

    @property
    def route_memory(self) -> float:
        """How many times as many hops it remembers as there are on the paths of now: rerouting
        keeps the paths of packets that are under way, and those of earlier ones."""
        return len(self.state.hops) / max(len(self._paths.links), 1)

    def counts(self) -> Counts:
        """What was counted since the beginning, to this moment."""
        work = np.empty((len(self.state.queues), 4))
        kernel.settle(self.state, self.now_s, work)
        return Counts.of(self.state, self.now_s, work, self._room())

    def _room(self) -> NDArray[np.float64]:
        """The bits that each link could have sent since the beginning. [links]"""
        passed = self.now_s - self._room_until_s
        self._room_bits = self._room_bits + self.scenario.topology.link_capacity_bps * passed
        self._room_until_s = self.now_s
        return self._room_bits

    def extremes(self) -> Extremes:
        """Histograms, smallest and largest since they were last begun anew."""
        return Extremes.of(self.state)

    def begin_extremes(self) -> None:
        """Begin histograms, smallest and largest anew."""
        self.counts()  # settles the ports
        self.state.histogram[:] = 0
        self.state.pages[:] = 0
        self.state.flows["min"], self.state.flows["max"] = np.inf, -np.inf
        for name, now in (
            ("max_bits", "bits"),
            ("max_bits_system", "bits"),
            ("max_packets", "count"),
        ):
            self.state.queues[name] = self.state.queues[now]
        links = self.state.links[self.state.links["free_at"] > self.now_s]
        self.state.queues["max_bits_system"][links["serving"]] += links["serving_bits"]

    def become(self, scenario: Scenario) -> None:
        """From now on the network is another scenario: links up, capacities, traffic.

        Packets on a link that fails are lost. Paths stay until `reroute`. Raises InputError where
        the scenarios differ in what cannot change during a run.
        """
        _check_same_shape(self.scenario, scenario)
        self._room()
        before, after = self.scenario.topology, scenario.topology
        links = self.state.links
        for k in np.flatnonzero(before.link_live & ~after.link_live).tolist():
            kernel.fail_link(self.state, k, self.now_s)
        restored = ~before.link_live & after.link_live
        links["mode"][restored] &= np.uint32(~layout.DOWN & 0xFFFFFFFF)
        links["seconds_per_bit"] = 1.0 / after.link_capacity_bps
        old, new = self.scenario.traffic, scenario.traffic
        if not (
            np.array_equal(old.flow_rate_bps, new.flow_rate_bps)
            and np.array_equal(old.flow_size, new.flow_size)
            and old.sizes == new.sizes
            and np.array_equal(old.flow_arrival, new.flow_arrival)
            and old.arrivals == new.arrivals
        ):
            self.state = loading.with_traffic(self.state, scenario, self.seed)
            kernel.start_sources(self.state, self.now_s)
        self.scenario = scenario

    def reroute(self, known: Scenario) -> None:
        """Give new packets the paths of the scenario that routers know; others keep theirs."""
        if known.paths is not self._paths:
            self._paths = known.paths
            self.state = loading.with_paths(self.state, known)


def _check_same_shape(before: Scenario, after: Scenario) -> None:
    one, two = before.topology, after.topology
    if (
        one.node_count != two.node_count
        or one.link_count != two.link_count
        or not np.array_equal(one.link_source, two.link_source)
        or not np.array_equal(one.link_target, two.link_target)
    ):
        raise InputError(
            "an event changes which nodes and links there are, which a simulation "
            "cannot do during a run; keep them and take them down or up"
        )
    if (
        not np.array_equal(one.link_delay_s, two.link_delay_s)
        or one.schedulers != two.schedulers
        or not np.array_equal(one.link_scheduler, two.link_scheduler)
    ):
        raise InputError(
            "an event changes a link's delay or scheduler, which a simulation cannot "
            "do during a run; simulate the two scenarios apart"
        )
    a, b = before.traffic, after.traffic
    if (
        a.flow_count != b.flow_count
        or not np.array_equal(a.flow_source, b.flow_source)
        or not np.array_equal(a.flow_target, b.flow_target)
        or not np.array_equal(a.flow_class, b.flow_class)
        or a.class_name != b.class_name
    ):
        raise InputError(
            "an event changes which flows there are; list every flow from the start, "
            "at rate 0 while it is silent"
        )
