"""Difference: two networks side by side, the parts that are not the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from nettwin import units
from nettwin.apps.difference import PRESENT, Difference, Value
from nettwin.interfaces.tables import style

PLURALS = {"class": "Classes", "network": "Network", "routing": "Routing"}
SHOWN = {"_bps": units.rate, "_s": units.duration}


def heading(before: str, after: str, found: Sequence[Difference]) -> Text:
    """How many differences there are in which part."""
    if not found:
        return Text.assemble((f"{before} and {after}: ", "bold"), ("no difference", style.CALM))
    counts = Counter(difference.part for difference in found)
    words = ", ".join(f"{part} {units.count(count)}" for part, count in counts.items())
    noun = "difference" if len(found) == 1 else "differences"
    return Text.assemble(
        (f"{before} and {after}: ", "bold"), f"{units.count(len(found))} {noun} ({words})"
    )


def parts(found: Sequence[Difference], top: int) -> list[Table]:
    """A table for each part with differences."""
    tables: list[Table] = []
    for part in dict.fromkeys(difference.part for difference in found):
        mine = [difference for difference in found if difference.part == part]
        rows = [
            (d.element, _what(d.attribute), *(_shown(d.attribute, v) for v in (d.before, d.after)))
            for d in mine[:top]
        ]
        title, columns = PLURALS.get(part, f"{part}s".capitalize()), "<what | <before | <after"
        tables.append(style.table(title, f"<{part}", columns, rows=rows, of=len(mine), wraps=True))
    return tables


def _what(attribute: str) -> str:
    """An attribute in words; its unit stands with its values."""
    if attribute == PRESENT:
        return "is there"
    name, _, unit = attribute.rpartition("_")
    return name if unit in ("bps", "s", "deg") else attribute


def _shown(attribute: str, value: Value) -> str | Text:
    if value is None:
        return Text("-", style.FAINT)
    if isinstance(value, bool):
        return "yes" if value else Text("no", style.ALARM)
    if isinstance(value, str):
        return value
    words = next((w for ending, w in SHOWN.items() if attribute.endswith(ending)), None)
    return words(value) if words else f"{value:g}"
