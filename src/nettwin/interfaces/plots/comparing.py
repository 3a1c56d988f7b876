"""Comparing: two maps of one network side by side, before and after changes."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nettwin import units
from nettwin.interfaces.plots.colors import color_bar, crowded
from nettwin.interfaces.plots.figure import GREY, PALE, figure
from nettwin.interfaces.plots.placing import node_positions
from nettwin.interfaces.plots.weathermap import draw_map, tallness
from nettwin.scenario.scenario import Scenario

if TYPE_CHECKING:
    from matplotlib.lines import Line2D

WIDTH_IN = 17.0
ABOVE_IN, BELOW_IN = 1.25, 0.75
SIDES = (0.012, 0.506)  # where the maps begin
SIDE = 0.482  # the width of one


def before_and_after(
    before: Scenario,
    after: Scenario,
    path: Path | str,
    *,
    title: str = "",
    highlight: Collection[str] = (),
) -> None:
    """Draw a network before and after changes to an SVG, PNG or PDF file, by offered load.

    Nodes stand in the same places on both maps. `highlight` names links to ring in the second.
    Raises what `figure` raises.
    """
    points = node_positions(before.topology)
    tall = float(np.clip(SIDE * WIDTH_IN * tallness(points), 4.0, 9.0))
    height = tall + ABOVE_IN + BELOW_IN
    with figure(Path(path), WIDTH_IN, height) as drawn:
        drawn.text(
            0.018, 1 - 0.34 / height, title or before.name, fontsize=15, fontweight="bold",
            va="center",
        )  # fmt: skip
        sides = zip(SIDES, ("before", "after"), (before, after), strict=True)
        for left, word, scenario in sides:
            box = (left, BELOW_IN / height, SIDE, tall / height)
            ringed = set(highlight) if scenario is after else set()
            used = scenario.link_offered_load
            draw_map(drawn, box, scenario.topology, points, used, ringed)
            drawn.text(left + 0.006, 1 - 0.72 / height, word, fontsize=12, va="center")
            drawn.text(
                left + 0.006, 1 - 0.97 / height, _subtitle(scenario), color=GREY, va="center"
            )
        middle = SIDES[1] - 0.006
        rule = [BELOW_IN / height, 1 - 0.6 / height]
        drawn.add_artist(_line([middle, middle], rule))
        color_bar(drawn, height, "offered load toward the arrow's point,", 0.33)


def _subtitle(scenario: Scenario) -> str:
    used = scenario.link_offered_load
    if not len(used):
        return "no links"
    worst = int(used.argmax())
    name = scenario.topology.link_name[worst]
    return (
        f"highest offered load {units.percent(float(used[worst]))} ({name})   ·   {crowded(used)}"
    )


def _line(x: list[float], y: list[float]) -> Line2D:
    from matplotlib.lines import Line2D

    return Line2D(x, y, color=PALE, linewidth=1.2)
