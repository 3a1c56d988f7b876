"""odd_networks: the learned twin on small networks that nobody thought of."""

from __future__ import annotations

import argparse

import numpy as np

from benchmarks import judging
from benchmarks.benchmark import Options, Outcome
from benchmarks.known_truth import drawn, truths
from nettwin.scenario.arrivals import CBR, MMPP, ArrivalProcess, OnOff, Poisson
from nettwin.scenario.packet_sizes import Discrete, Fixed, PacketSize, Uniform
from nettwin.scenario.routing import Routing
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.scheduling import SCHEDULERS, Queue, Scheduler
from nettwin.scenario.topology import Link, Topology
from nettwin.scenario.traffic import Flow, Traffic

TITLE = "Odd small networks: errors, intervals and flags of the learned twin"
PROTOCOL = (
    "500 networks, drawn here and for nothing else: a chain of 1 to 4 hops, whose links have one "
    "rate of 64 kbit/s to 400 Gbit/s or differ by a factor of up to 4, and 0 to 10 ms of "
    "propagation; 1 to 30 flows between any two nodes along it; every policy, 1 to 4 classes, "
    "weights of 1 to 20, quanta of 1 to 4 mean packets, buffers of 8 to 128 packets; Poisson, CBR, "
    "on-off with means of 1 to 100 ms, MMPP; packets of 64 to 9,000 bytes, fixed, uniform or of "
    "several sizes; the busiest link is offered 0.3 to 1.1 of its capacity. Each is simulated 8 "
    "times with seeds of its own, by ever more packets, until the standard errors of mean delay, "
    "99th percentile and loss are at most 1 % for 95 % of the flows (of losses below 0.1 %, 1 % of "
    "that), or 26 million packets are sent. A flow is judged by what is known of it to 1 %. Errors "
    "are relative; shares are means over networks, of the means over a network's flows, flagged "
    "ones included. Width: the whole interval of 90 % over the prediction (of loss: the "
    "interval), the median over all flows. Coverage of loss: of flows that lose 0.1 % or more. "
    "A value counts as held by an interval that is widened by 1.645 of its own standard errors, as "
    "deviations add (`as simulated`: by the interval alone): many intervals are narrower than 1 %."
)
SAMPLES, SEED = 500, 731_009
CLASSES = ("a", "b", "c", "d")


def arguments(parser: argparse.ArgumentParser) -> None:
    """Samples, cache, model, processes."""
    judging.arguments(parser, SAMPLES)


def run(options: Options) -> Outcome:
    """Measure."""
    scenarios = list(drawn(draw, SEED, judging.samples_of(options)))
    truth = truths(scenarios, options.extra["cache"], options.extra["jobs"])
    tally = judging.judged(scenarios, truth, options.extra["model"])
    figures = judging.figures(tally, most=0.05, median=False, width=0.30)
    return Outcome(tuple(figures), judging.remarks(tally, scenarios))


def draw(random: np.random.Generator) -> Scenario:
    """One odd network."""
    hops = int(random.integers(1, 5))
    base = float(np.exp(random.uniform(np.log(6.4e4), np.log(4e11))))
    rates = np.full(hops, base)
    if random.random() < 0.5:
        rates = np.minimum(base * random.choice([1.0, 2.0, 4.0], hops), 4e11)
    delays = random.choice([0.0, 1e-5, 1e-3, 1e-2], hops)
    sizes = [_size(random) for _ in range(int(random.integers(1, 4)))]
    mean_bits = float(np.mean([s.mean_bits for s in sizes]))
    policy = str(random.choice(sorted(SCHEDULERS)))
    count = int(random.integers(1, len(CLASSES) + 1))
    links = [
        Link(f"n{k}", f"n{k + 1}", float(rates[k]), float(delays[k]),
             scheduler=_port(random, policy, count, mean_bits))
        for k in range(hops)
    ]  # fmt: skip
    topology = Topology.build([f"n{k}" for k in range(hops + 1)], links)
    arrivals = [_arrival(random) for _ in range(int(random.integers(1, 4)))]
    flows = []
    for k in range(int(random.integers(1, 31))):
        first, last = 0, hops
        if random.random() < 0.5:
            first = int(random.integers(hops))
            last = int(random.integers(first + 1, hops + 1))
        flows.append(
            Flow(
                f"n{first}",
                f"n{last}",
                float(random.lognormal(0.0, 0.8)) * base,
                CLASSES[int(random.integers(count))],
                sizes[int(random.integers(len(sizes)))],
                arrivals[int(random.integers(len(arrivals)))],
                name=f"f{k}",
            )
        )
    traffic = Traffic.build(topology, flows)
    unscaled = Scenario(topology, traffic, Routing(ecmp=False))
    factor = random.uniform(0.3, 1.1) / float(unscaled.link_offered_load.max())
    traffic = traffic.with_arrays(flow_rate_bps=traffic.flow_rate_bps * factor)
    return Scenario(topology, traffic, Routing(ecmp=False), name="odd")


def _port(random: np.random.Generator, policy: str, count: int, mean_bits: float) -> Scheduler:
    queues = 1 if SCHEDULERS[policy].single_queue else count
    made = tuple(
        Queue(
            float(round(np.exp(random.uniform(np.log(8), np.log(128))))),
            weight=float(random.integers(1, 21)),
            quantum_bits=float(round(random.uniform(1.0, 4.0) * mean_bits)),
        )
        for _ in range(queues)
    )
    names = {} if queues == 1 else {CLASSES[k]: k for k in range(count)}
    return Scheduler(policy, made, names)


def _size(random: np.random.Generator) -> PacketSize:
    kind = int(random.integers(3))
    if kind == 0:
        return Fixed(8.0 * random.integers(64, 9001))
    if kind == 1:
        low, high = np.sort(random.choice(np.arange(64, 9001), 2, replace=False))
        return Uniform(8.0 * low, 8.0 * high)
    count = int(random.integers(2, 5))
    values = 8.0 * np.sort(random.choice(np.arange(64, 9001), count, replace=False))
    return Discrete(tuple(values.tolist()), tuple(random.dirichlet(np.ones(count)).tolist()))


def _arrival(random: np.random.Generator) -> ArrivalProcess:
    on, off = np.exp(random.uniform(np.log(1e-3), np.log(0.1), 2)).tolist()
    kind = int(random.integers(4))
    if kind == 0:
        return Poisson()
    if kind == 1:
        return CBR()
    return OnOff(on, off) if kind == 2 else MMPP(float(random.uniform(2, 10)), on, off)
