"""Networks, and what they count of demands."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nettwin.apps.demands.equations import equations_of
from nettwin.formats.counters import Counters
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.topology import Link, Topology
from nettwin.scenario.traffic import Traffic

Floats = NDArray[np.float64]
EDGES = "AB AC BC BD CE DE DF EF"


def network(edges: str = EDGES, capacity_bps: float = 1e10) -> Scenario:
    """A network of links in both directions, without traffic."""
    pairs = edges.split()
    topology = Topology.build(
        sorted(set("".join(pairs))), [Link(a, b, capacity_bps) for a, b in pairs], duplex=True
    )
    return Scenario(topology, Traffic.build(topology, []))


def counted(scenario: Scenario, demand_bps: Floats, interval_s: float = 300.0) -> Counters:
    """What links and nodes count of matrices [times, nodes, nodes]."""
    times = np.arange(len(demand_bps)) * interval_s
    links, nodes = scenario.topology.link_count, scenario.topology.node_count
    empty = Counters(times, *(np.full((len(times), k), np.nan) for k in (links, nodes, nodes)))
    equations = equations_of(scenario, empty)
    return Counters(times, *equations.parts(equations.counted(equations.of_pairs(demand_bps))))


def course(
    nodes: int, times: int, seed: int, *, uneven: float = 1.0, interval_s: float = 300.0
) -> Floats:
    """Matrices in time: gravity times an uneven factor of each pair, the rhythm of a day, and
    bursts of each pair. [times, nodes, nodes]"""
    random = np.random.default_rng(seed)
    size = random.lognormal(0.0, 0.8, (2, nodes))
    level = np.outer(*size) * random.lognormal(0.0, uneven, (nodes, nodes)) * 1e7
    np.fill_diagonal(level, 0.0)
    day = np.arange(times) * interval_s / 86400.0
    rhythm = 1 + 0.4 * np.sin(2 * np.pi * day)[:, None, None]
    noise = random.lognormal(0.0, 0.15, (times, nodes, nodes))
    return np.asarray(level * rhythm * noise)


def off_by(found: Floats, truth: Floats) -> float:
    """Norm of the error over norm of the truth."""
    return float(np.linalg.norm(found - truth) / np.linalg.norm(truth))
