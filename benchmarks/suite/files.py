"""files: how long large network files take to read, to write and to inspect."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.benchmark import Options, Outcome, at_most, cpu_seconds
from nettwin.formats import read, write
from nettwin.scenario.generate import generate

TITLE = "Large network files"
PROTOCOL = (
    "A Gabriel graph of 300 nodes with 89,700 flows is written as a YAML network file and read "
    "again, the best of three, processor time. `nettwin inspect` of one of 500 nodes with 249,500 "
    "flows runs in a process of its own, after one that compiles: processor time, and its largest "
    "resident memory."
)
TIMES = 3
INSPECTED = 500


def arguments(parser: argparse.ArgumentParser) -> None:
    """The size of the inspected network."""
    parser.add_argument("--nodes", type=int, default=INSPECTED)


def run(options: Options) -> Outcome:
    """Measure; `--limit` is the number of nodes of the network that is read and written."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.yaml"
        scenario = generate("gabriel", nodes=options.limit or 300, seed=3)
        writing = min(cpu_seconds(lambda: write(scenario, path)) for _ in range(TIMES))
        reading = min(cpu_seconds(lambda: read(path)) for _ in range(TIMES))
        write(generate("gabriel", nodes=options.extra["nodes"], seed=3, load=0.7), path)
        _inspect(path)
        seconds, bytes_ = _inspect(path)
    return Outcome(
        (
            at_most("read 89,700 flows", reading, 0.5, "s"),
            at_most("write", writing, 1.0, "s"),
            at_most("inspect 500 nodes", seconds, 5.0, "s"),
            at_most("inspect 500 nodes: memory", bytes_ / 2**30, 1.0, "GiB"),
        )
    )


def _inspect(path: Path) -> tuple[float, int]:
    """Processor seconds and largest resident bytes of inspecting a file in a process of its own."""
    command = [sys.executable, "-m", "nettwin", "inspect", str(path), "--json"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"nettwin inspect ended with {process.returncode}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024
