"""LinkGraph: links that see one another over the nodes they share; their features and embeddings.

A link hears from the links that lead to its source and from those that go on from its target, each
as a mean, so that one round of message passing costs as much as there are links. The states of a
network (after failures) are graphs of their own, side by side.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nettwin.compiled import compiled

Weights = Mapping[str, NDArray[np.float32]]
FEATURES = (
    "utilization over the highest",
    "its exponential, slowly rising",
    "its exponential, steeply rising",
    "logarithm of capacity over the mean",
    "logarithm of what passes by common routing, or of the weight, over the mean",
    "mean utilization over the highest",
)
UNLIMITED = 1e9  # times the least capacity is no limit
STEEP = (8.0, 32.0)  # of the two exponentials


@dataclass(frozen=True)
class LinkGraph:
    """Which nodes the links join, and how many links do so."""

    source: NDArray[np.int32]  # [links]
    target: NDArray[np.int32]  # [links]
    into: NDArray[np.float32]  # [nodes], 1 over the number of links that lead here
    out: NDArray[np.float32]  # [nodes], 1 over the number of links that go out

    @classmethod
    def of(
        cls, source: NDArray[np.int32], target: NDArray[np.int32], nodes: int, states: int = 1
    ) -> LinkGraph:
        """The graph of links with these ends in so many states."""
        shift = np.repeat(np.arange(states, dtype=np.int32) * np.int32(nodes), len(source))
        sources, targets = np.tile(source, states) + shift, np.tile(target, states) + shift
        count = [np.bincount(ends, minlength=nodes * states) for ends in (targets, sources)]
        into, out = (np.float32(1) / np.maximum(c, 1).astype(np.float32) for c in count)
        return cls(sources.astype(np.int32), targets.astype(np.int32), into, out)


def usual(capacity_bps: NDArray[np.float64]) -> float:
    """The mean capacity of links that have a limit at all."""
    limited = capacity_bps[capacity_bps < UNLIMITED * capacity_bps.min(initial=np.inf)]
    return float(limited.mean()) if len(limited) else 1.0


def relative(values: NDArray[np.float64], mean: float) -> NDArray[np.float32]:
    """Logarithms of values over their mean, from -4 to 4. [links]"""
    return np.log(np.clip(values / mean, np.exp(-4.0), np.exp(4.0))).astype(np.float32)


def features(
    load: NDArray[np.float64],
    capacity_bps: NDArray[np.float64],
    capacity: NDArray[np.float32],
    passing: NDArray[np.float32],
) -> NDArray[np.float32]:
    """FEATURES of every link, free of units and of the scale of demand. [links, features]

    `capacity` and `passing` are relative already: they do not change as fast as loads do.
    """
    return np.asarray(_features(load, capacity_bps, capacity, passing))


def embeddings(
    graph: LinkGraph, inputs: NDArray[np.float32], weights: Weights
) -> NDArray[np.float32]:
    """What message passing makes of the features. [links, width]"""
    return np.asarray(
        _embeddings(
            inputs,
            graph.source,
            graph.target,
            graph.into,
            graph.out,
            weights["enter.weight"],
            weights["enter.bias"],
            weights["rounds.weight"],
            weights["rounds.bias"],
        )
    )


@compiled
def _features(load: Any, capacity_bps: Any, capacity: Any, passing: Any) -> Any:
    x = np.empty((load.size, 6), np.float32)
    highest, total = 0.0, 0.0
    for e in range(load.size):
        used = load[e] / capacity_bps[e]
        highest = max(highest, used)
        total += used
    for e in range(load.size):
        over = load[e] / capacity_bps[e] / highest - 1.0 if highest > 0 else -1.0
        x[e, 0] = over + 1.0
        x[e, 1] = np.exp(STEEP[0] * over)
        x[e, 2] = np.exp(STEEP[1] * over)
        x[e, 3] = capacity[e]
        x[e, 4] = passing[e]
        x[e, 5] = total / load.size / highest if highest > 0 else 0.0
    return x


@compiled
def _embeddings(
    x: Any,
    source: Any,
    target: Any,
    into: Any,
    out: Any,
    enter: Any,
    enter_bias: Any,
    rounds: Any,
    rounds_bias: Any,
) -> Any:
    """Weights are [inputs, width] and [rounds, 3 * width, width]."""
    links, width = x.shape[0], enter.shape[1]
    h = np.dot(x, enter)
    for e in range(links):
        for k in range(width):
            h[e, k] = max(h[e, k] + enter_bias[k], np.float32(0))
    heard = np.empty((links, 3 * width), np.float32)
    for r in range(rounds.shape[0]):
        before = np.zeros((into.size, width), np.float32)
        after = np.zeros((into.size, width), np.float32)
        for e in range(links):
            for k in range(width):
                before[target[e], k] += h[e, k] * into[target[e]]
                after[source[e], k] += h[e, k] * out[source[e]]
        for e in range(links):
            for k in range(width):
                heard[e, k] = h[e, k]
                heard[e, width + k] = before[source[e], k]
                heard[e, 2 * width + k] = after[target[e], k]
        change = np.dot(heard, rounds[r])
        for e in range(links):
            for k in range(width):
                h[e, k] += max(change[e, k] + rounds_bias[r, k], np.float32(0))
    return h
