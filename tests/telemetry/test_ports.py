from __future__ import annotations

import pytest

from nettwin.errors import UnknownNameError
from nettwin.formats.interface_names import same_interface
from nettwin.scenario.topology import Link, Node, Topology
from nettwin.telemetry.ports import Names, match_ports
from nettwin.telemetry.series import Port


def topology() -> Topology:
    links = [
        Link("leaf1", "spine1", 1e9, name="leaf1:HundredGigE0/0/0/1"),
        Link("spine1", "leaf1", 1e9, name="spine1:Hu0/0/0/7"),
        Link("leaf1", "spine1", 1e9, name="leaf1:HundredGigE0/0/0/2"),
        Link("spine1", "leaf1", 1e9, name="spine1:Hu0/0/0/8"),
        Link("edge.example.net", "leaf1", 1e9),
    ]
    return Topology.build([Node("leaf1"), Node("spine1"), Node("edge.example.net")], links)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Hu0/0/0/1", "HundredGigE0/0/0/1", True),
        ("Te1/1", "TenGigabitEthernet1/1", True),
        ("Ethernet1/13", "Eth1/13", True),
        ("ge-0/0/1", "ge-0/0/1.0", False),
        ("Hu0/0/0/1", "HundredGigE0/0/0/11", False),
        ("Gi0/1", "Te0/1", False),
        ("lo", "loopback", False),
        ("E1", "Ethernet1", False),  # one letter says too little
    ],
)
def test_interfaces_by_abbreviation(one: str, other: str, same: bool) -> None:
    assert same_interface(one, other) is same


def test_ports_find_their_links() -> None:
    ports = [
        Port("LEAF1", "Hu0/0/0/1"),
        Port("leaf1:9116", "HundredGigE0/0/0/2"),
        Port("spine1.example.net", "HundredGigE0/0/0/8"),
        Port("edge", "edge.example.net->leaf1"),
    ]
    found = match_ports(ports, topology(), Names())
    assert list(found.link_of.values()) == [0, 2, 3, 4]
    assert not found.unmatched


def test_unmatched_ports_come_with_near_names() -> None:
    ports = [Port("leaf2", "Hu0/0/0/1"), Port("leaf1", "HundredGigE0/0/0/9")]
    node, interface = match_ports(ports, topology(), Names()).unmatched
    assert node.near[0] == "leaf1"
    assert "leaf1:HundredGigE0/0/0/1" in interface.near


def test_the_file_of_the_source_names_links() -> None:
    names = Names({"10.0.0.1": "leaf1"}, {"10.0.0.1": {"7": "leaf1:HundredGigE0/0/0/2", "8": ""}})
    found = match_ports([Port("10.0.0.1", "7"), Port("10.0.0.1", "8")], topology(), names)
    assert found.link_of == {Port("10.0.0.1", "7"): 2}
    assert not found.unmatched  # the other is left out on purpose
    with pytest.raises(UnknownNameError, match="leaf9"):
        match_ports([Port("a", "b")], topology(), Names({}, {"a": {"b": "leaf9->x"}}))
