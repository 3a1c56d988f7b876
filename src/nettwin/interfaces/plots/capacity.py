"""Capacity: when links run out, what upgrades cost, and how traffic grows."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nettwin.apps.capacity.case import YEAR_S
from nettwin.apps.capacity.runout import RunOuts
from nettwin.apps.capacity.upgrade import Upgrade
from nettwin.interfaces.plots.figure import GREY, INK, PALE, figure

EXPECTED, MEASURED, SOON, RULE, SECOND = "#d55e00", "#0072b2", "#cc3311", "#e69f00", "#56b4e9"
MOST_ROWS, LONGEST = 24, 34
Floats = NDArray[np.float64]


class Fan(NamedTuple):
    """A series as it was and as it is expected, in bit/s."""

    name: str
    past_s: Floats
    past_bps: Floats
    future_s: Floats
    mean_bps: Floats
    low_bps: Floats
    high_bps: Floats


def fan(found: Fan, path: Path | str) -> None:
    """Draw what was measured, what is expected and its interval. Raises what `figure` raises."""
    day = YEAR_S / 365.25
    with figure(Path(path), 9.0, 3.4) as drawn:
        axes = drawn.subplots()
        zero = found.past_s[-1]
        scale = 1e9 if found.past_bps.max() >= 1e9 else 1e6
        then = (found.future_s - zero) / day
        axes.fill_between(
            then,
            found.low_bps / scale,
            found.high_bps / scale,
            color=EXPECTED,
            alpha=0.2,
            lw=0,
            label="interval of 90 %",
        )
        axes.plot((found.past_s - zero) / day, found.past_bps / scale, color=MEASURED, lw=0.9,
                  label="measured")  # fmt: skip
        axes.plot(then, found.mean_bps / scale, color=EXPECTED, lw=1.2, label="expected")
        axes.set_ylim(bottom=0)
        axes.set_xlabel("days from the end of the history")
        axes.set_ylabel("Gbit/s" if scale == 1e9 else "Mbit/s")
        axes.set_title(found.name, loc="left", fontsize=12, fontweight="bold")
        axes.legend(frameon=False, loc="upper left", ncols=3)
        axes.grid(color=PALE, linewidth=0.8)
        axes.set_axisbelow(True)
        drawn.tight_layout()


def run_outs(found: RunOuts, path: Path | str) -> None:
    """Draw when each link and intent runs out, with its interval, the first on top; those that last
    are left out. Raises what `figure` raises."""
    out = [one for one in found.found if np.isfinite(one.early)][:MOST_ROWS]
    end = float(found.case.years[-1])
    horizon = max([end, *(one.years for one in out if np.isfinite(one.years))]) * 1.15
    with figure(Path(path), 9.0, 1.5 + 0.27 * max(len(out), 3)) as drawn:
        axes = drawn.subplots()
        axes.axvspan(0, end, color=PALE, lw=0)
        for row, one in enumerate(out):
            late = min(one.late, horizon)
            axes.plot([one.early, late], [row, row], color=GREY, lw=3, alpha=0.5)
            if np.isfinite(one.years):
                soon = SOON if one.years <= end else INK
                axes.plot([one.years], [row], "o", color=soon, ms=5)
        names = [one.element if len(one.element) <= LONGEST else one.element[: LONGEST - 1] + "…"
                 for one in out]  # fmt: skip
        axes.set_yticks(range(len(out)), names, fontsize=7.5)
        axes.set_ylim(max(len(out), 1) - 0.5, -0.7)
        axes.set_xlim(-0.02 * horizon, horizon)
        axes.set_xlabel(f"years from {_begin(found)}; the plan is shaded, lines are intervals")
        title = f"{found.scenario.name}: what runs out, under the worst single failure"
        axes.set_title(title, loc="left", fontsize=12, fontweight="bold")
        axes.grid(axis="x", color=PALE, linewidth=0.8)
        drawn.tight_layout()


def _begin(found: RunOuts) -> str:
    from nettwin.units import moment

    return moment(found.case.begin_s)[:10] if found.case.begin_s else "now"


def costs(found: Upgrade, path: Path | str) -> None:
    """Draw what the cheapest plan and the rules have paid by the end of each period. Raises what
    `figure` raises."""
    every = (found.best, *found.rules)
    names = [found.case.period_name(k) for k in range(found.case.periods)]
    place = np.arange(len(names))
    with figure(Path(path), 9.0, 3.4) as drawn:
        axes = drawn.subplots()
        width = 0.8 / len(every)
        for k, (one, color) in enumerate(zip(every, (MEASURED, RULE, SECOND), strict=False)):
            axes.bar(place + (k - 1) * width, np.cumsum(one.paid), width, color=color,
                     label=f"{one.method}: {one.paid.sum():,.6g}")  # fmt: skip
        axes.set_xticks(place, names)
        axes.set_ylabel("paid by then")
        axes.set_title(
            f"{found.scenario.name}: what it costs to survive every failure",
            loc="left",
            fontsize=12,
            fontweight="bold",
        )
        axes.legend(frameon=False, loc="upper left")
        axes.grid(axis="y", color=PALE, linewidth=0.8)
        axes.set_axisbelow(True)
        drawn.tight_layout()
