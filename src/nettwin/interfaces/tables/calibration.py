"""Calibration: how far a twin is off over time, and what it learned of the network."""

from __future__ import annotations

from collections.abc import Callable

from rich.table import Table
from rich.text import Text

from nettwin import units
from nettwin.apps.calibration.calibrated import CalibratedTwin
from nettwin.apps.calibration.corrections import Corrections
from nettwin.interfaces.tables import style

SHOWN = 12


def errors(found: CalibratedTwin, moment: Callable[[float], str]) -> Table:
    """The errors of the newest observations, before and after."""
    content: list[tuple[str | Text, ...]] = []
    begin = len(found.before) - SHOWN
    for k, (one, other) in enumerate(zip(found.before, found.after, strict=True)):
        if k < begin:
            continue
        held = k >= len(found.before) - found.held_out
        content.append(
            (
                moment(one.time_s),
                units.percent(one.error, 2),
                units.percent(other.error, 2),
                units.percent(one.floor, 2),
                Text("not used to correct it" if held else "", style.FAINT),
            )
        )
    return style.table(
        "Mean delays of flows, against the measurement",
        "<time",
        "before",
        "after",
        "in the measurement",
        "<",
        of=len(found.before),
        rows=content,
    )


def corrections(known: Corrections, top: int) -> Table:
    """The largest corrections that are sure, with their intervals."""
    values = {"overhead": known.overhead, "correlation": 1 + known.correlation}
    values |= {f"capacity/{name}": value for name, value in known.capacity.items()}
    values |= {f"delay/{name}": value for name, value in known.delay.items()}
    sure = []
    for name, value in values.items():
        low, high = known.bounds[name]
        if name == "correlation":
            low, high = 1 + low, 1 + high
        if not low <= 1 <= high:
            sure.append((name, value, low, high))
    sure.sort(key=lambda row: -abs(row[1] - 1))
    rows = [
        (name, *(units.percent(number - 1, 2) for number in (value, low, high)))
        for name, value, low, high in sure[:top]
    ]
    return style.table(
        "Surely not as planned", "<what", "by", "from", "to", of=len(sure), rows=rows
    )
