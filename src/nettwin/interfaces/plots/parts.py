"""Parts: a flow's delay as a waterfall over its hops, and who makes a delay, as bars."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nettwin import units
from nettwin.apps.explanation.causes import Causes
from nettwin.apps.explanation.splitting import HopPart
from nettwin.interfaces.plots.figure import GREY, INK, PALE, figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# readable in grey and to the color-blind (Okabe and Ito)
PROPAGATION, TRANSMISSION, WAITING, CORRECTION = "#56b4e9", "#009e73", "#e69f00", "#d55e00"
BAND = "#eef2f6"  # behind the hops of one stage
MAX_BARS = 16
TITLE_LETTERS = 84  # of a line
LEGEND_PT = 22  # the room of a legend between title and bars
ROW_IN = 0.34


def delay_waterfall(
    parts: Sequence[HopPart], delay_s: float, path: Path | str, *, title: str = ""
) -> None:
    """Draw a flow's delay hop by hop, each stage beginning where the last ended.

    Hops as far from the source, between which a flow is split, are one stage: they begin at the
    same place, on a band as long as their parts together, each with the share of packets that takes
    it. What the model takes away from theory's waiting is hatched. Raises what `figure` raises.
    """
    with figure(Path(path), 11.0, 1.75 + ROW_IN * (len(parts) + 1)) as drawn:
        axes = drawn.subplots()
        begin, row = 0.0, 0
        for _, stage in groupby(parts, key=lambda part: part.step):
            hops = list(stage)
            end = begin + sum(part.delay_s for part in hops)
            last = row + len(hops) - 1
            if len(hops) > 1:
                axes.fill_between(
                    [begin * 1e3, end * 1e3], row - 0.45, last + 0.45, color=BAND, linewidth=0
                )
            for k, part in enumerate(hops):
                _hop(axes, row + k, begin, part)
            axes.plot([end * 1e3] * 2, [last - 0.34, last + 1.34], color=GREY, linewidth=0.7)
            begin, row = end, last + 1
        axes.barh(len(parts), delay_s * 1e3, color=INK, height=0.68)
        names = [*map(_named, parts), f"total {units.duration(delay_s)}"]
        _rows(axes, names, "mean one-way delay (ms), each hop weighted by the packets that take it")
        _legend(axes, corrected=any(part.correction_s for part in parts))
        _finish(axes, title or "Where the delay is made", LEGEND_PT)


def _hop(axes: Axes, row: int, begin: float, part: HopPart) -> None:
    """The bar of one hop, from where its stage begins (s)."""
    at = begin
    for width, color in (
        (part.propagation_s, PROPAGATION),
        (part.transmission_s, TRANSMISSION),
        (part.waiting_s + min(part.correction_s, 0.0), WAITING),
        (max(part.correction_s, 0.0), CORRECTION),
    ):
        axes.barh(row, width * 1e3, left=at * 1e3, color=color, height=0.68)
        at += width
    if part.correction_s < 0:
        taken = -part.correction_s * 1e3
        axes.barh(
            row, taken, left=at * 1e3, height=0.68, fill=False, hatch="///",
            edgecolor=CORRECTION, linewidth=0.6,
        )  # fmt: skip


def _named(part: HopPart) -> str:
    share = "" if part.share > 0.9995 else f" ({units.percent(part.share, 0)})"
    return f"{part.queue}{share}"


def cause_bars(causes: Causes, path: Path | str, *, title: str = "") -> None:
    """Draw what a delay or a loss would be without each of its causes. Raises what `figure`
    raises."""
    shown = causes.found[:MAX_BARS]
    lossy = causes.measure == "loss"
    scale = 100.0 if lossy else 1e3
    now = causes.loss if lossy else causes.delay_s
    after = [np.nan_to_num(cause.loss if lossy else cause.delay_s) for cause in shown]
    with figure(Path(path), 11.0, 1.5 + ROW_IN * max(len(shown), 1)) as drawn:
        axes = drawn.subplots()
        for row, value in enumerate(after):
            axes.barh(row, value * scale, color=WAITING, height=0.68)
            axes.barh(row, (now - value) * scale, left=value * scale, color=PALE, height=0.68)
        axes.axvline(now * scale, color=INK, linewidth=1.0)
        how = "without" if causes.factor == 0 else f"with {units.percent(causes.factor, 0)} of"
        kinds = {"flow": "", "class": "class ", "source": "all from ", "target": "all to "}
        unit = "loss (%)" if lossy else "mean delay (ms)"
        _rows(axes, [f"{kinds[c.kind]}{c.name}" for c in shown], f"{unit} {how} it")
        _finish(axes, title or f"Who makes the {causes.measure} of {causes.target.name}")


def _rows(axes: Axes, names: Sequence[str], label: str) -> None:
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set_xlim(left=0)
    axes.set_xlabel(label)
    axes.grid(axis="x", color=PALE, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(axis="y", length=0)


def _legend(axes: Axes, *, corrected: bool) -> None:
    from matplotlib.patches import Patch

    kinds = [("propagation", PROPAGATION), ("transmission", TRANSMISSION), ("waiting", WAITING)]
    kinds += [("learned correction", CORRECTION)] if corrected else []
    handles = [Patch(facecolor=color, label=words) for words, color in kinds]
    axes.legend(
        handles=handles,
        ncols=len(handles),
        frameon=False,
        loc="lower left",  # below the title, which may be as long as the picture is wide
        bbox_to_anchor=(0.0, 1.0),
        borderaxespad=0.2,
        borderpad=0.2,
    )


def _finish(axes: Axes, title: str, room_pt: float = 6.0) -> None:
    words = textwrap.fill(title, TITLE_LETTERS)
    axes.set_title(words, loc="left", fontsize=13, fontweight="bold", pad=room_pt)
    drawn = axes.get_figure()
    assert drawn is not None
    drawn.tight_layout()  # type: ignore[union-attr]
