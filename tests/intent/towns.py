"""Six towns: a small network whose numbers are easy to work out by hand.

Madrid ==5 ms== Paris ==6 ms== Oslo      all 100 Mbit/s but Madrid to Faro (10 Mbit/s, 2 ms);
  |  \\                          |        packets of 1000 B, those of voice 200 B
7 ms  2 ms Faro               8 ms
  |                             |
 Rome ---------3 ms--------- Vienna
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nettwin.formats import read
from nettwin.metrics import Metrics, Table
from nettwin.scenario.scenario import Scenario

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "intents"
NETWORK = FOLDER / "towns.yaml"
INTENTS = sorted(path for path in FOLDER.glob("*.yaml") if path != NETWORK)


def towns() -> Scenario:
    """The network."""
    return read(NETWORK).scenario


def metrics(scenario: Scenario, **columns: list[float]) -> Metrics:
    """Metrics of flows as given; queues lose nothing and hold 8000 bits each."""
    queues = len(scenario.queue_names)
    none = np.zeros(scenario.traffic.flow_count)
    flow = {"loss_ratio": none, "throughput_bps": scenario.traffic.flow_rate_bps}
    return Metrics(
        flow=Table({**flow, **{k: np.array(v, float) for k, v in columns.items()}}),
        link=Table({"utilization": scenario.link_offered_load}),
        queue=Table(
            {
                "loss_ratio": np.zeros(queues),
                "delay_mean_s": np.full(queues, 1e-3),
                "occupancy_mean_bits": np.full(queues, 8000.0),
            }
        ),
        method="predicted",
        engine="by hand",
    )
