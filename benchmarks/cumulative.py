"""Cumulative distributions of errors: their tables, and a picture of several side by side."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
SHARES = np.linspace(0.0, 1.0, 401)  # of the flows, at which curves are kept
# readable in grey and to the color-blind (Okabe and Ito): color, width, dashes
STYLES: Mapping[str, tuple[str, float, Any]] = {
    "gnn": ("#000000", 2.6, "-"),
    "theory": ("#0072b2", 1.6, (0, (5, 1.5))),
    "routenet": ("#d55e00", 1.8, "-"),
    "rnn": ("#009e73", 1.6, (0, (1, 1.2))),
    "mlp": ("#cc79a7", 1.6, (0, (6, 1.5, 1, 1.5))),
}
LEAST, MOST = 1e-4, 3.0  # of the error's axis
# where the names stand: heights that keep them apart
HEIGHTS = (0.9, 0.78, 0.66, 0.54, 0.42)

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

    with figure(path, 4.6 * len(curves) + 0.4, 4.0) as drawn:
        panels = drawn.subplots(1, len(curves), sharey=True, squeeze=False)[0]
        for axes, (title, by_engine) in zip(panels, curves.items(), strict=True):
            _panel(axes, by_engine)
            axes.set_title(title, loc="left", fontsize=10)
            axes.grid(color=PALE, linewidth=0.8)
            axes.set_axisbelow(True)
        panels[0].set_ylabel("flows at or below (%)")
        drawn.tight_layout()


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
    """Write each name beside its curve: the most exact to the left of all, the others right."""
    from matplotlib import patheffects

    order: Sequence[str] = sorted(by_engine, key=lambda name: float(np.median(by_engine[name])))
    for k, name in enumerate(order):
        height = HEIGHTS[k] if k else 0.62
        at = float(np.clip(np.quantile(by_engine[name], height), LEAST, MOST))
        axes.annotate(
            name,
            (at, height * 100),
            xytext=(-7 if k == 0 else 7, 3 if k == 0 else -3),
            textcoords="offset points",
            ha="right" if k == 0 else "left",
            va="center",
            color=STYLES[name][0],
            fontweight="bold" if k == 0 else "normal",
            path_effects=[patheffects.withStroke(linewidth=3, foreground="white")],
        )
