"""Hindsight: the busiest link, and the network's delay, over time as predicted and as measured."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from nettwin.apps.history import Hindsight, Track, busy_hours, rows
from nettwin.interfaces.plots.figure import PALE, figure

MEASURED, PREDICTED = "#0072b2", "#d55e00"
DAY_S = 86400.0
SCALES = {"utilization": (100.0, "%"), "owd_mean_s": (1e3, "ms")}


def hindsight(found: Hindsight, path: Path | str) -> None:
    """Draw of each quantity the element of the highest 95th percentile, with its intervals; busy
    hours are shaded. Raises what `figure` raises."""
    tracks = [track for track in found.tracks if np.isfinite(track.predicted).any()]
    days = (found.times_s - found.times_s[0]) / DAY_S
    starts, _ = busy_hours(found)
    with figure(Path(path), 11.0, 2.9 * len(tracks) + 0.8) as drawn:
        panels = np.atleast_1d(drawn.subplots(len(tracks), 1, sharex=True))
        for axes, track in zip(panels.tolist(), tracks, strict=True):
            for start in starts:
                begin = (start - found.times_s[0]) / DAY_S
                axes.axvspan(begin, begin + 1 / 24, color=PALE, lw=0)
            _track(axes, days, found, track)
        panels[-1].set_xlabel("days")
        panels[0].legend(frameon=False, loc="upper left", ncols=3)
        drawn.tight_layout()


def _track(axes: Any, days: Any, found: Hindsight, track: Track) -> None:
    scale, unit = SCALES[track.quantity]
    first = rows(found, track)[0].element
    k = track.element.index(first)
    if np.isfinite(track.low[:, k]).any():
        axes.fill_between(
            days,
            track.low[:, k] * scale,
            track.high[:, k] * scale,
            color=PREDICTED,
            alpha=0.2,
            lw=0,
            label=f"interval of {found.confidence:.0%}",
        )
    axes.plot(days, track.predicted[:, k] * scale, color=PREDICTED, lw=1.0, label="predicted")
    if np.isfinite(track.measured[:, k]).any():
        axes.plot(days, track.measured[:, k] * scale, color=MEASURED, lw=0.8, label="measured")
    axes.set_ylabel(f"{track.quantity.partition('_')[0]} ({unit})")
    axes.set_title(first, loc="left", fontsize=9)
    axes.grid(color=PALE, linewidth=0.8)
    axes.set_axisbelow(True)
