"""FlowProblem: demand that may be split over any paths, as arrays; and what link lengths prove.

For any lengths of links that are not negative, no routing whatever has a lower highest utilization
than

    (sum of demand * shortest length of its path + sum of fixed load * length)
    / (sum of capacity * length)

because a routing whose utilizations are all at most U pays at most U * capacity * length, and each
demand pays at least its shortest path. This is the dual of the multicommodity flow; good lengths
make it tight, and bad ones are only weak, never wrong.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nettwin.compiled import compiled
from nettwin.errors import InputError
from nettwin.optimize.problems.segment_routing import SegmentRoutingProblem
from nettwin.quantity import ReadOnly
from nettwin.scenario.shortest import grow, tree_of
from nettwin.scenario.topology import Topology


class Toll(NamedTuple):
    """What link lengths prove, and the load of the shortest paths under them."""

    bound: float
    load_bps: NDArray[np.float64]  # [links], fixed load included


@dataclass(frozen=True)
class FlowProblem(ReadOnly):
    """Minimize the highest utilization when demand may be split over any paths.

    `capacity_bps` is what a link may carry (its capacity times the limit on its utilization);
    `fixed_bps` is load that stays where it is. The links that can carry traffic stand by source:
    those of node u are `out[offset[u]:offset[u + 1]]`.
    """

    link_source: NDArray[np.int32]  # [links]
    link_target: NDArray[np.int32]  # [links]
    capacity_bps: NDArray[np.float64]  # [links]
    fixed_bps: NDArray[np.float64]  # [links]
    demand_bps: NDArray[np.float64]  # [nodes, nodes]
    offset: NDArray[np.int64]  # [nodes + 1]
    out: NDArray[np.int32]  # [live links]

    @classmethod
    def of(
        cls,
        topology: Topology,
        demand_bps: NDArray[np.float64],
        capacity_bps: NDArray[np.float64] | None = None,
        fixed_bps: NDArray[np.float64] | None = None,
        *,
        drop_unreachable: bool = False,
    ) -> FlowProblem:
        """The problem of a topology and a matrix of demand [source, target].

        Raises InputError for a capacity that is not above 0, and for demand that has no path
        unless that is dropped.
        """
        capacity = topology.link_capacity_bps if capacity_bps is None else capacity_bps
        fixed = np.zeros(topology.link_count) if fixed_bps is None else fixed_bps
        for e in np.flatnonzero(~(capacity > 0))[:1].tolist():
            raise InputError(
                f"the limit of link {topology.link_name[e]} is {capacity[e]:g} bit/s: must be above"
                " 0. Raise its capacity or the limit on its utilization."
            )
        demand = np.array(demand_bps, np.float64)
        np.fill_diagonal(demand, 0.0)
        live = np.flatnonzero(topology.link_live)
        offset, order = _by_source(topology.link_source, live, topology.node_count)
        lost = (demand > 0) & np.isinf(
            _all_lengths(offset, order, topology.link_target, np.ones(topology.link_count))
        )
        if lost.any() and not drop_unreachable:
            raise InputError(_lost(topology, lost))
        demand[lost] = 0.0
        return cls(
            topology.link_source, topology.link_target, capacity, fixed, demand, offset, order
        )

    @property
    def nodes(self) -> int:
        """How many nodes."""
        return len(self.demand_bps)

    @property
    def links(self) -> int:
        """How many links."""
        return len(self.capacity_bps)

    def toll(self, lengths: NDArray[np.float64]) -> Toll:
        """The lower bound that link lengths [links] prove, and the load of shortest paths.

        Raises InputError for a length that is negative or not a number.
        """
        if not (lengths >= 0).all():
            raise InputError("a link length is below 0 or not a number: must be 0 or more.")
        paid, load = _toll(
            self.offset,
            self.out,
            self.link_source,
            self.link_target,
            np.ascontiguousarray(lengths, np.float64),
            self.demand_bps,
        )
        worth = float(self.capacity_bps @ lengths)
        paid += float(self.fixed_bps @ lengths)
        return Toll(paid / worth if worth > 0 else 0.0, load + self.fixed_bps)


def problems_of(
    segment_problem: SegmentRoutingProblem, live: NDArray[np.bool_] | None = None
) -> list[FlowProblem]:
    """The problem of each state of the network, when what may move may take any paths.

    `live` [states, links] says which links can carry traffic; without it all are thought to, which
    makes bounds of states with failures weaker. A flow that a state leaves without a path is no
    demand there.
    """
    segments, links = segment_problem.segments, segment_problem.segments.links
    free = segment_problem.movable & (segment_problem.rate_bps > 0)
    stays = replace(segment_problem, rate_bps=np.where(free, 0.0, segment_problem.rate_bps))
    held = stays.loads(np.array(segment_problem.start))
    found = []
    for state in range(segments.states):
        whole = free & ~segments.broken[state, segment_problem.source, segment_problem.target]
        demand = np.zeros((segments.nodes, segments.nodes))
        np.add.at(
            demand,
            (segment_problem.source[whole], segment_problem.target[whole]),
            segment_problem.rate_bps[whole],
        )
        np.fill_diagonal(demand, 0.0)
        part = slice(state * links, (state + 1) * links)
        up = np.flatnonzero(live[state]) if live is not None else np.arange(links)
        found.append(
            FlowProblem(
                segments.link_source,
                segments.link_target,
                segment_problem.capacity_bps[part],
                held[part],
                demand,
                *_by_source(segments.link_source, up, segments.nodes),
            )
        )
    return found


def _by_source(
    link_source: NDArray[np.int32], live: NDArray[np.intp], nodes: int
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Live links by source: offset [nodes + 1] and links."""
    order = live[np.argsort(link_source[live], kind="stable")].astype(np.int32)
    counts = np.bincount(link_source[live], minlength=nodes)
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64), order


def _lost(topology: Topology, lost: NDArray[np.bool_]) -> str:
    pairs = np.argwhere(lost)
    names = topology.node_name
    shown = ", ".join(f"{names[s]}->{names[t]}" for s, t in pairs[:5])
    more = f" and {len(pairs) - 5} more" if len(pairs) > 5 else ""
    return (
        f"the demand {shown}{more} has no path over links that are up: must be reachable. Drop it,"
        " or mend the network."
    )


@compiled
def _all_lengths(offset: Any, out: Any, link_target: Any, length: Any) -> Any:
    nodes = offset.size - 1
    lengths = np.empty((nodes, nodes))
    tree = tree_of(nodes, out.size)
    for s in range(nodes):
        grow(tree, s, offset, out, link_target, length)
        lengths[s] = tree.distance
    return lengths


@compiled
def _toll(
    offset: Any, out: Any, link_source: Any, link_target: Any, length: Any, demand: Any
) -> Any:
    """What all demand pays at least, and the load of the shortest paths."""
    nodes = demand.shape[0]
    load = np.zeros(length.size)
    tree, through = tree_of(nodes, out.size), np.zeros(nodes)
    paid = 0.0
    for s in range(nodes):
        reached = grow(tree, s, offset, out, link_target, length)
        for i in range(reached - 1, 0, -1):
            v = tree.order[i]
            if demand[s, v] > 0.0:
                paid += demand[s, v] * tree.distance[v]
            amount = through[v] + demand[s, v]
            through[v] = 0.0
            e = tree.link[v]
            load[e] += amount
            through[link_source[e]] += amount
        through[s] = 0.0
    return paid, load
