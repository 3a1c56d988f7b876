"""Labs: what a lab tells of itself, as JSON; the fault is in the debriefing alone."""

from __future__ import annotations

from typing import Any

from nettwin.apps.labs import words
from nettwin.apps.labs.grading import Grade
from nettwin.apps.labs.lab import Lab
from nettwin.apps.labs.practice import Practice, Seen
from nettwin.apps.labs.session import Session
from nettwin.apps.labs.trial import Tried
from nettwin.formats.intent import intent_data
from nettwin.interfaces import documents
from nettwin.scenario.changes import change_to_dict


def lab(of: Lab) -> dict[str, Any]:
    """What is told of a lab before it begins."""
    return {
        "lab": of.name,
        "title": of.title,
        "level": of.level,
        "minutes": of.minutes,
        "variants": len(of.variants),
        "story": of.story,
        "may": list(of.may),
        "see": list(of.sees),
        "goals": intent_data(of.goals),
        "hints": len(of.hints),
        "passing": of.scoring.passing,
    }


def seen(practice: Practice, found: Seen) -> dict[str, Any]:
    """What is measured, as far as the lab lets it be seen, and whether the goals are met."""
    content: dict[str, Any] = {"goals": [line._asdict() for line in found.judgement.lines]}
    sees = practice.lab.sees
    if "flows" in sees:
        content["flows"] = documents.flow_rows(found.told, found.metrics)
    if "loads" in sees:
        topology = found.told.topology
        content["links"] = [
            {
                "link": name,
                "utilization": float(found.carried[k]),
                "loss_ratio": float(found.metrics.link["loss_ratio"][k])
                if "drops" in sees
                else None,
                "weight": float(topology.link_weight[k]) if "configuration" in sees else None,
                "up": bool(topology.link_live[k]),
            }
            for k, name in enumerate(topology.link_name)
        ]
    return content


def session(of: Session) -> dict[str, Any]:
    """An attempt; not which fault it is."""
    return {
        "lab": of.lab,
        "began_s": of.began_s,
        "seconds": of.seconds(),
        "changes": [change_to_dict(change) for change in of.changes],
        "hints": of.hints,
        "checks": of.checks,
        "exam": of.exam,
        "student": of.student or None,
    }


def grade(marks: Grade) -> dict[str, Any]:
    """Points."""
    return {**marks._asdict(), "harmed": list(marks.harmed)}


def debriefing(practice: Practice, left: Seen, solved: Seen, marks: Grade) -> dict[str, Any]:
    """What was wrong, and the numbers of the twin with it, as it was left, and mended."""
    return {
        "words": words.of_debriefing(practice, left, solved, marks),
        "fault": [change_to_dict(fault.change) for fault in practice.variant.faults],
        "solution": [change_to_dict(change) for change in practice.variant.solution],
        "grade": grade(marks),
        "goals": {
            name: [line._asdict() for line in found.judgement.lines]
            for name, found in (
                ("with_the_fault", practice.before),
                ("as_left", left),
                ("solved", solved),
            )
        },
    }


def trial(of: Lab, found: list[Tried]) -> dict[str, Any]:
    """Whether a lab is fair."""
    return {
        "lab": of.name,
        "fair": all(one.right for one in found),
        "tried": [
            {**one._asdict(), "missed": list(one.missed), "right": one.right} for one in found
        ],
    }
