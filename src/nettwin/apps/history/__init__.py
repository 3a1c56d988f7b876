"""History through the twin: every interval of it predicted, and compared with what was measured.

past      what is known of a time: networks, what flows offered, what was measured
tracks    each quantity over time, predicted and measured
bands     intervals of predictions, from how far off they were before
views     95th percentiles, the busy hour, what is unusual
"""

from __future__ import annotations

from nettwin.apps.history.past import Past, past_of_files, past_of_repository
from nettwin.apps.history.tracks import Hindsight, Track, predict_past
from nettwin.apps.history.views import Row, Unusual, busy_hours, rows, unusual

__all__ = [
    "Hindsight",
    "Past",
    "Row",
    "Track",
    "Unusual",
    "busy_hours",
    "past_of_files",
    "past_of_repository",
    "predict_past",
    "rows",
    "unusual",
]
