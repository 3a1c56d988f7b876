"""Inputs: a scenario as the arrays that enter a learned model, and what theory says of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nettwin.engines.learned.features import join_queues, rows_of, shape_features
from nettwin.engines.learned.queue_features import queue_features
from nettwin.engines.learned.row_features import RowTable, queue_mix, row_values
from nettwin.engines.theory.flows import (
    HOP_S,
    DelaysByKind,
    FlowSums,
    flow_sums,
    hop_delays,
    hop_table,
)
from nettwin.engines.theory.formulas import Formulas
from nettwin.engines.theory.inputs import joins
from nettwin.engines.theory.network import ROUNDS, solve
from nettwin.engines.theory.parallel import at_once
from nettwin.engines.theory.quantiles import percentiles
from nettwin.engines.theory.solution import QueueSolution
from nettwin.engines.theory.tables import FlowTable, tables
from nettwin.scenario.arrivals import Trace
from nettwin.scenario.packet_sizes import PacketSize
from nettwin.scenario.scenario import Scenario

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Whole = NDArray[np.int32]
LEVELS = (0.5, 0.9, 0.99)  # of the percentiles that are predicted


class Inputs(NamedTuple):
    """What enters a learned model. Features are named in `features`; times are seconds.

    A flow meets a queue once, in one row, however many of its paths lead there.
    """

    queue: Singles  # [queues, QUEUE]
    flow: Singles  # [flows, FLOW]
    hop: Singles  # [rows, HOP]
    edge: Singles  # [edges, EDGE]
    edge_source: Whole  # [edges]
    edge_target: Whole  # [edges] ascending
    hop_queue: Whole  # [rows]
    hop_row: Whole  # [hops] the row of each hop of the paths
    row_offset: NDArray[np.int64]  # [flows + 1] into rows
    path_offset: NDArray[np.int64]  # [paths + 1]
    path_flow: NDArray[np.int64]  # [paths]
    path_share: Floats  # [paths]
    path_fixed_s: Floats  # [paths] propagation and transmission
    path_fixed_s2: Floats  # [paths] variance of transmission
    flow_offset: NDArray[np.int64]  # [flows + 1] into paths
    port_offset: Whole  # [ports + 1] into queues
    waiting_s: Floats  # [rows] in theory, never 0
    waiting_cv2: Floats  # [rows] variance of waiting over its squared mean, in theory
    loss_logit: Floats  # [rows] in theory
    shape: Singles  # [flows, SHAPE] of the flow's delay in theory
    service_s: Floats  # [queues] mean transmission time of a packet


class Solved(NamedTuple):
    """What theory says of a scenario."""

    state: QueueSolution
    each: DelaysByKind


def solved(
    scenario: Scenario,
    like: QueueSolution | None = None,
    formulas: Formulas = Formulas(),  # noqa: B008, frozen
    *,
    rounds: int = ROUNDS,
) -> Solved:
    """Theory's answer, hop by hop; the same with what is known of a scenario `like` it. With no
    rounds of `solve`, that of ports where nothing waits and nothing is lost."""
    state = solve(scenario, like=like, formulas=formulas, rounds=rounds)
    return Solved(state, hop_delays(scenario, state))


def inputs_of(scenario: Scenario, theory: Solved | None = None) -> Inputs:
    """The inputs of a scenario; `theory` if it is known already."""
    state, each = theory or solved(scenario)
    flows, paths, ports = tables(scenario)
    hops = hop_table(scenario, state)
    capacity = np.asarray(ports.capacity_bps)[ports.port]
    queues = len(ports.port)
    flow_offset = np.asarray(scenario.paths.flow_offset)
    pairs = joins(scenario)

    def graph() -> tuple[Any, Any]:
        met = rows_of(flow_offset, paths.offset, paths.queue, queues)
        return met, join_queues(paths, flows, pairs, each, capacity)

    (met, (source, target, edge, place)), sums = at_once(
        graph, partial(_sums, scenario, state, each), len(paths.queue) * HOP_S
    )
    rows, flow = RowTable(*met), flow_features(scenario, flows)
    least = 1e-3 * state.service_s * np.minimum(state.load, 1.0) + 1e-15
    sizes = np.array([size.mean_bits for size in scenario.traffic.sizes], np.float64)
    values = row_values(
        rows, flow_offset, paths, flows, each, sizes, hops, pairs, edge[place], least
    )
    mix = queue_mix(rows, values, flows.packets_pps * flows.mean_bits, flow, queues)
    by_path = values.fixed_s, values.fixed_s2, values.dominance
    return Inputs(
        queue_features(state, ports, mix, target, edge),
        flow,
        values.hop,
        edge,
        source,
        target,
        rows.queue,
        rows.of_hop,
        rows.offset,
        np.asarray(paths.offset),
        np.asarray(paths.flow),
        np.asarray(paths.share),
        values.fixed_s,
        values.fixed_s2,
        flow_offset,
        np.asarray(ports.offset),
        values.waiting_s,
        values.waiting_cv2,
        values.loss_logit,
        _shape(scenario, sums, by_path),
        state.service_s,
    )


def by_hop(inputs: Inputs) -> Inputs:
    """The inputs with a row for each hop of each path, for models that go along paths."""
    if len(inputs.hop_queue) == len(inputs.hop_row):
        return inputs
    row = inputs.hop_row
    return inputs._replace(
        hop=inputs.hop[row],
        hop_queue=inputs.hop_queue[row],
        hop_row=np.arange(len(row), dtype=np.int32),
        row_offset=inputs.path_offset[inputs.flow_offset],
        waiting_s=inputs.waiting_s[row],
        waiting_cv2=inputs.waiting_cv2[row],
        loss_logit=inputs.loss_logit[row],
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


def _sums(
    scenario: Scenario, state: QueueSolution, each: DelaysByKind
) -> tuple[FlowSums, tuple[Floats, ...]]:
    """Every flow's delay in theory, and its percentiles at LEVELS. [flows] each"""
    sums = flow_sums(scenario, state, each)
    return sums, tuple(percentiles(LEVELS, sums.paths, scenario.paths.flow_offset))


def _shape(
    scenario: Scenario, of: tuple[FlowSums, tuple[Floats, ...]], by_path: tuple[Floats, ...]
) -> Singles:
    """SHAPE, from `_sums`; `by_path` is [paths]: fixed delay, its variance, the largest hop's
    part."""
    sums, levels = of
    found = shape_features(
        sums.mean_s,
        sums.variance_s2,
        levels,
        by_path,
        scenario.paths.share,
        scenario.paths.flow_offset,
        _size_levels(scenario.traffic.sizes),
        scenario.traffic.flow_size,
    )
    return np.asarray(found)


def _size_levels(sizes: Sequence[PacketSize]) -> Floats:
    """Percentiles of packet sizes, in standard deviations from the mean. [levels, sizes]"""
    out = np.zeros((len(LEVELS), len(sizes)))
    for k, size in enumerate(sizes):
        variance = max(size.second_moment_bits2 - size.mean_bits**2, 0.0)
        deviation = max(math.sqrt(variance), 1e-6 * size.mean_bits)
        out[:, k] = [(size.quantile_bits(level) - size.mean_bits) / deviation for level in LEVELS]
    return np.clip(out, -4, 8)


def side_by_side(columns: Sequence[Floats | NDArray[np.bool_]]) -> Singles:
    """Columns as one array of single precision. [rows, columns]"""
    out = np.empty((len(columns[0]), len(columns)), np.float32)
    for k, values in enumerate(columns):
        out[:, k] = values
    return out
