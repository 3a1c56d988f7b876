"""No answer lies below a bound that is printed beside it, whatever the method, lever or network."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec

import numpy as np
import pytest

from nettwin.intent import Avoid, Expectation, Intent, Lever, Objective, Selector, Survive
from nettwin.intent.check import check
from nettwin.optimize.methods import OPTIMIZERS
from nettwin.optimize.optimize import optimize
from nettwin.optimize.problem import Problem
from nettwin.optimize.stop import Steps
from nettwin.scenario.routing import Routing, Steer
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.shortest import shortest_path_distances
from nettwin.scenario.topology import Link, Topology
from nettwin.scenario.traffic import Flow, Traffic

TOLERANCE = 1e-9  # relative
STEPS = {"linear": 6, "constraint": 6}
LOAD = (Objective("offered_load"),)
FIRST, SECOND = Selector(source=("n0",)), Selector(node=("n2",))
INTENTS = {
    "two midpoints": Intent(),
    "one midpoint": Intent(levers=(Lever("segments", midpoints=1),)),
    "three midpoints": Intent(levers=(Lever("segments", midpoints=3),)),
    "paths": Intent(levers=(Lever("paths"),)),
    "weights": Intent(levers=(Lever("weights"),)),
    "all levers": Intent(levers=(Lever("segments"), Lever("paths"), Lever("weights"))),
    "some flows": Intent(levers=(Lever("segments", FIRST),)),
    "few changes": Intent(most_changes=1),
    "some links": Intent(minimize=((Objective("offered_load", SECOND),),)),
    "twice": Intent(minimize=((Objective("offered_load", weight=2.0),),)),
    "avoid": Intent(avoid=(Avoid(FIRST, SECOND),)),
    "limits": Intent(expect=(Expectation("offered_load", SECOND, at_most=0.3),)),
    "links fail": Intent(minimize=(), survive=Survive(minimize=LOAD)),
    "links fail, paths": Intent(
        minimize=(), levers=(Lever("paths"),), survive=Survive(minimize=LOAD)
    ),
    "nodes fail": Intent(minimize=(), survive=Survive(("node",), minimize=LOAD)),
    "now and failed": Intent(survive=Survive(minimize=LOAD)),
    "mean of failures": Intent(
        minimize=(), survive=Survive(minimize=(Objective("offered_load", failures="mean"),))
    ),
}
NETWORKS = ("ecmp", "single path", "tables with holes", "steered", "down")


def network(seed: int, kind: str) -> Scenario:
    """A ring with chords and flows that are large for its links."""
    rng = np.random.default_rng(seed)
    count = int(rng.integers(4, 8))
    names = [f"n{i}" for i in range(count)]
    ends = [(i, (i + 1) % count) for i in range(count)]
    ends += [tuple(rng.choice(count, 2, replace=False)) for _ in range(3)]
    sizes = zip(rng.integers(5, 20, len(ends)), rng.integers(1, 4, len(ends)), strict=True)
    links = [
        Link(names[a], names[b], capacity_bps=1e6 * float(size), weight=float(weight))
        for (a, b), (size, weight) in zip(ends, sizes, strict=True)
    ]
    topology = Topology.build(names, links, duplex=True)
    pairs = [(0, 2), *(rng.choice(count, 2, replace=False) for _ in range(rng.integers(3, 12)))]
    flows = [Flow(names[a], names[b], 1e6 * float(rng.uniform(0.2, 6.0)), "data") for a, b in pairs]
    traffic = Traffic.build(topology, flows)
    if kind == "down":
        up = np.array(topology.link_up)
        up[rng.integers(len(up))] = False
        topology = topology.with_arrays(link_up=up)
    return Scenario(topology, traffic, _routing(kind, topology, traffic, rng))


def _routing(kind: str, topology: Topology, traffic: Traffic, rng: np.random.Generator) -> Routing:
    count = topology.node_count
    if kind == "tables with holes":
        near = shortest_path_distances(topology, np.arange(count)).distance  # [target, node]
        table = np.full((count, count), -1, np.int32)
        for e, (u, v) in enumerate(
            zip(topology.link_source.tolist(), topology.link_target.tolist(), strict=True)
        ):
            on_the_way = np.isclose(topology.link_weight[e] + near[:, v], near[:, u])
            table[u, on_the_way] = e
        np.fill_diagonal(table, -1)
        table[rng.random(table.shape) < 0.15] = -1
        return Routing(next_link=table)
    if kind == "steered":
        over = rng.integers(0, count, (traffic.flow_count, 2)).tolist()
        halves = (Steer(share=0.5), Steer(midpoints=(1,), share=0.5))
        steer = {f: (Steer(midpoints=tuple(m)),) for f, m in enumerate(over) if m[0] != m[1]}
        return Routing(steer=steer | {0: halves})
    return Routing(ecmp=kind != "single path")


def cases() -> Iterator[tuple[str, str, int]]:
    """Every intent on every kind of network."""
    for i, intent in enumerate(INTENTS):
        for k, kind in enumerate(NETWORKS):
            yield intent, kind, (2 * i + k) % 5


@pytest.mark.parametrize("method", sorted(OPTIMIZERS))
def test_no_answer_lies_below_its_bound(method: str) -> None:
    if method == "constraint" and find_spec("ortools") is None:
        pytest.skip("needs ortools")
    bounded = 0
    for k, (name, kind, seed) in enumerate(cases()):
        if method not in ("auto", "linear") and k % 4:  # others print the bounds of these
            continue
        scenario = network(seed, kind)
        plan = optimize(Problem(scenario, INTENTS[name]), method, Steps(STEPS.get(method, 30)))
        if plan.bound is not None:
            bounded += 1
            value = plan.after.objectives[0]
            assert value >= plan.bound * (1 - TOLERANCE) - 1e-12, (name, kind, seed)
    assert bounded >= (15 if method not in ("auto", "linear") else 60)


@pytest.mark.parametrize("kind", NETWORKS)
@pytest.mark.parametrize("name", ["two midpoints", "paths", "weights", "links fail"])
def test_no_answer_is_better_than_what_a_check_says_is_best(name: str, kind: str) -> None:
    for seed in range(4):
        scenario = network(seed, kind)
        nodes = scenario.topology.node_name[:4]
        lines = [Objective("offered_load", Selector(node=(node,)), reduce="max") for node in nodes]
        intent = replace(INTENTS[name], minimize=tuple((line,) for line in lines), survive=None)
        best = [line.bound for line in check(intent, scenario).lines if line.place[0] == "minimize"]
        plan = optimize(Problem(scenario, intent), "local_search", Steps(30))
        assert len(best) == len(lines)
        for judged in (plan.before, plan.after):
            for bound, value in zip(best, judged.objectives, strict=True):
                assert bound is None or value >= bound * (1 - TOLERANCE)


def test_the_bound_of_two_midpoints_is_reached_by_two() -> None:
    """What only two midpoints can reach is not below the bound, and proven to be the best."""
    ends = {"AB": 1.0, "AC": 10.0, "CD": 10.0, "DB": 10.0}
    links = [Link(*pair, capacity_bps=1e9, weight=weight) for pair, weight in ends.items()]
    topology = Topology.build("ABCD", links, duplex=True)
    scenario = Scenario(topology, Traffic.build(topology, [Flow("A", "B", 4e8, n) for n in "xy"]))
    for midpoints, least in ((1, 0.8), (2, 0.4)):
        intent = Intent(levers=(Lever("segments", midpoints=midpoints),))
        plan = optimize(Problem(scenario, intent), "auto", Steps(300), seed=1)
        assert plan.after.objectives[0] == pytest.approx(least)
        assert plan.proven
        assert plan.bound is not None
        assert least * (1 - 1e-4) <= plan.bound <= least


def test_a_flow_that_cannot_be_split_proves_what_it_needs() -> None:
    """One large flow on a ring: half of it in each direction would be less, and no answer does
    that."""
    names = [f"n{i}" for i in range(5)]
    ring = [Link(names[i], names[(i + 1) % 5], capacity_bps=1e9) for i in range(5)]
    topology = Topology.build(names, ring, duplex=True)
    scenario = Scenario(topology, Traffic.build(topology, [Flow("n0", "n2", 8e8)]))
    plan = optimize(Problem(scenario, Intent()), "auto", Steps(50))
    assert plan.after.objectives[0] == pytest.approx(0.8)
    assert plan.bound == pytest.approx(0.8, rel=1e-4)
    assert plan.proven
