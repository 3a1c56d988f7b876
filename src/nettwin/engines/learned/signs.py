"""Signs: what is known of a flow before its answer is checked, and tells how large its errors are.

How sure the networks are of themselves is one sign of many: how busy the queues of the path are and
what they serve, how far the model is from theory, how much of the delay is waiting, what is lost.
`fitted` learns from simulations that took no part in the training by how much the usual error of a
quantity must be multiplied: the quantile at LEVEL of the logarithm of the error, linear in the
signs (Koenker and Bassett, Regression quantiles, Econometrica 46, 1978), held near 0 where
simulations are few. A sign is bounded, and so is the factor.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nettwin.engines.learned.answer import Answer
from nettwin.engines.learned.features import QUEUE
from nettwin.engines.learned.inputs import Inputs
from nettwin.engines.theory.loops import njit_nogil
from nettwin.engines.theory.parallel import parallel_for

Floats = NDArray[np.float64]
OF_QUEUE = (  # of the queue of the path with the highest effective load
    *("concentration", "periodic", "traces", "modulated", "size_cv2", "ln_buffer", "ln_quantum"),
    *("sp", "wfq", "drr", "lsf", "port_modulation", "ln_memory_of_buffer", "ln_peak_load"),
)
OF_FLOW = (
    *("one", "load", "load_over_0.7", "load_over_1", "ln_scale", "ln_spread", "ln_from_theory"),
    *("ln_deviation", "waits", "ln_loss", "ln_hops"),
)
SIGNS = OF_FLOW + OF_QUEUE
LEVEL = 0.9
MOST = 2.5  # of the logarithm of a factor, beside what is usual
SMOOTH = 0.1  # of the pinball loss, around 0
SHRINKING = 0.3  # simulations that speak for no factor at all, for each sign
FLOW_S, HOP_S = 8e-8, 4e-9  # to tell the signs of a flow, and to look at a hop of its paths
FLOWS_OF_ONE = 200  # of a simulation that are looked at


def signs_of(inputs: Inputs, answer: Answer) -> Floats:
    """The signs of each flow; 0 where nothing arrives. [flows, SIGNS]"""
    columns = np.array([QUEUE.index(name) for name in OF_QUEUE])
    load = QUEUE.index("effective_load")
    found = np.zeros((len(answer.mean_s), len(SIGNS)))
    with np.errstate(divide="ignore", invalid="ignore"):
        deviation = np.sqrt(answer.variance_s2) / answer.mean_s
    fill = partial(
        _fill,
        inputs=inputs,
        mean_s=answer.mean_s,
        deviation=deviation,
        loss=answer.loss,
        ln_scale=answer.ln_scale,
        spread=answer.spread,
        columns=columns,
        load_column=load,
        out=found,
    )
    flows = np.arange(len(found) + 1)
    done = flows * FLOW_S + inputs.path_offset[inputs.flow_offset] * HOP_S
    parallel_for(fill, done, 1.0)
    return found


@njit_nogil
def _fill(
    begin: int,
    stop: int,
    inputs: Any,
    mean_s: Any,
    deviation: Any,
    loss: Any,
    ln_scale: Any,
    spread: Any,
    columns: Any,
    load_column: Any,
    out: Any,
) -> None:
    """Fill the signs of a range of flows."""
    row_offset, queue, hop_queue = inputs.row_offset, inputs.queue, inputs.hop_queue
    flow_offset, path_offset, hop_row = inputs.flow_offset, inputs.path_offset, inputs.hop_row
    path_share, fixed_s, waiting_s = inputs.path_share, inputs.path_fixed_s, inputs.waiting_s
    for f in range(begin, stop):
        if not mean_s[f] > 0.0:
            continue
        busiest, load = -1, -1.0
        for k in range(row_offset[f], row_offset[f + 1]):
            q = hop_queue[k]
            if queue[q, load_column] > load:
                busiest, load = q, np.float64(queue[q, load_column])
        if busiest < 0:
            continue
        fixed, theory, weight, hops = 0.0, 0.0, 0.0, 0
        for p in range(flow_offset[f], flow_offset[f + 1]):
            waited, share = 0.0, path_share[p]
            for h in range(path_offset[p], path_offset[p + 1]):
                waited += waiting_s[hop_row[h]]
            hops = max(hops, path_offset[p + 1] - path_offset[p])
            weight += share
            fixed += share * fixed_s[p]
            theory += share * (fixed_s[p] + waited)
        fixed, theory = fixed / max(weight, 1e-300), theory / max(weight, 1e-300)
        row = out[f]
        row[0] = 1.0
        row[1] = min(load, 2.0)
        row[2] = min(max(load - 0.7, 0.0), 1.0)
        row[3] = min(max(load - 1.0, 0.0), 1.0)
        row[4] = _within(ln_scale[f] + 4.0, 5.0) / 2.0
        row[5] = _within(np.log(max(spread[f], 1e-5)) + 6.0, 6.0) / 2.0
        apart = abs(np.log(mean_s[f] / max(theory, 1e-300)))
        row[6] = _within(np.log(max(apart, 1e-5)) + 5.0, 7.0) / 2.0
        row[7] = _within(np.log(max(deviation[f], 1e-4)) + 2.0, 7.0) / 2.0
        row[8] = min(max(1.0 - fixed / mean_s[f], 0.0), 1.0)
        row[9] = np.log(1e-5 + loss[f]) / 4.0 + 1.5
        row[10] = np.log(max(hops, 1))
        for k in range(columns.size):
            row[11 + k] = _within(queue[busiest, columns[k]], 4.0)


@njit_nogil
def _within(value: float, most: float) -> float:
    return min(max(value, -most), most)


def factors(signs: Floats, weights: NDArray[np.float32]) -> Floats:
    """By how much usual errors are multiplied. [flows]"""
    usual, rest = float(weights[0]), signs[:, 1:] @ weights[1:].astype(np.float64)
    return np.asarray(np.exp(signs[:, 0] * usual + np.clip(rest, -MOST, MOST)))


def fitted(ln_error: Floats, signs: Floats, simulation: NDArray[np.int64]) -> NDArray[np.float32]:
    """The weights of the signs, from the logarithms of errors over what is usual, [flows], and the
    simulation of each. All 0 where there is nothing to learn from. [SIGNS]"""
    from scipy.optimize import minimize

    kept = _some_of_each(simulation)
    if not len(kept):
        return np.zeros(len(SIGNS), np.float32)
    y, x, group = ln_error[kept], signs[kept], simulation[kept]
    _, place, count = np.unique(group, return_inverse=True, return_counts=True)
    weight = 1.0 / count[place] / len(count)
    shrinking = np.full(x.shape[1], SHRINKING / len(count))
    shrinking[0] = 1e-6  # what is usual itself is free

    def loss(w: Floats) -> tuple[float, Floats]:
        rest = y - x @ w
        soft = np.logaddexp(0.0, -rest / SMOOTH)
        value = (weight * (LEVEL * rest + SMOOTH * soft)).sum() + (shrinking * w * w).sum()
        slope = weight * (LEVEL - 1.0 / (1.0 + np.exp(np.clip(rest / SMOOTH, -500, 500))))
        return float(value), -(x.T @ slope) + 2 * shrinking * w

    start = np.zeros(x.shape[1])
    start[0] = np.quantile(y, LEVEL)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 300})
    return np.asarray(found.x, np.float32)


def _some_of_each(simulation: NDArray[np.int64]) -> NDArray[np.intp]:
    """At most FLOWS_OF_ONE flows of each simulation, drawn at random."""
    random = np.random.default_rng(0)
    order = np.lexsort((random.random(len(simulation)), simulation))
    ordered = simulation[order]
    first = np.searchsorted(ordered, ordered)
    return np.asarray(order[np.arange(len(order)) - first < FLOWS_OF_ONE])
