"""WeightPolicy: which link raises its weight, by message passing among the links' agents."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nettwin.optimize.solvers.reinforcement.link_graph import (
    LinkGraph,
    Weights,
    embeddings,
    features,
    relative,
    usual,
)
from nettwin.optimize.solvers.reinforcement.midpoint_policy import UNMASKED
from nettwin.optimize.solvers.reinforcement.weight_environment import WeightEnvironment


class WeightView:
    """What the agents see of an environment; of several states each sees its busiest."""

    def __init__(self, environment: WeightEnvironment) -> None:
        topology = environment.weight_problem.topologies[0]
        links = topology.link_count
        self.environment = environment
        self.graph = LinkGraph.of(topology.link_source, topology.link_target, topology.node_count)
        capacity = environment.weight_problem.capacity_bps[:links]
        self._capacity = relative(capacity, usual(capacity))
        self._one = np.ones(links)

    def links(self) -> NDArray[np.float32]:
        """The features of links. [links, features]"""
        environment = self.environment
        weight = relative(environment.weight, float(environment.weight.mean()))
        return features(environment.used, self._one, self._capacity, weight)


class WeightPolicy:
    """A policy with the weights of a trained network."""

    def __init__(self, weights: Weights, view: WeightView) -> None:
        self.view, self._weights = view, weights

    def logits(self, mask: NDArray[np.bool_]) -> NDArray[np.float32]:
        """A logit for each link; UNMASKED for those that are not in the mask. [links]"""
        weights = self._weights
        hidden = embeddings(self.view.graph, self.view.links(), weights)
        asked = np.maximum(hidden @ weights["first.weight"] + weights["first.bias"], 0)
        return np.where(mask, asked @ weights["last.weight"], np.float32(UNMASKED))
