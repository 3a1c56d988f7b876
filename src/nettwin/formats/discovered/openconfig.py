"""OpenConfig: interfaces with their speeds and states, members of LAGs, and LLDP neighbors.

Members of a LAG are links of their own where their neighbors are told; where the neighbor of the
LAG is told instead, the LAG is one link, as fast as its members together.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from nettwin.formats.discovered.adjacencies import Adjacencies, End
from nettwin.formats.discovered.records import FAR_DEVICE, FAR_PORT, Place, has, issue, text_of
from nettwin.formats.interface_names import is_management
from nettwin.formats.native.document import Document

LLDP, INTERFACES = "openconfig-lldp:lldp", "openconfig-interfaces:interfaces"
ETHERNET = ("openconfig-if-ethernet:ethernet", "ethernet")
AGGREGATION = ("openconfig-if-aggregate:aggregation", "aggregation")
MEMBER_OF = ("aggregate-id", "openconfig-if-aggregate:aggregate-id")
_SPEED = re.compile(r"(?:[\w-]+:)?SPEED_(\d+)(GB|MB|KB)", re.IGNORECASE)
_SCALE = {"gb": 1e9, "mb": 1e6, "kb": 1e3}
_VIRTUAL = ("loopback", "l3ipvlan", "l2vlan", "tunnel", "propvirtual")  # kinds of interfaces


def is_openconfig(data: Mapping[str, Any]) -> bool:
    """Whether a document is of OpenConfig, not of neighbors by port."""
    if any(isinstance(data.get(key), Mapping) for key in (LLDP, INTERFACES)):
        return True
    return any(has(data.get(key), ("interface", "interfaces")) for key in ("lldp", "interfaces"))


def read_openconfig(document: Document, found: Adjacencies, own: str) -> None:
    """Add what a device tells; `own` is its name where it tells none. Raises FormatError."""
    data = document.data
    lldp, ports = _part(data, (LLDP, "lldp")), _part(data, (INTERFACES, "interfaces"))
    device = own
    for part in ("state", "config"):
        device = text_of(_part(lldp, (part,)), ("system-name",)) or device
    ends: dict[str, End] = {}
    members: dict[str, list[End]] = {}
    lags: dict[str, float] = {}
    for place, one in _listed(document, ports, "interfaces"):
        name = text_of(one, ("name",))
        if any(kind in _kind(one) for kind in _VIRTUAL):
            continue
        end = ends[name] = found.end(device, name)
        end.speed_bps = _speed(document, place, one)
        end.up = str(_part(one, ("state",)).get("oper-status", "UP")).upper() == "UP"
        if lag := _lag_of(one):
            members.setdefault(lag, []).append(end)
        if has(one, AGGREGATION):
            speed = _part(_part(one, AGGREGATION), ("state",)).get("lag-speed")
            lags[name] = speed * 1e6 if isinstance(speed, int | float) else 0.0  # Mbit/s
    for _, one in _listed(document, lldp.get("interfaces", {}), "lldp"):
        listed = _part(one, ("neighbors",)).get("neighbor", [])
        for neighbor in listed if isinstance(listed, list) else []:
            state = _part(neighbor, ("state",)) if isinstance(neighbor, Mapping) else {}
            far = text_of(state, FAR_DEVICE)
            port, far_port = text_of(one, ("name",)), text_of(state, FAR_PORT)
            if is_management(port) or is_management(far_port):
                found.left_out("adjacencies of ports for management, which forward nothing")
            elif far:
                found.join(found.end(device, port), found.end(far, far_port))
            else:
                found.ignored.append(f"the neighbor of {device} {port}: it has no name")
    for lag in {*members, *lags}:
        _settle(found, device, lag, ends.get(lag), members.get(lag, []), lags.get(lag, 0.0))


def _settle(
    found: Adjacencies, device: str, lag: str, whole: End | None, members: list[End], speed: float
) -> None:
    """A LAG is its members, or one link where it is the LAG that is joined."""
    if whole is None or whole.joined is None:
        found.leave(whole)
        if members:
            words = f"the {len(members)} members of the LAG {device} {lag}: each a link"
            found.assumptions.append(words)
        return
    live = [end for end in members if end.up]
    total = sum(end.speed_bps for end in live if end.speed_bps > 0)
    if speed or total:
        whole.speed_bps = speed or total
    for end in members:
        if end.joined is None:
            found.leave(end)
    words = f"the LAG {device} {lag} of {len(members)} members: one link"
    found.assumptions.append(words)


def _speed(document: Document, place: Place, one: Mapping[str, Any]) -> float:
    """The speed of a port: negotiated, else as it is set."""
    ethernet, speed = _part(one, ETHERNET), float("nan")
    for part, name in (
        ("config", "port-speed"),
        ("state", "port-speed"),
        ("state", "negotiated-port-speed"),
    ):
        text = str(_part(ethernet, (part,)).get(name, "UNKNOWN"))
        match = _SPEED.fullmatch(text)
        if match:
            speed = float(match[1]) * _SCALE[match[2].lower()]
        elif "UNKNOWN" not in text:
            reason = f"{name} is {text!r}: must be such as SPEED_10GB"
            raise issue(document, place, reason, "Correct it.")
    return speed


def _lag_of(one: Mapping[str, Any]) -> str:
    """The LAG that a port is a member of; empty where it is of none."""
    ethernet = _part(one, ETHERNET)
    parts = [_part(ethernet, (part,)) for part in ("state", "config")]
    return next((lag for part in parts if (lag := text_of(part, MEMBER_OF))), "")


def _kind(one: Mapping[str, Any]) -> str:
    kinds = (text_of(_part(one, (part,)), ("type",)) for part in ("state", "config"))
    return next((kind for kind in kinds if kind), "").lower()


def _part(holder: Any, names: tuple[str, ...]) -> Mapping[str, Any]:
    """The mapping under one of the names; an empty one where there is none."""
    if isinstance(holder, Mapping):
        for name in names:
            if isinstance(holder.get(name), Mapping):
                found: Mapping[str, Any] = holder[name]
                return found
    return {}


def _listed(
    document: Document, holder: Any, word: str
) -> Iterator[tuple[Place, Mapping[str, Any]]]:
    listed = holder.get("interface", []) if isinstance(holder, Mapping) else None
    if not isinstance(listed, list):
        raise issue(document, (word,), "must be a list of interfaces", "Correct it.")
    for i, one in enumerate(listed):
        place: Place = (word, "interface", i)
        if not isinstance(one, Mapping) or not text_of(one, ("name",)):
            raise issue(document, place, "is no interface with a name", "Correct it.")
        yield place, one
