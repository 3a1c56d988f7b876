"""Theory on networks: against the packet simulator, and where networks are odd."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import gammainc

from nettwin.engines.packet import PacketSimulator
from nettwin.engines.theory import Theory
from nettwin.engines.theory.flows import PathDelays
from nettwin.engines.theory.network import solve
from nettwin.engines.theory.quantiles import percentiles
from nettwin.metrics import Metrics
from nettwin.scenario.arrivals import CBR, ArrivalProcess, OnOff, Poisson, Trace
from nettwin.scenario.generate import generate
from nettwin.scenario.packet_sizes import Exponential, Fixed
from nettwin.scenario.routing import Routing, Steer
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.scheduling import Queue, Scheduler, fifo
from nettwin.scenario.topology import Link, Topology
from nettwin.scenario.traffic import Flow, Traffic


def predict(scenario: Scenario) -> Metrics:
    return Theory().predict([scenario])[0]


def simulate(scenario: Scenario, packets: int = 400_000) -> Metrics:
    return PacketSimulator(jobs=1, precision=0.0, max_packets=packets).predict([scenario])[0]


def error(predicted: Metrics, measured: Metrics) -> float:
    """Mean error of the delay in the queues that are used."""
    used = measured.queue["utilization"] > 0.05
    ratio = predicted.queue["delay_mean_s"][used] / measured.queue["delay_mean_s"][used]
    return float(np.abs(ratio - 1).mean())


@pytest.mark.parametrize(
    ("policy", "arrival", "allowed"),
    [
        ("fifo", "poisson", 0.045),  # 0.029 without smoothing, which on chains errs by 37 %
        ("fifo", "cbr", 0.06),
        ("fifo", "onoff", 0.075),
        ("fifo", "mmpp", 0.08),
        ("fifo", "autocorrelated", 0.08),
        ("sp", "poisson", 0.04),
        ("wfq", "poisson", 0.06),
        ("wfq", "onoff", 0.09),
        ("lsf", "poisson", 0.08),
        ("drr", "poisson", 0.08),
    ],
)
def test_a_loaded_network_is_as_simulated(policy: str, arrival: str, allowed: float) -> None:
    classes = "single" if policy == "fifo" else "three"
    scenario = generate(
        load=0.8, scheduler=policy, arrival=arrival, classes=classes, buffer_packets=64
    )
    packets = 3_000_000 if policy == "fifo" and arrival in ("onoff", "mmpp") else 1_000_000
    predicted, measured = predict(scenario), simulate(scenario, packets)  # bursts average slowly
    assert error(predicted, measured) < allowed
    lost = predicted.flow["loss_ratio"] - measured.flow["loss_ratio"]
    assert np.abs(lost).mean() < 0.006  # single flows of few bursts differ by more
    used = predicted.link["utilization"] - measured.link["utilization"]
    assert np.abs(used).mean() < 0.012


def one_port(arrival: ArrivalProcess, flows: int, load: float) -> Scenario:
    topology = Topology.build("AB", [Link("A", "B", 1e6, scheduler=fifo(1e4))])
    rate = load * 1e6 / flows
    made = [Flow("A", "B", rate, arrival=arrival, name=f"f{k}") for k in range(flows)]
    return Scenario(topology, Traffic.build(topology, made))


@pytest.mark.parametrize("load", [0.3, 0.7, 0.9])
def test_periodic_flows_wait_less_than_poisson_ones(load: float) -> None:
    scenario = one_port(CBR(), 20, load)
    ours = predict(scenario).queue["delay_mean_s"][0] - 8e-3
    assert ours < load * 8e-3 / 2 / (1 - load)  # M/D/1
    # phases do not mix in one run, so that the mean of many is needed
    runs = [
        PacketSimulator(seed=k, jobs=1, precision=0.0, max_packets=20_000)
        .predict([scenario])[0]
        .queue["delay_mean_s"][0]
        for k in range(12)
    ]
    assert ours == pytest.approx(np.mean(runs) - 8e-3, rel=0.15)


def test_a_flow_alone_with_equal_gaps_never_waits() -> None:
    metrics = predict(one_port(CBR(), 1, 0.6))
    assert metrics.flow["owd_mean_s"][0] - 8e-3 < 0.3 * 8e-3 * 0.6 / 2 / 0.4


@pytest.mark.parametrize("load", [0.5, 0.8])
def test_bursts_wait_longer(load: float) -> None:
    scenario = one_port(OnOff(1.0, 1.0), 20, load)
    poisson = predict(one_port(Poisson(), 20, load)).flow["owd_mean_s"][0]
    ours, measured = predict(scenario), simulate(scenario)
    assert ours.flow["owd_mean_s"][0] > 1.05 * poisson
    delay = np.mean(measured.flow["owd_mean_s"])
    assert ours.flow["owd_mean_s"][0] == pytest.approx(delay, rel=0.1)


def test_percentiles_of_one_exponential_hop() -> None:
    """M/M/1: delay is exponential. Its percentiles are its mean times -ln(1 - p)."""
    topology = Topology.build("AB", [Link("A", "B", 1e6, scheduler=fifo(1e4))])
    flow = Flow("A", "B", 8e5, size=Exponential(8000.0))
    metrics = predict(Scenario(topology, Traffic.build(topology, [flow])))
    mean = 8e-3 / 0.2
    assert metrics.flow["owd_mean_s"][0] == pytest.approx(mean, rel=1e-6)
    for column, p in (("owd_p50_s", 0.5), ("owd_p90_s", 0.9), ("owd_p99_s", 0.99)):
        assert metrics.flow[column][0] == pytest.approx(-math.log(1 - p) * mean, rel=0.05)


def test_two_ways_are_mixed_by_what_arrives() -> None:
    """Mean and variance over a fast and a slow path; the part between the paths counts."""
    links = [Link("A", "B", 1e9, 1e-3), Link("A", "C", 1e9, 4e-3), Link("C", "B", 1e9, 5e-3)]
    topology = Topology.build("ABC", links)
    traffic = Traffic.build(topology, [Flow("A", "B", 1e3)])
    paths = (Steer(links=(0,), share=0.75), Steer(links=(1, 2), share=0.25))
    metrics = predict(Scenario(topology, traffic, Routing(steer={0: paths})))
    mean = 0.75 * 1e-3 + 0.25 * 9e-3
    assert metrics.flow["owd_mean_s"][0] == pytest.approx(mean, rel=0.01)
    assert metrics.flow["pdv_s2"][0] == pytest.approx(0.75 * 0.25 * 8e-3**2, rel=0.01)
    assert metrics.flow["owd_p50_s"][0] == pytest.approx(1e-3, rel=0.02)  # the fast path's
    assert metrics.flow["owd_p90_s"][0] == pytest.approx(9e-3, rel=0.02)  # the slow path's
    assert metrics.flow["owd_p99_s"][0] == pytest.approx(9e-3, rel=0.02)


def test_percentiles_of_ways_of_different_length_are_those_of_the_simulator() -> None:
    scenario = generate("nsfnet", load=0.7, seed=7)  # splits over several shortest paths
    split = np.diff(scenario.paths.flow_offset) > 1
    assert split.sum() > 20
    ours, measured = predict(scenario), simulate(scenario, 2_000_000)
    for column, allowed in (("owd_p90_s", 0.03), ("owd_p99_s", 0.04)):
        ratio = ours.flow[column][split] / measured.flow[column][split]
        assert np.abs(ratio - 1).mean() < allowed


def test_a_starved_class_loses_everything_and_has_no_delay() -> None:
    scheduler = Scheduler("sp", (Queue(32.0), Queue(32.0)), {"first": 0, "last": 1})
    topology = Topology.build("AB", [Link("A", "B", 1e6, scheduler=scheduler)])
    flows = [Flow("A", "B", 5e6, "first"), Flow("A", "B", 1e5, "last")]
    metrics = predict(Scenario(topology, Traffic.build(topology, flows)))
    assert metrics.flow["loss_ratio"][1] > 0.999
    assert metrics.flow["throughput_bps"][1] < 100
    assert metrics.flow["loss_ratio"][0] == pytest.approx(0.8, abs=0.01)


def test_a_port_of_64_queues() -> None:
    names = [f"class {k}" for k in range(64)]
    for policy in ("sp", "wfq", "lsf", "drr"):
        queues = tuple(Queue(16.0, weight=1.0 + k, quantum_bits=12e3) for k in range(64))
        scheduler = Scheduler(policy, queues, {name: k for k, name in enumerate(names)})
        topology = Topology.build("AB", [Link("A", "B", 1e6, scheduler=scheduler)])
        flows = [Flow("A", "B", 0.9e6 / 64, name) for name in names]
        metrics = predict(Scenario(topology, Traffic.build(topology, flows)))
        assert metrics.link["utilization"][0] == pytest.approx(0.9, abs=0.01)
        assert np.isfinite(metrics.flow["owd_mean_s"]).all()


def test_a_buffer_that_counts_the_packet_in_service_holds_one_less() -> None:
    def loss(places: float, counts: bool) -> float:
        scheduler = Scheduler("fifo", (Queue(places),), buffer_counts_service=counts)
        topology = Topology.build("AB", [Link("A", "B", 1e6, scheduler=scheduler)])
        flows = Traffic.build(topology, [Flow("A", "B", 9e5)])
        return float(predict(Scenario(topology, flows)).flow["loss_ratio"][0])

    assert loss(9, True) == pytest.approx(loss(8, False), rel=1e-9)
    assert loss(9, False) < loss(9, True)


def test_a_flow_of_nothing_has_the_delay_that_it_would_have() -> None:
    topology = Topology.build("AB", [Link("A", "B", 1e6, 1e-3)])
    flows = [Flow("A", "B", 0.0, size=Fixed(8000.0)), Flow("A", "B", 5e5)]
    metrics = predict(Scenario(topology, Traffic.build(topology, flows)))
    assert metrics.flow["owd_mean_s"][0] == pytest.approx(metrics.flow["owd_mean_s"][1])
    assert metrics.flow["throughput_bps"][0] == 0


def test_the_fixed_point_settles() -> None:
    for policy in ("fifo", "sp", "wfq", "lsf", "drr"):
        for load in (0.9, 1.2, 3.0):
            classes = "single" if policy == "fifo" else "three"
            scenario = generate("ring", nodes=8, load=load, scheduler=policy, classes=classes)
            assert solve(scenario).change < 1e-3


def test_reasons_not_to_trust() -> None:
    reasons = Theory().unsupported
    assert reasons(generate(load=0.8)) == []
    assert any("offered 400% of its capacity" in reason for reason in reasons(generate(load=4.0)))
    trace = one_port(Trace(np.array([0.0, 0.1, 0.15])), 1, 0.5)
    assert reasons(trace) == ["flow f0 is a trace, whose arrivals are taken for Poisson"]
    shallow = Scheduler("fifo", (Queue(32.0),), burst_bits=4000.0)
    topology = Topology.build("AB", [Link("A", "B", 1e6, scheduler=shallow)])
    port = Scenario(topology, Traffic.build(topology, [Flow("A", "B", 5e5)]))
    assert "less than a packet" in reasons(port)[0]


def test_percentiles_over_several_paths_are_those_of_the_mixture() -> None:
    """Gamma variables of known shapes, moved; their mixture's distribution function, solved."""
    random = np.random.default_rng(3)
    shape, scale = random.uniform(0.2, 20.0, (40, 4)), random.uniform(0.1, 2.0, (40, 4))
    least, part = random.uniform(1.0, 6.0, (40, 4)), random.dirichlet(np.ones(4), 40)
    paths = PathDelays(
        arriving=part.ravel(),
        floor_s=least.ravel(),
        mean_s=(least + shape * scale).ravel(),
        variance_s2=(shape * scale**2).ravel(),
        third_s3=(2.0 * shape * scale**3).ravel(),
        ceiling_s=np.full(160, np.inf),
    )
    for level, values in zip(
        (0.5, 0.9, 0.99),
        percentiles((0.5, 0.9, 0.99), paths, np.arange(0, 161, 4)),
        strict=True,
    ):
        below = (part * gammainc(shape, (values[:, None] - least).clip(0) / scale)).sum(axis=1)
        np.testing.assert_allclose(below, level, atol=1e-3)
