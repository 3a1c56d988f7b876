"""Statistics: what was counted, batch means and their confidence, quantiles of histograms."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nettwin.engines.packet.histogram import PAGE, PAGES_A_FLOW, ROW, DelayHistogram
from nettwin.engines.packet.layout import PAGES, State

MOST_BATCHES = 32


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

    def quantiles(self, levels: tuple[float, ...]) -> NDArray[np.float64]:
        """Quantiles of the delay; NaN without packets. [levels, flows]"""
        return self.base_s + self.histogram.quantiles(levels, self.low, self.high)


class Batches:
    """Sums over equal stretches of time, whose scatter tells how sure the means are.

    Batches are merged in pairs when there are 32, so that they get longer as the run does.
    """

    def __init__(self, length_s: float) -> None:
        self.length_s = length_s
        self._rows: list[dict[str, NDArray[np.float64]]] = []
        self._pending: dict[str, NDArray[np.float64]] | None = None
        self._units = 0
        self._unit_per_batch = 1

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def complete(self) -> bool:
        """Whether the last batch has just been filled: the precision is another than before."""
        return self._pending is None

    @property
    def batch_s(self) -> float:
        """How long a batch is by now."""
        return self.length_s * self._unit_per_batch

    @property
    def stride(self) -> int:
        """How many stretches to take in at once: one, or more in a run far past its horizon."""
        return max(1, self._unit_per_batch // MOST_BATCHES)

    def add(self, counts: Counts, stretches: int = 1) -> None:
        """Take in what was counted in so many stretches of `length_s` (a batch is one or
        several)."""
        row = {
            "packets": counts.delivered.astype(np.float64),
            "delay": counts.delay,
            "dropped": counts.dropped.astype(np.float64),
            "bits": counts.bits,
        }
        self._pending = row if self._pending is None else _sum(self._pending, row)
        self._units += stretches
        if self._units == self._unit_per_batch:
            self._rows.append(self._pending)
            self._pending, self._units = None, 0
        if len(self._rows) == MOST_BATCHES:
            pairs = zip(self._rows[::2], self._rows[1::2], strict=True)
            self._rows = [_sum(a, b) for a, b in pairs]
            self._unit_per_batch *= 2

    def delay_half_width(self, confidence: float) -> NDArray[np.float64]:
        """Half the confidence interval of each flow's mean delay. [flows]"""
        return self._half_width("delay", lambda r: r["packets"], confidence)

    def loss_half_width(self, confidence: float) -> NDArray[np.float64]:
        """Half the confidence interval of each flow's loss ratio. [flows]"""
        return self._half_width("dropped", lambda r: r["packets"] + r["dropped"], confidence)

    def throughput_half_width(self, confidence: float) -> NDArray[np.float64]:
        """Half the confidence interval of each flow's throughput. [flows]"""
        seconds = np.array(self.batch_s)
        return self._half_width("bits", lambda r: seconds, confidence)

    def _half_width(self, name: str, weight: Any, confidence: float) -> NDArray[np.float64]:
        """Of the ratio of two sums, by the scatter of the batches around it (Student's t)."""
        weights = np.array([np.broadcast_to(weight(r), r[name].shape) for r in self._rows])
        values = np.array([row[name] for row in self._rows])
        n = np.count_nonzero(weights, axis=0)  # empty batches tell nothing; one alone neither
        total = weights.sum(axis=0)
        with np.errstate(invalid="ignore", divide="ignore"):
            scatter = ((values - values.sum(axis=0) / total * weights) ** 2).sum(axis=0)
            half = student_t(confidence, n - 1) * np.sqrt(scatter * n / (n - 1)) / total
            return np.where(n > 1, half, np.nan)


def student_t(confidence: float, degrees: NDArray[np.int64]) -> NDArray[np.float64]:
    """The two-sided quantiles of Student's t distribution."""
    from scipy.special import stdtrit

    return np.asarray(stdtrit(degrees, 0.5 + confidence / 2))


def _sum(
    a: dict[str, NDArray[np.float64]], b: dict[str, NDArray[np.float64]]
) -> dict[str, NDArray[np.float64]]:
    return {name: a[name] + b[name] for name in a}
