"""Delay bounds: closed cases, and never exceeded in a plain event simulation."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest

from nettwin.calculus import bounds, delay_bounds
from nettwin.scenario.arrivals import CBR, ArrivalProcess, OnOff, Poisson, Trace
from nettwin.scenario.packet_sizes import Discrete, Exponential, Fixed, PacketSize, Uniform
from nettwin.scenario.routing import Routing
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.scheduling import Queue, Scheduler, drr, fifo, strict_priority, wfq
from nettwin.scenario.topology import Link, Topology
from nettwin.scenario.traffic import Flow, Traffic
from tests.event_simulation import simulate

DEEP = 1e6  # packets: a buffer that never matters
C = 1e6


def network(
    scheduler: Scheduler, flows: list[Flow], links: tuple[str, ...] = ("AB",), delay_s: float = 0.0
) -> Scenario:
    made = [Link(e[0], e[1], C, delay_s, scheduler=scheduler) for e in links]
    topology = Topology.build(sorted(set("".join(links))), made)
    return Scenario(topology, Traffic.build(topology, flows))


def cbr(ends: str, rate_bps: float, bits: float, name: str = "best-effort") -> Flow:
    return Flow(ends[0], ends[1], rate_bps, name, Fixed(bits), CBR())


def test_one_link_is_the_sum_of_the_bursts_over_the_capacity() -> None:
    flows = [cbr("AB", 2e5, 8000), cbr("AB", 3e5, 4000), cbr("AB", 5e5, 12000)]
    found = delay_bounds(network(fifo(DEEP), flows, delay_s=0.004))  # just full: it still holds
    assert found == pytest.approx(0.024 + 0.004)


def test_a_burst_grows_by_what_its_packets_may_wait() -> None:
    flows = [cbr("AC", 2e5, 8000), cbr("AB", 3e5, 4000), cbr("BC", 3e5, 12000)]
    found = delay_bounds(network(fifo(DEEP), flows, ("AB", "BC")))
    second = (8000 + 2e5 * (0.012 - 0.008) + 12000) / C
    assert found == pytest.approx([0.012 + second, 0.012, second], rel=1e-5)


def test_strict_priority_by_hand() -> None:
    flows = [cbr("AB", 2e5, 8000, "high"), cbr("AB", 3e5, 4000, "low")]
    found = delay_bounds(network(strict_priority(["high", "low"], DEEP), flows))
    assert found == pytest.approx([(8000 + 4000) / C, 8000 / 0.8e6 + 4000 / C])


def test_weighted_queues_are_kept_from_one_another() -> None:
    """Beside a class whose bursts have no limit a share still bounds; priority above does."""
    flows = [cbr("AB", 2e5, 8000, "a"), Flow("A", "B", 3e5, "b", Fixed(4000))]
    found = delay_bounds(network(wfq({"a": 1, "b": 3}, DEEP), flows))
    assert found[0] == pytest.approx(8000 / 0.25e6 + 4000 / C)
    latency = 24000 * (1 + 8000 / 8000) + 4000 + 8000
    found = delay_bounds(network(drr({"a": 8000, "b": 24000}, DEEP), flows))
    assert found[0] == pytest.approx(8000 / 0.25e6 + latency / C)
    found = delay_bounds(network(strict_priority(["b", "a"], math.inf), flows))
    assert np.isinf(found).all()


def test_buffers_bound_what_has_no_other_bound() -> None:
    flows = [Flow("A", "B", 3e6, size=Fixed(8000))]
    assert delay_bounds(network(fifo(10), flows)) == pytest.approx(11 * 8000 / C)
    assert np.isinf(delay_bounds(network(fifo(math.inf), flows)))
    unlimited = [Flow("A", "B", 3e5, size=Exponential(8000), arrival=CBR())]
    assert np.isinf(delay_bounds(network(fifo(10), unlimited)))


def test_no_path_no_bound_and_silence_has_none_either() -> None:
    found = delay_bounds(network(fifo(), [cbr("BA", 1e5, 8000), cbr("AB", 0.0, 8000)]))
    assert np.isinf(found[0])
    assert np.isnan(found[1])


def ring(load: float) -> Scenario:
    """Five nodes; every flow goes four links round, so that bursts feed themselves."""
    nodes = "ABCDE"
    flows = [cbr(nodes[i] + nodes[(i + 4) % 5], load * C / 4, 8000) for i in range(5)]
    links = tuple(nodes[i] + nodes[(i + 1) % 5] for i in range(5))
    return network(fifo(math.inf), flows, links)


def test_cycles_have_the_fixed_point_or_no_bound() -> None:
    load = 0.4
    found = bounds(ring(load))
    # D = sum over four flows of (8000 + r k (D - 8000 / C)) / C, with k = 0, 1, 2, 3 hops before
    rate, own = load * C / 4, 8000 / C
    delay = (4 * own - 6 * rate / C * own) / (1 - 6 * rate / C)
    assert found.queue_s == pytest.approx(delay, rel=1e-4)
    assert np.isinf(delay_bounds(ring(0.8))).all()  # 6 x 0.2 > 1


def test_traces_and_regular_bursts_have_token_buckets() -> None:
    times = np.array([0.0, 0.001, 0.002, 0.1])  # three at once, then a pause
    trace = Trace(times, np.full(4, 8000.0), stretch=False)
    found = delay_bounds(network(fifo(DEEP), [Flow("A", "B", 1.0, arrival=trace)]))
    rate = trace.rate_bps(8000.0)
    # the last of a round and the first three of the next come within a gap and 2 ms
    spread = trace.period_s - 0.1 + 0.002
    assert found == pytest.approx(max(4 * 8000 - rate * spread, 24000 - rate * 0.002) / C)
    regular = Flow("A", "B", 1e5, size=Fixed(8000), arrival=OnOff(1.0, 1.0, regular=True))
    assert delay_bounds(network(fifo(DEEP), [regular])) == pytest.approx(0.008)


def drawn(draws: random.Random, policy: str) -> Scenario:
    """A small network: a ring with a chord, CBR flows of random rates, sizes and classes."""
    nodes = [f"N{i}" for i in range(5)]
    classes = ["a", "b", "c"]
    queues = tuple(
        Queue(
            draws.choice([2, 8, math.inf]),
            weight=draws.choice([1, 2, 5]),
            quantum_bits=draws.choice([2000, 12000, 40000]),
        )
        for _ in range(1 if policy == "fifo" else 3)
    )
    mapped = {} if policy == "fifo" else {name: i for i, name in enumerate(classes)}
    scheduler = Scheduler(policy, queues, mapped)
    pairs = [(i, (i + 1) % 5) for i in range(5)] + [(0, 2)]
    links = [
        Link(nodes[a], nodes[b], draws.choice([1e6, 2e6]), draws.choice([0, 0.003]),
             scheduler=scheduler)
        for a, b in pairs
    ]  # fmt: skip
    topology = Topology.build(nodes, links, duplex=True)
    load = draws.uniform(0.02, 0.22) * draws.choice([1, 1, 3])  # one in three overloaded
    sizes: list[PacketSize] = [
        Fixed(8000), Fixed(1000), Uniform(2000, 12000), Discrete((500, 12000), (0.6, 0.4)),
    ]  # fmt: skip
    arrivals: list[ArrivalProcess] = [CBR()] * 5 + [Poisson()] * (draws.random() < 0.3)
    flows = [
        Flow(*draws.sample(nodes, 2), load * C * draws.uniform(0.5, 1.5), draws.choice(classes),
             draws.choice(sizes), draws.choice(arrivals))
        for _ in range(16)
    ]  # fmt: skip
    return Scenario(topology, Traffic.build(topology, flows), Routing(ecmp=draws.random() < 0.5))


@pytest.mark.parametrize("policy", ["fifo", "sp", "wfq", "drr", "lsf"])
def test_no_packet_is_ever_later(policy: str) -> None:
    draws = random.Random(policy)
    known, tight = 0, 0.0
    for _ in range(8):
        scenario = drawn(draws, policy)
        most = delay_bounds(scenario)
        for seed in (1, 2):
            seen = simulate(scenario, 3.0, seed=seed)
            worst = np.array([d.max(initial=0.0) for d in seen.delays_s])
            assert np.all(worst <= most * (1 + 1e-9))
            finite = np.isfinite(most)
            known += int(finite.sum())
            tight = max(tight, float((worst[finite] / most[finite]).max(initial=0.0)))
    assert known > 50
    assert tight > 0.5  # not far above what happens


def test_a_flow_that_splits_over_very_many_paths_has_the_bound_of_the_longest() -> None:
    """A grid of 6 x 6 from corner to corner: 252 equal paths of 10 links, not all of them listed,
    each link with a delay of its own."""
    side, draws = 6, random.Random(1)
    delay, links = {}, []
    for i in range(side):
        for j in range(side):
            for a, b in ((i + 1, j), (i, j + 1)):
                if a < side and b < side:
                    delay[i, j, a, b] = draws.uniform(0.001, 0.009)
                    links.append(Link(f"{i}{j}", f"{a}{b}", C, delay[i, j, a, b]))
    nodes = [f"{i}{j}" for i in range(side) for j in range(side)]
    topology = Topology.build(nodes, links)
    flow = Flow("00", "55", 1e3, size=Fixed(8000), arrival=CBR())
    scenario = Scenario(topology, Traffic.build(topology, [flow]))
    longest = {(0, 0): 0.0}
    for i in range(side):
        for j in range(side):
            before = [(i - 1, j), (i, j - 1)]
            found = [longest[p] + delay[*p, i, j] for p in before if p in longest]
            longest.setdefault((i, j), max(found, default=0.0))
    assert scenario.paths.path_count < 252
    # rate and delays are small: where paths meet, bursts grow by 1e3 x 0.1 s = 100 of 8,000 bit
    least = longest[5, 5] + 10 * 0.008
    assert least <= delay_bounds(scenario)[0] <= least + 10 * 100 / C


def test_a_flow_without_rate_or_paths_of_others_is_left_out_of_every_queue() -> None:
    lone = delay_bounds(network(fifo(DEEP), [cbr("AB", 2e5, 8000)]))
    more = [cbr("AB", 2e5, 8000), cbr("AB", 0.0, 8000), cbr("BA", 1e5, 8000)]
    assert delay_bounds(network(fifo(DEEP), more))[0] == lone[0]
