"""Routers: namespaces, cables, daemons and traffic of one scenario, inside the host process.

Everything here goes by indices of nodes, links and flows; what they are called and what is planned
is known outside (network.py).
"""

from __future__ import annotations

import socket
import time
from collections.abc import Collection, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nettwin.errors import NetworkError
from nettwin.physical.linux import addresses, frr, ports
from nettwin.physical.linux.namespaces import Namespace, join
from nettwin.physical.linux.ports import Port
from nettwin.physical.linux.tables import MAIN
from nettwin.physical.linux.traffic import SENT, Traffic, spread, summary
from nettwin.scenario.scenario import Scenario

MTU = 9216
POLL_S, STABLE_POLLS = 0.05, 3
STEERED = 100  # priority of the rules that steer flows
FIRST_TABLE = 1000
Floats = NDArray[np.float64]
Path = tuple[float, tuple[int, ...]]  # share, links
Steered = tuple[tuple[int, int], tuple[int, ...]]  # the first and last port, links


class Reading(NamedTuple):
    """What routers have: by link the OSPF cost, whether its device has a carrier, whether both ends
    have, and the port; by flow the paths that it is steered over."""

    costs: list[int]
    carrier: list[bool]
    up: list[bool]
    ports: list[Port | None]
    steering: dict[int, list[Steered]]


class Routers:
    """The routers of a scenario. Raises NetworkError for what they do not do."""

    def __init__(self, scenario: Scenario, costs: Sequence[int], port: Sequence[Port]) -> None:
        topology = scenario.topology
        self._scenario = scenario
        self._source = topology.link_source.tolist()
        self._target = topology.link_target.tolist()
        self._reverse = addresses.reverses(topology).tolist()
        self._spaces = [Namespace() for _ in range(topology.node_count)]
        self._names = [addresses.router(node) for node in range(topology.node_count)]
        self._steered: dict[int, list[int]] = {}  # tables in use, by flow
        self._traffic: Traffic | None = None
        self._flow_at: dict[tuple[int, int], int] = {}  # by router and first port
        for node, space in enumerate(self._spaces):
            space.netlink.addr("add", index=1, address=addresses.loopback(node), prefixlen=32)
        for link, reverse in enumerate(self._reverse):
            if link < reverse:
                a, b = self._of(link), self._of(reverse)
                join(a, addresses.device(link), b, addresses.device(reverse), MTU)
        self._links_of: list[list[int]] = [[] for _ in self._spaces]  # by router
        self._by_index: list[dict[int, int]] = [{} for _ in self._spaces]  # by index of a device
        for link, node in enumerate(self._source):
            self._links_of[node].append(link)
            self._by_index[node][self._device(link)[1]] = link
        for link in range(topology.link_count):
            mine, _, mine6, _ = addresses.ends(link, self._reverse[link])
            space, index = self._device(link)
            space.netlink.addr("add", index=index, address=mine, prefixlen=30)
            space.netlink.addr("add", index=index, address=mine6, prefixlen=64)
            ports.set_port(space, addresses.device(link), port[link])
        for link in range(topology.link_count):
            if topology.link_live[link]:
                self._up(link)
        for link in range(topology.link_count):
            self._add_segments(link)
        most = 16 if scenario.routing.ecmp else 1
        files = {
            name: frr.configuration(
                name,
                addresses.loopback(node),
                {addresses.device(k): costs[k] for k in self._links_of[node]},
                most,
            )
            for node, name in enumerate(self._names)
        }
        frr.start(dict(zip(self._names, self._spaces, strict=True)), files)

    # ---- what is set

    def set_cost(self, link: int, cost: int) -> None:
        """Give a link an OSPF cost."""
        frr.set_cost(self._names[self._source[link]], addresses.device(link), cost)

    def set_port(self, link: int, port: Port) -> None:
        """Give a link another scheduler."""
        ports.set_port(self._of(link), addresses.device(link), port)

    def set_links(self, up: Sequence[bool]) -> None:
        """Take cables down and bring them up. [links] `up` of a link and its reverse are equal."""
        now = self.links_up()
        for link, reverse in enumerate(self._reverse):
            if link < reverse and not up[link] and now[link]:
                space, index = self._device(link)
                space.netlink.link("set", index=index, state="down")
        for link in range(len(self._reverse)):
            if up[link] and not now[link]:
                self._up(link)
        for link in range(len(self._reverse)):
            if up[link] and not now[link]:
                self._add_segments(link)

    def steer(self, flow: int, paths: Sequence[Path]) -> None:
        """Let a flow take these paths (links), each with its share; none: the common routing."""
        assert self._traffic is not None
        traffic = self._scenario.traffic
        source, target = int(traffic.flow_source[flow]), int(traffic.flow_target[flow])
        space, first = self._spaces[source], int(self._traffic.first_port[flow])
        dealt = [(share, addresses.encapsulation_bytes(len(links))) for share, links in paths]
        share, overhead, spans = spread(dealt or [(1.0, 0)])
        tables = []
        # another table each time: packets follow the old paths until the new ones are complete
        beside = self._steered.get(flow, [])
        half = addresses.PORTS_A_FLOW
        base = FIRST_TABLE + 2 * half * flow
        base += half if beside and beside[0] < base + half else 0
        for k, (_, links) in enumerate(paths):
            segments = addresses.segments(list(links), int(traffic.flow_class[flow]))
            self._clear(space, base + k)
            space.netlink.route(
                "add",
                dst=f"{addresses.loopback(target)}/32",
                table=base + k,
                oif=space.index(addresses.device(links[0])),
                prefsrc=addresses.loopback(source),
                # pyroute2 puts them into the header as they come, where the last stands first
                encap={"type": "seg6", "mode": "encap", "segs": ",".join(reversed(segments))},
            )
            begin, end = spans[k]
            tables.append(base + k)
            space.netlink.rule(
                "add",
                priority=STEERED,
                table=base + k,
                src=addresses.loopback(source),  # flows that pass by have the same ports
                src_len=32,
                ip_proto=socket.IPPROTO_UDP,
                sport_range=f"{first + begin}:{first + end}",
            )
        for table in beside:
            with suppress(Exception):  # who took it away spared us the work
                space.netlink.rule("del", priority=STEERED, table=table)
            self._clear(space, table)
        self._steered[flow] = tables
        self._traffic.use(flow, spans)
        self._traffic.share[flow], self._traffic.overhead[flow] = share, overhead

    # ---- what they have

    def read(self, nodes: Collection[int] | None, before: Reading | None) -> Reading:
        """What all routers have; or what some have, and the others had `before`."""
        count = len(self._reverse)
        none = [False] * count
        read = before or Reading([0] * count, none, none, [None] * count, {})
        asked = range(len(self._spaces)) if nodes is None else nodes
        carrier = list(read.carrier)
        costs, found = list(read.costs), list(read.ports)
        source = self._scenario.traffic.flow_source
        steering = {f: p for f, p in read.steering.items() if int(source[f]) not in asked}
        classes = len(self._scenario.traffic.class_name)
        for node in asked:
            space, mine = self._spaces[node], self._links_of[node]
            devices = [addresses.device(link) for link in mine]
            cost, up = frr.costs(self._names[node]), space.tables.up()
            port = ports.read_ports(space, devices, classes)
            for k, (link, device) in enumerate(zip(mine, devices, strict=True)):
                costs[link], carrier[link], found[link] = cost.get(device, 0), up[device], port[k]
            steering |= self._steering(node)
        both = [carrier[link] and carrier[reverse] for link, reverse in enumerate(self._reverse)]
        return Reading(costs, carrier, both, found, steering)

    def link_state(self, node: int) -> str:
        """The OSPF link-state database that a router has, as FRR's JSON (format `ospf`)."""
        return frr.command(self._names[node], [frr.LINK_STATE])

    def links_up(self) -> list[bool]:
        """Whether each link and its reverse have a carrier."""
        up: list[bool] = [False] * len(self._reverse)
        for space, mine in zip(self._spaces, self._links_of, strict=True):
            state = space.tables.up()
            for link in mine:
                up[link] = state[addresses.device(link)]
        return [up[link] and up[reverse] for link, reverse in enumerate(self._reverse)]

    def _steering(self, node: int) -> dict[int, list[Steered]]:
        """The paths that flows of a router are steered over, by the rules and routes of its
        kernel."""
        tables = self._spaces[node].tables
        lists = {r.table: r.segments for r in tables.routes() if r.segments}
        found: dict[int, list[Steered]] = {}
        for rule in tables.rules() if lists else ():
            first, last = rule.first_port, rule.last_port
            base = first - (first - addresses.FIRST_SOURCE_PORT) % addresses.PORTS_A_FLOW
            flow = self._flow_at.get((node, base))
            if rule.priority != STEERED or flow is None or rule.table not in lists:
                continue
            links = tuple(int(one.split(":")[1], 16) for one in reversed(lists[rule.table]))
            found.setdefault(flow, []).append(((first - base, last - base), links))
        return {flow: sorted(paths) for flow, paths in found.items()}

    def next_links(self) -> NDArray[np.bool_]:
        """Which links each router takes toward each other. [target, links]"""
        nodes = len(self._spaces)
        taken = np.zeros((nodes, len(self._reverse)), np.bool_)
        for space, mine in zip(self._spaces, self._by_index, strict=True):
            for route in space.tables.routes():
                target = addresses.node_of(route.target) if route.target else None
                if route.table != MAIN or target is None or target >= nodes:
                    continue
                for device in route.devices:
                    if device in mine:
                        taken[target, mine[device]] = True
        return taken

    def settle(self, allowed: NDArray[np.bool_], ecmp: bool, limit_s: float) -> float:
        """Wait until every router takes exactly the links that are `allowed` [target, links]
        toward each target, or one of them without `ecmp`; gives how long it took.

        Raises NetworkError where that is not so after `limit_s`.
        """
        begin = time.monotonic()
        agreed = 0
        while True:
            wrong = self._disagreement(allowed, ecmp)
            agreed = 0 if wrong else agreed + 1
            passed_s = time.monotonic() - begin
            if agreed >= STABLE_POLLS:
                return passed_s
            if wrong and passed_s > limit_s:
                raise NetworkError(f"routes are not stable after {limit_s:g} s: {wrong}")
            time.sleep(POLL_S)

    # ---- traffic

    def begin_traffic(self, scenario: Scenario, ring: int, seed: int) -> None:
        """Let the flows begin to send."""
        self._traffic = Traffic(scenario, self._spaces, ring, seed)
        ports_of = zip(scenario.traffic.flow_source, self._traffic.first_port, strict=True)
        self._flow_at = {(int(node), int(port)): f for f, (node, port) in enumerate(ports_of)}

    def warm_up(self, seconds: float) -> None:
        """Wait until packets have been sent for so long."""
        assert self._traffic is not None
        while not self._traffic.state[SENT] and self._traffic.offers:
            self._traffic.check()
            time.sleep(POLL_S)
        time.sleep(seconds)

    def become(self, scenario: Scenario) -> None:
        """Let the flows offer other rates."""
        assert self._traffic is not None
        self._traffic.become(scenario)

    def measure(
        self, seconds: float, grace_s: float, batches: int, lacking: tuple[Floats, Floats]
    ) -> dict[str, Any]:
        """What flows and queues did in an interval that begins now: times in s since 1970, packets
        and delays by flow (also by batch), bytes, packets and drops by queue.

        `lacking` is what delays here leave out: seconds a bit, and seconds. [flows]"""
        assert self._traffic is not None
        traffic, flows = self._traffic, self._scenario.traffic.flow_count
        before, begin_ns = self._counters(), time.time_ns()
        time.sleep(seconds)
        after, end_ns = self._counters(), time.time_ns()
        limit = time.monotonic() + grace_s
        sent = traffic.sent(begin_ns, end_ns)
        while time.monotonic() < limit and len(traffic.received(begin_ns, end_ns)) < len(sent):
            time.sleep(0.02)
        traffic.check()
        received = traffic.received(begin_ns, end_ns)
        serialization_s, propagation_s = lacking
        flow, bits = received[:, 1], received[:, 3] * 8
        lacks_s = serialization_s[flow] * bits + propagation_s[flow]
        received[:, 2] += np.rint(lacks_s * 1e9).astype(np.int64)
        which = (received[:, 0] - begin_ns) * batches // (end_ns - begin_ns)
        cell = received[:, 1] * batches + which
        counts = np.bincount(cell, minlength=flows * batches).reshape(flows, batches)
        sums = np.bincount(cell, received[:, 2] * 1e-9, flows * batches)
        return {
            "begin_s": begin_ns / 1e9,
            "end_s": end_ns / 1e9,
            "flows": summary(sent, received, flows),
            "batch_count": counts,
            "batch_delay": sums.reshape(flows, batches),
            "queues": np.maximum(after - before, 0),
            "late_s": traffic.late_s,
        }

    def close(self) -> None:
        """End the traffic; the rest ends with the process."""
        if self._traffic is not None:
            self._traffic.close()

    # ---- within

    def _of(self, link: int) -> Namespace:
        space: Namespace = self._spaces[self._source[link]]
        return space

    def _device(self, link: int) -> tuple[Namespace, int]:
        space = self._of(link)
        return space, space.index(addresses.device(link))

    def _up(self, link: int) -> None:
        """Bring a link's device up; its IPv6 address is lost whenever it goes down."""
        space, index = self._device(link)
        space.netlink.link("set", index=index, state="up")
        address = addresses.ends(link, self._reverse[link])[2]
        with suppress(Exception):  # it has it still
            space.netlink.addr("add", index=index, address=address, prefixlen=64)

    def _add_segments(self, link: int) -> None:
        """The route onto a link, and what its target does with what comes by it."""
        space, index = self._device(link)
        neighbor = addresses.ends(link, self._reverse[link])[3]
        onto = {"dst": f"fc00:{link:x}::/32", "gateway": neighbor, "oif": index}
        with suppress(Exception):  # the link is down
            space.netlink.route("replace", family=socket.AF_INET6, **onto)
        target = self._target[link]
        far = self._spaces[target]
        arrival = far.index(addresses.device(self._reverse[link]))
        actions: list[tuple[str, dict[str, str]]] = [
            (addresses.segment(link, onward), {"type": "seg6local", "action": "End"})
            for onward, source in enumerate(self._source)
            if source == target
        ]
        decapsulation = {"type": "seg6local", "action": "End.DX4"}
        decapsulation["nh4"] = addresses.loopback(target)
        actions.append((addresses.segment(link), decapsulation))
        for prefix, action in actions:
            with suppress(Exception):  # the link is down
                far.netlink.route(
                    "replace",
                    family=socket.AF_INET6,
                    dst=f"{prefix}/48",
                    oif=arrival,
                    encap=action,
                )

    def _clear(self, space: Namespace, table: int) -> None:
        space.netlink.flush_routes(family=socket.AF_INET, table=table)

    def _disagreement(self, allowed: NDArray[np.bool_], ecmp: bool) -> str:
        taken = self.next_links()
        same = taken == allowed if ecmp else taken <= allowed
        if not ecmp:  # one of several
            source = np.asarray(self._source)
            for node in range(len(self._spaces)):
                mine = source == node
                lacks = allowed[:, mine].any(axis=1) != taken[:, mine].any(axis=1)
                same[np.ix_(lacks, mine)] = False
        if same.all():
            return ""
        target, link = (int(i[0]) for i in np.nonzero(~same))
        name = self._scenario.topology.node_name
        verb = "takes" if taken[target, link] else "does not take"
        return (
            f"router {name[self._source[link]]} {verb}"
            f" link {self._scenario.topology.link_name[link]} toward {name[target]}"
        )

    def _counters(self) -> NDArray[np.int64]:
        """Bytes, packets and drops of every queue. [queues, 3]"""
        rows = [
            row
            for link in range(len(self._reverse))
            for row in ports.counters(self._of(link), addresses.device(link))
        ]
        return np.array(rows, np.int64).reshape(-1, 3)
