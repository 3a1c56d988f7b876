"""flow_lp: the multicommodity flow as one linear program, one commodity a target.

Exact, and slow for large networks (tens of seconds at 100 nodes and more): `flow_bound` is as good
for nearly all purposes and takes milliseconds. What it returns is proven by link lengths, as there,
so that rounding errors of the solver make it weaker and never wrong.
"""

from __future__ import annotations

import math
import time

import numpy as np
from scipy import sparse

from nettwin.optimize.solvers.linear import highs
from nettwin.optimize.solvers.linear.flow_bound import Bound
from nettwin.optimize.solvers.linear.flow_problem import FlowProblem


def flow_lp(problem: FlowProblem, seconds: float = math.inf) -> Bound | None:
    """The optimum and what proves it; None where the time did not suffice."""
    until = time.perf_counter() + seconds
    links, nodes = problem.links, problem.nodes
    targets = np.flatnonzero(problem.demand_bps.any(axis=0))
    live = np.sort(problem.out)
    unit = float(problem.capacity_bps[live].max(initial=1.0))
    count, size = len(targets), len(live)
    source, target = problem.link_source[live], problem.link_target[live]
    # rows: for each target, what leaves a node less what enters; then the capacity of each link
    flow = np.arange(count * size)
    which = flow // size
    leaves = which * nodes + np.tile(source, count)
    enters = which * nodes + np.tile(target, count)
    room = count * nodes + np.tile(np.arange(size), count)
    ones = np.ones(count * size)
    highest = count * size
    rows = np.concatenate([leaves, enters, room, count * nodes + np.arange(size)])
    columns = np.concatenate([flow, flow, flow, np.full(size, highest)])
    values = np.concatenate([ones, -ones, ones, -problem.capacity_bps[live] / unit])
    shape = (count * nodes + size, highest + 1)
    matrix = sparse.csc_array((values, (rows, columns)), shape=shape)
    sent = problem.demand_bps[:, targets].T / unit  # [targets, nodes]
    sent[np.arange(count), targets] = -sent.sum(axis=1)
    cost, upper = np.zeros(highest + 1), np.full(highest + 1, highs.INFINITY)
    cost[highest] = 1.0
    upper[:highest][source[flow % size] == targets[which]] = 0.0  # nothing leaves its target
    fixed = problem.fixed_bps[live] / unit
    lower = np.concatenate([sent.ravel(), np.full(size, -highs.INFINITY)])
    solver = highs.solver(solver="ipm")
    limit = np.concatenate([sent.ravel(), -fixed])
    solver.passModel(highs.model(matrix, cost, upper, lower, limit))
    if not highs.run(solver, lambda: until - time.perf_counter()):
        return None
    lengths = np.zeros(links)
    lengths[live] = np.maximum(-np.array(solver.getSolution().row_dual)[count * nodes :], 0.0)
    toll = problem.toll(lengths)
    return Bound(toll.bound, lengths, solver.getInfo().objective_function_value)
