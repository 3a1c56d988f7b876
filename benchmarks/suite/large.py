"""large: networks of ten thousand nodes: how long their routing and loads take, and how much."""

from __future__ import annotations

import argparse
import resource
import time
from pathlib import Path

import numpy as np

from benchmarks.benchmark import Figure, Options, Outcome, at_most
from benchmarks.growth import Row, by_size, size_arguments
from nettwin.errors import InputError
from nettwin.interfaces import wiring
from nettwin.scenario import graphs
from nettwin.scenario.generate import fiber_delay_s, generate
from nettwin.scenario.routing import Routing
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.topology import Link, Node, Topology

TITLE = "Large: networks of 1,000 to 10,000 nodes"
PROTOCOL = (
    "Random planar (Gabriel) graphs of N nodes with 4 to 5 N directed links, 100 random demands a "
    "node of lognormal masses, one class, ECMP on hops; the busiest link offered 70 %. `load`: "
    "wall time until the load of every link is known, routing found from nothing, code compiled. "
    "Each size in a process of its own; `memory` is the most that it took. `growth`: processor "
    "time over nodes times links (what Dijkstra's algorithm for every target visits), the largest "
    "over the smallest. `predict`: theory on the whole; where it is refused there is no figure, "
    "and the remark has the reason."
)
SIZES = (1000, 3000, 10_000)
PICTURE = Path("docs/benchmark_large.svg")
SERIES = (("load_s", "load", "#3d7fb8"),)
DEMANDS = 100  # a node


def arguments(parser: argparse.ArgumentParser) -> None:
    size_arguments(parser, PICTURE)


def run(options: Options) -> Outcome:
    """Measure each size."""
    rows = by_size(["large"], SIZES, SERIES, _measure, options)
    last = rows[-1]
    growth = last["cost"] / rows[0]["cost"]
    figures = [
        at_most("10,000 nodes: load", last["load_s"], 20.0, "s"),
        at_most("memory", last["memory_gib"], 6.0, "GiB"),
        at_most("growth of cost a node and link", growth, 1.3, "x"),
    ]
    figures += [Figure(f"{row['nodes']:,.0f} nodes: load", row["load_s"], "s") for row in rows[:-1]]
    remarks = []
    for row in rows:
        words = f"{row['nodes']:,.0f} nodes: predict"
        if row["predict_s"] < 0:
            remarks.append(f"{words}: refused, the paths have more hops than fit in memory.")
        else:
            figures.append(Figure(words, row["predict_s"], "s"))
    return Outcome(tuple(figures), remarks=tuple(remarks))


def network(nodes: int, seed: int = 3) -> Scenario:
    """A planar graph and random demands, scaled so that the busiest link is offered 70 %."""
    random = np.random.default_rng(seed)
    graph = graphs.gabriel(nodes, random)
    small = generate("gabriel", nodes=10, seed=seed)
    port = small.topology.schedulers[0]
    topology = Topology.build(
        [
            Node(*row)
            for row in zip(
                graph.names, graph.latitude_deg.tolist(), graph.longitude_deg.tolist(), strict=True
            )
        ],
        [Link(graph.names[a], graph.names[b], 10e9, scheduler=port) for a, b in graph.edges],
        duplex=True,
    )
    topology = topology.with_arrays(link_delay_s=fiber_delay_s(topology))
    mass = random.lognormal(0.0, 0.75, nodes)
    source = random.integers(0, nodes, DEMANDS * nodes)
    target = (source + 1 + random.integers(0, nodes - 1, len(source))) % nodes
    pairs = np.unique(source * nodes + target)
    source, target = pairs // nodes, pairs % nodes
    traffic = small.traffic.keep(np.zeros(len(pairs), np.intp)).with_arrays(
        flow_source=source.astype(np.int32),
        flow_target=target.astype(np.int32),
        flow_rate_bps=mass[source] * mass[target] * 1e6,
    )
    return Scenario(topology, traffic, Routing(ecmp=True), name=f"gabriel {nodes}")


def _measure(nodes: int) -> Row:
    _ = network(20).link_offered_load  # compiled
    scenario = network(nodes)
    begin, work = time.perf_counter(), time.process_time()
    peak = float(scenario.link_offered_load.max())
    load_s, work_s = time.perf_counter() - begin, time.process_time() - work
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    rates = scenario.traffic.flow_rate_bps * 0.7 / peak
    scaled = scenario.with_(traffic=scenario.traffic.with_arrays(flow_rate_bps=rates))
    return {
        "nodes": nodes,
        "flow_hops": nodes * scenario.topology.link_count,
        "load_s": load_s,
        "cost": work_s / nodes / scenario.topology.link_count,
        "memory_gib": memory,
        "predict_s": _predicted_s(scaled),
    }


def _predicted_s(scenario: Scenario) -> float:
    """How long theory takes for the whole; -1 where it refuses."""
    engine = wiring.engine("theory")
    engine.predict([generate("gabriel", nodes=10)])
    begin = time.perf_counter()
    try:
        engine.predict([scenario])
    except InputError:
        return -1.0
    return time.perf_counter() - begin
