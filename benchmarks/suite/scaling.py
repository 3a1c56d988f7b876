"""scaling: how path finding, theory, simulation and reading grow with the network."""

from __future__ import annotations

import argparse
import resource
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.benchmark import Figure, Options, Outcome, at_most, cpu_seconds
from benchmarks.growth import by_size, size_arguments
from benchmarks.networks import network, random_edges
from nettwin.scenario.pathfinding import resolve

TITLE = "Growth with the size of the network"
PROTOCOL = (
    "Random networks (1.6 edges a node, degree over 3; flows between all pairs on single "
    "shortest paths, peak utilization 0.8, three classes under WFQ), each size in a process of "
    "its own. Processor seconds of one core, best of three, compiled code: finding all paths; "
    "the theory engine; the packet simulator a packet-hop; writing and reading the plan file; "
    "and the process's peak memory. The cost a flow-hop tells whether growth is linear in the "
    "work there is."
)
SIZES = (10, 20, 50, 100, 200, 300, 1000)
LARGEST_SIMULATED = 300
LARGEST_WRITTEN = 300
HOPS = 3e6
SERIES = (
    ("paths_s", "path finding", "#1b6ca8"),
    ("theory_s", "theory", "#c0392b"),
    ("read_s", "plan file, reading", "#2e8b57"),
)
PICTURE = Path(__file__).parents[2] / "docs" / "benchmark_scaling.svg"


def arguments(parser: argparse.ArgumentParser) -> None:
    """One size alone, and the picture."""
    size_arguments(parser, PICTURE)


def run(options: Options) -> Outcome:
    """Measure; `--limit` is the number of sizes."""
    rows = by_size(["scaling"], SIZES, SERIES, measure, options)
    return Outcome(tuple(f for row in rows for f in _figures(row)))


def _figures(row: dict[str, float]) -> list[Figure]:
    n = f"{row['nodes']:g} nodes"
    figures = [Figure(f"{n}: flow-hops", row["flow_hops"])]
    for key, label, unit in (
        ("paths_s", "path finding", "s"),
        ("theory_s", "theory", "s"),
        ("theory_ns", "theory, a flow-hop", "ns"),
        ("packet_ns", "simulation, a packet-hop", "ns"),
        ("write_s", "plan file, writing", "s"),
        ("read_s", "plan file, reading", "s"),
        ("memory_mib", "peak memory", "MiB"),
    ):
        if key in row:
            name = f"{n}: {label}"
            judged = key == "theory_s" and row["nodes"] == 300
            figures.append(
                at_most(name, row[key], 1.0, unit) if judged else Figure(name, row[key], unit)
            )
    return figures


def measure(nodes: int) -> dict[str, float]:
    """Every figure of one size."""
    from nettwin.engines.theory import Theory

    network(random_edges(10), "wfq")  # compiled code is loaded
    scenario = network(random_edges(nodes), "wfq")
    topology, traffic, routing = scenario.topology, scenario.traffic, scenario.routing
    hops = float(len(scenario.paths.links))
    row: dict[str, float] = {"nodes": nodes, "flow_hops": hops}
    row["paths_s"] = _best(lambda: resolve(routing, topology, traffic))
    theory = Theory()
    theory.predict([network(random_edges(10), "wfq")])
    row["theory_s"] = _best(lambda: theory.predict([scenario]))
    row["theory_ns"] = row["theory_s"] / hops * 1e9
    if nodes <= LARGEST_SIMULATED:
        row["packet_ns"] = _packet_ns(scenario)
    if nodes <= LARGEST_WRITTEN:
        row |= _plan_file(scenario)
    row["memory_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
    return row


def _best(work: Any) -> float:
    return min(cpu_seconds(work) for _ in range(3))


def _packet_ns(scenario: Any) -> float:
    from nettwin.engines.packet.simulation import Simulation

    span = HOPS / float((scenario.link_load_bps / 8000.0).sum())
    simulation = Simulation(scenario, 1)
    simulation.advance(span / 10)
    costs = []
    for _ in range(3):
        before, begin = simulation.packet_hops, simulation.now_s
        seconds = cpu_seconds(lambda begin=begin: simulation.advance(begin + span))  # type: ignore[misc]
        costs.append(seconds / (simulation.packet_hops - before) * 1e9)
    return min(costs)


def _plan_file(scenario: Any) -> dict[str, float]:
    from nettwin.formats import read, write

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.json"
        written = cpu_seconds(lambda: write(scenario, path))
        return {"write_s": written, "read_s": cpu_seconds(lambda: read(path))}
