"""Bounds: the delays that no delivered packet exceeds, the largest first."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from rich.table import Table
from rich.text import Text

from nettwin import units
from nettwin.calculus import Bounds
from nettwin.interfaces.tables import style
from nettwin.scenario.scenario import Scenario


def flows(scenario: Scenario, found: Bounds, top: int) -> Table:
    """The flows, those without a bound first."""
    traffic, names = scenario.traffic, scenario.flow_names
    shown = _largest(found.flow_s, top)
    rows = [
        (
            names[f],
            traffic.class_name[traffic.flow_class[f]],
            units.rate(float(traffic.flow_rate_bps[f])),
            _bound(float(found.flow_s[f])),
        )
        for f in shown
    ]
    return style.table(
        "Flows: delay bounds",
        "<flow | ?<class | rate | delay bound",
        of=traffic.flow_count,
        rows=rows,
    )


def queues(scenario: Scenario, found: Bounds, top: int) -> Table:
    """The queues to which something comes, those without a bound first."""
    used = found.queue_s > 0
    shown = _largest(np.where(used, found.queue_s, np.nan), top)
    rate, link = found.queue_rate_bps, scenario.topology.queues.link
    rows = [
        (
            scenario.queue_names[q],
            units.rate(float(rate[q])),
            style.load(float(rate[q] / scenario.topology.link_capacity_bps[link[q]])),
            _bound(float(found.queue_s[q])),
        )
        for q in shown
    ]
    return style.table(
        "Queues: delay bounds",
        "<queue | rate at most | of the link | delay bound",
        of=int(np.count_nonzero(used)),
        rows=rows,
    )


def _largest(values: NDArray[np.float64], top: int) -> list[int]:
    """The indices of the largest values; NaN counts for none."""
    known = np.flatnonzero(~np.isnan(values))
    order = np.argsort(-values[known], kind="stable")
    return [int(i) for i in known[order[:top]]]


def _bound(value: float) -> str | Text:
    return units.duration(value) if np.isfinite(value) else Text("none", style.ALARM)
