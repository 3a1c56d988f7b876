"""packet_truth: the packet simulator against exact queueing theory."""

from __future__ import annotations

import argparse
import math

import numpy as np

from benchmarks.benchmark import Figure, Options, Outcome, at_least, at_most, say
from benchmarks.networks import CLASSES, NSFNET, TWO_SIZES, network, port
from nettwin.engines.packet import PacketSimulator
from nettwin.engines.packet.simulation import Simulation
from nettwin.metrics import Metrics
from nettwin.scenario.arrivals import CBR
from nettwin.scenario.packet_sizes import Exponential, Fixed, PacketSize
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.scheduling import drr, fifo, strict_priority, wfq

TITLE = "Packet simulator: truth"
PROTOCOL = (
    "One port of 1 Mbit/s and 8000-bit packets, many seeds. Coverage: the share of seeds whose "
    "95 % confidence interval holds the exact value; 0.95 is meant, and with 60 seeds an honest "
    "simulator falls under 0.88 once in a hundred times. Deviation: the distance of the mean "
    "over seeds from the exact value, in standard errors; beyond 3.3 once in a thousand times. "
    "M/M/1/K by its closed form, M/D/1 and M/G/1 by Pollaczek and Khinchine, priorities by "
    "Cobham. Shares: three classes that each offer the whole capacity. Conservation: sent minus "
    "delivered, dropped and under way, for each policy at load 1.3."
)
SEEDS = 60
PACKETS = 60_000
SERVICE_S = 0.008
CAPACITY_BPS = 1e6
FEWEST_COVERED = 0.88
FARTHEST = 3.3


def arguments(parser: argparse.ArgumentParser) -> None:
    """No options of its own."""


def run(options: Options) -> Outcome:
    """Measure; `--limit` is the number of seeds."""
    seeds = options.limit or SEEDS
    figures: list[Figure] = []
    for name, scenario, exact in (
        ("M/M/1/K load 0.8 K 11 delay", _mm1k(0.8, 11), [("owd_mean_s", mm1k(0.8, 11)[0])]),
        (
            "M/M/1/K load 1.2 K 11",
            _mm1k(1.2, 11),
            [("owd_mean_s", mm1k(1.2, 11)[0]), ("loss_ratio", mm1k(1.2, 11)[1])],
        ),
        ("M/D/1 load 0.7", _open(0.7, Fixed(8000.0)), [("owd_mean_s", mg1(0.7, 1.0))]),
        ("M/G/1 load 0.7", _open(0.7, TWO_SIZES), [("owd_mean_s", mg1(0.7, 1.49))]),
    ):
        say(f"{name} ...")
        runs = [_simulate(scenario, seed) for seed in range(1, seeds + 1)]
        for column, value in exact:
            figures += _judge(f"{name} {column}", runs, column, 0, value)
    say("Cobham ...")
    loads = (0.25, 0.3, 0.25)
    runs = [_simulate(_priorities(loads), seed) for seed in range(1, seeds + 1)]
    for k, value in enumerate(cobham(loads, 1.0)):
        figures += _judge(f"Cobham class {k}", runs, "owd_mean_s", k, value)
    say("shares and conservation ...")
    figures += _shares()
    for policy in ("fifo", "sp", "wfq", "drr"):
        figures.append(at_most(f"conservation {policy}: packets amiss", _amiss(policy), 0.0))
    return Outcome(tuple(figures), (f"{seeds} seeds of {PACKETS:,} packets each.",))


def mm1k(load: float, places: int, service_s: float = SERVICE_S) -> tuple[float, float]:
    """Mean time in system of those admitted and loss of M/M/1/K."""
    p = load ** np.arange(places + 1)
    p /= p.sum()
    loss = float(p[-1])
    mean = float((np.arange(places + 1) * p).sum())
    return mean * service_s / (load * (1 - loss)), loss


def mg1(load: float, moment_ratio: float, service_s: float = SERVICE_S) -> float:
    """Mean time in system of M/G/1; `moment_ratio` is E[S2] / E[S]2 (Pollaczek, Khinchine)."""
    return service_s + load * service_s * moment_ratio / (2 * (1 - load))


def cobham(
    loads: tuple[float, ...], moment_ratio: float, service_s: float = SERVICE_S
) -> list[float]:
    """Mean time in system of each class under non-preemptive priority (Cobham, 1954)."""
    rest = sum(loads) * service_s * moment_ratio / 2
    above = np.concatenate([[0.0], np.cumsum(loads)])
    return [
        service_s + rest / ((1 - float(above[k])) * (1 - float(above[k + 1])))
        for k in range(len(loads))
    ]


def _mm1k(load: float, places: int) -> Scenario:
    flows = [(CLASSES[0], load * CAPACITY_BPS)]
    return port(fifo(places - 1), flows, Exponential(8000.0), capacity_bps=CAPACITY_BPS)


def _open(load: float, size: PacketSize) -> Scenario:
    flows = [(CLASSES[0], load * CAPACITY_BPS)]
    return port(fifo(math.inf), flows, size, capacity_bps=CAPACITY_BPS)


def _priorities(loads: tuple[float, ...]) -> Scenario:
    flows = [(c, load * CAPACITY_BPS) for c, load in zip(CLASSES, loads, strict=True)]
    scheduler = strict_priority(CLASSES, math.inf)
    return port(scheduler, flows, Fixed(8000.0), capacity_bps=CAPACITY_BPS)


def _simulate(scenario: Scenario, seed: int) -> Metrics:
    engine = PacketSimulator(seed=seed, precision=0.0, max_packets=PACKETS, jobs=1)
    return engine.run(scenario).metrics


def _judge(name: str, runs: list[Metrics], column: str, flow: int, exact: float) -> list[Figure]:
    value = np.array([run.flow[column][flow] for run in runs])
    low = np.array([run.flow.low[column][flow] for run in runs])
    high = np.array([run.flow.high[column][flow] for run in runs])
    covered = float(np.mean((low <= exact) & (exact <= high)))
    error = float(value.std(ddof=1)) / math.sqrt(len(value)) if len(value) > 1 else math.inf
    return [
        at_least(f"{name}: coverage", covered, FEWEST_COVERED),
        at_most(
            f"{name}: deviation", abs(float(value.mean()) - exact) / error, FARTHEST, "std. err."
        ),
        Figure(f"{name}: relative difference", abs(float(value.mean()) / exact - 1) * 100, "%"),
    ]


def _shares() -> list[Figure]:
    weights = {"gold": 6.0, "silver": 3.0, "bronze": 1.0}
    schedulers = {
        "WFQ": wfq(weights),
        "DRR": drr({name: 8000.0 * w for name, w in weights.items()}),
    }
    figures = []
    for name, scheduler in schedulers.items():
        flows = [(c, CAPACITY_BPS) for c in CLASSES]
        scenario = port(scheduler, flows, TWO_SIZES, capacity_bps=CAPACITY_BPS)
        got = _simulate(scenario, 1).flow["throughput_bps"]
        meant = np.array(list(weights.values())) / sum(weights.values())
        worst = float(np.abs(got / got.sum() - meant).max()) * 100
        figures.append(at_most(f"{name} shares 6:3:1: farthest off", worst, 0.5, "points"))
    return figures


def _amiss(policy: str) -> float:
    scenario = network(NSFNET, policy, load=1.3)
    regular = network(NSFNET, policy, load=1.3, arrival=CBR())
    worst = 0
    for case in (scenario, regular):
        simulation = Simulation(case, 1)
        simulation.advance(3.0)
        counts = simulation.counts()
        ended = int(counts.delivered.sum() + counts.dropped.sum())
        worst = max(worst, abs(int(counts.sent.sum()) - ended - simulation.packets_under_way))
    return float(worst)
