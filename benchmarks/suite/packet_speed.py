"""packet_speed: packet-hops a second of processor time."""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import time

from benchmarks.benchmark import Figure, Options, Outcome, at_least, at_most, cpu_seconds, say
from benchmarks.networks import NSFNET, network, random_edges
from nettwin.engines.packet.simulation import Simulation

TITLE = "Packet simulator: speed"
PROTOCOL = (
    "Packet-hops (links crossed by packets) a second of processor time of one core, with every "
    "statistic on, after a tenth of the run as a start that does not count. NSFNET: 14 nodes, "
    "182 Poisson flows, 10 Mbit/s and 1 ms a link, 300 and 1700 byte packets half each, "
    "32-packet queues, peak utilization 0.8; random networks of 50 and 300 nodes (1.6 edges a "
    "node, all pairs) likewise. The best of the runs is judged, because the machine is shared; "
    "the median stands beside it. Memory is that of a process of its own; so is the second "
    "start: an interpreter that imports the engine and simulates NSFNET for 1 s with code "
    "compiled before, in wall time, which is what a person waits; the processor time beside it "
    "counts what all threads do."
)
RUNS = 7
HOPS = 12e6  # a run
SIZES = {50: 4e6, 300: 4e6}
POLICIES = {"fifo": 7e6, "sp": 4e6, "wfq": 4e6, "drr": 4e6}
SECOND_START = """
from benchmarks.networks import network
from nettwin.engines.packet.simulation import Simulation
Simulation(network(), 1).advance(1.0)
"""
START_ONLY = "from nettwin.engines.packet import PacketSimulator"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Options for the memory measurement, which runs itself in a process of its own."""
    parser.add_argument("--only-memory", action="store_true", help=argparse.SUPPRESS)


def run(options: Options) -> Outcome:
    """Measure; `--limit` is the number of runs of each case."""
    if options.extra.get("only_memory"):
        return Outcome((Figure("memory", _memory_gib(), "GiB"),))
    runs = options.limit or RUNS
    figures: list[Figure] = []
    for policy, target in POLICIES.items():
        figures += _speed(f"NSFNET {policy}", NSFNET, policy, target, runs)
    for nodes, target in SIZES.items():
        edges = random_edges(nodes)
        figures += _speed(f"{nodes} nodes fifo", edges, "fifo", target, min(runs, 5))
    say("memory at 300 nodes ...")
    figures.append(at_most("300 nodes, 89,700 flows: memory", _own_process_memory(), 1.0, "GiB"))
    say("second start ...")
    for label, code in (("import", START_ONLY), ("import and 1 s of NSFNET", SECOND_START)):
        starts = [_start_seconds(code) for _ in range(max(3, runs) + 1)][1:]
        times, processor = [wall for wall, _ in starts], [cpu for _, cpu in starts]
        best = f"second start, {label}: best"
        whole = code == SECOND_START
        figures.append(
            at_most(best, min(times), 1.0, "s") if whole else Figure(best, min(times), "s")
        )
        figures.append(Figure(f"second start, {label}: median", statistics.median(times), "s"))
        figures.append(Figure(f"second start, {label}: processor time", min(processor), "s"))
    return Outcome(tuple(figures), (f"{runs} runs of about {HOPS:,.0f} packet-hops each.",))


def _speed(
    label: str, edges: tuple[tuple[int, int], ...], policy: str, target: float, runs: int
) -> list[Figure]:
    say(f"{label} ...")
    scenario = network(edges, policy)
    hops_a_second = float((scenario.link_load_bps / 8000.0).sum())
    span = HOPS / hops_a_second
    simulation = Simulation(scenario, 1)
    simulation.advance(span / 10)
    speeds = []
    for _ in range(runs):
        before, begin = simulation.packet_hops, simulation.now_s
        seconds = cpu_seconds(lambda begin=begin: simulation.advance(begin + span))  # type: ignore[misc]
        speeds.append((simulation.packet_hops - before) / seconds)
    return [
        at_least(f"{label}: best", max(speeds), target, "packet-hops/s"),
        Figure(f"{label}: median", statistics.median(speeds), "packet-hops/s"),
    ]


def _memory_gib() -> float:
    """Peak memory of this process after a whole prediction at 300 nodes."""
    from nettwin.engines.packet import PacketSimulator

    scenario = network(random_edges(300))
    PacketSimulator(max_packets=3_000_000, jobs=1).predict([scenario])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def _own_process_memory() -> float:
    command = [sys.executable, "-m", "benchmarks", "packet_speed", "--only-memory"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    line = next(line for line in done.stdout.splitlines() if line.startswith("memory"))
    return float(line.split()[1])


def _start_seconds(code: str) -> tuple[float, float]:
    """Wall and processor time of an interpreter that runs the code, from its start to its end."""
    begin, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", code], check=True)
    wall, after = time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime)
