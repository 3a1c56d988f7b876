"""Practice: how the network of a lab behaves, and what it tells of itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from nettwin.apps.labs.lab import Lab
from nettwin.errors import ChangeError
from nettwin.intent import Judgement, judge
from nettwin.metrics import Metrics, Table
from nettwin.model import NetworkModel
from nettwin.optimize.problem import Problem
from nettwin.scenario.changes import Change, apply_all
from nettwin.scenario.scenario import Scenario

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Seen:
    """What is measured of the network: `told` is its configuration and traffic as it tells them,
    `metrics` what is measured, links against the capacities that are told."""

    told: Scenario
    truth: Scenario
    metrics: Metrics
    judgement: Judgement

    @property
    def carried(self) -> Floats:
        """What each link carries over the capacity that it tells. [links]"""
        sent = self.metrics.link["utilization"] * self.truth.topology.link_capacity_bps
        return np.asarray(np.minimum(sent / self.told.topology.link_capacity_bps, 1.0))

    @property
    def shown(self) -> Metrics:
        """What is measured, with the utilization of links by the capacities that they tell."""
        link = self.metrics.link
        columns = {**link.columns, "utilization": self.carried}
        return replace(self.metrics, link=Table(columns))


class Practice:
    """A lab's network with one of its faults: changes in, what is measured out.

    It behaves as `model` says: packets, where a lab is practiced. `seed` varies traffic where the
    lab says so.
    """

    def __init__(self, lab: Lab, variant: int, model: NetworkModel, seed: int = 0) -> None:
        self.lab, self.variant, self.model = lab, lab.variants[variant], model
        healthy = lab.network
        if lab.vary:
            random = np.random.default_rng([seed, 16])
            factor = random.uniform(1 - lab.vary, 1 + lab.vary, healthy.traffic.flow_count)
            rate = healthy.traffic.flow_rate_bps * factor
            healthy = healthy.with_(traffic=healthy.traffic.with_arrays(flow_rate_bps=rate))
        self.healthy = healthy

    @cached_property
    def faulty(self) -> Scenario:
        """The network with its fault."""
        return apply_all(self.healthy, [fault.change for fault in self.variant.faults])

    @cached_property
    def told(self) -> Scenario:
        """The network with its fault, as it tells of itself."""
        return apply_all(self.healthy, [f.change for f in self.variant.faults if f.told])

    def check_allowed(self, changes: Sequence[Change]) -> None:
        """Raise ChangeError for a change of a kind that this lab does not allow."""
        for change in changes:
            if change.kind not in self.lab.may:
                raise ChangeError(
                    f"{change.kind} may not be used here: must be {', '.join(self.lab.may)}. Find"
                    " another change."
                )

    def seen(self, changes: Sequence[Change]) -> Seen:
        """What is measured after changes, and whether the goals are met. Raises ChangeError."""
        self.check_allowed(changes)
        return self._seen(self.faulty, self.told, changes)

    @cached_property
    def before(self) -> Seen:
        """What is measured while nothing is changed."""
        return self._seen(self.faulty, self.told, ())

    @cached_property
    def healthy_seen(self) -> Seen:
        """What was measured before anything was at fault."""
        return self._seen(self.healthy, self.healthy, ())

    def _seen(self, network: Scenario, told: Scenario, changes: Sequence[Change]) -> Seen:
        goals = self.lab.goals
        if network is self.healthy:  # goals may name flows that are not there yet
            goals = replace(goals, expect=(), survive=None, avoid=())
        problem = Problem(network, goals, self.model)
        after = apply_all(network, changes)
        ((now, *failed),) = problem.states([after], problem.model)
        metrics = now.metrics or self.model.predict([after])[0]
        shown = apply_all(told, changes)
        # loads are judged by the capacities that are told: true ones would tell what is hidden
        states = [
            state._replace(scenario=apply_all(shown, failing))
            for state, (_, failing) in zip(failed, problem.failures, strict=True)
        ]
        judgement = judge(
            goals,
            now._replace(scenario=shown, metrics=metrics),
            states,
            changes=len(changes),
            cost=problem.cost(after, len(changes)),
        )
        return Seen(shown, after, metrics, judgement)
