"""Best so far: the curve of a search against its bound, drawn while it runs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from time import monotonic
from typing import Any

from nicegui import ui


class BestSoFar(ui.echart):
    """A curve of the best answer, and of what no answer lies below."""

    def __init__(self) -> None:
        super().__init__(_options())
        self.classes("chart").props('role=img aria-label="Best answer so far, and the bound"')
        self._begin_s = monotonic()
        self._best: list[list[float]] = []
        self._bound: list[list[float]] = []

    def clear(self) -> None:  # type: ignore[override]
        """Begin anew."""
        self._begin_s = monotonic()
        self._best, self._bound = [], []

    def add(self, told: Mapping[str, Any]) -> None:
        """What the search says: `best` and `bound`."""
        now = round(monotonic() - self._begin_s, 2)
        for name, points in (("best", self._best), ("bound", self._bound)):
            value = told.get(name)
            if isinstance(value, int | float) and math.isfinite(value):
                points.append([now, float(value)])
        self.options["series"][0]["data"] = self._best
        self.options["series"][1]["data"] = self._bound
        self.update()


def best_so_far() -> BestSoFar:
    """An empty curve."""
    return BestSoFar()


def _options() -> dict[str, Any]:
    grey = {"color": "#7c8a97"}
    line = {"type": "line", "showSymbol": False, "data": [], "step": "end"}
    return {
        "animation": False,
        "grid": {"left": 56, "right": 64, "top": 20, "bottom": 28},
        "tooltip": {"trigger": "axis"},
        "xAxis": {
            "type": "value",
            "name": "s",
            "axisLabel": grey,
            "nameTextStyle": grey,
            "splitLine": {"show": False},
        },
        "yAxis": {
            "type": "value",
            "scale": True,
            "axisLabel": grey,
            "splitLine": {"lineStyle": {"color": "rgba(128, 140, 150, 0.25)"}},
        },
        "series": [
            {**line, "name": "best", "color": "#3d7fb8", "endLabel": _label("best")},
            {
                **line,
                "name": "bound",
                "color": "#c77a1f",
                "lineStyle": {"type": "dashed"},
                "endLabel": _label("bound"),
            },
        ],
    }


def _label(words: str) -> dict[str, Any]:
    return {"show": True, "formatter": words, "color": "inherit"}
