"""Generate: whole scenarios from a kind of network, a load, traffic classes and a scheduler.

`GENERATORS` holds the kinds: a real network (`nsfnet`), regular ones and random ones. The same
arguments give the same scenario. Sites have coordinates, so that links have the delay of their
length and every network can be drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from nettwin.errors import InputError, UnknownNameError
from nettwin.scenario import graphs
from nettwin.scenario.arrivals import CBR, MMPP, ArrivalProcess, Autocorrelated, OnOff, Poisson
from nettwin.scenario.graphs import Graph
from nettwin.scenario.packet_sizes import Discrete, Fixed, PacketSize
from nettwin.scenario.routing import Routing
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.scheduling import SCHEDULERS, Queue, Scheduler
from nettwin.scenario.topology import Link, Node, Topology
from nettwin.scenario.traffic import BEST_EFFORT, Traffic, concatenate

MAX_NODES = 2000
LIGHT_IN_FIBER_M_PER_S = 2 / 3 * 299_792_458.0
EARTH_RADIUS_M = 6_371_009.0

T = TypeVar("T")


@dataclass(frozen=True)
class Generator:
    """A kind of network: `graph(nodes, random)` draws one with about as many nodes."""

    name: str
    title: str
    graph: Callable[[int, np.random.Generator], Graph]
    nodes: int = 20
    least_nodes: int = 2
    capacity_bps: float = 100e6


GENERATORS: dict[str, Generator] = {
    g.name: g
    for g in (
        Generator(
            "nsfnet",
            "the NSFNET backbone: 14 sites in the United States, 21 links of 45 Mbit/s",
            graphs.nsfnet,
            14,
            14,
            45e6,
        ),
        Generator("line", "a chain of nodes", graphs.line, 5),
        Generator("ring", "a ring", graphs.ring, 8, 3),
        Generator("ladder", "two rails joined by rungs", graphs.ladder, 10, 4),
        Generator(
            "grid",
            "a rectangular mesh, as square as the number of nodes allows",
            graphs.grid,
            16,
            4,
        ),
        Generator("star", "a hub and its leaves", graphs.star, 8),
        Generator("tree", "a tree of two to four children a node", graphs.tree, 15),
        Generator("dumbbell", "two hubs with their leaves, over one link", graphs.dumbbell, 10, 4),
        Generator("full-mesh", "a link between every two nodes", graphs.full_mesh, 6),
        Generator(
            "fat-tree",
            "a data center of three layers, k pods (5k²/4 switches)",
            graphs.fat_tree,
            20,
            5,
            1e9,
        ),
        Generator("waxman", "random, near nodes joined more often (Waxman, 1988)", graphs.waxman),
        Generator("geometric", "random, all nodes within a distance joined", graphs.geometric),
        Generator(
            "gabriel",
            "random, planar like fiber networks (Gabriel and Sokal, 1969)",
            graphs.gabriel,
        ),
        Generator(
            "barabasi-albert",
            "random, scale-free by preferential attachment (Barabási and Albert, 1999)",
            graphs.barabasi_albert,
            20,
            3,
        ),
    )
}


# small acknowledgements, middle and full Ethernet payloads: the simple Internet mix, 7:4:1
INTERNET: PacketSize = Discrete((40 * 8.0, 576 * 8.0, 1500 * 8.0), (7.0, 4.0, 1.0))


@dataclass(frozen=True)
class ServiceClass:
    """A traffic class of a mix: its share of the traffic, and its weight where weights count."""

    name: str
    share: float = 1.0
    size: PacketSize = field(default_factory=lambda: INTERNET)
    weight: float = 1.0


MIXES: dict[str, tuple[ServiceClass, ...]] = {
    "single": (ServiceClass(BEST_EFFORT),),
    "three": (
        ServiceClass("voice", 0.10, Fixed(200 * 8.0), 5.0),
        ServiceClass("video", 0.35, Fixed(1200 * 8.0), 3.0),
        ServiceClass(BEST_EFFORT, 0.55, INTERNET, 1.0),
    ),
}
ARRIVAL_MIXES: dict[str, ArrivalProcess] = {
    "poisson": Poisson(),
    "cbr": CBR(),
    "onoff": OnOff(on_s=0.1, off_s=0.1),
    "mmpp": MMPP(rate_ratio=4.0, high_s=0.05, low_s=0.15),
    "autocorrelated": Autocorrelated(0.6),
}


def generate(
    kind: str = "nsfnet",
    *,
    nodes: int | None = None,
    seed: int = 1,
    load: float = 0.6,
    classes: str = "single",
    scheduler: str = "fifo",
    arrival: str = "poisson",
    capacity_bps: float | None = None,
    buffer_packets: float | None = None,
    buffer: Queue | None = None,
    ecmp: bool = True,
) -> Scenario:
    """A scenario of a kind: gravity traffic between all nodes, the busiest link loaded to `load`.

    `buffer` is what each queue can hold, or `buffer_packets`; without them the usual (see Queue).

    Raises UnknownNameError for a name in none of GENERATORS, MIXES, SCHEDULERS, ARRIVAL_MIXES and
    InputError for a number out of range.
    """
    generator = _choose("kind of network", kind, GENERATORS)
    mix = _choose("mix of traffic classes", classes, MIXES)
    process = _choose("arrival process", arrival, ARRIVAL_MIXES)
    _choose("scheduler", scheduler, SCHEDULERS)
    wanted = generator.nodes if nodes is None else nodes
    _within("nodes", wanted, generator.least_nodes, MAX_NODES)
    _within("load", load, 0.0, 10.0)
    _within("seed", seed, 0, 2**63)
    random = np.random.default_rng(seed)
    graph = generator.graph(wanted, random)
    queue = buffer or (Queue() if buffer_packets is None else Queue(buffer_packets))
    port = port_scheduler(scheduler, mix, queue)
    rate = generator.capacity_bps if capacity_bps is None else capacity_bps
    topology = Topology.build(
        [
            Node(*row)
            for row in zip(
                graph.names, graph.latitude_deg.tolist(), graph.longitude_deg.tolist(), strict=True
            )
        ],
        [Link(graph.names[a], graph.names[b], rate, scheduler=port) for a, b in graph.edges],
        duplex=True,
    )
    topology = topology.with_arrays(link_delay_s=fiber_delay_s(topology))
    mass = graph.mass if graph.mass is not None else random.lognormal(0.0, 0.75, len(graph.names))
    demand = gravity_demand(mass)
    routing = Routing(ecmp=ecmp)
    traffic = mixed_traffic(demand, mix, process)
    unscaled = Scenario(topology, traffic, routing)
    peak = float(unscaled.link_offered_load.max(initial=0.0))
    factor = load / peak if peak else 0.0
    traffic = traffic.with_arrays(flow_rate_bps=traffic.flow_rate_bps * factor)
    settings = {
        "nodes": topology.node_count,
        "seed": seed,
        "load": load,
        "classes": classes,
        "scheduler": scheduler,
        "arrival": arrival,
    }
    words = " ".join(f"{k}={v}" for k, v in settings.items())
    return Scenario(topology, traffic, routing, name=kind, notes={"generated": f"{kind} {words}"})


def port_scheduler(policy: str, mix: Sequence[ServiceClass], queue: Queue) -> Scheduler:
    """A scheduler of a policy with a queue for each class of a mix, the first the most urgent."""
    if SCHEDULERS[policy].single_queue:
        return Scheduler(policy, (queue,))
    queues = tuple(replace(queue, weight=c.weight, quantum_bits=c.weight * 12000.0) for c in mix)
    return Scheduler(policy, queues, {c.name: i for i, c in enumerate(mix)})


def mixed_traffic(
    demand_bps: NDArray[np.float64], mix: Sequence[ServiceClass], arrival: ArrivalProcess
) -> Traffic:
    """A flow for each class of a mix and each positive entry of a matrix [source, target]."""
    total = sum(c.share for c in mix)
    parts = [
        Traffic.from_matrix(
            demand_bps * c.share / total, traffic_class=c.name, size=c.size, arrival=arrival
        )
        for c in mix
    ]
    traffic = parts[0]
    for part in parts[1:]:
        traffic = concatenate(traffic, part)
    return traffic


def gravity_demand(mass: NDArray[np.float64]) -> NDArray[np.float64]:
    """Demands in proportion to the product of the masses of both ends. [source, target]"""
    demand = np.outer(mass, mass)
    np.fill_diagonal(demand, 0.0)
    return demand


def fiber_delay_s(topology: Topology) -> NDArray[np.float64]:
    """Propagation along the great circle at two thirds of the speed of light. [links]"""
    latitude = np.radians(topology.node_latitude_deg)
    longitude = np.radians(topology.node_longitude_deg)
    a, b = topology.link_source, topology.link_target
    inner = (
        np.sin((latitude[b] - latitude[a]) / 2) ** 2
        + np.cos(latitude[a]) * np.cos(latitude[b]) * np.sin((longitude[b] - longitude[a]) / 2) ** 2
    )
    metres = 2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(np.clip(inner, 0.0, 1.0)))
    return np.asarray(metres / LIGHT_IN_FIBER_M_PER_S)


def _choose(what: str, name: str, known: dict[str, T]) -> T:
    if name not in known:
        raise UnknownNameError(what, name, known)
    return known[name]


def _within(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise InputError(f"{name} is {value:g}: must be {low:g} to {high:g}. Give another number.")
