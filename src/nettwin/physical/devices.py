"""Devices: which routers a change is made on."""

from __future__ import annotations

from nettwin.scenario.changes import Change
from nettwin.scenario.link_names import find_links
from nettwin.scenario.scenario import Scenario


def devices_of(change: Change, scenario: Scenario) -> tuple[str, ...]:
    """The names of the routers on which a change is made: the source of a flow that is steered, the
    sources of the links whose ports are set. Empty for what no router does."""
    topology, traffic = scenario.topology, scenario.traffic
    flow, link = getattr(change, "flow", None), getattr(change, "link", None)
    if flow is not None:
        return (topology.node_name[int(traffic.flow_source[scenario.flow(flow)])],)
    if link is None:
        return ()
    ends = topology.link_source[find_links(topology, link)].tolist()
    return tuple(dict.fromkeys(topology.node_name[end] for end in ends))
