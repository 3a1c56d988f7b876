"""Which node a device is that is called by its address."""

from __future__ import annotations

from nettwin.scenario.topology import Link, Topology
from nettwin.telemetry.device_mapping import nodes_by_ports
from nettwin.telemetry.series import Port


def joined(*ends: tuple[str, str, str, str]) -> Topology:
    """Nodes joined port by port."""
    links = []
    for a, p, b, q in ends:
        links += [Link(a, b, name=f"{a}:{p}"), Link(b, a, name=f"{b}:{q}")]
    return Topology.build(sorted({n for a, _, b, _ in ends for n in (a, b)}), links)


TWO_LEAVES = joined(
    ("spine", "et1", "left", "xe1"), ("spine", "et2", "right", "xe1"), ("spine", "et3", "gw", "ge9")
)
PORTS = {"10.1": ["et1", "et2", "et3", "fxp0"], "10.2": ["xe1"], "10.3": ["xe1"], "10.9": ["ge9"]}


def none(near: Port, far: Port) -> float:
    return float("nan")


def test_ports_tell_and_what_two_could_be_is_not_proposed() -> None:
    found = nodes_by_ports(PORTS, {}, TWO_LEAVES, none)
    assert {device: node for device, (node, _) in found.items()} == {"10.1": "spine", "10.9": "gw"}


def test_traffic_tells_which_of_two() -> None:
    sends = {
        ("10.1", "et1"): 50.0,
        ("10.1", "et2"): 90.0,
        ("10.2", "xe1"): 7.0,
        ("10.3", "xe1"): 8.0,
    }
    receives = {
        ("10.1", "et1"): 8.0,
        ("10.1", "et2"): 7.0,
        ("10.2", "xe1"): 90.5,
        ("10.3", "xe1"): 50.2,
    }

    def off(near: Port, far: Port) -> float:
        one, other = sends.get(tuple(near)), receives.get(tuple(far))  # type: ignore[arg-type]
        return float("nan") if one is None or other is None else abs(one - other) / one

    found = nodes_by_ports(PORTS, {}, TWO_LEAVES, off)
    assert found["10.2"][0] == "right" and found["10.3"][0] == "left"
    assert "traffic" in found["10.2"][1]
    receives["10.2", "xe1"] = receives["10.3", "xe1"] = 70.0  # fits neither
    assert "10.2" not in nodes_by_ports(PORTS, {}, TWO_LEAVES, off)


def test_abbreviated_ports_and_known_devices() -> None:
    topology = joined(("a", "HundredGigE0/0/0/1", "b", "HundredGigE0/0/0/2"))
    ports = {"10.1": ["Hu0/0/0/1"], "b": ["Hu0/0/0/2"]}
    found = nodes_by_ports(ports, {"b": "b"}, topology, none)
    assert found["10.1"][0] == "a" and len(found) == 1
