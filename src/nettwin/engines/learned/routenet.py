"""routenet: message passing between paths and queues in RouteNet's manner; without PyTorch.

The field's reference (Rusek et al., IEEE JSAC 38, 2020; Ferriol-Galmes et al., IEEE/ACM ToN 31,
2023), here behind the same inputs as the `gnn` but without what queueing theory says.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nettwin.compiled import compiled
from nettwin.engines.learned.answer import Answer
from nettwin.engines.learned.features import HOP_BASE
from nettwin.engines.learned.gnn import bend
from nettwin.engines.learned.inputs import Inputs, by_hop
from nettwin.engines.learned.paths import (
    Flows,
    Walk,
    along,
    flows_of,
    gated,
    known_of,
    linear,
    together,
    unit_of,
    walk,
    width_of,
)
from nettwin.engines.theory.flows import HopDelays
from nettwin.formats.weight_file import Weights

Singles = NDArray[np.float32]
ROOT_SHARE = HOP_BASE.index("root_share")


def answer(inputs: Inputs, members: Sequence[Weights]) -> Answer:
    """What networks of these weights say together; hops are those of their mean."""
    inputs = by_hop(inputs)
    path = walk(inputs)
    found = [_one(inputs, weights, path) for weights in members]
    hops = [np.mean(part, axis=0) for part in zip(*(each for _, each in found), strict=True)]
    return together([flows for flows, _ in found], HopDelays(*hops), inputs.hop_row)


def _one(inputs: Inputs, weights: Weights, candidate: Walk) -> tuple[Flows, HopDelays]:
    width, rounds = width_of(weights, "enter.bias"), int(weights["rounds"][0])
    queue, hop = known_of(inputs)
    share = hop[:, ROOT_SHARE] ** 2
    port_offset = np.asarray(inputs.port_offset, np.int64)
    port = np.repeat(np.arange(len(port_offset) - 1), np.diff(port_offset))
    h = linear(bend(linear(queue, weights, "enter", width)), weights, "enter2", width)
    start = linear(bend(linear(inputs.flow, weights, "of_flow", width)), weights, "of_flow2", width)
    paths = start[inputs.path_flow[candidate.order]]
    of_hop = linear(hop, weights, "of_hop", 3 * width, bias=False)
    unit = unit_of(weights, "of_path", width)
    state = np.zeros((len(inputs.hop_queue), width), np.float32)
    whole = np.maximum(np.bincount(inputs.hop_queue, share, len(queue)), 1e-9)[:, None]
    for _ in range(rounds):
        heard = np.zeros((len(queue), width))
        of_queue = linear(h, weights, "of_queue", 3 * width)
        for hops, before, after in along(
            candidate, of_queue, of_hop, inputs.hop_queue, paths, unit
        ):
            _tell(before, share[hops], inputs.hop_queue[hops], heard)
            state[hops] = after
        own = bend(linear(h, weights, "sibling", width)) * queue[:, :1]
        others = _by_port(own, port, len(port_offset) - 1) - own
        told = np.concatenate([(heard / whole).astype(np.float32), others], axis=1)
        x = linear(told, weights, "of_told", 3 * width)
        h = gated(x, linear(h, weights, "of_self", 3 * width), h)
    service_s = inputs.service_s[inputs.hop_queue]
    return flows_of(inputs, weights, state, service_s, inputs.path_offset)


@compiled
def _tell(said: Any, share: Any, queue: Any, heard: Any) -> None:
    """Add what paths say to the queues that they reach, each by its share."""
    for k in range(queue.size):
        for i in range(said.shape[1]):
            heard[queue[k], i] += share[k] * said[k, i]


@compiled
def _by_port(own: Any, port: Any, ports: int) -> Any:
    """What all queues of each queue's port say. [queues, width]"""
    whole = np.zeros((ports, own.shape[1]), np.float32)
    for q in range(port.size):
        for i in range(own.shape[1]):
            whole[port[q], i] += own[q, i]
    return whole[port]
