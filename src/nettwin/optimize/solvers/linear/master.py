"""Master: the linear program over the paths that are known so far, which grows.

Minimize the highest utilization when a share of each demand may leave its start for the known
paths. A demand has a row only once it has a path to leave for, and a link only once it is close to
the highest utilization, so that the program stays small beside the problem.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from nettwin.optimize.solvers.linear import highs
from nettwin.optimize.solvers.linear.columns import Columns

_CLOSE = 0.8  # links used by this share of the highest utilization have rows from the beginning
_AT_ONCE = 200  # rows of links that are added together
_TINY = 1e-9
_PRIMAL = 4  # simplex strategy: what is added are mostly columns


class Master:
    """The restricted program. `weight` is the share of each demand on each known path."""

    def __init__(self, paths: Columns) -> None:
        self.paths = paths
        self.demand = np.zeros(0, np.int64)  # [columns]
        self.path = np.zeros((0, 0), np.int32)  # [columns, width]
        self.weight = np.zeros(0)  # [columns]
        links = len(paths.capacity_bps)
        self.shift = sparse.csc_array((links, 0))  # utilization when all of a demand moves
        self.base = paths.base_bps / paths.capacity_bps
        self.used = self.base  # [links] utilization of the answer
        self.price = np.zeros(links)  # of a bit/s on each link
        self._known: set[tuple[int, bytes]] = set()
        self._link_row = np.full(links, -1)
        self._demand_row = np.full(len(paths.rate_bps), -1)
        self._solver = highs.solver(solver="simplex", simplex_strategy=_PRIMAL, presolve="off")
        self._solver.addVar(0.0, highs.INFINITY)
        self._solver.changeColCost(0, 1.0)
        self._rows, self._columns = 0, 0  # of the program, that of the highest utilization aside
        if paths.most_moves >= 0:
            self._solver.addRow(-highs.INFINITY, float(paths.most_moves), 0, [], [])
            self._rows = 1
        self._add_links(np.flatnonzero(self.base >= _CLOSE * self.base.max(initial=0.0)))

    @property
    def value(self) -> float:
        """The highest utilization of the answer."""
        return float(self.used.max(initial=0.0))

    def add(self, demand: NDArray[np.int64], path: NDArray[np.int32]) -> int:
        """Make paths known; how many were not."""
        new = []
        for i, (d, w) in enumerate(zip(demand.tolist(), path, strict=True)):
            key = (d, w.tobytes())
            if key not in self._known:
                self._known.add(key)
                new.append(i)
        if not new:
            return 0
        demand, path = demand[new], path[new]
        scale = sparse.diags_array(1.0 / self.paths.capacity_bps)
        rate = sparse.diags_array(self.paths.rate_bps[demand])
        made = (scale @ self.paths.shift(demand, path) @ rate).tocsc()
        self.shift = sparse.hstack([self.shift, made], format="csc")
        self.demand = np.concatenate([self.demand, demand])
        self.path = np.concatenate([self.path.reshape(-1, path.shape[1]), path])
        self.weight = np.concatenate([self.weight, np.zeros(len(new))])
        return len(new)

    def solve(self, go_on: Callable[[], float]) -> bool:
        """Find the best answer over the known paths; False where the time ended before.

        `go_on` says how many seconds are left, 0 to end now. Prices are those of the last program
        that was solved.
        """
        new = self.demand[self._columns :]
        if len(new):
            self._add_demands(np.unique(new))
            self._add_columns(self.shift[:, self._columns :].tocsc(), new)
            self._columns = len(self.demand)
        while True:
            if not self._solve(go_on):
                return False
            close = self.used >= self._solver.getInfo().objective_function_value + _TINY
            missing = np.flatnonzero(close & (self._link_row < 0))
            if not len(missing):
                return True
            order = np.argsort(-self.used[missing], kind="stable")
            self._add_links(missing[order[:_AT_ONCE]])

    def _solve(self, go_on: Callable[[], float]) -> bool:
        if not highs.run(self._solver, go_on):
            return False
        solution = self._solver.getSolution()
        self.weight = np.clip(np.array(solution.col_value)[1:], 0.0, 1.0)
        self.used = self.base + self.shift @ self.weight
        dual = np.maximum(-np.array(solution.row_dual), 0.0)
        rows = self._link_row
        self.price = np.where(rows >= 0, dual[rows], 0.0) / self.paths.capacity_bps
        return True

    def _add_links(self, links: NDArray[np.intp]) -> None:
        if not len(links):
            return
        part = self.shift.tocsr()[links]
        count = len(links)
        # column 0 is the highest utilization
        rows = sparse.hstack([sparse.csr_array(-np.ones((count, 1))), part], format="csr")
        self._solver.addRows(
            count,
            np.full(count, -highs.INFINITY),
            -self.base[links],
            rows.nnz,
            rows.indptr[:-1].astype(np.int32),
            rows.indices.astype(np.int32),
            rows.data,
        )
        self._link_row[links] = self._rows + np.arange(count)
        self._rows += count

    def _add_demands(self, demands: NDArray[np.int64]) -> None:
        new = demands[self._demand_row[demands] < 0]
        count = len(new)
        if count:
            none = np.zeros(0, np.int32)
            limits = np.full(count, -highs.INFINITY), np.ones(count)
            self._solver.addRows(count, *limits, 0, np.zeros(count, np.int32), none, np.zeros(0))
            self._demand_row[new] = self._rows + np.arange(count)
            self._rows += count

    def _add_columns(self, made: sparse.csc_array, demand: NDArray[np.int64]) -> None:
        """Columns of the program: rows of links, then that of the demand, then that of moves."""
        count = len(demand)
        column = np.repeat(np.arange(count), np.diff(made.indptr))
        row = self._link_row[made.indices]
        here = row >= 0
        parts = [
            (row[here], column[here], made.data[here]),
            (self._demand_row[demand], np.arange(count), np.ones(count)),
        ]
        if self.paths.most_moves >= 0:
            parts.append((np.zeros(count, np.int64), np.arange(count), np.ones(count)))
        rows, columns, values = (np.concatenate(each) for each in zip(*parts, strict=True))
        matrix = sparse.csc_array((values, (rows, columns)), shape=(self._rows, count))
        self._solver.addCols(
            count,
            np.zeros(count),
            np.zeros(count),
            np.full(count, highs.INFINITY),
            matrix.nnz,
            matrix.indptr[:-1].astype(np.int32),
            matrix.indices.astype(np.int32),
            matrix.data,
        )
