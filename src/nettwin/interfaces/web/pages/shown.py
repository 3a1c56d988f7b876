"""Shown: what a map shows, and the side of it that colors the links."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from nettwin.apps.whatif import WhatIf
from nettwin.interfaces.web.map.layers import (
    LAYERS,
    WORST,
    Layer,
    Paint,
    difference,
    painted,
    painted_values,
)
from nettwin.metrics import Metrics
from nettwin.scenario.scenario import Scenario

MEASURED, PREDICTED, DIFFERENCE = "measured", "predicted", "difference"
BEFORE, AFTER = "before", "after"
LIVE_SIDES = {MEASURED: "Measured", PREDICTED: "Predicted", DIFFERENCE: "Difference"}
SESSION_SIDES = {BEFORE: "Before", AFTER: "After", DIFFERENCE: "Difference"}


@dataclass
class Shown:
    """What the map shows now."""

    scenario: Scenario
    measured: Metrics | None = None
    predicted: Metrics | None = None
    whatif: WhatIf | None = None
    layer: Layer = field(default_factory=lambda: LAYERS["carried"])
    side: str = MEASURED
    past_s: float | None = None  # a moment of the history; None for now
    worst: NDArray[np.float64] | None = None  # the worst load under failures, in percent [links]
    chosen: tuple[str, str] = ("", "")  # link or node, and its name

    def paint(self) -> Paint:
        """The colors of the links."""
        if self.layer is WORST:
            return painted_values(WORST, self.scenario, self.worst)
        if self.whatif is not None:
            before, after = self.whatif.before, self.whatif.after
            touched = set(self.whatif.touched_links)
            if self.side == DIFFERENCE:
                words = "with the changes less without"
                was = self.whatif.scenario_before
                return difference(self.layer, self.scenario, after, before, words, was)
            if self.side == BEFORE:
                return painted(self.layer, self.whatif.scenario_before, before, set())
            return painted(self.layer, self.scenario, after, touched)
        if self.side == DIFFERENCE and self.measured and self.predicted:
            return difference(self.layer, self.scenario, self.measured, self.predicted)
        metrics = self.measured if self.side == MEASURED else self.predicted
        return painted(
            self.layer, self.scenario, None if self.side == DIFFERENCE else metrics, set()
        )
