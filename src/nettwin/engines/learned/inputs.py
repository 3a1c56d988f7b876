"""Inputs: a scenario as the arrays that enter a learned model, and what theory says of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nettwin.engines.learned.features import (
    LEAST_LOSS,
    MOST_LOSS,
    hop_features,
    join_queues,
    offered_by_hop,
    path_physics,
    queue_mix,
    run_sums,
)
from nettwin.engines.theory.flows import HopDelays, flow_sums, hop_delays, hop_table
from nettwin.engines.theory.network import solve
from nettwin.engines.theory.quantiles import percentiles
from nettwin.engines.theory.solution import QueueSolution
from nettwin.engines.theory.tables import POLICIES, FlowTable, QueueTable, tables
from nettwin.scenario.arrivals import Trace
from nettwin.scenario.scenario import Scenario

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Whole = NDArray[np.int32]
LEVELS = (0.5, 0.9, 0.99)  # of the percentiles that are predicted


class Inputs(NamedTuple):
    """What enters a learned model. Features are named in `features`; times are seconds."""

    queue: Singles  # [queues, QUEUE]
    flow: Singles  # [flows, FLOW]
    hop: Singles  # [hops, HOP]
    edge: Singles  # [edges, EDGE]
    edge_source: Whole  # [edges]
    edge_target: Whole  # [edges] ascending
    hop_queue: Whole  # [hops]
    path_offset: NDArray[np.int64]  # [paths + 1]
    path_flow: NDArray[np.int64]  # [paths]
    path_share: Floats  # [paths]
    path_fixed_s: Floats  # [paths] propagation and transmission
    path_fixed_s2: Floats  # [paths] variance of transmission
    flow_offset: NDArray[np.int64]  # [flows + 1] into paths
    port_offset: Whole  # [ports + 1] into queues
    waiting_s: Floats  # [hops] in theory, never 0
    waiting_cv2: Floats  # [hops] variance of waiting over its squared mean, in theory
    loss_logit: Floats  # [hops] in theory
    shape: Singles  # [flows, SHAPE] of the flow's delay in theory
    service_s: Floats  # [queues] mean transmission time of a packet


class Solved(NamedTuple):
    """What theory says of a scenario."""

    state: QueueSolution
    each: HopDelays


def solved(scenario: Scenario, like: QueueSolution | None = None) -> Solved:
    """Theory's answer, hop by hop; the same with what is known of a scenario `like` it."""
    state = solve(scenario, like=like)
    return Solved(state, hop_delays(scenario, state))


def inputs_of(scenario: Scenario, theory: Solved | None = None) -> Inputs:
    """The inputs of a scenario; `theory` if it is known already."""
    state, each = theory or solved(scenario)
    flows, paths, ports = tables(scenario)
    hops = hop_table(scenario, state)
    capacity = np.asarray(ports.capacity_bps)[ports.port]
    hop_bps = offered_by_hop(paths, flows, each.loss)
    queues = len(ports.port)
    least = 1e-3 * state.service_s * np.minimum(state.load, 1.0) + 1e-15
    waiting, cv2, logits, fixed, fixed2, largest = path_physics(paths, flows, each, hops, least)
    source, target, edge, hop_edge = join_queues(
        paths.offset, paths.queue, hop_bps, capacity, queues
    )
    flow = flow_features(scenario, flows)
    sent = (flows.packets_pps * flows.mean_bits)[paths.flow] * paths.share
    mix = queue_mix(paths.offset, paths.flow, paths.queue, hop_bps, sent, flow, queues)
    inlets = np.sqrt(np.bincount(target, edge[:, 0].astype(np.float64) ** 2, queues))
    queue = np.concatenate(
        [
            _base(state, ports, mix, inlets, scenario),
            _theory(state, ports, mix),
        ],
        axis=1,
    )
    hop = hop_features(paths, flows, each, hops, hop_bps, hop_edge, (source, edge), capacity)
    return Inputs(
        queue.astype(np.float32),
        flow,
        hop,
        edge,
        source,
        target,
        np.asarray(paths.queue),
        np.asarray(paths.offset),
        np.asarray(paths.flow),
        np.asarray(paths.share),
        fixed,
        fixed2,
        np.asarray(scenario.paths.flow_offset),
        np.asarray(ports.offset),
        waiting,
        cv2,
        logits,
        _shape(scenario, state, each, (fixed, fixed2, largest)),
        state.service_s,
    )


def flow_features(scenario: Scenario, flows: FlowTable) -> Singles:
    """What a flow sends, whatever its rate. [flows, FLOW]"""
    traffic = scenario.traffic
    trace = np.array([isinstance(a, Trace) for a in traffic.arrivals], np.float64)
    size_cv2 = np.maximum(flows.second_bits2 / flows.mean_bits**2 - 1, 0.0)
    train = np.log1p(flows.memory_s * flows.packets_pps)  # packets while the rate lasts
    columns = (
        np.clip(flows.gap_cv2, 0, 4),
        flows.period_s > 0,
        trace[traffic.flow_arrival] if len(trace) else np.zeros(0),
        np.clip(np.sqrt(flows.rate_variance), 0, 5),
        np.clip(1 / flows.duty - 1, 0, 10),
        np.clip(size_cv2, 0, 4),
        np.clip(train, 0, 10) / 3,
        flows.rate_variance > 0,
    )
    return side_by_side(columns)


def _base(
    state: QueueSolution, ports: QueueTable, mix: Floats, inlets: Floats, scenario: Scenario
) -> Floats:
    port, offset = np.asarray(ports.port), np.asarray(ports.offset)
    count = len(offset) - 1
    load = state.load
    total = np.bincount(port, load, count)[port]
    before = np.cumsum(load) - load
    above = before - before[np.minimum(offset[:-1], max(len(load) - 1, 0))][port]
    policy = ports.policy[port]
    weight = np.where(policy == POLICIES["drr"], ports.quantum_bits, ports.weight)
    weight = np.where(load > 0, weight, 0.0)
    share = weight / np.maximum(np.bincount(port, weight, count)[port], 1e-300)
    shared = np.isin(policy, [POLICIES[name] for name in ("wfq", "drr", "lsf")])
    capacity = ports.capacity_bps[port]
    several = np.diff(offset)[port]
    bits = np.bincount(port, state.packets_pps * state.packet_bits, count)
    packets = np.bincount(port, state.packets_pps, count)
    mean_bits = (bits / np.maximum(packets, 1e-300))[port]
    quantum = ports.quantum_bits / np.maximum(state.packet_bits, 1.0)
    in_class = (np.arange(len(port)) - offset[:-1][port]) / np.maximum(several - 1, 1)
    columns = [
        np.clip(load, 0, 3),
        np.clip(total, 0, 4),
        np.clip(above, 0, 3),
        np.clip(total - load - above, 0, 3),
        np.where(shared, share, 1.0),
        _ln(state.buffer + 0.1) / 3 - 1,
        np.clip(state.size_cv2, 0, 4),
        np.clip(np.sqrt(state.modulation_bits2) / capacity, 0, 2) * 3,
        np.clip(np.sqrt(np.bincount(port, state.modulation_bits2, count))[port] / capacity, 0, 2)
        * 3,
        np.sqrt(mix[:, 1]) / np.maximum(mix[:, 0], 1e-300),
        mix[:, 2] / np.maximum(mix[:, 0], 1e-300),
        inlets,
        np.clip(_ln(state.packet_bits / np.maximum(mean_bits, 1e-300)), -3, 3),
        mix[:, 5],
        mix[:, 6],
        mix[:, 11],
        mix[:, 10],
        1 / (1 + mix[:, 8]),
        np.where(policy == POLICIES["drr"], np.clip(_ln(quantum), -3, 8) / 3, 0.0),
        ports.counts_service[port],
        ports.burst_bits[port] > 0,
        in_class,
        *(policy == POLICIES[name] for name in ("fifo", "sp", "wfq", "drr", "lsf")),
    ]
    return np.where(load[:, None] > 0, np.stack(columns, axis=1).astype(np.float64), 0.0)


def _theory(state: QueueSolution, ports: QueueTable, mix: Floats) -> Floats:
    port, count = np.asarray(ports.port), len(ports.offset) - 1
    rho = state.load / np.maximum(state.rate, 1e-9)
    service = np.maximum(state.service_s, 1e-300)
    waiting = np.maximum(state.waiting_s, 1e-9 * service)
    carried = np.bincount(port, state.carried, count)[port]
    columns = [
        np.minimum(rho, 3),
        np.clip(_ln(rho), -5, 6) / 2,  # far above 0: next to nothing is left for the queue
        state.rate,
        np.clip(carried, 0, 1.1),
        np.clip(_ln(waiting / service), -7, 7) / 3,
        np.clip(logit(state.packet_loss), -12, 6) / 5,
        np.minimum(0.1 / (1 - np.minimum(rho, 0.95)), 2),
        np.clip(_ln(state.spread), -4, 4),
        np.clip(state.modulation, 0, 2) * 3,
        np.clip(np.sqrt(state.waiting_variance_s2) / waiting, 0, 8) / 2,
        np.clip(1 - mix[:, 0] / np.maximum(mix[:, 3], 1e-300), 0, 1),
        np.clip(_ln(state.memory_s / service), -3, 10) / 4,
        np.log1p(np.clip(state.waiting_elasticity, 0, 20)),
        np.log1p(np.clip(state.loss_elasticity, 0, 50)),
        np.clip(_ln(waiting / np.maximum(state.resting_s, 1e-9 * service)), -1, 4),
        np.clip(rho - 1, -1, 1) * np.clip(_ln(state.buffer + 1), 1, 5),
        state.size_bias,
    ]
    return np.where(state.load[:, None] > 0, np.stack(columns, axis=1), 0.0)


def logit(loss: Floats) -> Floats:
    """ln(p / (1 - p)), kept finite."""
    p = np.clip(loss, LEAST_LOSS, MOST_LOSS)
    return np.asarray(np.log(p / (1 - p)))


def _shape(
    scenario: Scenario, state: QueueSolution, each: HopDelays, by_path: tuple[Floats, ...]
) -> Singles:
    """SHAPE; `by_path` is [paths]: fixed delay, its variance, the largest hop's part."""
    sums = flow_sums(scenario, state, each)
    mean, deviation = sums.mean_s, np.sqrt(sums.variance_s2)
    deviation = np.maximum(deviation, 1e-6 * mean)
    z = [
        (values - mean) / deviation
        for values in percentiles(LEVELS, sums.paths, scenario.paths.flow_offset)
    ]
    share, offset = np.asarray(scenario.paths.share), np.asarray(scenario.paths.flow_offset)
    fixed, fixed2, largest = (run_sums(share * values, offset) for values in by_path)
    columns = [
        *(np.clip(v, -4, 8) for v in z),
        np.clip(np.log(deviation / mean), -8, 3),
        np.clip(fixed / mean, 0, 1.5),
        np.clip(largest, 0, 1),
        *_size_levels(scenario),
        np.clip(fixed2 / deviation**2, 0, 1),
    ]
    return np.nan_to_num(side_by_side(columns), copy=False)


def _size_levels(scenario: Scenario) -> list[Floats]:
    """Percentiles of each flow's packet sizes, in standard deviations from the mean. [flows]"""
    sizes, found = scenario.traffic.sizes, []
    for level in LEVELS:
        z = [
            (s.quantile_bits(level) - s.mean_bits)
            / max(math.sqrt(max(s.second_moment_bits2 - s.mean_bits**2, 0.0)), 1e-6 * s.mean_bits)
            for s in sizes
        ]
        found.append(np.clip(np.array(z, np.float64), -4, 8)[scenario.traffic.flow_size])
    return found


def side_by_side(columns: Sequence[Floats | NDArray[np.bool_]]) -> Singles:
    """Columns as one array of single precision. [rows, columns]"""
    out = np.empty((len(columns[0]), len(columns)), np.float32)
    for k, values in enumerate(columns):
        out[:, k] = values
    return out


def _ln(values: Floats) -> Floats:
    return np.asarray(np.log(np.maximum(values, 1e-9)))
