"""When a run begins to count and when it ends: long links, long bursts, and what is not known."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from nettwin.engines.packet import PacketSimulator
from nettwin.engines.packet.simulation import Simulation
from nettwin.errors import InputError
from nettwin.scenario.arrivals import MMPP, ArrivalProcess, Autocorrelated, OnOff, Poisson
from nettwin.scenario.packet_sizes import Exponential, Fixed, PacketSize
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.scheduling import Scheduler, fifo, strict_priority
from nettwin.scenario.topology import Link, Topology
from nettwin.scenario.traffic import Flow, Traffic


def link(
    capacity_bps: float,
    rate_bps: float,
    delay_s: float = 0.0,
    arrival: ArrivalProcess | None = None,
    scheduler: Scheduler | None = None,
    size: PacketSize | None = None,
) -> Scenario:
    made = Link("A", "B", capacity_bps, delay_s, scheduler=scheduler or fifo())
    topology = Topology.build("AB", [made])
    flow = Flow("A", "B", rate_bps, size=size or Fixed(12_000.0), arrival=arrival or Poisson())
    return Scenario(topology, Traffic.build(topology, [flow]))


@pytest.mark.parametrize(("capacity_bps", "delay_s"), [(5e11, 0.0467), (1e9, 3.0), (6.4e4, 1.0)])
def test_the_warmup_outlasts_the_longest_path(capacity_bps: float, delay_s: float) -> None:
    done = PacketSimulator().run(link(capacity_bps, 0.5 * capacity_bps, delay_s))
    service = 12_000 / capacity_bps
    exact = delay_s + 1.5 * service  # M/D/1 at load 0.5
    assert done.metrics.flow["owd_mean_s"][0] == pytest.approx(exact, rel=0.02)
    assert done.metrics.flow["loss_ratio"][0] == 0
    assert done.metrics.link["utilization"][0] == pytest.approx(0.5, rel=0.03)
    assert done.metrics.provenance["warmup_s"] >= delay_s
    assert done.stopped_by.startswith("precision")


def test_more_packets_on_wires_than_fit_into_memory_are_refused() -> None:
    with pytest.raises(InputError, match="packets are on wires at once, more than the 20,000,000"):
        PacketSimulator().run(link(4e11, 3e11, 2.0))


def test_a_budget_that_the_warmup_exceeds_many_times_is_refused() -> None:
    links = [Link("A", "B", 4e11), Link("B", "C", 1e9, 2.0)]
    topology = Topology.build("ABC", links)
    flows = [Flow("A", "B", 2e11, size=Fixed(12_000.0)), Flow("B", "C", 1e6)]
    scenario = Scenario(topology, Traffic.build(topology, flows))
    with pytest.raises(InputError, match=r"max_packets is 1000: too few.*Give at least 3"):
        PacketSimulator(max_packets=1000).run(scenario)


def test_what_has_not_arrived_is_not_measured_and_not_lost() -> None:
    """With full queues some are lost, and all that are not are on the wire."""
    scenario = link(1e6, 5e6, delay_s=10.0)
    done = PacketSimulator(warmup_s=0.0).run(scenario, until_s=1.0)
    assert np.isnan(done.metrics.flow["loss_ratio"][0])
    assert np.isnan(done.metrics.flow["owd_mean_s"][0])
    assert done.metrics.provenance["not_measured"] == 1


def test_a_class_that_starves_loses_all() -> None:
    topology = Topology.build(
        "AB", [Link("A", "B", 1e6, scheduler=strict_priority(("high", "low"), 4))]
    )
    flows = [Flow("A", "B", 3e6, "high", Fixed(8000.0)), Flow("A", "B", 1e6, "low", Fixed(8000.0))]
    scenario = Scenario(topology, Traffic.build(topology, flows))
    done = PacketSimulator(warmup_s=30.0).run(scenario, until_s=60.0)
    assert done.metrics.flow["loss_ratio"][1] > 0.999
    assert "not_measured" not in done.metrics.provenance


@pytest.mark.parametrize(
    "arrival", [OnOff(1.0, 9.0, regular=True), OnOff(0.2, 1.8), MMPP(50.0, 0.5, 4.5)]
)
def test_bursts_are_not_called_precise_before_they_are(arrival: ArrivalProcess) -> None:
    """The utilization is 10 % exactly. A run to its budget tells it with an interval that holds."""
    runs = [
        PacketSimulator(seed=seed, precision=0.05, max_packets=200_000)
        .run(link(1e8, 1e7, arrival=arrival))
        .metrics
        for seed in range(12)
    ]
    held = 0
    for run in runs:
        low, high = run.link.low["utilization"][0], run.link.high["utilization"][0]
        held += bool(low <= 0.1 <= high)
        reached = run.provenance["stopped_by"].startswith("precision")
        if reached:
            assert run.link["utilization"][0] == pytest.approx(0.1, rel=0.15)
        else:
            assert "of A->B" in run.provenance["known_least"]
    assert held >= 9  # of 12 that are meant to hold 95 times in 100: once in some thousand times


def test_what_is_known_least_is_named() -> None:
    """Mean delays are as good as constant; the loss is what takes long."""
    scenario = link(1e6, 1.5e6, scheduler=fifo(4), arrival=Autocorrelated(0.9))
    rough = PacketSimulator(precision=0.01, max_packets=20_000).run(scenario).metrics.provenance
    assert rough["stopped_by"] == "packet budget: 20000 packets sent"
    assert rough["known_least"].startswith("loss of A->B is ")
    assert rough["precision_reached"] > 0.01


def test_a_run_shorter_than_a_burst_has_no_interval() -> None:
    scenario = link(1e8, 1e7, arrival=OnOff(100.0, 900.0))
    done = PacketSimulator(max_packets=300).run(scenario).metrics
    assert done.provenance["precision_reached"] is None
    assert "no" in done.provenance["known_least"]
    assert "utilization" not in done.link.low or np.isnan(done.link.low["utilization"][0])


def test_percentiles_are_watched_where_they_are_asked_for() -> None:
    """Of M/M/1, whose time in system is exponential."""
    scenario = link(1e6, 6e5, size=Exponential(8000.0), scheduler=fifo(math.inf))
    mean = 8e-3 / 0.4
    held = []
    for seed in range(10):
        engine = PacketSimulator(seed=seed, percentiles=True, precision=0.04)
        flow = engine.run(scenario).metrics.flow
        for name, level in (("owd_p50_s", 0.5), ("owd_p90_s", 0.9), ("owd_p99_s", 0.99)):
            exact = -mean * math.log(1 - level)
            assert flow[name][0] == pytest.approx(exact, rel=0.1)
            assert flow.high[name][0] - flow.low[name][0] < 0.1 * exact
            held.append(flow.low[name][0] <= exact <= flow.high[name][0])
    assert sum(held) >= 23


def test_ctrl_c_keeps_what_was_simulated(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Simulation.advance

    def stopped(simulation: Simulation, until_s: float, *more: object) -> None:
        """As when Ctrl-C comes 300 s after the warm-up."""
        whole(simulation, min(until_s, 301.0), *more)  # type: ignore[arg-type]
        if until_s > 301.0:
            raise KeyboardInterrupt

    monkeypatch.setattr(Simulation, "advance", stopped)
    scenario = link(1e6, 6e5)
    for settings, length in (
        ({"precision": 0.0, "max_packets": 10**12}, {}),
        ({}, {"until_s": 1e9}),
    ):
        engine = PacketSimulator(keep_interrupted=True, warmup_s=1.0, **settings)  # type: ignore[arg-type]
        done = engine.run(scenario, **length)  # type: ignore[arg-type]
        assert done.stopped_by == "Ctrl-C"
        service = 12e-3
        exact = service + 0.6 * service / 2 / 0.4
        assert done.metrics.flow["owd_mean_s"][0] == pytest.approx(exact, rel=0.05)
        assert done.metrics.provenance["simulated_s"] == pytest.approx(300.0)
        with pytest.raises(KeyboardInterrupt):
            replace(engine, keep_interrupted=False).run(scenario, **length)  # type: ignore[arg-type]
