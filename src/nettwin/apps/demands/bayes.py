"""Empirical Bayes: a prior mean, covariances that the counters themselves make likely, and the
demands that are likely given both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nettwin.apps.demands.covariance import Covariance, inverse_of, learned
from nettwin.apps.demands.equations import Equations, Floats
from nettwin.apps.demands.priors import LEAST, fitted, gravity, scaled
from nettwin.apps.demands.timescales import parted, sampled, windows

if TYPE_CHECKING:
    from scipy.sparse import csr_array

POWERS = (1.0, 1.5, 2.0)  # variance as a power of the mean
NODES = 0.05  # variance of what a node's demands have in common, over their mean squared
OWN, TOGETHER = 0.25, 1.0  # shares of an earlier day's variances, and covariances
GROWTH = 0.5  # how far a mean grows with all traffic before counters tell more
LEAST_KEPT = 0.1  # of the prior mean, for the size of a demand
LEAST_EARLIER = 12  # intervals of an earlier day that tell how demands vary
PROJECTIONS = 6
RECONCILING = 30
SPREAD_POWER = 0.75  # how an interval's width goes with the demand in the course of time


@dataclass(frozen=True)
class Problem:
    """What is asked: equations, how noisy the counters are, and what is known besides them."""

    equations: Equations
    noise: float = 0.01
    earlier_bps: Floats | None = None  # [earlier times, pairs]
    earlier_s: Floats | None = None
    peers: tuple[int, ...] = ()


class Solution(NamedTuple):
    """Demands, and the standard deviation of what they may be off. [times, pairs] each"""

    demand_bps: Floats
    deviation_bps: Floats


class Part(NamedTuple):
    """One timescale: residuals of the counters, their covariance, and its inverse as seen.

    `doubt` is the covariance by which it is told how sure an answer is: no pair varies less than
    its size lets expect, though counters would not need it to.
    """

    residual: Floats
    covariance: Covariance
    inverse: Floats
    doubt: Covariance


def solve(problem: Problem) -> Solution:
    """Learn from all intervals at once; each interval's demands are given all of them.

    Without an earlier day the answer is the mean of this estimate and of that of least relative
    entropy: the one knows which pairs vary, the other how sizes differ, and their errors are
    little alike.
    """
    mean, parts = learned_parts(problem)
    demand = likely(problem, mean, parts)
    if problem.earlier_bps is None:
        floored = np.maximum(mean, 1e-9 * mean.max(initial=1e-300))
        nearest = fitted(problem.equations, floored, noise=problem.noise, rounds=RECONCILING)
        demand = (demand + nearest) / 2
    return Solution(demand, spread_out(demand, left_of(problem, parts)))


def likely(problem: Problem, mean: Floats, parts: list[Part]) -> Floats:
    """The demands that are likely given prior, covariances and counters. [times, pairs]"""
    demand = mean.copy()
    for part in parts:
        pull = part.residual @ part.inverse
        demand += part.covariance.spread(problem.equations.matrix, pull)
    return explained(problem, np.maximum(demand, 0.0), parts)


def left_of(problem: Problem, parts: list[Part]) -> Floats:
    """The variance of each pair that counters leave. [pairs]"""
    matrix = problem.equations.matrix
    noise_variance = noise_of(problem)
    left = [
        part.doubt.left(matrix, inverse_of(part.doubt.seen(matrix), noise_variance))
        for part in parts
    ]
    return np.asarray(np.sum(left, axis=0))


def learned_parts(problem: Problem) -> tuple[Floats, list[Part]]:
    """The prior mean in each interval, and the timescales with what was learned of them.

    With an earlier day this is done twice, at last with the sizes of demands that the first time
    found: how much a demand varies goes with its size now.
    """
    mean = prior_mean(problem)
    typical = mean.mean(axis=0)
    parts = _learn(problem, mean, typical)
    if problem.earlier_bps is not None:
        now = likely(problem, mean, parts).mean(axis=0)
        parts = _learn(problem, mean, np.maximum(now, LEAST_KEPT * typical))
    return mean, parts


def _learn(problem: Problem, mean: Floats, typical: Floats) -> list[Part]:
    equations = problem.equations
    matrix = equations.matrix
    noise_variance = noise_of(problem)
    lengths = windows(equations.times_s)
    known = ~np.isnan(equations.measured_bps)
    residual = np.where(known, equations.measured_bps - equations.counted(mean), 0.0)
    if not known.all():
        parts = structure(problem, typical, residual, [], 0)
        residual = completed(residual, known, sum_of(parts).seen(matrix), noise_variance)
    courses = parted(residual, lengths)
    found: list[Covariance] = []
    doubts: list[Covariance] = []
    boost = np.ones(equations.pair_count)
    for number, course in enumerate(courses):
        samples = sampled(course, lengths, number)
        priors = [
            Covariance(part.variance * boost, part.factors)
            for part in structure(problem, typical, samples, lengths, number)
        ]
        covariance, ratio = learned(priors, matrix, samples, noise_variance)
        found.append(covariance)
        wide = covariance.variance / np.minimum(ratio, 1.0)
        doubts.append(Covariance(wide, covariance.factors))
        if problem.earlier_bps is not None:  # a pair that bursts more now may have another level
            boost = np.sqrt(ratio)
    if problem.earlier_bps is not None and len(found) > 2:  # few samples each: together they tell
        courses = [courses[0], np.sum(courses[1:], axis=0)]
        found = [found[0], sum_of(found[1:])]
        doubts = [doubts[0], sum_of(doubts[1:])]
    return [
        Part(course, covariance, inverse_of(covariance.seen(matrix), noise_variance), doubt)
        for course, covariance, doubt in zip(courses, found, doubts, strict=True)
    ]


def prior_mean(problem: Problem) -> Floats:
    """An earlier day's mean of each pair, scaled to each interval by a power of what all traffic
    has grown; the gravity model without one. [times, pairs]"""
    if problem.earlier_bps is None:
        return gravity(problem.equations)
    mean = problem.earlier_bps.mean(axis=0)
    return scaled(problem.equations, np.maximum(mean, LEAST * mean.max()), GROWTH)


def noise_of(problem: Problem) -> Floats:
    """The variance of each counter's noise. [counters]"""
    measured = problem.equations.measured_bps
    known = ~np.isnan(measured)
    square = np.where(known, np.nan_to_num(measured) ** 2, 0.0).sum(axis=0)
    count = np.maximum(known.sum(axis=0), 1)
    never = ~known.any(axis=0)
    return np.asarray(
        np.where(never, 1e6 * square.max(initial=1.0), problem.noise**2 * square / count)
    )


def structure(
    problem: Problem, typical: Floats, samples: Floats, lengths: list[int], number: int
) -> list[Covariance]:
    """What the covariance of a timescale may be made of, each part as large as it is likely to be.

    `typical` [pairs] are demands, `samples` residuals of the counters on this timescale.
    """
    equations = problem.equations
    typical = np.maximum(typical, LEAST * typical.max())
    shapes = [typical**p / np.sum(typical**p) for p in POWERS]
    earlier = problem.earlier_bps
    if earlier is None or problem.earlier_s is None or len(earlier) < LEAST_EARLIER:
        wanted = max(float(np.mean(np.sum(samples**2, axis=1))), 1e-300) / len(shapes)
        reach = np.asarray(equations.matrix.multiply(equations.matrix).sum(axis=0)).ravel()
        return [Covariance(shape * wanted / float(shape @ reach)) for shape in shapes]
    around = (
        earlier
        - earlier.mean(axis=0)
        * (earlier.sum(axis=1) / max(earlier.sum(axis=1).mean(), 1e-300))[:, None]
    )
    day = windows(problem.earlier_s)
    pieces = parted(around, day)
    if number < min(len(pieces) - 1, len(lengths)):
        piece = pieces[number]
    else:  # a level of a day's length has one sample alone: as large as the day's variation
        piece = around * np.sqrt(0.5)
    own = np.mean(piece**2, axis=0)
    size = float(own.sum())
    whole = max(float(np.var(earlier, axis=0).sum()), 1e-300)
    found = [Covariance(OWN * size * shape) for shape in shapes]
    found.append(Covariance(OWN * own))
    none = np.zeros_like(own)
    for end in (equations.source, equations.target):
        common = shared(end, typical, equations.scenario.topology.node_count)
        found.append(Covariance(none, (common * np.sqrt(NODES * size / whole),)))
    found.append(Covariance(none, (piece.T * np.sqrt(TOGETHER / len(piece)),)))
    return found


def shared(end: NDArray[np.int32], typical: Floats, nodes: int) -> csr_array:
    """The factor by which all demands of a node vary together. [pairs, nodes]"""
    from scipy.sparse import coo_array, csr_array

    pairs = np.arange(len(end))
    return csr_array(coo_array((typical, (pairs, end)), shape=(len(end), nodes)))


def sum_of(parts: list[Covariance]) -> Covariance:
    """The sum of covariances."""
    variance = np.sum([part.variance for part in parts], axis=0)
    return Covariance(variance, tuple(f for part in parts for f in part.factors))


def completed(
    residual: Floats, known: NDArray[np.bool_], seen: Floats, noise_variance: Floats
) -> Floats:
    """Residuals with those of missing counters as the others would have them."""
    found = residual.copy()
    filled = seen + np.diag(noise_variance + 1e-9 * np.trace(seen) / len(seen))
    patterns, which = np.unique(known, axis=0, return_inverse=True)
    for number, pattern in enumerate(patterns):
        if pattern.all() or not pattern.any():
            continue
        rows = np.flatnonzero(which.ravel() == number)
        gain = np.linalg.solve(filled[np.ix_(pattern, pattern)], seen[np.ix_(pattern, ~pattern)])
        found[np.ix_(rows, ~pattern)] = residual[np.ix_(rows, pattern)] @ gain
    return found


def explained(problem: Problem, demand_bps: Floats, parts: list[Part]) -> Floats:
    """Demands 0 or more that explain the counters: what clipping took is given to the others."""
    equations = problem.equations
    whole, inverse = parts[0].covariance, parts[0].inverse
    if len(parts) > 1:
        whole = sum_of([part.covariance for part in parts])
        inverse = inverse_of(whole.seen(equations.matrix), noise_of(problem))
    known = ~np.isnan(equations.measured_bps)
    found = demand_bps
    for _ in range(PROJECTIONS):
        gap = np.where(known, equations.measured_bps - equations.counted(found), 0.0)
        found = np.maximum(found + whole.spread(equations.matrix, gap @ inverse), 0.0)
    return reconciled(problem, found)


def reconciled(problem: Problem, demand_bps: Floats) -> Floats:
    """Demands with what clipping at 0 left unexplained shared out: a factor for each counter."""
    typical = demand_bps.mean(axis=0)
    least = np.maximum(LEAST * typical, 1e-3 * LEAST * typical.max(initial=0.0))
    floored = np.maximum(demand_bps, least)
    return fitted(problem.equations, floored, noise=problem.noise, rounds=RECONCILING)


def spread_out(demand_bps: Floats, variance: Floats) -> Floats:
    """The standard deviation of each demand in each interval, from that over all: it goes with the
    demand. [times, pairs]"""
    typical = demand_bps.mean(axis=0)
    floor = np.sqrt(variance) + 1e-9
    course = np.clip((demand_bps + floor) / (typical + floor), 0.2, 5.0) ** SPREAD_POWER
    return np.asarray(floor * course)
