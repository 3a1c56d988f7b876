"""Routing: ECMP, tables, midpoints, explicit and k shortest paths, against plain enumeration."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nettwin.errors import ScenarioError
from nettwin.formats import read
from nettwin.scenario.changes import FailLink, FailNode, apply_all
from nettwin.scenario.ecmp import ecmp_loads
from nettwin.scenario.generate import generate
from nettwin.scenario.k_shortest import explicit, k_shortest
from nettwin.scenario.pathfinding import resolve
from nettwin.scenario.paths import Status
from nettwin.scenario.routing import Routing, Steer
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.shortest import shortest_path_distances
from nettwin.scenario.splits import PORTIONS
from nettwin.scenario.topology import Link, Topology
from nettwin.scenario.traffic import Flow, Traffic
from tests.work import calls

WEIGHTS = (1, 1, 2, 3, 5)


@st.composite
def multigraphs(draw: st.DrawFn) -> Topology:
    """Up to 6 nodes and 14 directed links, parallel ones and some that are down included."""
    nodes = draw(st.integers(2, 6))
    end = st.integers(0, nodes - 1)
    pairs = draw(st.lists(st.tuples(end, end).filter(lambda p: p[0] != p[1]), max_size=14))
    links = [
        Link(
            f"n{a}", f"n{b}", weight=draw(st.sampled_from(WEIGHTS)), up=draw(st.integers(0, 9)) > 0
        )
        for a, b in pairs
    ]
    return Topology.build([f"n{i}" for i in range(nodes)], links)


def all_pairs(topology: Topology, routing: Routing | None = None) -> Scenario:
    n = topology.node_count
    demand = 1.0 + np.arange(n * n, dtype=float).reshape(n, n)
    return Scenario(topology, Traffic.from_matrix(demand), routing or Routing())


def simple_paths(topology: Topology, source: int, target: int) -> Iterator[list[int]]:
    """Every loop-free path over live links, by brute force."""

    def walk(u: int, path: list[int], seen: set[int]) -> Iterator[list[int]]:
        if u == target:
            yield path
            return
        for e in np.flatnonzero(topology.link_live & (topology.link_source == u)).tolist():
            v = int(topology.link_target[e])
            if v not in seen:
                yield from walk(v, [*path, e], seen | {v})

    yield from walk(source, [], {source})


def length(topology: Topology, path: list[int]) -> Fraction:
    return sum((Fraction(float(topology.link_weight[e])) for e in path), Fraction(0))


def expected_ecmp(topology: Topology, source: int, target: int) -> dict[tuple[int, ...], Fraction]:
    """Share of each shortest path: every node divides evenly over its next-hop edges."""
    paths = list(simple_paths(topology, source, target))
    least = min((length(topology, p) for p in paths), default=Fraction(0))
    shortest = [p for p in paths if length(topology, p) == least]
    shares = {}
    for path in shortest:
        share = Fraction(1)
        for i in range(len(path)):
            share /= len({p[i] for p in shortest if p[:i] == path[:i] and len(p) > i})
        shares[tuple(path)] = share
    return shares


@given(multigraphs())
def test_ecmp_is_what_enumeration_says(topology: Topology) -> None:
    scenario = all_pairs(topology)
    for f in range(scenario.traffic.flow_count):
        s, t = int(scenario.traffic.flow_source[f]), int(scenario.traffic.flow_target[f])
        expected = expected_ecmp(topology, s, t)
        found = {tuple(links): share for share, links in scenario.paths.of(f)}
        assert set(found) == set(expected)
        for path, share in expected.items():
            assert found[path] == pytest.approx(float(share), rel=1e-12)
        assert scenario.paths.status[f] == (Status.OK if expected else Status.UNREACHABLE)


@given(multigraphs())
def test_loads_are_sums_over_paths_and_traffic_is_conserved(topology: Topology) -> None:
    scenario = all_pairs(topology)
    traffic, paths, n = scenario.traffic, scenario.paths, topology.node_count
    rate = traffic.flow_rate_bps
    by_path = paths.link_loads(rate, topology.link_count)
    assert scenario.link_load_bps == pytest.approx(by_path, rel=1e-12)
    assert ecmp_loads(topology, traffic.matrix(n)) == pytest.approx(by_path, rel=1e-12)
    assert not by_path[~topology.link_live].any()
    net = np.bincount(topology.link_source, by_path, n) - np.bincount(
        topology.link_target, by_path, n
    )
    routed = np.where(paths.status == 0, rate, 0.0)
    sent = np.bincount(traffic.flow_source, routed, n)
    assert net == pytest.approx(sent - np.bincount(traffic.flow_target, routed, n), abs=1e-9)
    total = np.bincount(paths.path_flow, paths.share, traffic.flow_count)
    assert total == pytest.approx((paths.status == 0).astype(float))


@given(multigraphs())
def test_single_shortest_path_takes_the_lowest_link_at_each_node(topology: Topology) -> None:
    scenario = all_pairs(topology, Routing(ecmp=False))
    for f in range(scenario.traffic.flow_count):
        s, t = int(scenario.traffic.flow_source[f]), int(scenario.traffic.flow_target[f])
        shortest = list(expected_ecmp(topology, s, t))
        found = [tuple(links) for _, links in scenario.paths.of(f)]
        assert found == ([min(shortest)] if shortest else [])


@given(multigraphs(), st.integers(1, 12), st.integers(0, 5), st.integers(0, 5))
def test_k_shortest_against_brute_force(topology: Topology, k: int, a: int, b: int) -> None:
    source, target = a % topology.node_count, b % topology.node_count
    if source == target:
        return
    every = [list(p) for p in simple_paths(topology, source, target)]
    every.sort(key=lambda p: (length(topology, p), len(p), p))
    assert k_shortest(topology, source, target, k) == every[:k]


@given(multigraphs(), st.data())
def test_midpoints_are_visited_in_order_over_shortest_legs(
    topology: Topology, data: st.DataObject
) -> None:
    node = st.integers(0, topology.node_count - 1)
    stops = tuple(data.draw(st.lists(node, min_size=1, max_size=3)))
    plain = all_pairs(topology)
    if not plain.traffic.flow_count:
        return
    flow = data.draw(st.integers(0, plain.traffic.flow_count - 1))
    scenario = plain.with_(routing=Routing(steer={flow: (Steer(midpoints=stops),)}))
    s, t = int(plain.traffic.flow_source[flow]), int(plain.traffic.flow_target[flow])
    distance = shortest_path_distances(
        topology, np.arange(topology.node_count)
    ).distance  # [target, node]
    marks = [s, *stops, t]
    legs = [(u, v) for u, v in itertools.pairwise(marks) if u != v]
    whole = all(np.isfinite(distance[v, u]) for u, v in legs)
    paths = scenario.paths
    if not whole:  # the headend falls back to the common path
        assert paths.fallback[flow]
        assert paths.of(flow) == plain.paths.of(flow)
        assert paths.status[flow] == plain.paths.status[flow]
        return
    assert not paths.fallback[flow] and paths.status[flow] == Status.OK
    assert sum(share for share, _ in paths.of(flow)) == pytest.approx(1)
    best = sum(distance[v, u] for u, v in legs)
    for _, links in paths.of(flow):
        assert topology.link_weight[links].sum() == pytest.approx(best)
        visited = iter([s, *topology.link_target[links].tolist()])
        assert all(any(mark == node for node in visited) for mark in [u for u, _ in legs] + [t])
    others = [f for f in range(plain.traffic.flow_count) if f != flow]
    assert all(paths.of(f) == plain.paths.of(f) for f in others)


def square(**weights: float) -> Topology:
    """A to D over B or C, both directions, and a parallel line from A to B."""
    lines = [("A", "B"), ("A", "B"), ("B", "D"), ("A", "C"), ("C", "D")]
    links = [Link(a, b, 1e7, weight=weights.get(a + b, 1.0)) for a, b in lines]
    return Topology.build("ABCD", links, duplex=True)


def one_flow(topology: Topology, source: str, target: str, routing: Routing) -> Scenario:
    return Scenario(topology, Traffic.build(topology, [Flow(source, target, 1e6)]), routing)


def names(scenario: Scenario, flow: int = 0) -> dict[str, float]:
    link = scenario.topology.link_name
    return {" ".join(link[k] for k in path): share for share, path in scenario.paths.of(flow)}


def test_parallel_links_count_as_next_hops_of_their_own() -> None:
    assert names(one_flow(square(), "A", "D", Routing())) == {
        "A->B B->D": pytest.approx(1 / 3),
        "A->B#2 B->D": pytest.approx(1 / 3),
        "A->C C->D": pytest.approx(1 / 3),
    }


def table(topology: Topology, hops: dict[tuple[str, str], str]) -> Routing:
    next_link = np.full((topology.node_count, topology.node_count), -1)
    for (at, distances_to), link in hops.items():
        next_link[topology.node(at), topology.node(distances_to)] = topology.link(link)
    return Routing(next_link=next_link)


def test_destination_tables_with_loops_and_blackholes_are_found_and_listed() -> None:
    topology = square()
    flows = [Flow("A", "D", 1e6), Flow("B", "D", 1e6), Flow("C", "A", 1e6), Flow("D", "A", 1e6)]
    routing = table(
        topology,
        {
            ("A", "D"): "A->B#2",
            ("B", "D"): "B->D",
            ("C", "A"): "C->D",
            ("D", "A"): "D->C",
        },
    )
    scenario = Scenario(topology, Traffic.build(topology, flows), routing)
    assert names(scenario) == {"A->B#2 B->D": 1.0}
    assert scenario.paths.status.tolist() == [0, 0, Status.LOOP, Status.LOOP]
    failed = FailLink("B->D").apply(scenario)
    assert failed.paths.status.tolist()[:2] == [Status.BLACKHOLE, Status.BLACKHOLE]
    problems = failed.routing_problems()
    assert "flow A->D falls into a blackhole" in problems[0]
    assert "flow C->A goes in a loop" in problems[2]
    assert failed.paths.path_count == 0 and not failed.link_load_bps.any()
    assert failed.flow_names[0] == "A->D"


def test_bad_tables_are_faults() -> None:
    topology = square()
    with pytest.raises(ScenarioError, match="next hop at node B toward D is link 0"):
        one_flow(topology, "A", "D", table(topology, {("B", "D"): "A->B"}))
    with pytest.raises(ScenarioError, match=r"of shape \(2, 2\): must be 4 by 4"):
        one_flow(topology, "A", "D", Routing(next_link=np.full((2, 2), -1)))
    with pytest.raises(ScenarioError, match="is link 99"):
        one_flow(topology, "A", "D", Routing(next_link=np.full((4, 4), 99)))


@pytest.mark.parametrize(
    ("links", "words"),
    [
        (["A->B", "C->D"], "broken between B and C"),
        (["B->D"], "broken between A and B"),
        (["A->B"], "broken between B and D"),
        (["A->B", "B->A", "A->C", "C->D"], "a loop"),
    ],
)
def test_bad_explicit_paths_are_faults(links: list[str], words: str) -> None:
    topology = square()
    paths = explicit([[topology.link(name) for name in links]])
    with pytest.raises(ScenarioError, match=words):
        one_flow(topology, "A", "D", Routing(steer={0: paths}))


def test_explicit_paths_share_and_lose_what_breaks() -> None:
    topology = square()
    paths = explicit(
        [[topology.link(k) for k in path] for path in (["A->B#2", "B->D"], ["A->C", "C->D"])]
    )
    scenario = one_flow(topology, "A", "D", Routing(steer={0: paths}))
    assert names(scenario) == {"A->B#2 B->D": 0.5, "A->C C->D": 0.5}
    half = FailLink("A->B#2").apply(scenario)
    assert names(half) == {"A->C C->D": 1.0} and not half.paths.fallback[0]
    none = FailLink("A->C").apply(half)
    assert names(none) == {"A->B B->D": 1.0} and none.paths.fallback[0]
    assert none.routing_problems() == [
        "flow A->D lost its own paths and follows the common routing"
    ]
    down = FailNode("D").apply(scenario)
    assert names(down) == {} and down.paths.status[0] == Status.DOWN


@pytest.mark.parametrize("path", [Steer(), Steer(midpoints=(0,)), Steer(midpoints=(3,))])
def test_a_steered_flow_that_nothing_reaches_has_no_path(path: Steer) -> None:
    topology = Topology.build("ABCD", [Link("A", "B"), Link("B", "C")])
    scenario = one_flow(topology, "A", "D", Routing(steer={0: (path,)}))
    assert scenario.paths.status[0] == Status.UNREACHABLE
    assert scenario.paths.of(0) == []
    assert "cannot be reached" in scenario.routing_problems()[0]


def test_midpoints_leave_a_blackholed_table() -> None:
    """A path over midpoints goes by shortest legs, whatever the table says."""
    topology = square()
    empty = table(topology, {})
    steered = Routing(next_link=empty.next_link, steer={0: (Steer(midpoints=(2,)),)})
    assert names(one_flow(topology, "A", "D", steered)) == {"A->C C->D": 1.0}
    plain = Routing(next_link=empty.next_link, steer={0: (Steer(),)})
    assert one_flow(topology, "A", "D", plain).paths.status[0] == Status.BLACKHOLE


def diamonds(count: int, weight: float = 1.0) -> Topology:
    """A chain of diamonds: 2**count equal paths from end to end."""
    nodes, links = ["j0"], []
    for i in range(count):
        nodes += [f"up{i}", f"low{i}", f"j{i + 1}"]
        for side in ("up", "low"):
            links.append(Link(f"j{i}", f"{side}{i}", weight=weight))
            links.append(Link(f"{side}{i}", f"j{i + 1}", weight=weight))
    return Topology.build(nodes, links)


def test_few_paths_are_all_listed() -> None:
    listed = one_flow(diamonds(4), "j0", "j4", Routing()).paths
    assert listed.share == pytest.approx(np.full(16, 1 / 16))


@pytest.mark.parametrize("count", [5, 10, 300])  # of 300, 2**300 paths
def test_many_paths_become_few_that_load_every_link_alike(count: int) -> None:
    scenario = one_flow(diamonds(count), "j0", f"j{count}", Routing())
    links = scenario.topology.link_count
    assert scenario.paths.path_count <= PORTIONS + links - scenario.topology.node_count + 1
    assert scenario.paths.link_loads(np.ones(1), links) == pytest.approx(np.full(links, 0.5))
    assert not scenario.routing_problems()


def test_drawn_paths_mix_like_independent_choices() -> None:
    """The variance over the paths of what 16 choices, weighted alike, add up to: 16 / 4."""
    scenario = one_flow(diamonds(16), "j0", "j16", Routing())
    paths, topology = scenario.paths, scenario.topology
    up = np.array([topology.node_name[v].startswith("up") for v in topology.link_target])
    ups = np.bincount(paths.hop_path, up[paths.links], paths.path_count)
    assert paths.share @ ups == pytest.approx(8.0)
    assert 2.0 <= paths.share @ (ups - 8.0) ** 2 <= 8.0  # of two paths it would be 64


@pytest.mark.parametrize("rows", [2, 5, 10])
def test_paths_of_a_mesh_load_links_as_its_splits_do(rows: int) -> None:
    """Parallel links and sums that differ in the last digit too; up to 10**5 equal paths a flow."""
    place = [[f"{r}.{c}" for c in range(rows)] for r in range(rows)]
    links = [Link(a, b) for row in place for a, b in itertools.pairwise(row)]
    links += [Link(a, b) for col in zip(*place, strict=True) for a, b in itertools.pairwise(col)]
    links += [Link("0.0", "0.1"), Link("0.0", "stub", weight=1e-12), Link("stub", "1.0")]
    nodes = ["stub", *(n for row in place for n in row)]
    topology = Topology.build(nodes, links, duplex=True)
    scenario = all_pairs(topology)
    paths, rate = scenario.paths, scenario.traffic.flow_rate_bps
    loads = paths.link_loads(rate, topology.link_count)
    assert loads == pytest.approx(ecmp_loads(topology, scenario.traffic.matrix(len(nodes))), 1e-9)
    shortest = shortest_path_distances(topology, np.arange(len(nodes))).distance
    length = np.bincount(paths.hop_path, topology.link_weight[paths.links], paths.path_count)
    ends = scenario.traffic.flow_target, scenario.traffic.flow_source
    assert length == pytest.approx(shortest[ends][paths.path_flow])
    assert np.bincount(paths.path_flow, paths.share) == pytest.approx(1.0, abs=1e-12)
    for f in (0, 7, 11):  # a flow's paths are its own, whatever flows there are beside it
        kept = scenario.traffic.keep(np.array([f]))
        assert resolve(Routing(), topology, kept).of(0) == paths.of(f)


def test_midpoints_of_a_mesh_split_on_every_leg() -> None:
    plain = generate("grid", nodes=64)
    n, topology = plain.topology.node_count, plain.topology
    one = Traffic.build(topology, [Flow(*(topology.node_name[i] for i in (0, 63)), 1e6)])
    stops = (7, 56, 9)
    scenario = Scenario(topology, one, Routing(steer={0: (Steer(midpoints=stops),)}))
    demand = np.zeros((n, n))
    for u, v in itertools.pairwise((0, *stops, 63)):
        demand[u, v] = 1e6
    found = scenario.paths.link_loads(one.flow_rate_bps, topology.link_count)
    assert found == pytest.approx(ecmp_loads(topology, demand), rel=1e-9, abs=1e-6)
    assert scenario.paths.path_count < topology.link_count * 4
    for _, links in scenario.paths.of(0):
        visited = iter([0, *topology.link_target[links].tolist()])
        assert all(any(stop == node for node in visited) for stop in (*stops, 63))


@pytest.mark.parametrize("scale", [1e-12, 1e-9, 0.1, 1.0, 3.7, 1e9])
def test_equal_paths_do_not_depend_on_the_scale_of_weights(scale: float) -> None:
    topology = square(AB=0.1 * scale, BD=0.2 * scale, AC=0.3 * scale / 2, CD=0.3 * scale / 2)
    assert len(names(one_flow(topology, "A", "D", Routing()))) == 3


def test_sums_that_differ_in_the_last_digit_are_equal() -> None:
    """0.1 + 0.2 is not 0.3 in binary."""
    links = [Link("A", "B", weight=0.1), Link("B", "C", weight=0.2), Link("A", "C", weight=0.3)]
    topology = Topology.build("ABC", links)
    assert len(names(one_flow(topology, "A", "C", Routing()))) == 2
    assert k_shortest(topology, 0, 2, 2) == [[2], [0, 1]]  # the tie goes to fewer hops
    unequal = topology.with_arrays(link_weight=[0.1, 0.2, 0.3 * (1 + 1e-8)])
    assert len(names(one_flow(unequal, "A", "C", Routing()))) == 1


@given(
    st.lists(
        st.tuples(
            st.integers(0, 5),
            st.integers(0, 5),
            st.sampled_from([1e-300, 1e-12, 1e-9, 0.1, 0.2, 0.3, 1.0, 1e9, 1e9 + 1, 1e300]),
        ).filter(lambda link: link[0] != link[1]),
        max_size=20,
    )
)
def test_nasty_weights_never_loop_nor_lose_a_path(lines: list[tuple[int, int, float]]) -> None:
    links = [Link(f"n{a}", f"n{b}", weight=w) for a, b, w in lines]
    scenario = all_pairs(Topology.build([f"n{i}" for i in range(6)], links, duplex=True))
    topology, paths = scenario.topology, scenario.paths
    for f in range(scenario.traffic.flow_count):
        s, t = int(scenario.traffic.flow_source[f]), int(scenario.traffic.flow_target[f])
        candidates = list(simple_paths(topology, s, t))
        assert bool(candidates) == bool(paths.of(f))
        best = min((length(topology, candidate) for candidate in candidates), default=Fraction(0))
        for _, candidate in paths.of(f):
            visited = [s, *topology.link_target[candidate].tolist()]
            assert visited[-1] == t and len(set(visited)) == len(visited)
            assert length(topology, candidate) <= best * (1 + Fraction(1, 10**8))
    assert scenario.link_load_bps == pytest.approx(
        paths.link_loads(scenario.traffic.flow_rate_bps, topology.link_count)
    )


@given(multigraphs())
def test_distances_against_brute_force(topology: Topology) -> None:
    near = shortest_path_distances(topology, np.arange(topology.node_count))
    for t, u in itertools.product(range(topology.node_count), repeat=2):
        paths = [length(topology, p) for p in simple_paths(topology, u, t)]
        assert near.distance[t, u] == (float(min(paths)) if paths else np.inf)
        assert (near.rank[t, u] < topology.node_count) == bool(paths)
    assert (near.rank.diagonal() == 0).all()


def test_nothing_to_route() -> None:
    topology = Topology.build("AB", [])
    empty = Scenario(topology, Traffic.build(topology, []))
    assert empty.paths.path_count == 0 and len(empty.link_load_bps) == 0
    assert k_shortest(topology, 0, 1, 3) == []
    lost = one_flow(topology, "A", "B", Routing())
    assert lost.paths.status.tolist() == [Status.UNREACHABLE]


def test_all_pairs_of_300_nodes_take_no_call_a_pair() -> None:
    rng = np.random.default_rng(1)
    pairs = {(i, (i + 1) % 300) for i in range(300)}
    pairs |= {(int(a), int(b)) for a, b in rng.integers(0, 300, (180, 2)) if a != b}
    links = [Link(f"n{a}", f"n{b}") for a, b in sorted(pairs)]
    topology = Topology.build([f"n{i}" for i in range(300)], links, duplex=True)
    scenario = all_pairs(topology)
    _ = one_flow(square(), "A", "D", Routing()).paths  # compiled before
    assert calls(lambda: scenario.paths) < 5_000
    count = scenario.paths.path_count
    assert count >= 89_700


def test_repetita_initial_utilizations(shared_data: Path) -> None:
    """What the REPETITA solvers' own evaluator reports before they optimize anything."""
    expected: dict[str, float] = {}
    for name in ("repetita_mcf_bound_all.csv", "repetita_solvers.csv"):
        with (shared_data / "reference" / name).open(encoding="utf-8", newline="") as lines:
            rows = csv.DictReader(lines)
            expected |= {row["demands_file"]: float(row["initial_mlu_ecmp"]) for row in rows}
    found = {
        path.name: float(read(path).scenario.link_offered_load.max())
        for path in sorted((shared_data / "repetita").rglob("*.demands"))
        if path.name in expected
    }
    assert len(found) >= 9
    assert found == pytest.approx({name: expected[name] for name in found}, abs=1e-9, rel=0)


def test_status_of_flows_needs_no_paths_and_is_that_of_the_paths() -> None:
    network = generate("gabriel", nodes=12, seed=1, load=0.5)
    cut = [link for link in network.topology.link_name if link.split("->")[0] == "N03"]
    changes = [FailNode("N05"), *(FailLink(link) for link in cut)]
    failed = apply_all(network, changes)
    status = failed.flow_status
    assert "paths" not in vars(failed)
    assert len(np.unique(status)) == 3
    np.testing.assert_array_equal(status, failed.paths.status)


def test_a_network_without_flows_may_fail_too() -> None:
    topology = Topology.build("AB", [Link("A", "B", 1e6, 0.0)])
    empty = Scenario(topology, Traffic.build(topology, []))
    assert empty.paths.path_count == 0
    assert FailLink("A->B").apply(empty).paths.path_count == 0
