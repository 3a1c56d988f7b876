"""Pricing of explicit paths: the cheapest of some flows at prices of links, by shortest path trees.

Where the propagation of a flow is limited, the cheapest path within the limit is sought among the
shortest ones by price with more and more delay in it; the last of these is the shortest by delay,
so that a path within the limit is found wherever there is one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nettwin.compiled import compiled
from nettwin.optimize.problems.explicit_paths import ExplicitPathProblem
from nettwin.scenario.shortest import adjacency, grow, tree_of

DELAYS = (0.1, 0.3, 1.0, 3.0, 10.0, 1e9)  # the weights of delay beside price, where it is limited


class Demands(NamedTuple):
    """Who wants a path: flows, or groups of flows that are alike."""

    source: NDArray[np.int64]  # [demands]
    target: NDArray[np.int64]  # [demands]
    group: NDArray[np.int32]  # [demands] of the links to avoid, -1: none
    limit_s: NDArray[np.float64]  # [demands]

    @classmethod
    def of(cls, path_problem: ExplicitPathProblem, flows: NDArray[Any]) -> Demands:
        """Some flows of a problem."""
        group = path_problem.group
        return cls(
            path_problem.source[flows].astype(np.int64),
            path_problem.target[flows].astype(np.int64),
            group[flows] if group.size else np.full(len(flows), -1, np.int32),
            path_problem.limit_s[flows],
        )


class Priced(NamedTuple):
    """The shortest paths of some demands; all links up, none to avoid."""

    demand: NDArray[np.intp]  # [k]
    length: NDArray[np.float64]  # [k], inf where there is no path
    path: NDArray[np.int32]  # [k, width] links, padded with -1
    cheapest: bool  # by price alone, whatever the limits


def priced_paths(
    path_problem: ExplicitPathProblem, demands: Demands, price: NDArray[np.float64]
) -> Iterator[Priced]:
    """Paths that are cheap at prices of links [links]: of every demand the cheapest, of those with
    a limit on their delay others that are shorter."""
    topology = path_problem.topology
    delay_s = topology.link_delay_s
    weight = float(price.mean()) / max(float(delay_s.mean()), 1e-12)
    for group in np.unique(demands.group).tolist():
        here = np.flatnonzero(demands.group == group)
        length = price
        if group >= 0:
            length = np.where(path_problem.excluded[group], np.inf, price)
        yield Priced(here, *_shortest(path_problem, demands, here, length), True)
        limited = here[np.isfinite(demands.limit_s[here])]
        for factor in DELAYS if len(limited) else ():
            slower = length + factor * weight * delay_s
            yield Priced(limited, *_shortest(path_problem, demands, limited, slower), False)


def _shortest(
    path_problem: ExplicitPathProblem,
    demands: Demands,
    here: NDArray[np.intp],
    length: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    topology = path_problem.topology
    order = np.argsort(demands.source[here], kind="stable")
    ends = demands.source[here[order]], demands.target[here[order]]
    link_ends = topology.link_source, topology.link_target
    found = _paths(*adjacency(topology), *link_ends, np.asarray(length, np.float64), *ends)
    least, path = np.empty_like(found[0]), np.empty_like(found[1])
    least[order], path[order] = found
    return least, path


@compiled
def _paths(
    offset: Any, out: Any, link_source: Any, link_target: Any, length: Any, source: Any, target: Any
) -> Any:
    """The shortest path of each demand, inf and none where there is none; demands stand by
    source."""
    nodes = offset.size - 1
    least = np.full(source.size, np.inf)
    path = np.full((source.size, max(nodes - 1, 1)), -1, np.int32)
    tree, root = tree_of(nodes, out.size), -1
    for i in range(source.size):
        if source[i] != root:
            root = source[i]
            grow(tree, root, offset, out, link_target, length)
        if tree.link[target[i]] < 0:
            continue
        least[i] = tree.distance[target[i]]
        hops, at = 0, target[i]
        while at != root:
            at = link_source[tree.link[at]]
            hops += 1
        at = target[i]
        while at != root:
            hops -= 1
            path[i, hops] = tree.link[at]
            at = link_source[tree.link[at]]
    return least, path
