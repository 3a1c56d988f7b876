"""What if: the same network before and after changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nettwin.apps.summary import NOTHING, by_class
from nettwin.metrics import Metrics
from nettwin.model import NetworkModel
from nettwin.scenario.changes import Change, apply_all
from nettwin.scenario.scenario import Scenario

LOSS_THAT_COUNTS = 1e-3  # a smaller change of loss ranks below any change of delay


class FlowChange(NamedTuple):
    """A flow before and after; NaN where there is no such flow or no packet arrives.

    The bounds of what comes after are NaN where the model gives none; `flagged`: it doubts its own
    answer, before or after.
    """

    name: str
    traffic_class: str
    rate_bps: float
    delay_before_s: float
    delay_after_s: float
    loss_before: float
    loss_after: float
    delay_after_low_s: float
    delay_after_high_s: float
    loss_after_low: float
    loss_after_high: float
    flagged: bool


class LinkChange(NamedTuple):
    """A link before and after."""

    name: str
    capacity_bps: float
    offered_load_before: float
    offered_load_after: float
    utilization_before: float
    utilization_after: float
    loss_before: float
    loss_after: float


class ClassChange(NamedTuple):
    """A traffic class before and after: delay over delivered packets, loss over sent ones."""

    name: str
    flows: int
    delay_before_s: float
    delay_after_s: float
    p99_before_s: float
    p99_after_s: float
    loss_before: float
    loss_after: float


@dataclass(frozen=True)
class WhatIf:
    """An answer: the changes, both scenarios and the metrics of both."""

    changes: tuple[Change, ...]
    scenario_before: Scenario
    scenario_after: Scenario
    before: Metrics
    after: Metrics

    def describe(self) -> str:
        """The changes in words."""
        return "; ".join(change.describe() for change in self.changes) or "nothing changes"

    @cached_property
    def flows(self) -> tuple[FlowChange, ...]:
        """Every flow of either scenario, the one that suffers most first.

        Lost traffic counts before delay: flows are ranked by the growth of their loss where it is
        above 0.1 %, then by the growth of their mean delay.
        """
        old, new = self.scenario_before, self.scenario_after
        names = list(dict.fromkeys(old.flow_names + new.flow_names))
        at_old, at_new = _places(names, old.flow_names), _places(names, new.flow_names)
        delay = [_taken(m.flow["owd_mean_s"], at) for m, at in self._sides(at_old, at_new)]
        loss = [_taken(m.flow["loss_ratio"], at) for m, at in self._sides(at_old, at_new)]
        bounds = [
            _taken(side.get(column, np.full(len(new.flow_names), np.nan)), at_new)
            for column in ("owd_mean_s", "loss_ratio")
            for side in (self.after.flow.low, self.after.flow.high)
        ]
        flagged = np.zeros(len(names), np.bool_)
        for metrics, at in self._sides(at_old, at_new):
            if metrics.flagged is not None:
                flagged |= np.append(metrics.flagged, False)[at]
        order = _worst_first(delay[0], delay[1], loss[0], loss[1])
        out = []
        for i in order.tolist():
            here, k = (new, at_new[i]) if at_new[i] >= 0 else (old, at_old[i])
            out.append(
                FlowChange(
                    names[i],
                    here.traffic.class_name[here.traffic.flow_class[k]],
                    float(here.traffic.flow_rate_bps[k]),
                    float(delay[0][i]),
                    float(delay[1][i]),
                    float(loss[0][i]),
                    float(loss[1][i]),
                    float(bounds[0][i]),
                    float(bounds[1][i]),
                    float(bounds[2][i]),
                    float(bounds[3][i]),
                    bool(flagged[i]),
                )
            )
        return tuple(out)

    @cached_property
    def links(self) -> tuple[LinkChange, ...]:
        """Every link of either scenario, the one whose offered load grows most first; NaN where a
        scenario has no such link."""
        old, new = self.scenario_before, self.scenario_after
        names = list(dict.fromkeys(new.topology.link_name + old.topology.link_name))
        at = [_places(names, s.topology.link_name) for s in (old, new)]
        capacity = _taken(new.topology.link_capacity_bps, at[1])
        capacity = np.where(at[1] < 0, _taken(old.topology.link_capacity_bps, at[0]), capacity)
        columns = [_taken(s.link_offered_load, k) for s, k in zip((old, new), at, strict=True)]
        columns += [
            _taken(m.link[name], k)
            for name in ("utilization", "loss_ratio")
            for m, k in zip((self.before, self.after), at, strict=True)
        ]
        growth = np.nan_to_num(columns[1]) - np.nan_to_num(columns[0])
        return tuple(
            LinkChange(names[k], float(capacity[k]), *(float(column[k]) for column in columns))
            for k in np.argsort(-growth, kind="stable").tolist()
        )

    @cached_property
    def classes(self) -> tuple[ClassChange, ...]:
        """Every traffic class, in the order of the scenario after."""
        out = []
        old, new = self.scenario_before, self.scenario_after
        for name in dict.fromkeys(new.traffic.class_name + old.traffic.class_name):
            sides = [
                by_class(s, m).get(name, NOTHING)
                for s, m in ((old, self.before), (new, self.after))
            ]
            if sides[0].flows or sides[1].flows:
                out.append(
                    ClassChange(
                        name,
                        sides[1].flows or sides[0].flows,
                        sides[0].delay_s,
                        sides[1].delay_s,
                        sides[0].p99_s,
                        sides[1].p99_s,
                        sides[0].loss,
                        sides[1].loss,
                    )
                )
        return tuple(out)

    @property
    def touched_links(self) -> tuple[str, ...]:
        """The links that the changes take down, bring up or give other attributes."""
        old, new = self.scenario_before.topology, self.scenario_after.topology
        if old.link_name != new.link_name:
            return ()
        differs = old.link_live != new.link_live
        for name in ("link_capacity_bps", "link_delay_s", "link_weight"):
            differs = differs | (getattr(old, name) != getattr(new, name))
        schedulers = [
            old.schedulers[a] != new.schedulers[b]
            for a, b in zip(old.link_scheduler.tolist(), new.link_scheduler.tolist(), strict=True)
        ]
        differs = differs | np.asarray(schedulers, np.bool_)
        return tuple(new.link_name[k] for k in np.flatnonzero(differs))

    def _sides(
        self, at_old: NDArray[np.intp], at_new: NDArray[np.intp]
    ) -> tuple[tuple[Metrics, NDArray[np.intp]], ...]:
        return ((self.before, at_old), (self.after, at_new))


def what_if(scenario: Scenario, changes: Sequence[Change], model: NetworkModel) -> WhatIf:
    """What a model says of a scenario before and after changes, both by the same engine. Raises
    InputError if a change does not fit."""
    after = apply_all(scenario, changes)
    first, second = model.predict([scenario, after])
    return WhatIf(tuple(changes), scenario, after, first, second)


def _places(names: Sequence[str], rows: Sequence[str]) -> NDArray[np.intp]:
    """The row of each name; -1 where it has none."""
    index = {name: i for i, name in enumerate(rows)}
    return np.array([index.get(name, -1) for name in names], np.intp)


def _taken(values: NDArray[np.float64], at: NDArray[np.intp]) -> NDArray[np.float64]:
    """Values at places; NaN where the place is -1."""
    return np.append(values, np.nan)[at]


def _worst_first(
    delay_before: NDArray[np.float64],
    delay_after: NDArray[np.float64],
    loss_before: NDArray[np.float64],
    loss_after: NDArray[np.float64],
) -> NDArray[np.intp]:
    loss = np.nan_to_num(loss_after) - np.nan_to_num(loss_before)
    loss = np.where(np.abs(loss) >= LOSS_THAT_COUNTS, loss, 0.0)
    delay = np.nan_to_num(delay_after - delay_before)
    return np.lexsort((-delay, -loss))
