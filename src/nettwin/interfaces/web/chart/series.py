"""Series: lines over time: measured ones filled, predicted ones dashed, gaps where nothing is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from nicegui import ui
from numpy.typing import NDArray

POINTS = 800  # that are drawn of a line, its shape kept
MEASURED, PREDICTED = "#3d7fb8", "#c77a1f"


@dataclass(frozen=True)
class Line:
    """A line: its name, its times in seconds since 1970, its values; dashed where predicted."""

    name: str
    times_s: NDArray[np.float64]
    values: NDArray[np.float64]
    predicted: bool = False
    color: str = ""


def chart(
    lines: Sequence[Line], unit: str, label: str, *, limit: float | None = None, height: int = 180
) -> ui.echart:
    """Draw lines; `limit` is a level that must not be crossed."""
    drawn = ui.echart(options(lines, unit, limit)).classes("chart").style(f"height: {height}px")
    drawn.props(f'role=img aria-label="{label}"')
    return drawn


def options(lines: Sequence[Line], unit: str, limit: float | None = None) -> dict[str, Any]:
    """What ECharts is told."""
    series = []
    for line in lines:
        times, values = thinned(line.times_s, line.values)
        found: dict[str, Any] = {
            "name": line.name,
            "type": "line",
            "showSymbol": False,
            "connectNulls": False,
            "data": [
                [1000 * t, v if math.isfinite(v) else None]
                for t, v in zip(times.tolist(), values.tolist(), strict=True)
            ],
            "lineStyle": {"width": 1.5, "type": "dashed" if line.predicted else "solid"},
            "color": line.color or (PREDICTED if line.predicted else MEASURED),
            "endLabel": {
                "show": len(lines) <= 4,
                "formatter": "{a}",
                "color": "inherit",
                "distance": 4,
            },
        }
        if not line.predicted:
            found["areaStyle"] = {"opacity": 0.12}
        series.append(found)
    if limit is not None and series:
        series[0]["markLine"] = {
            "silent": True,
            "symbol": "none",
            "lineStyle": {"color": "#b3261e", "type": "dotted"},
            "label": {"formatter": "limit", "color": "#b3261e", "position": "insideStartTop"},
            "data": [{"yAxis": limit}],
        }
    return {
        "animation": False,
        "textStyle": {"fontFamily": "system-ui, sans-serif"},
        "grid": {"left": 48, "right": 76 if len(lines) <= 4 else 12, "top": 18, "bottom": 24},
        "tooltip": {"trigger": "axis", "confine": True},
        "xAxis": {"type": "time", "axisLabel": {"hideOverlap": True, "color": "#7c8a97"}},
        "yAxis": {
            "type": "value",
            "name": unit,
            "min": 0,
            "nameTextStyle": {"color": "#7c8a97"},
            "axisLabel": {"color": "#7c8a97"},
            "splitLine": {"lineStyle": {"color": "rgba(128, 140, 150, 0.25)"}},
        },
        "series": series,
    }


def thinned(
    times_s: NDArray[np.float64], values: NDArray[np.float64], points: int = POINTS
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A line of at most so many points that looks the same (MinMaxLTTB, by tsdownsample)."""
    if len(values) <= points:
        return times_s, values
    from tsdownsample import MinMaxLTTBDownsampler

    sampler: Any = MinMaxLTTBDownsampler()  # type: ignore[no-untyped-call]
    kept = sampler.downsample(times_s, np.nan_to_num(values), n_out=points)
    return times_s[kept], values[kept]
