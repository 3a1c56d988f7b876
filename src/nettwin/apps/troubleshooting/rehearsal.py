"""Rehearsal: an incident that a model makes, usually the packet simulator, to try what is found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from nettwin.apps.troubleshooting.evidence import measures_of
from nettwin.apps.troubleshooting.faults import KINDS, Fault, Faulty
from nettwin.apps.troubleshooting.incident import Incident
from nettwin.errors import InputError, UnknownNameError
from nettwin.metrics import Metrics, Table
from nettwin.model import NetworkModel
from nettwin.observation import Observation
from nettwin.scenario.scenario import Scenario

BEFORE, DURING, INTERVAL_S = 6, 2, 300.0
BEGIN_S = 1767614400.0
DRIFT = 0.03  # of each flow's rate from interval to interval


def parse_fault(text: str) -> Fault:
    """A fault from words: its kind, its place, and size and detail where the kind has them:
    `random_loss A->B 0.02`, `class_loss A->B 0.1 voice`, `black_hole A B`. Raises InputError."""
    kind, *words = text.split(" ")
    words = [word for word in words if word]
    if kind not in KINDS:
        raise UnknownNameError("fault", kind, KINDS)
    size, place = float("nan"), list(words)
    if KINDS[kind].size:
        numbers = [i for i, word in enumerate(words) if _number(word) is not None]
        if not numbers:
            raise InputError(f"{text!r} has no size: must give the {KINDS[kind].size}. Add it.")
        size = float(words[numbers[-1]])
        place = words[: numbers[-1]] + words[numbers[-1] + 1 :]
    detailed = kind in ("class_loss", "wrong_class_map", "black_hole", "loop", "ecmp_imbalance")
    if len(place) < 1 + detailed:
        raise InputError(
            f"{text!r} is not whole: must give the place{' and one more name' * detailed}."
            " See nettwin troubleshoot --list."
        )
    detail = place.pop() if detailed else ""
    return Fault(kind, " ".join(place), size, detail)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def rehearsed(
    scenario: Scenario, faults: Sequence[Fault], model: NetworkModel, seed: int = 1
) -> Incident:
    """What a model says would be measured before and during faults, with rates that wander.
    Raises InputError where a fault does not fit."""
    random = np.random.default_rng([seed, 5])
    states, asked = [], []
    for n in range(BEFORE + DURING):
        wander = np.exp(DRIFT * random.standard_normal(scenario.traffic.flow_count))
        rates = scenario.traffic.flow_rate_bps * wander
        carrying = scenario.with_(traffic=scenario.traffic.with_arrays(flow_rate_bps=rates))
        states.append(Faulty.healthy(carrying).with_faults(faults if n >= BEFORE else ()))
        asked.append(carrying)
    seen = []
    for n, (faulty, told) in enumerate(zip(states, asked, strict=True)):
        engine = replace(model, seed=seed + n) if hasattr(model, "seed") else model  # type: ignore
        metrics = engine.predict([faulty.scenario])[0]
        values = measures_of(faulty, metrics)
        tables: dict[str, dict[str, np.ndarray]] = {"flow": {}, "link": {}, "queue": {}}
        for measure, value in values.items():
            kind, _, column = measure.partition("/")
            tables[kind][column] = value
        measured = Metrics(
            Table(tables["flow"]),
            Table(tables["link"]),
            Table(tables["queue"]),
            method="measured",
            engine=metrics.engine,
            provenance={"simulated_s": float(metrics.provenance.get("simulated_s", INTERVAL_S))},
        )
        seen.append(Observation(BEGIN_S + (n + 1) * INTERVAL_S, INTERVAL_S, told, measured))
    return Incident(tuple(seen[:BEFORE]), tuple(seen[BEFORE:]))
