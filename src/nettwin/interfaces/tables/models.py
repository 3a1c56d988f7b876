"""Models: the trained models, their cards, and whether they are whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from nettwin import units
from nettwin.interfaces.tables import style, training


def listed(rows: Sequence[tuple[Any, Mapping[str, Any], str]]) -> Table:
    """The models of the catalog: entry, card, and what is wrong with it."""
    content = []
    for entry, card, issue in rows:
        tested = card.get("accuracy", {}).get("test", {}).get("model", {}).get("owd_mean_s")
        content.append(
            (
                Text(entry.name, "bold"),
                Text("damaged", style.ALARM) if issue else str(card.get("architecture", "-")),
                ", ".join(str(data.get("name")) for data in card.get("data", ())) or "-",
                "-" if tested is None else units.percent(tested, 2),
                "nettwin" if entry.shipped else "you",
            )
        )
    return style.table(
        "Models", "<model | <architecture | ?<trained on | mean delay off | <from", rows=content
    )


def card(found: Mapping[str, Any], members: int) -> list[RenderableType]:
    """A model's card, and its accuracy."""
    schedule = found.get("schedule", {})
    settings = found["settings"].items()
    content = [
        ("what it is", str(found.get("title") or "-")),
        ("architecture", ", ".join([found["architecture"], *(f"{k} {v}" for k, v in settings)])),
        ("networks", str(members)),
        ("training", f"{schedule.get('steps', 0):,} steps, seeds {schedule.get('seeds', [])}"),
        *((f"data {one['name']}", _data(one)) for one in found.get("data", ())),
        ("range", str(found.get("range", "-"))),
        ("made by", f"nettwin {found.get('nettwin', '')}, commit {found.get('commit') or '-'}"),
        ("license", str(found.get("license", "-"))),
    ]
    shown: list[RenderableType] = [style.facts(f"Model {found['name']}", content)]
    tested = found.get("accuracy", {}).get("test")
    if tested:
        shown.append(training.accuracy(tested))
    if found.get("measured"):
        shown.append(_measured(found["measured"]))
    return shown


def _measured(runs: Sequence[Mapping[str, Any]]) -> Table:
    """Figures of benchmarks beside their targets, those that were missed first."""
    content = []
    for run in runs:
        words = run["command"].removeprefix("python -m benchmarks ").split()
        data = [Path(words[k + 1]).parts[-2:] for k, word in enumerate(words) if word == "--data"]
        of = " ".join([words[0], *("/".join(parts) for parts in data)])
        for one in run["figures"]:
            value, unit = one["value"], one["unit"]
            told = "-" if value is None else f"{value:,.0f}" if value >= 1e3 else f"{value:.3g}"
            met = Text(f"{told} {unit}".strip(), "green" if one["met"] else style.ALARM)
            target = f"{one['sense']} {one['target']:g}"
            content.append((one["met"], (of, one["name"], met, target)))
    content.sort(key=lambda row: bool(row[0]))
    rows = [row for _, row in content]
    columns = "<benchmark | <figure | is | target"
    return style.table("Measured (docs/benchmarks.md)", columns, rows=rows, wraps=True)


def verified(found: Mapping[str, Sequence[Any]]) -> Table:
    """What was checked of each model."""
    rows = [
        (name, check.what, Text(check.issue or "good", style.ALARM if check.issue else "green"))
        for name, checks in found.items()
        for check in checks
    ]
    return style.table("Verified", "<model", "<what", "<is", wraps=True, rows=rows)


def _data(one: Mapping[str, Any]) -> str:
    counts = ", ".join(f"{n:,} {part}" for part, n in one.get("samples", {}).items() if n)
    return f"{counts}; digest {str(one.get('digest', ''))[:12]}"
