"""Covariance: how demands vary around a prior, learned from how the counters vary.

Demands deviate from the prior each by itself (`variance`) and together (`factors`: all that one
node sends, all that it gets, the patterns of an earlier day). The scales of these parts, then each
pair's own variance, are those that make the counters most likely, under a prior of their own: the
evidence procedure (MacKay, Bayesian interpolation, 1992; for each variance by itself Tipping,
Sparse Bayesian learning and the relevance vector machine, 2001), here by expectation maximization.
Pairs by pairs matrices are never formed: all work is on counters by counters.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from nettwin.apps.demands.equations import Floats
from nettwin.apps.demands.kernels import forms, gram

if TYPE_CHECKING:
    from scipy.sparse import csr_array

SCALING, EVIDENCE = 30, 20  # rounds
PRIOR_COUNT = 5.0  # intervals that the scales' own prior is worth
BELIEF = 1.0  # intervals that a variance's prior is worth, for each one that was counted
RIDGE = 1e-9
WORK = 4e10  # operations on matrices of counters that may be spent on scales


@dataclass(frozen=True)
class Covariance:
    """`variance` [pairs] on the diagonal, and the sum of factor times factor transposed, each
    factor [pairs, any]."""

    variance: Floats
    factors: tuple[Any, ...] = ()

    def seen(self, matrix: csr_array) -> Floats:
        """The covariance of the counters. [counters, counters]"""
        columns = matrix.tocsc()
        seen = np.zeros((matrix.shape[0], matrix.shape[0]))
        gram(columns.indptr, columns.indices, columns.data, self.variance, seen)
        for factor in self.factors:
            part = matrix @ factor
            seen = seen + _dense(part @ part.T)
        return np.asarray(seen)

    def spread(self, matrix: csr_array, weights: Floats) -> Floats:
        """The covariance of demands and counters, times weights of counters [times, counters].
        [times, pairs]"""
        pull = np.asarray((matrix.T @ weights.T).T)
        found = pull * self.variance
        for factor in self.factors:
            found = found + np.asarray((factor @ np.asarray(factor.T @ pull.T)).T)
        return np.asarray(found)

    def own(self) -> Floats:
        """The whole variance of each pair. [pairs]"""
        total = self.variance.copy()
        for factor in self.factors:
            total = total + np.asarray(_squared(factor).sum(axis=1)).ravel()
        return np.asarray(total)

    def left(self, matrix: csr_array, inverse: Floats) -> Floats:
        """The variance of each pair that is left when the counters are known; `inverse` is that of
        what they see. [pairs]"""
        told = self.variance**2 * quadratic(matrix, inverse)
        seen = [matrix @ factor for factor in self.factors]
        for one, factor in enumerate(self.factors):
            weights = inverse @ _dense(seen[one])
            told = told + 2 * self.variance * _rows(factor, matrix.T @ weights)
            for other, second in enumerate(self.factors):
                cross = np.asarray(seen[other].T @ weights)
                told = told + _rows(factor, second @ cross)
        return np.asarray(np.maximum(self.own() - told, 0.0))


def inverse_of(seen: Floats, noise_variance: Floats) -> Floats:
    """The inverse of what counters see of a covariance, and of their noise."""
    from scipy.linalg.lapack import dpotrf, dpotri

    size = len(seen)
    filled = seen + np.diag(noise_variance + RIDGE * np.trace(seen) / size + 1e-300)
    factor, _ = dpotrf(filled, lower=1)
    inverse, _ = dpotri(factor, lower=1)
    return np.asarray(np.tril(inverse) + np.tril(inverse, -1).T)


def learned(
    parts: list[Covariance], matrix: csr_array, residual: Floats, noise_variance: Floats
) -> tuple[Covariance, Floats]:
    """The covariance that residuals of the counters [samples, counters] make most likely: the
    scale of each of the parts, which are of the size that is likely before, then the variance of
    each pair; and by how much this differs from what the scales give it. [pairs]"""
    seen = [part.seen(matrix) for part in parts]
    rounds = int(np.clip(WORK / (len(parts) + 3) / residual.shape[1] ** 3, 2, SCALING))
    scales = _scales(seen, residual, noise_variance, rounds)
    scaled = total_of(parts, scales)
    found = _evident(scaled, matrix, residual, noise_variance, rounds)
    return found, found.variance / np.maximum(scaled.variance, 1e-300)


def _scales(seen: list[Floats], residual: Floats, noise_variance: Floats, rounds: int) -> Floats:
    samples = len(residual)
    scales = np.ones(len(seen))
    for _ in range(rounds):
        covariance = np.sum([s * part for s, part in zip(scales, seen, strict=True)], axis=0)
        inverse = inverse_of(covariance, noise_variance)
        pull = residual @ inverse
        have = np.array([np.einsum("ti,ij,tj->", pull, p, pull, optimize=True) for p in seen])
        wanted = samples * np.array([np.sum(inverse * p) for p in seen])
        scales = scales * np.sqrt(
            (have * scales + PRIOR_COUNT / scales) / (wanted * scales + PRIOR_COUNT)
        )
    return scales


def _evident(
    prior: Covariance, matrix: csr_array, residual: Floats, noise_variance: Floats, rounds: int
) -> Covariance:
    """Each pair's variance by expectation maximization, the prior's worth BELIEF as much as what
    is counted."""
    variance = prior.variance
    shared = replace(prior, variance=np.zeros_like(variance)).seen(matrix)
    for _ in range(min(rounds, EVIDENCE)):
        seen = Covariance(variance).seen(matrix) + shared
        inverse = inverse_of(seen, noise_variance)
        likely = np.asarray((matrix.T @ (residual @ inverse).T).T) * variance
        sure = quadratic(matrix, inverse)
        second = np.mean(likely**2, axis=0) + variance - variance**2 * sure
        variance = (BELIEF * prior.variance + second) / (BELIEF + 1.0)
    return replace(prior, variance=np.asarray(variance))


def quadratic(matrix: csr_array, inverse: Floats) -> Floats:
    """For each pair, its column of the matrix times the inverse times the column. [pairs]

    A pair is seen by few counters: only their entries of the inverse are looked at.
    """
    columns = matrix.tocsc()
    found = np.zeros(matrix.shape[1])
    forms(columns.indptr, columns.indices, columns.data, np.ascontiguousarray(inverse), found)
    return found


def total_of(parts: list[Covariance], scales: Floats) -> Covariance:
    """The sum of parts, each times its scale."""
    variance = sum(s * part.variance for s, part in zip(scales, parts, strict=True))
    factors = tuple(
        factor * np.sqrt(s)
        for s, part in zip(scales, parts, strict=True)
        for factor in part.factors
    )
    return Covariance(np.asarray(variance), factors)


def _dense(found: Any) -> Floats:
    return np.asarray(found.todense()) if hasattr(found, "todense") else np.asarray(found)


def _rows(one: Any, other: Any) -> Floats:
    """The sum over each row of a product, entry by entry."""
    if hasattr(one, "multiply"):
        return np.asarray(one.multiply(other).sum(axis=1)).ravel()
    return np.asarray(np.einsum("ij,ij->i", one, _dense(other)))


def _squared(factor: Any) -> Any:
    return factor.multiply(factor) if hasattr(factor, "multiply") else factor**2
