"""Batches: sums over equal stretches of time, whose scatter tells how sure a ratio of them is."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

MAX_BATCHES = 32
ZERO = np.zeros(1)
Row = Mapping[str, NDArray[np.float64]]


class Batches:
    """Sums by batch. Batches are merged in pairs when there are 32, so that they get longer as the
    run does.

    What happens in batches shorter than `least_s` depends on what happened in the one before: the
    scatter of so short ones tells nothing, so they are judged several together.
    """

    def __init__(self, length_s: float, least_s: float = 0.0) -> None:
        self.length_s = length_s
        self.least_s = least_s
        self._rows: list[Row] = []
        self._pending: Row | None = None
        self._units = 0
        self._unit_per_batch = 1

    def __len__(self) -> int:
        """How many there are that are long enough."""
        return len(self._rows) // self._together

    @property
    def begun(self) -> bool:
        """Whether there are two at all, however short."""
        return len(self._rows) > 1

    @property
    def complete(self) -> bool:
        """Whether the last batch has just been filled: the precision is another than before."""
        return self._pending is None

    @property
    def stride(self) -> int:
        """How many stretches to take in at once: one, or more in a run far past its horizon."""
        return max(1, self._unit_per_batch // MAX_BATCHES)

    @property
    def _together(self) -> int:
        """How many batches make one that is long enough."""
        return max(1, math.ceil(self.least_s / (self.length_s * self._unit_per_batch) - 1e-9))

    def add(self, row: Row, stretches: int = 1) -> None:
        """Take in the sums of so many stretches of `length_s` (a batch is one or several)."""
        self._pending = row if self._pending is None else _sum(self._pending, row)
        self._units += stretches
        if self._units == self._unit_per_batch:
            self._rows.append(self._pending)
            self._pending, self._units = None, 0
        if len(self._rows) == MAX_BATCHES:
            pairs = zip(self._rows[::2], self._rows[1::2], strict=True)
            self._rows = [_sum(a, b) for a, b in pairs]
            self._unit_per_batch *= 2

    def ratio(self, part: str, whole: str) -> NDArray[np.float64]:
        """A sum over another; NaN where that is zero."""
        if not self._rows:
            return np.zeros(0)
        parts = np.sum([row[part] for row in self._rows], axis=0)
        wholes = np.sum([row[whole] for row in self._rows], axis=0)
        out = np.full(len(parts), np.nan)
        np.divide(parts, wholes, out=out, where=wholes > 0)
        return out

    def half_width(
        self, part: str, whole: tuple[str, ...], confidence: float
    ) -> NDArray[np.float64]:
        """Half the confidence interval of a sum over the sum of others, by the scatter of the
        batches around it (Student's t); NaN where fewer than two tell anything."""
        together = self._together
        if len(self) < 2:
            shape = self._rows[0][part].shape if self._rows else (0,)
            return np.full(shape, np.nan)
        rows = self._rows[: len(self) * together]
        values = _grouped([row[part] for row in rows], together)
        weights = _grouped([sum((row[name] for name in whole), ZERO) for row in rows], together)
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


def _grouped(rows: list[NDArray[np.float64]], together: int) -> NDArray[np.float64]:
    array = np.array(rows)
    groups = array.reshape(len(rows) // together, together, *array.shape[1:])
    return np.asarray(groups.sum(axis=1))


def _sum(a: Row, b: Row) -> Row:
    return {name: a[name] + b[name] for name in a}
