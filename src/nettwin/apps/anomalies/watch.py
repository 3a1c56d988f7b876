"""Watch: a time through scorer, detector and grouping, each replaceable."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nettwin.apps.anomalies.detector import Alarms, Detector, Exceedance
from nettwin.apps.anomalies.grouping import ByEffect, Grouping, Trouble
from nettwin.apps.anomalies.scorer import Residuals, Scorer, Scores
from nettwin.apps.anomalies.watched import FEWEST, Watched
from nettwin.errors import InputError

Floats = NDArray[np.float64]
FALSE_A_DAY = 1.0
DAY_S = 86400.0


@dataclass(frozen=True)
class Watch:
    """What was found: incidents after the first `usual` intervals, which told what is usual.

    `unsure` says why the rate of false alarms is not kept; empty where it is."""

    watched: Watched
    scores: Scores
    alarms: Alarms
    usual: int
    troubles: tuple[Trouble, ...]
    unsure: str = ""


def watch(
    watched: Watched,
    usual: int,
    *,
    false_a_day: float = FALSE_A_DAY,
    scorer: Scorer | None = None,
    detector: Detector | None = None,
    grouping: Grouping | None = None,
) -> Watch:
    """Incidents after the first `usual` intervals of a time. Raises InputError where so few
    intervals tell nothing, or the rate of false alarms is not above 0."""
    count = len(watched.times_s)
    if not FEWEST <= usual < count:
        raise InputError(
            f"{usual} of {count} intervals are to tell what is usual: must be at least {FEWEST} and"
            " fewer than all. Give another time, or observe for longer."
        )
    if not 0 < false_a_day < float("inf"):
        raise InputError(
            f"{false_a_day} false alarms a day: must be above 0 and finite. Give 1, or 0.1."
        )
    scoring = scorer or Residuals()
    scores = scoring.score(watched, usual)
    detected = detector or Exceedance()
    fresh = held_out(watched, usual, scoring)
    alarms = detected.detect(scores.worst, fresh, watched.interval_s, false_a_day)
    later = alarms.times.copy()
    later[:usual] = False
    found = (grouping or ByEffect()).group(watched, scores, Alarms(later, alarms.thresholds))
    days = usual * watched.interval_s / DAY_S
    unsure = ""
    if days * false_a_day < 1:
        unsure = (
            f"what is usual is known of {days:.2g} days: too little to promise {false_a_day:g}"
            " false alarms a day; the threshold is extrapolated"
        )
    return Watch(watched, scores, alarms, usual, tuple(found), unsure)


def held_out(watched: Watched, usual: int, scorer: Scorer) -> Floats:
    """The oddest score of each group and usual time, each half rated by what the other has told:
    what told of itself would look calmer than what comes. [groups, usual]"""
    half = usual // 2
    if half < FEWEST:
        return scorer.score(watched, usual).worst[:, :usual]
    order = np.arange(usual)
    parts = []
    for known, asked in ((order[half:], order[:half]), (order[:half], order[half:])):
        swapped = watched.at(np.concatenate([known, asked]))
        parts.append(scorer.score(swapped, len(known)).worst[:, len(known) :])
    return np.concatenate(parts, axis=1)
