"""How figures grow with the network: each size in a process of its own, and a chart as SVG."""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.benchmark import Options, Skipped, say

Row = dict[str, float]


class Axes(NamedTuple):
    """What a chart is drawn over: a key of its rows, its title, the unit of what is drawn, and
    where the first line of its legend stands."""

    across: str = "flow_hops"
    title: str = "nodes (spaced by flow-hops)"
    unit: str = "s"
    legend: tuple[int, int] = (90, 60)


def size_arguments(parser: argparse.ArgumentParser, picture: Path) -> None:
    """One size alone, for the process of its own; and the picture, by its usual place."""
    parser.add_argument("--only", type=int, help=argparse.SUPPRESS)
    where = f"draw the growth here; the results page shows docs/{picture.name}"
    parser.add_argument("--picture", type=Path, metavar="SVG", help=where)


def by_size(
    command: Sequence[str],
    sizes: Sequence[int],
    series: Sequence[tuple[str, str, str]],
    measure: Callable[[int], Row],
    options: Options,
    axes: Axes = Axes(),  # noqa: B008 - a tuple
) -> list[Row]:
    """What `measure` finds of each size; drawn where a picture is asked for.

    The process of one size is `python -m benchmarks COMMAND --only SIZE`, so that each is alone
    with its memory. Raises Skipped in such a process.
    """
    if options.extra.get("only"):
        print(json.dumps(measure(options.extra["only"])))
        raise Skipped("measured one size")
    rows = []
    for size in sizes[: options.limit]:
        say(f"{size} nodes ...")
        line = [sys.executable, "-m", "benchmarks", *command, "--only", str(size)]
        done = subprocess.run(line, capture_output=True, text=True, check=False)
        if not done.stdout.startswith("{"):
            say(f"{size} nodes failed: {done.stderr.strip()[-300:]}")
            continue
        rows.append(json.loads(done.stdout))
    if options.extra.get("picture"):
        options.extra["picture"].write_text(chart(rows, series, axes), encoding="utf-8")
    return rows


def chart(
    rows: Sequence[Mapping[str, float]],
    series: Sequence[tuple[str, str, str]],
    axes: Axes = Axes(),  # noqa: B008 - a tuple
) -> str:
    """Figures over the size, both axes logarithmic, as SVG; `series` are keys of the rows with
    label and color."""
    points = {k: [(r[axes.across], r[k]) for r in rows if r.get(k, 0) > 0] for k, _, _ in series}
    every = [p for some in points.values() for p in some]
    if not every:
        return '<svg xmlns="http://www.w3.org/2000/svg" width="640" height="400"/>\n'
    x0, x1 = (math.log10(f(x for x, _ in every)) for f in (min, max))
    marks = _marks(min(y for _, y in every), max(y for _, y in every))
    y0, y1 = math.log10(marks[0]), math.log10(marks[-1])

    def at(x: float, y: float) -> tuple[float, float]:
        across = (math.log10(x) - x0) / max(x1 - x0, 1e-9)
        return 70 + 540 * across, 350 - 310 * (math.log10(y) - y0) / max(y1 - y0, 1e-9)

    out = [
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 400" '
        'font-family="sans-serif" font-size="12">',
        '<rect width="640" height="400" fill="white"/>',
    ]
    for mark in marks:
        _, y = at(10**x0, mark)
        out.append(f'<line x1="70" x2="610" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>')
        label = f"{mark:g} {axes.unit}"
        out.append(f'<text x="62" y="{y + 4:.1f}" text-anchor="end">{label}</text>')
    for row in rows:
        x, _ = at(row[axes.across], marks[0])
        out.append(f'<text x="{x:.1f}" y="368" text-anchor="middle">{row["nodes"]:g}</text>')
    out.append(f'<text x="340" y="390" text-anchor="middle">{axes.title}</text>')
    for i, (key, label, color) in enumerate(series):
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in (at(*p) for p in points[key]))
        out.append(f'<polyline points="{line}" fill="none" stroke="{color}" stroke-width="2"/>')
        x, y = axes.legend
        out.append(f'<text x="{x}" y="{y + 18 * i}" fill="{color}">{label}</text>')
    return "\n".join([*out, "</svg>"]) + "\n"


def _marks(low: float, high: float) -> list[float]:
    """Powers of ten around a range, and where it is short, 2 and 5 times them."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    if last - first > 2:
        return [10.0**k for k in range(first, last + 1)]
    fine = [m * 10.0**k for k in range(first, last + 1) for m in (1, 2, 5)]
    below, above = max(m for m in fine if m <= low), min(m for m in fine if m >= high)
    return [m for m in fine if below <= m <= above] if above > below else [below, 2 * below]
