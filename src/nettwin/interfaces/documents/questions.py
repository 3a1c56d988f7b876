"""Questions: what commands and the API answer beside plain predictions, as JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from nettwin.apps.explanation.causes import Causes
from nettwin.apps.explanation.explanation import (
    Explanation,
    FlowExplanation,
    NetworkExplanation,
    PortExplanation,
)
from nettwin.apps.explanation.words import in_words
from nettwin.apps.loop.plans import Known
from nettwin.apps.resilience.resilience import Resilience
from nettwin.apps.whatif import WhatIf
from nettwin.formats.intent import intent_data
from nettwin.intent import Intent
from nettwin.intent.check import Checked
from nettwin.intent.diagnostics import Place, spot
from nettwin.interfaces.documents import Rows, engine
from nettwin.interfaces.documents import answer as answer_of
from nettwin.metrics import Metrics
from nettwin.model import NetworkModel
from nettwin.physical.journal import Receipt
from nettwin.scenario.changes import change_to_dict
from nettwin.scenario.scenario import Scenario


def issues(scenario: Scenario, models: Sequence[NetworkModel]) -> list[str]:
    """The routing's problems, and why models should not be trusted with a network."""
    found = scenario.routing_problems()
    return found + [f"{m.name}: {reason}" for m in models for reason in m.unsupported(scenario)]


def doubts(*answers: Metrics) -> list[str]:
    """Where another engine than the one of first choice answered, and how many flows are
    flagged."""
    found: list[str] = []
    for metrics in answers:
        found += [
            f"{metrics.engine}: {metrics.answered_by} answers: {why}" for why in metrics.because
        ]
    flagged = max(answers, key=lambda metrics: metrics.flagged_count, default=None)
    if flagged is not None and flagged.flagged_count:
        found.append(
            f"{flagged.label}: {flagged.flagged_count:,} of {len(flagged.flow):,} flows are"
            " flagged: their delay may be off by more than 20 %, or they meet what the model"
            " was not trained on"
        )
    return list(dict.fromkeys(found))


def whatif(answer: WhatIf) -> dict[str, Any]:
    """What changes by changes: both answers, and the rows that differ."""
    return {
        "changes": [change_to_dict(change) for change in answer.changes],
        **engine(answer.before, answer.after),
        "before": answer_of(answer.scenario_before, answer.before),
        "after": answer_of(answer.scenario_after, answer.after),
        "classes": answer.classes,
        "links": answer.links,
        "flows": answer.flows,
    }


def failures(found: Resilience) -> dict[str, Any]:
    """What every failure does, the worst first."""
    head = {} if found.metrics is None else engine(found.metrics)
    return {
        **head,
        "kinds": found.kinds,
        "complete": found.complete,
        "failures_total": found.failure_count,
        "looked_at": found.looked_at,
        "summary": found.summary,
        "lost_before": found.lost_before,
        "owd_mean_before_s": found.owd_mean_before_s,
        "classes_before": found.classes_before,
        "broken_before": found.broken_before,
        "failures": failure_rows(found),
        "links": found.links,
    }


def failure_rows(found: Resilience) -> Rows:
    """A row for each failure."""
    return [
        {**f._asdict(), "changes": [change_to_dict(change) for change in f.changes]}
        for f in found.failures
    ]


def explanation(found: Explanation) -> dict[str, Any]:
    """Causes of delay and loss, in words and numbers."""
    about: dict[str, Any] = {"words": in_words(found), "notes": found.notes}
    match found:
        case FlowExplanation():
            return {
                **about,
                "parts": found.parts,
                "needed": [part.queue for part in found.needed],
                "causes": _causes(found.causes),
                "causes_at_worst": _causes(found.worst) if found.worst is not None else None,
            }
        case PortExplanation():
            return {**about, "causes": _causes(found.causes)}
        case NetworkExplanation():
            critical = found.critical
            return {
                **about,
                "critical": vars(critical) if critical is not None else None,
                "causes": [_causes(causes) for causes in found.causes],
            }


def _causes(causes: Causes) -> dict[str, Any]:
    return {
        "kind": causes.target.kind,
        "name": causes.target.name,
        "measure": causes.measure,
        "delay_s": causes.delay_s,
        "loss_ratio": causes.loss,
        "factor": causes.factor,
        "flows": causes.flows,
        "rank_agreement": causes.agreement,
        "found": [
            {**c._asdict(), "effect": causes.effect(c), "change": change_to_dict(c.change)}
            for c in causes.found
        ],
    }


def checked(
    intent: Intent, found: Checked, line: Callable[[Place], int | None] = lambda place: None
) -> dict[str, Any]:
    """An intent held against a network; `line` is where in its file a part of it stands."""
    return {
        "intent": intent_data(intent),
        "sound": found.sound,
        "lines": [
            {**x._asdict(), "place": spot(x.place), "line": line(x.place)} for x in found.lines
        ],
        "diagnostics": [
            {
                **x._asdict(),
                "places": list(map(spot, x.places)),
                "lines": list(map(line, x.places)),
            }
            for x in found.diagnostics
        ],
    }


def written(data: Any, place: Place) -> bool:
    """Whether a part stands in a document, rather than being the usual where nothing is said."""
    for step in place:
        if not isinstance(data, Mapping):
            break
        if step not in data:
            return False
        data = data[str(step)]
    return True


def plan_row(known: Known) -> dict[str, Any]:
    """A plan in brief."""
    return {
        "id": known.id,
        "time_s": known.time_s,
        "author": known.author,
        "state": known.fate,
        "why": known.why,
        "digest": known.plan.digest,
        "changes": [change.describe() for change in known.plan.changes],
    }


def receipt_of(receipt: Receipt) -> dict[str, Any]:
    """What became of a plan in a network."""
    return {"receipt": receipt.key, "state": receipt.state, "changes": len(receipt.changes)}
