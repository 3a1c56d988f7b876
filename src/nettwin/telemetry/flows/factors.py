"""Factors: what exporters' flows must be multiplied by to add up to what links counted."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
AGREE = 0.1  # of what a link counted, up to which flows may differ
ROUNDS = 10  # of least squares
SURE = 3.0  # standard deviations
FAR = 0.3  # as a logarithm
PRICE = FAR / 2  # of a factor
MOST_TRIED, MOST_FREE = 12, 6  # exporters, one after another


class Links(NamedTuple):
    """Links over the intervals in which they were counted, and what each of some exporters' flows
    put on them. In bits."""

    link: NDArray[np.int64]  # [links]
    counted: Floats  # [links]
    seconds: Floats  # [links]
    flows: Floats  # [links, exporters]
    frames: Floats  # [links, exporters] what frames add at most
    busiest_bps: Floats  # [links] all flows, in an interval

    def take(self, rows: NDArray[np.bool_]) -> Links:
        """Some of the links."""
        return Links(
            self.link[rows],
            self.counted[rows],
            self.seconds[rows],
            self.flows[rows],
            self.frames[rows],
            self.busiest_bps[rows],
        )


def chosen(links: Links, fixed: Floats, columns: list[int]) -> Floats:
    """The factors with the least misfit, where each must pay for itself: those that are fixed, or
    one for all `columns`, but for exporters that have surely another. One link that is off alone
    has no factor."""
    common = _common(links, fixed, columns)
    answers = []
    for base in [fixed] if np.array_equal(common, fixed) else [fixed, common]:
        price = 0.0 if base is fixed else PRICE
        answers.append((_misfit(links, base) + price, base))
        best, error = _fitted(links, base, columns)
        off = np.abs(best - base)
        sure = [k for k in columns if off[k] > max(AGREE * base[k], SURE * error[k])]
        for free in (sure, _helpful(links, base, columns)):
            if free:
                best, _ = _fitted(links, base, free)
                answers.append((_misfit(links, best) + price + PRICE * len(free), best))
    return min(answers, key=lambda one: one[0])[1]


def _common(links: Links, fixed: Floats, columns: list[int]) -> Floats:
    """One factor for all columns: by the median link."""
    rows = links.flows + links.frames / 2
    own = rows[:, columns].sum(axis=1)
    others = np.setdiff1d(np.arange(len(fixed)), columns)
    rest = links.counted - rows[:, others] @ fixed[others]
    good = (own > 0) & (rest > 0)
    made = fixed.copy()
    if good.any():
        ratio, weight = rest[good] / own[good], links.counted[good]
        order = np.argsort(ratio)
        upto = np.cumsum(weight[order])
        made[columns] = ratio[order][np.searchsorted(upto, upto[-1] / 2)]
    return fixed if np.allclose(made, fixed, rtol=AGREE) else made


def _helpful(links: Links, base: Floats, columns: list[int]) -> list[int]:
    """Exporters whose factors, one after another, make most links agree; of those that have flows
    on links that do not."""
    wrong = ~agree(links, base)
    weight = (links.flows[wrong] / links.counted[wrong, None]).sum(axis=0)
    tried = [k for k in sorted(columns, key=lambda k: -weight[k])[:MOST_TRIED] if weight[k] > 0]
    free: list[int] = []
    least = _misfit(links, base)
    while len(free) < min(len(tried), MOST_FREE):
        costs = [
            (_misfit(links, _fitted(links, base, [*free, k])[0]), k) for k in tried if k not in free
        ]
        cost, k = min(costs)
        if cost + PRICE >= least:
            break
        free, least = [*free, k], cost
    return free


def _fitted(links: Links, base: Floats, free: list[int]) -> tuple[Floats, Floats]:
    """The factors of some exporters with which flows come nearest to what links counted, as parts
    of that, and the standard deviation of each; links that are far off count less."""
    from scipy.optimize import nnls

    rows = (links.flows + links.frames / 2) / links.counted[:, None]
    others = np.setdiff1d(np.arange(len(base)), free)
    target = 1.0 - rows[:, others] @ base[others]
    scale = np.maximum(rows[:, free].max(axis=0), 1e-300)
    mine = rows[:, free] / scale
    weight = np.ones(len(rows))
    best = np.ones(mine.shape[1])
    for _ in range(ROUNDS):
        root = np.sqrt(weight)
        best, _ = nnls(mine * root[:, None], target * root)
        weight = 1.0 / np.maximum(np.abs(mine @ best - target), 0.02)
        weight /= weight.max()
    off = mine @ best - target
    spare = max(len(rows) - mine.shape[1], 1)
    few = 1 + 8 / spare  # where few links are left over, how far they are off is not sure
    spread = few * np.sqrt(max(float((weight * off**2).sum()) / spare, 0.01**2))
    error = spread * np.sqrt(np.maximum(np.diag(np.linalg.pinv((mine.T * weight) @ mine)), 0.0))
    factor, deviation = base.copy(), np.zeros(len(base))
    factor[free], deviation[free] = best / scale, error / scale
    return factor, deviation


def _misfit(links: Links, factor: Floats) -> float:
    """By how much links are off; of one that is far off no more than FAR."""
    low, high = links.flows @ factor, (links.flows + links.frames) @ factor
    with np.errstate(divide="ignore"):
        off = np.abs(np.log(links.counted / np.clip(links.counted, low, high)))
    return float(np.minimum(off, FAR).sum())


def agree(links: Links, factor: Floats) -> NDArray[np.bool_]:
    """Whether flows agree with each counter. [links]"""
    low, high = links.flows @ factor, (links.flows + links.frames) @ factor
    return np.asarray(
        (low * (1 - AGREE) <= links.counted) & (links.counted <= high * (1 + AGREE)), np.bool_
    )
