"""Auto: which methods, by size and time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nettwin.optimize.local_search import segments
from nettwin.optimize.search import Search
from nettwin.optimize.steering import Steering


def steer(steering: Steering, search: Search[NDArray[np.int32]], seed: int) -> None:
    """Midpoints by local search, the strongest from the first second on at every size."""
    segments(steering, search, seed)
