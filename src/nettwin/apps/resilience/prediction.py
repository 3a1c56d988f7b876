"""Prediction: delay, loss and intents after failures, spread over processes or a Ray cluster."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nettwin.apps.resilience.cases import Case, fails
from nettwin.apps.summary import by_class, mean_delay_s
from nettwin.intent import Expectation, Intent, State, Survive, judge
from nettwin.metrics import Metrics
from nettwin.model import NetworkModel
from nettwin.scenario.changes import apply_all
from nettwin.scenario.scenario import Scenario

Mask = NDArray[np.bool_]
ROWS_AT_ONCE = 1_500_000  # flows of all scenarios that are held together
MAX_AT_ONCE = 64  # scenarios given to a model together


class ClassOutcome(NamedTuple):
    """What a traffic class gets after a failure; flows with a failed end are left out."""

    name: str
    delay_s: float
    p99_s: float
    loss: float


class Prediction(NamedTuple):
    """What a model says of one failure."""

    number: int  # of the failure
    lost_share: float  # of the traffic whose own ends are up
    owd_mean_s: float
    classes: tuple[ClassOutcome, ...]
    broken: tuple[str, ...]  # lines of the intent that are missed
    flagged_flows: int
    unsupported: str  # why the engine should not be trusted with it; empty where it may be


class Work(NamedTuple):
    """Some failures for a model."""

    scenario: Scenario
    model: NetworkModel
    cases: tuple[tuple[int, Case], ...]
    intent: Intent | None


def predictions(
    scenario: Scenario,
    model: NetworkModel,
    cases: Sequence[tuple[int, Case]],
    intent: Intent | None,
    *,
    jobs: int = 1,
    ray_address: str | None = None,
) -> Iterator[list[Prediction]]:
    """What a model says of failures, some at a time, in whatever order they are done."""
    from nettwin.workers import in_order_of_completion

    flows = max(scenario.traffic.flow_count, 1)
    step = int(np.clip(ROWS_AT_ONCE // flows, 4, MAX_AT_ONCE))
    if jobs > 1 or ray_address is not None:
        step = max(min(step, -(-len(cases) // (4 * max(jobs, 1)))), 1)
    work = [
        Work(scenario, model, tuple(cases[k : k + step]), intent)
        for k in range(0, len(cases), step)
    ]
    found = in_order_of_completion(predicted, work, jobs, ray_address)
    return (part for _, part in found)


def predicted(work: Work) -> list[Prediction]:
    """What the model says of each failure; the network as it is leads each batch, so that a model
    may predict anew only what differs from it."""
    after = [apply_all(work.scenario, case.changes) for _, case in work.cases]
    now, *answers = work.model.predict([work.scenario, *after])
    return [
        _one(number, case, work, State(work.scenario, now), State(failed, metrics, case.name))
        for (number, case), failed, metrics in zip(work.cases, after, answers, strict=True)
    ]


def classes_of(scenario: Scenario, metrics: Metrics, mine: Mask) -> tuple[ClassOutcome, ...]:
    """What each traffic class gets, of some flows."""
    return tuple(
        ClassOutcome(name, got.delay_s, got.p99_s, got.loss)
        for name, got in by_class(scenario, metrics, mine).items()
    )


def lost_share(scenario: Scenario, metrics: Metrics, mine: Mask) -> float:
    """The part of the traffic of some flows that does not arrive."""
    rate = np.where(mine, scenario.traffic.flow_rate_bps, 0.0)
    loss = np.where(scenario.paths.status != 0, 1.0, np.nan_to_num(metrics.flow["loss_ratio"]))
    offered = float(rate.sum())
    return float((rate * loss).sum()) / offered if offered else 0.0


def asked_after_failures(intent: Intent | None) -> tuple[Expectation, ...]:
    """What an intent expects, of the network as it is and after failures."""
    if intent is None:
        return ()
    after = intent.survive.expect if intent.survive else ()
    return tuple(dict.fromkeys((*intent.expect, *after)))


def broken_lines(intent: Intent | None, now: State, after: State) -> tuple[str, ...]:
    """Expectations of an intent that a failure breaks, in words."""
    expected = asked_after_failures(intent)
    if not expected:
        return ()
    asked = Intent(survive=Survive(("link",), expected))
    lines = judge(asked, now, [after]).lines
    return tuple(e.describe() for e, line in zip(expected, lines, strict=True) if not line.met)


def _one(number: int, case: Case, work: Work, now: State, after: State) -> Prediction:
    assert after.metrics is not None
    scenario, metrics = after.scenario, after.metrics
    mine = ~fails(scenario, case)
    return Prediction(
        number,
        lost_share(scenario, metrics, mine),
        mean_delay_s(scenario, metrics, mine),
        classes_of(scenario, metrics, mine),
        broken_lines(work.intent, now, after),
        metrics.flagged_count,
        _unsupported(work.model, after.scenario, metrics),
    )


def _unsupported(model: NetworkModel, scenario: Scenario, metrics: Metrics) -> str:
    """The first reason against an answer; engines that find it while they work say it with the
    answer."""
    said = metrics.provenance.get("unsupported")
    reasons = model.unsupported(scenario) if said is None else said
    return str(reasons[0]) if reasons else ""
