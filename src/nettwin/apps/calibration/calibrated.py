"""Calibrated: the twin of a workspace, corrected from its history, and judged on later history."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from nettwin.apps.calibration.corrections import (
    Corrections,
    read_corrections,
    write_corrections,
)
from nettwin.apps.calibration.estimate import Calibrated, calibrate
from nettwin.apps.calibration.trend import Error, errors
from nettwin.apps.loop.state import read_state, write_state
from nettwin.errors import InputError
from nettwin.model import NetworkModel
from nettwin.workspace.workspace import Workspace

HELD_OUT = 3  # of the observations one in so many, the newest, tells whether it helped
FEWEST = 3


@dataclass(frozen=True)
class CalibratedTwin:
    """Corrections, and the errors over time of the twin as it was and as it is with them. Those of
    observations that were held out are the last `held_out`."""

    calibrated: Calibrated
    before: tuple[Error, ...]
    after: tuple[Error, ...]
    held_out: int

    @property
    def error_before(self) -> float:
        """The mean error of the twin as it was, over what was held out."""
        return _mean([one.error for one in self.before[-self.held_out :]])

    @property
    def error_after(self) -> float:
        """The mean error of the corrected twin, over what was held out."""
        return _mean([one.error for one in self.after[-self.held_out :]])

    @property
    def floor(self) -> float:
        """What even a perfect twin would show there."""
        return _mean([one.floor for one in self.before[-self.held_out :]])


def calibrated_twin(
    workspace: Workspace, model: NetworkModel, last: int, keep_at_s: float | None = None
) -> CalibratedTwin:
    """Calibrate the twin of a workspace from its newest observations, and judge it on the newest
    third of them, which the corrections have not seen. With `keep_at_s`, this machine's time, they
    become the twin's. Raises InputError where too little was observed."""
    repository = workspace.repository
    times = repository.times_s()[-last:]
    if len(times) < FEWEST:
        raise InputError(
            f"{len(times)} observations are too few to calibrate the twin: must be at least"
            f" {FEWEST}. Observe for longer: nettwin loop --cycles 10."
        )
    seen = [repository.observation(float(at)) for at in times]
    held_out = max(len(seen) // HELD_OUT, 1)
    earlier = read_corrections(workspace.twin_file)
    found = calibrate(seen[:-held_out], model, earlier)
    result = CalibratedTwin(
        found,
        tuple(errors(seen, model, earlier)),
        tuple(errors(seen, model, found.corrections)),
        held_out,
    )
    if keep_at_s is not None:
        _keep(workspace, found.corrections, result, keep_at_s)
    return result


def _keep(
    workspace: Workspace, corrections: Corrections, result: CalibratedTwin, now_s: float
) -> None:
    write_corrections(workspace.twin_file, corrections)
    state = read_state(workspace.state_file)
    if state.calibrate:
        write_state(workspace.state_file, replace(state, calibrate=""))
    workspace.audit.add(
        now_s,
        "calibrate",
        "nettwin",
        words=f"the twin is off by {result.error_after:.2%}, by {result.error_before:.2%} before",
    )


def _mean(values: list[float]) -> float:
    known = [value for value in values if np.isfinite(value)]
    return float(np.mean(known)) if known else float("nan")
