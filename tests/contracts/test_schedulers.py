"""What every registered scheduling policy must do, in the simulator and in theory, at one port."""

from __future__ import annotations

import numpy as np
import pytest

from nettwin.engines.packet import PacketSimulator
from nettwin.engines.theory import Theory
from nettwin.metrics import Metrics
from nettwin.scenario.packet_sizes import Discrete, Fixed, PacketSize
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.scheduling import SCHEDULERS, Queue, Scheduler
from nettwin.scenario.topology import Link, Topology
from nettwin.scenario.traffic import Flow, Traffic

CAPACITY_BPS = 1e6
MIXED = Discrete((2400.0, 13600.0), (0.5, 0.5))
WEIGHTS = (3.0, 2.0, 1.0)
CLASSES = ("gold", "silver", "bronze")
EVERY = list(SCHEDULERS)
SHARING = [p for p in EVERY if SCHEDULERS[p].uses_weight or SCHEDULERS[p].uses_quantum]


def scheduler(policy: str, buffer_packets: float = 32.0) -> Scheduler:
    if SCHEDULERS[policy].single_queue:
        return Scheduler(policy, (Queue(buffer_packets),))
    queues = tuple(Queue(buffer_packets, weight=w, quantum_bits=12000.0 * w) for w in WEIGHTS)
    return Scheduler(policy, queues, {name: k for k, name in enumerate(CLASSES)})


def port(
    policy: str,
    loads: tuple[float, ...],
    buffer_packets: float = 32.0,
    size: PacketSize = MIXED,
    classes: tuple[str, ...] = CLASSES,
) -> Scenario:
    """A port with a flow a load; of classes in turn."""
    link = Link("A", "B", CAPACITY_BPS, scheduler=scheduler(policy, buffer_packets))
    topology = Topology.build("AB", [link])
    flows = [
        Flow("A", "B", load * CAPACITY_BPS, classes[k % len(classes)], size, name=f"f{k}")
        for k, load in enumerate(loads)
    ]
    return Scenario(topology, Traffic.build(topology, flows))


def simulated(scenario: Scenario, packets: int) -> Metrics:
    return PacketSimulator(jobs=1, precision=0.0, max_packets=packets).predict([scenario])[0]


def theory(scenario: Scenario) -> Metrics:
    return Theory().predict([scenario])[0]


@pytest.mark.parametrize("policy", EVERY)
def test_an_overloaded_port_never_rests(policy: str) -> None:
    """Work conservation: while packets wait, the whole capacity is used."""
    scenario = port(policy, (0.9, 0.6, 0.5))
    for metrics in (simulated(scenario, 300_000), theory(scenario)):
        assert metrics.flow["throughput_bps"].sum() == pytest.approx(CAPACITY_BPS, rel=0.01)
        assert metrics.link["utilization"][0] == pytest.approx(1.0, rel=0.01)


@pytest.mark.parametrize("policy", EVERY)
def test_work_is_the_same_in_every_order(policy: str) -> None:
    """Conservation: the bits that wait, summed over the classes, are those of FIFO."""

    def waiting(name: str) -> float:
        metrics = simulated(port(name, (0.3, 0.25, 0.2), 1e4), 400_000)
        return float(metrics.queue["occupancy_mean_bits"].sum())

    assert waiting(policy) == pytest.approx(waiting("fifo"), rel=0.05)


@pytest.mark.parametrize("policy", EVERY)
def test_a_class_alone_has_the_whole_port(policy: str) -> None:
    """One class, whichever: as in FIFO."""
    for name in CLASSES:
        alone = port(policy, (0.7,), classes=(name,))
        for predict in (theory, lambda s: simulated(s, 300_000)):
            fifo = predict(port("fifo", (0.7,)))
            assert predict(alone).flow["owd_mean_s"][0] == pytest.approx(
                fifo.flow["owd_mean_s"][0], rel=0.03
            )


@pytest.mark.parametrize("policy", EVERY)
def test_order_inside_a_class(policy: str) -> None:
    """First in, first out inside a queue: two flows of a class wait the same, and so little varies
    as first come, first served has it: any other order would keep the mean and raise the
    variance (Kingman, 1962)."""
    scenario = port(policy, (0.4, 0.4), 1e4, Fixed(8000.0), ("gold",))
    metrics = simulated(scenario, 400_000)
    first, second = metrics.flow["owd_mean_s"]
    assert first == pytest.approx(second, rel=0.03)
    service, load = 8e-3, 0.8
    mean = load * service / 2 / (1 - load)
    variance = mean**2 + load * service**2 / 3 / (1 - load)  # of M/D/1, FIFO
    assert metrics.flow["pdv_s2"] == pytest.approx(np.full(2, variance), rel=0.1)


@pytest.mark.parametrize("policy", SHARING)
def test_shares_follow_the_weights(policy: str) -> None:
    scenario = port(policy, (1.5, 1.5, 1.5))
    for metrics in (simulated(scenario, 400_000), theory(scenario)):
        assert metrics.queue["utilization"] == pytest.approx(np.array(WEIGHTS) / 6, rel=0.02)


# Largest error of a class's mean delay and of its 99th percentile that theory may have here
TOLERANCE = {
    "fifo": (0.03, 0.25),
    "sp": (0.06, 0.25),
    "wfq": (0.35, 0.35),
    "lsf": (0.25, 0.35),
    "drr": (0.35, 0.45),
}


@pytest.mark.parametrize("total", [0.3, 0.6, 0.8, 0.95, 1.3])
@pytest.mark.parametrize("policy", EVERY)
def test_theory_against_simulation(policy: str, total: float) -> None:
    loads = tuple((total * np.array([0.2, 0.3, 0.5])).tolist())
    scenario = port(policy, loads)
    measured, predicted = simulated(scenario, 400_000), theory(scenario)
    mean, tail = TOLERANCE[policy]
    assert predicted.flow["owd_mean_s"] == pytest.approx(measured.flow["owd_mean_s"], rel=mean)
    assert predicted.flow["loss_ratio"] == pytest.approx(measured.flow["loss_ratio"], abs=0.02)
    assert predicted.flow["owd_p99_s"] == pytest.approx(measured.flow["owd_p99_s"], rel=tail)
