"""Troubleshooting: causes of an incident, as JSON."""

from __future__ import annotations

from typing import Any

from nettwin import units
from nettwin.apps.troubleshooting import Diagnosis
from nettwin.apps.troubleshooting import advice as a
from nettwin.change_plan import ChangePlan, plan_to_dict

SHOWN = 10


def troubleshooting(found: Diagnosis, plan: ChangePlan | None) -> dict[str, Any]:
    """Causes, the most probable first, with what speaks for and against each."""
    finite = units.finite_or_none
    causes = []
    for cause in found.causes[:SHOWN]:
        for_it, against = a.clues(found, cause.best)
        causes.append(
            {
                "probability": cause.probability,
                "kind": cause.best.kind,
                "category": cause.best.category,
                "words": cause.best.name,
                "faults": [
                    {k: finite(v) if isinstance(v, float) else v for k, v in f._asdict().items()}
                    for f in cause.best.faults
                ],
                "not_told_apart": list(
                    dict.fromkeys(h.name for h in cause.hypotheses[1:] if h.kind != cause.best.kind)
                ),
                "for": [_clue(clue) for clue in for_it[:SHOWN]],
                "against": [_clue(clue) for clue in against[:SHOWN]],
            }
        )
    return {
        "engine": found.engine,
        "networks_predicted": found.asked,
        "seconds": found.seconds,
        "words": a.paragraph(found),
        "measured": found.coverage,
        "causes": causes,
        "next_measurements": [
            {k: finite(v) if isinstance(v, float) else v for k, v in one._asdict().items()}
            for one in a.next_measurements(found)
        ],
        "recent": [record._asdict() for record in found.evidence.incident.records],
        "by_hand": a.by_hand(found.best),
        "hardening": a.hardening(found.best),
        "repair": None if plan is None else plan_to_dict(plan),
    }


def _clue(clue: a.Clue) -> dict[str, Any]:
    about = {"measure": clue.measure, "element": clue.element, "words": clue.words()}
    numbers = ("measured", "healthy", "expected", "z_healthy", "z")
    return {**about, **{n: units.finite_or_none(getattr(clue, n)) for n in numbers}}
