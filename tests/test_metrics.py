"""Metrics: tables, their frames and bounds, and totals."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from nettwin.errors import UnknownNameError
from nettwin.metrics import FLOW_METRICS, LINK_METRICS, QUEUE_METRICS, Metrics, Table
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.topology import Link, Topology
from nettwin.scenario.traffic import Flow, Traffic


def network() -> Scenario:
    topology = Topology.build(["A", "B"], [Link("A", "B", 1e6), Link("B", "A", 1e6)])
    flows = [Flow("A", "B", 8e5), Flow("B", "A", 2e5), Flow("A", "B", 0.0)]
    return Scenario(topology, Traffic.build(topology, flows))


def metrics() -> Metrics:
    flow = Table(
        {
            "owd_mean_s": np.array([0.01, 0.03, math.nan]),
            "loss_ratio": np.array([0.5, 0.0, math.nan]),
            "throughput_bps": np.array([4e5, 2e5, math.nan]),
        },
        {"owd_mean_s": np.array([0.009, 0.02, math.nan])},
        {"owd_mean_s": np.array([0.011, 0.04, math.nan])},
    )
    link = Table({"utilization": np.array([0.8, 0.2])})
    return Metrics(flow, link, Table({"loss_ratio": np.array([0.5, 0.0])}), "simulated", "packet")


def test_totals_weigh_by_delivered_packets() -> None:
    totals = metrics().totals(network())
    # 100 packets a second of which half arrive after 10 ms, 25 that arrive after 30 ms
    assert totals["owd_mean_s"] == pytest.approx((50 * 0.01 + 25 * 0.03) / 75)
    assert totals["loss_ratio"] == pytest.approx(50 / 125)
    assert totals["owd_worst_flow_s"] == 0.03
    assert totals["offered_bps"] == 1e6
    assert totals["throughput_bps"] == 6e5
    assert totals["utilization_max"] == 0.8
    assert totals["utilization_mean"] == 0.5
    assert totals["unroutable_flows"] == 0


def test_totals_of_nothing_known_are_nan_and_silent() -> None:
    nothing = np.full(3, math.nan)
    empty = Table(dict.fromkeys(("owd_mean_s", "loss_ratio", "throughput_bps"), nothing))
    idle = Table({"utilization": np.full(2, math.nan)})
    totals = replace(metrics(), flow=empty, link=idle).totals(network())
    assert math.isnan(totals["owd_mean_s"]) and math.isnan(totals["owd_worst_flow_s"])
    assert math.isnan(totals["utilization_mean"])
    bare = replace(metrics(), link=Table({})).totals(network())
    assert math.isnan(bare["utilization_mean"]) and math.isnan(bare["utilization_max"])


def test_frames_have_names_and_bounds() -> None:
    frame = metrics().flows(network())
    assert list(frame.index) == ["A->B", "B->A", "A->B#2"]
    assert list(frame.columns)[:3] == ["owd_mean_s", "owd_mean_s_low", "owd_mean_s_high"]
    assert frame.loc["B->A", "owd_mean_s_high"] == 0.04
    assert list(metrics().links(network()).index) == ["A->B", "B->A"]
    assert list(metrics().queues(network()).index) == ["A->B", "B->A"]


def test_table() -> None:
    table = metrics().flow
    assert len(table) == 3 and "loss_ratio" in table and "x" not in table
    assert len(Table({})) == 0
    with pytest.raises(UnknownNameError, match="did you mean: loss_ratio"):
        table["loss_rate"]
    with pytest.raises(ValueError, match="read-only"):
        table["loss_ratio"][0] = 1


def test_every_metric_is_declared_once_with_a_meaning() -> None:
    for declared in (FLOW_METRICS, LINK_METRICS, QUEUE_METRICS):
        for name, quantity in declared.items():
            assert quantity.name == name and quantity.meaning and quantity.optional
