"""Instances: networks and demands of our own making to learn from, the same for the same seed.

Shapes of `scenario.graphs`, some capacities, weights and demands of several kinds. Nothing depends
on the scale of demands, as agents see utilizations relative to the highest alone.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nettwin.optimize.problems.segment_flows import SegmentFlows
from nettwin.optimize.problems.segment_routing import NONE, SegmentRoutingProblem
from nettwin.scenario import graphs
from nettwin.scenario.generate import fiber_delay_s, gravity_demand
from nettwin.scenario.topology import Link, Node, Topology

SHAPES = (
    graphs.waxman,
    graphs.geometric,
    graphs.gabriel,
    graphs.barabasi_albert,
    graphs.ladder,
    graphs.ring,
)
TIERS_BPS = (1e9, 2.5e9, 10e9, 40e9)


class Instance(NamedTuple):
    """A network and what is sent between its nodes."""

    topology: Topology
    demand_bps: NDArray[np.float64]  # [source, target]


def made(least_nodes: int, most_nodes: int, random: np.random.Generator) -> Instance:
    """One synthetic network with demands."""
    topology = _topology(least_nodes, most_nodes, random)
    return Instance(topology, _demand(topology, random))


def segment_routing_problem(instance: Instance) -> SegmentRoutingProblem:
    """Single midpoints for all demands, without limits."""
    topology, demand = instance
    source, target = (ends.astype(np.int32) for ends in np.nonzero(demand))
    flows, nodes = len(source), topology.node_count
    return SegmentRoutingProblem(
        segments=SegmentFlows.of([topology]),
        source=source,
        target=target,
        rate_bps=demand[source, target],
        movable=np.ones(flows, np.bool_),
        start=np.full((flows, 1), NONE, np.int32),
        capacity_bps=topology.link_capacity_bps,
        fixed_bps=np.zeros(topology.link_count),
        segment_delay_s=np.zeros((nodes, nodes)),
        limit_s=np.full(flows, np.inf),
    )


def _topology(least_nodes: int, most_nodes: int, random: np.random.Generator) -> Topology:
    nodes = int(random.integers(least_nodes, most_nodes + 1))
    middle = int(random.uniform(0.6, 1.0) * nodes)
    shape = SHAPES[random.integers(len(SHAPES))]
    graph = shape(middle + middle % 2, random)
    places = list(zip(graph.latitude_deg.tolist(), graph.longitude_deg.tolist(), strict=True))
    edges = set(graph.edges)
    # a few more, so that regular shapes have other paths as well
    for _ in range(int(random.integers(0, 1 + middle // 4))):
        a, b = sorted(random.choice(len(places), 2, replace=False).tolist())
        edges.add((a, b))
    _add_sites(places, edges, nodes - len(places), random)
    several = random.random() < 0.7
    capacity = random.choice(TIERS_BPS, len(edges)) if several else np.full(len(edges), 1e10)
    topology = Topology.build(
        [Node(str(k), *place) for k, place in enumerate(places)],
        [Link(str(a), str(b), float(c)) for (a, b), c in zip(sorted(edges), capacity, strict=True)],
        duplex=True,
    )
    return topology.with_arrays(link_weight=_weights(topology, random))


def _add_sites(
    places: list[tuple[float, float]],
    edges: set[tuple[int, int]],
    count: int,
    random: np.random.Generator,
) -> None:
    """Put sites half-way on lines, as real networks have many with two neighbors."""
    for _ in range(count):
        known = sorted(edges)
        a, b = known[random.integers(len(known))]
        new = len(places)
        places.append(((places[a][0] + places[b][0]) / 2, (places[a][1] + places[b][1]) / 2))
        edges.remove((a, b))
        edges |= {(a, new), (b, new)}


def _weights(topology: Topology, random: np.random.Generator) -> NDArray[np.float64]:
    """By inverse capacity, hops, distance or at random; alike in both directions."""
    kind = random.integers(4)
    capacity = topology.link_capacity_bps
    if kind == 0:
        return np.asarray(np.round(10 * capacity.max() / capacity))
    if kind == 1:
        return np.ones(topology.link_count)
    if kind == 2:
        return np.asarray(np.maximum(np.round(fiber_delay_s(topology) * 1e4), 1.0))
    drawn = random.integers(1, 21, topology.link_count // 2)
    return np.repeat(drawn, 2).astype(np.float64)


def _demand(topology: Topology, random: np.random.Generator) -> NDArray[np.float64]:
    """Gravity, evenly random, or with a few nodes that most traffic goes to or comes from."""
    nodes = topology.node_count
    kind = random.integers(3)
    if kind == 0:
        demand = gravity_demand(random.lognormal(0.0, 1.0, nodes))
    else:
        demand = random.exponential(1.0, (nodes, nodes))
    if kind == 2:
        hot = random.choice(nodes, max(1, nodes // 8), replace=False)
        demand[:, hot] *= 10.0
        demand[hot] *= 10.0
    demand *= random.random((nodes, nodes)) < random.uniform(0.4, 1.0)
    np.fill_diagonal(demand, 0.0)
    demand[0, 1] += 1e-3 * demand.max() + 1e-3  # never none at all
    return np.asarray(demand * 1e9)
