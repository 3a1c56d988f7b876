"""Every network and actuator that runs here keeps its contract."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from nettwin.physical.actuator import Actuator
from nettwin.physical.network import Network, Opening
from nettwin.physical.registry import ACTUATORS, NETWORKS
from nettwin.physical.simulated.network import SimulatedNetwork
from nettwin.scenario.changes import Change, SetPath, SetWeight
from nettwin.scenario.generate import generate
from nettwin.scenario.scenario import Scenario
from nettwin.testing import ActuatorContract, NetworkContract

SIMULATED = {"interval_s": 10, "simulated_s": 0.2, "convergence_s": 0.05}
CHANGES: tuple[Change, ...] = (SetPath("N1->N2", ({"via": ["N3"]},)), SetWeight("N2->N3", 7.0))


def ring() -> Scenario:
    return generate("ring", nodes=4, load=0.6, capacity_bps=10e6)


class TestSimulated(NetworkContract):
    @pytest.fixture
    def network(self, tmp_path: Path) -> Iterator[Network]:
        network = NETWORKS["simulated"].open(Opening(tmp_path, ring(), SIMULATED))
        yield network
        network.close()

    @pytest.fixture
    def changes(self) -> Sequence[Change]:
        return CHANGES

    @pytest.fixture
    def line(self) -> str:
        return "N1<->N2"


class TestActuators(ActuatorContract):
    @pytest.fixture(params=[*ACTUATORS, "simulated"])
    def actuator(self, request: pytest.FixtureRequest, tmp_path: Path) -> Actuator:
        if request.param == "simulated":
            return SimulatedNetwork(ring(), tmp_path).actuator
        return ACTUATORS[request.param].make(ring(), tmp_path)

    @pytest.fixture
    def changes(self) -> Sequence[Change]:
        return CHANGES
