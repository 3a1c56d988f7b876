"""ns3: the packet simulator against ns-3, the same scenario in both."""

from __future__ import annotations

import argparse
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.benchmark import (
    Figure,
    Options,
    Outcome,
    Skipped,
    at_least,
    at_most,
    cpu_seconds,
    say,
)
from benchmarks.networks import NSFNET, network
from nettwin.engines.packet import PacketSimulator
from nettwin.engines.packet.simulation import Simulation
from nettwin.scenario.scenario import Scenario

TITLE = "Packet simulator against ns-3"
PROTOCOL = (
    "NSFNET, 182 Poisson flows, 10 Mbit/s and 1 ms a link, 300 and 1700 byte packets half each, "
    "DropTail queues of 32 packets (33 places with the one in transmission), peak utilization "
    "0.8 and 1.1, played by a C++ program on ns-3's point-to-point devices with source routes "
    "and by nettwin. Compared: each flow's mean delay (mean absolute relative difference over "
    "flows) and the share of all packets lost. ns-3 runs with several seeds, pooled; the same "
    "comparison of two nettwin runs of that length says what chance alone does. Both speeds are "
    "packet-hops a second of processor time of one core, taken in the same run."
)
SOURCE = Path(__file__).parents[1] / "ns3" / "replay.cc"
MODULES = ("ns3-core", "ns3-network", "ns3-point-to-point")
INSTALL = "apt-get install libns3-dev pkg-config g++"
SECONDS, WARMUP = 305.0, 5.0
SEEDS = 4
LOADS = (0.8, 1.1)


def arguments(parser: argparse.ArgumentParser) -> None:
    """No options of its own."""


def run(options: Options) -> Outcome:
    """Measure; `--limit` is the number of ns-3 seeds."""
    seeds = options.limit or SEEDS
    with tempfile.TemporaryDirectory() as folder:
        program = build(Path(folder))
        figures: list[Figure] = []
        for load in LOADS:
            figures += _compare(program, Path(folder), network(NSFNET, load=load), load, seeds)
    version = _pkg_config("--modversion", MODULES[0])
    return Outcome(tuple(figures), (f"ns-3 {version}, {seeds} seeds of {SECONDS - WARMUP:g} s.",))


def build(folder: Path) -> Path:
    """Compile the ns-3 program; Skipped where ns-3 or a compiler is missing."""
    if not shutil.which("pkg-config") or not shutil.which("g++"):
        raise Skipped(f"pkg-config or g++ is missing; {INSTALL}")
    if subprocess.run(["pkg-config", "--exists", *MODULES], check=False).returncode:
        raise Skipped(f"ns-3 is not installed; {INSTALL}")
    say("building the ns-3 program ...")
    program = folder / "replay"
    flags = _pkg_config("--cflags", "--libs", *MODULES).split()
    flags = [flag for flag in flags if "gsl" not in flag]  # named by the package, not needed here
    command = ["g++", "-O3", "-std=c++17", "-DNDEBUG", str(SOURCE), "-o", str(program), *flags]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Skipped(f"the ns-3 program does not compile here: {done.stderr.strip()[:400]}")
    return program


def _pkg_config(*words: str) -> str:
    done = subprocess.run(["pkg-config", *words], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def text_of(scenario: Scenario) -> str:
    """A scenario as the ns-3 program reads it."""
    topology, paths = scenario.topology, scenario.paths
    rates = scenario.traffic.flow_packet_rate_pps
    packets = topology.queues.buffer_packets
    lines = [f"{topology.node_count} {topology.link_count} {scenario.traffic.flow_count}"]
    lines += [
        f"{topology.link_source[k]} {topology.link_target[k]} {topology.link_capacity_bps[k]:.0f} "
        f"{topology.link_delay_s[k]:.9f} {packets[k]:.0f}"
        for k in range(topology.link_count)
    ]
    for f in range(scenario.traffic.flow_count):
        links = paths.of(f)[0][1]
        lines.append(f"{rates[f]:.9f} {len(links)} {' '.join(map(str, links))}")
    return "\n".join(lines) + "\n"


def _compare(
    program: Path, folder: Path, scenario: Scenario, load: float, seeds: int
) -> list[Figure]:
    given, result = folder / "scenario.txt", folder / "result.txt"
    given.write_text(text_of(scenario), encoding="utf-8")
    total = np.zeros((scenario.traffic.flow_count, 3))
    speeds = []
    for seed in range(1, seeds + 1):
        say(f"ns-3, load {load:g}, seed {seed} of {seeds} ...")
        command = [str(program), str(given), str(SECONDS), str(WARMUP), str(seed), str(result)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        hops, seconds = (float(word) for word in done.stdout.split())
        speeds.append(hops / seconds)
        total += np.loadtxt(result)
    theirs, their_loss = total[:, 2] / total[:, 1], 1 - total[:, 1].sum() / total[:, 0].sum()
    say("nettwin ...")
    ours, our_loss = _simulate(scenario, 1, seeds)
    again, _ = _simulate(scenario, 2, seeds)
    own_speed = _speed(scenario)
    label = f"load {load:g}"
    return [
        at_most(f"{label}: delay difference", _difference(ours, theirs), 1.0, "%"),
        Figure(f"{label}: delay difference of two nettwin runs", _difference(ours, again), "%"),
        Figure(f"{label}: loss, ns-3", their_loss * 100, "%"),
        Figure(f"{label}: loss, nettwin", our_loss * 100, "%"),
        Figure(f"{label}: ns-3 speed, best", max(speeds), "packet-hops/s"),
        Figure(f"{label}: nettwin speed, best", own_speed, "packet-hops/s"),
        at_least(f"{label}: nettwin over ns-3", own_speed / max(speeds), 1.0, "times"),
    ]


def _simulate(scenario: Scenario, seed: int, times: int) -> tuple[NDArray[np.float64], float]:
    engine = PacketSimulator(seed=seed, warmup_s=WARMUP, jobs=1)
    flow = engine.run(scenario, until_s=(SECONDS - WARMUP) * times).metrics.flow
    pps = scenario.traffic.flow_packet_rate_pps
    return flow["owd_mean_s"], float((flow["loss_ratio"] * pps).sum() / pps.sum())


def _speed(scenario: Scenario) -> float:
    simulation = Simulation(scenario, 1)
    simulation.advance(WARMUP)
    speeds = []
    for k in range(1, 4):
        before = simulation.packet_hops
        seconds = cpu_seconds(lambda k=k: simulation.advance(WARMUP + 100.0 * k))  # type: ignore[misc]
        speeds.append((simulation.packet_hops - before) / seconds)
    return max(speeds)


def _difference(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    return float(np.nanmean(np.abs(one / other - 1))) * 100
