"""Plans: what was asked for, before and after the changes, and the changes in their order."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from nettwin import units
from nettwin.change_plan import ChangePlan, Evidence, PolicyConfidence
from nettwin.intent import MEASURES, Intent, Judgement, Line, Objective
from nettwin.intent.intent import shown
from nettwin.intent.judgement import HOPELESS
from nettwin.interfaces.tables import style

MIN_CHANGE = 1e-3  # relative, that makes an objective better or worse
ENDLESS_S = 3600.0  # a mean delay of which a part has no end
SIMULATED = "simulated"
EXACT = Text("exact", style.FAINT)  # what needs no simulation: loads, counts


def heading(plan: ChangePlan, network: str) -> Text:
    """Whether the intent is met, by what, and at which price, in two lines."""
    words = Text.assemble((f"{network}: {plan.intent} ", "bold"), _verdict(plan), "\n")
    count = len(plan.changes)
    own = plan.evidence[0] if plan.evidence else None
    parts = [
        f"{units.count(count)} change{'' if count == 1 else 's'}",
        *([f"cost {plan.cost:g}"] if plan.cost else []),
        f"found by {plan.method} in {units.duration(plan.seconds)}, seed {plan.seed}",
        *([f"{own.method} by {own.engine}"] if own else []),
        *(f"{e.method} by {e.engine}" for e in verified(plan)),
        *([_confidence(plan.policy)] if plan.policy else []),
    ]
    return words.append("; ".join(parts), style.FAINT)


def objectives(plan: ChangePlan, intent: Intent) -> Table:
    """The objectives before and after, the first with its bound."""
    simulated = verified(plan)
    levels = every_level(intent)
    content = []
    for k, name in enumerate(plan.after.names):
        old, new = plan.before.objectives[k], plan.after.objectives[k]
        cells: list[str | Text] = [name, level_value(levels[k], old), level_value(levels[k], new)]
        seen = any(o.about.predicted for o in levels[k])
        cells += [
            level_value(levels[k], e.judgement.objectives[k]) if seen else EXACT
            for e in simulated[:1]
        ]
        cells.append(_better(old, new))
        bound = plan.bound if k == 0 else None
        cells.append("-" if bound is None else level_value(levels[k], bound))
        gap = plan.gap if k == 0 else None
        cells.append("-" if gap is None else f"{units.percent(gap, 2)}, {_status(plan)}")
        content.append(cells)
    return style.table(
        "Objectives, the first before the second",
        "<as low as possible | before | after",
        "simulated" if simulated else None,
        "change | ?bound | ?gap",
        rows=content,
    )


def expectations(plan: ChangePlan) -> Table:
    """Every expectation before and after: its value, by how much it is kept, and where it is worst.

    With a verifier's values beside those of the model.
    """
    simulated = [e.judgement for e in verified(plan)[:1]]
    decisive = simulated[0] if simulated else plan.after
    content: list[tuple[str | Text, ...]] = []
    for k, line in enumerate(plan.after.lines):
        last = decisive.lines[k]
        content.append(
            (
                line.text,
                measured(plan.before.lines[k]),
                measured(line),
                *(
                    measured(judgement.lines[k]) if _predicted(line) else EXACT
                    for judgement in simulated
                ),
                Text("met", style.CALM) if last.met else Text("missed", style.ALARM),
                _of(last.measure, last.margin),
                last.worst or "-",
                f"{units.count(last.within)} of {units.count(last.selected)}",
            )
        )
    return style.table(
        "Expectations",
        "<<expected | before | after",  # a limit must not be cut
        "simulated" if simulated else None,
        "< | ?margin | ?<worst | ?within",
        rows=content,
    )


def changes(plan: ChangePlan, top: int) -> Table:
    """The changes in the order in which to make them."""
    rows = [(f"{k}", change.describe()) for k, change in enumerate(plan.changes[:top], 1)]
    more = len(plan.changes) - top
    if more > 0:
        rows.append(("", f"... and {units.count(more)} more (the plan file and --json have all)"))
    of = len(plan.changes)
    shown = min(top, of)
    return style.table("Changes, in this order", "", "<change", rows=rows, shown=shown, of=of)


def reasons(plan: ChangePlan) -> list[str]:
    """Why an intent is not met: what is proven or was tried, and what a verifier refutes."""
    found = list(plan.reasons)
    for evidence in verified(plan):
        missed = [line for line in evidence.judgement.lines if not line.met]
        found += [
            f"{line.text}: {_of(line.measure, line.value)} as {evidence.engine} sees it"
            + (f", at {line.worst}" if line.worst else "")
            for line in missed
            if plan.after.met
        ]
    return found


def verified(plan: ChangePlan) -> list[Evidence]:
    """What engines other than the model in the loop have said."""
    return [e for e in plan.evidence if e.method == SIMULATED]


def every_level(intent: Intent) -> list[tuple[Objective, ...]]:
    """The objectives in the order of a judgement's: those of the network, then after failures."""
    after = intent.survive.minimize if intent.survive else ()
    return [*intent.minimize, *((o,) for o in after)]


def level_value(level: Sequence[Objective], value: float) -> str:
    """A value of an objective, or of a weighted sum, for people."""
    if len(level) == 1 and level[0].weight == 1:
        return _of(level[0].measure, value)
    return f"{value:.4g}"


def differences(before: Judgement, after: Judgement) -> list[str]:
    """What is said otherwise of the same lines, in words."""
    return [
        f"{new.text}: {_of(new.measure, old.value)} before, now {_of(new.measure, new.value)}"
        f" ({'met' if new.met else 'missed'})"
        for old, new in zip(before.lines, after.lines, strict=False)
        if old.text == new.text and old.met != new.met
    ]


def _verdict(plan: ChangePlan) -> tuple[str, str]:
    """Whether an intent is met, or what became of one that expects nothing; and the color."""
    if plan.after.lines:
        was = "was" if plan.before.met else "was not"
        met = ("is met", style.CALM) if plan.met else ("is not met", style.ALARM)
        return f"{met[0]} (it {was} before)", met[1]
    if plan.after.objectives < plan.before.objectives:
        return "is better kept", style.CALM
    return "is kept as well as before", ""


def _confidence(policy: PolicyConfidence) -> str:
    """How sure a trained agent is, in words."""
    sure = (
        f"the agent gave its {units.count(policy.choices)} choices a probability of"
        f" {policy.probability:.2f} on average, {policy.least:.2f} at least"
    )
    if policy.episodes < 2:
        return sure
    return sure + f"; {policy.episodes} episodes end within {units.percent(policy.spread, 1)}"


def _status(plan: ChangePlan) -> str:
    return "proven" if plan.proven else "unproven"


def measured(line: Line) -> Text:
    """The value of a line, in the color of whether it is met."""
    words = _of(line.measure, line.value)
    return Text(words, "" if line.met else style.ALARM)


def _predicted(line: Line) -> bool:
    return line.measure in MEASURES and MEASURES[line.measure].predicted


def _of(measure: str, value: float) -> str:
    """A value of a measure; a rule to avoid something is about a share of the traffic."""
    about = MEASURES.get(measure)
    if not math.isfinite(value) or (about and about.unit == "s" and abs(value) >= ENDLESS_S):
        return "no end" if value > 0 else "-"
    return shown(about, value) if about else units.percent(value)


def _better(old: float, new: float) -> Text:
    if not (math.isfinite(old) and math.isfinite(new)) or old == 0 or abs(old) >= HOPELESS:
        return Text("-", style.FAINT)
    grown = new / old - 1
    color = (
        style.CALM if grown < -MIN_CHANGE else style.ALARM if grown > MIN_CHANGE else style.FAINT
    )
    return Text(units.change(old, new), color)
