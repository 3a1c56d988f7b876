"""Grading: points for goals, for time, and for doing no damage beside."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from nettwin.apps.labs.practice import Practice, Seen
from nettwin.scenario.changes.flows import AddFlow

LOSES, SLOWER, LESS = 0.005, 1.0, 0.05  # of flows: loss, relative delay, relative throughput
HARM = 5.0  # damage to a fifth of the traffic costs all points for doing none


class Grade(NamedTuple):
    """Points by what they are for, and what of the goals is met. `harmed` are flows that were well
    before and do worse than before the fault and than with it; `harmed_share` is their traffic over
    all that is wanted."""

    met: bool
    result: float
    time: float
    collateral: float
    hints: float  # taken off
    points: float
    passed: bool
    harmed: tuple[str, ...]
    harmed_share: float


def grade(practice: Practice, seen: Seen, seconds: float, hints: int = 0) -> Grade:
    """The grade of a network as it was left, after so many seconds and hints."""
    scoring = practice.lab.scoring
    lines = seen.judgement.lines
    met = seen.judgement.met
    share = sum(line.met for line in lines) / max(len(lines), 1)
    result = scoring.result * share
    limit = practice.lab.minutes * 60
    left = max(1 - seconds / limit, 0.0)
    harmed, harmed_share = damage(practice, seen)
    collateral = scoring.collateral * max(1 - HARM * harmed_share, 0.0)
    off = scoring.hint * hints
    # who does nothing is neither quick nor careful
    gained = (scoring.time * left + collateral) if met else 0.0
    points = max(result + gained - off, 0.0)
    return Grade(
        met,
        result,
        scoring.time * left if met else 0.0,
        collateral if met else 0.0,
        off,
        points,
        met and points >= scoring.passing,
        harmed,
        harmed_share,
    )


def damage(practice: Practice, seen: Seen) -> tuple[tuple[str, ...], float]:
    """Wanted flows that do worse than before the fault and also than with it: names, and their part
    of the wanted traffic. What a fault added is not wanted."""
    healthy, before = practice.healthy_seen, practice.before
    wanted = {
        name: k
        for k, name in enumerate(healthy.truth.flow_names)
        if name in seen.truth.flow_names and name in before.truth.flow_names
    }
    missing = [name for name in healthy.truth.flow_names if name not in seen.truth.flow_names]
    added = {
        f"{f.change.source}->{f.change.target}"
        for f in practice.variant.faults
        if isinstance(f.change, AddFlow)
    }
    harmed = [name for name in missing if name not in added]
    for name, k in wanted.items():
        now, then = (_of(one, one.truth.flow(name)) for one in (seen, before))
        well = _of(healthy, k)
        if _worse(now, well) and _worse(now, then):
            harmed.append(name)
    rate = dict(
        zip(healthy.truth.flow_names, healthy.truth.traffic.flow_rate_bps.tolist(), strict=True)
    )
    total = sum(rate.values())
    return tuple(harmed), sum(rate[name] for name in harmed) / total if total else 0.0


class _Flow(NamedTuple):
    delay_s: float
    loss: float
    throughput_bps: float


def _of(seen: Seen, flow: int) -> _Flow:
    table = seen.metrics.flow
    routed = seen.truth.paths.status[flow] == 0
    loss = float(table["loss_ratio"][flow]) if routed else 1.0
    rate = float(seen.truth.traffic.flow_rate_bps[flow])
    return _Flow(
        float(np.nan_to_num(table["owd_mean_s"][flow])), np.nan_to_num(loss), rate * (1 - loss)
    )


def _worse(now: _Flow, then: _Flow) -> bool:
    return (
        now.loss > then.loss * (1 + LESS) + LOSES
        or (then.delay_s > 0 and now.delay_s > then.delay_s * (1 + SLOWER))
        or now.throughput_bps < then.throughput_bps * (1 - LESS) - 1e-9
    )
