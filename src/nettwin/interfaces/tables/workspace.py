"""Workspaces: where a loop stands, what was done, what was seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from nettwin.intent import Judgement
from nettwin.interfaces.tables import style
from nettwin.interfaces.tables.plans import measured
from nettwin.repository.audit import Entry

Moment = Callable[[float], str]
WORDS = {
    "workspace": "workspace",
    "network": "network",
    "observations": "observations",
    "last": "last observation",
    "step": "the loop's next step",
    "plan": "plan under way",
    "calibrate": "to be calibrated",
}


def status(facts: Mapping[str, Any]) -> Table:
    """Where a loop stands."""
    content = [
        (words, str(facts[name])) for name, words in WORDS.items() if facts[name] is not None
    ]
    return style.table("Status", "<what", "<is", rows=content)


def judged(judgement: Judgement) -> Table:
    """What was measured last, line by line of the intent."""
    content: list[tuple[str | Text, ...]] = []
    for line in judgement.lines:
        word = Text("met", style.CALM) if line.met else Text("missed", style.ALARM)
        content.append((line.text, measured(line), line.worst, word))
    return style.table("Measured last", "<expectation", "value", "<worst", "<", rows=content)


def entries(found: Sequence[Entry], moment: Moment, of: int) -> Table:
    """The audit log, oldest first."""
    content = []
    for entry in found:
        details = dict(entry.details)
        words = str(details.get("words", ""))
        if plan := details.get("plan"):
            words = f"{words}  [{plan}]"
        if why := details.get("why"):
            words = f"{words}: {'; '.join(map(str, why)) if isinstance(why, list) else why}"
        content.append((str(entry.number), moment(entry.time_s), entry.who, entry.what, words))
    return style.table("Done", "number", "<time", "<by", "<what", "<words", of=of, rows=content)


def series(name: str, times: Sequence[str], values: Sequence[float]) -> Table:
    """The values of one series."""
    content = [(time, f"{value:.6g}") for time, value in zip(times, values, strict=True)]
    return style.table(name, "<time", "value", rows=content)


def plans(rows: Sequence[Mapping[str, Any]], moment: Moment) -> Table:
    """Plans of a workspace, as `documents.questions.plan_row` tells them."""
    content = [
        (
            str(one["id"]),
            moment(one["time_s"]),
            str(one["author"]),
            str(len(one["changes"])),
            str(one["state"]),
            str(one["why"]),
        )
        for one in rows
    ]
    return style.table("Plans", "<plan", "<made", "<by", "changes", "<state", "?<why", rows=content)
