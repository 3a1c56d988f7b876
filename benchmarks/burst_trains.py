"""Burst trains as fluids through queues: what delays are left to chance by bursts nobody recorded.

Each bursty flow sends at its rate over its duty while on, on and off for fixed times from a random
phase; periods and duties are drawn for each flow. Ports are first come, first served, with finite
buffers. One run is one day in the laboratory: same rates, other bursts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nettwin.compiled import compiled
from nettwin.engines.learned.testbed.inputs import FLOW, HOP, PORT, BurstInputs

Floats = NDArray[np.float64]
STEP_S = 2e-3
EMPTY = 1e-12


@dataclass(frozen=True)
class Bursts:
    """From what the bursts of a flow are drawn. The values that reproduce the spread of the delays
    recorded in the laboratory, at single ports and over whole paths."""

    period_s: tuple[float, float] = (0.3, 0.8)  # log-uniform
    duty: tuple[float, float] = (0.42, 0.72)  # uniform
    window_s: float = 5.0
    settling_s: float = 0.5


def waiting_s(inputs: BurstInputs, seed: int, bursts: Bursts | None = None) -> Floats:
    """What each flow waits on its path, on average over its delivered fluid. [flows]"""
    bursts = bursts or Bursts()
    rng = np.random.default_rng(seed)
    flows = len(inputs.flow)
    if not len(inputs.port):
        return np.zeros(flows)
    shortest, longest = np.log(bursts.period_s).tolist()
    period = np.exp(rng.uniform(shortest, longest, flows))
    duty = np.where(inputs.flow[:, FLOW.index("bursty")] > 0, rng.uniform(*bursts.duty, flows), 1.0)
    buffer_s = np.exp(3.0 * inputs.port[:, PORT.index("ln_buffer")].astype(np.float64))
    order = np.argsort(inputs.hop_port, kind="stable")
    count = np.bincount(inputs.hop_port, minlength=len(buffer_s))
    by_hop = _run(
        inputs.hop[:, HOP.index("rate")].astype(np.float64),
        inputs.hop_flow,
        inputs.hop_before,
        order,
        np.concatenate([[0], np.cumsum(count)]),
        buffer_s,
        period,
        duty,
        rng.uniform(0, 1, flows) * period,
        round((bursts.window_s + bursts.settling_s) / STEP_S),
        round(bursts.settling_s / STEP_S),
    )
    return np.bincount(inputs.hop_flow, by_hop, flows).astype(np.float64)


@compiled
def _run(
    rate: Floats,
    hop_flow: NDArray[np.int64],
    before: NDArray[np.int64],
    order: NDArray[np.int64],
    offset: NDArray[np.int64],
    buffer_s: Floats,
    period: Floats,
    duty: Floats,
    phase: Floats,
    steps: int,
    settling: int,
) -> Floats:
    """Mean waiting at each hop. Amounts are in seconds of their port's time; a hop hears in the
    next step what the hop before it let out."""
    hops, ports = len(rate), len(buffer_s)
    length = int(buffer_s.max() / STEP_S) + 20  # steps that may be kept waiting
    kept = np.zeros((length, hops))
    total = np.zeros((length, ports))
    head = np.zeros(ports, np.int64)  # the step whose fluid leaves next, and what is left of it
    left = np.ones(ports)
    backlog = np.zeros(ports)
    arriving, leaving = np.zeros(hops), np.zeros(hops)
    waited, passed = np.zeros(hops), np.zeros(hops)
    for t in range(steps):
        for h in range(hops):
            f = hop_flow[h]
            if before[h] == h:
                on = (t * STEP_S + phase[f]) % period[f] < duty[f] * period[f]
                arriving[h] = rate[h] / duty[f] * STEP_S if on else 0.0
            else:
                arriving[h] = leaving[before[h]] * rate[h] / rate[before[h]]
        leaving[:] = 0.0
        for p in range(ports):
            offered = 0.0
            for k in range(offset[p], offset[p + 1]):
                offered += arriving[order[k]]
            old = backlog[p]
            new = old + offered - STEP_S
            taken = 1.0
            if new > buffer_s[p]:
                taken = max(0.0, 1.0 - (new - buffer_s[p]) / offered)
                new = buffer_s[p]
            new = max(new, 0.0)
            slot = t % length
            total[slot, p] = offered * taken
            for k in range(offset[p], offset[p + 1]):
                h = order[k]
                kept[slot, h] = arriving[h] * taken
                if t >= settling:
                    passed[h] += kept[slot, h]
                    waited[h] += kept[slot, h] * 0.5 * (old + new)
            serve = old + offered * taken - new
            while head[p] <= t:
                at = head[p] % length
                here = total[at, p] * left[p]
                part = left[p] if here <= serve + EMPTY else serve / total[at, p]
                for k in range(offset[p], offset[p + 1]):
                    leaving[order[k]] += kept[at, order[k]] * part
                if here > serve + EMPTY:
                    left[p] -= part
                    break
                serve -= here
                head[p] += 1
                left[p] = 1.0
            backlog[p] = new
    out = np.zeros(hops)
    for h in range(hops):
        if passed[h] > 0:
            out[h] = waited[h] / passed[h]
    return out
