"""ChangePlan: changes that meet an intent, in a safe order, with what they do and who has checked
it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from nettwin.errors import InputError
from nettwin.intent import Judgement, Line
from nettwin.scenario.changes import Change, change_from_dict, change_to_dict
from nettwin.units import finite_or_none

SCHEMA = "nettwin-changes-1"
PROVEN = 1e-4  # gap to the bound at which an answer counts as the best there is


class Evidence(NamedTuple):
    """What one engine says of the network after all changes."""

    engine: str
    method: str  # exact (loads), predicted or simulated
    judgement: Judgement


class Stage(NamedTuple):
    """A part of the search, and the objectives when it ended."""

    name: str
    seconds: float
    violation: float
    objectives: tuple[float, ...]


class PolicyConfidence(NamedTuple):
    """How sure a trained agent is of its choices.

    A policy that is sure gives one action nearly all of the probability, and its episodes end alike
    wherever they are drawn. Together with the plan's gap to the bound: an unsure agent far above
    the bound is a reason to search on by another method.
    """

    choices: int  # that the most probable episode made
    probability: float  # of an action taken, the geometric mean over those choices
    least: float  # of them, the one that was least sure
    episodes: int  # that were finished, the most probable and drawn ones
    spread: float  # of the first objective over the episodes' best: highest over lowest, less 1


@dataclass(frozen=True)
class ChangePlan:
    """Changes in the order in which to make them; the judgement before and after.

    `bound` is what the first objective cannot fall below by what the intent allows to change; None
    where none is known. `warnings` are said of the order: a step that for a while overloads
    something. `reasons` say why an expectation cannot be met, where it is not. `policy` is
    there where a trained agent searched.
    """

    changes: tuple[Change, ...]
    before: Judgement
    after: Judgement
    method: str
    seed: int
    seconds: float
    bound: float | None = None
    evidence: tuple[Evidence, ...] = ()
    stages: tuple[Stage, ...] = ()
    warnings: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    intent: str = ""
    network: str = ""  # the fingerprint of the scenario that it was made for
    cost: float = 0.0
    notes: Mapping[str, str] = field(default_factory=dict)
    policy: PolicyConfidence | None = None

    @property
    def met(self) -> bool:
        """Whether every expectation is met, as every engine says that was asked."""
        return self.after.met and all(e.judgement.met for e in self.evidence)

    @property
    def digest(self) -> str:
        """What an approval binds: a fingerprint of all that the plan says."""
        text = json.dumps(plan_to_dict(self), sort_keys=True, default=lambda value: value.item())
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def gap(self) -> float | None:
        """How far the first objective is above the bound, relatively; None where it is unknown."""
        if self.bound is None or not self.after.objectives:
            return None
        return max(self.after.objectives[0] - self.bound, 0.0) / max(abs(self.bound), 1e-12)

    @property
    def proven(self) -> bool:
        """Whether it is proven that the first objective cannot be lower, within PROVEN."""
        return self.gap is not None and self.gap <= PROVEN


def plan_to_dict(plan: ChangePlan) -> dict[str, Any]:
    """A plan as plain JSON types; `changes` can be replayed by themselves."""
    return {
        "schema": SCHEMA,
        "intent": plan.intent,
        "network": plan.network,
        "method": plan.method,
        "seed": plan.seed,
        "seconds": round(plan.seconds, 3),
        "met": plan.met,
        "bound": plan.bound,
        "gap": plan.gap,
        "status": "proven" if plan.proven else "unproven",
        "cost": plan.cost,
        "changes": [change_to_dict(change) for change in plan.changes],
        "warnings": list(plan.warnings),
        "reasons": list(plan.reasons),
        "before": judgement_to_dict(plan.before),
        "after": judgement_to_dict(plan.after),
        "evidence": [
            {"engine": e.engine, "method": e.method, **judgement_to_dict(e.judgement)}
            for e in plan.evidence
        ],
        "stages": [
            stage._asdict() | {"objectives": list(stage.objectives)} for stage in plan.stages
        ],
        "notes": dict(plan.notes),
        "policy": plan.policy._asdict() if plan.policy else None,
    }


def plan_from_dict(data: Mapping[str, Any]) -> ChangePlan:
    """The inverse of `plan_to_dict`. Raises InputError where it is not a plan of this schema."""
    if data.get("schema") != SCHEMA:
        raise InputError(
            f"the plan's schema is {data.get('schema')!r}: must be {SCHEMA}. Make the plan anew."
        )
    try:
        return ChangePlan(
            changes=tuple(change_from_dict(change) for change in data["changes"]),
            before=judgement_of(data["before"]),
            after=judgement_of(data["after"]),
            method=str(data["method"]),
            seed=int(data["seed"]),
            seconds=float(data["seconds"]),
            bound=None if data["bound"] is None else float(data["bound"]),
            evidence=tuple(
                Evidence(str(e["engine"]), str(e["method"]), judgement_of(e))
                for e in data["evidence"]
            ),
            stages=tuple(
                Stage(
                    str(s["name"]),
                    float(s["seconds"]),
                    float(s["violation"]),
                    tuple(map(float, s["objectives"])),
                )
                for s in data["stages"]
            ),
            warnings=tuple(map(str, data["warnings"])),
            reasons=tuple(map(str, data["reasons"])),
            intent=str(data["intent"]),
            network=str(data["network"]),
            cost=float(data["cost"]),
            notes={str(k): str(v) for k, v in data["notes"].items()},
            policy=PolicyConfidence(**policy) if (policy := data.get("policy")) else None,
        )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise InputError(
            f"the plan lacks or garbles {error}: must be as it was written. Make the plan anew."
        ) from None


def judgement_to_dict(judgement: Judgement) -> dict[str, Any]:
    """A judgement as plain JSON types."""
    return {
        "met": judgement.met,
        "violation": judgement.violation,
        "objectives": [
            {"name": name, "value": finite_or_none(value)}
            for name, value in zip(judgement.names, judgement.objectives, strict=True)
        ],
        "lines": [
            {k: finite_or_none(v) if isinstance(v, float) else v for k, v in line._asdict().items()}
            for line in judgement.lines
        ],
    }


def judgement_of(data: Mapping[str, Any]) -> Judgement:
    """The inverse of `judgement_to_dict`."""
    lines = [
        Line(
            text=str(line["text"]),
            measure=str(line["measure"]),
            met=bool(line["met"]),
            value=_float(line["value"]),
            limit=_float(line["limit"]),
            margin=_float(line["margin"]),
            worst=str(line["worst"]),
            excess=_float(line["excess"]),
            selected=int(line["selected"]),
            within=int(line["within"]),
        )
        for line in data["lines"]
    ]
    return Judgement(
        tuple(lines),
        tuple(_float(o["value"]) for o in data["objectives"]),
        tuple(str(o["name"]) for o in data["objectives"]),
    )


def _float(value: Any) -> float:
    return float("inf") if value is None else float(value)
