"""Inputs: a scenario as a graph of contended ports and flows, with the physics of burst trains.

Bursts of a quarter of a second and more outlast every buffer, so what a port does follows from
which of its flows are on: nothing waits until their rates together pass its capacity. Hence the
features: load, peak load (all on at once), spread of the rate, how far either is from the capacity
in units of the spread, and how many inputs they come over. Ports that their inputs cannot overload
are left out.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from nettwin.scenario.arrivals import OnOff
from nettwin.scenario.scenario import Scenario

Singles = NDArray[np.float32]
Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

WIRE_BITS = 192.0  # preamble, check sequence and gap of Ethernet: on the wire, in no packet's size
FAST_BPS = 5e9  # ports above are counted apart: they add latency, hardly transmission time
MIN_PEAK = 0.1  # a port whose peak load is below is never busy
ROUNDS = 12  # of passing on how fast a port can be fed; paths have fewer ports than that
EXCESS_S = 0.01  # waiting a unit of peak load above capacity, the network's first guess
MIN_S = 1e-5
PORT = (
    *("load", "burst_load", "peak", "peak_in", "spread", "room", "excess", "ln_flows", "ln_bursty"),
    *("largest", "size", "fresh", "inputs", "concentration", "first", "last", "ln_buffer"),
    *("near_peak", "near_in"),
)
HOP = ("share", "rate", "bursty", "position", "to_go", "part_of_spread", "input_peak", "first")
FLOW = ("ln_rate", "ln_size", "bursty", "constant", "hops", "ln_latency", "worst_peak")
LATENCY = ("one", "ports", "fast_ports", "size", "ports_size")  # what latency is linear in


@dataclass(frozen=True)
class BurstInputs:
    """What a network sees of a scenario. Hops are those at contended ports, flow by flow."""

    port: Singles  # [ports, PORT]
    hop: Singles  # [hops, HOP]
    flow: Singles  # [flows, FLOW]; ln_latency and what needs it is filled by `with_latency`
    hop_flow: Indices  # [hops]
    hop_port: Indices  # [hops]
    hop_before: Indices  # [hops] the hop before of the same flow; itself where it is the first
    guess_ln_s: Singles  # [hops] ln of the first guess of the waiting
    latency: Floats  # [flows, LATENCY]
    calm: NDArray[np.bool_]  # [flows] no port of the path can be overloaded, so delay is latency


def inputs_of(scenario: Scenario) -> BurstInputs:
    """The inputs of a scenario; of a flow with several paths the first is taken."""
    topology, traffic = scenario.topology, scenario.traffic
    capacity = topology.link_capacity_bps
    bits = traffic.flow_mean_size_bits
    rate = traffic.flow_rate_bps * (1 + WIRE_BITS / bits)
    duty = np.array([_duty(a) for a in traffic.arrivals])[traffic.flow_arrival]
    flow, link, before = _first_candidates(scenario)
    peak_bps = np.bincount(link, (rate / duty)[flow], len(capacity))
    contended = _contended(capacity, link, before) & (peak_bps > MIN_PEAK * capacity)
    every = (link, flow)
    keep = contended[link]
    ports = np.flatnonzero(contended)
    number = np.full(len(capacity), -1)
    number[ports] = np.arange(len(ports))
    port, hop_flow = number[link[keep]], flow[keep]
    position, to_go = _places(hop_flow, traffic.flow_count)
    hop_before = np.arange(len(port)) - (position > 0)
    buffer_s = _buffer_bits(scenario)[ports] / capacity[ports]
    at = _At(port, hop_flow, position, to_go, hop_before, capacity[ports])
    features, input_peak = _ports(at, rate, duty, bits, buffer_s)
    hop = _hops(at, rate, duty, features, input_peak)
    guess = np.log(MIN_S + EXCESS_S * np.clip(features[:, 2] - 1, 0, None))[port]
    worst = np.zeros(traffic.flow_count)
    np.maximum.at(worst, hop_flow, features[port, 2])
    bursty = duty < 1
    about = np.column_stack(
        [
            np.log(rate / 1e6) / 3,
            np.log(bits / 5000),
            bursty,
            ~bursty,
            np.bincount(hop_flow, minlength=traffic.flow_count) / 4,
            np.zeros(traffic.flow_count),
            worst,
        ]
    )
    return BurstInputs(
        features.astype(np.float32),
        hop.astype(np.float32),
        about.astype(np.float32),
        hop_flow.astype(np.int64),
        port.astype(np.int64),
        hop_before.astype(np.int64),
        guess.astype(np.float32),
        _latency_terms(every, capacity, bits),
        worst < 0.8,
    )


def latency_s(inputs: BurstInputs, coefficients: Floats) -> Floats:
    """The delay of each flow where nothing waits, at least 1 microsecond. [flows]"""
    found: Floats = np.maximum(inputs.latency @ coefficients, 1e-6)
    return found


def with_latency(inputs: BurstInputs, latency: Floats) -> BurstInputs:
    """The inputs with the flows' latency among their features."""
    flow = inputs.flow.copy()
    flow[:, FLOW.index("ln_latency")] = np.log(latency * 1e4)
    return BurstInputs(
        **{f.name: getattr(inputs, f.name) for f in fields(inputs) if f.name != "flow"}, flow=flow
    )


@dataclass(frozen=True)
class _At:
    """Where the hops are."""

    port: Indices
    flow: Indices
    position: Indices
    to_go: Indices
    before: Indices
    capacity: Floats  # [ports]

    def sum(self, values: Floats) -> Floats:
        """Sums over the hops of each port. [ports]"""
        return np.bincount(self.port, values, len(self.capacity)).astype(np.float64)


def _duty(arrival: object) -> float:
    """The part of the time in which a flow sends."""
    if isinstance(arrival, OnOff):
        return arrival.on_s / (arrival.on_s + arrival.off_s)
    return 1.0


def _buffer_bits(scenario: Scenario) -> Floats:
    """What may wait at each port at most, over its queues. [links]"""
    mean = float(scenario.traffic.flow_mean_size_bits.mean())
    each = np.array(
        [
            sum(min(q.buffer_bits, q.buffer_packets * mean) for q in s.queues)
            for s in scenario.topology.schedulers
        ]
    )
    bits: Floats = np.clip(each, 1e3, 1e10)[scenario.topology.link_scheduler]
    return bits


def _first_candidates(scenario: Scenario) -> tuple[Indices, Indices, Indices]:
    """The flow, link and link before (-1: none) of each hop of the flows' first paths."""
    paths = scenario.paths
    first = np.zeros(paths.path_count, np.bool_)
    first[paths.flow_offset[:-1][np.diff(paths.flow_offset) > 0]] = True
    keep = first[paths.hop_path]
    flow = paths.hop_flow[keep].astype(np.int64)
    link = paths.links[keep].astype(np.int64)
    before = np.r_[-1, link[:-1]] if len(link) else link
    same = np.r_[False, flow[1:] == flow[:-1]] if len(flow) else np.zeros(0, np.bool_)
    return flow, link, np.where(same, before, -1)


def _contended(capacity: Floats, link: Indices, before: Indices) -> NDArray[np.bool_]:
    """Ports that can be fed faster than they send: sources feed without a limit."""
    pairs = np.unique(np.column_stack([before, link]), axis=0).reshape(-1, 2)
    feed = capacity.astype(np.float64)
    for _ in range(ROUNDS):
        given = np.where(pairs[:, 0] >= 0, feed[pairs[:, 0]], np.inf)
        total = np.bincount(pairs[:, 1], given, len(capacity))
        feed = np.minimum(capacity, total)
    contended: NDArray[np.bool_] = total > capacity * (1 + 1e-9)
    return contended


def _places(flow: Indices, flows: int) -> tuple[Indices, Indices]:
    """The position of each hop on its path, and how many follow."""
    count = np.bincount(flow, minlength=flows)
    begin = np.cumsum(count) - count
    position = np.arange(len(flow)) - begin[flow]
    return position, count[flow] - 1 - position


def _ports(
    at: _At, rate: Floats, duty: Floats, bits: Floats, buffer_s: Floats
) -> tuple[Floats, Floats]:
    """The features of the ports [ports, PORT], and the peak load of each hop's input [hops]."""
    tiny = 1e-9
    own: Floats = rate[at.flow] / at.capacity[at.port]
    bursty = (duty < 1)[at.flow]
    peak_own = own / duty[at.flow]
    load, burst = at.sum(own), at.sum(own * bursty)
    peak = at.sum(peak_own)
    count, several = at.sum(np.ones(len(own))), at.sum(bursty.astype(np.float64))
    variance: Floats = own * (peak_own - own)
    spread = np.sqrt(at.sum(variance)) + 1e-6
    largest = np.zeros(len(load))
    np.maximum.at(largest, at.port, own * bursty)
    weight = np.maximum(load, tiny)
    source = np.where(at.position > 0, at.port[at.before], -1)
    pairs, which = np.unique(np.column_stack([at.port, source]), axis=0, return_inverse=True)
    which, target = which.reshape(-1), pairs.reshape(-1, 2)[:, 0]
    over, over_peak = (np.bincount(which, v).astype(np.float64) for v in (own, peak_own))

    def by_port(values: Floats) -> Floats:
        return np.bincount(target, values, len(load)).astype(np.float64)

    unlimited = pairs.reshape(-1, 2)[:, 1] < 0
    limited_peak = by_port(np.where(unlimited, over_peak, np.minimum(over_peak, 1.0)))
    columns = [
        load,
        burst,
        peak,
        limited_peak,
        spread,
        np.clip((1 - load) / spread, -5, 10) / 5,
        np.clip((peak - 1) / spread, -10, 5) / 5,
        np.log(np.maximum(count, 1)),
        np.log1p(several),
        largest,
        at.sum(own * bits[at.flow] / 1e4) / weight,
        at.sum(own * (at.position <= 1)) / weight,
        by_port(np.ones(len(over))) / 5,
        by_port(over**2) / weight**2,
        at.sum(own * (at.position == 0)) / weight,
        at.sum(own * (at.to_go == 0)) / weight,
        np.log(np.maximum(buffer_s, 1e-6)) / 3,
        np.clip(peak - 1, -0.2, 0.2) * 5,
        np.clip(limited_peak - 1, -0.2, 0.2) * 5,
    ]
    return np.column_stack(columns), over_peak[which]


def _hops(at: _At, rate: Floats, duty: Floats, port: Floats, input_peak: Floats) -> Floats:
    own = rate[at.flow] / at.capacity[at.port]
    bursty = (duty < 1)[at.flow]
    load, spread = port[:, PORT.index("load")], port[:, PORT.index("spread")]
    return np.column_stack(
        [
            own / np.maximum(load[at.port], 1e-9),
            own,
            bursty,
            at.position / 4,
            at.to_go / 4,
            own * bursty / spread[at.port],
            np.minimum(input_peak, 2.0),
            at.position == 0,
        ]
    )


def _latency_terms(every: tuple[Indices, Indices], capacity: Floats, bits: Floats) -> Floats:
    """What latency is linear in: ports of the path, of either speed, and packet size."""
    link, flow = every
    fast = capacity[link] > FAST_BPS
    flows = len(bits)
    slow_ports = np.bincount(flow[~fast], minlength=flows)
    fast_ports = np.bincount(flow[fast], minlength=flows)
    size = bits / 1e9
    one = np.ones(flows)
    return np.column_stack([one, slow_ports, fast_ports, size, slow_ports * size])
