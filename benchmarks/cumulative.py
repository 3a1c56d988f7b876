"""Cumulative distributions of errors: their tables, and a picture of several side by side."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
SHARES = np.linspace(0.0, 1.0, 401)  # of the flows, at which curves are kept
# readable in grey and to the color-blind (Okabe and Ito): color, width, dashes
STYLES: Mapping[str, tuple[str, float, Any]] = {
    "gnn": ("#000000", 2.6, "-"),
    "theory": ("#0072b2", 1.8, (0, (5, 1.5))),
    "routenet": ("#d55e00", 1.8, "-"),
    "rnn": ("#007a59", 1.6, (0, (1, 1.2))),
    "mlp": ("#a8517f", 1.6, (0, (6, 1.5, 1, 1.5))),
}
LEAST, MOST = 1e-4, 5.0  # of the error's axis
# where the names stand, from the most exact: share of flows, and whether left of the curves where
# there is room
PLACES = ((78, True), (60, True), (42, False), (30, False), (18, False))
ROOM = 8e-3  # error up to which a name to the left would lie on the curves

Curves = Mapping[str, Mapping[str, Floats]]  # data, engine: errors [flows]


def write_curves(path: Path, curves: Curves) -> None:
    """Write the error below which each share of the flows lies, a column a curve, as CSV."""
    columns = {f"{data}: {engine}": v for data, by in curves.items() for engine, v in by.items()}
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["share_of_flows", *columns])
        levels = [np.quantile(values, SHARES) for values in columns.values()]
        for row in zip(SHARES, *levels, strict=True):
            writer.writerow([f"{value:.4g}" for value in row])


def draw(path: Path, curves: Curves) -> None:
    """Draw a panel for each data: shares of flows over |error|, on a logarithmic axis."""
    from nettwin.interfaces.plots.figure import PALE, figure

    with figure(path, 4.2 * len(curves) + 0.4, 3.6) as drawn:
        panels = drawn.subplots(1, len(curves), sharey=True, squeeze=False)[0]
        for axes, (title, by_engine) in zip(panels, curves.items(), strict=True):
            _panel(axes, by_engine)
            axes.set_title(title, loc="left", fontsize=10)
            axes.grid(color=PALE, linewidth=0.8)
            axes.set_axisbelow(True)
        panels[0].set_ylabel("flows at or below (%)")
        drawn.tight_layout()
    _make_small(path)


def _make_small(path: Path) -> None:
    """Keep a palette instead of full colors, which a few lines and words do not need."""
    from PIL import Image  # comes with matplotlib

    with Image.open(path) as picture:
        small = picture.convert("RGB").quantize(96)
    small.save(path, optimize=True)


def _panel(axes: Any, by_engine: Mapping[str, Floats]) -> None:
    for name, errors in by_engine.items():
        color, width, dashes = STYLES[name]
        levels = np.quantile(errors, SHARES)
        axes.plot(levels, SHARES * 100, color=color, linewidth=width, linestyle=dashes)
    _names(axes, by_engine)
    axes.set_xscale("log")
    axes.set_xlim(LEAST, MOST)
    axes.set_ylim(0, 100)
    ticks = [1e-4, 1e-3, 1e-2, 1e-1, 1.0]
    axes.set_xticks(ticks, ["0.01 %", "0.1 %", "1 %", "10 %", "100 %"])
    axes.minorticks_off()
    axes.set_xlabel("relative error of the mean delay")


def _names(axes: Any, by_engine: Mapping[str, Floats]) -> None:
    """Write each name with its median beside the curves, a thin line leading to its own: the two
    most exact to the left, the others to the right, so that few lines are crossed."""
    from nettwin.interfaces.plots.figure import GREY

    medians = {name: float(np.median(errors)) for name, errors in by_engine.items()}
    for name, (height, left) in zip(
        sorted(medians, key=lambda n: medians[n]), PLACES, strict=False
    ):
        at = float(np.clip(np.quantile(by_engine[name], height / 100), LEAST, MOST))
        left = left and at > ROOM
        end = (1.25 * LEAST, height) if left else (MOST / 1.1, height)
        axes.annotate(
            f"{name}, median {medians[name] * 100:.2g} %",
            (at, height),
            xytext=end,
            ha="left" if left else "right",
            va="center",
            color=STYLES[name][0],
            fontweight="bold" if name == "gnn" else "normal",
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.0},
            arrowprops={"arrowstyle": "-", "color": GREY, "linewidth": 0.8},
        )
        axes.plot([at], [height], "o", color=STYLES[name][0], markersize=4.5)
