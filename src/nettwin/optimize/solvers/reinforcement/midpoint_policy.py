"""MidpointPolicy: from the links' embeddings to prices, from prices to a choice of midpoint.

    link features -> message passing -> prices of each link -> costs of each candidate -> logits

Inference in NumPy and Numba; `training.networks` holds the same network for PyTorch.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nettwin.compiled import compiled
from nettwin.optimize.solvers.reinforcement.candidates import Candidates, costs, gathered
from nettwin.optimize.solvers.reinforcement.link_graph import (
    LinkGraph,
    Weights,
    embeddings,
    features,
    relative,
    usual,
)
from nettwin.optimize.solvers.reinforcement.midpoint_environment import MidpointEnvironment

EXTRAS = 5  # inputs of a candidate beside its costs, see `extras`
MAX_APART = 4.0  # logarithms of costs differ from the least by no more
UNMASKED = -1e9  # logit of what must not be chosen


class MidpointView:
    """What a policy sees of an environment: links, and the candidates of the demand that waits."""

    def __init__(self, environment: MidpointEnvironment) -> None:
        segment_problem = environment.segment_problem
        segments, capacity = segment_problem.segments, segment_problem.capacity_bps
        self.environment = environment
        self.graph = LinkGraph.of(
            segments.link_source, segments.link_target, segments.nodes, segments.states
        )
        self.unit_bps = usual(capacity)
        self._capacity = relative(capacity, self.unit_bps)
        passing = environment.crossing.through()
        self._passing = relative(passing, float(passing.mean()) or 1.0)
        self._scratch = np.zeros(len(capacity)), np.zeros(len(capacity))

    def links(self) -> NDArray[np.float32]:
        """The features of links. [states * links, features]"""
        environment = self.environment
        return features(
            environment.load,
            environment.segment_problem.capacity_bps,
            self._capacity,
            self._passing,
        )

    def candidates(self, mask: NDArray[np.bool_]) -> Candidates:
        """What the midpoints of a mask [nodes] would put on links."""
        environment = self.environment
        segment_problem, segments = (
            environment.segment_problem,
            environment.segment_problem.segments,
        )
        return Candidates(
            *gathered(
                float(segment_problem.rate_bps[environment.flow]),
                *environment.ends,
                mask,
                environment.load,
                segment_problem.capacity_bps,
                environment.utilization,
                self.unit_bps,
                segments.failover,
                *self._scratch,
            )
        )

    def extras(self, mask: NDArray[np.bool_], candidates: Candidates) -> NDArray[np.float32]:
        """What is known of each candidate beside its costs: its highest utilization, how many hops
        it is longer than the shortest, whether it is no midpoint, whether it is today's, and how
        large the flow is. [nodes, EXTRAS]"""
        environment = self.environment
        s, _, m = environment.ends
        rate = float(environment.segment_problem.rate_bps[environment.flow])
        size = rate / self.unit_bps / environment.utilization
        return np.asarray(_extras(mask, candidates.peak, candidates.hops, s, m, min(size, 1.0)))


class MidpointPolicy:
    """A policy with the weights of a trained agent; it keeps prices until loads change."""

    def __init__(self, weights: Weights, view: MidpointView) -> None:
        self.view, self._weights = view, weights
        self._steep = np.exp(weights["steep"])
        self._price: NDArray[np.float32] = np.zeros((0, 0), np.float32)
        self._seen: tuple[int, int] | None = None

    def logits(self, mask: NDArray[np.bool_]) -> NDArray[np.float32]:
        """A logit for each midpoint; UNMASKED for those that are not in the mask. [nodes]"""
        view, weights, environment = self.view, self._weights, self.view.environment
        seen = environment.episode, environment.version
        if seen != self._seen:
            hidden = embeddings(view.graph, view.links(), weights)
            self._price = prices(hidden, weights["price.weight"], weights["price.bias"])
            self._seen = seen
        found = view.candidates(mask)
        return np.asarray(
            _logits(
                costs(found.offset, found.link, found.part, found.over, self._price, self._steep),
                view.extras(mask, found),
                mask,
                weights["first.weight"],
                weights["first.bias"],
                weights["last.weight"],
            )
        )


@compiled
def prices(hidden: Any, weight: Any, bias: Any) -> Any:
    """Softplus of a linear map. [links, channels]"""
    price = np.dot(hidden, weight)
    for e in range(price.shape[0]):
        for d in range(price.shape[1]):
            x = price[e, d] + bias[d]
            price[e, d] = max(x, np.float32(0)) + np.log1p(np.exp(-abs(x)))
    return price


@compiled
def _extras(mask: Any, peak: Any, hops: Any, s: int, m: int, size: float) -> Any:
    x = np.zeros((mask.size, 5), np.float32)
    least = np.inf
    for c in range(mask.size):
        if mask[c]:
            least = min(least, hops[c])
    for c in range(mask.size):
        if mask[c]:
            x[c, 0] = peak[c]
            x[c, 1] = min((hops[c] - least) / 5.0, 2.0)
            x[c, 2] = 1.0 if c == s else 0.0
            x[c, 3] = 1.0 if c == m else 0.0
            x[c, 4] = size
    return x


@compiled
def _logits(cost: Any, extras: Any, mask: Any, first: Any, bias: Any, last: Any) -> Any:
    nodes, channels = cost.shape
    x = np.zeros((nodes, first.shape[0]), np.float32)
    x[:, channels:] = extras
    for d in range(channels):
        least = np.float32(np.inf)
        for c in range(nodes):
            if mask[c]:
                least = min(least, cost[c, d])
        for c in range(nodes):
            if mask[c]:
                apart = np.log(cost[c, d] + np.float32(1e-30)) - np.log(least + np.float32(1e-30))
                x[c, d] = min(apart, np.float32(MAX_APART))
    hidden = np.dot(x, first)
    logits = np.full(nodes, np.float32(UNMASKED), np.float32)
    for c in range(nodes):
        if not mask[c]:
            continue
        total = np.float32(0)
        for k in range(first.shape[1]):
            total += max(hidden[c, k] + bias[k], np.float32(0)) * last[k]
        logits[c] = total
    return logits
