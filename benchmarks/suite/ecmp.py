"""ecmp: link loads under ECMP against a reference, and how long they take."""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import numpy as np

from benchmarks.benchmark import Figure, Options, Outcome, Skipped, at_most, cpu_seconds, say

TITLE = "ECMP link loads against a reference"
PROTOCOL = (
    "Every instance of a REPETITA folder is read and its largest link utilization under IGP "
    "weights with ECMP is compared with the `initial_mlu_ecmp` of a reference table (columns "
    "`demands_file`, `initial_mlu_ecmp`): largest absolute difference. Processor time of "
    "reading an instance and of its link loads, the latter the second time, when the code is "
    "compiled."
)
TOLERANCE = 1e-9


def arguments(parser: argparse.ArgumentParser) -> None:
    """Where the reference is."""
    where = "the reference table; default: reference/repetita_mcf_bound_all.csv near the folder"
    parser.add_argument("--reference", type=Path, metavar="CSV", help=where)


def run(options: Options) -> Outcome:
    """Measure; `--limit` is the number of instances."""
    if options.data is None:
        raise Skipped("give a REPETITA folder with --data")
    from nettwin.formats import read

    reference = _reference(options.data, options.extra.get("reference"))
    files = sorted(options.data.rglob("*.demands"))[: options.limit]
    known = [path for path in files if path.name in reference]
    if not known:
        raise Skipped(f"no instance under {options.data.name} is in the reference table")
    differences, reading, loading, worst = [], [], [], ""
    for i, path in enumerate(known, 1):
        readings = []
        reading.append(cpu_seconds(lambda path=path, to=readings: to.append(read(path))))  # type: ignore[misc]
        scenario = readings[0].scenario
        found = float(scenario.link_offered_load.max())
        fresh = scenario.with_()
        loading.append(cpu_seconds(lambda fresh=fresh: fresh.link_load_bps))  # type: ignore[misc]
        differences.append(abs(found - reference[path.name]))
        if differences[-1] == max(differences):
            worst = path.name
        if i % 20 == 0:
            say(f"{i} of {len(known)} instances")
    figures = (
        at_most("largest difference of the peak utilization", max(differences), TOLERANCE),
        Figure("instances compared", float(len(known))),
        Figure("instances without a reference", float(len(files) - len(known))),
        Figure("link loads, median instance", float(np.median(loading)), "s"),
        Figure("link loads, slowest instance", max(loading), "s"),
        Figure("reading, median instance", float(np.median(reading)), "s"),
        Figure("reading, slowest instance", max(reading), "s"),
    )
    return Outcome(figures, (f"The largest difference is that of {worst}.",))


def _reference(data: Path, given: Path | None) -> dict[str, float]:
    places = (
        [given]
        if given
        else [
            folder / "reference" / "repetita_mcf_bound_all.csv"
            for folder in (data, *data.parents[:3])
        ]
    )
    path = next((place for place in places if place.is_file()), None)
    if path is None:
        raise Skipped("the reference table is not there; give it with --reference")
    with path.open(encoding="utf-8", newline="") as lines:
        return {r["demands_file"]: float(r["initial_mlu_ecmp"]) for r in csv.DictReader(lines)}
