"""MM1: the engine `mm1`, every port a queue with exponential service times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nettwin import Metrics, Scenario
from nettwin.extend import Table


@dataclass(frozen=True)
class MM1:
    """Every port as M/M/1 (Kleinrock, Queueing Systems, 1975): a textbook's answer, no schedulers.

    Its first line is the engine's title in lists. `highest_load`: where waiting stops growing.
    """

    highest_load: float = 0.99
    name: str = "mm1"

    def unsupported(self, scenario: Scenario) -> list[str]:
        """Links that are offered more than they can carry."""
        load = scenario.link_offered_load
        return [
            f"link {scenario.topology.link_name[k]} is offered {load[k]:.0%} of its capacity"
            for k in np.flatnonzero(load > 1).tolist()
        ]

    def predict(self, scenarios: Sequence[Scenario]) -> list[Metrics]:
        """The metrics of each scenario."""
        return [self._one(scenario) for scenario in scenarios]

    def _one(self, scenario: Scenario) -> Metrics:
        topology, traffic, paths = scenario.topology, scenario.traffic, scenario.paths
        load = scenario.link_offered_load
        lost = np.maximum(1 - 1 / np.maximum(load, 1e-9), 0.0)  # what does not fit
        busy = np.minimum(load, self.highest_load)
        wait = busy / (1 - busy)  # in mean service times

        service_s = traffic.flow_mean_size_bits[paths.hop_flow]
        service_s = service_s / topology.link_capacity_bps[paths.links]
        hop_s = topology.link_delay_s[paths.links] + service_s * (1 + wait[paths.links])
        path_s = np.bincount(paths.hop_path, hop_s, paths.path_count)
        passed = np.bincount(paths.hop_path, np.log(1 - lost[paths.links]), paths.path_count)

        flows = traffic.flow_count
        share = np.bincount(paths.path_flow, paths.share, flows)  # 0: unroutable
        arrived = np.bincount(paths.path_flow, paths.share * np.exp(passed), flows).astype(
            np.float64
        )
        delay = np.bincount(paths.path_flow, paths.share * path_s, flows)
        delay_s = np.divide(delay, share, out=np.full(flows, np.nan), where=share > 0)
        return Metrics(
            flow=Table(
                {
                    "owd_mean_s": delay_s,
                    "loss_ratio": 1 - arrived,
                    "throughput_bps": traffic.flow_rate_bps * arrived,
                }
            ),
            link=Table({"utilization": np.minimum(load, 1.0), "loss_ratio": lost}),
            queue=Table({}),
            method="predicted",
            engine=self.name,
            provenance={"scenario": scenario.fingerprint()},
        )
