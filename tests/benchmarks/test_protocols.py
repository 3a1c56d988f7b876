"""The protocols on tiny inputs: networks, exact formulas, a recording, the ns-3 text."""

from __future__ import annotations

import math
import shutil

import numpy as np
import pytest

from benchmarks.benchmark import Skipped
from benchmarks.growth import chart
from benchmarks.networks import NSFNET, network, random_edges, scheduler_of
from benchmarks.suite import gnnet, ns3, packet_truth, scaling
from nettwin.formats.format import Reading
from nettwin.metrics import Metrics, Table
from nettwin.scenario.scenario import Scenario


def test_nsfnet_is_what_the_protocol_says() -> None:
    scenario = network()
    assert scenario.topology.node_count == 14
    assert scenario.topology.link_count == 42
    assert scenario.traffic.flow_count == 182
    assert scenario.link_offered_load.max() == pytest.approx(0.8)
    assert scenario.traffic.flow_mean_size_bits == pytest.approx(8000.0)
    assert len(scenario.paths.share) == 182  # single paths


def test_random_networks_are_connected_and_repeat() -> None:
    assert random_edges(20) == random_edges(20)
    scenario = network(random_edges(20), "drr")
    assert not scenario.paths.status.any()
    assert (
        scheduler_of("drr").queues[0].quantum_bits == 3 * scheduler_of("drr").queues[2].quantum_bits
    )


def test_mm1k_agrees_with_mm1_and_with_flow_balance() -> None:
    assert packet_truth.mm1k(0.5, 200, 1.0)[0] == pytest.approx(2.0)
    delay, loss = packet_truth.mm1k(1.0, 4, 1.0)
    assert loss == pytest.approx(0.2)
    assert delay == pytest.approx(2.0 / 0.8)


def test_mg1_and_cobham_agree_where_they_meet() -> None:
    assert packet_truth.mg1(0.5, 2.0, 1.0) == pytest.approx(2.0)
    assert packet_truth.cobham((0.5,), 2.0, 1.0) == pytest.approx([2.0])
    first, second = packet_truth.cobham((0.3, 0.3), 1.0, 1.0)
    weighted = (first + second) / 2  # the conservation law
    assert weighted == pytest.approx(packet_truth.mg1(0.6, 1.0, 1.0))


def test_judging_sees_a_wrong_value() -> None:
    scenario = packet_truth._mm1k(0.8, 11)
    runs = [packet_truth._simulate(scenario, seed) for seed in (1, 2, 3, 4, 5)]
    exact = packet_truth.mm1k(0.8, 11)[0]
    right = packet_truth._judge("x", runs, "owd_mean_s", 0, exact)
    wrong = packet_truth._judge("x", runs, "owd_mean_s", 0, exact * 1.3)
    assert right[2].value < 3.0
    assert wrong[0].met is False
    assert wrong[1].met is False


def _metrics(scenario: Scenario, delay: float, loss: float, p90: float) -> Metrics:
    flows = scenario.traffic.flow_count
    columns = {
        "owd_mean_s": np.full(flows, delay),
        "loss_ratio": np.full(flows, loss),
        "owd_p90_s": np.full(flows, p90),
        "pdv_s2": np.full(flows, 1e-3),
    }
    queues = {"occupancy_mean_bits": np.full(len(scenario.topology.queues.link), 100.0)}
    return Metrics(Table(columns), Table({}), Table(queues), "simulated", "test")


def test_comparison_gives_the_error_and_sets_starved_and_censored_apart() -> None:
    scenario = network(NSFNET, "wfq")
    recorded = _metrics(scenario, 1.0, 0.1, 2.0)
    columns = {k: v.copy() for k, v in recorded.flow.columns.items()}
    columns["loss_ratio"][0] = 1.0
    columns["owd_p90_s"][1:3] = 20.0
    recorded = Metrics(Table(columns), recorded.link, recorded.queue, "measured", "test")
    predicted = _metrics(scenario, 1.1, 0.2, 2.0)
    reading = Reading(scenario, "datanet", "test", metrics=recorded)
    case = gnnet.compare(reading, predicted, 0.1)
    figures = {f.name: f.value for f in gnnet.figures_of([case, case])}
    assert figures["delay MAPE, mean of simulations"] == pytest.approx(10.0)
    assert figures["delay MAPE, wfq alone"] == pytest.approx(10.0)
    assert "delay MAPE, fifo alone" not in figures
    assert figures["p90 delay MAPE, mean of simulations"] == pytest.approx(0.0)
    assert figures["flows starved (loss over 99 %)"] == 2
    assert figures["flows censored (p90 at 20 s)"] == 4
    assert figures["flows compared"] == 2 * (182 - 3)
    assert figures["queue occupancy, weighted error"] == 0.0
    assert figures["loss, mean absolute difference"] == pytest.approx(100 * (0.1 * 181 + 0.8) / 182)


def test_noise_floor_shrinks_with_the_length_of_the_recording() -> None:
    scenario = network()
    base = _metrics(scenario, 1.0, 0.0, 2.0)
    flow = Table(
        base.flow.columns, {"owd_mean_s": np.full(182, 0.96)}, {"owd_mean_s": np.full(182, 1.04)}
    )
    ours = Metrics(flow, base.link, base.queue, "simulated", "packet", {"simulated_s": 100.0})
    theirs = Metrics(base.flow, base.link, base.queue, "measured", "x", {"simulated_s": 400.0})
    noise = gnnet._noise(scenario, theirs, ours)
    own = math.sqrt(2 / math.pi) * 0.02
    assert noise["noise floor"] == pytest.approx(own / 2)
    assert noise["expected with our own noise"] == pytest.approx(own * math.sqrt(1.25))


def test_noise_floor_of_any_engine_is_bounded_by_the_recording_alone() -> None:
    scenario = network()
    told = _metrics(scenario, 0.5, 0.2, 2.0)
    theirs = Metrics(told.flow, told.link, told.queue, "measured", "x", {"simulated_s": 400.0})
    answer = Metrics(told.flow, told.link, told.queue, "predicted", "theory")
    noise = gnnet._noise(scenario, theirs, answer)
    packets = scenario.traffic.flow_packet_rate_pps * 400 * 0.8
    wanted = math.sqrt(2 / math.pi) * np.sqrt(1e-3 / packets) / 0.5
    assert noise[gnnet.FLOOR] == pytest.approx(wanted)
    assert np.isnan(gnnet._noise(scenario, told, answer)[gnnet.FLOOR]).all()  # length not told
    case = gnnet.compare(Reading(scenario, "datanet", "test", metrics=theirs), answer, 0.1)
    figures = {f.name: f.value for f in gnnet.figures_of([case])}
    expected = float(wanted.mean()) * 100
    assert figures[f"{gnnet.FLOOR}, mean of simulations"] == pytest.approx(expected)


def test_ns3_text_holds_the_scenario() -> None:
    scenario = network()
    lines = ns3.text_of(scenario).splitlines()
    assert lines[0] == "14 42 182"
    assert len(lines) == 1 + 42 + 182
    one, two = lines[1].split(), lines[2].split()
    assert one[:2] == two[1::-1]  # the two directions of an edge are neighbors
    assert one[4] == "32"
    assert float(lines[43].split()[0]) == pytest.approx(scenario.traffic.flow_packet_rate_pps[0])


def test_ns3_is_skipped_with_the_command_that_installs_it(
    tmp_path: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(Skipped, match="apt-get install libns3-dev"):
        ns3.build(tmp_path)  # type: ignore[arg-type]


def test_picture_is_a_drawing_of_every_row() -> None:
    rows = [
        {"nodes": float(n), "flow_hops": n * n * 2.0, "paths_s": n * 1e-4, "theory_s": n * 1e-3}
        for n in (10, 20, 50)
    ]
    drawing = chart(rows, scaling.SERIES)
    assert drawing.startswith("<svg")
    assert drawing.count("<polyline") == 3
    assert chart([], scaling.SERIES).startswith("<svg")
