"""Failures: which single line hurts the network most when it fails."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from nettwin.model import NetworkModel
from nettwin.scenario.changes import Change, apply_all, singles
from nettwin.scenario.scenario import Scenario

Progress = Callable[[float], None]  # called with the share done, 0 to 1
AT_ONCE = 16  # scenarios given to a model together, between two steps of progress


class Failure(NamedTuple):
    """One failure and what it does to the network as a whole."""

    name: str
    changes: tuple[Change, ...]
    lost_share: float  # of the offered traffic
    lost_before: float
    utilization_max: float
    busiest_link: str
    owd_mean_s: float
    owd_mean_before_s: float
    unroutable_flows: int


def single_failures(
    scenario: Scenario, model: NetworkModel, *, progress: Progress | None = None
) -> list[Failure]:
    """Every single line failure (both directions at once), the worst first.

    The worst loses the most traffic; then counts the highest utilization, then the mean delay.
    """
    topology = scenario.topology
    lines = singles.single_failures(topology, "link")
    now = model.predict([scenario])[0].totals(scenario)
    found: list[Failure] = []
    for start in range(0, len(lines), AT_ONCE):
        part = lines[start : start + AT_ONCE]
        scenarios = [apply_all(scenario, changes) for _, changes in part]
        for (name, changes), failed, metrics in zip(
            part, scenarios, model.predict(scenarios), strict=True
        ):
            totals = metrics.totals(failed)
            busiest = int(np.nanargmax(metrics.link["utilization"]))
            found.append(
                Failure(
                    name,
                    changes,
                    _lost(totals),
                    _lost(now),
                    totals["utilization_max"],
                    topology.link_name[busiest],
                    totals["owd_mean_s"],
                    now["owd_mean_s"],
                    int(totals["unroutable_flows"]),
                )
            )
        if progress:
            progress(min(start + AT_ONCE, len(lines)) / len(lines))
    return sorted(
        found,
        key=lambda f: (
            -round(f.lost_share, 5),
            -round(f.utilization_max, 4),
            -np.nan_to_num(f.owd_mean_s),
        ),
    )


def _lost(totals: dict[str, float]) -> float:
    offered, through = totals["offered_bps"], totals["throughput_bps"]
    return max(1 - through / offered, 0.0) if offered else 0.0
