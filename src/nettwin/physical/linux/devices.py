"""Devices of an emulated network: the actuator that makes changes on its routers, and what they
have."""

from __future__ import annotations

from collections.abc import Callable, Collection

import numpy as np
from numpy.typing import NDArray

from nettwin.errors import NetworkError
from nettwin.observation import configuration
from nettwin.physical.devices import devices_of
from nettwin.physical.linux import frr, ports
from nettwin.physical.linux.host import Host
from nettwin.physical.linux.routers import Path, Reading
from nettwin.physical.linux.traffic import spread
from nettwin.scenario.changes import Change, SetBuffer, SetPath, SetScheduler, SetWeight
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.scheduling import Scheduler
from nettwin.scenario.shortest import TIE, shortest_path_distances

KINDS = (SetPath, SetWeight, SetScheduler, SetBuffer)
SETTLED_S = 20.0  # in which routes must be stable after a change
FIRST_S = 120.0  # after the start


def cost_of(weight: float) -> int:
    """The OSPF cost of a weight. Raises NetworkError where there is none."""
    cost = round(weight)
    if cost != weight or not 1 <= cost <= frr.MAX_COST:
        raise NetworkError(
            f"the weight {weight:g} is no OSPF cost: must be a whole number from 1 to"
            f" {frr.MAX_COST}. Give such weights."
        )
    return int(cost)


class LinuxDevices:
    """FRR, queueing disciplines and SRv6 on the routers of a host.

    `meant` is the network as it was told to be; what the routers have is read back and laid over
    it. `remember` is called with what is meant after each change, before the change is made.
    """

    name = "linux"

    def __init__(self, host: Host, meant: Scenario, remember: Callable[[Change], None]) -> None:
        self.host, self.meant, self._remember = host, meant, remember
        self._steered: dict[int, tuple[Path, ...]] = {}
        self._read: Reading | None = None
        self._resteered: set[int] = set()  # routers whose flows were steered since
        self._settled: NDArray[np.bool_] | None = None  # the shortest links at the last wait

    def refuses(self, change: Change) -> str:
        if not isinstance(change, KINDS):
            able = ", ".join(kind.kind for kind in KINDS)
            return f"{change.describe()}: routers of Linux take {able}, and no {change.kind}"
        if isinstance(change, SetWeight):
            try:
                cost_of(change.weight)
            except NetworkError as error:
                return f"{change.describe()}: {error}"
        if isinstance(change, SetScheduler):
            try:
                words = ports.refusal(Scheduler.from_dict(change.scheduler))
            except (TypeError, ValueError, OverflowError):
                return ""  # the change itself says what is wrong
            return f"{change.describe()}: {words}" if words else ""
        return ""

    def configured(self, devices: Collection[str] = ()) -> Scenario:
        """What the routers have: costs, carriers, ports, and the paths of steered flows."""
        meant, read = self.meant, self._now(devices)
        topology, routing = meant.topology, meant.routing
        ends_up = topology.node_up[topology.link_source] & topology.node_up[topology.link_target]
        schedulers = list(topology.schedulers)
        which = topology.link_scheduler.copy()
        for link, port in enumerate(read.ports):
            if port is None:
                raise NetworkError(f"the port of link {topology.link_name[link]} is not shaped")
            if port != self.port(link):
                found = ports.scheduler_of(port, meant.traffic.class_name)
                if found not in schedulers:
                    schedulers.append(found)
                which[link] = schedulers.index(found)
        for flow, paths in self._steered.items():
            if read.steering.get(flow, []) != _as_read(paths):
                routing = routing.steered(flow, ())
        return meant.with_(
            topology=topology.with_arrays(
                link_weight=np.array(read.costs, np.float64),
                link_up=np.where(ends_up, np.array(read.up, np.bool_), topology.link_up),
                schedulers=tuple(schedulers),
                link_scheduler=which,
            ),
            routing=routing,
        )

    def _now(self, devices: Collection[str]) -> Reading:
        """What is read of the named routers, or of all, beside what was read last."""
        topology = self.meant.topology
        nodes = {*map(topology.node, devices), *self._resteered} if devices and self._read else None
        self._read = self.host.read(nodes, self._read)
        self._resteered.clear()
        return self._read

    def make(self, change: Change) -> None:
        topology = self.meant.topology
        after = change.apply(self.meant)
        for device in devices_of(change, self.meant):
            if not topology.node_up[topology.node(device)]:
                if configuration(after) == configuration(self.meant):
                    return  # it was never told otherwise: there is nothing to take back
                raise NetworkError(f"router {device} does not answer")
        for scheduler in after.topology.schedulers:
            if words := ports.refusal(scheduler):
                raise NetworkError(f"{change.describe()}: {words}")
        costs = [cost_of(weight) for weight in after.topology.link_weight.tolist()]
        self._remember(change)
        before, self.meant = self.meant, after
        if isinstance(change, SetWeight):
            have = np.array(self._now(()).costs)
            for link in np.flatnonzero(have != np.array(costs)).tolist():
                self.host.set_cost(link, costs[link])
        elif isinstance(change, SetScheduler | SetBuffer):
            now = self._now(()).ports
            for link in range(topology.link_count):
                changed = _scheduler(before, link) != _scheduler(after, link)
                if changed or now[link] != self.port(link):
                    self.host.set_port(link, self.port(link))
        self.resteer(again=getattr(change, "flow", ""))

    def settle(self, limit_s: float = SETTLED_S) -> None:
        """Wait until all routers take the shortest paths of the network as it is meant to be.
        Where those are the same as at the last time no route moves."""
        wanted = shortest_links(self.meant)
        if self._settled is None or not np.array_equal(wanted, self._settled):
            self._settled = None
            self.host.settle(wanted, self.meant.routing.ecmp, limit_s)
            self._settled = wanted

    def let(self, change: Change) -> None:
        """Let something happen to links or nodes: cables go down or come up, and headends give up
        segment lists that lead over what is down."""
        after = change.apply(self.meant)
        self._remember(change)
        self.meant = after
        self.host.set_links(after.topology.link_live.tolist())
        self.resteer()

    def port(self, link: int) -> ports.Port:
        """The port of a link as it is meant to be."""
        return port_of(self.meant, link)

    def resteer(self, *, again: str = "") -> None:
        """Give headends the segment lists of the paths that their flows take now; that of the flow
        `again` even where it seems to have them."""
        paths, names = self.meant.paths, self.meant.flow_names
        for flow in sorted({*self.meant.routing.steer, *self._steered}):
            own = flow in self.meant.routing.steer and not paths.fallback[flow]
            wanted: tuple[Path, ...] = ()
            if own and paths.status[flow] == 0:
                wanted = tuple((share, tuple(links)) for share, links in paths.of(flow))
            if wanted != self._steered.get(flow, ()) or names[flow] == again:
                self._resteered.add(int(self.meant.traffic.flow_source[flow]))
                self.host.steer(flow, wanted)
                self._steered[flow] = wanted


def port_of(scenario: Scenario, link: int) -> ports.Port:
    """What the kernel is told of a link's port."""
    capacity = float(scenario.topology.link_capacity_bps[link])
    return ports.port_of(_scheduler(scenario, link), capacity, scenario.traffic.class_name)


def shortest_links(scenario: Scenario) -> NDArray[np.bool_]:
    """The links that are on shortest paths toward each node. [target, links]"""
    topology = scenario.topology
    distance = shortest_path_distances(topology, np.arange(topology.node_count)).distance
    source, target = topology.link_source, topology.link_target
    here, there = distance[:, source], distance[:, target]
    with np.errstate(invalid="ignore"):
        gap = np.abs(topology.link_weight + there - here)
        on = gap <= TIE * here
    return np.asarray(on & np.isfinite(here) & topology.link_live)


def _scheduler(scenario: Scenario, link: int) -> Scheduler:
    return scenario.topology.schedulers[int(scenario.topology.link_scheduler[link])]


def _as_read(paths: tuple[Path, ...]) -> list[tuple[tuple[int, int], tuple[int, ...]]]:
    """Paths as the rules and routes of the kernel tell them."""
    if not paths:
        return []
    _, _, spans = spread([(share, 0) for share, _ in paths])
    return sorted((span, links) for span, (_, links) in zip(spans, paths, strict=True))
