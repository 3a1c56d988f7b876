"""Residuals: what was measured of an incident beside what the twin expects."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nettwin.apps.troubleshooting import Diagnosis
from nettwin.apps.troubleshooting import advice as a
from nettwin.apps.troubleshooting.incident import MEASURES
from nettwin.interfaces.plots.figure import GREY, PALE, figure

WITHOUT, WITH = "#d55e00", "#0072b2"
MOST = 12.0  # standard deviations, at which residuals are cut


def residuals(found: Diagnosis, path: Path | str) -> None:
    """Draw the residuals of each measure, in standard deviations. Raises what `figure` raises."""
    shown = [m for m in MEASURES if np.isfinite(found.evidence.measured[m]).any()]
    with figure(Path(path), 9.0, 0.5 * len(shown) + 1.3) as drawn:
        axes = drawn.subplots()
        axes.axvspan(-3, 3, color=PALE, lw=0)
        for row, measure in enumerate(shown):
            sides = ((found.healthy, 0.16, WITHOUT), (found.best, -0.16, WITH))
            for hypothesis, shift, color in sides:
                z = np.clip(hypothesis.residuals[measure][0], -MOST, MOST)
                known = np.isfinite(z)
                height = np.full(int(known.sum()), -row + shift)
                axes.scatter(z[known], height, s=14, color=color, alpha=0.55, lw=0, rasterized=True)
        axes.scatter([], [], s=14, color=WITHOUT, label="expected without a fault")
        axes.scatter([], [], s=14, color=WITH, label="expected with the first cause")
        axes.set_yticks([-row for row in range(len(shown))], [a.NOUNS[m] for m in shown])
        axes.set_xlim(-MOST - 0.5, MOST + 0.5)
        axes.set_xlabel("residual in standard deviations (gray: what noise does)")
        axes.axvline(0, color=GREY, lw=0.6)
        axes.set_title(found.best.name, loc="left", fontsize=9)
        axes.legend(frameon=False, loc="lower left")
        drawn.tight_layout()
