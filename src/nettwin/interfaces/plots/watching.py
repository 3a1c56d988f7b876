"""Watching: how odd a network was over time, against the thresholds, and its incidents."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nettwin.apps.anomalies import Watch
from nettwin.interfaces.plots.figure import GREY, PALE, figure

COLORS = {
    "load": "#e69f00",
    "configuration": "#0072b2",
    "device": "#d55e00",
    "measurement": "#009e73",
    "attack": "#cc79a7",
    "unknown": GREY,
}
DAY_S = 86400.0


def watching(found: Watch, path: Path | str) -> None:
    """Draw each group's oddest score over its threshold, and incidents by their kinds. Raises what
    `figure` raises."""
    watched = found.watched
    days = (watched.times_s - watched.times_s[0]) / DAY_S
    worst = found.scores.worst / np.array(found.alarms.thresholds)[:, None]
    with figure(Path(path), 11.0, 3.6) as drawn:
        axes = drawn.subplots()
        axes.axvspan(days[0], days[found.usual], color=PALE, lw=0)
        axes.text(days[0], 1.02, " what is usual", transform=axes.get_xaxis_transform(), color=GREY)
        for kind in dict.fromkeys(one.kind for one in found.troubles):
            axes.axvspan(0, 0, color=COLORS[kind], alpha=0.35, lw=0, label=kind)
        for one in found.troubles:
            begin, end = ((t - watched.times_s[0]) / DAY_S for t in (one.begin_s, one.end_s))
            axes.axvspan(begin, end, color=COLORS[one.kind], alpha=0.35, lw=0)
        axes.plot(days, np.minimum(worst.max(axis=0), 5.0), color="#1b2733", lw=0.7)
        axes.axhline(1.0, color=GREY, lw=0.8, ls="--")
        axes.set_xlabel("days")
        axes.set_ylabel("how odd, over the threshold")
        axes.set_xlim(days[0], days[-1])
        axes.set_ylim(0, 5.1)
        if found.troubles:
            axes.legend(frameon=False, loc="upper center", bbox_to_anchor=(0.5, 1.18), ncols=6)
        drawn.tight_layout()
