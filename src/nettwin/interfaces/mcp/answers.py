"""Answers: documents made small for models: the worst first, three digits, units in the names, with
what the engine doubts."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Document = Mapping[str, Any]
Small = dict[str, Any]
SHARES = ("offered_load", "utilization", "loss_ratio")
METRICS = ("owd_mean_s", "owd_p99_s", "loss_ratio", "throughput_bps", "utilization", "offered_load")
WORST = {"flows": "owd_mean_s", "links": "offered_load", "queues": "occupancy_mean_bits"}
NAME = {"flows": "flow", "links": "link", "queues": "queue"}


def small(value: Any) -> Any:
    """A number of three digits; everything else as it is."""
    if isinstance(value, float):
        return float(f"{value:.3g}") if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {k: small(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [small(v) for v in value]
    return value


def under_way(document: Document) -> Small | None:
    """What to do where a question is a job that goes on; None where it is answered."""
    if "job" not in document:
        return None
    job = document["job"]
    return {
        "job": job["id"],
        "state": job["state"],
        "progress": job["progress"],
        "next": "It takes longer. Call job_status with this job to get the answer.",
    }


def trust(answer: Document) -> Small:
    """Which engine answered, and what it doubts."""
    found = {"engine": answer.get("answered_by", answer.get("engine"))}
    if answer.get("because"):
        found["not_by_first_choice_because"] = list(answer["because"])
    if answer.get("flagged_flows"):
        found["flagged_flows"] = answer["flagged_flows"]
    if "confidence" in answer:
        found["confidence_of_intervals"] = answer["confidence"]
    if answer.get("warnings"):
        found["warnings"] = list(answer["warnings"])[:5]
    return found


def row(kind: str, found: Document) -> Small:
    """A flow, link or queue: its values and their intervals."""
    told: Small = {"name": found[NAME[kind]]}
    for name, value in found.items():
        if not isinstance(value, float | int) or isinstance(value, bool):
            continue
        if name.endswith(("_low", "_high")):
            continue
        told[name] = small(value)
        if f"{name}_low" in found and found[f"{name}_low"] is not None:
            told[f"{name}_interval"] = small([found[f"{name}_low"], found[f"{name}_high"]])
    if found.get("flagged"):
        told["flagged"] = "the engine doubts this value"
    if found.get("up") is False:
        told["up"] = False
    return told


def worst(
    kind: str, rows: Iterable[Document], by: str, top: int, containing: str = ""
) -> list[Small]:
    """The rows with the highest values of a metric."""
    asked = [r for r in rows if containing.lower() in _called(kind, r)]
    known = [r for r in asked if isinstance(r.get(by), int | float)]
    return [row(kind, r) for r in sorted(known, key=lambda r: -float(r[by]))[:top]]


def _called(kind: str, found: Document) -> str:
    """What a row may be found by: its name, and its ends."""
    ends = f"{found['source']}->{found['target']}" if "source" in found else ""
    return f"{found[NAME[kind]]} {ends}".lower()


def network(document: Document, top: int) -> Small:
    """A network and how it fares: totals, the fullest links, the slowest flows."""
    (answer,) = document["answers"]
    about = answer["network"]
    return {
        "network": {k: about[k] for k in ("name", "source", "nodes", "links", "flows")},
        "totals": small(answer["totals"]),
        "fullest_links": worst("links", answer["links"], "offered_load", top),
        "slowest_flows": worst("flows", answer["flows"], "owd_mean_s", top),
        **trust(answer),
    }


def status(found: Document) -> Small:
    """How the live network and its loop stand."""
    measured = found.get("measured") or {}
    return {
        "data_age_s": small(found.get("age_s")),
        "last_observed": found.get("last"),
        "loop_step": found.get("step"),
        "plan_under_way": found.get("plan"),
        "intent_met": measured.get("met"),
        "intent_missed": [line["text"] for line in measured.get("lines", ()) if not line["met"]],
        "trouble": found.get("trouble") or None,
    }


def whatif(document: Document, top: int) -> Small:
    """What changes do: totals before and after, and what got worse."""
    before, after = document["before"], document["after"]
    told = {
        "changes": [_change(change) for change in document["changes"]],
        "totals_before": small(before["totals"]),
        "totals_after": small(after["totals"]),
        "links_that_change_most": [small(dict(one)) for one in _rows(document["links"])[:top]],
        "flows_that_change_most": [small(dict(one)) for one in _rows(document["flows"])[:top]],
        **trust(document),
    }
    if document.get("warnings_after"):
        told["warnings_after"] = list(document["warnings_after"])[:5]
    return told


def failures(document: Document, top: int) -> Small:
    """The failures that hurt most, and the links they fill."""
    found = document["resilience"]
    keep = ("name", "kind", "offered_load_max", "link", "cut_bps", "lost_share", "owd_mean_s")
    return {
        "failures_total": found["failures_total"],
        "complete": found["complete"],
        "summary": small(dict(_row(found["summary"]))),
        "worst": [
            small({k: v for k, v in one.items() if k in keep or k == "broken"})
            for one in found["failures"][:top]
        ],
        "links_worst_load": [small(dict(_row(one))) for one in found["links"][:top]],
        **trust(found),
    }


def explanation(document: Document, top: int) -> Small:
    """Why delay and loss arise, in words first."""
    causes = document.get("causes") or []
    several = causes if isinstance(causes, list) else [causes]
    return {
        "words": document["words"],
        "causes": [
            {
                "of": one["name"],
                "delay_s": small(one["delay_s"]),
                "loss_ratio": small(one["loss_ratio"]),
                "found": [
                    small({k: c[k] for k in ("name", "effect") if k in c})
                    for c in one["found"][:top]
                ],
            }
            for one in several[:3]
        ],
        **trust(document),
    }


def plan(document: Document, top: int = 10) -> Small:
    """A plan: whether it meets the intent, its changes in order, what checked it."""
    found = document["plan"]
    changes = found["changes"]
    return {
        "meets_intent": found["met"],
        "intent": found["intent"],
        "objectives_before": small(found["before"]["objectives"]),
        "objectives_after": small(found["after"]["objectives"]),
        "bound_of_first_objective": small(found["bound"]),
        "gap_to_bound": small(found["gap"]),
        "changes_total": len(changes),
        "changes": [_change(change) for change in changes[:top]],
        "checked_by": [f"{e['engine']} ({e['method']}): {_met(e)}" for e in found["evidence"]],
        "not_met_because": found["reasons"],
        "warnings": found["warnings"][:5],
    }


def answer(kind: str, document: Document, top: int = 10) -> Small:
    """The answer of a job of a kind."""
    makers = {
        "predict": network,
        "simulate": network,
        "whatif": whatif,
        "failures": failures,
        "explain": explanation,
        "optimize": plan,
        "verify": plan,
    }
    if kind not in makers:
        return {"answered": True, "kind": kind}
    return makers[kind](document, top)


def _change(change: Document) -> str:
    words = " ".join(str(v) for k, v in change.items() if k != "kind")
    return f"{change.get('kind', '')} {words}"[:200].strip()


def _met(evidence: Document) -> str:
    return "met" if evidence["met"] else "not met"


def _rows(found: Sequence[Any]) -> list[Document]:
    return [_row(one) for one in found]


def _row(found: Any) -> Document:
    return found if isinstance(found, Mapping) else {"values": found}
