"""Testbed: recordings of a laboratory of real routers and switches (npz), scenario and metrics.

arrays      the flat arrays of a file, checked          wiring      the network behind the paths
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from nettwin.errors import FormatError, InputError, ScenarioError
from nettwin.formats.format import Format, ImportDefaults, Reading
from nettwin.formats.testbed.arrays import FIRST, Recording, Recordings, read_recordings
from nettwin.formats.testbed.wiring import Wiring, wired
from nettwin.metrics import Metrics, Table
from nettwin.scenario.arrivals import CBR, OnOff
from nettwin.scenario.packet_sizes import Fixed
from nettwin.scenario.routing import Routing, Steer
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.topology import Topology
from nettwin.scenario.traffic import Flow, Traffic

# How long bursts and their gaps are is not recorded. Queues begin to fill where twice the rate of
# bursty flows and once that of the others passes the capacity, so half the time is on; periods of
# half a second reproduce the spread of the delays in a fluid model of the first queue of each path.
BURSTS = OnOff(on_s=0.25, off_s=0.25, regular=True)
ASSUMED = (
    "bursts: 0.25 s on and 0.25 s off, as their length is not recorded",
    "buffers: 16 Mbit at ports toward a router and 140 Mbit at those of routers, where the"
    " recorded delays of overloaded ports level off",
    "ports of 10 and 80 Gbit/s: one for each port that feeds them, as no path may visit a switch"
    " twice; none of them is ever busy",
)
IGNORED = ("packet rates: they are the bit rate over the packet size",)


@dataclass(frozen=True)
class Testbed(Format):
    """Recordings of the hardware testbed of the Graph Neural Networking Challenge 2023.

    Mean delays of flows of constant rate or in bursts over 5 to 8 routers joined by two switches. A
    folder of such files is read file by file.
    """

    name: str = field(default="testbed", init=False)
    title: str = field(default="testbed recordings (routers and switches, npz)", init=False)

    def detects(self, path: Path, head: bytes) -> bool:
        """Whether it is such a file, or a folder with one in it."""
        if path.is_dir():
            return any(_looks_right(_head(file)) for file in _files(path))
        return _looks_right(head)

    def read(self, path: Path, assume: ImportDefaults) -> Iterator[Reading]:
        """Every recorded scenario."""
        files = _files(path) if path.is_dir() else [path]
        if not files:
            raise FormatError(
                path, "the folder", "holds no npz file", "Give a file or folder of recordings."
            )
        for file in files:
            recordings = read_recordings(file)
            for number in range(len(recordings)):
                yield _reading(recordings, number, assume)

    def write(self, scenario: Scenario, path: Path) -> None:
        """Not possible: the layout is for recordings."""
        raise InputError("format testbed can only be read. Choose another format.")


def _files(folder: Path) -> list[Path]:
    return sorted(file for file in folder.glob("*.npz") if file.is_file())


def _head(file: Path) -> bytes:
    with file.open("rb") as stream:
        return stream.read(64)


def _looks_right(head: bytes) -> bool:
    """Whether a zip archive begins with the array that these files begin with."""
    return head[:4] == b"PK\x03\x04" and head[30:].startswith(FIRST.encode() + b".npy")


def _reading(recordings: Recordings, number: int, assume: ImportDefaults) -> Reading:
    place = f"scenario {number}"
    recording = recordings.recording(number)
    wiring = wired(recordings.path, place, recording)
    try:
        topology = Topology.build(wiring.nodes, wiring.links(assume.delay_s))
        traffic = Traffic.build(topology, _flows(recording, wiring))
        steer = {
            f: (Steer(links=tuple(topology.link_index[name] for name in path)),)
            for f, path in enumerate(wiring.paths)
        }
        scenario = Scenario(topology, traffic, Routing(steer=steer), recording.name)
    except ScenarioError as error:
        shown = "; ".join(str(issue) for issue in error.issues[:3])
        raise FormatError(recordings.path, place, shown, "Correct the recording.") from None
    unknown = np.full(len(recording.delay_s), np.nan)
    metrics = Metrics(
        Table({"owd_mean_s": recording.delay_s, "loss_ratio": unknown}),
        Table({}),
        Table({}),
        "measured",
        "testbed",
        {"file": recordings.path.name, "scenario": recording.name},
    )
    source = f"{recordings.path}, {place}"
    return Reading(scenario, "testbed", source, ASSUMED, IGNORED, metrics)


def _flows(recording: Recording, wiring: Wiring) -> Iterator[Flow]:
    constant = CBR()
    for f, name in enumerate(recording.flow_name):
        source, target = wiring.ends[f]
        yield Flow(
            source,
            target,
            float(recording.rate_bps[f]),
            size=Fixed(float(recording.size_bits[f])),
            arrival=BURSTS if recording.bursts[f] else constant,
            name=name,
        )
