"""Explanation: where a delay is made, who makes it, and which queues decide."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from nettwin import units
from nettwin.apps.explanation.causes import Cause, Causes
from nettwin.apps.explanation.critical import Critical
from nettwin.apps.explanation.splitting import HopPart
from nettwin.interfaces.tables import style

KINDS = {"flow": "flow", "class": "class", "source": "all from", "target": "all to"}
MORE = 1.1  # times the rate, of which the gradient is told


def sentences(words: Sequence[str]) -> Text:
    """Sentences, the first of them bold, a line each."""
    out = Text()
    for i, line in enumerate(words):
        out.append(line + ("\n" if i + 1 < len(words) else ""), "bold" if i == 0 else "")
    return out


def parts(found: Sequence[HopPart], delay_s: float) -> Table:
    """The parts of a flow's delay, in the order of its path, and their sum."""
    corrected = any(part.correction_s for part in found)
    several = any(part.share < 1.0 - 1e-9 for part in found)
    content = []
    for part in found:
        numbers: list[str | Text] = [units.percent(part.share, 0)] if several else []
        numbers += _times(part.propagation_s, part.transmission_s, part.waiting_s)
        numbers += [_time(part.correction_s)] if corrected else []
        content.append(
            (
                part.queue,
                *numbers,
                _bar(part.delay_s / delay_s),
                _time(part.delay_s),
                style.loss(part.loss),
            )
        )
    sums: list[str | Text] = [""] if several else []
    sums += _times(
        sum(p.propagation_s for p in found),
        sum(p.transmission_s for p in found),
        sum(p.waiting_s for p in found),
    )
    sums += [_time(sum(p.correction_s for p in found))] if corrected else []
    lost = sum(part.loss for part in found)
    content.append((Text("total", "bold"), *sums, "", _time(delay_s), style.loss(lost)))
    return style.table(
        "Where the delay is made",
        "<queue",
        *(("?packets",) if several else ()),
        "?propagation | ?transmission | waiting",
        *(("?corrected by",) if corrected else ()),
        "< | total | lost",
        rows=content,
    )


def causes(found: Causes, top: int) -> Table:
    """Who makes a delay or a loss: what it would be without each, and how it grows with each."""
    shown = found.found[:top]
    without = "without" if found.factor == 0 else f"with {units.percent(found.factor, 0)}"
    of = f"{'of' if found.target.kind == 'flow' else 'at'} {found.target.name}"
    rows = [_cause(found, cause) for cause in shown]
    return style.table(
        f"Who makes the {found.measure} {of}",
        "< | <who | ?flows | offered | share",
        f"delay {without}",
        "change",
        f"loss {without}",
        f"?with {units.percent(MORE - 1, 0)} more",
        of=len(found.found),
        rows=rows,
    )


def critical(found: Critical, top: int) -> Table:
    """The queues that decide."""
    rows = [
        (
            q.queue,
            units.count(q.flows),
            _time(q.waiting_s),
            units.percent(q.waiting_share),
            units.percent(q.loss_share),
            _bar(q.kept),
            units.percent(q.kept),
        )
        for q in found.queues[:top]
    ]
    return style.table(
        "Queues that decide",
        "<queue | ?flows | waiting | of all waiting | ?of all loss | < | flows kept",
        of=len(found.queues),
        rows=rows,
    )


def _cause(found: Causes, cause: Cause) -> tuple[str | Text, ...]:
    if found.measure == "loss":
        change = style.points(found.loss, cause.loss)
        more = f"{cause.gradient * math.log(MORE) * 100:+.2f} points"
    else:
        change = style.change(found.delay_s, cause.delay_s)
        more = f"{cause.gradient * math.log(MORE) / found.delay_s * 100:+.1f} %"
    return (
        Text(KINDS[cause.kind], style.FAINT),
        cause.name,
        units.count(cause.flows),
        units.rate(cause.rate_bps),
        units.percent(cause.share),
        units.duration(cause.delay_s),
        change,
        style.loss(cause.loss),
        more,
    )


def _times(*seconds: float) -> list[str | Text]:
    return [_time(value) for value in seconds]


def _time(seconds: float) -> str | Text:
    """A time; faint where it is nothing."""
    return units.duration(seconds) if abs(seconds) >= 5e-10 else Text("0", style.FAINT)


def _bar(part: float) -> Text:
    """A share as a bar of ten cells, without judging it."""
    return Text(style.bar(part).plain, "cyan")
