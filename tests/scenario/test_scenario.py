"""Scenario: issues all at once, read-only arrays, tables, names, fingerprint."""

from __future__ import annotations

import math
import pickle
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from nettwin.errors import ScenarioError, UnknownNameError
from nettwin.scenario.arrivals import CBR, MMPP, Autocorrelated, OnOff, Poisson, Trace
from nettwin.scenario.packet_sizes import Binomial, Discrete, Fixed, Uniform
from nettwin.scenario.routing import Routing, Steer
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.scheduling import Queue, Scheduler, fifo, strict_priority, wfq
from nettwin.scenario.topology import Link, Node, Topology
from nettwin.scenario.traffic import Flow, Traffic, concatenate


def triangle() -> Scenario:
    topology = Topology.build(
        [Node("A", 50.0, 10.0), Node("B"), Node("C", srlg=("site",))],
        [Link("A", "B", 1e7, 1e-3), Link("B", "C", 1e7), Link("A", "C", 1e7, weight=3)],
        duplex=True,
    )
    flows = [Flow("A", "C", 1e6), Flow("C", "A", 2e6, size=Uniform(800.0, 8000.0))]
    return Scenario(topology, Traffic.build(topology, flows))


def faults_of(make: Callable[[], object]) -> str:
    with pytest.raises(ScenarioError) as caught:
        make()
    return str(caught.value)


def test_all_faults_at_once() -> None:
    topology = Topology.build(
        [Node("A", latitude_deg=99), Node("B"), Node("B"), Node(" ")],
        [
            Link("A", "B", capacity_bps=-5, name="x"),
            Link("A", "B", delay_s=math.nan, weight=0, name="x"),
            Link("A", "A"),
        ],
    )
    flows = [Flow("A", "B", -1, name="f"), Flow("A", "A", 1, name="f", size=Fixed(0))]
    traffic = Traffic.build(topology, flows)
    routing = Routing(steer={9: (Steer(),), 0: (Steer(midpoints=(77,), share=0.5),)})
    text = faults_of(lambda: Scenario(topology, traffic, routing))
    for words in (
        "node B is listed 2 times",
        "link x is listed 2 times",
        "name of node 3 is ' '",
        "latitude_deg of node A is 99: must be at least -90 and at most 90 deg",
        "capacity_bps of link x is -5: must be above 0 bit/s",
        "delay_s of link x is nan: must be at least 0 s",
        "weight of link x is 0: must be above 0",
        "link A->A is a loop to its own node",
        "rate_bps of flow f (number 0) is -1: must be at least 0 bit/s",
        "flow f (number 1) is from a node to itself",
        "flow f is listed 2 times",
        "size of packet of flow f (number 1) is 0: must be above 0 bit",
        "path of flow 9 is given: must be of a flow 0 to 1",
        "midpoints of path of flow 0 is [77]: must be node indices below 4",
        "shares of path of flow 0 is 0.5 together: must add up to 1",
    ):
        assert words in text


@pytest.mark.parametrize(
    ("scheduler", "words"),
    [
        (Scheduler("lifo"), "policy of link A->B is lifo: must be one of fifo, sp, wfq"),
        (Scheduler("fifo", (Queue(), Queue())), "fifo has exactly 1 queue"),
        (Scheduler("sp", ()), "queues of link A->B is 0: must be at least 1"),
        (Scheduler("sp", class_queue={"v": 1}), "queue of class v at link A->B is 1"),
        (Scheduler("wfq", (Queue(weight=0),)), "weight of queue 0 of link A->B is 0"),
        (Scheduler("drr", (Queue(quantum_bits=-1),)), "quantum_bits of queue 0"),
        (Scheduler(queues=(Queue(math.nan),)), "buffer_packets of queue 0"),
        (Scheduler(queues=(Queue(1, -1.0),)), "buffer_bits of queue 0"),
        (Scheduler(burst_bits=0), "burst_bits of link A->B is 0: must be above 0 bit"),
    ],
)
def test_scheduler_faults(scheduler: Scheduler, words: str) -> None:
    topology = Topology.build(["A", "B"], [Link("A", "B", scheduler=scheduler)])
    assert words in faults_of(lambda: Scenario(topology, Traffic.build(topology, [])))


@pytest.mark.parametrize(
    ("flow", "words"),
    [
        (Flow("A", "B", 1, size=Uniform(9.0, 5.0)), "the first must not exceed the second"),
        (Flow("A", "B", 1, size=Binomial(9.0, 1.0, 5.0)), "average packet of flow A->B"),
        (Flow("A", "B", 1, size=Discrete((1.0,), ())), "must be as many"),
        (Flow("A", "B", 1, size=Discrete((1.0,), (0.0,))), "not all be 0"),
        (Flow("A", "B", 1, size=Discrete((1.0,), (math.nan,))), "must not be negative"),
        (Flow("A", "B", 1, arrival=OnOff(0.0, 1.0)), "on_s of arrivals of flow A->B"),
        (Flow("A", "B", 1, arrival=MMPP(0.5, 1.0, 1.0)), "rate_ratio of arrivals"),
        (Flow("A", "B", 1, arrival=Autocorrelated(1.0)), "correlation of arrivals"),
        (Flow("A", "B", 1, arrival=Poisson(-1.0)), "longest_gap of arrivals"),
        (Flow("A", "B", 1, arrival=Trace(np.array([1.0]))), "at least 2 finite ones"),
        (Flow("A", "B", 1, arrival=Trace(np.array([2.0, 1.0]))), "ascending order"),
        (Flow("A", "B", 1, arrival=Trace(np.array(3.0))), "at least 2 finite ones"),
        (Flow("A", "B", 1, arrival=Trace(np.ones((2, 2)))), "at least 2 finite ones"),
        (Flow("A", "B", 1, arrival=Trace(np.arange(3.0), np.ones(2))), "none or 3"),
        (Flow("A", "B", 1, arrival=Trace(np.arange(2.0), np.zeros(2))), "above 0 bit"),
        (Flow("A", "B", math.inf), "rate_bps of flow A->B (number 0) is inf"),
    ],
)
def test_flow_faults(flow: Flow, words: str) -> None:
    topology = Topology.build(["A", "B"], [Link("A", "B")])
    assert words in faults_of(lambda: Scenario(topology, Traffic.build(topology, [flow])))


def test_arrays_that_do_not_fit_are_faults_and_not_crashes() -> None:
    scenario = triangle()
    topology, traffic = scenario.topology, scenario.traffic
    bad = topology.with_arrays(link_weight=[1.0, 2.0], link_target=[1, 0, 2, 1, 2, 3])
    text = faults_of(lambda: scenario.with_(topology=bad))
    assert "the array link_weight is of shape (2,): must be (6,)" in text
    assert "link_target of element 5 is 3: must be an index from 0 to 2" in text
    for column, words in (("flow_source", "0 to 2"), ("flow_class", "0 to 0"), ("flow_size", "")):
        text = faults_of(
            lambda column=column: scenario.with_(traffic=traffic.with_arrays(**{column: [0, -4]}))  # type: ignore[misc]
        )
        assert f"{column} of element 1 is -4: must be an index from {words}" in text
    unused = traffic.with_arrays(sizes=(*traffic.sizes, Fixed(-1.0)))
    assert "unused size 2 is -1" in faults_of(lambda: scenario.with_(traffic=unused))


def test_empty_topology() -> None:
    topology = Topology.build([], [])
    text = faults_of(lambda: Scenario(topology, Traffic.build(topology, [])))
    assert "the list of nodes is empty" in text


def test_unknown_ends() -> None:
    with pytest.raises(UnknownNameError, match='no node "C"'):
        Topology.build(["A", "B"], [Link("A", "C")])
    topology = Topology.build(["A", "B"], [Link("A", "B")])
    with pytest.raises(UnknownNameError, match='no node "Q"'):
        Traffic.build(topology, [Flow("A", "Q", 1)])


@pytest.mark.parametrize("copied", [False, True])
def test_arrays_are_read_only(copied: bool) -> None:
    scenario = triangle()
    assert len(scenario.link_load_bps) == 6
    if copied:
        scenario = pickle.loads(pickle.dumps(scenario))
    arrays = [
        v
        for part in (scenario.topology, scenario.traffic, scenario.paths)
        for v in vars(part).values()
        if isinstance(v, np.ndarray)
    ]
    arrays += [scenario.hop_queue, scenario.topology.link_live, *scenario.topology.queues]
    arrays += [scenario.traffic.flow_mean_size_bits, scenario.traffic.flow_packet_rate_pps]
    assert len(arrays) > 25
    assert not any(array.flags.writeable for array in arrays)


def test_a_topology_made_by_hand_keeps_copies() -> None:
    weight = np.ones(6)
    topology = replace(triangle().topology, link_weight=weight)
    weight[0] = 7
    assert topology.link_weight[0] == 1
    assert triangle().topology.with_arrays(link_weight=range(1, 7)).link_weight.dtype == float


def test_tables_for_people() -> None:
    scenario = triangle()
    assert list(scenario.nodes.index) == ["A", "B", "C"]
    assert scenario.nodes.loc["C", "srlg"] == "site"
    assert list(scenario.links.index)[:2] == ["A->B", "B->A"]
    assert scenario.links.loc["A->B", "load_bps"] == 1e6
    assert scenario.links.loc["A->B", "offered_load"] == 0.1
    assert scenario.links.loc["A->B", "policy"] == "fifo"
    assert scenario.flows.loc["C->A", "size"] == "100 to 1000 B"
    assert scenario.flows.loc["A->C", "arrival"] == "Poisson"
    assert "3 nodes, 6 links, 2 flows" in repr(scenario)


def test_names_of_parallel_links_flows_and_queues() -> None:
    links = [Link("A", "B"), Link("A", "B"), Link("A", "B", name="A->B#3"), Link("A", "B")]
    topology = Topology.build(["A", "B"], [*links, Link("B", "A", scheduler=wfq({"v": 1, "w": 2}))])
    assert topology.link_name == ("A->B", "A->B#2", "A->B#3", "A->B#4", "B->A")
    assert topology.links_between("A", "B").tolist() == [0, 1, 2, 3]
    flows = [
        Flow("A", "B", 1, "v"),
        Flow("A", "B", 1, "v"),
        Flow("A", "B", 1, "w"),
        Flow("B", "A", 1, "w", name="up"),
    ]
    scenario = Scenario(topology, Traffic.build(topology, flows))
    assert scenario.flow_names == ("A->B/v", "A->B/v#2", "A->B/w", "up")
    assert scenario.flow("up") == 3
    assert scenario.queue_names[-2:] == ("B->A:0", "B->A:1")
    for bad in (scenario.flow, topology.link, topology.node):
        with pytest.raises(UnknownNameError):
            bad("nothing of the sort")


CHANGED: list[Callable[[Scenario], Scenario]] = [
    *(
        lambda s, column=column, value=value: s.with_(  # type: ignore[misc]
            topology=s.topology.with_arrays(**{column: value})
        )
        for column, value in (
            ("link_capacity_bps", np.full(6, 2e7)),
            ("link_delay_s", np.full(6, 1e-5)),
            ("link_weight", np.full(6, 2.0)),
            ("link_up", [True] * 5 + [False]),
            ("node_up", [True, False, True]),
            ("schedulers", (fifo(7),)),
            ("schedulers", (Scheduler(burst_bits=1e5),)),
        )
    ),
    *(
        lambda s, column=column, value=value: s.with_(  # type: ignore[misc]
            traffic=s.traffic.with_arrays(**{column: value})
        )
        for column, value in (
            ("flow_rate_bps", [1e6, 3e6]),
            ("flow_target", [1, 0]),
            ("flow_size", [1, 1]),
            ("sizes", (Fixed(9.0), Uniform(800.0, 8000.0))),
            ("arrivals", (CBR(),)),
            ("class_name", ("gold",)),
        )
    ),
    lambda s: s.with_(traffic=s.traffic.keep(np.array([1, 0]))),
    lambda s: s.with_(routing=Routing(ecmp=False)),
    lambda s: s.with_(routing=Routing(steer={0: (Steer(midpoints=(1,)),)})),
    lambda s: s.with_(routing=Routing(next_link=np.full((3, 3), -1))),
]


def test_fingerprint_changes_with_whatever_matters() -> None:
    scenario = triangle()
    prints = [change(scenario).fingerprint() for change in CHANGED]
    assert len({scenario.fingerprint(), *prints}) == len(CHANGED) + 1


def test_fingerprint_does_not_change_with_names_order_of_tables_or_what_nobody_uses() -> None:
    scenario = triangle()
    topology, traffic = scenario.topology, scenario.traffic
    same = [
        triangle(),
        pickle.loads(pickle.dumps(scenario)),
        scenario.with_(name="other", notes={"from": "memory"}),
        scenario.with_(topology=replace(topology, node_name=("X", "Y", "Z"))),
        scenario.with_(topology=topology.with_arrays(schedulers=(fifo(), fifo(9)))),
        scenario.with_(traffic=traffic.with_arrays(sizes=traffic.sizes[::-1], flow_size=[1, 0])),
        scenario.with_(traffic=replace(traffic, given_names={0: "first"})),
        scenario.with_(routing=Routing(steer={})),
    ]
    assert {s.fingerprint() for s in same} == {scenario.fingerprint()}


def test_equal_schedulers_are_kept_once() -> None:
    one = Scheduler("sp", (Queue(), Queue()), {"a": 0, "b": 1})
    other = Scheduler("sp", (Queue(), Queue()), {"b": 1, "a": 0})
    topology = Topology.build(
        ["A", "B"], [Link("A", "B", scheduler=one), Link("B", "A", scheduler=other)]
    )
    assert len(topology.schedulers) == 1
    assert Scheduler.from_dict(one.to_dict()) == one


@pytest.mark.parametrize(
    "scheduler",
    [
        fifo(math.inf, 5e4),
        strict_priority(["a", "b"]),
        wfq({"a": 2.0, "b": 1.0}, 12),
        Scheduler("drr", (Queue(4, quantum_bits=900.0), Queue()), {"a": 1}, 1e6),
    ],
)
def test_scheduler_round_trip(scheduler: Scheduler) -> None:
    assert Scheduler.from_dict(scheduler.to_dict()) == scheduler


def test_a_class_without_a_queue_goes_to_the_last() -> None:
    topology = Topology.build(["A", "B"], [Link("A", "B", scheduler=strict_priority(["v", "w"]))])
    assert topology.class_queue(["w", "v", "other"]).tolist() == [[1, 0, 1]]


def test_concatenated_traffic_keeps_every_flow() -> None:
    scenario = triangle()
    topology = scenario.topology
    more = Traffic.build(topology, [Flow("B", "C", 5e5, "v", Fixed(100.0), CBR(), "extra")])
    both = concatenate(scenario.traffic, more)
    assert both.table(topology.node_name).equals(Scenario(topology, both).flows)
    assert both.class_name == ("best-effort", "v")
    assert both.given_names == {2: "extra"}
    assert both.sizes[both.flow_size[2]] == Fixed(100.0)
    assert both.arrivals[both.flow_arrival[2]] == CBR()
    assert both.flow_rate_bps.tolist() == [1e6, 2e6, 5e5]


def test_matrix_round_trip() -> None:
    demand = np.array([[5.0, 1.0, 0.0], [2.0, 0.0, 3.0], [0.0, 0.0, 0.0]])
    traffic = Traffic.from_matrix(demand)
    np.fill_diagonal(demand, 0.0)
    assert traffic.flow_count == 3
    assert np.array_equal(traffic.matrix(3), demand)


def test_a_copy_knows_its_paths_if_they_are_the_same() -> None:
    scenario = triangle()
    known = scenario.paths
    topology, traffic = scenario.topology, scenario.traffic
    faster = topology.with_arrays(link_capacity_bps=2 * topology.link_capacity_bps)
    louder = traffic.with_arrays(flow_rate_bps=2 * traffic.flow_rate_bps)
    assert scenario.with_(topology=faster).paths is known
    assert scenario.with_(traffic=louder, name="louder").paths is known
    down = topology.link_up.copy()
    down[topology.link("A->B")] = False
    for parts in (
        {"topology": topology.with_arrays(link_weight=np.ones(6))},
        {"topology": topology.with_arrays(link_up=down)},
        {"topology": topology.with_arrays(node_up=[True, False, True])},
        {"traffic": traffic.keep(np.array([1]))},
        {"traffic": traffic.with_arrays(flow_source=[1, 2])},
        {"routing": scenario.routing.steered(0, [Steer(midpoints=(1,))])},
    ):
        changed = scenario.with_(**parts)
        fresh = replace(changed)
        assert changed.paths is not known
        for name in ("links", "link_offset", "share", "flow_offset", "status"):
            np.testing.assert_array_equal(getattr(changed.paths, name), getattr(fresh.paths, name))
