"""History through the twin: predicted and measured, over the whole time."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.table import Table
from rich.text import Text

from nettwin import units
from nettwin.apps.history import Hindsight, Row, Track, Unusual, busy_hours
from nettwin.interfaces.tables import style

Moment = Callable[[float], str]
TITLES = {"utilization": "Links: utilization", "owd_mean_s": "Flows: mean delay"}


def heading(found: Hindsight, demands: str, seconds: float, moment: Moment) -> Table:
    """What was predicted, and how well."""
    starts, _ = busy_hours(found)
    hours = [moment(float(start))[:16] for start in starts]
    content = [
        ("engine", f"{found.engine}, {units.duration(seconds)}"),
        ("from", moment(float(found.times_s[0] - found.interval_s))),
        ("until", moment(float(found.times_s[-1]))),
        ("intervals", f"{len(found.times_s):,} of {units.duration(found.interval_s)}"),
        ("demands", demands),
        ("offered at most", units.rate(float(found.offered_bps.max()))),
    ]
    if hours:
        more = f" and {len(hours) - 1} more" if len(hours) > 1 else ""
        content.append(("busy hours", f"{hours[0]}{more}"))
    for track in found.tracks:
        if track.coverage == track.coverage:
            words = f"{track.kind}s within intervals of {units.percent(found.confidence, 0)}"
            content.append((words, units.percent(track.coverage)))
    return style.table("History through the twin", "<what", "<is", rows=content)


def elements(track: Track, found: Sequence[Row], top: int) -> Table:
    """Elements, the highest 95th percentile first."""
    content = [
        (
            row.element,
            *(_shown(track, value) for value in row[1:7]),
            _share(row.error),
            _share(row.coverage),
        )
        for row in found[:top]
    ]
    columns = "mean | measured | p95 | measured | busy hour | measured | ?off by | ?in interval"
    return style.table(
        TITLES[track.quantity], f"<{track.kind}", columns, of=len(found), rows=content
    )


def unusual(found: Sequence[Unusual], top: int, moment: Moment) -> Table:
    """What was outside of its intervals for longer, the farthest out first."""
    content = [
        (
            one.element,
            one.quantity,
            moment(one.begin_s),
            moment(one.end_s),
            _value(one.quantity, one.predicted),
            _value(one.quantity, one.measured),
        )
        for one in found[:top]
    ]
    columns = "<element | <what | <from | <until | predicted | measured"
    return style.table("Unusual", columns, of=len(found), rows=content)


def _shown(track: Track, value: float) -> str | Text:
    return _value(track.quantity, value)


def _value(quantity: str, value: float) -> str | Text:
    if value != value:
        return Text("-", style.FAINT)
    return units.percent(value) if quantity == "utilization" else units.duration(value)


def _share(value: float) -> str | Text:
    return Text("-", style.FAINT) if value != value else units.percent(value)
