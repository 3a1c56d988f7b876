"""Mapping: which node an unknown device may be, and which link a port, with the reason why.

Names that resemble each other tell, and so does traffic: what a port sends, the port at the far end
of its link receives. What several could be is not proposed.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from nettwin.scenario.topology import Topology
from nettwin.telemetry.counters import Totals, counter_totals, gauge_totals
from nettwin.telemetry.device_mapping import AGREE, APART, nodes_by_ports
from nettwin.telemetry.ports import Names, match_ports
from nettwin.telemetry.series import Port, Series

Floats = NDArray[np.float64]
ALIKE = 0.6  # of difflib, at least: for a device and a node
LEAST_INTERVALS = 10


@dataclass(frozen=True)
class Proposal:
    """What a name of the source stands for in the network, and why."""

    device: str
    interface: str  # empty where a device is proposed
    stands_for: str
    why: str


def propose(series: Iterable[Series], topology: Topology, names: Names) -> list[Proposal]:
    """Proposals for devices and ports that are not found in the network by their names."""
    known = list(series)
    ports = list(dict.fromkeys(one.port for one in known))
    found = _devices(ports, topology, names)
    found += _by_ports(known, ports, topology, names, found)
    devices = {**names.devices, **{one.device: one.stands_for for one in found}}
    names = replace(names, devices=devices)
    matched = match_ports(ports, topology, names)
    node_of = _nodes(ports, topology, names)
    open_ports = [one.port for one in matched.unmatched if one.port.device in node_of]
    taken = set(matched.link_of.values())
    for port, far, off in _far_ends(known, open_ports, topology):
        if far.device not in node_of or port.device not in node_of:
            continue
        between = topology.links_between(node_of[port.device], node_of[far.device]).tolist()
        free = [k for k in between if k not in taken]
        if len(free) == 1:
            taken.add(free[0])
            open_ports.remove(port)
            why = f"{far} receives what it sends, within {off:.1%}"
            found.append(Proposal(*port, topology.link_name[free[0]], why))
    for device in dict.fromkeys(port.device for port in open_ports):
        mine = [port for port in open_ports if port.device == device]
        node = topology.node(node_of[device])
        left = [k for k in np.flatnonzero(topology.link_source == node).tolist() if k not in taken]
        if len(mine) == len(left) == 1:
            why = "the one port and the one link that are left there"
            found.append(Proposal(*mine[0], topology.link_name[left[0]], why))
    return found


def merged(names: Names, proposals: Iterable[Proposal]) -> Names:
    """Names with what is proposed."""
    devices = dict(names.devices)
    links = {device: dict(mine) for device, mine in names.links.items()}
    for one in proposals:
        if one.interface:
            links.setdefault(one.device, {})[one.interface] = one.stands_for
        else:
            devices[one.device] = one.stands_for
    return Names(devices, links)


def _devices(ports: list[Port], topology: Topology, names: Names) -> list[Proposal]:
    """Nodes for devices that are none, by names that are alike: the best, each once."""
    unknown = list(dict.fromkeys(p.device for p in ports if not _nodes([p], topology, names)))
    used = set(_nodes(ports, topology, names).values())
    free = [name for name in topology.node_name if name not in used]
    pairs = sorted(
        ((_alike(device, node), device, node) for device in unknown for node in free),
        reverse=True,
    )
    found: dict[str, Proposal] = {}
    for ratio, device, node in pairs:
        if ratio >= ALIKE and device not in found and node in free:
            free.remove(node)
            found[device] = Proposal(device, "", node, f"their names are alike ({ratio:.0%})")
    return list(found.values())


def _by_ports(
    series: list[Series],
    ports: list[Port],
    topology: Topology,
    names: Names,
    found: list[Proposal],
) -> list[Proposal]:
    """Nodes for the devices that names do not tell."""
    known = {**_nodes(ports, topology, names), **{one.device: one.stands_for for one in found}}
    devices: dict[str, list[str]] = {}
    for port in ports:
        devices.setdefault(port.device, []).append(port.interface)
    if not devices.keys() - known.keys():
        return []
    sent, received = _rates(series)

    def off(near: Port, far: Port) -> float:
        """By how much what one sends differs from what the other receives, in the whole time."""
        one, other = sent.get(near), received.get(far)
        if one is None or other is None:
            return float("nan")
        both = np.isfinite(one) & np.isfinite(other)
        if np.count_nonzero(both) < LEAST_INTERVALS:
            return float("nan")
        return float(abs(one[both].sum() - other[both].sum()) / max(one[both].sum(), 1e-9))

    by_ports = nodes_by_ports(devices, known, topology, off)
    return [Proposal(device, "", node, why) for device, (node, why) in by_ports.items()]


def _alike(one: str, other: str) -> float:
    return difflib.SequenceMatcher(None, one.casefold(), other.casefold()).ratio()


def _nodes(ports: list[Port], topology: Topology, names: Names) -> dict[str, str]:
    """The node of each device that is one."""
    matched = match_ports(ports, topology, names)
    strangers = {one.port.device for one in matched.unmatched if one.why.endswith("is no node")}
    found = {}
    for port in ports:
        if port.device not in strangers:
            device = names.devices.get(port.device, port.device)
            plain = device.casefold().partition(".")[0].partition(":")[0]
            for name in topology.node_name:
                if name == device or name.casefold().partition(".")[0] == plain:
                    found[port.device] = name
    return found


def _far_ends(
    series: list[Series], open_ports: list[Port], topology: Topology
) -> list[tuple[Port, Port, float]]:
    """Ports that send what another port, and no third, receives; and by how much they differ."""
    sent, received = _rates(series)
    found = []
    for port in open_ports:
        if port not in sent:
            continue
        off = sorted(
            (_difference(sent[port], rates), far)
            for far, rates in received.items()
            if far.device != port.device
        )
        best = off[0] if off else (np.inf, port)
        second = off[1][0] if len(off) > 1 else np.inf
        if best[0] <= AGREE and second >= APART * max(best[0], 1e-6):
            found.append((port, best[1], float(best[0])))
    return found


def _rates(series: list[Series]) -> tuple[Mapping[Port, Floats], Mapping[Port, Floats]]:
    """The rates that each port sends and receives, on one grid."""
    totals: dict[str, dict[Port, Totals]] = {"out": {}, "in": {}}
    for one in series:
        side, _, rest = one.quantity.partition("_")
        if side in totals and rest == "octets":
            totals[side][one.port] = counter_totals(one.time_s, one.value, bits=8.0)
        elif side in totals and rest == "bps":
            totals[side].setdefault(one.port, gauge_totals(one.time_s, one.value))
    long = [t for side in totals.values() for t in side.values() if len(t) > LEAST_INTERVALS]
    if not long:
        return {}, {}
    step = float(np.median([np.median(np.diff(t.time_s)) for t in long])) * 2
    begin, end = min(t.time_s[0] for t in long), max(t.time_s[-1] for t in long)
    edges = np.arange(np.ceil(begin / step), np.floor(end / step) + 1) * step
    sent, received = (
        {port: rate for port, t in side.items() if np.nansum(rate := t.rates(edges)) > 0}
        for side in totals.values()
    )
    return sent, received


def _difference(one: Floats, other: Floats) -> float:
    both = np.isfinite(one) & np.isfinite(other)
    if np.count_nonzero(both) < LEAST_INTERVALS:
        return float("inf")
    return float(np.abs(one[both] - other[both]).sum() / max(one[both].sum(), 1e-9))
