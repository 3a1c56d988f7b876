"""Models: the trained models, their cards, and whether they are whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from nettwin import units
from nettwin.interfaces.tables import style, training


def listed(rows: Sequence[tuple[Any, Mapping[str, Any], str]]) -> Table:
    """The models of the catalog: entry, card, and what is wrong with it."""
    made = style.table(
        "Models", "<model", "<architecture", "?<trained on", "mean delay off", "<from"
    )
    content = []
    for entry, card, fault in rows:
        tested = card.get("accuracy", {}).get("test", {}).get("model", {}).get("owd_mean_s")
        content.append(
            (
                Text(entry.name, "bold"),
                Text("damaged", style.ALARM) if fault else str(card.get("architecture", "-")),
                ", ".join(str(data.get("name")) for data in card.get("data", ())) or "-",
                "-" if tested is None else units.percent(tested, 2),
                "nettwin" if entry.carried else "you",
            )
        )
    return style.rows(made, content)


def card(found: Mapping[str, Any], members: int) -> list[RenderableType]:
    """A model's card, and its accuracy."""
    made = style.table(f"Model {found['name']}", "<", "<", wraps=True)
    made.show_header = False
    plan = found.get("plan", {})
    settings = found["settings"].items()
    content = [
        ("what it is", str(found.get("title") or "-")),
        ("architecture", ", ".join([found["architecture"], *(f"{k} {v}" for k, v in settings)])),
        ("networks", str(members)),
        ("training", f"{plan.get('steps', 0):,} steps, seeds {plan.get('seeds', [])}"),
        *((f"data {one['name']}", _data(one)) for one in found.get("data", ())),
        ("range", str(found.get("range", "-"))),
        ("made by", f"nettwin {found.get('nettwin', '')}, commit {found.get('commit') or '-'}"),
        ("license", str(found.get("license", "-"))),
    ]
    shown: list[RenderableType] = [style.rows(made, content)]
    tested = found.get("accuracy", {}).get("test")
    return [*shown, training.accuracy(tested)] if tested else shown


def verified(found: Mapping[str, Sequence[Any]]) -> Table:
    """What was checked of each model."""
    made = style.table("Verified", "<model", "<what", "<is", wraps=True)
    return style.rows(
        made,
        [
            (name, check.what, Text(check.fault or "good", style.ALARM if check.fault else "green"))
            for name, checks in found.items()
            for check in checks
        ],
    )


def _data(one: Mapping[str, Any]) -> str:
    counts = ", ".join(f"{n:,} {part}" for part, n in one.get("samples", {}).items() if n)
    return f"{counts}; digest {str(one.get('digest', ''))[:12]}"
