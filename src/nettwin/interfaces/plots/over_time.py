"""Over time: measured and predicted utilization and delay, with what happened."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from nettwin.interfaces.plots.figure import GREY, INK, PALE, figure
from nettwin.interfaces.tables.loop import Moment

MEASURED, PREDICTED = "#0072b2", "#d55e00"
HOUR_S = 3600.0


def over_time(moments: Sequence[Moment], path: Path | str, *, title: str = "") -> None:
    """Draw the busiest link's utilization and the mean delay of every interval, measured and
    predicted; lines mark events and what was done. Raises what `figure` raises."""
    hours = np.array([one.time_s for one in moments]) / HOUR_S % 24
    hours = np.where((hours == 0) & (np.arange(len(hours)) > 0), 24.0, hours)
    with figure(Path(path), 11.0, 6.0) as drawn:
        panels = drawn.subplots(2, 1, sharex=True)
        for axes, measured, predicted, scale, words in (
            (panels[0], "utilization", "utilization_predicted", 100, "busiest link (%)"),
            (panels[1], "delay_s", "delay_predicted_s", 1e3, "mean delay (ms)"),
        ):
            values = np.array([[getattr(m, measured), getattr(m, predicted)] for m in moments])
            axes.plot(hours, values[:, 0] * scale, color=MEASURED, lw=1.8, label="measured")
            axes.plot(
                hours, values[:, 1] * scale, color=PREDICTED, lw=1.2, ls="--", label="predicted"
            )
            axes.set_ylabel(words)
            axes.grid(color=PALE, linewidth=0.8)
            axes.set_axisbelow(True)
            for hour, one in zip(hours, moments, strict=True):
                if one.happened:
                    axes.axvline(hour, color=INK, lw=1.0)
                elif one.did:
                    axes.axvline(hour, color=GREY, lw=0.8, ls=":")
        top = panels[0].get_ylim()[1]
        for hour, one in zip(hours, moments, strict=True):
            words = "\n".join(filter(None, (one.happened.partition(":")[0], one.did)))
            if words:
                panels[0].text(hour, top, f" {words}", fontsize=7.5, va="top", color=INK)
        panels[1].set_xlabel("hour of the day (UTC)")
        panels[1].legend(frameon=False, loc="upper left")
        drawn.subplots_adjust(left=0.07, right=0.985, bottom=0.09, top=0.9, hspace=0.1)
        drawn.text(0.02, 0.95, title or "Over time", fontsize=15, fontweight="bold", va="center")
