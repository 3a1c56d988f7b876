"""History: how traffic grew, group by group, from what was measured."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from nettwin.apps.capacity.case import CapacityCase, Group, Growth
from nettwin.apps.capacity.series import trend
from nettwin.apps.history.past import Past
from nettwin.errors import InputError

By = Literal["total", "link", "class", "node"]
BYS: tuple[By, ...] = get_args(By)
Floats = NDArray[np.float64]


def series_of(past: Past, by: By = "total") -> tuple[tuple[str, ...], Floats]:
    """Traffic over time in bit/s [times, series], and the names of the series: the whole network,
    what each link is offered, each class, or what enters at each node."""
    rows: list[dict[str, float]] = []
    for scenario in past.scenarios():
        rate, traffic = scenario.traffic.flow_rate_bps, scenario.traffic
        if by == "link":
            values = scenario.link_load_bps
            names: tuple[str, ...] = scenario.topology.link_name
        elif by == "class":
            names = traffic.class_name
            values = np.bincount(traffic.flow_class, rate, len(names)).astype(np.float64)
        elif by == "node":
            names = scenario.topology.node_name
            values = np.bincount(traffic.flow_source, rate, len(names)).astype(np.float64)
        else:
            names, values = ("all traffic",), np.array([rate.sum()])
        rows.append(dict(zip(names, values.tolist(), strict=True)))
    every = tuple(dict.fromkeys(name for row in rows for name in row))
    return every, np.array([[row.get(name, np.nan) for name in every] for row in rows])


def with_measured_growth(case: CapacityCase, past: Past | None) -> CapacityCase:
    """The case with the growth that the history tells, for groups that ask for it, with the
    interval that it is in. Raises InputError where the history is too short, or there is none."""
    asking = [k for k, group in enumerate(case.groups) if group.measured]
    if not asking:
        return case
    if past is None:
        names = ", ".join(case.groups[k].name for k in asking)
        raise InputError(
            f"the growth of {names} is to be measured and there is no history: give --workspace or"
            " --demands."
        )
    rows = []
    for scenario in past.scenarios():
        members = case.members(scenario)
        rows.append(np.bincount(members, scenario.traffic.flow_rate_bps, len(case.groups)))
    values = np.array(rows, np.float64)[:, asking]
    silent = [case.groups[k].name for k, v in zip(asking, values.T, strict=True) if not v.any()]
    if silent:
        raise InputError(
            f"{', '.join(silent)} had no traffic in the history: no growth can be told. Give it."
        )
    found = trend(past.times_s, values)
    groups = list(case.groups)
    for k, yearly, low, high in zip(asking, *found.growth, strict=True):
        groups[k] = _grown(groups[k], Growth(float(yearly), float(low), float(high)))
    days = (past.times_s[-1] - past.times_s[0]) / 86400
    said = f"growth of {len(asking)} groups is measured, from {days:.0f} days"
    return replace(case, groups=tuple(groups), assumed=(*case.assumed, said, *found.notes))


def _grown(group: Group, growth: Growth) -> Group:
    return replace(group, growth=growth, measured=False)
