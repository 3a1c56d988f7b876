"""Variants of a network predicted together are what each of them is alone, routed from nothing."""

from __future__ import annotations

import numpy as np
import pytest

from nettwin.interfaces.wiring import engine
from nettwin.scenario.changes import apply_all
from nettwin.scenario.changes.singles import single_failures
from nettwin.scenario.generate import generate
from nettwin.scenario.scenario import Scenario


@pytest.mark.parametrize("load", [0.6, 1.3])
@pytest.mark.parametrize("name", ["theory", "gnn"])
def test_failures_together_are_those_alone(name: str, load: float) -> None:
    model = engine(name)
    base = generate("gabriel", nodes=16, seed=3, load=load, classes="three", scheduler="wfq")
    failures = single_failures(base.topology, "link")[::5]
    failures += single_failures(base.topology, "node")[:2]
    assert base.paths.path_count > base.traffic.flow_count  # flows split
    failed = [apply_all(base, changes) for _, changes in failures]
    for scenario, found in zip(failed, model.predict([base, *failed])[1:], strict=True):
        alone = Scenario(scenario.topology, scenario.traffic, scenario.routing)
        expected = model.predict([alone])[0]
        for table in ("flow", "link", "queue"):
            for column, values in getattr(expected, table).columns.items():
                np.testing.assert_allclose(
                    getattr(found, table)[column], values, rtol=1e-6, atol=1e-12, err_msg=column
                )
