"""The applications, asked with an engine whose answers can be worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from nettwin.apps.comparison import compare
from nettwin.apps.inspection import inspect
from nettwin.apps.resilience.resilience import resilience
from nettwin.apps.summary import by_class, worst_flows, worst_links, worst_queues
from nettwin.apps.whatif import what_if
from nettwin.metrics import Metrics, Table
from nettwin.scenario.changes import (
    AddFlow,
    FailLink,
    FailNode,
    RemoveFlow,
    ScaleTraffic,
    SetCapacity,
    SetScheduler,
    SetWeight,
    apply_all,
)
from nettwin.scenario.changes.singles import duplex_links
from nettwin.scenario.generate import generate
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.topology import Link, Topology
from nettwin.scenario.traffic import Flow, Traffic
from tests.plain_engine import Plain


def test_what_if_tells_flows_and_links_before_and_after(square) -> None:
    answer = what_if(square, [FailLink("A<->B")], Plain())
    assert answer.describe() == "link A<->B fails"
    flow = {f.name.split("/")[0]: f for f in answer.flows}
    assert flow["A->B"].delay_before_s == pytest.approx(2e-3)
    assert flow["A->B"].delay_after_s == pytest.approx(6e-3)
    assert answer.flows[0].name.startswith("A->B")
    link = {k.name: k for k in answer.links}
    assert (link["D->C"].utilization_before, link["D->C"].utilization_after) == pytest.approx(
        (0.1, 0.8)
    )
    assert answer.links[0].name in ("D->C", "A->D")
    voice = next(c for c in answer.classes if c.name == "voice")
    assert (voice.flows, voice.delay_before_s, voice.delay_after_s) == pytest.approx(
        (1, 4e-3, 4e-3)
    )
    assert set(answer.touched_links) == {"A->B", "B->A"}


@pytest.mark.parametrize(
    ("change", "touched"),
    [
        (SetCapacity("A->B", 5e6), {"A->B"}),
        (SetWeight("B->C", 3), {"B->C"}),
        (SetScheduler("C->D", {"policy": "fifo", "queues": [{"buffer_packets": 7}]}), {"C->D"}),
        (FailNode("A"), {"A->B", "B->A", "A->D", "D->A"}),
        (ScaleTraffic(0.5), set()),
    ],
)
def test_touched_links_are_those_that_differ(square, change, touched) -> None:
    assert set(what_if(square, [change], Plain()).touched_links) == touched


def test_flows_that_come_and_go_have_a_side_without_delay(square) -> None:
    gone = square.flow_names[1]
    answer = what_if(square, [AddFlow("D", "C", 1e6), RemoveFlow(gone)], Plain())
    flow = {f.name: f for f in answer.flows}
    (new,) = set(flow) - set(square.flow_names)
    assert np.isnan(flow[new].delay_before_s) and flow[new].delay_after_s > 0
    assert np.isnan(flow[gone].delay_after_s) and flow[gone].delay_before_s > 0


def test_lost_traffic_ranks_before_delay(square) -> None:
    answer = what_if(square, [FailLink("A<->B"), ScaleTraffic(1.5)], Plain())
    growth = [f.loss_after - f.loss_before for f in answer.flows]
    assert growth == sorted(growth, reverse=True)
    assert growth[0] > 0.1


def test_parallel_lines_fail_one_at_a_time() -> None:
    links = [Link("A", "B"), Link("B", "A"), Link("A", "B"), Link("B", "A"), Link("B", "C")]
    topology = Topology.build("ABC", links)
    lines = duplex_links(topology)
    assert [members for _, members in lines] == [(0, 1), (2, 3), (4,)]
    network = Scenario(topology, Traffic.build(topology, [Flow("A", "C", 1e6)]))
    parallel = [f for f in resilience(network, Plain()).failures if not f.cut_flows]
    assert len(parallel) == 2
    for failure in parallel:
        down = ~apply_all(network, failure.changes).topology.link_live
        assert down.sum() == 2


def test_compare_takes_the_simulator_or_the_measurement_as_reference(square) -> None:
    theory, slow = Plain(), Plain("slow", wait_s=2e-3)
    comparison = compare(square, [theory, slow])
    assert comparison.reference == "slow"  # both predict: the last
    (delay,) = comparison.agreement(["owd_mean_s"])
    assert (delay.engine, delay.flows) == ("theory", 2)
    assert delay.mean_error == pytest.approx(1 / 3)
    assert {row.traffic_class for row in comparison.agreement_by_class()} == {
        "best-effort",
        "voice",
    }
    truth = Metrics(
        Table({"owd_mean_s": [2e-3, np.nan]}), Table({}), Table({}), "measured", "testbed"
    )
    (measured,) = compare(square, [theory], measured=truth).agreement(["owd_mean_s"])
    assert (measured.flows, measured.mean_error) == (1, pytest.approx(0.0))


def test_compare_keeps_models_of_one_name_apart(square) -> None:
    fast, slow = Plain("packet"), Plain("packet", wait_s=2e-3)
    truth = replace(slow.predict([square])[0], method="measured", engine="packet")
    comparison = compare(square, [fast, slow], measured=truth)
    assert list(comparison.metrics) == ["packet", "packet#2", "packet#3"]
    assert comparison.reference == "packet#3"
    errors = {row.engine: row.mean_error for row in comparison.agreement(["owd_mean_s"])}
    assert errors["packet"] > 0.1 and errors["packet#2"] == 0
    named = compare(square, {"base": fast, "adapted": slow})
    assert list(named.metrics) == list(named.seconds) == ["base", "adapted"]
    assert named.reference == "adapted"


def test_inspect_tells_facts_problems_and_objections(square) -> None:
    found = inspect(square.with_(), [Plain()], top=1)
    assert (found.nodes, found.links, found.flows, found.offered_bps) == (4, 8, 2, 8e6)
    assert (found.busiest[0].name, found.busiest[0].offered_load) == ("A->B", pytest.approx(0.7))
    assert (found.overloaded, found.problems, found.unsupported) == (0, (), {"theory": ()})
    assert found.hops_mean == pytest.approx(1.5)
    broken = apply_all(square, [FailNode("C"), ScaleTraffic(3)])
    found = inspect(broken, [Plain()])
    assert found.down == ("C",)
    assert found.overloaded == 1
    assert len(found.problems) == 1
    assert found.unsupported == {"theory": ("a link is overloaded",)}


def test_classes_are_weighed_by_their_packets() -> None:
    network = generate("ring", classes="three", load=0.5)
    got = by_class(network, Plain().predict([network])[0])
    assert list(got) == ["voice", "video", "best-effort"]
    assert sum(c.flows for c in got.values()) == network.traffic.flow_count
    assert sum(c.rate_bps for c in got.values()) == pytest.approx(
        network.traffic.flow_rate_bps.sum()
    )


def test_the_worst_lose_first_then_wait_longest_and_the_unknown_is_last() -> None:
    metrics = Metrics(
        flow=Table(
            {
                "owd_mean_s": [1.0, 5.0, np.nan, 2.0, np.nan],
                "owd_p99_s": [9.0, 6.0, np.nan, 3.0, np.nan],
                "loss_ratio": [0.0, 1e-4, 1.0, 0.2, 0.0],
            }
        ),
        link=Table({"utilization": [0.2, np.nan, 0.9, 0.0]}),
        queue=Table({"loss_ratio": [0.0, 0.5], "delay_mean_s": [3.0, 1.0]}),
        method="predicted",
        engine="by hand",
    )
    assert worst_flows(metrics).tolist() == [2, 3, 0, 1, 4]
    line = generate("line", nodes=3, load=0.5)
    idle = line.with_(traffic=line.traffic.keep(np.zeros(0, np.intp)))
    assert worst_links(idle, metrics).tolist() == [2, 0, 3, 1]  # by what they carry
    narrow = apply_all(line, [SetCapacity(line.topology.link_name[1], 1e6)])
    assert worst_links(narrow, metrics)[0] == 1  # by what they are offered
    assert worst_queues(metrics).tolist() == [1, 0]


def test_inspecting_a_network_finds_no_paths() -> None:
    network = generate("grid", nodes=16, load=0.5)
    found = inspect(network, [Plain()])
    assert "paths" not in vars(network)
    paths = network.paths
    hops = np.diff(paths.link_offset) * paths.share
    assert found.hops_mean == pytest.approx(hops.sum() / network.traffic.flow_count)
