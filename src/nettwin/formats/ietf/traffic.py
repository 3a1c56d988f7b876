"""Traffic and routing, in nodes of the module `nettwin`: the standard models have none.

`nettwin:traffic` lists packet sizes and arrival processes once each, and flows that refer to them
by number; `nettwin:routing` says whether flows split (ecmp), and may list next hops.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nettwin.formats.ietf.attributes import build
from nettwin.formats.ietf.tree import Part
from nettwin.formats.partial_network import PartialFlow, PartialNetwork
from nettwin.scenario.arrivals import arrival_from_dict, arrival_to_dict
from nettwin.scenario.packet_sizes import size_from_dict, size_to_dict
from nettwin.scenario.routing import Routing, Steer
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.topology import Topology
from nettwin.scenario.traffic import BEST_EFFORT, FLOW, Traffic

TRAFFIC = "nettwin:traffic"
ROUTING = "nettwin:routing"


def add_traffic(network: Part, partial: PartialNetwork) -> None:
    """Give a draft the flows and the routing of its network, where they are stated."""
    part = network.find(TRAFFIC)
    paths: dict[int, list[Part]] = {}
    if part is not None:
        sizes = [build(p, size_from_dict, "packet size") for p in part.items("packet-size")]
        arrivals = [build(p, arrival_from_dict, "arrival process") for p in part.items("arrival")]
        partial.flows = []
        known = {node.name for node in partial.nodes}
        for flow in part.items("flow"):
            given = list(flow.items("path"))
            if given:
                paths[len(partial.flows)] = given
            partial.flows.append(_flow(flow, known, sizes, arrivals))
    rules = network.find(ROUTING)
    if rules is not None or paths:
        partial.routing = lambda topology, traffic: _routing(rules, paths, topology)


def _flow(
    part: Part, known: set[str], sizes: Sequence[Any], arrivals: Sequence[Any]
) -> PartialFlow:
    ends = []
    for name in ("source", "target"):
        end = part.need(name)
        if end.text() not in known:
            raise end.error(f"is {end.text()!r:.40}, not a node of the network", "Name a node.")
        ends.append(end.text())
    of_class, own_name = part.find("class"), part.find("name")
    return PartialFlow(
        ends[0],
        ends[1],
        part.need("rate-bps").within(FLOW["rate_bps"]),
        BEST_EFFORT if of_class is None else of_class.text(),
        _entry(part.find("packet-size"), sizes),
        _entry(part.find("arrival"), arrivals),
        "" if own_name is None else own_name.text(),
    )


def _entry(part: Part | None, table: Sequence[Any]) -> Any:
    """The entry of a table that a number refers to, None where there is no number."""
    if part is None:
        return None
    if type(part.value) is not int or not 0 <= part.value < len(table):
        raise part.error(
            f"is {part.shown()}: must be the number of an entry, below {len(table)}",
            "Count the entries of the list above from 0.",
        )
    return table[part.value]


def _routing(rules: Part | None, paths: Mapping[int, list[Part]], topology: Topology) -> Routing:
    ecmp, next_link = True, None
    if rules is not None:
        flag = rules.find("ecmp")
        ecmp = True if flag is None else flag.flag()
        if rules.find("next-hop") is not None:
            next_link = np.full((topology.node_count, topology.node_count), -1, np.int32)
            for hop in rules.items("next-hop"):
                here, there = (_index(hop.need(k), topology.node_index) for k in ("node", "target"))
                next_link[here, there] = _index(hop.need("link"), topology.link_index)
    steer = {
        flow: tuple(_candidate(part, topology) for part in parts) for flow, parts in paths.items()
    }
    return Routing(ecmp, next_link, steer)


def _candidate(part: Part, topology: Topology) -> Steer:
    share = part.find("share")
    return Steer(
        tuple(_index(node, topology.node_index) for node in part.items("midpoint")),
        tuple(_index(link, topology.link_index) for link in part.items("link")),
        1.0 if share is None else share.number(),
    )


def _index(part: Part, index: Mapping[str, int]) -> int:
    name = part.text()
    if name not in index:
        raise part.error(f"is {name!r:.40}, which is not in the network", "Correct the name.")
    return index[name]


def traffic_to_dict(scenario: Scenario) -> dict[str, Any]:
    """The inverse: the traffic of a scenario as `nettwin:traffic`."""
    traffic: Traffic = scenario.traffic
    nodes = scenario.topology.node_name
    flows = []
    for f, one in enumerate(traffic.flow_rows()):
        flow: dict[str, Any] = {
            "source": nodes[one.source],
            "target": nodes[one.target],
            "rate-bps": one.rate_bps,
            "class": traffic.class_name[one.traffic_class],
            "packet-size": one.size,
            "arrival": one.arrival,
        }
        if f in traffic.given_names:
            flow["name"] = traffic.given_names[f]
        if f in scenario.routing.steer:
            flow["path"] = [_path_to_dict(path, scenario) for path in scenario.routing.steer[f]]
        flows.append(flow)
    return {
        "packet-size": [size_to_dict(size) for size in traffic.sizes],
        "arrival": [arrival_to_dict(arrival) for arrival in traffic.arrivals],
        "flow": flows,
    }


def _path_to_dict(path: Steer, scenario: Scenario) -> dict[str, Any]:
    out: dict[str, Any] = {"share": path.share}
    if path.midpoints:
        out["midpoint"] = [scenario.topology.node_name[m] for m in path.midpoints]
    if path.links:
        out["link"] = [scenario.topology.link_name[k] for k in path.links]
    return out


def routing_to_dict(scenario: Scenario) -> dict[str, Any]:
    """The common routing of a scenario as `nettwin:routing`."""
    topology, routing = scenario.topology, scenario.routing
    out: dict[str, Any] = {"ecmp": routing.ecmp}
    if routing.next_link is not None:
        out["next-hop"] = [
            {
                "node": topology.node_name[here],
                "target": topology.node_name[there],
                "link": topology.link_name[routing.next_link[here, there]],
            }
            for here, there in np.argwhere(routing.next_link >= 0).tolist()
        ]
    return out
