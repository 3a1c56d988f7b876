"""odd_networks and ordinary_networks: what is drawn, what is known of it, how it is judged."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks import judging, known_truth
from benchmarks.judging import COVERED, Tally
from benchmarks.known_truth import QUANTITIES, Truth, drawn, truths
from benchmarks.suite import changing_links, odd_networks, ordinary_networks, training_growth
from nettwin.engines.theory import Theory
from nettwin.metrics import Metrics, Table
from nettwin.scenario.generate import generate
from nettwin.scenario.packet_sizes import Exponential
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.scheduling import Queue, Scheduler
from nettwin.scenario.topology import Link, Topology
from nettwin.scenario.traffic import Flow, Traffic


@pytest.mark.parametrize("suite", [odd_networks, ordinary_networks])
def test_networks_are_as_said_and_the_same_for_any_number_of_them(suite) -> None:
    many, few = (list(drawn(suite.draw, suite.SEED, count)) for count in (12, 3))
    assert [s.fingerprint() for s in many[:3]] == [s.fingerprint() for s in few]
    assert len({s.fingerprint() for s in many}) == len(many)
    low, high = (0.3, 1.1) if suite is odd_networks else (0.3, 0.95)
    for scenario in many:
        assert low <= scenario.link_offered_load.max() * (1 + 1e-9)
        assert scenario.link_offered_load.max() <= high * (1 + 1e-9)
        assert not scenario.paths.status.any()
    nodes = [s.topology.node_count for s in many]
    assert max(nodes) <= 5 if suite is odd_networks else min(nodes) >= 12


def single_queue(load: float) -> Scenario:
    """M/M/1/9: eight packets wait at most, and one is sent."""
    port = Scheduler("fifo", (Queue(8.0),))
    topology = Topology.build(["a", "b"], [Link("a", "b", 1e6, scheduler=port)])
    flow = Flow("a", "b", load * 1e6, size=Exponential(8000.0))
    return Scenario(topology, Traffic.build(topology, [flow]))


def test_the_truth_of_a_queue_is_what_formulas_say_and_its_error_is_known(tmp_path: Path) -> None:
    load, room = 0.9, 9
    part = load ** np.arange(room + 1) / (load ** np.arange(room + 1)).sum()
    mean = (np.arange(room + 1) * part).sum() / (load * (1 - part[room])) * 8e-3
    scenario = single_queue(load)
    (known,) = truths([scenario], tmp_path, packets=(20_000, 60_000))
    for name, exact in (("owd_mean_s", mean), ("loss_ratio", part[room])):
        error = known.error[QUANTITIES.index(name)][0]
        assert known.of(name)[0] == pytest.approx(exact, rel=5 * error)
        assert 0 < error < 0.03
    (path,) = tmp_path.iterdir()
    (again,) = truths([scenario], tmp_path, packets=(1,))  # from the folder: nothing is simulated
    np.testing.assert_array_equal(again.value, known.value)
    assert path.stem == scenario.fingerprint()


def test_what_is_not_known_well_enough_is_not_judged() -> None:
    value = np.ones((len(QUANTITIES), 3))
    value[QUANTITIES.index("loss_ratio")] = [0.0, 0.5, 0.995]
    error = np.full_like(value, known_truth.PRECISION / 2)
    error[0, 0] = 2 * known_truth.PRECISION
    found = Truth(value, error)
    assert found.known("owd_mean_s").tolist() == [False, True, False]  # the last is starved
    assert found.known("loss_ratio").tolist() == [True, True, True]


def test_coverage_widths_and_flags_are_counted() -> None:
    said = Theory().predict([odd_networks.draw(np.random.default_rng(5))])[0]
    count = len(said.flow)
    columns = {name: np.ones(count) for name in QUANTITIES}
    columns["loss_ratio"] = np.full(count, 0.1)
    low = {name: values * 0.9 for name, values in columns.items()}
    high = {name: values * 1.1 for name, values in columns.items()}
    flagged = np.arange(count) == 0
    said = replace(said, flow=Table(columns, low, high), flagged=flagged, confidence=0.9)
    value = np.stack([columns[name] for name in QUANTITIES])
    value[QUANTITIES.index("owd_mean_s"), 0] = 2.0  # far off, and flagged
    truth = Truth(value, np.zeros_like(value))
    tally = Tally()
    beside: Metrics = replace(said, flow=Table({"owd_mean_s": 2 * columns["owd_mean_s"]}))
    judging._judge(tally, truth, said, beside)
    figures = {f.name: f for f in judging.figures(tally, most=0.05, median=False, width=0.3)}
    assert figures["gnn: error"].value == pytest.approx(0.5 / count)
    assert figures["gnn: error, not flagged"].value == 0.0
    assert figures["theory: error"].value == pytest.approx(1.0 - 1.0 / count)
    assert figures["coverage mean"].value == pytest.approx(1 - 1 / count)
    assert figures["coverage p50"].value == 1.0
    assert figures["coverage p50"].met is False  # too wide is missed as well
    assert figures["width mean"].value == pytest.approx(0.2)
    assert figures["width loss"].value == pytest.approx(0.02)
    assert figures["flagged or out of range"].value == pytest.approx(1 / count)
    assert figures["flagged hold errors over 20 %"].value == 1.0
    assert {f"coverage {name}" for name in COVERED} <= figures.keys()


def test_links_that_are_down_leave_the_network_whole() -> None:
    intact = ordinary_networks.draw(np.random.default_rng([ordinary_networks.SEED, 1]))
    ring = generate("ring", nodes=6, classes="three")
    random = np.random.default_rng(1)
    for scenario in (ring, generate("gabriel", nodes=12)):
        changed = changing_links.without(scenario, random)
        down = ~changed.topology.link_up
        assert 2 <= down.sum() <= 6
        assert down.sum() % 2 == 0
        assert not changed.paths.status.any()
    assert intact.topology.link_up.all()


def test_growth_of_a_power_is_its_exponent() -> None:
    amounts = [8, 16, 32]
    assert training_growth.exponent(amounts, [3.0 * a**1.2 for a in amounts]) == pytest.approx(1.2)
    assert np.isnan(training_growth.exponent([8], [1.0]))
