"""Statistics: what was counted, delays and extremes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from nettwin.engines.packet.histogram import PAGE, PAGES_A_FLOW, ROW, DelayHistogram
from nettwin.engines.packet.layout import PAGES, State


@dataclass(frozen=True)
class Counts:
    """Counters that only grow, at one moment; the difference of two describes the time between."""

    time_s: float
    sent: NDArray[np.int64]  # [flows]
    delivered: NDArray[np.int64]  # [flows]
    dropped: NDArray[np.int64]  # [flows]
    delay: NDArray[np.float64]  # [flows] sum of delay above the base
    delay2: NDArray[np.float64]  # [flows] sum of its square
    bits: NDArray[np.float64]  # [flows] delivered
    arrivals: NDArray[np.int64]  # [queues]
    drops: NDArray[np.int64]  # [queues]
    served: NDArray[np.int64]  # [queues] packets whose service began
    served_bits: NDArray[np.float64]  # [queues] sent
    wait: NDArray[np.float64]  # [queues] packet seconds
    wait_bits: NDArray[np.float64]  # [queues] bit seconds
    service_bits2: NDArray[np.float64]  # [queues] bit times bits in service
    room_bits: NDArray[np.float64]  # [links] bits that could have been sent

    @classmethod
    def of(
        cls, state: State, now_s: float, work: NDArray[np.float64], room: NDArray[np.float64]
    ) -> Counts:
        """The counters of a settled state; `work` as `settle` gives it, `room` of the links."""
        flow, queue, work = state.flows, state.queues[1:], work[1:]
        return cls(
            now_s,
            flow["sent"].copy(),
            flow["delivered"].copy(),
            flow["dropped"].copy(),
            flow["sum"].copy(),
            flow["sum2"].copy(),
            flow["bits"].copy(),
            queue["arrivals"].copy(),
            queue["drops"].copy(),
            queue["arrivals"] - queue["drops"] - queue["count"],
            queue["served_bits"] - work[:, 2],
            queue["wait"] + work[:, 0],
            queue["wait_bits"] + work[:, 1],
            queue["served_bits2"] - work[:, 3],
            room,
        )

    def since(self, earlier: Counts) -> Counts:
        """What was counted after an earlier moment; `time_s` becomes the time between."""
        names = [f.name for f in fields(self)]
        return Counts(*(getattr(self, n) - getattr(earlier, n) for n in names))


@dataclass(frozen=True)
class Extremes:
    """What is not a sum: delay histograms and extremes, since they were begun anew."""

    histogram: DelayHistogram
    base_s: NDArray[np.float64]  # [flows]
    low: NDArray[np.float64]  # [flows] smallest delay above the base
    high: NDArray[np.float64]  # [flows] largest
    max_bits: NDArray[np.float64]  # [queues] waiting
    max_bits_system: NDArray[np.float64]  # [queues] waiting or in service
    max_packets: NDArray[np.int64]  # [queues] waiting

    @classmethod
    def of(cls, state: State) -> Extremes:
        """A look at a state: the histogram is not copied and changes with it."""
        flow, queue = state.flows, state.queues[1:]
        histogram = DelayHistogram(
            state.histogram.reshape(len(flow), ROW),
            state.pages.reshape(-1, PAGE)[: int(state.counters[PAGES])],
            state.page_of.reshape(len(flow), PAGES_A_FLOW),
            1.0 / flow["units_per_s"],
        )
        return cls(
            histogram,
            flow["base_s"].copy(),
            flow["min"].copy(),
            flow["max"].copy(),
            queue["max_bits"].copy(),
            queue["max_bits_system"].copy(),
            queue["max_packets"].copy(),
        )

    def merged(self, earlier: Extremes | None) -> Extremes:
        """Those of this stretch of time and of an earlier one together, as a copy."""
        if earlier is None:
            return replace(self, histogram=self.histogram.merged(None))
        return replace(
            self,
            histogram=self.histogram.merged(earlier.histogram),
            low=np.minimum(self.low, earlier.low),
            high=np.maximum(self.high, earlier.high),
            max_bits=np.maximum(self.max_bits, earlier.max_bits),
            max_bits_system=np.maximum(self.max_bits_system, earlier.max_bits_system),
            max_packets=np.maximum(self.max_packets, earlier.max_packets),
        )

    def quantiles(self, levels: Sequence[float] | NDArray[np.float64]) -> NDArray[np.float64]:
        """Quantiles of the delay; NaN without packets. [levels, flows]

        Levels are those of all flows, or of each. [levels] or [levels, flows]
        """
        return self.base_s + self.histogram.quantiles(levels, self.low, self.high)
