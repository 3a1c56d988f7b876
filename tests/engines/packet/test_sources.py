"""Traffic sources: every process sends at the flow's rate, every size has its moments."""

from __future__ import annotations

import numpy as np
import pytest

from nettwin.engines.packet import loading
from nettwin.engines.packet.random_numbers import alias_table, exponential, normal, seeded, uniform
from nettwin.engines.packet.simulation import Simulation
from nettwin.engines.packet.sources import first_time, next_time
from nettwin.scenario import arrivals, packet_sizes
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.scheduling import Queue, Scheduler
from nettwin.scenario.topology import Link, Topology
from nettwin.scenario.traffic import Flow, Traffic

PROCESSES: dict[str, arrivals.ArrivalProcess] = {
    "poisson": arrivals.Poisson(),
    "poisson cut at 2": arrivals.Poisson(longest_gap=2.0),
    "poisson cut at almost nothing": arrivals.Poisson(longest_gap=1e-9),
    "poisson cut far out": arrivals.Poisson(longest_gap=1e4),
    "cbr": arrivals.CBR(),
    "on-off": arrivals.OnOff(0.02, 0.05),
    "on-off regular": arrivals.OnOff(0.02, 0.05, regular=True),
    "on-off starting with a packet": arrivals.OnOff(0.02, 0.05, starts_with_packet=True),
    "on-off regular starting with a packet": arrivals.OnOff(0.02, 0.05, True, True),
    "on-off with one packet a period": arrivals.OnOff(1e-4, 2e-4, starts_with_packet=True),
    "on-off always on": arrivals.OnOff(0.02, 0.0, regular=True),
    "on-off far too short to see": arrivals.OnOff(1e-8, 1e-8),
    "mmpp": arrivals.MMPP(10.0, 0.02, 0.05),
    "mmpp far too short to see": arrivals.MMPP(10.0, 1e-8, 1e-8),
    "autocorrelated": arrivals.Autocorrelated(0.7),
    "trace": arrivals.Trace(np.array([3.0, 3.1, 3.1, 4.0, 4.7])),
    "trace with sizes": arrivals.Trace(
        np.array([3.0, 3.1, 3.1, 4.0]), np.array([800.0, 8e3, 2e3, 9e3])
    ),
}


def one_flow(
    process: arrivals.ArrivalProcess, size: packet_sizes.PacketSize, rate_bps: float = 8e6
) -> Scenario:
    """A flow that nothing delays much: 1000 packets of 8000 bits a second on a fast line."""
    topology = Topology.build(["A", "B"], [Link("A", "B", 1e12)])
    flow = Flow("A", "B", rate_bps, size=size, arrival=process)
    return Scenario(topology, Traffic.build(topology, [flow]))


@pytest.mark.parametrize("name", PROCESSES)
def test_mean_rate_is_the_flows(name: str) -> None:
    """Over 400 s; the scatter of the burstiest process here is about 0.4 %."""
    simulation = Simulation(one_flow(PROCESSES[name], packet_sizes.Fixed(8000.0)), 3)
    simulation.advance(400.0)
    counts = simulation.counts()
    assert counts.served_bits[0] / 400 == pytest.approx(8e6, rel=0.015)


@pytest.mark.parametrize("name", PROCESSES)
def test_the_beginning_is_like_the_rest(name: str) -> None:
    """Sources begin in their stationary state: the first moment is as busy, over many seeds."""
    scenario = one_flow(PROCESSES[name], packet_sizes.Fixed(8000.0))
    sent = []
    for seed in range(600):
        simulation = Simulation(scenario, seed)
        simulation.advance(4.0e-3)
        sent.append(simulation.packets_sent)
    process = PROCESSES[name]
    own_sizes = isinstance(process, arrivals.Trace) and process.sizes_bits.size
    expected = 4.0 * 8000 / process.sizes_bits.mean() if own_sizes else 4.0  # type: ignore[attr-defined]
    error = max(np.std(sent) / np.sqrt(len(sent)), 1e-9)
    assert abs(np.mean(sent) - expected) < 4 * error


def times_of(process: arrivals.ArrivalProcess, count: int = 40_000) -> np.ndarray:  # type: ignore[type-arg]
    """When a source sends, drawn straight from it."""
    state = loading.load(one_flow(process, packet_sizes.Fixed(8000.0)), 5)
    source, times = state.sources[0], np.empty(count)
    now = first_time(state.rng, source, 0.0, state.trace_times)
    for i in range(count):
        times[i] = now
        now = next_time(state.rng, source, now, state.trace_times)
    return times


def lag_one(gaps: np.ndarray) -> float:  # type: ignore[type-arg]
    return float(np.corrcoef(gaps[:-1], gaps[1:])[0, 1])


@pytest.mark.parametrize("correlation", [0.0, 0.5, 0.9])
def test_lag_one_correlation(correlation: float) -> None:
    """That of exponentials under a Gaussian copula, by its own numerical integral."""
    from math import erfc, sqrt

    rng = np.random.default_rng(1)
    one = rng.normal(size=400_000)
    other = correlation * one + sqrt(1 - correlation**2) * rng.normal(size=one.size)
    tail = np.array([[-np.log(0.5 * erfc(x / sqrt(2))) for x in z[:100_000]] for z in (one, other)])
    expected = float(np.corrcoef(tail)[0, 1])
    gaps = np.diff(times_of(arrivals.Autocorrelated(correlation)))
    assert lag_one(gaps) == pytest.approx(expected, abs=0.03)
    assert gaps.std() / gaps.mean() == pytest.approx(1.0, abs=0.05)


def test_gaps_of_regular_random_and_cut_arrivals() -> None:
    assert np.diff(times_of(arrivals.CBR())).std() < 1e-9
    almost = np.diff(times_of(arrivals.Poisson(longest_gap=100.0)))
    assert almost.std() / almost.mean() == pytest.approx(1.0, abs=0.02)
    assert lag_one(almost) == pytest.approx(0.0, abs=0.02)
    cut = np.diff(times_of(arrivals.Poisson(longest_gap=2.0)))
    nominal = 1e-3 / (1 - 2 / np.expm1(2.0))
    assert 1.99 * nominal < cut.max() <= 2 * nominal * (1 + 1e-9)
    tiny = np.diff(times_of(arrivals.Poisson(longest_gap=1e-9)))  # uniform, in the limit
    assert tiny.std() / tiny.mean() == pytest.approx(1 / np.sqrt(3), abs=0.01)


def test_bursts() -> None:
    """Regular sources have their gaps while on, and pauses of the given mean."""
    for leads in (False, True):
        gaps = np.diff(times_of(arrivals.OnOff(0.02, 0.05, regular=True, starts_with_packet=leads)))
        inside = np.median(gaps)
        assert np.isclose(gaps, inside).mean() > 0.9
        pauses = gaps[gaps > 1.001 * inside]
        assert 0.045 < pauses.mean() < 0.05 + 2 * inside + 0.01


def test_mmpp_has_two_rates() -> None:
    """The variance of counts over windows far longer than the states' (Fischer and
    Meier-Hellstern, 1993): mean plus twice the variance of the rate times its memory."""
    process = arrivals.MMPP(20.0, 0.05, 0.15)
    counts = np.bincount((times_of(process, 400_000) / 2.0).astype(int))[:-1]
    low = 1000 * 0.2 / (20 * 0.05 + 0.15)
    spread = (19 * low) ** 2 * 0.25 * 0.75
    memory = 1 / (1 / 0.05 + 1 / 0.15)
    expected = 2000 + 2 * spread * memory * (2.0 - memory)
    assert counts.var() == pytest.approx(expected, rel=0.3)


def test_a_trace_is_played_as_recorded() -> None:
    recorded = np.array([0.01, 0.02, 0.05, 0.11])
    trace = arrivals.Trace(recorded, np.array([800.0, 1600.0, 800.0, 8000.0]), stretch=False)
    scenario = one_flow(trace, packet_sizes.Fixed(8000.0), trace.rate_bps(8000.0))
    simulation = Simulation(scenario, 9)
    simulation.advance(0.105 - 0.01)
    counts = simulation.counts()
    assert counts.sent[0] == 3 and counts.bits[0] == 3200
    simulation.advance(trace.period_s - 1e-6)
    assert simulation.packets_sent == 4
    simulation.advance(10.5 * trace.period_s)
    assert simulation.counts().bits[0] == 10 * 11_200 + 3200


@pytest.mark.parametrize(
    "size",
    [
        packet_sizes.Fixed(8000.0),
        packet_sizes.Uniform(1000.0, 15_000.0),
        packet_sizes.Binomial(8000.0, 320.0, 12_000.0),
        packet_sizes.Discrete((320.0, 4608.0, 12_000.0), (7.0, 4.0, 1.0)),
        packet_sizes.Discrete(tuple(range(100, 4100, 40)), tuple(range(1, 101))),
        packet_sizes.Exponential(8000.0),
    ],
    ids=lambda size: size.kind,
)
def test_sizes_have_their_moments(size: packet_sizes.PacketSize) -> None:
    """`service_bits2` sums the squares of the sizes sent."""
    simulation = Simulation(one_flow(arrivals.Poisson(), size), 3)
    simulation.advance(300.0 * size.mean_bits / 8000.0)
    counts = simulation.counts()
    assert counts.served[0] > 250_000
    assert counts.served_bits[0] / counts.served[0] == pytest.approx(size.mean_bits, rel=0.01)
    second = counts.service_bits2[0] / counts.served[0]
    assert second == pytest.approx(size.second_moment_bits2, rel=0.02)


def test_random_numbers() -> None:
    """Moments of what the compiled generators draw, against their distributions."""
    rng = seeded(1)
    many = 200_000
    for draw, mean, variance in ((uniform, 0.5, 1 / 12), (exponential, 1, 1), (normal, 0, 1)):
        x = np.array([draw(rng) for _ in range(many)])
        assert x.mean() == pytest.approx(mean, abs=4 * np.sqrt(variance / many))
        assert x.var() == pytest.approx(variance, rel=0.03)
        if draw is exponential:  # the tail past the ziggurat's lowest layer too
            assert (x > 7.7).mean() == pytest.approx(np.exp(-7.7), rel=0.3)
            assert (x > 1).mean() == pytest.approx(np.exp(-1), rel=0.01)


def test_seeds() -> None:
    states = {tuple(seeded(seed).tolist()) for seed in (0, 1, -1, 2**64 - 2, 10**30)}
    assert len(states) == 5
    assert all(any(state) for state in states)


def test_alias_table_gives_back_the_weights() -> None:
    weights = np.array([0.0, 5.0, 1e-9, 3.0, 2.0])
    chance, other = alias_table(weights)
    share = chance / 5
    np.add.at(share, other.astype(int), (1 - chance) / 5)
    assert share == pytest.approx(weights / weights.sum(), abs=1e-12)


def test_policies_do_not_touch_the_sources() -> None:
    """The same seed sends the same packets whatever the ports do."""
    sent = []
    for scheduler in (Scheduler(), Scheduler("sp", (Queue(1), Queue(2)))):
        topology = Topology.build(["A", "B"], [Link("A", "B", 1e6, scheduler=scheduler)])
        flows = [Flow("A", "B", 1e6), Flow("A", "B", 1e6, arrival=arrivals.OnOff(0.1, 0.1))]
        simulation = Simulation(Scenario(topology, Traffic.build(topology, flows)), 1)
        simulation.advance(5.0)
        sent.append(simulation.counts().sent.tolist())
    assert sent[0] == sent[1]
