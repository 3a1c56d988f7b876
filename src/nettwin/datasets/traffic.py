"""Traffic of a scenario that is drawn: who sends to whom, in which packets and in which bursts."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nettwin.datasets.distributions import draw_name, draw_number, draw_whole
from nettwin.datasets.recipe import Table, table_of
from nettwin.errors import UnknownNameError
from nettwin.quantity import frozen
from nettwin.scenario import arrivals, packet_sizes
from nettwin.scenario.generate import gravity_demand
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.topology import Topology
from nettwin.scenario.traffic import Traffic

Random = np.random.Generator
TRACE_PACKETS = 2000
MAX_FLOWS = 20_000
CYCLES_A_RUN = 60  # burst cycles that a simulation sees at least


def draw_traffic(
    table: Table, topology: Topology, classes: tuple[str, ...], random: Random
) -> Traffic:
    """Flows of unit-free rates; every flow of one class and one of a few size distributions."""
    n = topology.node_count
    kind = draw_name("traffic.matrix", table_of(table, "matrix", {"gravity": 1}), random)
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
        0.0, draw_number("traffic.spread", table_of(table, "spread", 0.3), random), (n, n)
    )
    source, target = _pairs(table, topology, random)
    flows = len(source)
    share = random.dirichlet(np.full(len(classes), 3.0))
    rate = demand[source, target]
    if "flows_a_link" in table:  # several flows of a pair do not send alike
        rate = rate * random.lognormal(0.0, random.uniform(0.0, 1.5), flows)
    flow_class = random.choice(len(classes), flows, p=share).astype(np.int32)
    own_sizes = draw_whole("traffic.sizes", table_of(table, "size_kinds", [1, 3]), random)
    sizes = tuple(dict.fromkeys(draw_size(table, random) for _ in range(own_sizes)))
    by_class = bool(random.random() < 0.5)  # sizes go with the class, or with the flow
    flow_size = flow_class % len(sizes) if by_class else random.integers(len(sizes), size=flows)
    return Traffic(
        class_name=classes,
        flow_source=frozen(source, np.int32),
        flow_target=frozen(target, np.int32),
        flow_class=frozen(flow_class, np.int32),
        flow_rate_bps=frozen(rate, np.float64),
        sizes=sizes,
        flow_size=frozen(flow_size, np.int32),
        arrivals=(arrivals.Poisson(),),
        flow_arrival=frozen(np.zeros(flows), np.int32),
    )


def _pairs(
    table: Table, topology: Topology, random: Random
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Sources and targets of the flows.

    Every pair of nodes at most once, or (where the recipe gives `flows_a_link`) any number of flows
    over any pairs; at times between the outermost nodes alone.
    """
    n = topology.node_count
    ends = np.arange(n)
    if "outermost" in table and random.random() < float(table["outermost"]):
        degree = np.bincount(topology.link_source, minlength=n)
        outer = np.flatnonzero(degree == degree.min())
        ends = outer if len(outer) > 1 else ends
    if "flows_a_link" in table:
        wanted = draw_number("traffic.flows_a_link", table["flows_a_link"], random)
        hops = max(1.0, math.log2(n) * 0.7)  # of a typical flow
        count = int(np.clip(wanted * topology.link_count / hops, 1, MAX_FLOWS))
        source = random.choice(ends, count)
        step = random.integers(1, len(ends), count)
        place = np.searchsorted(ends, source)
        return source, ends[(place + step) % len(ends)]
    kept = draw_number("traffic.pairs", table_of(table, "pairs", 1.0), random)
    some = random.random((n, n)) < kept
    some &= np.isin(np.arange(n), ends)[:, None] & np.isin(np.arange(n), ends)
    np.fill_diagonal(some, False)
    if not some.any():
        some[ends[0], ends[-1]] = True
    source, target = np.nonzero(some)
    return source, target


def draw_size(table: Table, random: Random) -> packet_sizes.PacketSize:
    """A packet-size distribution of about 1,000 bytes, or as the recipe's `size_bytes` says."""
    own = table_of(table, "size_bytes", [300, 1400])
    kind = draw_name("traffic.packet_sizes", table_of(table, "packet_sizes", {"fixed": 1}), random)
    mean = 8.0 * round(draw_number("traffic.size_bytes", own, random))
    least, most = 8.0 * 64, 8.0 * 9000
    if kind == "fixed":
        return packet_sizes.Fixed(mean)
    if kind == "uniform":
        half = round(mean * random.uniform(0.2, 0.95))
        return packet_sizes.Uniform(mean - half, mean + half)
    if kind == "binomial":
        low, high = round(mean * random.uniform(0.2, 0.8)), round(mean * random.uniform(1.2, 2.5))
        if "size_bytes" in table:
            low, high = max(low, int(least) - 8), min(high, int(most) + 8)
        return packet_sizes.Binomial(mean, low, high)
    if kind == "discrete":
        count = int(random.integers(2, 6))
        sizes = np.unique(8.0 * random.integers(40, 1501, count)).tolist()
        if "size_bytes" in table:
            drawn = [draw_number("traffic.size_bytes", own, random) for _ in range(count)]
            sizes = np.unique(8.0 * np.round(drawn)).tolist()
        return packet_sizes.Discrete(
            tuple(sizes), tuple(random.dirichlet(np.ones(len(sizes))).tolist())
        )
    if kind == "exponential":
        return packet_sizes.Exponential(mean)
    known = ("fixed", "uniform", "binomial", "discrete", "exponential")
    raise UnknownNameError("packet-size distribution", kind, known)


def with_bursts(table: Table, scenario: Scenario, run_s: float, random: Random) -> Scenario:
    """Arrival processes for the flows; time constants in proportion to the packets' gaps, or as the
    recipe's `burst_s` says, but so short that a run of `run_s` sees many bursts."""
    kinds = table_of(table, "arrivals", {"poisson": 1})
    count = draw_whole("traffic.arrival_kinds", table_of(table, "arrival_kinds", [1, 3]), random)
    traffic = scenario.traffic
    rates = traffic.flow_packet_rate_pps
    gap_s = float(1 / np.median(rates[rates > 0])) if (rates > 0).any() else 1.0

    def cycle() -> float:
        if "burst_s" in table:
            drawn = draw_number("traffic.burst_s", table["burst_s"], random)
            return min(drawn, run_s / CYCLES_A_RUN)
        return gap_s * math.exp(random.uniform(math.log(3), math.log(100)))

    made = tuple(dict.fromkeys(_arrival(kinds, cycle, random) for _ in range(count)))
    index = (
        traffic.flow_class % len(made)
        if random.random() < 0.5
        else random.integers(len(made), size=traffic.flow_count)
    )
    return scenario.with_(
        traffic=traffic.with_arrays(arrivals=made, flow_arrival=np.asarray(index, np.int32))
    )


def _arrival(kinds: Any, cycle_s: Callable[[], float], random: Random) -> arrivals.ArrivalProcess:
    kind = draw_name("traffic.arrivals", kinds, random)
    cycle = cycle_s()
    duty = random.uniform(0.15, 0.8)
    if kind == "poisson":
        return arrivals.Poisson()
    if kind == "cbr":
        return arrivals.CBR()
    if kind == "onoff":
        leads = bool(random.random() < 0.5)
        return arrivals.OnOff(duty * cycle, (1 - duty) * cycle, bool(random.random() < 0.3), leads)
    if kind == "mmpp":
        return arrivals.MMPP(random.uniform(2, 15), duty * cycle, (1 - duty) * cycle)
    if kind == "autocorrelated":
        return arrivals.Autocorrelated(random.uniform(0.2, 0.95))
    if kind == "trace":
        return arrivals.Trace(_recorded(random))
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
