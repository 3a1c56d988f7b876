"""Words: what a learner is told, and the debriefing in plain words, made of the same numbers."""

from __future__ import annotations

from collections.abc import Sequence

from nettwin import units
from nettwin.apps.labs.grading import Grade
from nettwin.apps.labs.lab import Lab
from nettwin.apps.labs.practice import Practice, Seen
from nettwin.apps.summary import mean_delay_s
from nettwin.intent import MEASURES
from nettwin.intent.intent import shown
from nettwin.intent.judgement import Line
from nettwin.scenario.changes import takes


def of_start(lab: Lab) -> list[str]:
    """What a learner needs to begin."""
    words = [lab.story, "What may be done: " + "; ".join(f"{k} {takes(k)}" for k in lab.may) + "."]
    if lab.goals.most_changes is not None:
        words.append(f"At most {lab.goals.most_changes} changes.")
    words.append(f"Time: {lab.minutes:g} minutes. {lab.scoring.passing:g} points are needed.")
    return words


def value_of(line: Line) -> str:
    """The value of a goal for people."""
    measure = MEASURES.get(line.measure)
    return shown(measure, line.value) if measure else units.percent(line.value)


def of_grade(marks: Grade) -> str:
    """The points in words."""
    parts = [
        f"{marks.result:.0f} for goals",
        f"{marks.time:.0f} for time",
        f"{marks.collateral:.0f} for doing no damage",
    ]
    if marks.hints:
        parts.append(f"{marks.hints:.0f} taken off for hints")
    words = f"{marks.points:.0f} points: {', '.join(parts)}."
    if marks.harmed:
        more = f" and {len(marks.harmed) - 3} more" if len(marks.harmed) > 3 else ""
        words += (
            f" Harmed beside: {', '.join(marks.harmed[:3])}{more}"
            f" ({units.percent(marks.harmed_share)} of the traffic)."
        )
    return words


def of_debriefing(practice: Practice, left: Seen, solved: Seen, marks: Grade) -> list[str]:
    """What was wrong, what it did, what the learner made of it, and what would have mended it."""
    lab, variant = practice.lab, practice.variant
    what = "; ".join(fault.change.describe() for fault in variant.faults) or "nothing"
    hidden = [fault for fault in variant.faults if not fault.told]
    words = [
        f"What was wrong: {what}."
        + (" The devices did not tell it." if hidden else " It could be seen."),
        f"What it did: {_state(practice.healthy_seen)} before; {_state(practice.before)} with it.",
        f"As you left it: {_state(left)}. {_goals(left)}",
        "The model solution: "
        + ("; ".join(change.describe() for change in variant.solution) or "nothing")
        + f". With it: {_state(solved)}. {_goals(solved)}",
        of_grade(marks),
    ]
    return [*words, lab.debriefing]


def _state(seen: Seen) -> str:
    flow, rate = seen.metrics.flow, seen.truth.traffic.flow_rate_bps
    routed = seen.truth.paths.status == 0
    loss = flow["loss_ratio"].copy()
    loss[~routed] = 1.0
    known = loss == loss  # not NaN
    lost = float((loss * rate)[known].sum() / rate[known].sum()) if rate[known].sum() else 0.0
    delay = mean_delay_s(seen.truth, seen.metrics)
    fullest = float(seen.truth.link_offered_load.max(initial=0.0))
    return (
        f"{units.percent(lost)} lost, mean delay {units.duration(delay)}, the fullest link offered"
        f" {units.percent(fullest, 0)}"
    )


def _goals(seen: Seen) -> str:
    lines: Sequence[Line] = seen.judgement.lines
    missed = [line for line in lines if not line.met]
    if not missed:
        return f"All {len(lines)} goals are met."
    worst = max(missed, key=lambda line: line.excess)
    return (
        f"{len(missed)} of {len(lines)} goals are missed, by most '{worst.text}': it is"
        f" {value_of(worst)}."
    )
