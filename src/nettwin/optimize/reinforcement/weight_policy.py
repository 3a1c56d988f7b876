"""WeightPolicy: which link raises its weight, by message passing among the links' agents."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nettwin.optimize.reinforcement.link_graph import (
    LinkGraph,
    Weights,
    embeddings,
    features,
    relative,
)
from nettwin.optimize.reinforcement.midpoint_policy import UNMASKED
from nettwin.optimize.reinforcement.weight_environment import WeightEnvironment


class WeightView:
    """What the agents see of an environment."""

    def __init__(self, environment: WeightEnvironment) -> None:
        topology = environment.topology
        self.environment = environment
        self.graph = LinkGraph.of(topology.link_source, topology.link_target, topology.node_count)
        self._capacity = relative(topology.link_capacity_bps)

    def links(self) -> NDArray[np.float32]:
        """The features of links. [links, features]"""
        environment = self.environment
        return features(
            environment.load,
            environment.topology.link_capacity_bps,
            self._capacity,
            relative(environment.weight),
        )


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
