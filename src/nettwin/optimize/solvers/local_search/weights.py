"""Weights: local search over IGP weights, loads under ECMP brought up to date target by target.

Powers of utilizations grow while the search finds nothing better; then it begins anew from the best
weights with some room to get worse.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nettwin.optimize.problems.link_weights import LinkWeightProblem
from nettwin.optimize.search import Search
from nettwin.optimize.solvers.local_search import weight_kernels as kernels
from nettwin.optimize.solvers.local_search.weight_moves import steps, undo
from nettwin.scenario.shortest import adjacency, tree_of

PIECE = 2_000_000  # nodes times links times states times steps between two looks at the clock
SAME = 1e-9  # relative difference of utilizations that are equal


def weights(
    weight_problem: LinkWeightProblem,
    search: Search[NDArray[np.float64]],
    seed: int = 0,
    begin: NDArray[np.float64] | None = None,
) -> None:
    """Search weights of the lowest highest utilization, and offer what is found.

    A sum of powers of utilizations stands for the highest one, so that of two answers with the
    same busiest link the better balanced one is better. The first offer is the weights of today, or
    those to begin from [links] where another method has found some. What is offered changes no
    weight that need not have changed (see `fewest_weights`), and is as good as told or better.
    """
    net, random = _graph_of(weight_problem), np.random.default_rng(seed)
    best = np.array(weight_problem.start if begin is None else begin)
    paths = _paths_of(weight_problem, best)
    kernels.route_all(net, paths)
    top, _ = kernels.judge(net, paths, 0, 1.0, 1)
    search.offer(top, np.array(best))
    if not net.movable.size or not net.choices.size or top == 0.0:
        return
    params = search.params.weights
    ramp = list(params.squarings)
    while not search.over:
        slack = 1.0 if ramp else params.worse
        squarings = ramp.pop(0) if ramp else int(random.choice(params.squarings))
        if not _accepting(weight_problem, net, paths, search, squarings, slack, best, random):
            return
        paths.weight[:] = best
        paths.load_bps[0] = weight_problem.fixed_bps.reshape(net.live.shape)
        kernels.route_all(net, paths)


def _accepting(
    weight_problem: LinkWeightProblem,
    net: kernels.Graph,
    paths: kernels.RoutedWeights,
    search: Search[NDArray[np.float64]],
    squarings: int,
    slack: float,
    best: NDArray[np.float64],
    random: np.random.Generator,
) -> bool:
    """Late acceptance by one power of utilizations until nothing helps; False where the search is
    over. `best` [links] is changed in place."""
    params, scale, piece = search.params.weights, search.value, _piece(net)
    _, total = kernels.judge(net, paths, 0, scale, squarings)
    history = np.full(params.memory, total * slack ** (2**squarings))
    standing = np.array([total, 0.0, scale, 0.0, total])
    while standing[1] - standing[3] < params.patience * net.source.size:
        rules = weight_problem.most_changes, squarings, scale
        steps(net, paths, piece, *rules, history, standing, best, random)
        if standing[2] < search.value:
            tries = params.undone * piece
            found = partial(fewest_weights, weight_problem, np.array(best), tries)
            search.offer(standing[2], found)
        if not search.step(piece):
            return False
    return True


def fewest_weights(
    weight_problem: LinkWeightProblem, weight: NDArray[np.float64], tries: int = 10**6
) -> NDArray[np.float64]:
    """Weights [links] of which those are as today again that need not differ for no link to get
    busier, as far as some tries go."""
    net, paths = _graph_of(weight_problem), _paths_of(weight_problem, weight)
    kernels.route_all(net, paths)
    top, _ = kernels.judge(net, paths, 0, 1.0, 0)
    undo(net, paths, top * (1.0 + SAME), tries)
    return np.asarray(paths.weight)


def _piece(net: kernels.Graph) -> int:
    return max(PIECE // int(net.live.size * len(net.demand_bps)), 1)


def _graph_of(weight_problem: LinkWeightProblem) -> kernels.Graph:
    first, states = weight_problem.topologies[0], len(weight_problem.topologies)
    links = first.link_count
    lists: list[Any] = []
    for into in (True, False):
        offsets = np.zeros((states, first.node_count + 1), np.int64)
        listed = np.zeros((states, links), np.int32)
        for state, topology in enumerate(weight_problem.topologies):
            offsets[state], live = adjacency(topology, into=into)
            listed[state, : live.size] = live
        lists += [offsets, listed]
    return kernels.Graph(
        first.link_source,
        first.link_target,
        lists[0],
        lists[1],
        lists[2],
        lists[3],
        np.stack([topology.link_live for topology in weight_problem.topologies]),
        np.ascontiguousarray(weight_problem.demand_bps.T),
        weight_problem.capacity_bps.reshape(states, links),
        weight_problem.choices,
        np.flatnonzero(weight_problem.movable),
        weight_problem.start,
    )


def _paths_of(
    weight_problem: LinkWeightProblem, weight: NDArray[np.float64]
) -> kernels.RoutedWeights:
    states, nodes = len(weight_problem.topologies), weight_problem.topologies[0].node_count
    links, rows = weight.size, states * nodes
    load_bps = np.zeros((2, states, links))
    load_bps[0] = weight_problem.fixed_bps.reshape(states, links)
    return kernels.RoutedWeights(
        np.array(weight),
        np.zeros((2, rows, nodes)),
        np.zeros((2, rows, nodes), np.int32),
        np.zeros((2, rows, links)),
        load_bps,
        np.zeros(rows, np.int64),
        np.zeros(links, np.int64),
        np.zeros(links),
        tree_of(nodes, links),
        np.zeros(nodes),
    )
