"""Every registered engine keeps the contract."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from nettwin.interfaces.wiring import ENGINES, engine
from nettwin.model import NetworkModel
from nettwin.testing import EngineContract

SETTINGS: dict[str, dict[str, Any]] = {
    "packet": {"jobs": 1, "precision": 0.0, "max_packets": 150_000}
}
# Nothing but their training binds these to physics; they are there to be compared with
BASELINES = ("bayesian", "routenet", "rnn", "mlp")
LEARNED = dict.fromkeys(("gnn", "twin", *BASELINES), 1e-5)  # single precision
NOISE = {"packet": 0.05, **LEARNED}  # relative, of mean delays
PROPAGATION = {"mlp": 0.03}  # 2.3 % of 5 ms, as it is carried
FALL = {"gnn": 5e-3, "twin": 5e-3}  # as docs/learned.md tells


@cache
def made(name: str) -> NetworkModel:
    return engine(name, **SETTINGS.get(name, {}))


class TestEngines(EngineContract):
    @pytest.fixture(params=list(ENGINES))
    def model(self, request: pytest.FixtureRequest) -> NetworkModel:
        return made(str(request.param))

    def noise(self, model: NetworkModel) -> float:
        return NOISE.get(model.name, 1e-9)

    def fall(self, model: NetworkModel) -> float:
        return max(FALL.get(model.name, 0.0), self.noise(model))

    def propagation(self, model: NetworkModel) -> float:
        return PROPAGATION.get(model.name, 0.02)

    def grows_with_load(self, model: NetworkModel) -> bool:
        return model.name not in BASELINES


@pytest.mark.parametrize("name", list(ENGINES))
def test_an_engine_is_called_as_in_the_registry(name: str) -> None:
    assert made(name).name == name
