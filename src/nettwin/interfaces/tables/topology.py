"""Topology: what changed of a network."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.table import Table

from nettwin.apps.topology.events import Event
from nettwin.interfaces.tables import style


def events(
    found: Sequence[tuple[float, Event]], moment: Callable[[float], str], of: int = 0
) -> Table:
    """Events with their times, oldest first."""
    rows = [(moment(time_s), one.kind, one.element, one.before, one.after) for time_s, one in found]
    columns = "<time | <what | <element | ?<before | ?<after"
    return style.table("Happened", columns, of=of, rows=rows)
