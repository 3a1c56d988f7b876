"""Judgements against values worked out by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from nettwin.errors import InputError, UnknownNameError
from nettwin.intent import (
    MEASURES,
    Avoid,
    Expectation,
    Intent,
    Measure,
    Objective,
    Selector,
    State,
    Survive,
    judge,
)
from nettwin.intent.judgement import HOPELESS
from nettwin.intent.selector import EVERYTHING, EmptySelectionError
from nettwin.scenario.arrivals import CBR, Poisson
from nettwin.scenario.changes import FailLink, FailNode, apply_all
from nettwin.scenario.packet_sizes import Fixed
from nettwin.scenario.routing import Routing, Steer
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.topology import Link, Topology
from nettwin.scenario.traffic import Flow, Traffic
from tests.intent.towns import metrics, towns

VOICE = Selector(traffic_class=("voice",))
# flows: Madrid->Oslo voice 2M, bulk 50M; Madrid->Paris bulk 30M; Rome->Oslo bulk 20M;
# Oslo->Rome voice 1M; Faro->Paris voice 0.5M, bulk 5M
DELAY_S = [0.012, 0.014, 0.007, 0.013, 0.016, 0.009, 0.010]


def only(intent: Intent, *args: object, **more: object):
    (line,) = judge(intent, *args, **more).lines  # type: ignore[arg-type]
    return line


def test_utilization_its_margin_and_the_worst_link() -> None:
    # core-1: 2 + 50 + 30 + 5.5 = 87.5 of 100 Mbit/s; core-2 carries nothing
    network = towns()
    line = only(Intent(expect=(Expectation("utilization", at_most=0.8),)), State(network))
    assert (line.met, line.worst, line.selected, line.within) == (False, "core-1", 12, 11)
    assert line.value == pytest.approx(0.875)
    assert line.margin == pytest.approx(-0.075)
    assert line.excess == pytest.approx(0.075 / 0.8)
    core = Selector(link=("core-2",))
    line = only(Intent(expect=(Expectation("utilization", core, at_most=0.8),)), State(network))
    assert (line.met, line.excess, line.margin) == (True, 0, 0.8)


def test_mean_over_links_counts_each_once() -> None:
    core = Selector(link=("core-*",))
    intent = Intent(expect=(Expectation("utilization", core, at_most=0.5, reduce="mean"),))
    line = only(intent, State(towns()))
    assert line.value == pytest.approx(0.4375)
    assert (line.worst, line.met) == ("mean", True)


def test_delays_each_and_their_mean_weighted_by_packets() -> None:
    network = towns()
    now = State(network, metrics(network, owd_mean_s=DELAY_S))
    line = only(Intent(expect=(Expectation("delay", VOICE, at_most=0.012),)), now)
    assert (line.worst, line.value, line.selected, line.within) == ("Oslo->Rome/voice", 0.016, 3, 2)
    assert line.excess == pytest.approx(1 / 3)
    mean = Intent(expect=(Expectation("delay", VOICE, at_most=0.013, reduce="mean"),))
    # all of 200 B, so that rates are the weights: 2 M, 1 M, 0.5 M
    assert only(mean, now).value == pytest.approx((2 * 12e-3 + 16e-3 + 0.5 * 9e-3) / 3.5)


def test_deviation_is_the_root_of_the_variance() -> None:
    network = towns()
    now = State(network, metrics(network, pdv_s2=[4e-6] * 7))
    line = only(Intent(expect=(Expectation("delay_variation", at_most=1e-3),)), now)
    assert line.value == pytest.approx(2e-3)


def test_throughput_at_least() -> None:
    network = towns()
    now = State(network, metrics(network))
    line = only(Intent(expect=(Expectation("throughput", VOICE, at_least=1e6),)), now)
    assert (line.met, line.value, line.worst) == (False, 5e5, "Faro->Paris/voice")
    assert line.margin == pytest.approx(-5e5)
    assert line.excess == pytest.approx(0.5)
    total = Intent(expect=(Expectation("throughput", VOICE, at_least=3e6, reduce="total"),))
    assert only(total, now).value == pytest.approx(3.5e6)
    assert only(total, now).met


def test_starved_flows_have_no_end_of_delay() -> None:
    network = towns()
    now = State(network, metrics(network, owd_mean_s=[math.nan, *DELAY_S[1:]]))
    line = only(Intent(expect=(Expectation("delay", VOICE, at_most=0.02),)), now)
    assert (line.value, line.excess, line.met) == (math.inf, HOPELESS, False)
    assert line.worst == "Madrid->Oslo/voice"
    (value,) = judge(Intent(((Objective("delay", VOICE, "max"),),)), now).objectives
    assert value == HOPELESS


def test_silent_flows_are_left_out() -> None:
    network = towns()
    rate = network.traffic.flow_rate_bps.copy()
    rate[0] = 0
    silent = network.with_(traffic=network.traffic.with_arrays(flow_rate_bps=rate))
    now = State(silent, metrics(silent, owd_mean_s=[math.nan, *DELAY_S[1:]]))
    line = only(Intent(expect=(Expectation("delay", VOICE, at_most=0.02),)), now)
    assert (line.value, line.selected, line.met) == (0.016, 2, True)


def test_what_misses_by_rounding_is_met() -> None:
    network = towns()
    now = State(network, metrics(network, owd_mean_s=[0.012 * (1 + 1e-12), *DELAY_S[1:]]))
    first = Selector(flow=("Madrid->Oslo/voice",))
    assert only(Intent(expect=(Expectation("delay", first, at_most=0.012),)), now).met


def test_objectives_in_order_and_as_a_weighted_sum() -> None:
    network = towns()
    now = State(network, metrics(network, owd_mean_s=DELAY_S))
    load, delay = Objective("utilization", weight=10), Objective("delay", VOICE, "max", 100)
    intent = Intent(minimize=((Objective("utilization"),), (load, delay), (Objective("changes"),)))
    found = judge(intent, now, changes=3)
    assert found.objectives == pytest.approx((0.875, 8.75 + 1.6, 3))
    assert found.score[0] == found.violation == 0
    assert found.names[1].startswith("10 x max offered_load + 100 x max delay")


def test_changes_and_cost() -> None:
    intent = Intent(expect=(Expectation("cost", at_most=5.0),), most_changes=2)
    found = judge(intent, State(towns()), changes=3, cost=4.0)
    cost, changes = found.lines
    assert (cost.met, cost.margin) == (True, 1)
    assert (changes.met, changes.value, changes.excess) == (False, 3, 0.5)
    assert found.violation == 0.5


def test_avoided_links_and_how_much_still_crosses_them() -> None:
    network = towns()
    avoid = Avoid(Selector(source=("Madrid",)), Selector(link=("Paris->Oslo",)))
    line = only(Intent(avoid=(avoid,)), State(network))
    assert (line.met, line.value, line.selected, line.within) == (False, 1, 3, 1)
    assert line.worst == "Madrid->Oslo/voice"
    spared = Avoid(Selector(source=("Madrid",)), Selector(link=("Rome->Vienna",)))
    assert only(Intent(avoid=(spared,)), State(network)).met


def test_failures_the_worst_of_them_is_named() -> None:
    network = towns()
    cut = apply_all(network, [FailLink("Paris<->Oslo")])
    down = apply_all(network, [FailNode("Vienna")])
    after = [State(cut, name="Paris<->Oslo"), State(down, name="Vienna")]
    survive = Survive(("link",), (Expectation("utilization", at_most=0.6),))
    line = only(Intent(survive=survive), State(network), after)
    # Madrid to Oslo goes by Rome and Vienna: 52 + 20 = 72 of 100 Mbit/s from Rome on;
    # without Vienna core-1 carries 52 + 30 + 5.5 + 20 = 107.5
    assert line.value == pytest.approx(1.075)
    assert line.worst == "core-1 (Vienna)"
    assert line.selected == 24
    assert line.text.endswith("when any single link fails")


def test_a_flow_whose_end_is_down_is_left_out_and_one_cut_off_is_lost() -> None:
    network = towns()
    down = apply_all(network, [FailNode("Oslo")])
    cut = apply_all(network, [FailLink("Madrid<->Faro")])
    after = [State(s, metrics(s), n) for s, n in ((down, "Oslo"), (cut, "Madrid<->Faro"))]
    survive = Survive(("link",), (Expectation("loss", VOICE, at_most=0.01),))
    line = only(Intent(survive=survive), State(network), after)
    assert (line.value, line.worst) == (1, "Faro->Paris/voice (Madrid<->Faro)")
    assert (line.selected, line.within) == (4, 3)  # one of three without Oslo, three of three


def test_worst_objective_over_failures_comes_last() -> None:
    network = towns()
    after = [State(apply_all(network, [FailLink("Paris<->Oslo")]), name="x")]
    intent = Intent(survive=Survive(("link",), (), (Objective("utilization"),)))
    assert judge(intent, State(network), after).objectives == pytest.approx((0.875, 0.72))
    assert judge(intent, State(network)).objectives == pytest.approx((0.875,))


def test_an_objective_may_be_the_mean_over_failures() -> None:
    network = towns()
    failing = ("Paris<->Oslo", "Madrid<->Faro")
    after = [State(apply_all(network, [FailLink(name)]), name=name) for name in failing]
    each = [float(state.scenario.link_offered_load.max()) for state in after]
    load = Objective("utilization")
    survive = Survive(("link",), (), (load, replace(load, failures="mean")))
    found = judge(Intent(minimize=(), survive=survive), State(network), after)
    assert found.objectives == pytest.approx((max(each), np.mean(each)))
    assert each[0] != each[1]
    assert found.names[1].startswith("mean over failures of max offered_load")


def test_queues_are_selected_by_class() -> None:
    network = towns()
    intent = Intent(expect=(Expectation("queue_occupancy", VOICE, at_most=4000.0),))
    line = only(intent, State(network, metrics(network)))
    assert (line.selected, line.value, line.excess) == (12, 8000, 12)


def test_selection_refuses_what_it_cannot_mean() -> None:
    now = State(towns())
    wrong = Selector(traffic_class=("vioce",))
    with pytest.raises(UnknownNameError, match="did you mean: voice"):
        wrong.select(now.scenario, "flow")
    with pytest.raises(UnknownNameError, match="selector of a link"):
        VOICE.select(now.scenario, "link")
    with pytest.raises(EmptySelectionError, match="selects no flow"):
        Selector(source=("Vienna",)).select(now.scenario, "flow")
    with pytest.raises(InputError, match="needs a prediction"):
        judge(Intent(expect=(Expectation("delay", at_most=1.0),)), now)


@pytest.mark.parametrize("measure", MEASURES.values(), ids=lambda m: m.name)
def test_every_measure_has_a_value_for_every_element(measure: Measure) -> None:
    network = towns()
    columns = ("owd_mean_s", "owd_p50_s", "owd_p90_s", "owd_p99_s")
    known = metrics(network, **dict.fromkeys(columns, DELAY_S), pdv_s2=[1e-6] * 7)
    line = only(
        Intent((), expect=(Expectation(measure.name, at_most=measure.high),)), State(network, known)
    )
    assert line.met and np.isfinite(line.value)
    if measure.of is None:
        assert measure.kind == "plan"
        return
    count = {"flow": 7, "link": 12, "queue": 24}[measure.kind]
    assert measure.of(network, known).shape == (count,)
    assert line.selected == count
    if not measure.predicted:
        np.testing.assert_array_equal(measure.of(network, None), measure.of(network, known))


@pytest.mark.parametrize(
    ("select", "kind", "names"),
    [
        (Selector(link=("Madrid<->Rome",)), "link", ["Madrid->Rome", "Rome->Madrid"]),
        (Selector(link=("Madrid->*",)), "link", ["core-1", "Madrid->Rome", "Madrid->Faro"]),
        (Selector(link=("core-?",), source=("Paris",)), "link", ["core-2"]),
        (Selector(srlg=("pyrenees",), target=("Rome",)), "link", ["Madrid->Rome"]),
        (Selector(link=("*<->Faro",)), "link", ["Madrid->Faro", "Faro->Madrid"]),
        (Selector(link=("Vienna->Oslo",)), "flow", ["Rome->Oslo/bulk"]),
        (
            Selector(source=("F*", "Rome"), traffic_class=("b*",)),
            "flow",
            ["Rome->Oslo/bulk", "Faro->Paris/bulk"],
        ),
    ],
)
def test_selectors(select: Selector, kind: str, names: list[str]) -> None:
    network = towns()
    known = network.flow_names if kind == "flow" else network.topology.link_name
    mask = select.select(network, kind)  # type: ignore[arg-type]
    assert [known[i] for i in np.flatnonzero(mask)] == names


def parallel() -> Scenario:
    """A and B by two links in each direction, a third named `cable`; all traffic on A->B#2."""
    links = [Link("A", "B"), Link("A", "B"), Link("B", "A"), Link("A", "B", name="cable")]
    topology = Topology.build("AB", links)
    steer = {0: (Steer(links=(1,)),)}
    traffic = Traffic.build(topology, [Flow("A", "B", 1e6)])
    return Scenario(topology, traffic, Routing(steer=steer))


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("*<->B", ["A->B", "A->B#2", "B->A", "cable"]),
        ("B<->*", ["A->B", "A->B#2", "B->A", "cable"]),
        ("A*->B", ["A->B", "A->B#2", "cable"]),
        ("A<->B", ["A->B", "A->B#2", "B->A", "cable"]),
        ("A->B", ["A->B"]),
        ("A->B#2", ["A->B#2"]),
        ("A->B#*", ["A->B#2"]),
        ("A<->B#1", ["A->B", "B->A"]),
        ("cab*", ["cable"]),
    ],
)
def test_patterns_and_parallel_links(pattern: str, names: list[str]) -> None:
    network = parallel()
    mask = Selector(link=(pattern,)).select(network, "link")
    assert [n for n, k in network.topology.link_index.items() if mask[k]] == names


def test_avoiding_a_pattern_means_its_parallel_links_too() -> None:
    for pattern in ("A*->B", "A<->B", "A->*"):
        line = only(
            Intent(avoid=(Avoid(EVERYTHING, Selector(link=(pattern,))),)), State(parallel())
        )
        assert not line.met


def test_delay_bounds_need_no_prediction() -> None:
    """One CBR flow alone: transmission and propagation of each hop, and nothing waits."""
    topology = Topology.build(["A", "B"], [Link("A", "B", 1e6, 0.002)])
    flow = Flow("A", "B", 1e5, "voice", Fixed(8000), CBR())
    network = Scenario(topology, Traffic.build(topology, [flow]))
    intent = Intent(expect=(Expectation("delay_bound", VOICE, at_most=0.011),))
    assert not intent.predicted
    line = only(intent, State(network))
    assert (line.met, line.worst) == (True, "A->B")
    assert line.value == pytest.approx(0.010)
    unlimited = network.with_(traffic=network.traffic.with_arrays(arrivals=(Poisson(),)))
    line = only(intent, State(unlimited))
    assert line.value > 0.010  # the buffer alone bounds it
    assert not line.met
