"""Learned models take their delays apart: theory, and what the model adds, add up exactly."""

from __future__ import annotations

import numpy as np
import pytest

from nettwin.engines.learned.engine import Learned
from nettwin.engines.theory import Theory
from nettwin.model import Explainable
from nettwin.scenario.generate import generate
from tests.engines.learned.small_model import small_model


@pytest.mark.parametrize("load", [0.4, 0.9, 1.4])
def test_hops_add_up_to_the_delay_with_corrections_over_several_paths(load) -> None:
    network = generate("grid", nodes=16, load=load, classes="three", scheduler="drr")
    paths, model = network.paths, Learned(small_model())
    assert isinstance(model, Explainable)
    metrics, split = model.predict([network])[0], model.hops(network)
    each = split.propagation_s + split.transmission_s + split.waiting_s + split.correction_s
    path = np.bincount(paths.hop_path, each, paths.path_count)
    mean = np.bincount(paths.path_flow, split.weight * path, network.traffic.flow_count)
    assert np.diff(paths.flow_offset).max() > 1
    assert mean == pytest.approx(metrics.flow["owd_mean_s"], rel=1e-12)
    assert np.abs(split.correction_s).max() > 0
    assert split.waiting_s == pytest.approx(Theory().hops(network).waiting_s, rel=1e-12)
    whole = np.bincount(paths.path_flow, split.weight, network.traffic.flow_count)
    assert whole == pytest.approx(1.0)
