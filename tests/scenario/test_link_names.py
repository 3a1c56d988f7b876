"""Names of links: one, both directions, one pair of several parallel ones, the bundle."""

from __future__ import annotations

import pytest

from nettwin.errors import AmbiguousNameError, UnknownNameError
from nettwin.scenario.changes import parse_change
from nettwin.scenario.changes.singles import duplex_links, single_failures
from nettwin.scenario.link_names import find_bundle, find_links, numbered, pairs
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.topology import Link, Topology
from nettwin.scenario.traffic import Flow, Traffic


def network(*extra: Link) -> Scenario:
    """A and B by two pairs of links, B and C by one, all both ways; then what is given."""
    pairs = [Link("A", "B"), Link("A", "B"), Link("B", "C")]
    links = [half for k in pairs for half in (k, Link(k.target, k.source))]
    topology = Topology.build("ABC", [*links, *extra])
    return Scenario(topology, Traffic.build(topology, [Flow("A", "C", 1e6)]))


def names(topology: Topology, found: object) -> list[str]:
    return [topology.link_name[k] for k in found]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "name, links",
    [
        ("A->B", ["A->B"]),
        ("A->B#2", ["A->B#2"]),
        ("A<->B#1", ["A->B", "B->A"]),
        ("A<->B#2", ["A->B#2", "B->A#2"]),
        ("B<->A#2", ["B->A#2", "A->B#2"]),
        ("B<->C", ["B->C", "C->B"]),
        ("B<->C#1", ["B->C", "C->B"]),
    ],
)
def test_a_name_is_a_link_or_a_pair(name: str, links: list[str]) -> None:
    topology = network().topology
    assert names(topology, find_links(topology, name)) == links


def test_both_directions_of_several_links_are_refused_with_the_names_of_all() -> None:
    for line in ("fail_link A<->B", "restore_link B<->A", "set_weight A<->B 5"):
        with pytest.raises(AmbiguousNameError, match=r"<->[AB]#1, .<->.#2.*fail_bundle"):
            parse_change(line).apply(network())
    with pytest.raises(UnknownNameError, match="A<->B#2"):
        find_links(network().topology, "A<->B#3")
    for name in ("A<->C", "A->B#3", "A<->Z", "A#2", ""):
        with pytest.raises(UnknownNameError):
            find_links(network().topology, name)


@pytest.mark.parametrize(
    "line, down",
    [
        ("fail_link A<->B#2", ["A->B#2", "B->A#2"]),
        ("fail_link A->B", ["A->B"]),
        ("fail_bundle A<->B", ["A->B", "B->A", "A->B#2", "B->A#2"]),
        ("fail_bundle A->B", ["A->B", "A->B#2"]),
        ("fail_bundle B<->C", ["B->C", "C->B"]),
    ],
)
def test_one_of_parallel_links_fails_or_the_bundle(line: str, down: list[str]) -> None:
    scenario = network()
    after = parse_change(line).apply(scenario)
    up = after.topology.link_up
    assert [n for n, k in after.topology.link_index.items() if not up[k]] == down
    back = parse_change(line.replace("fail", "restore")).apply(after)
    assert back.fingerprint() == scenario.fingerprint()


def test_links_with_names_of_their_own() -> None:
    links = [Link("A", "B", name="north"), Link("B", "A", name="north back"), Link("A", "B")]
    topology = Topology.build("AB", [*links, Link("A", "B", name="A->B#7")])
    assert numbered(topology, "A", "B") == {1: 2, 2: 0, 7: 3}
    assert pairs(topology, "A", "B") == {"A<->B#1": (2, 1), "A<->B#2": (0,), "A<->B#7": (3,)}
    with pytest.raises(AmbiguousNameError, match=r"A<->B#1 \(A->B, north back\), A<->B#2 \(north"):
        find_links(topology, "A<->B")
    assert names(topology, find_bundle(topology, "B->A")) == ["north back"]
    two = Topology.build("AB", [Link("A", "B", name="x"), Link("A", "B", name="y")])
    with pytest.raises(AmbiguousNameError, match="x, y"):
        find_links(two, "A->B")


def test_a_node_may_have_a_number_in_its_name() -> None:
    topology = Topology.build(["A", "B", "B#2"], [Link("A", "B"), Link("A", "B#2")], duplex=True)
    assert names(topology, find_links(topology, "A<->B#2")) == ["A->B#2", "B#2->A"]


def test_failures_of_parallel_links_are_named_as_changes_name_them() -> None:
    scenario = network(Link("C", "A", name="cable"))
    lines = duplex_links(scenario.topology)
    assert [name for name, _ in lines] == ["A<->B#1", "A<->B#2", "B<->C", "cable"]
    for (name, changes), (_, links) in zip(
        single_failures(scenario.topology, "link"), lines, strict=True
    ):
        (change,) = changes
        up = change.apply(scenario).topology.link_up
        assert [k for k in range(scenario.topology.link_count) if not up[k]] == sorted(links), name
