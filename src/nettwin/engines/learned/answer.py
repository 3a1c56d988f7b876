"""Answer: what the networks of a learned model say of a scenario."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nettwin.engines.theory.flows import HopDelays

Floats = NDArray[np.float64]


class Answer(NamedTuple):
    """What an ensemble of networks says of a scenario."""

    mean_s: Floats  # [flows] NaN where nothing arrives
    variance_s2: Floats  # [flows]
    loss: Floats  # [flows]
    percentile_s: Floats  # [flows, 3] at inputs.LEVELS
    ln_scale: Floats  # [flows] of the error expected of ln(mean_s), as the networks judge it
    spread: Floats  # [flows] standard deviation of ln(mean_s) over the networks
    each: HopDelays | None  # by row of the inputs, where the architecture knows
    hop_row: NDArray[np.int32] | None = None  # [hops] the row of each hop of the paths
