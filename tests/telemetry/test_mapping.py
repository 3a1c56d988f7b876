"""Names that the network does not have are found by their likeness, and by traffic."""

from __future__ import annotations

from nettwin.telemetry.links import link_loads
from nettwin.telemetry.mapping import merged, propose
from nettwin.telemetry.ports import Names
from nettwin.telemetry.series import Port, Series
from tests.telemetry.test_links import octets, ring, telemetry


def test_ports_without_names_are_found_by_their_traffic() -> None:
    """Each device numbers its interfaces; one device has a longer name than in the network."""
    topology = ring()
    index = {name: str(k % 7) for k, name in enumerate(topology.link_name)}
    series = [
        Series(
            Port({"n3": "rtr-n3"}.get(s.port.device, s.port.device), index[s.port.interface]),
            s.quantity,
            s.time_s,
            s.value,
        )
        for s in telemetry(topology, octets(topology))
    ]
    names = Names({"rtr-n3": "n3"})
    found = propose(series, topology, names)
    right = {(one.device, one.interface): one.stands_for for one in found}
    for link, number in index.items():
        node = link.partition("->")[0]
        device = {"n3": "rtr-n3"}.get(node, node)
        assert right.get((device, number), link) == link
    assert len(right) >= 8
    loads = link_loads(series, topology, merged(names, found))
    assert len(loads.matched.link_of) >= 8


def test_devices_are_found_by_names_that_are_alike() -> None:
    topology = ring()
    series = [Series(Port("n2x", "n2->n3"), "out_octets", *2 * [octets(topology)(0, [0.0])])]
    (one,) = propose(series, topology, Names())
    assert (one.device, one.stands_for) == ("n2x", "n2")
    assert "alike" in one.why
