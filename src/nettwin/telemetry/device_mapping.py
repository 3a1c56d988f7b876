"""Device mapping: which node a device is that is called otherwise, such as by its address.

A device may be a node where it has all ports that the node's links are named by. Where several fit,
traffic tells: what a port sends, the port at the other end of its link receives. What could still
be several nodes is not proposed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

import numpy as np

from nettwin.formats.interface_names import SEPARATOR, same_interface
from nettwin.scenario.topology import Topology
from nettwin.telemetry.series import Port

Ports = Mapping[str, Mapping[str, tuple[str, str]]]  # node: port: the node and port at its far end
Off = Callable[[Port, Port], float]
AGREE = 0.03  # difference of what one port sends and another receives, over what is sent
APART = 3.0  # times that of the best, at least: the difference of any other node
MOST_SHOWN = 3


def nodes_by_ports(
    devices: Mapping[str, Collection[str]],
    known: Mapping[str, str],
    topology: Topology,
    off: Off,
) -> dict[str, tuple[str, str]]:
    """The node of each device that can be one alone, and why. `devices` are the ports of all of
    them, `known` the nodes of some; `off(a, b)` is by how much what a port sends differs from what
    another receives, over what is sent; NaN where it is not known."""
    ports = _ports(topology)
    node_of = dict(known)
    found: dict[str, tuple[str, str]] = {}
    while True:
        free = [node for node in ports if ports[node] and node not in node_of.values()]
        open_ = [device for device in devices if device not in node_of]
        fits = {d: [node for node in free if _has(devices[d], ports[node])] for d in open_}
        told = {}
        for device, nodes in fits.items():
            if len(nodes) == 1:
                told[device] = nodes[0], _why(ports[nodes[0]], "")
            elif nodes and (node := _by_traffic(device, nodes, devices, node_of, ports, off)):
                told[device] = node, _why(ports[node], ", and its traffic goes where theirs does")
        rivals = [node for node, _ in told.values()]
        told = {d: one for d, one in told.items() if rivals.count(one[0]) == 1}
        if not told:
            return found
        found |= told
        node_of |= {device: node for device, (node, _) in told.items()}


def _by_traffic(
    device: str,
    nodes: list[str],
    devices: Mapping[str, Collection[str]],
    node_of: Mapping[str, str],
    ports: Ports,
    off: Off,
) -> str:
    """The node whose neighbors receive what the device sends; empty where none surely is."""
    device_of = {node: device for device, node in node_of.items()}
    costs = []
    for node in nodes:
        values = []
        for port, (other, other_port) in ports[node].items():
            far = device_of.get(other)
            if far is None:
                continue
            here, there = _called(devices[device], port), _called(devices[far], other_port)
            if here and there:
                ends = Port(device, here), Port(far, there)
                values += [off(*ends), off(*reversed(ends))]
        known = [value for value in values if np.isfinite(value)]
        costs.append((float(np.mean(known)) if known else np.inf, node))
    (best, node), (second, _) = sorted(costs)[:2]
    return node if best <= AGREE and second >= APART * max(best, 1e-6) else ""


def _called(device: Collection[str], port: str) -> str:
    """What a device calls a port; empty where it has none of that name."""
    return next((mine for mine in device if port and same_interface(port, mine)), "")


def _ports(topology: Topology) -> Ports:
    """The ports of each node that its links are named by, and where they lead."""
    found: dict[str, dict[str, tuple[str, str]]] = {name: {} for name in topology.node_name}
    named: dict[tuple[str, str], list[str]] = {}  # ports of one node toward another, in order
    ends = zip(topology.link_source.tolist(), topology.link_target.tolist(), strict=True)
    pairs = [tuple(topology.node_name[i] for i in pair) for pair in ends]
    for (a, b), name in zip(pairs, topology.link_name, strict=True):
        if name.startswith(a + SEPARATOR):
            named.setdefault((a, b), []).append(name.removeprefix(a + SEPARATOR))
    for (a, b), mine in named.items():
        back = named.get((b, a), [])
        for k, port in enumerate(mine):
            found[a][port] = (b, back[k] if k < len(back) else "")
    return found


def _has(device: Collection[str], ports: Mapping[str, object]) -> bool:
    return all(_called(device, port) for port in ports)


def _why(ports: Mapping[str, object], more: str) -> str:
    shown = ", ".join(list(ports)[:MOST_SHOWN]) + (", ..." if len(ports) > MOST_SHOWN else "")
    return f"it has the node's ports ({shown}){more}"
