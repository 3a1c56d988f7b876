"""Drawing: one scenario from a recipe; the same recipe and number give the same scenario."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nettwin.datasets.distributions import draw_name, draw_number, draw_whole
from nettwin.datasets.mishaps import with_mishap
from nettwin.datasets.recipe import Recipe, Table
from nettwin.errors import UnknownNameError
from nettwin.quantity import frozen
from nettwin.scenario.arrivals import (
    CBR,
    MMPP,
    ArrivalProcess,
    Autocorrelated,
    OnOff,
    Poisson,
    Trace,
)
from nettwin.scenario.generate import GENERATORS, fiber_delay_s, gravity_demand
from nettwin.scenario.k_shortest import k_shortest
from nettwin.scenario.packet_sizes import (
    Binomial,
    Discrete,
    Exponential,
    Fixed,
    PacketSize,
    Uniform,
)
from nettwin.scenario.routing import Routing, Steer
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.scheduling import Queue, Scheduler
from nettwin.scenario.topology import Link, Node, Topology
from nettwin.scenario.traffic import Traffic

Random = np.random.Generator
TRACE_PACKETS = 2000


def draw_scenario(recipe: Recipe, number: int, networks: Mapping[str, Topology]) -> Scenario:
    """Scenario `number` of a recipe. `networks` are the real ones that it may draw, by name."""
    random = np.random.default_rng([recipe.seed, number])
    topology = draw_topology(recipe.topology, random, networks)
    classes = tuple(
        f"class{k}" for k in range(draw_whole("classes", _of(recipe.traffic, "classes", 1), random))
    )
    traffic = draw_traffic(recipe.traffic, topology, classes, random)
    topology, routing = draw_routing(recipe.routing, topology, traffic, random)
    topology = draw_capacities(recipe.links, topology, traffic, routing, random)
    topology = draw_ports(recipe.ports, topology, traffic, random)
    scenario = Scenario(topology, traffic, routing, name=f"{recipe.name}-{number}")
    load = draw_number("load", _of(recipe.traffic, "load", 0.6), random)
    peak = float(scenario.link_offered_load.max(initial=0.0))
    rates = traffic.flow_rate_bps * (load / peak if peak else 0.0)
    scenario = scenario.with_(traffic=traffic.with_arrays(flow_rate_bps=rates))
    scenario = with_bursts(recipe.traffic, scenario, random)
    return with_mishap(recipe.mishaps, scenario, random)


def _of(table: Table, name: str, default: Any) -> Any:
    return table.get(name, default)


def draw_topology(table: Table, random: Random, networks: Mapping[str, Topology]) -> Topology:
    """A made-up network, or (kind `real`) one of the real ones. Links have unit capacity."""
    kind = draw_name("topology.kinds", _of(table, "kinds", {"gabriel": 1}), random)
    if kind == "real":
        names = sorted(networks)
        if not names:
            raise UnknownNameError("real network", "real", networks)
        return networks[names[int(random.integers(len(names)))]]
    if kind not in GENERATORS:
        raise UnknownNameError("kind of network", kind, ("real", *GENERATORS))
    generator = GENERATORS[kind]
    wanted = draw_whole("topology.nodes", _of(table, "nodes", [5, 60]), random)
    wanted = max(generator.least_nodes, wanted + wanted % 2)  # even: ladders need it
    graph = generator.graph(wanted, random)
    places = zip(
        graph.names, graph.latitude_deg.tolist(), graph.longitude_deg.tolist(), strict=True
    )
    topology = Topology.build(
        [Node(*place) for place in places],
        [Link(graph.names[a], graph.names[b], 1.0) for a, b in graph.edges],
        duplex=True,
    )
    return topology.with_arrays(link_delay_s=fiber_delay_s(topology))


def draw_traffic(
    table: Table, topology: Topology, classes: tuple[str, ...], random: Random
) -> Traffic:
    """Flows of unit-free rates; every flow of one class and one of a few size distributions."""
    n = topology.node_count
    kind = draw_name("traffic.matrix", _of(table, "matrix", {"gravity": 1}), random)
    if kind == "gravity":
        demand = gravity_demand(random.lognormal(0.0, 0.8, n))
    elif kind == "uniform":
        demand = random.uniform(0.1, 1.0, (n, n))
    elif kind == "hotspot":
        demand = random.uniform(0.1, 1.0, (n, n))
        demand[:, random.integers(n)] *= random.uniform(3, 20)
    else:
        raise UnknownNameError("traffic matrix", kind, ("gravity", "uniform", "hotspot"))
    demand = demand * random.lognormal(
        0.0, draw_number("traffic.spread", _of(table, "spread", 0.3), random), (n, n)
    )
    kept = draw_number("traffic.pairs", _of(table, "pairs", 1.0), random)
    some = random.random((n, n)) < kept
    np.fill_diagonal(some, False)
    if not some.any():
        some[0, n - 1] = True
    source, target = np.nonzero(some)
    flows = len(source)
    share = random.dirichlet(np.full(len(classes), 3.0))
    flow_class = random.choice(len(classes), flows, p=share).astype(np.int32)
    own_sizes = draw_whole("traffic.sizes", _of(table, "size_kinds", [1, 3]), random)
    sizes = tuple(dict.fromkeys(draw_size(table, random) for _ in range(own_sizes)))
    by_class = bool(random.random() < 0.5)  # sizes go with the class, or with the flow
    flow_size = flow_class % len(sizes) if by_class else random.integers(len(sizes), size=flows)
    return Traffic(
        class_name=classes,
        flow_source=frozen(source, np.int32),
        flow_target=frozen(target, np.int32),
        flow_class=frozen(flow_class, np.int32),
        flow_rate_bps=frozen(demand[source, target], np.float64),
        sizes=sizes,
        flow_size=frozen(flow_size, np.int32),
        arrivals=(Poisson(),),
        flow_arrival=frozen(np.zeros(flows), np.int32),
    )


def draw_size(table: Table, random: Random) -> PacketSize:
    """A packet-size distribution of about 1,000 bytes."""
    kind = draw_name("traffic.packet_sizes", _of(table, "packet_sizes", {"fixed": 1}), random)
    mean = 8.0 * round(random.uniform(300, 1400))
    if kind == "fixed":
        return Fixed(mean)
    if kind == "uniform":
        half = round(mean * random.uniform(0.2, 0.95))
        return Uniform(mean - half, mean + half)
    if kind == "binomial":
        low, high = round(mean * random.uniform(0.2, 0.8)), round(mean * random.uniform(1.2, 2.5))
        return Binomial(mean, low, high)
    if kind == "discrete":
        count = int(random.integers(2, 6))
        sizes = np.unique(8.0 * random.integers(40, 1501, count)).tolist()
        return Discrete(tuple(sizes), tuple(random.dirichlet(np.ones(len(sizes))).tolist()))
    if kind == "exponential":
        return Exponential(mean)
    known = ("fixed", "uniform", "binomial", "discrete", "exponential")
    raise UnknownNameError("packet-size distribution", kind, known)


def draw_routing(
    table: Table, topology: Topology, traffic: Traffic, random: Random
) -> tuple[Topology, Routing]:
    """Weights and the rule: hops, perturbed weights, ECMP, SR midpoints, one of the k shortest."""
    kind = draw_name("routing.kinds", _of(table, "kinds", {"hops": 1}), random)
    weight = np.ones(topology.link_count)
    if kind not in ("hops", "weights", "ecmp", "sr", "k-shortest"):
        raise UnknownNameError("routing", kind, ("hops", "weights", "ecmp", "sr", "k-shortest"))
    if kind != "hops" and not (kind == "ecmp" and random.random() < 0.5):
        weight = random.integers(1, 11, topology.link_count).astype(np.float64)
    topology = topology.with_arrays(link_weight=weight)
    routing = Routing(ecmp=kind == "ecmp")
    if kind == "sr":
        routing = Routing(ecmp=False, steer=_midpoints(topology, traffic, random))
    if kind == "k-shortest":
        routing = Routing(ecmp=False, steer=_detours(topology, traffic, random))
    return topology, routing


def _midpoints(
    topology: Topology, traffic: Traffic, random: Random
) -> dict[int, tuple[Steer, ...]]:
    steered = np.flatnonzero(random.random(traffic.flow_count) < random.uniform(0.05, 0.5))
    steer: dict[int, tuple[Steer, ...]] = {}
    for f in steered.tolist():
        middle = int(random.integers(topology.node_count))
        if middle not in (int(traffic.flow_source[f]), int(traffic.flow_target[f])):
            steer[f] = (Steer(midpoints=(middle,)),)
    return steer


def _detours(topology: Topology, traffic: Traffic, random: Random) -> dict[int, tuple[Steer, ...]]:
    most = min(traffic.flow_count, 200)
    steer: dict[int, tuple[Steer, ...]] = {}
    for f in random.choice(traffic.flow_count, most, replace=False).tolist():
        ends = int(traffic.flow_source[f]), int(traffic.flow_target[f])
        found = k_shortest(topology, *ends, int(random.integers(2, 4)))
        if found:
            steer[f] = (Steer(links=tuple(found[-1])),)
    return steer


def draw_capacities(
    table: Table, topology: Topology, traffic: Traffic, routing: Routing, random: Random
) -> Topology:
    """Capacities: all equal, of a few grades, or dimensioned to the traffic; and a base rate."""
    kind = draw_name("links.capacities", _of(table, "capacities", {"equal": 1}), random)
    base = draw_number("links.base_bps", _of(table, "base_bps", 1e7), random)
    capacity = np.ones(topology.link_count)
    if kind == "grades":
        capacity = random.choice(np.array([1.0, 2.5, 4.0, 10.0]), topology.link_count)
    elif kind == "dimensioned":
        load = Scenario(topology, traffic, routing).link_load_bps
        load = np.maximum(load, 0.02 * load.max(initial=1e-9))
        wanted = load / random.uniform(0.3, 1.0, topology.link_count)
        grades = np.geomspace(wanted.min(), wanted.max(), int(random.integers(2, 9)))
        capacity = grades[np.minimum(np.searchsorted(grades, wanted), len(grades) - 1)]
        capacity = capacity / capacity.min()
    elif kind != "equal":
        raise UnknownNameError("capacities", kind, ("equal", "grades", "dimensioned"))
    delay = topology.link_delay_s
    if random.random() < float(_of(table, "no_delay", 0.3)):
        delay = np.zeros(topology.link_count)
    return topology.with_arrays(link_capacity_bps=capacity * base, link_delay_s=delay)


def draw_ports(table: Table, topology: Topology, traffic: Traffic, random: Random) -> Topology:
    """A scheduler for every node: one policy everywhere, or mixed."""
    kinds = _of(table, "policies", {"fifo": 1})
    mixed = random.random() < float(_of(table, "mixed", 0.3))
    policy = draw_name("ports.policies", kinds, random)
    mean_bits = float(np.mean([s.mean_bits for s in traffic.sizes]))
    several = _of(table, "settings", [1, 4])
    made = []
    for _ in range(draw_whole("ports.settings", several, random) + 2 * mixed):
        chosen = draw_name("ports.policies", kinds, random) if mixed else policy
        made.append(_scheduler(table, chosen, traffic.class_name, mean_bits, random))
    by_node = random.integers(len(made), size=topology.node_count)
    distinct = list(dict.fromkeys(made))
    index = np.array([distinct.index(m) for m in made], np.int32)
    return topology.with_arrays(
        schedulers=tuple(distinct), link_scheduler=index[by_node[topology.link_source]]
    )


def _scheduler(
    table: Table, policy: str, classes: tuple[str, ...], mean_bits: float, random: Random
) -> Scheduler:
    count = 1 if policy == "fifo" else len(classes)
    in_bits = random.random() < float(_of(table, "buffers_in_bits", 0.3))
    weight = np.round(random.dirichlet(np.full(count, 1.5)) * 100 + 1)
    quantum = draw_number("ports.quantum_packets", _of(table, "quantum_packets", 1.5), random)
    queues = []
    for k in range(count):
        packets = round(
            draw_number("ports.buffer_packets", _of(table, "buffer_packets", 32), random)
        )
        buffer = (
            {"buffer_packets": math.inf, "buffer_bits": float(round(packets * mean_bits))}
            if in_bits
            else {"buffer_packets": float(packets)}
        )
        share = float(weight[k] / weight.mean())
        queues.append(
            Queue(
                **buffer,
                weight=float(weight[k]),
                quantum_bits=float(max(round(quantum * mean_bits * share), 1)),
            )
        )
    mapping = {name: min(k, count - 1) for k, name in enumerate(classes)}
    counting = float(_of(table, "buffers_count_service", 0.0))
    counts = counting > 0 and bool(random.random() < counting)
    return Scheduler(policy, tuple(queues), mapping, buffer_counts_service=counts)


def with_bursts(table: Table, scenario: Scenario, random: Random) -> Scenario:
    """Arrival processes for the flows; time constants in proportion to the packets' gaps."""
    kinds = _of(table, "arrivals", {"poisson": 1})
    count = draw_whole("traffic.arrival_kinds", _of(table, "arrival_kinds", [1, 3]), random)
    traffic = scenario.traffic
    rates = traffic.flow_packet_rate_pps
    gap_s = float(1 / np.median(rates[rates > 0])) if (rates > 0).any() else 1.0
    made = tuple(dict.fromkeys(_arrival(kinds, gap_s, random) for _ in range(count)))
    index = (
        traffic.flow_class % len(made)
        if random.random() < 0.5
        else random.integers(len(made), size=traffic.flow_count)
    )
    return scenario.with_(
        traffic=traffic.with_arrays(arrivals=made, flow_arrival=np.asarray(index, np.int32))
    )


def _arrival(kinds: Any, gap_s: float, random: Random) -> ArrivalProcess:
    kind = draw_name("traffic.arrivals", kinds, random)
    packets = math.exp(random.uniform(math.log(3), math.log(100)))  # a cycle of a typical flow
    duty = random.uniform(0.15, 0.8)
    if kind == "poisson":
        return Poisson()
    if kind == "cbr":
        return CBR()
    if kind == "onoff":
        cycle = packets * gap_s
        leads = bool(random.random() < 0.5)
        return OnOff(duty * cycle, (1 - duty) * cycle, bool(random.random() < 0.3), leads)
    if kind == "mmpp":
        cycle = packets * gap_s
        return MMPP(random.uniform(2, 15), duty * cycle, (1 - duty) * cycle)
    if kind == "autocorrelated":
        return Autocorrelated(random.uniform(0.2, 0.95))
    if kind == "trace":
        return Trace(_recorded(random))
    known = ("poisson", "cbr", "onoff", "mmpp", "autocorrelated", "trace")
    raise UnknownNameError("arrival process", kind, known)


def _recorded(random: Random) -> NDArray[np.float64]:
    """Time stamps like a recording's: trains of packets between heavy-tailed pauses."""
    trains = random.geometric(1 / random.uniform(2, 12), TRACE_PACKETS)
    first = np.zeros(TRACE_PACKETS, np.bool_)
    starts = np.concatenate([[0], np.cumsum(trains)])
    first[starts[starts < TRACE_PACKETS]] = True
    pause = random.pareto(random.uniform(1.6, 3.0), TRACE_PACKETS) + 0.2
    inside = random.uniform(0.02, 0.3) * random.exponential(1.0, TRACE_PACKETS)
    return np.asarray(np.cumsum(np.where(first, pause, inside)))
