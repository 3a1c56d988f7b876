"""Fields of a network file: every key that a network file may have, declared once.

Reading, the refusal of unknown keys and the JSON schema are made from these tables. A number
without a unit is in SI units; text has its unit (`10G`, `5ms`, `1500B`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from nettwin.quantity import Quantity
from nettwin.scenario import scheduling, topology, traffic

VERSION = 1
SHARE = Quantity("share", "", "part of the flow that takes this path", 1.0, above=0, high=1)


@dataclass(frozen=True)
class Field:
    """A key: what kind of value it holds and what it means.

    `kind` is number, text, name (text that names something; a whole number is taken as its
    digits), names, flag, scheduler, size, arrival, or the name of an element in `ELEMENTS`.
    """

    name: str
    kind: str
    meaning: str
    quantity: Quantity | None = None
    required: bool = False


@dataclass(frozen=True)
class Element:
    """A mapping with these fields; with a `row`, also a list that gives those by position and the
    others in a mapping at its end."""

    title: str
    fields: dict[str, Field]
    row: tuple[str, ...] = ()


def _element(title: str, *fields: Field, row: tuple[str, ...] = ()) -> Element:
    return Element(title, {field.name: field for field in fields}, row)


def _number(name: str, quantity: Quantity, *, required: bool = False) -> Field:
    return Field(name, "number", quantity.meaning, quantity, required)


_LATITUDE = replace(topology.NODE["latitude_deg"], optional=False)
_LONGITUDE = replace(topology.NODE["longitude_deg"], optional=False)
_CAPACITY = _number("capacity", topology.LINK["capacity_bps"])
_DELAY = _number("delay", topology.LINK["delay_s"])
_WEIGHT = _number("weight", topology.LINK["weight"])
_SCHEDULER = Field("scheduler", "scheduler", "scheduler of the port: a name, or a definition")
_SIZE = Field("size", "size", "packet sizes: one size such as 1500B, a name, or a definition")
_ARRIVAL = Field("arrival", "arrival", "arrival process: a kind, a name, or a definition")
_DUPLEX = Field("duplex", "flag", "true: the link stands for two, one in each direction")
_SRLG = Field("srlg", "names", "shared-risk groups that it belongs to")
_UP = Field("up", "flag", "false: it is down")
_CLASS = Field("class", "name", "traffic class")
_VIA = Field("via", "names", "nodes to pass in this order (SR midpoints)")
_PATH = Field("path", "names", "links to take, from the source to the target, by name")

ELEMENTS: dict[str, Element] = {
    "node": _element(
        "a node",
        Field("name", "name", "name of the node", required=True),
        _number("latitude", _LATITUDE),
        _number("longitude", _LONGITUDE),
        _SRLG,
        _UP,
        row=("name", "latitude", "longitude"),
    ),
    "link": _element(
        "a link, the output port of its source",
        Field("source", "name", "node that sends", required=True),
        Field("target", "name", "node that receives", required=True),
        _CAPACITY,
        _DELAY,
        _WEIGHT,
        _SCHEDULER,
        _SRLG,
        _UP,
        Field("name", "name", "name of the link, by default source->target"),
        _DUPLEX,
        row=("source", "target", "capacity", "delay", "weight"),
    ),
    "flow": _element(
        "a flow",
        Field("source", "name", "node where it enters", required=True),
        Field("target", "name", "node where it leaves", required=True),
        _number("rate", traffic.FLOW["rate_bps"], required=True),
        _CLASS,
        _SIZE,
        _ARRIVAL,
        Field("name", "text", "name of the flow, by default source->target"),
        _VIA,
        _PATH,
        Field("paths", "paths", "several paths with their shares"),
        row=("source", "target", "rate", "class"),
    ),
    "path": _element("a path of a flow", _VIA, _PATH, _number("share", SHARE)),
    "class": _element("what the flows of a class have in common", _SIZE, _ARRIVAL),
    "defaults": _element(
        "what links and flows have that do not say otherwise",
        _CAPACITY,
        _DELAY,
        _WEIGHT,
        _SCHEDULER,
        _DUPLEX,
        _CLASS,
        _SIZE,
        _ARRIVAL,
    ),
    "queue": _element(
        "a queue of a port", *(_number(name, q) for name, q in scheduling.QUEUE.items())
    ),
    "scheduler": _element(
        "a scheduler",
        Field("policy", "policy", "policy of the port"),
        Field("queues", "queues", "queues of the port"),
        Field("class_queue", "class_queue", "queue of each traffic class, counted from 0"),
        _number("burst_bits", scheduling.BURST_BITS),
        Field(
            "buffer_counts_service",
            "flag",
            "true: a queue's packet in transmission takes room in its buffer as well",
        ),
    ),
    "routing": _element(
        "how flows find their path",
        Field("ecmp", "flag", "true: split over all shortest paths; false: take one of them"),
        Field("next_hops", "next_hops", "for each node, the link to take toward each target"),
    ),
    "network": _element(
        "a nettwin network file",
        Field("nettwin", "version", f"version of this format: {VERSION}", required=True),
        Field("name", "text", "name of the network"),
        Field("notes", "notes", "what people want to remember, text by title"),
        Field("defaults", "defaults", "what links and flows have that do not say otherwise"),
        Field("schedulers", "schedulers", "schedulers by name"),
        Field("sizes", "sizes", "packet-size distributions by name"),
        Field("arrivals", "arrivals", "arrival processes by name"),
        Field("nodes", "nodes", "the nodes", required=True),
        Field("links", "links", "the links"),
        Field("classes", "classes", "traffic classes in order, with what their flows share"),
        Field("flows", "flows", "the flows; an empty list: none; left out: synthetic"),
        Field("routing", "routing", "how flows find their path"),
    ),
}
ROWS = {"nodes": "node", "links": "link", "flows": "flow"}
