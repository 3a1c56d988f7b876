"""Verification: another engine looks at the best answer; what it refutes is learned from."""

from __future__ import annotations

from dataclasses import replace

from nettwin.intent import Expectation, Judgement
from nettwin.optimize.problem import Problem

MAX_HOPEFUL = 10.0  # times: of losses that a model thinks next to nothing no factor is known
SAFETY = 1.02  # beyond what the last look has shown to be needed


def tightened(problem: Problem, seen: Judgement, predicted: Judgement) -> Problem:
    """The problem with limits moved by as much as the model was too hopeful, for the lines that a
    verifier found missed."""
    intent = problem.intent
    expect = list(intent.expect)
    for k, (e, real, thought) in enumerate(
        zip(intent.expect, seen.lines, predicted.lines, strict=False)
    ):
        if real.met or not thought.met or e.limit <= 0 or thought.value <= 0:
            continue
        hopeful = min(max(real.value / thought.value, 1 / MAX_HOPEFUL), MAX_HOPEFUL)
        expect[k] = _scaled(e, hopeful)
    return Problem(problem.scenario, replace(intent, expect=tuple(expect)), problem.model)


def _scaled(e: Expectation, hopeful: float) -> Expectation:
    """An expectation whose limit is stricter by the factor that the model was too hopeful by."""
    if e.at_most is not None:
        return replace(e, at_most=e.at_most / max(hopeful * SAFETY, SAFETY))
    return replace(e, at_least=(e.at_least or 0.0) / min(hopeful / SAFETY, 1 / SAFETY))
