"""Troubleshooting: causes, and the measurements that speak for and against them."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text

from nettwin import units
from nettwin.apps.troubleshooting import Diagnosis
from nettwin.apps.troubleshooting import advice as a
from nettwin.interfaces.tables import style


def causes(found: Diagnosis, top: int) -> Table:
    """The causes, the most probable first."""
    rows: list[tuple[str | Text, ...]] = []
    for cause in found.causes[:top]:
        for_it, against = a.clues(found, cause.best)
        kinds = dict.fromkeys(h.kind for h in cause.hypotheses if h.kind != cause.best.kind)
        rows.append(
            (
                Text(cause.best.name, "bold" if not rows else ""),
                cause.best.category,
                units.percent(cause.probability),
                str(len(for_it)),
                str(len(against)),
                ", ".join(kinds),
            )
        )
    return style.table(
        "Causes",
        "<<what is wrong | ?<category | probability | explains | contradicts | ?<<or",
        rows=rows,
        of=len(found.causes),
    )


def clues(found: Diagnosis, top: int) -> Table:
    """The measurements that speak for and against the first cause."""
    for_it, against = a.clues(found, found.best)
    rows: list[tuple[str | Text, ...]] = []
    for sign, some in (("+", for_it[:top]), ("-", against[:top])):
        for clue in some:
            values = (clue.measured, clue.healthy, clue.expected)
            rows.append(
                (
                    Text(sign, style.CALM if sign == "+" else style.ALARM),
                    f"{a.NOUNS[clue.measure]} {clue.element}",
                    *(a.shown(clue.measure, value) for value in values),
                    f"{clue.z_healthy:+.1f}",
                    f"{clue.z:+.1f}",
                )
            )
    return style.table(
        "Evidence for (+) and against (-) the first cause",
        "<",
        "<measurement | measured | without a fault | with it | ?residual | ?with it ",
        rows=rows,
        of=len(for_it) + len(against),
    )
