"""Scorer: how odd each value is, as the negative logarithm of how often the usual is as odd.

A residual is standardized by how that element's residuals scatter while all is well (by all of
its kind where few were seen). Small ones that last add up (CUSUM; Page 1954). What is far out is
rated by the tail of the element's own past: a generalized Pareto above its 95th percentile.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from nettwin.apps.anomalies.watched import Group, Watched

Floats = NDArray[np.float64]
TAIL = 0.05
SLACK = 0.5  # standard deviations below which deviations do not add up,
UNSURE = 3.0  # and those of the mean of what is usual
CUT = 4.0  # of one deviation, as it adds up
MOST = 60.0  # nats
RECENT = 4  # intervals whose mean says whether deviations go on
HIGHEST = 40.0  # of a sum
POOLED = 20.0  # values beyond an element's 95th percentile that those of all are worth
HEAVIEST = 0.4  # shape of a tail
LEARNED = 100.0  # values of an element, from which its 95th percentile is more its own
OWN = 24  # residuals of an element from which its scatter is its own


@dataclass(frozen=True)
class Scores:
    """How odd each element of each group is, in nats [times, elements], and its residuals in
    standard deviations; of what was not measured 0."""

    nats: tuple[Floats, ...]
    z: tuple[Floats, ...]
    lasting: tuple[Floats, ...]  # sums of deviations
    now: tuple[Floats, ...]  # nats of the values alone, without their sums

    @property
    def worst(self) -> Floats:
        """The oddest element of each group at each time. [groups, times]"""
        return np.array([n.max(axis=1, initial=0.0) for n in self.nats])


class Scorer(Protocol):
    """Rates what is watched; the first `usual` intervals tell what is usual."""

    def score(self, watched: Watched, usual: int) -> Scores:
        """How odd each value is."""


@dataclass(frozen=True)
class Residuals:
    """Residuals of the twin, standardized, and summed where the group is sequential."""

    slack: float = SLACK

    def score(self, watched: Watched, usual: int) -> Scores:
        """See `Scorer.score`."""
        nats, zs, sums, alone = [], [], [], []
        for group in watched.groups:
            z = standardized(group, usual)
            if not group.sequential:
                z = _evened(_late(z), usual)
            score = tail_nats(np.abs(z), usual)
            lasting = np.zeros_like(z)
            alone.append(score)
            if group.sequential:
                count = np.maximum(np.isfinite(z[:usual]).sum(axis=0), 1)
                lasting = cusum(z, self.slack + UNSURE / np.sqrt(count))
                score = np.maximum(score, tail_nats(np.abs(lasting), usual))
            nats.append(score)
            zs.append(z)
            sums.append(lasting)
        return Scores(tuple(nats), tuple(zs), tuple(sums), tuple(alone))


def standardized(group: Group, usual: int) -> Floats:
    """Residuals less their usual median, over their usual scatter; NaN where not known."""
    residual = group.residual
    past = residual[:usual]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of what was never measured
        center = np.nanmedian(past, axis=0)
        spread = 1.4826 * np.nanmedian(np.abs(past - center), axis=0)
        every = 1.4826 * np.nanmedian(np.abs(past - np.nan_to_num(center)))
    count = np.isfinite(past).sum(axis=0)
    every = every if np.isfinite(every) else group.least
    center = np.where(count >= min(OWN, usual), center, 0.0)
    own = np.nan_to_num(spread)
    variance = (count * own**2 + OWN * every**2) / (count + OWN) if not _unequal(own) else own**2
    sigma = np.sqrt(np.where(count >= OWN, variance, np.maximum(own, every) ** 2))
    z = (residual - np.nan_to_num(center)) / np.maximum(sigma, group.least)
    return _evened(z, usual)


def _late(z: Floats) -> Floats:
    """The median of the last three deviations: a single one may be a burst. [times, elements]"""
    three = np.array([np.roll(z, n, axis=0) for n in range(3)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of what was not measured three times
        found = np.nanmedian(three, axis=0)
    found[:2] = z[:2]
    return np.asarray(found)


def _evened(z: Floats, usual: int) -> Floats:
    """Deviations whose usual mean is 0 and whose usual variance is at most 1, outliers aside: what
    is skew, such as losses that are rare, must not add up."""
    inside = np.clip(z[:usual], -CUT, CUT)
    known = np.isfinite(inside).sum(axis=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        mean, scatter = np.nanmean(inside, axis=0), np.nanstd(inside, axis=0)
    own = known >= OWN
    mean = np.where(own, np.nan_to_num(mean), 0.0)
    scatter = np.where(own, np.maximum(np.nan_to_num(scatter, nan=1.0), 1.0), 1.0)
    return np.asarray((z - mean) / scatter)


def _unequal(spread: Floats) -> bool:
    """Whether elements scatter so differently that one does not tell of another."""
    known = spread[spread > 0]
    return len(known) > 1 and float(known.max() / known.min()) > 10


def cusum(z: Floats, slack: float | Floats) -> Floats:
    """The larger of both one-sided sums of deviations, with its sign; a sum begins anew once
    the deviations of late are none. [times, elements]"""
    up = np.zeros(z.shape[1])
    down = np.zeros(z.shape[1])
    found = np.zeros_like(z)
    steps = np.clip(np.nan_to_num(z), -CUT, CUT)
    for t in range(len(z)):
        late = steps[max(0, t - RECENT + 1) : t + 1].mean(axis=0)
        up = np.minimum(np.maximum(0.0, up + steps[t] - slack), HIGHEST)
        down = np.minimum(np.maximum(0.0, down - steps[t] - slack), HIGHEST)
        up = np.where(late < slack / 2, 0.0, up)
        down = np.where(-late < slack / 2, 0.0, down)
        found[t] = np.where(up >= down, up, -down)
    return found


def _shape(over: Floats, excess: Floats) -> float:
    """How heavy tails are, by the moments of what is beyond, all elements together: the shape of
    a generalized Pareto distribution (Hosking and Wallis 1987), 0 of an exponential one."""
    ratio = over / excess
    known = ratio[np.isfinite(ratio)]
    if len(known) < OWN:
        return 0.0
    mean, variance = float(known.mean()), float(known.var())
    return float(np.clip(0.5 * (1 - mean**2 / max(variance, 1e-12)), 0.0, HEAVIEST))


def tail_nats(size: Floats, usual: int) -> Floats:
    """How odd sizes are by the elements' own past, in nats; 0 of what is not known."""
    past = size[:usual]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        high = np.nanpercentile(past, 100 * (1 - TAIL), axis=0)
        over = np.where(past > high, past - high, np.nan)
        excess, seen = np.nanmean(over, axis=0), np.isfinite(over).sum(axis=0)
        every = float(np.nanmean(excess)), float(np.nanmean(high))
    few = ~np.isfinite(high) | (np.isfinite(past).sum(axis=0) < OWN)
    every = every if np.isfinite(every).all() else (0.5, 2.0)
    count = np.isfinite(past).sum(axis=0)
    high = (np.nan_to_num(high) * count + LEARNED * every[1]) / (count + LEARNED)
    high = np.where(few, max(every[1], 2.0), high)
    # so few are beyond that all elements tell of each; normal deviations have an excess of 0.37
    excess = (np.nan_to_num(excess) * seen + POOLED * every[0]) / (seen + POOLED)
    excess = np.maximum(excess, 0.3)
    shape = _shape(over, excess)
    known = np.isfinite(size)
    value = np.where(known, size, 0.0)
    far = np.maximum(value - high, 0.0) / (excess * (1 - shape))
    beyond = math.log(1 / TAIL) + (np.log1p(shape * far) / shape if shape > 1e-3 else far)
    below = math.log(1 / TAIL) * value / np.maximum(high, 1e-9)
    nats = np.where(value > high, beyond, below)
    return np.asarray(np.clip(np.where(known, nats, 0.0), 0.0, MOST))
