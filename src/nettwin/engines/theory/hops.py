"""Hops: the delays of flows taken apart, hop by hop."""

from __future__ import annotations

from typing import Any

import numpy as np

from nettwin.engines.theory.flows import STARVED, DelaysByKind, HopDelays, hop_table
from nettwin.engines.theory.loops import njit_nogil
from nettwin.engines.theory.solution import QueueSolution
from nettwin.engines.theory.tables import tables
from nettwin.model import HopSplit
from nettwin.scenario.scenario import Scenario


def hop_split(
    scenario: Scenario, state: QueueSolution, met: DelaysByKind, each: HopDelays | None = None
) -> HopSplit:
    """What flows meet at each hop in theory, `met`, and what another model adds, which says `each`
    [hops]."""
    flows, paths, _ = tables(scenario)
    hops, theory = hop_table(scenario, state), met.at_hops()
    each = each or theory
    bits = flows.mean_bits[scenario.paths.hop_flow]
    return HopSplit(
        hops.delay_s[paths.queue],
        bits * hops.second_per_bit[paths.queue],
        theory.waiting_s,
        each.waiting_s - theory.waiting_s,
        each.loss,
        _weights(paths.offset, paths.flow, paths.share, each.loss, len(flows.mean_bits)),
    )


@njit_nogil
def _weights(offset: Any, flow: Any, share: Any, loss: Any, flows: int) -> Any:
    """The part of what arrives of its flow that comes over each path. [paths]"""
    passing, arriving = share.copy(), np.zeros(flows)
    for p in range(flow.size):
        for h in range(offset[p], offset[p + 1]):
            passing[p] *= 1.0 - loss[h]
        arriving[flow[p]] += passing[p]
    for p in range(flow.size):
        whole = arriving[flow[p]]
        passing[p] = passing[p] / whole if whole > 1.0 - STARVED else 0.0
    return passing
