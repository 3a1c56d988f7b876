"""cisco: recordings of real routers, each with one labelled event."""

from __future__ import annotations

import argparse
import csv
import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.benchmark import Figure, Options, Outcome, Skipped, at_least, at_most, say
from nettwin.apps.anomalies.fabric import CANDIDATES, Found, find
from nettwin.telemetry.mdt import read_recording

TITLE = "Events named in recordings of real routers"
PROTOCOL = (
    "DIR holds recordings of model-driven telemetry (folders, or archives of them), each with "
    "`events.csv`, which only the judge reads. The detector sees counters, states and drops of "
    "ports and `cdp_map.json`, sample by sample. Named is an element if the first thing that is "
    "found after the event, within 3 samples (30 s) of it, names the labelled device (and its "
    "interface, where that is a port) first, or, where that device does not report, among at most "
    "3 candidates; and nothing was found before the event. Delay: from the label to the sample at "
    "which it was found; of one that is not found the rest of the recording. Rates of ports of the "
    "three recordings had been looked at before the detector was written."
)
TRAFFIC = ("traffic", "start", "stop")  # in the names of events that are none
WITHIN_S = 35.0  # three samples, and the time until the third is there


class Label(NamedTuple):
    """What happened, when and where."""

    time_s: float
    event: str
    device: str
    interface: str


def arguments(parser: argparse.ArgumentParser) -> None:
    """None of its own."""


def run(options: Options) -> Outcome:
    """Measure; `--limit` is the number of recordings."""
    if options.data is None or not options.data.is_dir():
        raise Skipped("give a folder with recordings, or archives of them, with --data")
    named, delays, remarks, early = [], [], [], 0
    with unpacked(options.data) as folders:
        if not folders:
            raise Skipped(f"{options.data} holds no recording (a folder with events.csv)")
        for folder in folders[: options.limit]:
            recording = read_recording(folder)
            found = find(recording)
            end = max(counts.times_s[-1] for counts in recording.ports.values())
            reporting = {port.device for port in recording.ports}
            for label in labels(folder):
                before = [f for f in found if f.time_s < label.time_s]
                later = [f for f in found if f.time_s >= label.time_s]
                early += len(before)
                first = later[0] if later else None
                delay = float((first.time_s if first else end) - label.time_s)
                right = first is not None and is_named(first, label, label.device in reporting)
                named.append(right and delay <= WITHIN_S and not before)
                delays.append(delay)
                words = (
                    "nothing"
                    if first is None
                    else "; ".join(f"{c.element} ({c.what})" for c in first.candidates)
                )
                remarks.append(
                    f"{folder.name}: {label.event} at {label.device} {label.interface}: found"
                    f" {words} after {delay:.0f} s"
                )
                say(remarks[-1])
    figures = (
        at_least("element named", float(np.mean(named)) if named else float("nan"), 0.75),
        at_most(
            "median delay to detect", float(np.median(delays)) if delays else np.nan, 30.0, "s"
        ),
        Figure("found before the event", float(early)),
    )
    return Outcome(figures, tuple(remarks))


def is_named(found: Found, label: Label, reports: bool) -> bool:
    """Whether what was found names what happened."""
    some = found.candidates[:1] if reports else found.candidates[:CANDIDATES]
    for candidate in some:
        ends = [end.split(" ") for end in candidate.element.split(" - ")]
        for device, *port in ends:
            if device == label.device and (
                not port or not _is_port(label.interface) or port == [label.interface]
            ):
                return True
    return False


def _is_port(interface: str) -> bool:
    return bool(interface) and not interface.lower().startswith("loopback")


def labels(folder: Path) -> list[Label]:
    """The events of a recording that are at a device."""
    with (folder / "events.csv").open(newline="") as lines:
        return [
            Label(float(r["timestamp"]), r["event"], r["device"], r.get("interface") or "")
            for r in csv.DictReader(lines)
            if r.get("device") and not any(word in r["event"] for word in TRAFFIC)
        ]


@contextmanager
def unpacked(data: Path) -> Iterator[list[Path]]:
    """The folders of recordings, archives unpacked for as long as it lasts."""
    place = Path(tempfile.mkdtemp(prefix="nettwin-cisco-"))
    try:
        for archive in sorted(data.glob("*.tar.gz")):
            with tarfile.open(archive) as packed:
                packed.extractall(place, filter="data")
        folders = [p.parent for base in (data, place) for p in base.rglob("events.csv")]
        yield sorted(set(folders), key=lambda folder: folder.name)
    finally:
        shutil.rmtree(place, ignore_errors=True)
