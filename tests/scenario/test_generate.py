"""Generated networks: connected, simple, repeatable, loaded as asked."""

from __future__ import annotations

import numpy as np
import pytest

from nettwin.errors import InputError, UnknownNameError
from nettwin.scenario.generate import (
    ARRIVAL_MIXES,
    GENERATORS,
    MIXES,
    fiber_delay_s,
    generate,
)
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.scheduling import SCHEDULERS
from nettwin.scenario.topology import Link, Node, Topology
from tests.work import calls

SIZES = {
    name: sorted({g.least_nodes, g.nodes, 2 * g.nodes} if name != "nsfnet" else {14})
    for name, g in GENERATORS.items()
}
CASES = [(name, nodes) for name, sizes in SIZES.items() for nodes in sizes]


@pytest.mark.parametrize(("kind", "nodes"), CASES)
def test_every_kind(kind: str, nodes: int) -> None:
    scenario = generate(kind, nodes=nodes, load=0.7, seed=3)
    topology, traffic = scenario.topology, scenario.traffic
    assert scenario.link_offered_load.max() == pytest.approx(0.7)
    assert not scenario.paths.status.any(), "every node reaches every other"
    n = topology.node_count
    assert traffic.flow_count == n * (n - 1)
    assert n == nodes or (kind == "fat-tree" and n <= nodes)
    ends = list(zip(topology.link_source.tolist(), topology.link_target.tolist(), strict=True))
    assert len(set(ends)) == len(ends), "no parallel links"
    assert {(b, a) for a, b in ends} == set(ends), "both directions"
    assert np.isfinite(topology.node_latitude_deg).all()
    assert (topology.link_delay_s > 0).all()


@pytest.mark.parametrize("kind", GENERATORS)
def test_same_seed_same_network_other_seed_another(kind: str) -> None:
    one, same, other = (generate(kind, seed=seed) for seed in (5, 5, 6))
    assert one.fingerprint() == same.fingerprint()
    if kind != "nsfnet":  # whose demands come from its sites
        assert one.fingerprint() != other.fingerprint()


@pytest.mark.parametrize("kind", [name for name, g in GENERATORS.items() if g.least_nodes == 2])
def test_two_nodes(kind: str) -> None:
    scenario = generate(kind, nodes=2, load=0.5)
    assert scenario.topology.link_count == 2
    assert scenario.link_offered_load.max() == pytest.approx(0.5)


@pytest.mark.parametrize("scheduler", SCHEDULERS)
@pytest.mark.parametrize("classes", MIXES)
def test_classes_have_their_share_and_queue(scheduler: str, classes: str) -> None:
    scenario = generate("ring", nodes=5, scheduler=scheduler, classes=classes)
    traffic, mix = scenario.traffic, MIXES[classes]
    assert traffic.class_name == tuple(c.name for c in mix)
    part = np.bincount(traffic.flow_class, traffic.flow_rate_bps) / traffic.flow_rate_bps.sum()
    assert part == pytest.approx([c.share / sum(k.share for k in mix) for c in mix])
    queues = scenario.topology.class_queue(traffic.class_name)[0]
    assert len(set(queues.tolist())) == (1 if scheduler == "fifo" else len(mix))


@pytest.mark.parametrize("arrival", ARRIVAL_MIXES)
def test_arrivals(arrival: str) -> None:
    traffic = generate("line", nodes=3, arrival=arrival).traffic
    assert traffic.arrivals == (ARRIVAL_MIXES[arrival],)


def test_no_load() -> None:
    assert not generate("ring", load=0.0).traffic.flow_rate_bps.any()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"kind": "rnig"}, "did you mean: ring"),
        ({"classes": "five"}, "mix of traffic classes"),
        ({"scheduler": "lifo"}, "scheduler"),
        ({"arrival": "burst"}, "arrival process"),
    ],
)
def test_unknown_names(arguments: dict[str, str], words: str) -> None:
    with pytest.raises(UnknownNameError, match=words):
        generate(**arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"kind": "ring", "nodes": 2}, "nodes is 2: must be 3 to 2000"),
        ({"kind": "ring", "nodes": 2001}, "nodes is 2001"),
        ({"kind": "ladder", "nodes": 5}, "Give 6"),
        ({"kind": "nsfnet", "nodes": 15}, "nodes is 15"),
        ({"load": -0.1}, "load is -0.1"),
        ({"load": float("nan")}, "load is nan"),
        ({"seed": -1}, "seed is -1"),
        ({"capacity_bps": 0.0}, "capacity_bps of link"),
        ({"buffer_packets": -1.0}, "buffer_packets of queue 0"),
    ],
)
def test_numbers_out_of_range(arguments: dict[str, float], words: str) -> None:
    with pytest.raises(InputError, match=words):
        generate(**arguments)  # type: ignore[arg-type]


def test_fiber_delay() -> None:
    """Berlin to Paris is 878 km on the great circle: 4.39 ms at two thirds of c."""
    nodes = [Node("Berlin", 52.52, 13.405), Node("Paris", 48.8566, 2.3522), Node("?")]
    topology = Topology.build(nodes, [Link("Berlin", "Paris"), Link("Berlin", "?")])
    delay = fiber_delay_s(topology)
    assert delay[0] == pytest.approx(4.39e-3, rel=5e-3)
    assert np.isnan(delay[1])


@pytest.mark.parametrize("kind", ["gabriel", "waxman", "barabasi-albert", "ladder"])
def test_300_nodes_take_few_calls_a_pair_of_nodes(kind: str) -> None:
    generate(kind, nodes=6)  # compiled before
    made: list[Scenario] = []
    assert calls(lambda: made.append(generate(kind, nodes=300))) < 4 * 300**2
    (scenario,) = made
    assert scenario.link_offered_load.max() == pytest.approx(0.6)
