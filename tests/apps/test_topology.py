"""Topology over time: what is the same, what changed, what stays as it was."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from nettwin.apps.topology.events import Event, documents, event_of
from nettwin.apps.topology.matching import matched, with_names
from nettwin.apps.topology.update import Updated, update
from nettwin.errors import InputError
from nettwin.formats.format import ImportDefaults, Reading
from nettwin.formats.partial_network import PartialLink, PartialNetwork
from nettwin.scenario.changes import FailLink, SetPath, SetWeight
from nettwin.scenario.generate import generate
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.topology import Topology

NSFNET = generate("nsfnet", load=0.5)


def told(scenario: Scenario, *silent: str, without: tuple[str, ...] = ()) -> Callable[..., Reading]:
    """A source that tells of a network, but not some columns, nor some links."""

    def read(assume: ImportDefaults) -> Reading:
        made = PartialNetwork("test", "test.json")
        made.nodes = [  # a source that knows names alone
            replace(node, latitude_deg=float("nan"), longitude_deg=float("nan"))
            for node in _nodes(scenario.topology)
        ]
        for row in scenario.topology.link_rows():
            if row.name in without:
                continue
            link = PartialLink(
                scenario.topology.node_name[row.source],
                scenario.topology.node_name[row.target],
                row.capacity_bps,
                row.delay_s,
                row.weight,
                name=row.name,
                up=row.up,
            )
            for column in silent:
                setattr(link, column, "" if column == "name" else float("nan"))
            made.links.append(link)
        return made.reading(assume)

    return read


def _nodes(topology: Topology) -> list:  # type: ignore[type-arg]
    from nettwin.scenario.topology import Node

    return [Node(name) for name in topology.node_name]


def updated(
    before: Scenario, after: Scenario, *silent: str, without: tuple[str, ...] = ()
) -> Updated:
    return update(before, told(after, *silent, without=without), ImportDefaults())


def test_the_same_network_is_no_event() -> None:
    """Also from a source that tells neither capacity nor delay nor weight."""
    found = updated(NSFNET, NSFNET, "capacity_bps", "delay_s", "weight")
    assert found.events == ()
    assert found.scenario.fingerprint() == NSFNET.fingerprint()
    assert "capacity of 42 links: as it was" in found.reading.assumptions


def test_what_changed_is_told_once_for_both_directions() -> None:
    topology = NSFNET.topology
    capacity = topology.link_capacity_bps.copy()
    for link in (0, 1):
        capacity[link] *= 10
    after = NSFNET.with_(topology=topology.with_arrays(link_capacity_bps=capacity))
    after = SetWeight(topology.link_name[4], 7.0).apply(after)
    after = FailLink(topology.link_name[6]).apply(after)
    gone = topology.link_name[8:10]
    found = updated(NSFNET, after, without=gone)
    ends = topology.link_name[0].replace("->", "<->")
    assert [one.words() for one in found.events] == [
        f"link removed: {gone[0].replace('->', '<->')}",
        f"link down: {topology.link_name[6]}",
        f"cost changed: {topology.link_name[4]}: 1 to 7",
        f"capacity changed: {ends}: 45 Mbit/s to 450 Mbit/s",
    ]
    again = updated(found.scenario, after, without=gone)
    assert again.events == ()
    back = updated(found.scenario, NSFNET)
    assert {one.kind for one in back.events} == {
        "link added", "link up", "cost changed", "capacity changed",
    }  # fmt: skip


@pytest.mark.parametrize("how", ["another name", "a domain", "all domains", "two neighbors"])
def test_renamed_nodes_are_known_again(how: str) -> None:
    names = {
        "another name": {"Seattle": "sea-r1"},
        "a domain": {"Seattle": "seattle.example.net"},
        "all domains": {name: f"{name}.example.net" for name in NSFNET.topology.node_name},
        "two neighbors": {"Seattle": "sea-r1", "Palo Alto": "pal-r1"},
    }[how]
    after = NSFNET.with_(topology=with_names(NSFNET.topology, names))
    found = updated(NSFNET, after, "capacity_bps", "delay_s")
    assert {one.kind for one in found.events} == {"node renamed"}
    assert {one.before: one.after for one in found.events} == names
    assert found.scenario.fingerprint() == after.fingerprint()
    assert found.left_out == ()  # its flows stay


def test_a_node_that_is_replaced_elsewhere_is_not_renamed() -> None:
    """One leaves, another comes that is joined to others."""
    topology = Topology.build(
        ["a", "b", "c", "d", "x"],
        [_link("x", "a"), _link("x", "b"), _link("a", "b"), _link("b", "c"), _link("c", "d")],
        duplex=True,
    )
    after = Topology.build(
        ["a", "b", "c", "d", "y"],
        [_link("y", "c"), _link("y", "d"), _link("a", "b"), _link("b", "c"), _link("c", "d")],
        duplex=True,
    )
    assert matched(topology, after).renamed == {}


def _link(a: str, b: str):  # type: ignore[no-untyped-def]
    from nettwin.scenario.topology import Link

    return Link(a, b)


def test_a_port_keeps_its_name_and_another_port_is_renamed() -> None:
    """Links are named by ports: what a source does not name keeps its name."""
    named = tuple(f"{NSFNET.topology.node_name[s]}:eth{k}" for k, s in enumerate(
        NSFNET.topology.link_source.tolist()))  # fmt: skip
    before = NSFNET.with_(topology=NSFNET.topology.with_arrays(link_name=named))
    assert updated(before, before, "name").scenario.topology.link_name == named
    other = list(named)
    other[3] = other[3] + "0"
    after = before.with_(topology=before.topology.with_arrays(link_name=tuple(other)))
    (event,) = updated(before, after).events
    assert event == Event("link renamed", other[3], named[3], other[3])


def test_flows_of_nodes_that_are_gone_are_left_out_and_said() -> None:
    before = SetPath("Seattle->Houston", ({"via": ["Boulder"]},)).apply(NSFNET)
    names = set(before.topology.node_name) - {"Seattle"}
    keep = [k for k, n in enumerate(before.topology.node_name) if n in names]
    topology = Topology.build(
        [before.topology.node_name[k] for k in keep],
        [
            replace(_link(before.topology.node_name[r.source], before.topology.node_name[r.target]),
                    capacity_bps=r.capacity_bps, delay_s=r.delay_s)
            for r in before.topology.link_rows()
            if {r.source, r.target} <= set(keep)
        ],
    )  # fmt: skip
    after = Scenario(topology, generate("ring", nodes=3).traffic.keep(np.array([], np.intp)))
    found = updated(before, after)
    flows = before.traffic.flow_count
    assert found.scenario.traffic.flow_count == flows - 2 * 13
    assert found.left_out == (
        "26 flows whose nodes are gone",
        "paths that flows were given: the network is another one",
    )
    rate = found.scenario.traffic.flow_rate_bps
    assert rate.sum() < before.traffic.flow_rate_bps.sum()


def test_a_source_of_other_names_is_refused() -> None:
    other = generate("ring", nodes=5)
    with pytest.raises(InputError, match="--names"):
        updated(NSFNET, other)


def test_events_are_kept_as_records() -> None:
    event = Event("cost changed", "a->b", "1", "2")
    (record,) = documents([event], 5.0)
    assert event_of(record) == event
    assert (record.kind, record.id, record.time_s) == ("event", "cost changed", 5.0)
