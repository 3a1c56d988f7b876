"""Messages between queues: what the gnn knows of each queue before it reads hops and flows.

All in compiled loops and products of matrices, network by network: the layers are narrow and the
queues few, so that calls from Python would take as long as the sums.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nettwin.engines.learned.features import EDGE, QUEUE
from nettwin.engines.learned.inputs import Inputs
from nettwin.engines.learned.model_file import weight
from nettwin.engines.learned.products import njit_fastmath, product
from nettwin.formats.weight_file import Weights

Singles = NDArray[np.float32]


class Layers(NamedTuple):
    """The layers of one network; matrices are [in, out]."""

    enter: Singles
    enter_bias: Singles
    enter2: Singles
    enter2_bias: Singles
    said: Singles  # by the queue that an edge comes from
    of_edge: Singles
    message_bias: Singles
    sibling: Singles
    sibling_bias: Singles
    mix: Singles
    mix_bias: Singles
    update: Singles
    update_bias: Singles
    at_queue: Singles
    at_queue_bias: Singles


def at_queues(inputs: Inputs, members: Sequence[Weights]) -> Singles:
    """What the readout of each network needs of each queue, after the messages.
    [members, queues, width]"""
    begin = np.searchsorted(inputs.edge_target, np.arange(len(inputs.queue) + 1))
    width = len(members[0]["enter.bias"])
    out = np.empty((len(members), len(inputs.queue), width), np.float32)
    for weights, mine in zip(members, out, strict=True):
        rounds = int(weights["rounds"][0])
        _network(
            inputs.queue,
            inputs.edge,
            inputs.edge_source,
            begin,
            inputs.port_offset,
            _layers(weights, width),
            rounds,
            mine,
        )
    return out


def _layers(weights: Weights, width: int) -> Layers:
    """The layers of one network, checked."""

    def turned(name: str, seen: int) -> Singles:
        return np.ascontiguousarray(weight(weights, f"{name}.weight", (width, seen)).T)

    def bias(name: str) -> Singles:
        return weight(weights, f"{name}.bias", (width,))

    enter, told = turned("enter", len(QUEUE)), turned("message", width + len(EDGE))
    return Layers(
        enter,
        bias("enter"),
        turned("enter2", width),
        bias("enter2"),
        told[:width],
        told[width:],
        bias("message"),
        turned("sibling", width),
        bias("sibling"),
        turned("mix", 4 * width),
        bias("mix"),
        turned("update", width),
        bias("update"),
        turned("at_queue", width),
        bias("at_queue"),
    )


@njit_fastmath
def _network(
    queue: Any,
    edge: Any,
    source: Any,
    begin: Any,
    port_offset: Any,
    layers: Any,
    rounds: int,
    out: Any,
) -> None:
    """Fill what the readout of one network needs of each queue, `out` [queues, width]."""
    count, width = out.shape
    of_edge = np.empty((len(edge), width), np.float32)
    x, h = np.empty((count, width), np.float32), np.empty((count, width), np.float32)
    met = np.empty((count, 4 * width), np.float32)
    product(edge, layers.of_edge, of_edge)
    add(of_edge, layers.message_bias)
    product(queue, layers.enter, x)
    activate_all(x, layers.enter_bias)
    product(x, layers.enter2, h)
    add(h, layers.enter2_bias)
    for _ in range(rounds):
        product(h, layers.said, x)
        _upstream(x, of_edge, edge, source, begin, met[:, width : 2 * width])
        product(h, layers.sibling, x)
        activate_all(x, layers.sibling_bias)
        for q in range(count):
            for k in range(width):
                x[q, k] *= queue[q, 0]  # its load
                met[q, k] = h[q, k]
                met[q, 3 * width + k] = x[q, k]
        _others(x, port_offset, met[:, 2 * width : 3 * width])
        product(met, layers.mix, x)
        activate_all(x, layers.mix_bias)
        product(x, layers.update, out)
        for q in range(count):
            for k in range(width):
                h[q, k] += out[q, k] + layers.update_bias[k]
    product(h, layers.at_queue, out)
    add(out, layers.at_queue_bias)


@njit_fastmath
def add(x: Any, bias: Any) -> None:
    """Add the bias to all rows, in place."""
    for row in range(len(x)):
        for k in range(bias.size):
            x[row, k] += bias[k]


@njit_fastmath
def activate_all(x: Any, bias: Any) -> None:
    """Add the bias to all rows, and `gnn.bend`, in place."""
    half, one = np.float32(0.5), np.float32(1.0)
    for row in range(len(x)):
        for k in range(bias.size):
            y = x[row, k] + bias[k]
            x[row, k] = y * (half + half * y / (one + abs(y)))


@njit_fastmath
def _upstream(said: Any, of_edge: Any, edge: Any, source: Any, begin: Any, out: Any) -> None:
    """What reaches each queue over its edges, begin[q] to begin[q + 1]: what their sources `said`,
    bent, each by the part of the queue's traffic that it brings. [queues, width]"""
    half, one = np.float32(0.5), np.float32(1.0)
    for q in range(begin.size - 1):
        here = out[q]
        here[:] = np.float32(0.0)
        for e in range(begin[q], begin[q + 1]):
            before, along, part = said[source[e]], of_edge[e], edge[e, 0]
            for k in range(here.size):
                y = before[k] + along[k]
                here[k] += part * y * (half + half * y / (one + abs(y)))


@njit_fastmath
def _others(own: Any, port_offset: Any, out: Any) -> None:
    """What the other queues of each queue's port say. [queues, width]"""
    whole = np.empty(own.shape[1], np.float32)
    for port in range(port_offset.size - 1):
        whole[:] = np.float32(0.0)
        for q in range(port_offset[port], port_offset[port + 1]):
            for k in range(whole.size):
                whole[k] += own[q, k]
        for q in range(port_offset[port], port_offset[port + 1]):
            for k in range(whole.size):
                out[q, k] = whole[k] - own[q, k]
