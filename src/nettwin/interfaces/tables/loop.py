"""Loops: what was measured and predicted, over time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from rich.table import Table
from rich.text import Text

from nettwin import units
from nettwin.interfaces.tables import style
from nettwin.metrics import Metrics
from nettwin.observation import Observation


class Moment(NamedTuple):
    """One interval: the busiest link and the mean delay, measured and predicted; NaN where nothing
    was predicted."""

    time_s: float
    link: str
    utilization: float
    utilization_predicted: float
    delay_s: float
    delay_predicted_s: float
    loss: float
    happened: str = ""
    did: str = ""


def moment_of(
    seen: Observation, predicted: Metrics | None, happened: str = "", did: str = ""
) -> Moment:
    """What an observation says, beside what the twin said of the same network and demands."""
    totals = seen.metrics.totals(seen.scenario)
    used = seen.metrics.link["utilization"]
    busiest = int(np.nanargmax(used))
    thought = predicted.totals(seen.scenario) if predicted is not None else None
    link = float(predicted.link["utilization"][busiest]) if predicted is not None else np.nan
    return Moment(
        seen.time_s,
        seen.scenario.topology.link_name[busiest],
        float(used[busiest]),
        link,
        totals["owd_mean_s"],
        thought["owd_mean_s"] if thought else np.nan,
        totals["loss_ratio"],
        happened,
        did,
    )


def over_day(moments: Sequence[Moment], moment: Callable[[float], str]) -> Table:
    """The intervals in which something happened or was done, with those before and after; and the
    first and the last."""
    marked = {0, len(moments) - 1}
    for k, one in enumerate(moments):
        if one.happened or one.did:
            marked |= {k - 1, k, k + 1}
    content: list[tuple[str | Text, ...]] = []
    for k in sorted(mark for mark in marked if 0 <= mark < len(moments)):
        one = moments[k]
        content.append(
            (
                moment(one.time_s)[11:16],
                one.link,
                style.load(one.utilization),
                style.load(one.utilization_predicted),
                units.duration(one.delay_s),
                units.duration(one.delay_predicted_s),
                style.loss(one.loss),
                Text("; ".join(filter(None, (one.happened, one.did)))),
            )
        )
    return style.table(
        "Measured and predicted",
        "<until",
        "<busiest link",
        "measured",
        "predicted",
        "mean delay",
        "predicted",
        "loss",
        "<what happened",
        rows=content,
    )
