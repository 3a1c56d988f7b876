"""Kinds: what the twin knows, by kinds of networks, as a picture.

A row a kind, a column a policy or an arrival process; the color is the median error, the number
below it how many values the intervals of 90 % hold.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
EDGES = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2)  # of colors


class Judged(NamedTuple):
    """One network: its labels, one of each group of columns after the kind, the errors of its mean
    delays and whether the intervals hold them. [flows]"""

    kind: str
    labels: tuple[str, ...]
    error: Floats
    held: NDArray[np.bool_]


def draw(path: Path, networks: Sequence[Judged]) -> None:
    """Draw the table of kinds and labels; networks of a cell count alike."""
    from matplotlib.colors import BoundaryNorm

    from nettwin.interfaces.plots.figure import figure

    kinds = list(dict.fromkeys(sorted(one.kind for one in networks)))
    groups = [sorted({one.labels[g] for one in networks}) for g in range(len(networks[0].labels))]
    columns = [("", "all"), *((g, label) for g, group in enumerate(groups) for label in group)]
    error = np.full((len(kinds) + 1, len(columns)), np.nan)
    held = np.full_like(error, np.nan)
    for row, kind in enumerate([*kinds, None]):
        for column, (group, label) in enumerate(columns):
            inside = [
                one
                for one in networks
                if kind in (None, one.kind) and (group == "" or one.labels[int(group)] == label)
            ]
            inside = [one for one in inside if len(one.error)]
            if inside:
                error[row, column] = np.mean([np.median(one.error) for one in inside])
                held[row, column] = np.mean([one.held.mean() for one in inside])
    with figure(path, 1.0 * len(columns) + 1.8, 0.48 * len(error) + 1.5) as drawn:
        axes = drawn.subplots()
        norm = BoundaryNorm([0.0, *EDGES, 1.0], 256, extend="neither")
        axes.imshow(np.ma.masked_invalid(error), cmap="YlOrBr", norm=norm, aspect="auto")
        axes.set_xticks(range(len(columns)), [label for _, label in columns])
        axes.set_yticks(range(len(error)), [*kinds, "all"])
        axes.tick_params(length=0)
        for (row, column), value in np.ndenumerate(error):
            if np.isfinite(value):
                axes.text(
                    column,
                    row,
                    f"{value:.1%}\n{held[row, column]:.0%} held",
                    ha="center",
                    va="center",
                    fontsize=7.5,
                    color="white" if value > EDGES[-2] else "black",
                )
        axes.set_title(
            "Median error of mean delay; how many the intervals of 90 % hold",
            loc="left",
            fontsize=10,
        )
        drawn.tight_layout()
