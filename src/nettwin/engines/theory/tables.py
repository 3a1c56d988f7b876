"""A scenario as the flat arrays that the compiled loops of the theory take."""

from __future__ import annotations

import math
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nettwin.engines.theory.kept import Kept
from nettwin.engines.theory.ports import DRR, FIFO, LSF, SP, WFQ
from nettwin.engines.theory.variability import flow_variability
from nettwin.errors import InputError
from nettwin.scenario.pathfinding import resolve
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.traffic import Traffic

MAX_HOPS, BYTES_A_HOP = 100_000_000, 80  # of all paths; a hop's part in a prediction's memory
MANY_FLOWS = 50_000  # from which on hops are estimated before all paths are found
TARGETS, FLOWS_OF_ONE = 64, 30  # of the flows whose paths tell
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


_kept: Kept[Tables] = Kept()
_kept_flows: Kept[FlowTable] = Kept()


def tables(scenario: Scenario) -> Tables:
    """A scenario as flat arrays; those of the scenarios asked for last are kept while they live."""
    return _kept.of(scenario, partial(_tables, scenario))


def _tables(scenario: Scenario) -> Tables:
    traffic = scenario.traffic  # which variants share
    flows = _kept_flows.of(traffic, partial(_flow_table, traffic))
    return Tables(flows, _path_table(scenario), _queue_table(scenario))


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
    if not scenario.knows_paths:
        _refuse(_surely(scenario), scenario)
    paths = scenario.paths
    _refuse(len(paths.links), scenario)
    flow = np.asarray(paths.path_flow, np.int64)
    return PathTable(flow, paths.share, paths.link_offset, scenario.hop_queue)


def _surely(scenario: Scenario) -> int:
    """How many hops the paths surely have: what those to some targets, drawn at random, let expect,
    less three deviations. 0 where flows are few. (To find all paths first would take minutes, and
    the memory that is to be spared.)"""
    traffic, random = scenario.traffic, np.random.default_rng(0)
    count, target = traffic.flow_count, traffic.flow_target
    if count < MANY_FLOWS:
        return 0
    some = np.flatnonzero(np.isin(target, target[random.permutation(count)[:TARGETS]]))
    some = np.sort(random.permutation(some)[: TARGETS * FLOWS_OF_ONE])
    found = resolve(scenario.routing.keep(some), scenario.topology, traffic.keep(some))
    hops = np.diff(found.link_offset[found.flow_offset]).astype(np.float64)
    _, place, flows = np.unique(target[some], return_inverse=True, return_counts=True)
    mean = np.bincount(place, hops) / flows
    return int(count * max(mean.mean() - 3.0 * mean.std() / math.sqrt(len(mean)), 0.0))


def _refuse(hops: int, scenario: Scenario) -> None:
    """Raise InputError where paths have so many hops, or more, that they do not fit in memory."""
    if hops > MAX_HOPS:
        raise InputError(
            f"the paths of the {scenario.traffic.flow_count:,} flows have {hops:,} hops or more: "
            f"theory and the learned models work with at most {MAX_HOPS:,}, which take about "
            f"{MAX_HOPS * BYTES_A_HOP / 1e9:.0f} GB of memory. Ask about fewer flows, or without "
            "ECMP."
        )


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
