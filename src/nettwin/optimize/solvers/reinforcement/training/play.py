"""Play: drawing actions, and what is shared by all that learn from link graphs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from nettwin.optimize.solvers.reinforcement.link_graph import LinkGraph
from nettwin.optimize.solvers.reinforcement.training.networks import Links

POWER = 32.0


def chosen(logits: NDArray[np.float32], random: np.random.Generator) -> int:
    """An action drawn by its probability."""
    likely = np.exp(logits.astype(np.float64) - logits.max())
    return int(
        min(np.searchsorted(likely.cumsum(), random.random() * likely.sum()), len(likely) - 1)
    )


def log_probability(logits: NDArray[np.float32], action: int) -> float:
    """The logarithm of an action's probability."""
    shifted = logits.astype(np.float64) - logits.max()
    return float(shifted[action] - np.log(np.exp(shifted).sum()))


def smooth_maximum(utilization: NDArray[np.float64]) -> float:
    """The logarithm of a power mean that is near the maximum and sees all that is high."""
    highest = float(utilization.max(initial=0.0))
    if highest <= 0:
        return 0.0
    powers = (utilization / highest) ** POWER
    return float(np.log(highest) + np.log(powers.mean()) / POWER)


def side_by_side(
    seen: Sequence[tuple[LinkGraph, NDArray[np.float32]]],
) -> tuple[Links, NDArray[np.int64], NDArray[np.int64]]:
    """Link graphs with their features in one batch, each once; the graph of each entry, and the
    first link of each graph."""
    number: dict[int, int] = {}
    kept: list[tuple[LinkGraph, NDArray[np.float32]]] = []
    graph = np.empty(len(seen), np.int64)
    for b, (one, features) in enumerate(seen):
        if id(features) not in number:
            number[id(features)] = len(kept)
            kept.append((one, features))
        graph[b] = number[id(features)]
    links = np.array([len(features) for _, features in kept])
    nodes = np.array([len(one.into) for one, _ in kept])
    first, node = np.cumsum(links) - links, np.cumsum(nodes) - nodes

    def joined(parts: list[NDArray[np.int32]]) -> torch.Tensor:
        return torch.from_numpy(np.concatenate([p + n for p, n in zip(parts, node, strict=True)]))

    made = Links(
        torch.from_numpy(np.concatenate([features for _, features in kept])),
        joined([one.source for one, _ in kept]),
        joined([one.target for one, _ in kept]),
        torch.from_numpy(np.concatenate([one.into for one, _ in kept])),
        torch.from_numpy(np.concatenate([one.out for one, _ in kept])),
        torch.from_numpy(np.repeat(np.arange(len(kept)), links)),
        len(kept),
    )
    return made, graph, first
