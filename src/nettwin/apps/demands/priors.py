"""Priors: what demands are likely to be before the links' counters are looked at.

gravity          what enters at the source times what leaves at the target, over all traffic
general gravity  the same where nodes that are peers exchange nothing through this network
earlier day      the mean of measured matrices, scaled to what is counted now

The gravity models are those of Zhang, Roughan, Duffield and Greenberg (SIGMETRICS 2003).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nettwin.apps.demands.equations import Equations, Floats

ROUNDS, FEWEST = 100, 8
WORK = 3e7  # entries that corrections may look at, before rounds become fewer
MIN_SLACK = 1e-4  # of a counter
LEAST = 1e-4  # of the largest mean: a pair that was silent may speak


def gravity(equations: Equations) -> Floats:
    """The gravity model, from the nodes' counters. [times, pairs]"""
    entering, leaving = node_totals(equations)
    total = (entering.sum(axis=1) + leaving.sum(axis=1)) / 2
    product = entering[:, equations.source] * leaving[:, equations.target]
    return np.asarray(product / np.maximum(total, 1e-300)[:, None])


def general_gravity(equations: Equations, peers: Sequence[int]) -> Floats:
    """Gravity without demands between two of the nodes `peers`; what they send goes to the others.
    [times, pairs]"""
    entering, leaving = node_totals(equations)
    peering = np.zeros(entering.shape[1], np.bool_)
    peering[list(peers)] = True
    allowed = ~(peering[equations.source] & peering[equations.target])
    guess = gravity(equations) * allowed
    for _ in range(ROUNDS):  # so that both totals of each node are kept
        for end, wanted in ((equations.source, entering), (equations.target, leaving)):
            have = np.stack([np.bincount(end, row, wanted.shape[1]) for row in guess])
            ratio = np.divide(wanted, have, out=np.zeros_like(have), where=have > 0)
            guess = guess * ratio[:, end]
    return np.asarray(guess)


def node_totals(equations: Equations) -> tuple[Floats, Floats]:
    """What enters and what leaves at each node; where no counter tells, what the smoothest demands
    that explain the links would have it be. [times, nodes] each"""
    _, entering, leaving = equations.parts(equations.measured_bps)
    if not (np.isnan(entering).any() or np.isnan(leaving).any()):
        return entering, leaving
    rough = equations.counted(fitted(equations, np.ones((len(entering), equations.pair_count))))
    _, likely_in, likely_out = equations.parts(rough)
    return (
        np.where(np.isnan(entering), likely_in, entering),
        np.where(np.isnan(leaving), likely_out, leaving),
    )


def fitted(
    equations: Equations, prior_bps: Floats, *, noise: float = 0.0, rounds: int = ROUNDS
) -> Floats:
    """The demands nearest to a prior in relative entropy that explain the counters, each within two
    standard deviations of its noise. [times, pairs]

    Multiplicative corrections of one counter after another (MART: Gordon, Bender and Herman,
    Algebraic reconstruction techniques, 1970). Contradictions are left as residuals.
    """
    matrix, measured = equations.matrix, equations.measured_bps
    rounds = int(np.clip(WORK / (matrix.nnz * len(measured) + 1), min(rounds, FEWEST), rounds))
    slack = max(2 * noise, MIN_SLACK)
    low, high = measured * (1 - slack), measured * (1 + slack)
    guess = np.ascontiguousarray(prior_bps.T)  # [pairs, times]: a counter's pairs lie together
    spans = [slice(*matrix.indptr[k : k + 2]) for k in range(matrix.shape[0])]
    used = [
        k for k, s in enumerate(spans) if s.stop > s.start and not np.isnan(measured[:, k]).all()
    ]
    for _ in range(rounds):
        worst = 1.0
        for k in used:
            pairs, part = matrix.indices[spans[k]], matrix.data[spans[k]]
            have = np.maximum(part @ guess[pairs], 1e-300)
            wanted = np.clip(have, low[:, k], high[:, k])
            ratio = np.where(np.isnan(wanted), 1.0, np.maximum(wanted, 1e-9) / have)
            if (ratio == 1.0).all():
                continue
            worst = max(worst, float(np.max(np.maximum(ratio, 1 / np.maximum(ratio, 1e-300)))))
            guess[pairs] *= ratio[None, :] if (part == 1.0).all() else ratio ** part[:, None]
        if worst < 1 + slack / 2:
            break
    return np.ascontiguousarray(guess.T)


def scaled(equations: Equations, mean_bps: Floats, power: float = 1.0) -> Floats:
    """A mean of each pair, scaled in each interval by a power of what all counters say it has
    grown. [times, pairs]"""
    measured = equations.measured_bps
    expected = equations.matrix @ mean_bps
    known = ~np.isnan(measured)
    have = known @ expected
    ratio = np.nan_to_num(measured).sum(axis=1) / np.maximum(have, 1e-300)
    return np.asarray(mean_bps * ratio[:, None] ** power)
