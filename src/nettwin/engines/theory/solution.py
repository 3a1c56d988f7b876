"""QueueSolution: what happens in every queue of a scenario, before it becomes Metrics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nettwin.engines.theory.formulas import Formulas
from nettwin.engines.theory.tables import QueueTable

Floats = NDArray[np.float64]


class WarmStart(NamedTuple):
    """Ports that are solved, and what was offered to them then."""

    ports: QueueTable
    points: int  # of the slow modulation
    offered: Floats  # [SUMS, queues], rows as in `states`
    state: Floats  # [STATES, queues]


@dataclass(frozen=True)
class QueueSolution:
    """The state of every queue in a steady state found by `solve`. Arrays are [queues].

    Times are in seconds, loads in parts of the port. Of a queue that nobody uses, `load` is 0.
    """

    load: Floats  # work offered a second
    carried: Floats  # work accepted a second
    packets_pps: Floats  # packets offered a second
    packet_bits: Floats  # mean size of the packets offered
    size_cv2: Floats  # squared coefficient of variation of their size
    service_s: Floats  # mean transmission time
    buffer: Floats  # packets that may wait, either limit considered
    rate: Floats  # part of the port that serves the queue while it is backlogged
    spread: Floats  # (ca^2 + cs^2) / 2, short-term modulation included
    modulation: Floats  # standard deviation of the slow modulation of `load`
    modulation_bits2: Floats  # variance of the bits offered a second, slow or not
    memory_s: Floats  # how long the queue remembers a burst
    loss: Floats  # part of the work refused
    resting_loss: Floats  # the same of what comes at any time, whatever the modulation
    packet_loss: Floats  # part of the packets refused
    size_bias: Floats  # a packet of b bits loses packet_loss * (1 - s + s * b / packet_bits)
    waiting_s: Floats  # mean time from entering the queue to the start of transmission
    resting_s: Floats  # the same for packets that come at any time, whatever the modulation
    waiting_variance_s2: Floats
    waiting_elasticity: Floats  # d ln(waiting_s) / d ln(load)
    loss_elasticity: Floats  # d ln(loss) / d ln(load)
    rounds: int  # of the fixed point
    change: float  # largest change of a loss in the last round
    formulas: Formulas
    warm_start: WarmStart  # what a scenario that is nearly the same need not solve again

    @property
    def effective_load(self) -> Floats:
        """Load over the rate at which the queue is served while backlogged."""
        return self.load / self.rate
