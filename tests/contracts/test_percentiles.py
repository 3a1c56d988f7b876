"""Percentiles of the packet simulator, for every policy: packet by packet as a plain simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest

from nettwin.engines.packet import PacketSimulator
from nettwin.metrics import Metrics
from nettwin.scenario.arrivals import Trace
from nettwin.scenario.packet_sizes import Fixed
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.scheduling import SCHEDULERS, Queue, Scheduler, strict_priority
from nettwin.scenario.topology import Link, Topology
from nettwin.scenario.traffic import Flow, Traffic
from tests.event_simulation import simulate

CAPACITY_BPS = 1e8
SPAN_S = 1.0  # of a recording
UNTIL_S = 10.0
CLASSES = ("gold", "silver", "bronze")
LEVELS = {"owd_p50_s": 50, "owd_p90_s": 90, "owd_p99_s": 99}


def recorded(rate_bps: float, bursty: bool, random: np.random.Generator) -> Trace:
    """Packets of 64 to 1,500 bytes, Poisson or in bursts of 10 ms; a recording that ends."""
    sizes = random.choice([512.0, 4000.0, 12_000.0], int(2 * SPAN_S * rate_bps / 4000))
    gaps = random.exponential(sizes.mean() / rate_bps, len(sizes))
    if bursty:
        pauses = random.random(len(gaps)) < 0.01
        gaps = np.where(pauses, 100 * gaps, gaps) / 2
    times = np.cumsum(gaps)
    times[-1] = 10 * UNTIL_S  # so long does it take until it begins anew
    kept = (times < SPAN_S) | (times > UNTIL_S)
    return Trace(times[kept], sizes[kept], stretch=False)


def chain(policy: str, loads: tuple[float, ...], queue: Queue, *, bursty: bool) -> Scenario:
    """A flow of each class over two hops, and one that joins them at the second."""
    queues = tuple(
        Queue(queue.buffer_packets, queue.buffer_bits, w, 6000.0 * w) for w in (5.0, 2.0, 1.0)
    )
    single = SCHEDULERS[policy].single_queue
    scheduler = Scheduler(
        policy,
        queues[:1] if single else queues,
        {} if single else {name: k for k, name in enumerate(CLASSES)},
    )
    # of other rates, so that no packet comes in the very moment in which another has been sent
    links = [
        Link("A", "B", CAPACITY_BPS, 1e-5, scheduler=scheduler),
        Link("B", "C", 0.97 * CAPACITY_BPS, scheduler=scheduler),
    ]
    topology = Topology.build("ABC", links)
    random = np.random.default_rng(5)
    flows = []
    for k, load in enumerate((*loads, 0.1)):
        trace = recorded(load * CAPACITY_BPS, bursty, random)
        bits = float(trace.sizes_bits.mean())
        flows.append(
            Flow(
                "AAAB"[k],
                "C",
                trace.rate_bps(bits),
                CLASSES[k % 3],
                Fixed(bits),
                trace,
                name=f"f{k}",
            )
        )
    return Scenario(topology, Traffic.build(topology, flows))


def check(metrics: Metrics, scenario: Scenario) -> None:
    """Percentiles against those of the plain simulation of the same packets."""
    seen, flow = simulate(scenario, UNTIL_S), metrics.flow
    assert flow["loss_ratio"] == pytest.approx(seen.loss_ratio, abs=1e-12)
    for f, delays in enumerate(seen.delays_s):
        assert flow["owd_mean_s"][f] == pytest.approx(delays.mean(), rel=1e-6)
        assert flow["pdv_s2"][f] == pytest.approx(delays.var(), rel=1e-6)
        p50, p90, p99 = (flow[column][f] for column in LEVELS)
        assert delays.min() <= p50 <= p90 <= p99 <= delays.max()
        assert p50 <= 2 * flow["owd_mean_s"][f]  # Markov
        for column, level in LEVELS.items():
            # between two packets any value is a percentile
            low = np.quantile(delays, level / 100, method="lower")
            high = np.quantile(delays, level / 100, method="higher")
            assert 0.99 * low <= flow[column][f] <= 1.01 * high, (f, column)


@pytest.mark.parametrize("policy", list(SCHEDULERS))
@pytest.mark.parametrize(
    ("loads", "queue", "bursty"),
    [
        ((0.2, 0.3, 0.2), Queue(32), False),
        ((0.1, 0.2, 0.4), Queue(math.inf, 2e5), True),
        ((0.98, 0.1, 0.2), Queue(32), False),
        ((1.5, 1.0, 0.5), Queue(100, 1e6), False),
        ((0.02, 0.01, 0.02), Queue(8), True),
    ],
)
def test_packet_by_packet(
    policy: str, loads: tuple[float, ...], queue: Queue, bursty: bool
) -> None:
    """The same recordings give the same delays and losses, and percentiles are within 1 %."""
    scenario = chain(policy, loads, queue, bursty=bursty)
    check(PacketSimulator(warmup_s=0.0).run(scenario, until_s=UNTIL_S).metrics, scenario)


def test_intervals_together_have_the_percentiles_of_all() -> None:
    scenario = chain("sp", (0.98, 0.1, 0.2), Queue(32), bursty=False)
    engine = PacketSimulator(warmup_s=0.0)
    check(engine.run(scenario, until_s=UNTIL_S, interval_s=0.25).metrics, scenario)


@pytest.mark.parametrize(
    ("high_bps", "low_bps", "exact_ms"),
    [(99e6, 30e6, (94.0, 255.0, 442.0)), (70e6, 28e6, (2.88, 7.57, 11.8))],
)
def test_a_low_class_waits_far_longer_than_its_buffer_at_the_full_rate(
    high_bps: float, low_bps: float, exact_ms: tuple[float, ...]
) -> None:
    """What independent simulations say of strict priority with queues of 32 packets."""
    scheduler = strict_priority(("high", "low"), 32)
    topology = Topology.build("AB", [Link("A", "B", CAPACITY_BPS, scheduler=scheduler)])
    flows = [
        Flow("A", "B", rate, name, Fixed(8000.0))
        for name, rate in (("high", high_bps), ("low", low_bps))
    ]
    scenario = Scenario(topology, Traffic.build(topology, flows))
    flow = PacketSimulator(precision=0.0, max_packets=3_000_000).run(scenario).metrics.flow
    got = [1e3 * flow[column][1] for column in LEVELS]
    assert got == pytest.approx(exact_ms, rel=0.03)
    assert flow["owd_p50_s"][1] <= flow["owd_mean_s"][1]
