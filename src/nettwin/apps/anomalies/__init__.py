"""Anomalies: a network against its twin over time, and alarms grouped into incidents.

watched    what was measured beside what is expected, over time
scorer     how odd each value is: residuals, sequential sums, in nats of being usual
detector   alarms, so many a day as asked
grouping   incidents of alarms that belong together, with place and kind
watch      all of it
"""

from __future__ import annotations

from nettwin.apps.anomalies.detector import Detector, Exceedance
from nettwin.apps.anomalies.grouping import ByEffect, Grouping, Trouble
from nettwin.apps.anomalies.scorer import Residuals, Scorer, Scores
from nettwin.apps.anomalies.watch import Watch, watch
from nettwin.apps.anomalies.watched import Group, Watched, watched_of

__all__ = [
    "ByEffect",
    "Detector",
    "Exceedance",
    "Group",
    "Grouping",
    "Residuals",
    "Scorer",
    "Scores",
    "Trouble",
    "Watch",
    "Watched",
    "watch",
    "watched_of",
]
