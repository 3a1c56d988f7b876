"""Plain: an engine for tests of what is built on engines, whose simple answers never change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nettwin.metrics import Metrics, Table
from nettwin.scenario.scenario import Scenario


@dataclass(frozen=True)
class Plain:
    """An engine for tests: delay is propagation and a fixed wait a hop; links lose their excess."""

    name: str = "theory"
    wait_s: float = 1e-3

    def unsupported(self, scenario: Scenario) -> list[str]:
        return ["a link is overloaded"] if (scenario.link_offered_load > 1).any() else []

    def predict(self, scenarios: Sequence[Scenario]) -> list[Metrics]:
        return [self._one(scenario) for scenario in scenarios]

    def _one(self, scenario: Scenario) -> Metrics:
        topology, traffic, paths = scenario.topology, scenario.traffic, scenario.paths
        load = scenario.link_offered_load
        lost = np.maximum(1 - 1 / np.maximum(load, 1e-9), 0.0)
        hop_delay = topology.link_delay_s[paths.links] + self.wait_s
        path_delay = np.bincount(paths.hop_path, hop_delay, paths.path_count)
        flows = traffic.flow_count
        reached = np.bincount(paths.path_flow, paths.share, flows)
        delay = np.full(flows, np.nan)
        np.divide(
            np.bincount(paths.path_flow, path_delay * paths.share, flows),
            reached,
            out=delay,
            where=reached > 0,
        )
        flow_loss = np.zeros(flows)
        np.maximum.at(flow_loss, paths.hop_flow, lost[paths.links])
        flow_loss[reached == 0] = 1.0
        queues = topology.queues
        return Metrics(
            flow=Table(
                {
                    "owd_mean_s": delay,
                    "owd_p99_s": 2 * delay,
                    "pdv_s2": np.square(delay / 4),
                    "loss_ratio": flow_loss,
                    "throughput_bps": traffic.flow_rate_bps * (1 - flow_loss),
                }
            ),
            link=Table({"utilization": np.minimum(load, 1.0), "loss_ratio": lost}),
            queue=Table(
                {
                    "utilization": np.minimum(load, 1.0)[queues.link] / 3,
                    "delay_mean_s": np.full(len(queues.link), self.wait_s),
                    "loss_ratio": lost[queues.link],
                }
            ),
            method="predicted",
            engine=self.name,
        )
