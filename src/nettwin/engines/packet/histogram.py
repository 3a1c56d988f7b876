"""Histograms of delay: logarithmic bins, a row for every flow and pages for those that need more.

A bin is chosen by the logarithm of `1 + above / unit`, where `above` is a delay above the flow's
base and the unit is at most half of the base. The logarithm is the quadratic one of DDSketch
(Masson, Rim and Lee, 2019), with which a bin is at most 0.94 % of the delay wide: so every quantile
is within 1 % of the sample's, whatever the delays are.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

BINS_AN_OCTAVE = 80
ROW = 512  # bins that every flow has: delays up to 83 units above the base
PAGE = 64  # bins more at a time
PAGES_A_FLOW = 48  # what is beyond stands in the last bin
LAST_BIN = ROW + PAGES_A_FLOW * PAGE - 1
FIRST_PAGES = 64
FLOWS_AT_ONCE = 1024  # whose histograms are read together: bounds the memory


def more_pages(pages: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """The same pages and as many again."""
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
        levels: tuple[float, ...],
        low: NDArray[np.float64],
        high: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        """Quantiles of the delay above the base, linear inside a bin and between each flow's
        smallest and largest, `low` and `high`; NaN without packets. [levels, flows]"""
        flows = len(self.rows)
        out = np.full((len(levels), flows), np.nan)
        for begin in range(0, flows, FLOWS_AT_ONCE):
            chosen = slice(begin, begin + FLOWS_AT_ONCE)
            bins, counts = self._counts(chosen)
            cumulative = np.cumsum(counts, axis=1, dtype=np.int64)
            total = cumulative[:, -1]
            index = np.arange(len(total))
            for i, level in enumerate(levels):
                rank = level * total
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

    def _counts(self, chosen: slice) -> tuple[NDArray[np.int64], NDArray[np.uint32]]:
        """The bins that these flows use, and how often each was seen. [bins], [flows, bins]"""
        page_of, rows = self.page_of[chosen], self.rows[chosen]
        used = np.flatnonzero(page_of.any(axis=0))
        far = self.pages[page_of[:, used]].reshape(len(rows), -1)
        far_bins = ROW + (used[:, None] * PAGE + np.arange(PAGE)).ravel()
        return np.concatenate([np.arange(ROW), far_bins]), np.concatenate([rows, far], axis=1)


def _edge(bin_: NDArray[np.int64]) -> NDArray[np.float64]:
    """The lower edge of a bin, in units above the base."""
    octave, part = np.divmod(bin_ / BINS_AN_OCTAVE, 1.0)
    return np.asarray((3.0 - np.sqrt(4.0 - 3.0 * part)) * np.exp2(octave) - 1.0)
