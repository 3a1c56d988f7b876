"""Theory against simulation on ports drawn at random: what docs/theory.md promises of them.

`pytest -s` prints the errors, from which the page's table is made (with DRAWS 10 and PACKETS
400_000).
"""

from __future__ import annotations

import numpy as np
import pytest

from nettwin.engines.packet import PacketSimulator
from nettwin.engines.theory import Theory
from nettwin.scenario.packet_sizes import Discrete, Exponential, Fixed, PacketSize, Uniform
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.scheduling import Queue, Scheduler
from nettwin.scenario.topology import Link, Topology
from nettwin.scenario.traffic import Flow, Traffic

DRAWS = 5
PACKETS = 100_000
SIZES: tuple[PacketSize, ...] = (
    Discrete((2400.0, 13600.0), (0.5, 0.5)),
    Exponential(8000.0),
    Fixed(8000.0),
    Uniform(2000.0, 14000.0),
)
# Mean error of the classes' mean delay that is allowed at each total load
PROMISED = {
    "sp": {0.3: 0.02, 0.6: 0.02, 0.8: 0.03, 0.9: 0.05, 1.3: 0.07},
    "wfq": {0.3: 0.05, 0.6: 0.08, 0.8: 0.1, 0.9: 0.15, 1.3: 0.2},
    "lsf": {0.3: 0.02, 0.6: 0.02, 0.8: 0.05, 0.9: 0.08, 1.3: 0.25},
    "drr": {0.3: 0.04, 0.6: 0.1, 0.8: 0.15, 0.9: 0.2, 1.3: 0.25},
}


def ports(policy: str, total: float) -> list[Scenario]:
    """The same 2 to 4 classes, weights, sizes, buffers and quanta for every policy and load."""
    random = np.random.default_rng(20240607)
    found = []
    for _ in range(DRAWS):
        count = int(random.integers(2, 5))
        shares = np.maximum(random.dirichlet(np.full(count, 1.5)), 0.03)
        weights = random.uniform(1, 8, count)
        size = SIZES[int(random.integers(4))]
        buffer = float(random.choice([16, 32, 64]))
        quantum = float(random.choice([4000.0, 12000.0, 60000.0]))
        queues = tuple(Queue(buffer, weight=w, quantum_bits=w * quantum) for w in weights)
        names = [f"c{k}" for k in range(count)]
        scheduler = Scheduler(policy, queues, {name: k for k, name in enumerate(names)})
        topology = Topology.build("AB", [Link("A", "B", 1e6, scheduler=scheduler)])
        rates = 1e6 * total * shares / shares.sum()
        flows = [Flow("A", "B", r, n, size) for n, r in zip(names, rates.tolist(), strict=True)]
        found.append(Scenario(topology, Traffic.build(topology, flows)))
    return found


@pytest.mark.parametrize("policy", list(PROMISED))
def test_mean_error_of_drawn_ports(policy: str) -> None:
    simulator = PacketSimulator(jobs=1, precision=0.0, max_packets=PACKETS)
    for total, allowed in PROMISED[policy].items():
        some = ports(policy, total)
        errors = []
        for measured, predicted in zip(
            simulator.predict(some), Theory().predict(some), strict=True
        ):
            arrives = measured.flow["loss_ratio"] < 0.95
            ratio = predicted.flow["owd_mean_s"] / measured.flow["owd_mean_s"]
            errors += np.abs(ratio - 1)[arrives].tolist()
        print(f"{policy} at {total}: {np.mean(errors):.1%}")
        assert np.mean(errors) < allowed
