"""Link loads under many failures: what fails is routed anew, all else is taken from before.

Traffic toward one target only changes where one of the links that it takes fails. There, only nodes
that lose all their next hops get a new distance (Ramalingam and Reps, Journal of Algorithms 21,
1996), and the demand toward that target is spread again. So thousands of failures take seconds, no
flow's paths are needed, and loads are exact however many paths a flow splits over.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nettwin.compiled import compiled
from nettwin.scenario.ecmp import leg_demand, legs_of
from nettwin.scenario.pathfinding import resolve
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.shortest import (
    adjacency,
    grow,
    next_hop,
    rise,
    shortest_path_distances,
    sink,
    tree_of,
)

Floats = NDArray[np.float64]
BLOCK_BYTES = 64 * 2**20  # of the loads of targets that are looked at together
STAYS, MOVED, SETTLED = range(3)  # what becomes of a node
DUST = 1e-12  # of the largest load: what rounding may leave on a link

njit_nogil = partial(compiled, nogil=True)


class FailureLoads(NamedTuple):
    """What happens to the links under each failure."""

    load_bps: Floats  # [failures, links] offered load, nothing lost
    unroutable_bps: Floats  # [failures] offered by flows without a path


def loads_under_failures(
    scenario: Scenario, failures: Sequence[NDArray[np.intp] | Sequence[int]]
) -> FailureLoads:
    """The exact offered load of every link under each failure, and the traffic without a path.

    A failure is the indices of the links that it takes down: one, both directions, all links of a
    node or of a shared-risk group, or those of several such failures together. As after `FailLink`,
    flows follow the routing that remains. Memory grows with failures times links: give thousands of
    failures of a large network in parts.
    """
    topology, routing = scenario.topology, scenario.routing
    dead = [np.unique(np.asarray(links, np.int64)) for links in failures]
    offset = np.concatenate([[0], np.cumsum([len(links) for links in dead])]).astype(np.int64)
    links = np.concatenate([*dead, np.zeros(0, np.int64)])
    found = FailureLoads(np.zeros((len(dead), topology.link_count)), np.zeros(len(dead)))
    if routing.next_link is not None:
        again = np.ones(len(dead), np.bool_)
    else:
        again = _by_target(scenario, offset, links, found)
    for f in np.flatnonzero(again).tolist():
        found.load_bps[f], found.unroutable_bps[f] = _one(scenario, dead[f])
    return found


def _by_target(
    scenario: Scenario, offset: NDArray[np.int64], links: NDArray[np.int64], found: FailureLoads
) -> NDArray[np.bool_]:
    """Fill in all failures; which of them break a path of a steered flow, so that its shares
    change and what was filled in is void. [failures]"""
    topology, traffic, routing = scenario.topology, scenario.traffic, scenario.routing
    explicit = np.zeros(traffic.flow_count, np.bool_)
    explicit[[f for f, candidates in routing.steer.items() if any(w.links for w in candidates)]] = (
        True
    )
    kept = np.flatnonzero(~explicit)
    common, rules = traffic.keep(kept), routing.keep(kept)
    demand = np.ascontiguousarray(leg_demand(topology, common, rules))
    legs = np.zeros(demand.shape, np.bool_)
    _, _, _, source, target = legs_of(common.flow_source, common.flow_target, rules.steer)
    legs[source, target] = True
    fixed = np.zeros(topology.link_count)
    if explicit.any():
        chosen = np.flatnonzero(explicit)
        own = traffic.keep(chosen)
        paths = resolve(routing.keep(chosen), topology, own)
        fixed = np.asarray(paths.link_loads(own.flow_rate_bps, topology.link_count))
        found.unroutable_bps[:] = own.flow_rate_bps[paths.status > 0].sum()
    found.load_bps[:] = fixed
    again = np.zeros(len(found.load_bps), np.bool_)
    np.logical_or.at(again, np.repeat(np.arange(len(again)), np.diff(offset)), fixed[links] > 0)
    graph = Graph(
        topology.link_source,
        topology.link_target,
        topology.link_weight,
        *adjacency(topology),
        *adjacency(topology, into=True),
    )
    targets = np.flatnonzero(demand.any(axis=0)).astype(np.int64)
    each = 12 * topology.link_count + 20 * topology.node_count
    block = max(BLOCK_BYTES // each, 1)
    for first in range(0, len(targets), block):
        _fill(
            targets[first : first + block],
            demand,
            legs,
            offset,
            links,
            graph,
            routing.ecmp,
            found.load_bps,
            found.unroutable_bps,
            again,
        )
    load = found.load_bps
    load[np.abs(load) < DUST * load.max(initial=0.0)] = 0.0
    load[np.repeat(np.arange(len(load)), np.diff(offset)), links] = 0.0
    return again


def _one(scenario: Scenario, dead: NDArray[np.int64]) -> tuple[Floats, float]:
    """One failure by itself, all flows routed anew."""
    topology, traffic = scenario.topology, scenario.traffic
    up = topology.link_up.copy()
    up[dead] = False
    failed = scenario.with_(topology=topology.with_arrays(link_up=up))
    if scenario.routing.next_link is not None:
        lost = failed.paths.status > 0
    else:
        distance = shortest_path_distances(failed.topology, traffic.flow_target).distance
        lost = np.isinf(distance[traffic.flow_target, traffic.flow_source])
    return failed.link_load_bps, float(traffic.flow_rate_bps[lost].sum())


class Graph(NamedTuple):
    """The links that are up. Those that leave node u are `out[out_offset[u]:out_offset[u + 1]]`,
    those that lead to it `into[into_offset[u]:into_offset[u + 1]]`."""

    source: NDArray[np.int32]  # [links]
    target: NDArray[np.int32]  # [links]
    weight: Floats  # [links]
    out_offset: NDArray[np.int64]  # [nodes + 1]
    out: NDArray[np.int32]
    into_offset: NDArray[np.int64]  # [nodes + 1]
    into: NDArray[np.int32]


class Before(NamedTuple):
    """The shortest paths to one target while nothing has failed."""

    distance: Floats  # [nodes]
    rank: NDArray[np.int32]  # [nodes] from the target outward
    order: NDArray[np.int32]  # [nodes that reach it] by rank
    begin: NDArray[np.int32]  # [nodes + 1] of the next hops of each node, by rank
    hops: NDArray[np.int32]  # links


class After(NamedTuple):
    """The shortest paths to it without what has failed, and work space. Arrays are [nodes] and
    more."""

    distance: Floats
    rank: NDArray[np.int32]
    order: NDArray[np.int32]
    fate: NDArray[np.int8]
    settled: NDArray[np.int32]
    through: Floats
    lengths: Floats  # [links + 2]
    places: NDArray[np.int32]  # [links + 2]


@njit_nogil
def _fill(
    targets: Any,
    demand: Any,
    legs: Any,
    fail_offset: Any,
    fail_links: Any,
    graph: Any,
    ecmp: bool,
    load: Any,
    unroutable: Any,
    again: Any,
) -> None:
    """Add the loads of a block of targets to every failure."""
    nodes, links, failures = demand.shape[0], graph.source.size, fail_offset.size - 1
    distances = np.full((targets.size, nodes), np.inf)
    ranks = np.full((targets.size, nodes), nodes, np.int32)
    orders = np.empty((targets.size, nodes), np.int32)
    begins = np.empty((targets.size, nodes + 1), np.int32)
    hops = np.empty((targets.size, graph.out.size), np.int32)
    reached = np.zeros(targets.size, np.int64)
    base, total = np.zeros((targets.size, links)), np.zeros(links)
    lost, lost_in_all = np.zeros(targets.size), 0.0
    dead = np.zeros(links, np.bool_)
    after = After(
        np.empty(nodes),
        np.empty(nodes, np.int32),
        np.empty(nodes, np.int32),
        np.zeros(nodes, np.int8),
        np.empty(nodes, np.int32),
        np.empty(nodes),
        np.empty(links + 2),
        np.empty(links + 2, np.int32),
    )
    tree = tree_of(nodes, links)
    for i in range(targets.size):
        grow(tree, targets[i], graph.into_offset, graph.into, graph.source, graph.weight)
        distances[i], ranks[i] = tree.distance, tree.rank
        reached[i] = _hops_before(graph, distances[i], ranks[i], orders[i], begins[i], hops[i])
        order = orders[i, : reached[i]]
        before = Before(distances[i], ranks[i], order, begins[i], hops[i])
        count = _nearer(before, graph, dead, after)
        lost[i] = _spread(targets[i], count, demand, before, graph, dead, ecmp, after, base[i])
        lost_in_all += lost[i]
        for e in range(links):
            total[e] += base[i, e]
    row = np.empty(links)
    for f in range(failures):
        mine = fail_links[fail_offset[f] : fail_offset[f + 1]]
        for e in range(links):
            load[f, e] += total[e]
        unroutable[f] += lost_in_all
        for e in mine:
            dead[e] = True
        for i in range(targets.size):
            touched = False
            for e in mine:
                touched |= base[i, e] > 0.0
            if not touched:
                continue
            order = orders[i, : reached[i]]
            before = Before(distances[i], ranks[i], order, begins[i], hops[i])
            count = _nearer(before, graph, dead, after)
            row[:] = 0.0
            gone = _spread(targets[i], count, demand, before, graph, dead, ecmp, after, row)
            unroutable[f] += gone - lost[i]
            if count < reached[i]:
                for u in order:
                    again[f] |= legs[u, targets[i]] and after.distance[u] == np.inf
            for e in range(links):
                load[f, e] += row[e] - base[i, e]
        for e in mine:
            dead[e] = False


@compiled
def _hops_before(graph: Any, distance: Any, rank: Any, order: Any, begin: Any, hops: Any) -> Any:
    """Fill in order, begin and hops of Before; how many nodes reach the target."""
    reached, count = 0, 0
    for u in range(rank.size):
        if rank[u] < rank.size:
            order[rank[u]] = u
            reached += 1
    for r in range(reached):
        u = order[r]
        begin[r] = count
        for k in range(graph.out_offset[u], graph.out_offset[u + 1]):
            e = graph.out[k]
            if next_hop(e, u, graph.weight, graph.target, distance, rank):
                hops[count] = e
                count += 1
    begin[reached] = count
    return reached


@compiled
def _nearer(before: Any, graph: Any, dead: Any, after: Any) -> Any:
    """Fill in distances to a target without the links that are `dead`, and the nodes in their new
    order; how many are reached.

    Nodes that keep a next hop keep their distance; the others are settled anew, from what they
    still reach.
    """
    nodes, order, distance = before.rank.size, before.order, before.distance
    near, rank, fate, settled = after.distance, after.rank, after.fate, after.settled
    lengths, places, target, weight = after.lengths, after.places, graph.target, graph.weight
    near[:] = distance
    fate[:] = STAYS
    moved = 0
    for r in range(1, order.size):
        keeps = False
        for k in range(before.begin[r], before.begin[r + 1]):
            e = before.hops[k]
            keeps |= not dead[e] and fate[target[e]] == STAYS
        if not keeps:
            fate[order[r]], near[order[r]] = MOVED, np.inf
            settled[moved] = order[r]
            moved += 1
    size = 0
    for i in range(moved):
        u = settled[i]
        for k in range(graph.out_offset[u], graph.out_offset[u + 1]):
            e = graph.out[k]
            v = target[e]
            if not dead[e] and fate[v] == STAYS:
                near[u] = min(near[u], weight[e] + distance[v])
        if near[u] < np.inf:
            rise(lengths, places, size, near[u], u)
            size += 1
    count = 0
    while size > 0:
        length, v = lengths[0], places[0]
        size -= 1
        sink(lengths, places, size)
        if fate[v] == SETTLED:
            continue
        fate[v] = SETTLED
        settled[count] = v
        count += 1
        for k in range(graph.into_offset[v], graph.into_offset[v + 1]):
            e = graph.into[k]
            u = graph.source[e]
            if dead[e] or fate[u] != MOVED:
                continue
            further = length + weight[e]
            if further < near[u]:
                near[u] = further
                rise(lengths, places, size, further, u)
                size += 1
    a, b, place = 0, 0, 0
    rank[:] = nodes
    while True:  # both in the order of their distance
        while a < order.size and fate[order[a]] != STAYS:
            a += 1
        if a == order.size and b == count:
            return place
        if b == count or (a < order.size and near[order[a]] <= near[settled[b]]):
            u = order[a]
            a += 1
        else:
            u = settled[b]
            b += 1
        after.order[place] = u
        rank[u] = place
        place += 1


@compiled
def _spread(
    t: int,
    count: int,
    demand: Any,
    before: Any,
    graph: Any,
    dead: Any,
    ecmp: bool,
    after: Any,
    load: Any,
) -> Any:
    """Add what the demand toward t puts on the links; the demand of nodes that do not reach it."""
    near, rank, fate, through = after.distance, after.rank, after.fate, after.through
    target = graph.target
    lost = 0.0
    for u in range(near.size):
        through[u] = demand[u, t]
        if near[u] == np.inf:
            lost += demand[u, t]
    for r in range(count - 1, 0, -1):  # farthest first: all that passes u has arrived
        u = after.order[r]
        if through[u] == 0.0:
            continue
        if fate[u] == STAYS:  # it has lost next hops at most
            links = before.hops
            first, end = before.begin[before.rank[u]], before.begin[before.rank[u] + 1]
        else:
            links = graph.out
            first, end = graph.out_offset[u], graph.out_offset[u + 1]
        fan = 0
        for turn in range(2):
            part = through[u] / max(fan, 1)
            for k in range(first, end):
                e = links[k]
                if dead[e]:
                    continue
                if (fate[u] != STAYS or fate[target[e]] != STAYS) and not next_hop(
                    e, u, graph.weight, target, near, rank
                ):
                    continue
                if turn == 0:
                    fan += 1
                else:
                    load[e] += part
                    through[target[e]] += part
                if not ecmp:
                    break
    return lost
