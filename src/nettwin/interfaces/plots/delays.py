"""Delay distribution: how many flows of each class see at most which delay, by each engine."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from nettwin.interfaces.plots.figure import GREY, PALE, figure
from nettwin.metrics import Metrics
from nettwin.scenario.scenario import Scenario

# readable in grey and to the color-blind (Okabe and Ito)
CLASS_COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000")
LINES: tuple[Any, ...] = ("-", (0, (4, 1.2)), (0, (1, 1.2)), (0, (6, 1.5, 1, 1.5)))
COLUMNS = {"owd_mean_s": "mean one-way delay", "owd_p99_s": "99th percentile of one-way delay"}


def delay_distribution(
    answers: Mapping[str, tuple[Scenario, Metrics]], path: Path | str, *, title: str = ""
) -> None:
    """Draw cumulative distributions over flows of their mean and 99th-percentile delay.

    A color is a traffic class, a line style one of the answers (an engine, or before and after);
    the first of several is broad and pale, so that those that agree with it stay visible.
    Raises what `figure` raises.
    """
    with figure(Path(path), 11.0, 4.8) as drawn:
        panels = drawn.subplots(1, 2, sharey=True)
        classes = list(dict.fromkeys(n for s, _ in answers.values() for n in s.traffic.class_name))
        for axes, (column, words) in zip(panels, COLUMNS.items(), strict=True):
            for style, (scenario, metrics) in enumerate(answers.values()):
                if column not in metrics.flow:
                    continue
                for k, name in enumerate(scenario.traffic.class_name):
                    delay = metrics.flow[column][scenario.traffic.flow_class == k] * 1e3
                    delay = np.sort(delay[np.isfinite(delay)])
                    if len(delay):
                        share = np.arange(1, len(delay) + 1) / len(delay) * 100
                        axes.step(
                            delay,
                            share,
                            where="post",
                            **_line(style, len(answers)),
                            color=CLASS_COLORS[classes.index(name) % len(CLASS_COLORS)],
                        )
            axes.set_xlabel(f"{words} (ms)")
            axes.grid(color=PALE, linewidth=0.8)
            axes.set_axisbelow(True)
            axes.set_ylim(0, 101)
            axes.set_xlim(left=0)
        panels[0].set_ylabel("flows at or below (%)")
        _legend(panels[1], classes, list(answers))
        drawn.subplots_adjust(left=0.065, right=0.985, bottom=0.115, top=0.86, wspace=0.06)
        drawn.text(
            0.02, 0.945, title or "Delay of flows", fontsize=15, fontweight="bold", va="center"
        )


def _line(style: int, styles: int) -> dict[str, Any]:
    """How the line of one of several answers looks."""
    if styles == 1:
        return {"linewidth": 1.7, "linestyle": "-"}
    if style == 0:
        return {"linewidth": 4.2, "linestyle": "-", "alpha": 0.35}
    return {"linewidth": 1.4, "linestyle": LINES[(style - 1) % len(LINES)]}


def _legend(axes: object, classes: list[str], answers: list[str]) -> None:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

    assert isinstance(axes, Axes)
    lines = [
        Line2D([], [], color=CLASS_COLORS[i % len(CLASS_COLORS)], linewidth=2.5, label=name)
        for i, name in enumerate(classes)
    ]
    if len(answers) > 1:
        lines += [
            Line2D([], [], color=GREY, label=name, **_line(i, len(answers)))
            for i, name in enumerate(answers)
        ]
    axes.legend(handles=lines, loc="lower right", frameon=True, framealpha=0.9, edgecolor=PALE)
