"""LinuxNetwork: real routers on this machine, watched and steered."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nettwin.errors import InputError, NetworkError
from nettwin.observation import Observation
from nettwin.physical.applying import SteeredNetwork
from nettwin.physical.linux import addresses, ports, runs
from nettwin.physical.linux.devices import (
    FIRST_S,
    LinuxDevices,
    cost_of,
    port_of,
)
from nettwin.physical.linux.history import History
from nettwin.physical.linux.host import Host
from nettwin.physical.linux.measuring import BATCHES, metrics_of, offered_bps
from nettwin.physical.linux.traffic import HEADERS_BYTES, MIN_PAYLOAD
from nettwin.physical.network import Event
from nettwin.scenario.changes import Change, ScaleTraffic, SetBuffer, SetScheduler, apply_all
from nettwin.scenario.packet_sizes import Discrete, Fixed, PacketSize
from nettwin.scenario.scenario import Scenario
from nettwin.settings import settings_of

MIN_BITS = 8 * (HEADERS_BYTES + MIN_PAYLOAD)
MAX_MTU_BITS = 8 * 9000
FLOWS_A_NODE = (65536 - addresses.FIRST_SOURCE_PORT) // addresses.PORTS_A_FLOW
REFUSED = ("add_flow", "remove_flow", "rate_limit", "set_capacity")


@dataclass(frozen=True)
class Linux:
    """Settings of an emulated network: an observation takes `interval_s` seconds, `seed` draws the
    packets, and packets that are still under way after `grace_s` are lost. It is open when traffic
    has run for `warmup_s`."""

    interval_s: float = 5.0
    seed: int = 1
    grace_s: float = 1.0
    warmup_s: float = 0.5

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Linux:
        """Settings as they stand in a file. Raises InputError for one that is unknown or wrong."""
        made = settings_of(cls, settings, "a linux network")
        for name in settings:
            if getattr(made, name) <= 0:
                value = getattr(made, name)
                raise InputError(f"{name} is {value!r}: must be a number above 0. Correct it.")
        return made


class LinuxNetwork(SteeredNetwork):
    """Routers of Linux and FRR in namespaces of this machine; see
    `nettwin.physical.network.Network`.

    They start when it is opened and end when it is closed or the process ends; what was set on them
    and what had failed is kept in the folder, and is so again when it is opened the next time.
    Cables carry packets at once; the serialization and propagation of their links are added to what
    is measured.
    """

    name = "linux"

    def __init__(self, plan: Scenario, folder: Path, settings: Linux | None = None) -> None:
        self.settings = settings or Linux()
        self.plan = as_emulated(plan)
        self._history = History(folder / "linux.json")
        lasting = [c for c in self._history.changes if not isinstance(c, ScaleTraffic)]
        meant = apply_all(self.plan, lasting)
        check(meant)
        begun = meant.with_(routing=self.plan.routing)
        topology = meant.topology
        costs = [cost_of(weight) for weight in topology.link_weight.tolist()]
        built = [port_of(begun, link) for link in range(topology.link_count)]
        bare = begun.with_(routing=type(begun.routing)(ecmp=begun.routing.ecmp))
        self._host = Host(bare, costs, built)
        self._record = runs.write(self._host.pid)
        try:
            devices = LinuxDevices(self._host, meant, self._history.add)
            super().__init__(devices, folder / "applied", time.time)
            self.devices = devices
            devices.settle(FIRST_S)
            self._surged = self._offered()
            self._measured_bps = self._surged.traffic.flow_rate_bps
            self._host.begin_traffic(
                self._surged, _ring(self._surged, self.settings), int(self.settings.seed)
            )
            devices.resteer()
            self._host.warm_up(self.settings.warmup_s)
        except BaseException:
            self.close()
            raise

    def configured(self) -> Scenario:
        """What the routers have now, with the rates that flows offered last."""
        now = self.actuator.configured()
        return now.with_(traffic=now.traffic.with_arrays(flow_rate_bps=self._measured_bps))

    def observe(self) -> Observation:
        self.expire()
        settings = self.settings
        seen = self._host.measure(
            settings.interval_s, settings.grace_s, BATCHES, lacking(self.devices.meant)
        )
        self._measured_bps = offered_bps(self.plan, seen)
        told = self.configured()
        return Observation(
            seen["end_s"], seen["end_s"] - seen["begin_s"], told, metrics_of(told, seen, self.name)
        )

    def inject(self, event: Event) -> None:
        """See `Network.inject`. A cable fails in both directions. Raises InputError for an event
        that this network cannot have."""
        change = event.change
        if change.kind in REFUSED:
            raise InputError(
                f"{change.kind} cannot happen on the linux network. Use another event."
            )
        if isinstance(change, ScaleTraffic):
            self._history.add(change)
            self._host.become(self._offered())
            return
        after = change.apply(self.devices.meant)
        up = after.topology.link_live
        if (up != up[addresses.reverses(after.topology)]).any():
            raise InputError(
                f"{change.describe()}: a cable of the linux network fails in both directions."
                " Name both, A<->B."
            )
        if not event.told:
            self._misconfigure(change)
        elif (up != self.devices.meant.topology.link_live).any():
            self.devices.let(change)
            self.devices.settle()
        else:
            self.devices.make(change)
            self.devices.settle()

    def close(self) -> None:
        """End the routers and their traffic; a second call does nothing."""
        self._host.close()
        runs.remove(self._record)

    def _misconfigure(self, change: Change) -> None:
        """Set a port otherwise than is meant; only its router knows."""
        if not isinstance(change, SetScheduler | SetBuffer):
            raise InputError(
                f"{change.describe()} cannot be hidden on the linux network: routers tell what they"
                " have. Let it be told."
            )
        other = change.apply(self.devices.meant)
        for link in range(other.topology.link_count):
            port = port_of(other, link)
            if port != self.devices.port(link):
                self._host.set_port(link, port)

    def _offered(self) -> Scenario:
        """The planned traffic after every surge."""
        surges = [c for c in self._history.changes if isinstance(c, ScaleTraffic)]
        return apply_all(self.plan, surges)


def as_emulated(plan: Scenario) -> Scenario:
    """A network as it is when routers of Linux stand for it: no packet is smaller than Ethernet,
    IP, UDP and a time stamp; flows send as many packets as planned."""
    traffic = plan.traffic
    sizes = tuple(map(_with_headers, traffic.sizes))
    grown = np.array(
        [new.mean_bits / old.mean_bits for new, old in zip(sizes, traffic.sizes, strict=True)]
    )
    return plan.with_(
        traffic=replace(
            traffic.with_arrays(flow_rate_bps=traffic.flow_rate_bps * grown[traffic.flow_size]),
            sizes=sizes,
        ),
    )


def lacking(scenario: Scenario) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What the delay of a packet lacks where cables carry it at once: seconds a bit and seconds,
    means over the paths of a flow. [flows]"""
    paths, topology, flows = scenario.paths, scenario.topology, scenario.traffic.flow_count
    share = paths.share[paths.hop_path]

    def along(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.bincount(paths.hop_flow, share * values[paths.links], flows).astype(np.float64)

    return along(1 / topology.link_capacity_bps), along(topology.link_delay_s)


def _with_headers(size: PacketSize) -> PacketSize:
    if isinstance(size, Fixed):
        return Fixed(max(size.bits, MIN_BITS))
    if isinstance(size, Discrete):
        return Discrete(tuple(max(b, MIN_BITS) for b in size.sizes_bits), size.probabilities)
    return size


def check(scenario: Scenario) -> None:
    """Raise InputError or NetworkError where routers of Linux cannot stand for a network."""
    topology, traffic = scenario.topology, scenario.traffic
    addresses.reverses(topology)
    for link, k in enumerate(topology.link_scheduler.tolist()):
        if words := ports.refusal(topology.schedulers[k]):
            raise NetworkError(f"link {topology.link_name[link]}: {words}. Change its scheduler.")
    for weight in topology.link_weight.tolist():
        cost_of(weight)
    if scenario.routing.next_link is not None:
        raise NetworkError(
            "the linux network routes by OSPF: next-hop tables cannot be had. Give weights."
        )
    if len(traffic.class_name) > addresses.MAX_CLASSES:
        raise NetworkError(
            f"{len(traffic.class_name)} traffic classes: must be at most {addresses.MAX_CLASSES}."
            " Join some."
        )
    most = np.bincount(traffic.flow_source, minlength=1).max(initial=0)
    if most > FLOWS_A_NODE:
        raise NetworkError(
            f"{most} flows begin at one node: must be at most {FLOWS_A_NODE}. Join some."
        )
    for size in traffic.sizes:
        if size.min_bits < MIN_BITS or size.max_bits > MAX_MTU_BITS:
            raise NetworkError(
                f"packets of {size}: must have {MIN_BITS} to {MAX_MTU_BITS} bits here, with"
                " Ethernet, IP and UDP. Give other sizes."
            )


def _ring(scenario: Scenario, settings: Linux) -> int:
    """How many packets must be remembered for one interval, amply."""
    rate = float(scenario.traffic.flow_packet_rate_pps.sum())
    return int(8 * rate * (settings.interval_s + settings.grace_s)) + 65536
