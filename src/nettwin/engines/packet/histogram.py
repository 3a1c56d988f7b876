"""Histograms of delay: logarithmic bins, a row for every flow and pages for those that need more.

A bin is chosen by the logarithm of `1 + above / unit`, where `above` is a delay above the flow's
base and the unit is at most half of the base. The logarithm is the quadratic one of DDSketch
(Masson, Rim and Lee, 2019), with which a bin is at most 0.94 % of the delay wide: so every quantile
is within 1 % of the sample's, whatever the delays are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from nettwin.engines.packet.compiled import compiled

BINS_AN_OCTAVE = 80
ROW = 512  # bins that every flow has: delays up to 83 units above the base
PAGE = 64  # bins more at a time
PAGES_A_FLOW = 48  # what is beyond stands in the last bin
LAST_BIN = ROW + PAGES_A_FLOW * PAGE - 1
FIRST_PAGES = 64
FLOWS_AT_ONCE = 1024  # whose histograms are read together: bounds the memory


def more_pages(pages: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """The pages, and as many empty ones behind them."""
    return np.concatenate([pages, np.zeros_like(pages)])


@dataclass(frozen=True)
class DelayHistogram:
    """How often each delay was seen, by flow."""

    rows: NDArray[np.uint32]  # [flows, ROW]
    pages: NDArray[np.uint32]  # [pages, PAGE]; page 0 is nobody's and stays empty
    page_of: NDArray[np.uint32]  # [flows, PAGES_A_FLOW]; 0: no such delay was seen
    unit_s: NDArray[np.float64]  # [flows]

    def merged(self, earlier: DelayHistogram | None) -> DelayHistogram:
        """This one and an earlier one of the same simulation together, as a copy."""
        rows, pages = self.rows.copy(), self.pages.copy()
        if earlier is not None:
            rows += earlier.rows
            pages[: len(earlier.pages)] += earlier.pages
        return replace(self, rows=rows, pages=pages, page_of=self.page_of.copy())

    def quantiles(
        self,
        levels: Sequence[float] | NDArray[np.float64],
        low: NDArray[np.float64],
        high: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        """Quantiles of the delay above the base, linear inside a bin and between each flow's
        smallest and largest, `low` and `high`; NaN without packets. [levels, flows]

        Levels are those of all flows, or of each. [levels] or [levels, flows]
        """
        flows = len(self.rows)
        each = np.broadcast_to(np.asarray(levels, np.float64).T, (flows, len(levels))).T
        out = np.full((len(levels), flows), np.nan)
        for begin in range(0, flows, FLOWS_AT_ONCE):
            chosen = slice(begin, begin + FLOWS_AT_ONCE)
            bins, counts = self._counts(chosen)
            cumulative = np.cumsum(counts, axis=1, dtype=np.int64)
            total = cumulative[:, -1]
            index = np.arange(len(total))
            for i, level in enumerate(each):
                rank = level[chosen] * total
                place = np.minimum((cumulative < rank[:, None]).sum(axis=1), len(bins) - 1)
                below = np.where(place > 0, cumulative[index, place - 1], 0)
                inside = cumulative[index, place] - below
                part = np.divide(rank - below, inside, out=np.zeros(len(total)), where=inside > 0)
                # the last bin holds everything above its lower edge
                bottom = self.unit_s[chosen] * _edge(bins[place])
                top = np.where(
                    bins[place] < LAST_BIN, self.unit_s[chosen] * _edge(bins[place] + 1), np.inf
                )
                bottom, top = np.maximum(bottom, low[chosen]), np.minimum(top, high[chosen])
                value = bottom + part * np.maximum(top - bottom, 0.0)
                out[i, chosen] = np.where(total > 0, value, np.nan)
        return out

    def bins_of(self, delay_s: NDArray[np.float64]) -> NDArray[np.int64]:
        """The bins that delays above the base fall into; 0 where there is none. [..., flows]"""
        mantissa, exponent = np.frexp(1.0 + np.nan_to_num(delay_s) / self.unit_s)
        part = 2.0 * mantissa - 1.0
        place = (exponent - 1 + part * (4.0 - part) / 3.0) * BINS_AN_OCTAVE
        return np.clip(place, 0, LAST_BIN).astype(np.int64)

    def counted_below(self, bins: NDArray[np.int64]) -> NDArray[np.int64]:
        """How many packets were seen below the ends of these bins. [levels, flows]"""
        out = np.zeros(bins.shape, np.int64)
        _count_below(self.rows, self.pages, self.page_of, bins, out)
        return out

    def _counts(self, chosen: slice) -> tuple[NDArray[np.int64], NDArray[np.uint32]]:
        """The bins that these flows use, and how often each was seen. [bins], [flows, bins]"""
        page_of, rows = self.page_of[chosen], self.rows[chosen]
        used = np.flatnonzero(page_of.any(axis=0))
        far = self.pages[page_of[:, used]].reshape(len(rows), -1)
        far_bins = ROW + (used[:, None] * PAGE + np.arange(PAGE)).ravel()
        return np.concatenate([np.arange(ROW), far_bins]), np.concatenate([rows, far], axis=1)


@compiled
def _count_below(rows, pages, page_of, bins, out):  # type: ignore[no-untyped-def]
    for i in range(len(bins)):
        for f in range(bins.shape[1]):
            total = np.int64(0)
            for place in range(bins[i, f] + 1):
                if place < ROW:
                    total += np.int64(rows[f, place])
                else:
                    far = place - ROW
                    total += np.int64(pages[page_of[f, far // PAGE], far % PAGE])
            out[i, f] = total


def _edge(bin_: NDArray[np.int64]) -> NDArray[np.float64]:
    """The lower edge of a bin, in units above the base."""
    octave, part = np.divmod(bin_ / BINS_AN_OCTAVE, 1.0)
    return np.asarray((3.0 - np.sqrt(4.0 - 3.0 * part)) * np.exp2(octave) - 1.0)
