"""Small networks to steer in, drawn at random."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nettwin.optimize.problems.segment_flows import SegmentFlows
from nettwin.optimize.problems.segment_routing import NONE, SegmentRoutingProblem
from nettwin.scenario.topology import Link, Topology

Demand = NDArray[np.float64]


def network(seed: int, nodes: int = 6) -> tuple[Topology, Demand]:
    """A ring with chords and parallel links, and demand of every pair. Rates are about 1e6."""
    rng = np.random.default_rng(seed)
    names = [f"n{i}" for i in range(nodes)]
    ends = [(i, (i + 1) % nodes) for i in range(nodes)]
    ends += [tuple(rng.choice(nodes, 2, replace=False)) for _ in range(3)]
    ends += ends[:1]
    links = [
        Link(
            names[a],
            names[b],
            capacity_bps=1e6 * rng.integers(5, 20),
            weight=float(rng.integers(1, 4)),
            delay_s=1e-3 * rng.integers(1, 5),
        )
        for a, b in ends
    ]
    demand = 1e6 * rng.uniform(0.2, 2.0, (nodes, nodes))
    np.fill_diagonal(demand, 0.0)
    return Topology.build(names, links, duplex=True), demand


def failed(topology: Topology, link: int) -> Topology:
    """The topology after a link (both directions, which stand side by side) has failed."""
    up = np.array(topology.link_up)
    up[[link, link ^ 1]] = False
    return topology.with_arrays(link_up=up)


def segment_problem(
    topologies: Sequence[Topology], demand: Demand, midpoints: int = 1, **parts: object
) -> SegmentRoutingProblem:
    """What may be steered when every pair's demand may move, from the common routing."""
    source, target = np.nonzero(demand)
    segments = SegmentFlows.of(topologies)
    flows, states = len(source), len(topologies)
    delay = np.concatenate([topologies[0].link_delay_s, np.zeros((states - 1) * segments.links)])
    arrays: dict[str, object] = {
        "segments": segments,
        "source": source.astype(np.int32),
        "target": target.astype(np.int32),
        "rate_bps": demand[source, target],
        "movable": np.ones(flows, np.bool_),
        "start": np.full((flows, midpoints), NONE, np.int32),
        "capacity_bps": np.tile(topologies[0].link_capacity_bps, states),
        "fixed_bps": np.zeros(states * segments.links),
        "segment_delay_s": segments.cost(delay),
        "limit_s": np.full(flows, np.inf),
    }
    return SegmentRoutingProblem(**{**arrays, **parts})  # type: ignore[arg-type]


def few_flows(
    seed: int, states: int = 1, midpoints: int = 1, **parts: object
) -> SegmentRoutingProblem:
    """Five flows that matter in a network of six nodes."""
    topology, demand = network(seed)
    rng = np.random.default_rng(seed)
    kept = np.zeros(demand.size, np.bool_)
    kept[rng.choice(np.flatnonzero(demand.ravel()), 5, replace=False)] = True
    demand = np.where(kept.reshape(demand.shape), 5 * demand, 0.0)
    every = [topology, *(failed(topology, 2 * k) for k in range(1, states))]
    return segment_problem(every, demand, midpoints, **parts)
