"""segment_milp: whole flows on known paths, exactly, by branch and bound.

All flows where there are few; else the flows that matter while the others stay. With every path
over one midpoint known, it is segment routing with one or two segments a flow, exactly.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from nettwin.optimize.problems.segment_routing import NONE
from nettwin.optimize.solvers.linear import highs
from nettwin.optimize.solvers.linear.master import Master
from nettwin.optimize.solvers.linear.rounding import START, Rounding
from nettwin.optimize.solvers.linear.segment_columns import SegmentColumns

_TOLERANCE = 1e-6  # of the solver, in utilization: what its rows may be missed by


class Exact(NamedTuple):
    """An answer, and whether it is proven that these flows on known paths reach no lower one."""

    value: float
    choice: NDArray[np.int64]  # [flows] as in Rounding
    bound: float  # where the flows that were not free stay
    proven: bool


def know_all(master: Master, paths: SegmentColumns) -> None:
    """Make every path over at most one midpoint known that a demand may take."""
    nodes = paths.segment_problem.segments.nodes
    width = paths.start.shape[1]
    flow = np.zeros(len(paths.rate_bps), np.int64)  # one of each demand
    flow[paths.demand] = paths.flow
    every = []
    for d, f in enumerate(flow.tolist()):
        allowed = paths.segment_problem.allowed(f)
        ends = np.array([paths.source[d], paths.target[d]])
        middle = allowed & ~np.isin(np.arange(nodes), ends)
        mids = np.append(np.flatnonzero(middle), [NONE] * int(allowed[ends].any()))
        path = np.full((len(mids), width), NONE, np.int32)
        path[:, 0] = mids
        every.append(path[(path != paths.start[d]).any(axis=1)])
    if every:
        demand = np.repeat(np.arange(len(every)), [len(path) for path in every])
        master.add(demand, np.concatenate(every))


def segment_milp(
    rounding: Rounding,
    choice: NDArray[np.int64],
    free: NDArray[np.intp],
    go_on: Callable[[], float],
    nodes: int = 1_000_000,
) -> Exact:
    """The best answer in which flows other than `free` keep their choice [flows].

    `go_on` says the seconds left, `nodes` how many branches are looked at. The given choice is
    where the search starts, and no worse one comes back.
    """
    begin = rounding.begin[rounding.flow_demand[free]]
    counts = rounding.begin[rounding.flow_demand[free] + 1] - begin
    flow = np.repeat(np.arange(len(free)), counts)
    column = np.concatenate(
        [np.arange(b, b + n) for b, n in zip(begin, counts, strict=True)] or [begin]
    ).astype(np.int64)
    others = choice.copy()
    others[free] = START
    base = rounding.used(others)
    part = sparse.diags_array(rounding.part[free][flow])
    shift = (rounding.shift[:, column] @ part).tocsc()
    value = float(rounding.used(choice).max(initial=0.0))
    links = _links(base, shift)
    taken = np.zeros(len(column) + 1)
    taken[0] = value
    taken[1:] = column == choice[free][flow]
    moves = rounding.most - int((others >= 0).sum()) if rounding.most >= 0 else len(free)
    solver = _program(base[links], shift.tocsr()[links], flow, len(free), moves)
    solver.setOptionValue("mip_max_nodes", nodes)
    solver.setSolution(highs.solution(taken))
    optimal = highs.run(solver, go_on)
    bound = max(float(solver.getInfo().mip_dual_bound) - _TOLERANCE, 0.0)
    if not highs.found(solver):
        return Exact(value, choice, bound, False)
    chosen = np.array(solver.getSolution().col_value)[1:] > 0.5
    found = others.copy()
    found[free[flow[chosen]]] = column[chosen]
    reached = float(rounding.used(found).max(initial=0.0))
    if reached >= value:
        found, reached = choice, value
    return Exact(reached, found, bound, optimal)


def critical(
    rounding: Rounding, choice: NDArray[np.int64], most: int, random: np.random.Generator
) -> NDArray[np.intp]:
    """Flows that matter: those that can take load off links near the highest utilization, the
    ones that can take most first, with some chance. [at most `most`]"""
    used = rounding.used(choice)
    weight = np.exp(250.0 * (used / max(float(used.max(initial=0.0)), 1e-300) - 1.0))
    effect = abs(rounding.shift).T @ weight  # [columns]
    demands = len(rounding.begin) - 1
    of = np.repeat(np.arange(demands), np.diff(rounding.begin))
    best = np.zeros(demands)
    np.maximum.at(best, of, effect)
    score = best[rounding.flow_demand] * rounding.part * random.random(len(choice))
    order = np.argsort(-score, kind="stable")[:most]
    return np.sort(order[score[order] > 0])


def _links(base: NDArray[np.float64], shift: sparse.csc_array) -> NDArray[np.intp]:
    """The links that may be the most used: those that the free flows can raise above the least
    that some link keeps whatever they do."""
    rise, fall = shift.copy(), shift.copy()
    rise.data, fall.data = np.maximum(rise.data, 0.0), np.minimum(fall.data, 0.0)
    least = float((base + fall.sum(axis=1)).max(initial=0.0))
    return np.flatnonzero(base + rise.sum(axis=1) >= least)


def _program(
    base: NDArray[np.float64],
    shift: sparse.csr_array,
    flow: NDArray[np.intp],
    flows: int,
    moves: int,
) -> Any:
    """Column 0 is the highest utilization; the others are whether a flow takes a path."""
    links, count = shift.shape
    highest = sparse.csr_array(-np.ones((links, 1)))
    each = sparse.csr_array((np.ones(count), (flow, np.arange(1, count + 1))), (flows, count + 1))
    moved = sparse.csr_array(np.append(0.0, np.ones(count))[None, :])
    matrix = sparse.vstack([sparse.hstack([highest, shift]), each, moved], format="csc")
    upper = np.concatenate([-base, np.ones(flows), [float(moves)]])
    cost = np.append(1.0, np.zeros(count))
    most = np.append(highs.INFINITY, np.ones(count))
    whole = np.append(False, np.ones(count, np.bool_))
    solver = highs.solver(mip_rel_gap=_TOLERANCE)
    solver.passModel(
        highs.model(matrix, cost, most, np.full(len(upper), -highs.INFINITY), upper, whole)
    )
    return solver
