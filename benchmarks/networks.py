"""The networks that benchmarks share: NSFNET, random networks, single ports."""

from __future__ import annotations

import numpy as np

from nettwin.scenario.arrivals import ArrivalProcess, Poisson
from nettwin.scenario.packet_sizes import Discrete, PacketSize
from nettwin.scenario.routing import Routing
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.scheduling import Scheduler, drr, fifo, strict_priority, wfq
from nettwin.scenario.topology import Link, Topology
from nettwin.scenario.traffic import Flow, Traffic

CLASSES = ("gold", "silver", "bronze")
TWO_SIZES = Discrete((2400.0, 13600.0), (0.5, 0.5))  # 300 and 1700 bytes
NSFNET = (
    (0, 1),
    (0, 2),
    (0, 3),
    (1, 2),
    (1, 7),
    (2, 5),
    (3, 4),
    (3, 10),
    (4, 5),
    (4, 6),
    (5, 9),
    (5, 13),
    (6, 7),
    (7, 8),
    (8, 9),
    (8, 11),
    (8, 12),
    (10, 11),
    (10, 12),
    (11, 13),
    (12, 13),
)


def scheduler_of(policy: str, packets: float = 32.0) -> Scheduler:
    """A port of the policy: three classes, weights 3, 2, 1 where it has any."""
    if policy == "fifo":
        return fifo(packets)
    if policy == "sp":
        return strict_priority(CLASSES, packets)
    shares = dict(zip(CLASSES, (3.0, 2.0, 1.0), strict=True))
    if policy == "wfq":
        return wfq(shares, packets)
    return drr({name: 12000.0 * share for name, share in shares.items()}, packets)


def random_edges(nodes: int, seed: int = 1) -> tuple[tuple[int, int], ...]:
    """A ring with random chords: 1.6 edges a node, connected."""
    rng = np.random.default_rng(seed)
    edges = {(i, (i + 1) % nodes) for i in range(nodes)}
    while len(edges) < int(1.6 * nodes):
        a, b = (int(x) for x in rng.integers(0, nodes, 2))
        if a != b and (b, a) not in edges:
            edges.add((a, b))
    return tuple(sorted(edges))


def network(
    edges: tuple[tuple[int, int], ...] = NSFNET,
    policy: str = "fifo",
    *,
    load: float = 0.8,
    capacity_bps: float = 10e6,
    delay_s: float = 1e-3,
    size: PacketSize = TWO_SIZES,
    arrival: ArrivalProcess | None = None,
    seed: int = 1,
) -> Scenario:
    """Flows between all pairs on single shortest paths, rates uniform in 0.1 to 1, scaled so that
    the busiest link is loaded to `load`; three classes in turn, whatever the policy."""
    nodes = 1 + max(max(edge) for edge in edges)
    names = [f"n{i}" for i in range(nodes)]
    scheduler = scheduler_of(policy)
    links = [Link(names[a], names[b], capacity_bps, delay_s, scheduler=scheduler) for a, b in edges]
    topology = Topology.build(names, links, duplex=True)
    rng = np.random.default_rng(seed)
    rate = rng.uniform(0.1, 1.0, (nodes, nodes))
    np.fill_diagonal(rate, 0.0)
    traffic = Traffic.from_matrix(rate, size=size, arrival=arrival or Poisson())
    flow_class = np.arange(traffic.flow_count, dtype=np.int32) % len(CLASSES)
    traffic = traffic.with_arrays(class_name=CLASSES, flow_class=flow_class)
    unscaled = Scenario(topology, traffic, Routing(ecmp=False))
    scale = load / float(unscaled.link_offered_load.max())
    traffic = traffic.with_arrays(flow_rate_bps=traffic.flow_rate_bps * scale)
    return Scenario(topology, traffic, Routing(ecmp=False), name=f"{nodes} nodes, {policy}")


def port(
    scheduler: Scheduler,
    flows: list[tuple[str, float]],
    size: PacketSize,
    *,
    capacity_bps: float = 1e6,
    arrival: ArrivalProcess | None = None,
) -> Scenario:
    """One port from A to B; `flows` lists (class, rate in bit/s)."""
    topology = Topology.build(["A", "B"], [Link("A", "B", capacity_bps, scheduler=scheduler)])
    made = [Flow("A", "B", rate, name, size, arrival or Poisson()) for name, rate in flows]
    return Scenario(topology, Traffic.build(topology, made))
