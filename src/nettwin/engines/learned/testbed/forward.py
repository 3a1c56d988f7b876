"""The forward pass of a network over ports and flows, without PyTorch.

Hops carry messages both ways between ports and flows. At each contended port a flow waits the first
guess times exp(correction); its delay is latency plus what it waits, so each hop's part is known.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from nettwin.engines.learned.testbed.inputs import BurstInputs, latency_s, with_latency

Singles = NDArray[np.float32]
Weights = Mapping[str, Singles]
MOST = 8.0  # the largest correction of the waiting at a port, in ln
MAX_LATENCY = 0.3  # and of the latency
LN_SHORTEST, LN_LONGEST = -14.0, -1.0  # waiting at a port, s
HOPS_SCALE, PORT_SCALE = 4.0, 8.0  # what sums over hops are divided by


def delays(inputs: BurstInputs, weights: Weights) -> tuple[Singles, Singles]:
    """The mean delay of each flow [flows] and its part at each hop [hops], in seconds."""
    base = latency_s(inputs, weights["latency"].astype(np.float64))
    inputs = with_latency(inputs, base)
    port, hop, flow = (
        _scaled(getattr(inputs, kind), weights, kind) for kind in ("port", "hop", "flow")
    )
    ports, flows = len(port), len(flow)
    at, of, before = inputs.hop_port, inputs.hop_flow, inputs.hop_before
    first = (before == np.arange(len(before)))[:, None]
    h = _layers(port, weights, "enter_port")
    f = _layers(flow, weights, "enter_flow")
    e = _linear(hop, weights, "enter_hop")
    share = inputs.hop[:, :1]
    for k in range(_rounds(weights)):
        upstream = np.where(first, 0, _linear(h, weights, f"upstream.{k}")[at][before])
        said = _silu(
            e
            + _linear(h, weights, f"of_port.{k}")[at]
            + _linear(f, weights, f"of_flow.{k}")[of]
            + upstream
        )
        heard = [_summed(said * share, at, ports), _summed(said, at, ports) / PORT_SCALE]
        h = _gru(np.concatenate(heard, 1), h, weights, "port_cell")
        f = _gru(_summed(said, of, flows) / HOPS_SCALE, f, weights, "flow_cell")
    u = _silu(
        _linear(h, weights, "read_port")[at]
        + _linear(f, weights, "read_flow")[of]
        + _linear(hop, weights, "read_hop")
    )
    moved = _layers(u, weights, "correct")[:, 0]
    ln_wait = inputs.guess_ln_s + MOST * np.tanh(moved / MOST)
    waiting = np.exp(np.clip(ln_wait, LN_SHORTEST, LN_LONGEST))
    bend = MAX_LATENCY * np.tanh(_layers(f, weights, "latency_correction")[:, 0])
    mean = base * np.exp(bend) + np.bincount(of, waiting, flows)
    return mean.astype(np.float32), waiting.astype(np.float32)


def _rounds(weights: Weights) -> int:
    return sum(name.startswith("of_port.") and name.endswith(".weight") for name in weights)


def _scaled(values: Singles, weights: Weights, kind: str) -> Singles:
    out: Singles = (values - weights[f"{kind}_mean"]) / weights[f"{kind}_scale"]
    return out


def _linear(x: Singles, weights: Weights, name: str) -> Singles:
    out: Singles = x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]
    return out


def _layers(x: Singles, weights: Weights, name: str) -> Singles:
    """Two linear layers with an activation between."""
    return _linear(_silu(_linear(x, weights, f"{name}.0")), weights, f"{name}.2")


def _sigmoid(x: Singles) -> Singles:
    out: Singles = 0.5 * (1 + np.tanh(0.5 * x))
    return out


def _silu(x: Singles) -> Singles:
    return x * _sigmoid(x)


def _summed(values: Singles, to: NDArray[np.int64], count: int) -> Singles:
    out = np.zeros((count, values.shape[1]), np.float32)
    np.add.at(out, to, values)
    return out


def _gru(x: Singles, h: Singles, weights: Weights, name: str) -> Singles:
    """A gated recurrent unit, its gates in PyTorch's order: reset, update, new."""
    given = x @ weights[f"{name}.weight_ih"].T + weights[f"{name}.bias_ih"]
    kept = h @ weights[f"{name}.weight_hh"].T + weights[f"{name}.bias_hh"]
    width = h.shape[1]
    reset = _sigmoid(given[:, :width] + kept[:, :width])
    update = _sigmoid(given[:, width : 2 * width] + kept[:, width : 2 * width])
    new = np.tanh(given[:, 2 * width :] + reset * kept[:, 2 * width :])
    out: Singles = (1 - update) * new + update * h
    return out
