"""Drawing: one scenario from a recipe; the same recipe and number give the same scenario."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from nettwin.datasets.distributions import draw_name, draw_number, draw_whole
from nettwin.datasets.impairments import with_impairment
from nettwin.datasets.recipe import Recipe, Table, table_of
from nettwin.datasets.traffic import draw_traffic, with_bursts
from nettwin.errors import UnknownNameError
from nettwin.scenario.generate import GENERATORS, fiber_delay_s
from nettwin.scenario.k_shortest import k_shortest
from nettwin.scenario.routing import Routing, Steer
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.scheduling import Queue, Scheduler
from nettwin.scenario.topology import Link, Node, Topology
from nettwin.scenario.traffic import Traffic

Random = np.random.Generator
MAX_BUFFER_PACKETS = 5000  # larger buffers of overloaded ports take longer to fill than a run


def draw_scenario(recipe: Recipe, number: int, networks: Mapping[str, Topology]) -> Scenario:
    """Scenario `number` of a recipe. `networks` are the real ones that it may draw, by name."""
    random = np.random.default_rng([recipe.seed, number])
    topology, family = draw_topology(recipe.topology, random, networks)
    classes = tuple(
        f"class{k}"
        for k in range(draw_whole("classes", table_of(recipe.traffic, "classes", 1), random))
    )
    traffic = draw_traffic(recipe.traffic, topology, classes, random)
    topology, routing = draw_routing(recipe.routing, topology, traffic, random)
    topology = draw_capacities(recipe.links, topology, traffic, routing, random)
    topology = draw_ports(recipe.ports, topology, traffic, random)
    scenario = Scenario(topology, traffic, routing, name=f"{recipe.name}-{number}")
    load = draw_number("load", table_of(recipe.traffic, "load", 0.6), random)
    peak = float(scenario.link_offered_load.max(initial=0.0))
    rates = traffic.flow_rate_bps * (load / peak if peak else 0.0)
    scenario = scenario.with_(traffic=traffic.with_arrays(flow_rate_bps=rates))
    run_s = _run_s(recipe, scenario)
    scenario = with_bursts(recipe.traffic, scenario, run_s, random)
    scenario = _with_delays(recipe.links, scenario, run_s, random)
    scenario = scenario.with_(notes={"family": family, "shape": _shape(scenario.topology)})
    return with_impairment(recipe.impairments, scenario, random)


def _run_s(recipe: Recipe, scenario: Scenario) -> float:
    """About how much time a simulation of the recipe's packet-hops lasts."""
    mean_bits = scenario.traffic.flow_rate_bps.sum() / scenario.traffic.flow_packet_rate_pps.sum()
    return float(recipe.packet_hops / max(scenario.link_load_bps.sum() / mean_bits, 1e-9))


def _with_delays(table: Table, scenario: Scenario, run_s: float, random: Random) -> Scenario:
    """Propagation delays other than those of fiber, where the recipe gives `delay_s`.

    None is longer than a tenth of the run, so that the warm-up does not outlast it.
    """
    if "delay_s" not in table or not scenario.topology.link_delay_s.any():
        return scenario
    typical = draw_number("links.delay_s", table["delay_s"], random)
    delay = typical * random.lognormal(0.0, 0.7, scenario.topology.link_count)
    delay = np.minimum(delay, min(0.1, run_s / 100))
    return scenario.with_(topology=scenario.topology.with_arrays(link_delay_s=delay))


def _shape(topology: Topology) -> str:
    """Names a graph, so that the same graph is not drawn for training and for testing alike."""
    words = (topology.node_count, topology.link_source.tolist(), topology.link_target.tolist())
    return hashlib.sha256(json.dumps(words).encode()).hexdigest()[:12]


def draw_topology(
    table: Table, random: Random, networks: Mapping[str, Topology]
) -> tuple[Topology, str]:
    """A synthetic network, or (kind `real`) one of the real ones, and its kind. Links have unit
    capacity."""
    kind = draw_name("topology.kinds", table_of(table, "kinds", {"gabriel": 1}), random)
    if kind == "real":
        names = sorted(networks)
        if not names:
            raise UnknownNameError("real network", "real", networks)
        return networks[names[int(random.integers(len(names)))]], kind
    if kind not in GENERATORS:
        raise UnknownNameError("kind of network", kind, ("real", *GENERATORS))
    generator = GENERATORS[kind]
    wanted = draw_whole("topology.nodes", table_of(table, "nodes", [5, 60]), random)
    wanted = max(generator.least_nodes, wanted + wanted % 2 * (kind == "ladder"))
    graph = generator.graph(wanted, random)
    places = zip(
        graph.names, graph.latitude_deg.tolist(), graph.longitude_deg.tolist(), strict=True
    )
    topology = Topology.build(
        [Node(*place) for place in places],
        [Link(graph.names[a], graph.names[b], 1.0) for a, b in graph.edges],
        duplex=True,
    )
    return topology.with_arrays(link_delay_s=fiber_delay_s(topology)), kind


def draw_routing(
    table: Table, topology: Topology, traffic: Traffic, random: Random
) -> tuple[Topology, Routing]:
    """Weights and the rule: hops, perturbed weights, ECMP, SR midpoints, one of the k shortest."""
    kind = draw_name("routing.kinds", table_of(table, "kinds", {"hops": 1}), random)
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
    kind = draw_name("links.capacities", table_of(table, "capacities", {"equal": 1}), random)
    base = draw_number("links.base_bps", table_of(table, "base_bps", 1e7), random)
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
    most = float(table_of(table, "most_bps", math.inf))
    base = min(base, most / float(capacity.max(initial=1.0)))
    delay = topology.link_delay_s
    if random.random() < float(table_of(table, "no_delay", 0.3)):
        delay = np.zeros(topology.link_count)
    return topology.with_arrays(link_capacity_bps=capacity * base, link_delay_s=delay)


def draw_ports(table: Table, topology: Topology, traffic: Traffic, random: Random) -> Topology:
    """A scheduler for every node: one policy everywhere, or mixed."""
    kinds = table_of(table, "policies", {"fifo": 1})
    mixed = random.random() < float(table_of(table, "mixed", 0.3))
    policy = draw_name("ports.policies", kinds, random)
    mean_bits = float(np.mean([s.mean_bits for s in traffic.sizes]))
    several = table_of(table, "settings", [1, 4])
    made = []
    for _ in range(draw_whole("ports.settings", several, random) + 2 * mixed):
        chosen = draw_name("ports.policies", kinds, random) if mixed else policy
        made.append(_scheduler(table, chosen, traffic.class_name, mean_bits, random))
    by_node = random.integers(len(made), size=topology.node_count)
    in_time = float(table_of(table, "buffers_in_time", 0.0))
    if in_time > 0 and random.random() < in_time:
        return _with_buffers_in_time(table, topology, made, by_node, mean_bits, random)
    distinct = list(dict.fromkeys(made))
    index = np.array([distinct.index(m) for m in made], np.int32)
    return topology.with_arrays(
        schedulers=tuple(distinct), link_scheduler=index[by_node[topology.link_source]]
    )


def _with_buffers_in_time(
    table: Table,
    topology: Topology,
    made: list[Scheduler],
    by_node: NDArray[np.int64],
    mean_bits: float,
    random: Random,
) -> Topology:
    """Buffers that hold so much time of their link: other bits on links of other rates."""
    seconds = draw_number("ports.buffer_s", table_of(table, "buffer_s", 0.01), random)
    distinct: dict[Scheduler, int] = {}
    index = np.zeros(topology.link_count, np.int32)
    for k, capacity in enumerate(topology.link_capacity_bps.tolist()):
        bits = min(max(seconds * capacity, 8 * mean_bits), MAX_BUFFER_PACKETS * mean_bits)
        port = made[int(by_node[topology.link_source[k]])]
        queues = tuple(
            replace(q, buffer_packets=math.inf, buffer_bits=float(round(bits))) for q in port.queues
        )
        index[k] = distinct.setdefault(replace(port, queues=queues), len(distinct))
    return topology.with_arrays(schedulers=tuple(distinct), link_scheduler=index)


def _scheduler(
    table: Table, policy: str, classes: tuple[str, ...], mean_bits: float, random: Random
) -> Scheduler:
    count = 1 if policy == "fifo" else len(classes)
    in_bits = random.random() < float(table_of(table, "buffers_in_bits", 0.3))
    weight = np.round(random.dirichlet(np.full(count, 1.5)) * 100 + 1)
    own = "weights" in table  # each queue's own weight and quantum, not shares of a whole
    if own:
        drawn = [draw_whole("ports.weights", table["weights"], random) for _ in range(count)]
        weight = np.array(drawn, np.float64)
    share = np.ones(count) if own else weight / weight.mean()
    quanta = table_of(table, "quantum_packets", 1.5)
    quantum = draw_number("ports.quantum_packets", quanta, random)
    queues = []
    for k in range(count):
        packets = round(
            draw_number("ports.buffer_packets", table_of(table, "buffer_packets", 32), random)
        )
        if own:
            quantum = draw_number("ports.quantum_packets", quanta, random)
        buffer = (
            {"buffer_packets": math.inf, "buffer_bits": float(round(packets * mean_bits))}
            if in_bits
            else {"buffer_packets": float(packets)}
        )
        queues.append(
            Queue(
                **buffer,
                weight=float(weight[k]),
                quantum_bits=float(max(round(quantum * mean_bits * share[k]), 1)),
            )
        )
    mapping = {name: min(k, count - 1) for k, name in enumerate(classes)}
    counting = float(table_of(table, "buffers_count_service", 0.0))
    counts = counting > 0 and bool(random.random() < counting)
    return Scheduler(policy, tuple(queues), mapping, buffer_counts_service=counts)
