"""Queueing: an engine for tests of explanations; every port is M/M/1 and can be checked by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nettwin.metrics import Metrics, Table
from nettwin.model import HopSplit
from nettwin.scenario.scenario import Scenario

MOST = 0.99  # load at which waiting is cut


@dataclass(frozen=True)
class Queueing:
    """Queues wait `s a / (1 - a)` at load a of their port and lose what is over it; the model adds
    `learned` times that."""

    learned: float = 0.0
    name: str = "theory"

    def unsupported(self, scenario: Scenario) -> list[str]:
        return []

    def hops(self, scenario: Scenario) -> HopSplit:
        topology, paths = scenario.topology, scenario.paths
        transmission = (
            scenario.traffic.flow_mean_size_bits[paths.hop_flow]
            / topology.link_capacity_bps[paths.links]
        )
        loss = np.maximum(1 - 1 / np.maximum(scenario.link_offered_load, 1e-9), 0.0)[paths.links]
        passing = paths.share * np.exp(
            np.bincount(paths.hop_path, np.log1p(-loss), paths.path_count)
        )
        whole = np.bincount(paths.path_flow, passing, len(paths.status))
        waiting = self._waiting_s(scenario)[paths.links]
        return HopSplit(
            topology.link_delay_s[paths.links],
            transmission,
            waiting,
            self.learned * waiting,
            loss,
            passing / whole[paths.path_flow],
        )

    def predict(self, scenarios: Sequence[Scenario]) -> list[Metrics]:
        return [self._one(scenario) for scenario in scenarios]

    def _waiting_s(self, scenario: Scenario) -> np.ndarray:
        topology, paths, load = scenario.topology, scenario.paths, scenario.link_offered_load
        bits = scenario.traffic.flow_mean_size_bits[paths.hop_flow]
        largest = np.zeros(topology.link_count)
        np.maximum.at(largest, paths.links, bits)
        capped = np.minimum(load, MOST)
        return largest / topology.link_capacity_bps * capped / (1 - capped)

    def _one(self, scenario: Scenario) -> Metrics:
        split, paths = self.hops(scenario), scenario.paths
        hop = split.propagation_s + split.transmission_s + split.waiting_s + split.correction_s
        path = np.bincount(paths.hop_path, hop, paths.path_count)
        flows, links = scenario.traffic.flow_count, scenario.topology.queues.link
        delay = np.bincount(paths.path_flow, path * split.weight, flows)
        passing = np.exp(np.bincount(paths.hop_path, np.log1p(-split.loss), paths.path_count))
        loss = 1 - np.bincount(paths.path_flow, paths.share * passing, flows)
        load = scenario.link_offered_load
        lost = np.maximum(1 - 1 / np.maximum(load, 1e-9), 0.0)
        waiting = (1 + self.learned) * self._waiting_s(scenario)
        return Metrics(
            flow=Table({"owd_mean_s": delay, "loss_ratio": loss}),
            link=Table({"utilization": np.minimum(load, 1.0), "loss_ratio": lost}),
            queue=Table({"delay_mean_s": waiting[links], "loss_ratio": lost[links]}),
            method="predicted",
            engine=self.name,
        )
