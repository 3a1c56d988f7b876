"""Plots: the weathermap and the delay distribution, as SVG, PNG or PDF. Only here is matplotlib."""

from __future__ import annotations

from nettwin.interfaces.plots.comparing import before_and_after
from nettwin.interfaces.plots.delays import delay_distribution
from nettwin.interfaces.plots.failing import failure_matrix
from nettwin.interfaces.plots.figure import check_drawable
from nettwin.interfaces.plots.over_time import over_time
from nettwin.interfaces.plots.parts import cause_bars, delay_waterfall
from nettwin.interfaces.plots.weathermap import weathermap

__all__ = [
    "before_and_after",
    "cause_bars",
    "check_drawable",
    "delay_distribution",
    "delay_waterfall",
    "failure_matrix",
    "over_time",
    "weathermap",
]
