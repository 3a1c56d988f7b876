"""Layers: what a map shows of links, as numbers, steps of a palette and marks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nettwin.apps.summary import flagged_links
from nettwin.interfaces.plots.colors import COLORS, OVER, STEPS
from nettwin.metrics import Metrics
from nettwin.scenario.scenario import Scenario

Floats = NDArray[np.float64]
DOWN, FLAGGED, UNKNOWN, TOUCHED = 1, 2, 4, 8  # bits, the same in network_map.js
LOADS = (*COLORS, OVER)
# of a difference: below, the same, above
SIGNED = (
    "#2c5f9e",
    "#5b8cc4",
    "#94b7dd",
    "#c3d4e6",
    "#c9ced3",
    "#f0cfae",
    "#eda66a",
    "#dc7430",
    "#a8431b",
)


@dataclass(frozen=True)
class Layer:
    """One way to color links.

    `edges` are the upper ends of all steps but the last, in the unit that is shown; `value` gives
    the numbers [links] in that unit.
    """

    name: str
    title: str
    suffix: str
    digits: int
    edges: tuple[float, ...]
    palette: tuple[str, ...]
    value: Callable[[Scenario, Metrics], Floats]
    words: str = ""

    def step(self, values: Floats) -> NDArray[np.uint8]:
        """The step of the palette of each number; 0 where it is not known. [links]"""
        known = np.nan_to_num(values, nan=-np.inf)
        return np.searchsorted(self.edges, known, side="right").astype(np.uint8)


@dataclass(frozen=True)
class Paint:
    """What a map is colored with, by link: the step of the palette, the number, and marks; of the
    nodes their marks."""

    layer: Layer
    step: NDArray[np.uint8]
    value: Floats
    mark: NDArray[np.uint8]
    node: NDArray[np.uint8]


def _carried(scenario: Scenario, metrics: Metrics) -> Floats:
    return 100 * metrics.link["utilization"]


def _offered(scenario: Scenario, metrics: Metrics) -> Floats:
    return np.asarray(100 * scenario.link_offered_load)


def _delay(scenario: Scenario, metrics: Metrics) -> Floats:
    """Propagation, and the mean time in the queues of the port, in ms."""
    queue = metrics.queue
    waits = np.zeros(scenario.topology.link_count)
    if "delay_mean_s" in queue:
        of = scenario.topology.queues.link
        served = np.nan_to_num(queue.columns.get("utilization", np.ones(len(of))))
        weights = np.bincount(of, served, len(waits))
        total = np.bincount(of, served * np.nan_to_num(queue["delay_mean_s"]), len(waits))
        waits = np.divide(total, weights, out=waits, where=weights > 0)
    return np.asarray(1e3 * waits)


def _loss(scenario: Scenario, metrics: Metrics) -> Floats:
    return 100 * metrics.link["loss_ratio"]


PERCENT = tuple(100 * step for step in STEPS[1:])
CARRIED = Layer("carried", "Carried load", "%", 0, PERCENT, LOADS, _carried, "utilization")
OFFERED = Layer("offered", "Offered load", "%", 0, PERCENT, LOADS, _offered, "offered load")
DELAY = Layer(
    "delay",
    "Delay in queues",
    " ms",
    2,
    (0.02, 0.05, 0.1, 0.3, 1.0, 3.0, 10.0, 50.0),
    LOADS,
    _delay,
    "mean delay in the port's queues",
)
LOSS = Layer(
    "loss", "Loss", "%", 2, (0.001, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0), LOADS, _loss, "loss"
)
# of every single failure, the worst: its numbers are asked for
WORST = Layer(
    "worst", "Worst failure", "%", 0, PERCENT, LOADS, _offered, "offered load at the worst failure"
)
LAYERS = {layer.name: layer for layer in (CARRIED, OFFERED, DELAY, LOSS)}
DIFFERENCE_EDGES = (-10.0, -5.0, -2.0, -0.5, 0.5, 2.0, 5.0, 10.0)


def painted(layer: Layer, scenario: Scenario, metrics: Metrics | None, touched: set[str]) -> Paint:
    """A network in a layer, as one engine or the measurement has it; unknown where there is
    neither. `touched` are the links that a session has changed."""
    if metrics is None:  # what is offered is known without
        unknown = np.full(scenario.topology.link_count, np.nan)
        values = 100 * scenario.link_offered_load if layer is OFFERED else unknown
        return _paint(layer, scenario, values, touched)
    values = layer.value(scenario, metrics)
    return _paint(layer, scenario, values, touched, flagged_links(scenario, metrics))


def painted_values(layer: Layer, scenario: Scenario, values: Floats | None) -> Paint:
    """A network colored by numbers [links] in a layer's unit; unknown where there are none."""
    unknown = np.full(scenario.topology.link_count, np.nan)
    return _paint(layer, scenario, unknown if values is None else values, set())


def difference(
    layer: Layer,
    scenario: Scenario,
    first: Metrics,
    second: Metrics,
    words: str = "measured less predicted",
    second_scenario: Scenario | None = None,
) -> Paint:
    """How far the first is above the second, in the layer's unit; said in `words`."""
    values = layer.value(scenario, first) - layer.value(second_scenario or scenario, second)
    scale = layer.edges[-1] / 100
    signed = Layer(
        layer.name,
        f"{layer.title}: {words}",
        layer.suffix,
        max(layer.digits, 1),
        tuple(edge * scale for edge in DIFFERENCE_EDGES),
        SIGNED,
        layer.value,
        f"{layer.words}, {words}",
    )
    return _paint(signed, scenario, values, set())


def _paint(
    layer: Layer,
    scenario: Scenario,
    values: Floats,
    touched: set[str],
    flagged: NDArray[np.bool_] | None = None,
) -> Paint:
    topology = scenario.topology
    mark = np.zeros(topology.link_count, np.uint8)
    mark |= np.where(topology.link_live, 0, DOWN).astype(np.uint8)
    mark |= np.where(np.isfinite(values), 0, UNKNOWN).astype(np.uint8)
    if flagged is not None:
        mark |= np.where(flagged, FLAGGED, 0).astype(np.uint8)
    if touched:
        changed = np.array([name in touched for name in topology.link_name], np.bool_)
        mark |= np.where(changed, TOUCHED, 0).astype(np.uint8)
    node = np.where(topology.node_up, 0, DOWN).astype(np.uint8)
    return Paint(layer, layer.step(values), values, mark, node)
