"""Theory takes its delays apart; a stopped flow is no reason to fail."""

from __future__ import annotations

import numpy as np
import pytest

from nettwin.engines.theory import Theory
from nettwin.scenario.arrivals import CBR, OnOff
from nettwin.scenario.generate import generate
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.topology import Link, Topology
from nettwin.scenario.traffic import Flow, Traffic


@pytest.mark.parametrize("scheduler", ["fifo", "sp", "wfq", "drr"])
def test_hops_add_up_to_the_delay(scheduler) -> None:
    network = generate("grid", nodes=16, load=1.2, classes="three", scheduler=scheduler)
    paths, theory = network.paths, Theory()
    metrics, split = theory.predict([network])[0], theory.hops(network)
    each = split.propagation_s + split.transmission_s + split.waiting_s + split.correction_s
    path = np.bincount(paths.hop_path, each, paths.path_count)
    mean = np.bincount(paths.path_flow, split.weight * path, network.traffic.flow_count)
    assert mean == pytest.approx(metrics.flow["owd_mean_s"], rel=1e-12)
    assert not split.correction_s.any()


def test_where_nothing_arrives_no_path_has_weight() -> None:
    topology = Topology.build("AB", [Link("A", "B", 1e6)])
    network = Scenario(topology, Traffic.build(topology, [Flow("A", "B", 1e5)]))
    assert Theory().hops(network).weight.tolist() == [1.0]
    cut = network.with_(topology=topology.with_arrays(link_up=np.zeros(1, np.bool_)))
    assert len(Theory().hops(cut).weight) == 0


@pytest.mark.parametrize("arrival", [CBR(), OnOff(0.01, 0.02, True, True)])
def test_a_stopped_flow_alone_in_its_queue_is_answered(arrival) -> None:
    topology = Topology.build("AB", [Link("A", "B", 1e6, 1e-3)])
    stopped = Flow("A", "B", 0.0, arrival=arrival)
    network = Scenario(topology, Traffic.build(topology, [stopped]))
    delay = Theory().predict([network])[0].flow["owd_mean_s"]
    assert delay[0] == pytest.approx(1e-3 + 8000 / 1e6)
