"""Failing: which links fill up under which failures, as a matrix, the worst of both first."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nettwin import units
from nettwin.apps.resilience.resilience import Failure, Resilience, load_matrix
from nettwin.interfaces.plots.colors import color_bar, color_of
from nettwin.interfaces.plots.figure import GREY, INK, PALE, PAPER, figure

MAX_ROWS, MAX_COLUMNS = 30, 40  # links and failures
CELL_IN, NAMES_IN, HEAD_IN, FOOT_IN, RIGHT_IN = 0.3, 2.4, 2.6, 0.8, 1.3
LONGEST = 30  # letters of a name
WRITTEN = 0.7  # offered load from which on a number is written


def rows_and_columns(found: Resilience) -> tuple[list[str], list[Failure]]:
    """The links with the highest loads, and the failures that cause them, the worst first."""
    links = [link.name for link in found.links[:MAX_ROWS]]
    causes = {link.cause for link in found.links[:MAX_ROWS] if link.cause}
    failures = sorted(found.failures, key=lambda f: f.name not in causes)[:MAX_COLUMNS]
    return links, sorted(failures, key=lambda f: -f.offered_load_max)


def failure_matrix(found: Resilience, path: Path | str, *, title: str = "") -> None:
    """Draw a matrix of the links with the highest loads against the failures that cause them.

    A cell's color is the offered load; today's is in the first column. Raises what `figure` raises.
    """
    from matplotlib.patches import Rectangle

    links, failures = rows_and_columns(found)
    load = load_matrix(found, links, failures)
    rows, columns = load.shape
    width = NAMES_IN + max(columns, 10) * CELL_IN + RIGHT_IN
    height = HEAD_IN + max(rows, 1) * CELL_IN + FOOT_IN
    with figure(Path(path), width, height) as drawn:
        axes = drawn.add_axes(
            (
                NAMES_IN / width,
                FOOT_IN / height,
                columns * CELL_IN / width,
                rows * CELL_IN / height,
            )
        )
        for i, j in np.ndindex(rows, columns):
            value = float(load[i, j])
            axes.add_patch(Rectangle((j, i), 1, 1, facecolor=color_of(value), edgecolor=PAPER))
            if value >= WRITTEN:
                dark = value >= 0.9
                axes.text(
                    j + 0.5,
                    i + 0.5,
                    f"{value * 100:.0f}",
                    ha="center",
                    va="center",
                    fontsize=6.5,
                    color=PAPER if dark else INK,
                )
        axes.axvline(1, color=INK, linewidth=1.2)
        axes.set_xlim(0, columns)
        axes.set_ylim(rows, 0)
        axes.set_yticks(np.arange(rows) + 0.5, [_short(name) for name in links], fontsize=7.5)
        heads = ["nothing", *(_short(f.name) for f in failures)]
        axes.set_xticks(np.arange(columns) + 0.5, heads, rotation=60, ha="left", fontsize=7.5)
        axes.xaxis.tick_top()
        axes.tick_params(length=0)
        for spine in axes.spines.values():
            spine.set_visible(False)
        top = 1 - 0.3 / height
        words = title or f"{found.scenario.name}: which link fills up when what fails"
        drawn.text(0.02, top, words, fontsize=13, fontweight="bold", va="center")
        worst = found.summary
        drawn.text(
            0.02,
            top - 0.26 / height,
            f"highest offered load {units.percent(worst.offered_load_max, 0)}"
            f" when {worst.cause or 'nothing'} fails   ·   {worst.overloaded_links} of"
            f" {len(found.links)} links are overloaded by a failure",
            color=GREY,
            va="center",
        )
        color_bar(drawn, height, "offered load", 0.4)
        axes.set_facecolor(PALE)


def _short(name: str) -> str:
    return name if len(name) <= LONGEST else name[: LONGEST - 1] + "…"
