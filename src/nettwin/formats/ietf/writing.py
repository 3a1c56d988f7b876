"""Writing: a scenario as a network of RFC 8345, with L3 and TE attributes and our own.

A number that its standard leaf would round stands there rounded, and exactly in `nettwin:link` or
`nettwin:node`.
"""

from __future__ import annotations

import math
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

import numpy as np

from nettwin.formats.ietf.attributes import (
    L3_LINK,
    ONE_WAY,
    OWN_LINK,
    OWN_NODE,
    OWN_SCHEDULER,
    TE,
)
from nettwin.formats.ietf.reading import LINK
from nettwin.formats.ietf.traffic import ROUTING, TRAFFIC, routing_to_dict, traffic_to_dict
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.topology import Topology

_MAX_DELAY_US = 16_777_215  # what RFC 8776 allows for a one-way delay
_MAX_METRIC = 2**32 - 1
_DEGREE_DIGITS = Decimal("1e-8")


def document(scenario: Scenario) -> dict[str, Any]:
    """The whole file as plain JSON types."""
    topology = scenario.topology
    network = {
        "network-id": scenario.name.strip() or "network",
        "network-types": {
            "ietf-l3-unicast-topology:l3-unicast-topology": {},
            "ietf-te-topology:te-topology": {},
        },
        "node": [_node(topology, i) for i in range(topology.node_count)],
        LINK: [_link(topology, k) for k in range(topology.link_count)],
        ROUTING: routing_to_dict(scenario),
        TRAFFIC: traffic_to_dict(scenario),
    }
    return {"ietf-network:networks": {"network": [network]}}


def _node(topology: Topology, i: int) -> dict[str, Any]:
    te: dict[str, Any] = {}
    own: dict[str, Any] = {}
    place = {
        "latitude": float(topology.node_latitude_deg[i]),
        "longitude": float(topology.node_longitude_deg[i]),
    }
    known = {name: value for name, value in place.items() if not math.isnan(value)}
    for name, value in known.items():
        rounded = Decimal(repr(value)).quantize(_DEGREE_DIGITS, ROUND_HALF_EVEN)
        te.setdefault("geolocation", {})[name] = f"{rounded.normalize():f}"
        if float(rounded) != value:
            own[f"{name}-deg"] = value
    if not topology.node_up[i]:
        te["te-node-attributes"] = {"admin-status": "down"}
    if topology.node_srlg[i]:
        own["srlg"] = list(topology.node_srlg[i])
    return {"node-id": topology.node_name[i], **_filled({TE: te, OWN_NODE: own})}


def _link(topology: Topology, k: int) -> dict[str, Any]:
    own: dict[str, Any] = {}
    source, target = topology.link_source[k], topology.link_target[k]
    attributes: dict[str, Any] = {"admin-status": "up" if topology.link_up[k] else "down"}
    attributes |= _bandwidth(float(topology.link_capacity_bps[k]), own)
    attributes |= _delay(float(topology.link_delay_s[k]), own)
    if topology.link_srlg[k]:
        attributes |= _srlg(topology.link_srlg[k], own)
    weight = float(topology.link_weight[k])
    metric = min(max(round(weight), 1), _MAX_METRIC)
    if metric != weight:
        own["weight"] = weight
    return {
        "link-id": topology.link_name[k],
        "source": {"source-node": topology.node_name[source]},
        "destination": {"dest-node": topology.node_name[target]},
        L3_LINK: {"metric1": metric},
        TE: {"te-link-attributes": attributes},
        OWN_SCHEDULER: topology.schedulers[topology.link_scheduler[k]].to_dict(),
        **_filled({OWN_LINK: own}),
    }


def _bandwidth(capacity_bps: float, own: dict[str, Any]) -> dict[str, Any]:
    """Bytes a second as an IEEE float of 32 bits, in the notation of RFC 8294."""
    rounded = float(np.float32(min(max(capacity_bps / 8, 1.0), float(np.finfo(np.float32).max))))
    if rounded * 8 != capacity_bps:
        own["capacity-bps"] = capacity_bps
    mantissa, exponent = rounded.hex().split("p")
    mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
    return {"max-link-bandwidth": {"te-bandwidth": {"generic": f"{mantissa}p{exponent}"}}}


def _delay(delay_s: float, own: dict[str, Any]) -> dict[str, Any]:
    """Whole microseconds."""
    whole_us = min(round(delay_s * 1e6), _MAX_DELAY_US)
    if whole_us / 1e6 != delay_s:
        own["delay-s"] = delay_s
    return {ONE_WAY: {"one-way-delay": whole_us}}


def _srlg(groups: tuple[str, ...], own: dict[str, Any]) -> dict[str, Any]:
    """Numbers of 32 bits; other names stand in our own node, with all others."""
    numbers = [int(g) for g in groups if g.isascii() and g.isdecimal() and len(g) < 10]
    if tuple(map(str, numbers)) != groups:
        own["srlg"] = list(groups)
    return {"te-srlgs": {"value": numbers}} if numbers else {}


def _filled(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value}
