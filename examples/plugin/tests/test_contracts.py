"""What this package adds keeps nettwin's contracts."""

from __future__ import annotations

from pathlib import Path

import pytest
from nettwin_example.engine import MM1

import nettwin
from nettwin.testing import (
    ChangeContract,
    EngineContract,
    FormatContract,
    OptimizerContract,
    links,
)

SAMPLES = Path(__file__).parent


class TestEngine(EngineContract):
    @pytest.fixture
    def model(self):
        return nettwin.engine("mm1")

    def test_the_textbook(self, model):
        """One link of 1 Mbit/s at load 0.5: packets of 8 ms stay 16 ms."""
        topology = nettwin.Topology.build("AB", [nettwin.Link("A", "B", 1e6)])
        traffic = nettwin.Traffic.build(topology, [nettwin.Flow("A", "B", 5e5)])
        (metrics,) = model.predict([nettwin.Scenario(topology, traffic)])
        assert isinstance(model, MM1)
        assert metrics.flow["owd_mean_s"] == pytest.approx(16e-3)


class TestFormat(FormatContract):
    @pytest.fixture
    def name(self):
        return "edges"

    def good(self, name):
        return sorted((SAMPLES / "good").iterdir())

    def broken(self, name):
        return sorted((SAMPLES / "broken").iterdir())


class TestChange(ChangeContract):
    @pytest.fixture
    def kind(self):
        return "drain_link"

    def attributes(self, kind, scenario):
        return {"link": links(scenario)}


class TestOptimizer(OptimizerContract):
    @pytest.fixture
    def method(self):
        return "spread"

    def most_midpoints(self, method):
        return 1
