"""Coverage: whether a scenario lies within what a model was trained on, element by element.

The range of a feature is that of the training's simulations, a margin added; only elements count
that carry traffic. Scheduling policies and kinds of arrivals are features too (a share that was
always 0 in training), so that one which was never seen is out of range like any other value.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nettwin.engines.learned.features import EDGE, FLOW, HOP, QUEUE, SHAPE, run_sums
from nettwin.engines.learned.inputs import Inputs
from nettwin.engines.theory.loops import njit_nogil
from nettwin.formats.weight_file import Weights
from nettwin.scenario.scenario import Scenario

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
NAMES = {"queue": QUEUE, "flow": FLOW, "hop": HOP, "edge": EDGE, "shape": SHAPE}
OUTLIERS = 0.0002  # share of the simulations, at either end, that a range may leave out
JUST_BEYOND = 0.25  # widths of the range, within which intervals widen and nothing is refused
WIDER = 4.0  # by how much more, relatively, for each width
MARGIN = 0.05  # of the range's width, by which a value may exceed it
MIN_MARGIN = 1e-3
MAX_LOAD = 3.0  # of a port, from which on features stay as they are
REMEDY = "Ask another engine (theory, packet), or train the model on such networks"


class Outside(NamedTuple):
    """The elements of one kind that carry traffic and are out of range."""

    kind: str
    elements: NDArray[np.intp]  # [elements]
    excess: Floats  # [elements, features] beyond the range, in widths of it; 0 within
    carrying: int  # elements that carry traffic, out of range or not


def ranges_of(examples: Iterable[Inputs]) -> dict[str, NDArray[np.float32]]:
    """The least and largest value of each feature, by kind of element. [2, features]"""
    ends: dict[str, list[Floats]] = {kind: [] for kind in NAMES}
    for inputs in examples:
        for kind, carrying in _carrying(inputs).items():
            values = getattr(inputs, kind)[carrying].astype(np.float64)
            if len(values):
                ends[kind].append(np.stack([values.min(axis=0), values.max(axis=0)]))
    found = {}
    for kind, each in ends.items():
        if each:
            low, high = np.stack(each, axis=1)  # [simulations, features] each
            found[kind] = np.stack(
                [
                    np.quantile(low, OUTLIERS, axis=0, method="lower"),
                    np.quantile(high, 1 - OUTLIERS, axis=0, method="higher"),
                ]
            ).astype(np.float32)
    return found


def beyond(ranges: Weights, inputs: Inputs) -> dict[str, Floats]:
    """How far each element that carries traffic is out of range, by kind: the largest excess of its
    features, in widths of their ranges; 0 within. [elements]"""
    return {
        kind: _beyond(getattr(inputs, kind), carrying, ranges.get(kind))
        for kind, carrying in _carrying(inputs).items()
    }


def outside(
    ranges: Weights, inputs: Inputs, found: dict[str, Floats] | None = None
) -> list[Outside]:
    """Elements of a scenario that are farther out of range than JUST_BEYOND, kind by kind, where
    any is; `found` is what `beyond` says, if it is known already."""
    far = []
    for kind, excess in (found or beyond(ranges, inputs)).items():
        bad = np.flatnonzero(excess > JUST_BEYOND)
        if not len(bad):
            continue
        values: NDArray[np.float32] = getattr(inputs, kind)
        low, high, width = _ends(ranges[kind])
        past = np.maximum(values[bad] - high, low - values[bad])
        each = np.maximum(past, 0.0) / width
        far.append(Outside(kind, bad, each, int(_carrying(inputs)[kind].sum())))
    return far


def flows_beyond(ranges: Weights, inputs: Inputs, found: dict[str, Floats] | None = None) -> Floats:
    """How far flows are out of range themselves, or the elements that they meet: the largest
    excess, 0 within. `found` as in `outside`. [flows]"""
    excess = found or beyond(ranges, inputs)
    queues = excess["queue"].copy()
    np.maximum.at(queues, inputs.edge_target, excess["edge"])
    themselves = np.maximum(excess["flow"], excess["shape"])
    return np.asarray(_walk(inputs.row_offset, inputs.hop_queue, excess["hop"], queues, themselves))


def _ends(low_high: NDArray[np.float32]) -> tuple[Floats, Floats, Floats]:
    """The least and largest value of each feature, the margin added, and the range's width, at
    least 1."""
    low, high = low_high.astype(np.float64)
    margin = np.maximum(MARGIN * (high - low), MIN_MARGIN)
    return low - margin, high + margin, np.maximum(high - low, 1.0)


def _beyond(
    values: NDArray[np.float32], carrying: Bools, low_high: NDArray[np.float32] | None
) -> Floats:
    """The largest excess of elements that carry traffic. [elements]"""
    if low_high is None:
        return np.zeros(len(values))
    return np.asarray(_largest_excess(values, carrying, *_ends(low_high)))


@njit_nogil
def _largest_excess(values: Any, carrying: Any, low: Any, high: Any, width: Any) -> Any:
    out = np.zeros(len(values))
    for row in range(len(values)):
        if not carrying[row]:
            continue
        beyond = False
        for k in range(low.size):  # to the end: several at a time
            beyond |= (values[row, k] < low[k]) | (values[row, k] > high[k])
        if beyond:
            for k in range(low.size):
                past = max(values[row, k] - high[k], low[k] - values[row, k])
                out[row] = max(out[row], past / width[k])
    return out


@njit_nogil
def _walk(row_offset: Any, queue: Any, met: Any, queues: Any, themselves: Any) -> Any:
    """The largest of what flows have themselves and of the hops and queues that they meet.
    [flows]"""
    out = themselves.copy()
    for f in range(out.size):
        for k in range(row_offset[f], row_offset[f + 1]):
            out[f] = max(out[f], met[k], queues[queue[k]])
    return out


def sentences(ranges: Weights, found: Iterable[Outside], inputs: Inputs, of: Scenario) -> list[str]:
    """What is out of range, in words: of each kind of element the worst, and how many more."""
    said = []
    for one in found:
        row, column = np.unravel_index(int(one.excess.argmax()), one.excess.shape)
        element = int(one.elements[row])
        value = float(getattr(inputs, one.kind)[element, column])
        low, high = ranges[one.kind][:, column]
        others = len(one.elements) - 1
        more = f" ({others} more of {one.carrying} are out of range)" if others else ""
        said.append(
            f"{_name(one.kind, element, inputs, of)}: {NAMES[one.kind][column]} is {value:.3g}, "
            f"trained on {low:.3g} to {high:.3g}{more}. {REMEDY}"
        )
    return said


def overloaded(of: Scenario) -> list[str]:
    """Ports that are offered more than features can tell, in words: the worst, and how many."""
    load = of.link_offered_load
    bad = np.flatnonzero(load > MAX_LOAD)
    if not len(bad):
        return []
    worst = int(load.argmax())
    more = f" ({len(bad) - 1} more links are)" if len(bad) > 1 else ""
    return [
        f"link {of.topology.link_name[worst]} is offered {load[worst]:.0%} of its capacity, above "
        f"{MAX_LOAD:.0%}{more}. {REMEDY}"
    ]


def disagreement(most: float, spread: Floats, of: Scenario) -> list[str]:
    """Flows on which the networks of an ensemble disagree as never in calibration, in words: the
    worst, and how many. `spread` is the deviation of ln(owd_mean_s) over them. [flows]"""
    bad = np.flatnonzero(spread > most * (1 + 1e-6))
    if not len(bad):
        return []
    worst = int(np.argmax(np.nan_to_num(spread)))
    more = f" ({len(bad) - 1} more flows)" if len(bad) > 1 else ""
    return [
        f"flow {of.flow_names[worst]}: the model's networks differ by "
        f"{np.expm1(spread[worst]):.1%} in its mean delay, in calibration by "
        f"{np.expm1(most):.1%} at most{more}. {REMEDY}"
    ]


def _carrying(inputs: Inputs) -> dict[str, Bools]:
    """Which elements of each kind carry traffic. [elements] each"""
    own = inputs.hop[:, HOP.index("load")] > 0
    sends = run_sums(own, inputs.row_offset) > 0
    return {
        "queue": inputs.queue[:, QUEUE.index("load")] > 0,
        "flow": sends,
        "hop": own,
        "edge": inputs.edge[:, EDGE.index("part")] > 0,
        "shape": sends,
    }


def _name(kind: str, element: int, inputs: Inputs, of: Scenario) -> str:
    """What people call an element."""
    if kind == "queue":
        return f"queue {of.queue_names[element]}"
    if kind == "edge":
        ends = (inputs.edge_source[element], inputs.edge_target[element])
        return f"queue {of.queue_names[ends[0]]} before {of.queue_names[ends[1]]}"
    if kind == "hop":
        flow = of.flow_names[int(np.searchsorted(inputs.row_offset, element, side="right")) - 1]
        return f"flow {flow} at queue {of.queue_names[inputs.hop_queue[element]]}"
    return f"flow {of.flow_names[element]}"
