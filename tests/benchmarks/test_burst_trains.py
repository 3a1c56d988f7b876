"""Burst trains as fluids, against sums that can be done by hand; the protocol of the testbed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.benchmark import Options, Skipped
from benchmarks.burst_trains import Bursts, waiting_s
from benchmarks.suite import testbed
from nettwin.engines.learned.testbed.inputs import WIRE_BITS, inputs_of
from nettwin.scenario.arrivals import CBR, OnOff
from nettwin.scenario.packet_sizes import Fixed
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.scheduling import Queue, Scheduler
from nettwin.scenario.topology import Link, Node, Topology
from nettwin.scenario.traffic import Flow, Traffic
from tests.formats.testbed_files import arrays, packed

REGULAR = Bursts((0.4, 0.4), (0.5, 0.5), window_s=8.0, settling_s=0.8)


def line(*flows: tuple[float, object], buffer_bits: float = 1e9) -> Scenario:
    queue = Queue(buffer_packets=np.inf, buffer_bits=buffer_bits)
    port = Scheduler(queues=(queue,))
    topology = Topology.build([Node("a"), Node("b")], [Link("a", "b", 1e9, scheduler=port)])
    size = Fixed(8000.0)
    wire = 1 + WIRE_BITS / 8000.0
    made = [Flow("a", "b", r / wire, size=size, arrival=arrival) for r, arrival in flows]  # type: ignore[arg-type]
    return Scenario(topology, Traffic.build(topology, made))


def test_one_train_that_exceeds_its_port() -> None:
    # on for 0.2 s at 1.6 of the capacity: the queue grows to 0.12 s of work, seen half on average
    wait = waiting_s(inputs_of(line((8e8, OnOff(0.2, 0.2)))), 0, REGULAR)
    assert wait == pytest.approx([0.06], rel=0.03)


def test_what_a_buffer_keeps_of_it() -> None:
    # 0.03 s of buffer are full after 0.05 s of the 0.2 s: of 0.2 s of fluid taken in the on time
    # and 0.03 s kept, the first 0.08 s see a rising queue and the other 0.15 s a full one
    wait = waiting_s(inputs_of(line((8e8, OnOff(0.2, 0.2)), buffer_bits=3e7)), 0, REGULAR)
    assert wait == pytest.approx([(0.08 * 0.015 + 0.15 * 0.03) / 0.23], rel=0.03)


def test_trains_that_fit_never_wait() -> None:
    flows = [(2e8, OnOff(0.2, 0.2)), (2e8, OnOff(0.2, 0.2)), (1.5e8, CBR())]
    assert waiting_s(inputs_of(line(*flows)), 0, REGULAR) == pytest.approx(0, abs=1e-9)


def test_a_constant_rate_beside_waits_less_than_the_train_that_causes_it() -> None:
    flows = [(4.5e8, OnOff(0.2, 0.2)), (3e8, CBR())]
    train, constant = waiting_s(inputs_of(line(*flows)), 0, REGULAR)
    assert 0 < constant < train
    again = waiting_s(inputs_of(line(*flows)), 0, REGULAR)
    assert again == pytest.approx([train, constant])


def test_the_benchmark_over_two_folds(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="training needs PyTorch")
    for name in ("mb_0", "mb_1"):
        (tmp_path / f"{name}.npz").write_bytes(packed(arrays(3)))
    extra = {"epochs": 1, "folds": 0, "seed": 0, "twin": True}
    outcome = testbed.run(Options(tmp_path, None, extra))
    figures = {figure.name: figure for figure in outcome.figures}
    assert figures["MAPE, pooled"].target is None  # of synthetic delays: nothing to reach
    assert figures["flows"].value == 24
    assert {"MAPE, mb fold 0", "MAPE, mb fold 1", "MAPE of theory, pooled"} <= figures.keys()
    real = testbed.run(Options(tmp_path, None, extra | {"twin": False}))
    assert next(f for f in real.figures if f.name == "MAPE, pooled").target == 12.0


def test_the_benchmark_needs_folds(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="training needs PyTorch")
    (tmp_path / "mb_0.npz").write_bytes(packed(arrays(1)))
    extra = {"epochs": 1, "folds": 0, "seed": 0, "twin": False}
    with pytest.raises(Skipped, match="fewer than two folds"):
        testbed.run(Options(tmp_path, None, extra))
    with pytest.raises(Skipped, match="--data"):
        testbed.run(Options(None, None, extra))
