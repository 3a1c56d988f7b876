"""mlp and rnn: the classical baselines, which see each path alone; without PyTorch.

Other flows are known to them only through the loads of the queues on the path. Both say how long a
path waits in multiples of the mean transmission times of a packet, added up over its queues. What
happens in single queues they do not know: an engine leaves queues and links to theory.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nettwin.compiled import compiled
from nettwin.engines.learned.answer import Answer
from nettwin.engines.learned.features import FLOW, HOP_BASE, QUEUE_BASE, run_sums
from nettwin.engines.learned.gnn import bend
from nettwin.engines.learned.inputs import Inputs, by_hop
from nettwin.engines.learned.paths import (
    along,
    flows_of,
    known_of,
    linear,
    together,
    unit_of,
    walk,
    width_of,
)
from nettwin.formats.weight_file import Weights

Singles = NDArray[np.float32]
Floats = NDArray[np.float64]
SEEN = len(QUEUE_BASE) + len(HOP_BASE) + 1  # of each hop; the last: its part of transmission
SUMMARY = len(FLOW) + 2 + 3 * SEEN
MAX_LN_WAY = 8.0  # of a path's transmission over its whole fixed delay


def perceptron(inputs: Inputs, members: Sequence[Weights]) -> Answer:
    """What multilayer perceptrons of these weights say together."""
    inputs = by_hop(inputs)
    part, service_s = _parts(inputs)
    queue, hop = known_of(inputs)
    sums = _summary(inputs.path_offset, inputs.hop_queue, queue, hop, part)
    row = np.concatenate(
        [inputs.flow[inputs.path_flow], _candidate(inputs, service_s), sums], axis=1
    )
    found = []
    for weights in members:
        width = width_of(weights, "enter.bias")
        state = bend(linear(row.astype(np.float32), weights, "enter", width))
        state = bend(linear(state, weights, "enter2", width))
        found.append(flows_of(inputs, weights, state, service_s, _alone(inputs))[0])
    return together(found)


def recurrent(inputs: Inputs, members: Sequence[Weights]) -> Answer:
    """What recurrent networks of these weights say together."""
    inputs = by_hop(inputs)
    part, service_s = _parts(inputs)
    queue, hop = known_of(inputs)
    path = walk(inputs)
    ln_path = _candidate(inputs, service_s)[:, 1:]
    flow = np.concatenate([inputs.flow[inputs.path_flow], ln_path], axis=1).astype(np.float32)
    seen = np.concatenate([hop, part[:, None]], axis=1).astype(np.float32)
    found = []
    for weights in members:
        width = width_of(weights, "of_flow.bias")
        # the queue's and the hop's columns apart: there are few queues
        split = {
            "of_queue.weight": weights["of_seen.weight"][:, : len(QUEUE_BASE)],
            "of_queue.bias": weights["of_seen.bias"],
            "of_hop.weight": weights["of_seen.weight"][:, len(QUEUE_BASE) :],
        }
        of_queue = linear(queue, split, "of_queue", 3 * width)
        of_hop = linear(seen, split, "of_hop", 3 * width, bias=False)
        last = bend(linear(flow[path.order], weights, "of_flow", width))
        for _ in along(
            path, of_queue, of_hop, inputs.hop_queue, last, unit_of(weights, "of_path", width)
        ):
            pass
        state = np.empty_like(last)
        state[path.order] = last
        found.append(flows_of(inputs, weights, state, service_s, _alone(inputs))[0])
    return together(found)


def _alone(inputs: Inputs) -> NDArray[np.int64]:
    """Offsets of paths that are one item each."""
    return np.arange(len(inputs.path_flow) + 1)


def _parts(inputs: Inputs) -> tuple[Floats, Floats]:
    """Each hop's part of its path's transmission [hops], and that of the path in mean transmission
    times of a packet [paths]."""
    each = inputs.service_s[inputs.hop_queue]
    whole = run_sums(each, inputs.path_offset)
    of_hop = np.repeat(np.maximum(whole, 1e-30), np.diff(inputs.path_offset))
    return each / of_hop, whole


def _candidate(inputs: Inputs, service_s: Floats) -> Floats:
    """A path's length, and how its transmission compares with its fixed delay. [paths, 2]"""
    ratio = service_s / np.maximum(inputs.path_fixed_s, 1e-30)
    ln_ratio = np.clip(np.log(np.maximum(ratio, 1e-9)), -MAX_LN_WAY, MAX_LN_WAY)
    return np.stack([np.log1p(np.diff(inputs.path_offset)), ln_ratio], axis=1)


@compiled
def _summary(offset: Any, hop_queue: Any, queue: Any, hop: Any, part: Any) -> Any:
    """Of what is seen of the hops of each path: the mean, the sum weighted by `part`, and the
    largest. [paths, 3 SEEN]"""
    first, second = queue.shape[1], queue.shape[1] + hop.shape[1]
    seen = np.empty(second + 1)
    out = np.zeros((offset.size - 1, 3 * seen.size))
    for p in range(offset.size - 1):
        for h in range(offset[p], offset[p + 1]):
            seen[:first], seen[first:second] = queue[hop_queue[h]], hop[h]
            seen[second] = part[h]
            for k in range(seen.size):
                out[p, k] += seen[k] / (offset[p + 1] - offset[p])
                out[p, seen.size + k] += seen[k] * part[h]
                most = out[p, 2 * seen.size + k]
                if h == offset[p] or seen[k] > most:
                    out[p, 2 * seen.size + k] = seen[k]
    return out
