"""Theory against what is known exactly: single ports, priorities, shares, tandems."""

from __future__ import annotations

import numpy as np
import pytest

from nettwin.engines.theory import Theory
from nettwin.metrics import Metrics
from nettwin.scenario.generate import generate
from nettwin.scenario.packet_sizes import Discrete, Exponential, Fixed, PacketSize, Uniform
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.scheduling import Queue, Scheduler, drr, fifo, strict_priority, wfq
from nettwin.scenario.topology import Link, Topology
from nettwin.scenario.traffic import Flow, Traffic

SERVICE_S = 8e-3  # of 8000 bits at 1 Mbit/s
ROOMY = 1e5
MIXED = Discrete((2400.0, 13600.0), (0.5, 0.5))
CLASSES = ("gold", "silver", "bronze")


def port(scheduler: Scheduler, flows: list[tuple[str, float]], size: PacketSize) -> Scenario:
    """One port of 1 Mbit/s; `flows` lists (class, load)."""
    topology = Topology.build(["A", "B"], [Link("A", "B", 1e6, scheduler=scheduler)])
    made = [Flow("A", "B", load * 1e6, name, size) for name, load in flows]
    return Scenario(topology, Traffic.build(topology, made))


def predict(scenario: Scenario) -> Metrics:
    return Theory().predict([scenario])[0]


def waits(scenario: Scenario) -> np.ndarray:
    """Mean waiting of each queue, its own transmission left out."""
    return predict(scenario).queue["delay_mean_s"] - SERVICE_S


@pytest.mark.parametrize(
    ("load", "places"), [(0.8, 11), (1.2, 11), (1.0, 33), (3.0, 2), (0.5, 1), (10.0, 33)]
)
def test_mm1k(load: float, places: int) -> None:
    """Exact with exponential sizes: delay, loss, occupancy and utilization."""
    metrics = predict(port(fifo(places - 1), [("x", load)], Exponential(8000.0)))
    n = np.arange(places + 1)
    p = load**n / (load**n).sum()
    admitted = load * (1 - p[-1]) / SERVICE_S
    assert metrics.flow["owd_mean_s"][0] == pytest.approx((n * p).sum() / admitted, rel=1e-6)
    assert metrics.flow["loss_ratio"][0] == pytest.approx(p[-1], rel=1e-6)
    waiting = (np.maximum(n - 1, 0) * p).sum()
    assert metrics.queue["occupancy_mean_packets"][0] == pytest.approx(waiting, rel=1e-6, abs=1e-9)
    assert metrics.link["utilization"][0] == pytest.approx(1 - p[0], rel=1e-6)


@pytest.mark.parametrize("places", [2, 11, 33])
def test_mm1k_variance(places: int) -> None:
    """An accepted packet waits for as many exponential times as it finds, and its own comes on
    top."""
    load = 0.9
    metrics = predict(port(fifo(places - 1), [("x", load)], Exponential(8000.0)))
    found = np.arange(places)
    p = load**found / (load**found).sum()
    stages = found + 1  # Erlang
    mean = (stages * p).sum()
    second = (stages * (stages + 1) * p).sum()
    exact = (second - mean**2) * SERVICE_S**2
    assert metrics.flow["pdv_s2"][0] == pytest.approx(exact, rel=1e-6)


@pytest.mark.parametrize("load", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("size", [Fixed(8000.0), MIXED, Uniform(4000.0, 12000.0)])
def test_pollaczek_khinchine(size: PacketSize, load: float) -> None:
    scenario = port(fifo(ROOMY), [("x", load)], size)
    second = size.second_moment_bits2 / 8000.0**2
    assert waits(scenario)[0] == pytest.approx(load * SERVICE_S * second / 2 / (1 - load), rel=1e-6)


def test_variance_of_md1() -> None:
    """E[W^2] = 2 E[W]^2 + a E[S^3] / (3 (1 - a) E[S]) (Kleinrock I, 5.7)."""
    load = 0.7
    metrics = predict(port(fifo(ROOMY), [("x", load)], Fixed(8000.0)))
    mean = load * SERVICE_S / 2 / (1 - load)
    # the theory takes the third moment of a gamma variable, exact for fixed sizes
    exact = mean**2 + load * SERVICE_S**2 / 3 / (1 - load)
    assert metrics.flow["pdv_s2"][0] == pytest.approx(exact, rel=1e-6)


def test_cobham() -> None:
    """Non-preemptive priorities with large buffers are exact."""
    loads = (0.2, 0.3, 0.4)
    scenario = port(strict_priority(CLASSES, ROOMY), list(zip(CLASSES, loads, strict=True)), MIXED)
    residual = sum(loads) * SERVICE_S * MIXED.second_moment_bits2 / 8000.0**2 / 2
    before = np.concatenate([[0.0], np.cumsum(loads)])
    exact = residual / (1 - before[:-1]) / (1 - before[1:])
    assert waits(scenario) == pytest.approx(exact, rel=1e-6)


@pytest.mark.parametrize("total", [0.3, 0.6, 0.9])
@pytest.mark.parametrize(
    "scheduler",
    [
        strict_priority(CLASSES, ROOMY),
        wfq(dict(zip(CLASSES, (3.0, 2.0, 1.0), strict=True)), ROOMY),
        drr(dict(zip(CLASSES, (36e3, 24e3, 12e3), strict=True)), ROOMY),
        drr(dict(zip(CLASSES, (36e5, 24e5, 12e5), strict=True)), ROOMY),
        Scheduler(
            "lsf",
            tuple(Queue(ROOMY, weight=w) for w in (3.0, 2.0, 1.0)),
            {name: k for k, name in enumerate(CLASSES)},
        ),
    ],
    ids=["sp", "wfq", "drr", "drr-long", "lsf"],
)
def test_work_is_conserved(scheduler: Scheduler, total: float) -> None:
    """The conservation law: no order of service changes the sum of load times waiting."""
    loads = total * np.array([0.5, 0.2, 0.3])
    flows = list(zip(CLASSES, loads.tolist(), strict=True))
    shared = waits(port(scheduler, flows, MIXED))
    alone = waits(port(fifo(ROOMY), flows, MIXED))[0]
    assert (loads * shared).sum() == pytest.approx(total * alone, rel=0.02)


@pytest.mark.parametrize("policy", ["wfq", "lsf", "drr"])
def test_overloaded_queues_share_by_weight(policy: str) -> None:
    shares = (3.0, 2.0, 1.0)
    queues = tuple(Queue(32.0, weight=s, quantum_bits=12000 * s) for s in shares)
    scheduler = Scheduler(policy, queues, {name: k for k, name in enumerate(CLASSES)})
    metrics = predict(port(scheduler, [(name, 2.0) for name in CLASSES], Fixed(8000.0)))
    assert metrics.queue["utilization"] == pytest.approx(np.array(shares) / 6, rel=0.01)


@pytest.mark.parametrize("policy", ["wfq", "lsf", "drr"])
def test_who_asks_for_less_than_its_share_loses_nothing(policy: str) -> None:
    """The guaranteed rate of generalized processor sharing: what the others do is no matter."""
    queues = tuple(Queue(64.0, weight=1.0, quantum_bits=12000.0) for _ in range(2))
    scheduler = Scheduler(policy, queues, {"meek": 0, "greedy": 1})
    metrics = predict(port(scheduler, [("meek", 0.3), ("greedy", 5.0)], Fixed(8000.0)))
    assert metrics.flow["loss_ratio"][0] < 1e-6
    assert metrics.flow["owd_mean_s"][0] < 10 * SERVICE_S
    assert metrics.queue["utilization"][1] == pytest.approx(0.7, abs=0.01)


def test_equal_queues_are_treated_the_same() -> None:
    for policy in ("wfq", "drr", "lsf"):
        scheduler = Scheduler(
            policy, tuple(Queue(32.0) for _ in CLASSES), {n: k for k, n in enumerate(CLASSES)}
        )
        for load in (0.1, 0.3, 0.4):
            wait = waits(port(scheduler, [(name, load) for name in CLASSES], MIXED))
            assert wait == pytest.approx(np.full(3, wait[0]), rel=1e-6)


def test_loss_thins_along_a_tandem() -> None:
    """What the first port refuses does not come to the second."""
    names = ["A", "B", "C"]
    links = [Link("A", "B", 1e6, scheduler=fifo(20)), Link("B", "C", 1e6, scheduler=fifo(20))]
    topology = Topology.build(names, links)
    flow = Flow("A", "C", 1.5e6, size=Exponential(8000.0))
    metrics = predict(Scenario(topology, Traffic.build(topology, [flow])))
    first = metrics.link["loss_ratio"][0]
    n = np.arange(22)
    assert first == pytest.approx(1.5**21 / (1.5**n).sum(), rel=1e-6)
    assert metrics.link["utilization"][0] == pytest.approx(1.5 * (1 - first), rel=1e-6)
    second = metrics.link["loss_ratio"][1]
    offered = 1.5 * (1 - first)
    poisson = offered**21 / (offered**n).sum()
    assert second < 0.1 * poisson  # it comes no faster than the second port sends
    assert metrics.flow["loss_ratio"][0] == pytest.approx(1 - (1 - first) * (1 - second), rel=1e-6)


def test_an_unlimited_overloaded_queue_carries_what_the_port_can() -> None:
    scenario = port(Scheduler("fifo", (Queue(np.inf),)), [("x", 1.5)], Fixed(8000.0))
    metrics = predict(scenario)
    assert metrics.link["utilization"][0] == pytest.approx(1.0, abs=1e-3)
    assert "grows for ever" in Theory().unsupported(scenario)[0]


def test_large_packets_are_lost_more_often_where_bits_are_counted() -> None:
    topology = Topology.build(["A", "B"], [Link("A", "B", 1e6, scheduler=fifo(np.inf, 32e3))])
    flows = [Flow("A", "B", 0.7e6, size=Fixed(bits), name=str(bits)) for bits in (1e3, 12e3)]
    loss = predict(Scenario(topology, Traffic.build(topology, flows))).flow["loss_ratio"]
    assert loss[1] > 3 * loss[0] > 0


def test_a_shaped_port_leaves_out_serialization_and_saves_its_burst() -> None:
    """An empty bucket makes the workload of M/D/1; E[(u - x)+] for an exponential u."""
    wide = Scheduler("fifo", (Queue(ROOMY),), burst_bits=8000.0)
    scenario = port(wide, [("x", 0.8)], Fixed(8000.0))
    work = 0.8 * SERVICE_S / 2 / 0.2
    assert predict(scenario).flow["owd_mean_s"][0] == pytest.approx(work, rel=1e-6)
    deep = Scheduler("fifo", (Queue(ROOMY),), burst_bits=40000.0)
    saved = predict(port(deep, [("x", 0.8)], Fixed(8000.0))).flow["owd_mean_s"][0]
    assert saved == pytest.approx(work * np.exp(-4 * SERVICE_S * 0.8 / work), rel=1e-6)


def test_rates_that_numbers_hardly_hold() -> None:
    """Estimated demands may be 1e-306 bit/s: no warning, and no delay that is not a number."""
    scenario = generate("ring", nodes=4, load=0.5)
    rate = scenario.traffic.flow_rate_bps.copy()
    rate[:3] = 1e-306, 5e-320, 1e-30
    traffic = scenario.traffic.with_arrays(flow_rate_bps=rate)
    seen = Theory().predict([scenario.with_(traffic=traffic)])[0]
    assert np.isfinite(seen.link["utilization"]).all()
    assert np.isfinite(seen.flow["owd_mean_s"][2:]).all()
