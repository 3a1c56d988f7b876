"""Colors: how busy a link is, as a color, and the bar that says what the colors mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from nettwin.interfaces.plots.figure import GREY, PAPER

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# steps of a load and their colors: calm blues and greens, then a warning, then an alarm
STEPS = (0.0, 0.1, 0.25, 0.4, 0.55, 0.7, 0.8, 0.9, 1.0)
COLORS = (
    "#c5d5e4",
    "#8fbcd4",
    "#4f9fbf",
    "#43a57c",
    "#a3c64c",
    "#f2c636",
    "#ef8b2c",
    "#d8302f",
)
OVER = "#7d0f4f"


def color_of(load: float) -> str:
    """The color of a link that is as busy as this."""
    if load >= 0.9995:
        return OVER
    return COLORS[min(int(np.searchsorted(STEPS, load, "right")) - 1, len(COLORS) - 1)]


def crowded(load: NDArray[np.float64]) -> str:
    """How many links are busy, in words."""
    busy = int(np.count_nonzero(np.nan_to_num(load) >= 0.8))
    return f"{busy} of {len(load)} links at 80 % or more"


def color_bar(drawn: Figure, height_in: float, shown: str, width: float = 0.5) -> None:
    """The meaning of the colors, at the lower left of a figure; `shown` is what they show."""
    from matplotlib.patches import Rectangle

    axes = drawn.add_axes((0.03, 0.36 / height_in, width, 0.16 / height_in))
    steps = [*STEPS, 1.1]
    for i, color in enumerate((*COLORS, OVER)):
        axes.add_patch(Rectangle((i, 0), 1, 1, facecolor=color, edgecolor=PAPER, linewidth=1))
    axes.set_xlim(0, len(steps) - 1)
    axes.set_ylim(0, 1)
    axes.set_yticks([])
    axes.set_xticks(range(len(STEPS)), [f"{s * 100:.0f}" for s in STEPS], fontsize=7.5)
    axes.tick_params(length=0, pad=2)
    for spine in axes.spines.values():
        spine.set_visible(False)
    drawn.text(
        0.05 + width,
        0.44 / height_in,
        f"{shown} in %",
        fontsize=8,
        color=GREY,
        va="center",
    )
