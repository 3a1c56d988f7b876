"""Comparison: how well models agree with one another, or with what was measured."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nettwin.metrics import Metrics
from nettwin.model import NetworkModel
from nettwin.scenario.scenario import Scenario

COMPARED = ("owd_mean_s", "owd_p50_s", "owd_p90_s", "owd_p99_s", "pdv_s2")
CREDIBLE = {"measured": 0, "simulated": 1, "predicted": 2}  # whom to compare with


class Agreement(NamedTuple):
    """How one engine's values of a flow metric compare with the reference's.

    `mean_error` is relative to the reference (MAPE), but absolute for `loss_ratio`, which is often
    0; `r2` is the coefficient of determination, NaN where the reference does not vary.
    """

    engine: str
    metric: str
    traffic_class: str  # "" is all of them
    flows: int
    mean_error: float
    worst_error: float
    worst_flow: str
    r2: float


@dataclass(frozen=True)
class Comparison:
    """The metrics of several engines for one scenario; `reference` judges the others."""

    scenario: Scenario
    metrics: Mapping[str, Metrics]
    reference: str
    seconds: Mapping[str, float] = field(default_factory=dict)

    def agreement(self, metrics: Sequence[str] = (*COMPARED, "loss_ratio")) -> list[Agreement]:
        """Every other engine against the reference, for all flows."""
        every = np.ones(self.scenario.traffic.flow_count, np.bool_)
        return self._rows(metrics, [("", every)])

    def agreement_by_class(self, metric: str = "owd_mean_s") -> list[Agreement]:
        """Every other engine against the reference by one metric, for each class with flows."""
        traffic = self.scenario.traffic
        classes = [(name, traffic.flow_class == k) for k, name in enumerate(traffic.class_name)]
        return self._rows([metric], [(name, mine) for name, mine in classes if mine.any()])

    def _rows(
        self, metrics: Sequence[str], groups: Sequence[tuple[str, NDArray[np.bool_]]]
    ) -> list[Agreement]:
        truth = self.metrics[self.reference].flow
        return [
            _agreement(self.scenario, engine, name, group, mine, truth[name], found.flow[name])
            for engine, found in self.metrics.items()
            if engine != self.reference
            for name in metrics
            if name in truth and name in found.flow
            for group, mine in groups
        ]


def compare(
    scenario: Scenario,
    models: Sequence[NetworkModel] | Mapping[str, NetworkModel],
    *,
    measured: Metrics | None = None,
) -> Comparison:
    """Ask every model about a scenario; what was measured, if anything, is the reference.

    Otherwise the first simulator is, and where there is none the last model. Models go by the names
    that a mapping gives them, else by their own, where several share one as `packet`, `packet#2`.
    """
    asked = models if isinstance(models, Mapping) else {}
    for model in () if isinstance(models, Mapping) else models:
        asked = {**asked, free_name(model.name, asked): model}
    found: dict[str, Metrics] = {}
    seconds: dict[str, float] = {}
    for name, model in asked.items():
        start = perf_counter()
        found[name] = model.predict([scenario])[0]
        seconds[name] = perf_counter() - start
    if measured is not None:
        found[free_name(measured.engine or "measured", found)] = measured
    best = min(CREDIBLE[m.method] for m in found.values())
    credible = [name for name, m in found.items() if CREDIBLE[m.method] == best]
    reference = credible[-1] if best == CREDIBLE["predicted"] else credible[0]
    return Comparison(scenario, found, reference, seconds)


def free_name(name: str, taken: Container[str]) -> str:
    """The name, with a number behind it where it is taken."""
    made, number = name, 1
    while made in taken:
        number += 1
        made = f"{name}#{number}"
    return made


def _agreement(
    scenario: Scenario,
    engine: str,
    metric: str,
    group: str,
    mine: NDArray[np.bool_],
    truth: NDArray[np.float64],
    value: NDArray[np.float64],
) -> Agreement:
    relative = metric != "loss_ratio"
    known = mine & np.isfinite(truth) & np.isfinite(value) & ((truth > 0) | (not relative))
    index = np.flatnonzero(known)
    if not len(index):
        return Agreement(engine, metric, group, 0, np.nan, np.nan, "", np.nan)
    t, v = truth[index], value[index]
    error = np.abs(v - t) / (t if relative else 1.0)
    worst = int(error.argmax())
    spread = float(((t - t.mean()) ** 2).sum())
    r2 = 1 - float(((v - t) ** 2).sum()) / spread if spread > 0 else np.nan
    return Agreement(
        engine,
        metric,
        group,
        len(index),
        float(error.mean()),
        float(error[worst]),
        scenario.flow_names[int(index[worst])],
        r2,
    )
