"""A network for the tests of applications."""

from __future__ import annotations

import pytest

from nettwin.scenario.scenario import Scenario
from nettwin.scenario.topology import Link, Topology
from nettwin.scenario.traffic import Flow, Traffic


@pytest.fixture
def square() -> Scenario:
    """A ring of four nodes, 10 Mbit/s and 1 ms a link; A sends to B and, as voice, to C."""
    links = [Link(a, b, 10e6, 1e-3) for a, b in ("AB", "BC", "CD", "DA")]
    topology = Topology.build("ABCD", links, duplex=True)
    flows = [Flow("A", "B", 6e6), Flow("A", "C", 2e6, "voice")]
    return Scenario(topology, Traffic.build(topology, flows), name="square")
