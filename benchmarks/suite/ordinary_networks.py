"""ordinary_networks: the learned twin on networks of usual shapes and sizes."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from benchmarks import judging
from benchmarks.benchmark import Options, Outcome
from benchmarks.kinds import draw as draw_kinds
from benchmarks.known_truth import drawn, truths
from nettwin.scenario.arrivals import OnOff, Poisson
from nettwin.scenario.generate import GENERATORS, MIXES, fiber_delay_s, port_scheduler
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.scheduling import SCHEDULERS, Queue
from nettwin.scenario.topology import Link, Node, Topology
from nettwin.scenario.traffic import Flow, Traffic

TITLE = "Ordinary networks: errors, intervals and flags of the learned twin"
PROTOCOL = (
    "84 networks, drawn here and for nothing else: star, ring, tree, grid, fat-tree, dumbbell and"
    " full mesh of 12 to 100 nodes, each policy in turn, 10 Mbit/s to 10 Gbit/s, without "
    "propagation, or as of a campus or of a country; queues of 32 to 256 packets; 3 flows a node "
    "(at most 240 in a network) to random nodes, of three classes (200 bytes, 1,200 bytes and a "
    "mix), Poisson in one half of the networks, on-off with means of 1 to 20 ms in the other; the"
    " busiest link is offered 0.3 to 0.95 of its capacity. Simulated, judged and told as in "
    "`odd_networks`; `gnn: error` is the median over all flows."
)
SAMPLES, SEED = 84, 731_117
KINDS = ("star", "ring", "tree", "grid", "fat-tree", "dumbbell", "full-mesh")
MIN_NODES, MAX_FLOWS = 12, 240
PACKETS = (400_000, 1_600_000, 6_400_000)


def arguments(parser: argparse.ArgumentParser) -> None:
    """Samples, cache, model, processes."""
    judging.arguments(parser, SAMPLES)
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw errors by kinds (SVG)")


def run(options: Options) -> Outcome:
    """Measure."""
    scenarios = list(drawn(draw, SEED, judging.samples_of(options)))
    truth = truths(scenarios, options.extra["cache"], options.extra["jobs"], PACKETS)
    tally = judging.judged(scenarios, truth, options.extra["model"])
    if options.extra["plot"]:
        draw_kinds(options.extra["plot"], tally.networks)
    figures = judging.figures(tally, most=0.01, median=True, width=0.15)
    return Outcome(tuple(figures), judging.remarks(tally, scenarios))


def draw(random: np.random.Generator) -> Scenario:
    """One ordinary network."""
    kind = KINDS[int(random.integers(len(KINDS)))]
    wanted = int(np.exp(random.uniform(np.log(MIN_NODES), np.log(100))))
    if kind == "full-mesh":
        wanted = min(wanted, 30)
    graph = GENERATORS[kind].graph(wanted, random)
    while len(graph.names) < MIN_NODES:  # a grid is at most as large as asked for
        wanted += 1
        graph = GENERATORS[kind].graph(wanted, random)
    policy = str(random.choice(sorted(SCHEDULERS)))
    mix = MIXES["three"]
    packets = float(round(np.exp(random.uniform(np.log(32), np.log(256)))))
    port = port_scheduler(policy, mix, Queue(packets))
    rate = float(random.choice([1e7, 1e8, 1e9, 1e10]))
    places = zip(
        graph.names, graph.latitude_deg.tolist(), graph.longitude_deg.tolist(), strict=True
    )
    topology = Topology.build(
        [Node(*place) for place in places],
        [Link(graph.names[a], graph.names[b], rate, scheduler=port) for a, b in graph.edges],
        duplex=True,
    )
    far = float(random.choice([0.0, 1e-3, 1.0]))  # a rack, a campus, a country
    topology = topology.with_arrays(link_delay_s=far * fiber_delay_s(topology))
    on, off = np.exp(random.uniform(np.log(1e-3), np.log(2e-2), 2)).tolist()
    arrival = Poisson() if random.random() < 0.5 else OnOff(on, off)
    names, flows = graph.names, []
    for k in range(min(3 * len(names), MAX_FLOWS)):
        a, b = random.choice(len(names), 2, replace=False).tolist()
        kept = mix[k % len(mix)]
        amount = float(random.lognormal(0.0, 0.5)) * rate * kept.share
        flows.append(Flow(names[a], names[b], amount, kept.name, kept.size, arrival, name=f"f{k}"))
    traffic = Traffic.build(topology, flows)
    peak = float(Scenario(topology, traffic).link_offered_load.max())
    factor = random.uniform(0.3, 0.95) / peak
    traffic = traffic.with_arrays(flow_rate_bps=traffic.flow_rate_bps * factor)
    return Scenario(topology, traffic, name=f"{kind}, {policy}")
