"""Anomalies: incidents, when, where and of which kind."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from nettwin import units
from nettwin.apps.anomalies import Watch
from nettwin.apps.anomalies.fabric import Found
from nettwin.interfaces.tables import style


def incidents(found: Watch, top: int) -> Table:
    """The incidents, the newest last."""
    rows = [
        (
            units.moment(one.begin_s),
            units.duration(one.end_s - one.begin_s),
            one.kind,
            one.place,
            one.words,
            str(len(one.odd)),
        )
        for one in found.troubles[-top:]
    ]
    return style.table(
        "Incidents",
        "<begin | lasted | <kind | <place | <<what is odd | ?elements",
        rows=rows,
        of=len(found.troubles),
    )


def recorded(found: Sequence[Found]) -> Table:
    """What was seen in a recording."""
    rows = [
        (
            units.moment(one.time_s) if n == 0 else "",
            c.element,
            c.what,
            f"{c.sure:.0f}",
        )
        for one in found
        for n, c in enumerate(one.candidates)
    ]
    return style.table(
        "Incidents, and what may be the cause", "<time | <<element | <what | deviations", rows=rows
    )
