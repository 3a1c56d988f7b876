"""Modules: which capacity to buy for which link and when, at the least cost, as one MILP."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from nettwin.optimize.solvers.linear import highs

Floats = NDArray[np.float64]
LATER = 1e-5  # of money a period: of what costs the same, the latest is bought
SHORT = 100.0  # times the dearest bit/s: what a missing bit/s costs, so that money comes second


@dataclass(frozen=True)
class Bought:
    """What is bought: `count` [links, periods, modules]. `cost` is discounted, `bound` proves that
    nothing costs less, `short_bps` [links, periods] is what the budgets leave missing."""

    count: NDArray[np.int64]
    cost: float
    bound: float
    short_bps: Floats

    @property
    def gap(self) -> float:
        """How much of the cost may be saved at most; 0 where nothing is bought."""
        return max(self.cost - self.bound, 0.0) / self.cost if self.cost > 0 else 0.0


def cheapest_modules(
    need_bps: Floats,
    size_bps: Floats,
    price: Floats,
    visit: float,
    worth: Floats,
    budget: Floats,
    left_s: Callable[[], float],
    gap: float = 1e-3,
) -> Bought:
    """The cheapest modules that give every link `need_bps` [links, periods] at each period's end.

    `price` [links, modules] is what one costs, a `visit` what it costs to come to a link at all in
    a period, `worth` [periods] what money of a period is worth now, `budget` [periods] what a
    period may cost (inf: anything). Without budgets the links are apart, and each is solved to the
    end. Where budgets do not suffice, as little as possible is missing.
    """
    need = np.maximum(np.maximum.accumulate(need_bps, axis=1), 0.0)
    links, periods = need.shape
    count = np.zeros((links, periods, len(size_bps)), np.int64)
    short = np.zeros((links, periods))
    wanted = np.flatnonzero(need[:, -1] > 0)
    if not len(wanted):
        return Bought(count, 0.0, 0.0, short)
    if np.isfinite(budget).any():
        parts = [wanted]
    else:
        parts = [np.array([k]) for k in wanted.tolist()]
    cost = bound = 0.0
    for mine in parts:
        found = _solved(need[mine], size_bps, price[mine], visit, worth, budget, left_s, gap)
        count[mine], short[mine] = found.count, found.short_bps
        cost, bound = cost + found.cost, bound + found.bound
    return Bought(count, cost, bound, short)


def _solved(
    need: Floats,
    size: Floats,
    price: Floats,
    visit: float,
    worth: Floats,
    budget: Floats,
    left_s: Callable[[], float],
    gap: float,
) -> Bought:
    """One MILP: columns are counts [links, periods, modules], visits and what is short [links,
    periods]."""
    links, periods = need.shape
    kinds = len(size)
    unit = float(size.min())
    cells, counts = links * periods, links * periods * kinds
    most = np.ceil(need[:, -1:, None] / size)  # [links, 1, modules]
    most = np.broadcast_to(most, (links, periods, kinds))
    limited = bool(np.isfinite(budget).any())
    dearest = float((price / size * unit).max()) + visit
    told_worth = worth  # without the preference for late
    worth = worth * (1 - LATER * np.arange(periods))
    cost = np.concatenate(
        [
            (price[:, None, :] * worth[None, :, None]).ravel(),
            np.tile(visit * worth, links),
            np.full(cells, SHORT * dearest),
        ]
    )
    upper = np.concatenate(
        [most.ravel(), np.ones(cells), need.ravel() / unit if limited else np.zeros(cells)]
    )
    whole = np.ones(len(cost), np.bool_)
    whole[counts + cells :] = False
    rows: list[Any] = []
    low: list[Floats] = []
    high: list[Floats] = []
    before = np.kron(np.eye(links), np.tril(np.ones((periods, periods))))  # what was bought by then
    rows.append(
        sparse.hstack(
            [
                sparse.kron(before, (size / unit)[None, :]),
                sparse.coo_array((cells, cells)),
                sparse.eye_array(cells),
            ]
        )
    )
    low.append(need.ravel() / unit)
    high.append(np.full(cells, np.inf))
    if visit > 0:
        each = sparse.kron(sparse.eye_array(cells), np.ones((1, kinds)))
        big = sparse.diags_array(most.sum(axis=2).ravel())
        rows.append(sparse.hstack([each, -big, sparse.coo_array((cells, cells))]))
        low.append(np.full(cells, -np.inf))
        high.append(np.zeros(cells))
    if limited:
        of_period = np.tile(np.eye(periods), (1, links))  # [periods, links * periods]
        spent = (
            sparse.coo_array(np.repeat(of_period, kinds, axis=1))
            * np.repeat(price, periods, axis=0).ravel()
        )
        rows.append(
            sparse.hstack(
                [
                    sparse.coo_array(spent),
                    sparse.coo_array(of_period * visit),
                    sparse.coo_array((periods, cells)),
                ]
            )
        )
        low.append(np.full(periods, -np.inf))
        high.append(np.where(np.isfinite(budget), budget, np.inf))
    solver = highs.solver(mip_rel_gap=gap if limited else 0.0)
    matrix = sparse.csc_array(sparse.vstack(rows))
    row_low, row_high = np.concatenate(low), np.concatenate(high)
    solver.passModel(highs.model(matrix, cost, upper, row_low, row_high, whole))
    highs.run(solver, left_s)
    if not highs.found(solver):
        return _one_by_one(need, size, price, visit, told_worth)
    values = np.array(solver.getSolution().col_value)
    info = solver.getInfo()
    count = np.rint(values[:counts]).astype(np.int64).reshape(links, periods, kinds)
    bought_bps = np.cumsum(count @ size, axis=1)
    missing = np.maximum(need - bought_bps, 0.0)
    missing[missing < 1e-6 * unit] = 0.0
    paid = paid_for(count, price, visit) @ told_worth
    told = float(cost[counts + cells :] @ values[counts + cells :])
    return Bought(count, float(paid), float(info.mip_dual_bound) - told, missing)


def paid_for(count: NDArray[np.int64], price: Floats, visit: float) -> Floats:
    """What is paid in each period. [periods]"""
    visited = np.count_nonzero(count.any(axis=2), axis=0)
    return np.asarray(np.einsum("lpm,lm->p", count, price) + visit * visited)


def _one_by_one(need: Floats, size: Floats, price: Floats, visit: float, worth: Floats) -> Bought:
    """Where the time has ended: the module of the best price, as many as are needed."""
    count = np.zeros((*need.shape, len(size)), np.int64)
    for link in range(len(need)):
        best = int(np.argmin(price[link] / size))
        total = np.ceil(need[link] / size[best] - 1e-9).astype(np.int64)
        count[link, :, best] = np.diff(total, prepend=0)
    return Bought(count, float(paid_for(count, price, visit) @ worth), 0.0, np.zeros(need.shape))
