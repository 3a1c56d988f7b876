"""A scenario as the flat arrays that the compiled loops of the theory take."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple
from weakref import ReferenceType, ref

import numpy as np
from numpy.typing import NDArray

from nettwin.engines.theory.ports import DRR, FIFO, LSF, SP, WFQ
from nettwin.engines.theory.variability import flow_variability
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.traffic import Traffic

POLICIES = {"fifo": FIFO, "sp": SP, "wfq": WFQ, "drr": DRR, "lsf": LSF}
Floats = NDArray[np.float64]


class FlowTable(NamedTuple):
    """What the compiled loops need of each flow. Arrays are [flows]."""

    packets_pps: Floats
    mean_bits: Floats
    second_bits2: Floats
    gap_cv2: Floats
    period_s: Floats
    rate_variance: Floats
    memory_s: Floats
    duty: Floats
    high_part: Floats


class PathTable(NamedTuple):
    """The hops of `Scenario.paths`, and the queue of each."""

    flow: NDArray[np.int64]  # [paths]
    share: Floats  # [paths]
    offset: NDArray[np.int64]  # [paths + 1]
    queue: NDArray[np.int32]  # [hops]


class QueueTable(NamedTuple):
    """What the compiled loops need of each port and queue."""

    offset: NDArray[np.int32]  # [ports + 1]
    policy: NDArray[np.int8]  # [ports]
    capacity_bps: Floats  # [ports]
    burst_bits: Floats  # [ports], 0 where the port is not shaped
    counts_service: NDArray[np.bool_]  # [ports] whether buffers hold the packet in service too
    port: NDArray[np.int32]  # [queues]
    buffer_packets: Floats  # [queues]
    buffer_bits: Floats  # [queues]
    weight: Floats  # [queues]
    quantum_bits: Floats  # [queues]


class Tables(NamedTuple):
    """A scenario as flat arrays."""

    flows: FlowTable
    paths: PathTable
    queues: QueueTable


MOST_KEPT = 8  # scenarios whose tables are kept, while they live
_kept: dict[int, tuple[ReferenceType[Scenario], Tables]] = {}


def tables(scenario: Scenario) -> Tables:
    """A scenario as flat arrays; those of the scenarios asked for last are kept while they live."""
    key = id(scenario)
    known = _kept.get(key)
    if known is not None and known[0]() is scenario:
        return known[1]
    made = Tables(_flow_table(scenario.traffic), _path_table(scenario), _queue_table(scenario))
    _kept[key] = ref(scenario, partial(_forget, key)), made
    for old in list(_kept)[:-MOST_KEPT]:
        _kept.pop(old, None)
    return made


def _forget(key: int, gone: ReferenceType[Scenario]) -> None:
    known = _kept.get(key)
    if known is not None and known[0] is gone:
        _kept.pop(key, None)


def _flow_table(traffic: Traffic) -> FlowTable:
    second = np.array([size.second_moment_bits2 for size in traffic.sizes], np.float64)
    irregular = flow_variability(traffic)
    return FlowTable(
        np.asarray(traffic.flow_packet_rate_pps),
        np.asarray(traffic.flow_mean_size_bits),
        second[traffic.flow_size] if len(second) else np.zeros(0),
        irregular.white_gap_cv2,
        irregular.period_s,
        irregular.rate_variance,
        irregular.memory_s,
        irregular.duty,
        irregular.high_part,
    )


def _path_table(scenario: Scenario) -> PathTable:
    paths = scenario.paths
    flow = np.asarray(paths.path_flow, np.int64)
    return PathTable(flow, paths.share, paths.link_offset, scenario.hop_queue)


def _queue_table(scenario: Scenario) -> QueueTable:
    topology = scenario.topology
    schedulers, queues = topology.schedulers, topology.queues
    policy = np.array([POLICIES[s.policy] for s in schedulers], np.int8)
    burst = np.array([s.burst_bits or 0.0 for s in schedulers], np.float64)
    counts = np.array([s.buffer_counts_service for s in schedulers], np.bool_)
    return QueueTable(
        queues.offset,
        policy[topology.link_scheduler],
        topology.link_capacity_bps,
        burst[topology.link_scheduler],
        counts[topology.link_scheduler],
        queues.link,
        queues.buffer_packets,
        queues.buffer_bits,
        queues.weight,
        queues.quantum_bits,
    )
