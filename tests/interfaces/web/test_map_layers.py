"""Layers of the map: numbers, steps and marks are those of the network."""

from __future__ import annotations

import numpy as np
import pytest

from nettwin.apps.twin_fit import twin_fit
from nettwin.engines.theory import Theory
from nettwin.interfaces.plots.placing import node_positions, projected
from nettwin.scenario.changes import FailLink, FailNode, ScaleTraffic
from nettwin.scenario.generate import generate

pytest.importorskip("nicegui")

from nettwin.interfaces.server.work.metrics import from_document, to_document
from nettwin.interfaces.web.map.layers import (
    DOWN,
    FLAGGED,
    LAYERS,
    TOUCHED,
    UNKNOWN,
    difference,
    painted,
)
from nettwin.interfaces.web.map.topology import document

NET = generate("nsfnet", load=0.8, classes="three", scheduler="sp")
MODEL = Theory()
NOW = MODEL.predict([NET])[0]


def test_steps_are_those_of_the_numbers_and_the_legend() -> None:
    for layer in LAYERS.values():
        paint = painted(layer, NET, NOW, set())
        assert len(layer.palette) == len(layer.edges) + 1
        for value, step in zip(paint.value, paint.step, strict=True):
            low = -np.inf if step == 0 else layer.edges[step - 1]
            high = np.inf if step == len(layer.edges) else layer.edges[step]
            assert low <= value < high
    carried = painted(LAYERS["carried"], NET, NOW, set())
    assert np.array_equal(carried.value, 100 * NOW.link["utilization"])


def test_overload_has_a_color_of_its_own() -> None:
    over = ScaleTraffic(1.5).apply(NET)
    layer = LAYERS["offered"]
    paint = painted(layer, over, MODEL.predict([over])[0], set())
    assert paint.value.max() > 100
    assert set(paint.step[paint.value >= 100]) == {len(layer.edges)}
    assert (paint.step[paint.value < 100] < len(layer.edges)).all()


def test_what_is_down_unknown_touched_or_flagged_is_marked() -> None:
    name = NET.topology.link_name[0]
    failed = FailLink(name.replace("->", "<->")).apply(NET)
    metrics = MODEL.predict([failed])[0]
    paint = painted(LAYERS["carried"], failed, metrics, {name})
    assert paint.mark[0] & DOWN and paint.mark[0] & TOUCHED
    assert (paint.mark & DOWN > 0).sum() == 2
    unknown = painted(LAYERS["carried"], NET, None, set())
    assert (unknown.mark & UNKNOWN > 0).all() and not unknown.step.any()
    dark = FailNode(NET.topology.node_name[0]).apply(NET)
    assert painted(LAYERS["carried"], dark, None, set()).node.tolist()[0] == DOWN
    flags = np.ones(NET.traffic.flow_count, np.bool_)
    doubted = type(NOW)(**{**vars(NOW), "flagged": flags})
    assert (painted(LAYERS["carried"], NET, doubted, set()).mark & FLAGGED > 0).any()


def test_a_difference_is_signed_and_nothing_is_in_the_middle() -> None:
    same = difference(LAYERS["carried"], NET, NOW, NOW)
    assert set(same.step) == {4} and not same.value.any()
    more = MODEL.predict([ScaleTraffic(1.1).apply(NET)])[0]
    assert (difference(LAYERS["carried"], NET, more, NOW).step >= 4).all()
    assert (difference(LAYERS["carried"], NET, NOW, more).step <= 4).all()


def test_metrics_survive_the_way_through_a_job() -> None:
    found = from_document(to_document(NOW))
    for kind in ("flow", "link", "queue"):
        for name, values in getattr(NOW, kind).columns.items():
            assert np.array_equal(getattr(found, kind)[name], values, equal_nan=True)
    assert found.label == NOW.label


def test_the_topology_document_names_each_link_once_at_its_place() -> None:
    found = document(NET.topology)
    assert found["names"] == list(NET.topology.node_name)
    assert [link[4] for link in found["links"]] == list(NET.topology.link_name)
    assert all(1 <= link[3] <= 4 for link in found["links"])
    assert np.allclose(found["nodes"], node_positions(NET.topology), atol=1e-5)


def test_nodes_lie_where_the_projection_puts_their_coordinates() -> None:
    topology = NET.topology
    points, made = projected(topology)
    assert made is not None
    x = (
        (topology.node_longitude_deg - made.edge_deg) % 360 * made.squeeze - made.low[0]
    ) / made.span
    y = (topology.node_latitude_deg - made.low[1]) / made.span
    assert np.abs(points - np.column_stack([x, y])).max() < 0.05  # close ones are set apart
    nowhere = np.full(topology.node_count, np.nan)
    lost = topology.with_arrays(node_latitude_deg=nowhere, node_longitude_deg=nowhere)
    assert projected(lost)[1] is None


def test_the_fit_of_a_twin_is_the_weighted_error_of_what_is_known() -> None:
    assert twin_fit(NET, NOW, None) is None
    exact = twin_fit(NET, NOW, NOW)
    assert exact is not None and exact.delay_error == 0 and exact.utilization_error == 0
    off = dict(NOW.flow.columns)
    off["owd_mean_s"] = NOW.flow["owd_mean_s"] * 1.1
    wrong = type(NOW)(**{**vars(NOW), "flow": type(NOW.flow)(off)})
    found = twin_fit(NET, NOW, wrong)
    assert found is not None and found.delay_error == pytest.approx(0.1)
