"""Learned: a trained model as an engine: scenario, theory, features, networks, Metrics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
from numpy.typing import NDArray

from nettwin.engines.learned import coverage, intervals
from nettwin.engines.learned.answer import Answer
from nettwin.engines.learned.architecture import Architecture, architecture
from nettwin.engines.learned.conservation import Carried, conserved
from nettwin.engines.learned.inputs import Inputs, Solved, inputs_of, solved
from nettwin.engines.learned.limits import limits_of, within
from nettwin.engines.learned.model_file import Model
from nettwin.engines.theory.flows import HopDelays
from nettwin.engines.theory.hops import hop_split
from nettwin.engines.theory.network import solve
from nettwin.engines.theory.parallel import at_once, predictions
from nettwin.engines.theory.solution import QueueSolution
from nettwin.engines.theory.tables import tables
from nettwin.metrics import Metrics, Table
from nettwin.model import HopSplit, beyond_every_model
from nettwin.scenario.scenario import Scenario

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
ROW_S = 2e-8  # to look up limits and what is out of range, a row


@dataclass(frozen=True)
class Learned:
    """Predicts with a trained model. Its card says what it was trained on and how well it does.

    Where the model is calibrated, delays and losses have intervals of `confidence`.
    """

    model: Model
    confidence: float = 0.9

    @property
    def name(self) -> str:
        """The engine's name: that of the model's architecture."""
        return self.model.architecture

    @cached_property
    def architecture(self) -> Architecture:
        """What the model's weights belong to."""
        return architecture(self.model.architecture)

    def predict(self, scenarios: Sequence[Scenario]) -> list[Metrics]:
        """The metrics of each scenario, in their order; several at the same time."""
        if len(scenarios) < 2:
            return [self._predict(scenario, None) for scenario in scenarios]
        like = solve(scenarios[0], formulas=self.model.formulas)
        return predictions(partial(self._predict, like=like), scenarios)

    def unsupported(self, scenario: Scenario) -> list[str]:
        """Why the model should not be trusted with a scenario; empty where it may be."""
        inputs = inputs_of(scenario, self._solved(scenario))
        spread = None
        if "spread" in self.model.calibration:
            spread = self.architecture.answer(inputs, self.model.members).spread
        return self._unsupported(scenario, inputs, spread)

    def flagged(self, scenario: Scenario) -> Bools:
        """Flows whose mean delay may be off by more than 20 %, or that meet what the model was not
        trained on. [flows]"""
        inputs = inputs_of(scenario, self._solved(scenario))
        answer = self.architecture.answer(inputs, self.model.members)
        beyond = coverage.flows_beyond(self.model.ranges, inputs)
        return self._flagged(self._bounds(inputs, answer, beyond), beyond)

    def hops(self, scenario: Scenario) -> HopSplit | None:
        """What makes up the flows' mean delays, hop by hop: theory, and what the model adds to it;
        None where the architecture does not go by hops."""
        theory = self._solved(scenario)
        inputs = inputs_of(scenario, theory)
        answer = self.architecture.answer(inputs, self.model.members)
        answer = within(limits_of(scenario, theory.state), inputs, answer)
        if answer.each is None:
            return None
        each = HopDelays(*(values[answer.hop_row] for values in answer.each))
        carried = conserved(inputs, tables(scenario), answer.each)
        split = hop_split(scenario, theory.state, theory.each, each)
        return split._replace(loss=1.0 - (1.0 - each.loss) * carried.keep[scenario.hop_queue])

    def compile_last(self, scenario: Scenario) -> None:
        """Compile all that a prediction needs but how theory solves ports, half of the whole: ask
        about a scenario whose ports are not solved. Two processes thus share the compiling."""
        with np.errstate(all="ignore"):
            self._metrics(scenario, solved(scenario, formulas=self.model.formulas, rounds=0))

    def _unsupported(
        self,
        scenario: Scenario,
        inputs: Inputs,
        spread: Floats | None,
        beyond: dict[str, Floats] | None = None,
    ) -> list[str]:
        found, model = beyond_every_model(scenario) + coverage.overloaded(scenario), self.model
        outside = coverage.outside(model.ranges, inputs, beyond)
        found += coverage.sentences(model.ranges, outside, inputs, scenario)
        if spread is not None and "spread" in model.calibration:
            found += coverage.disagreement(float(model.calibration["spread"][0]), spread, scenario)
        return found

    def _solved(self, scenario: Scenario, like: QueueSolution | None = None) -> Solved:
        return solved(scenario, like, self.model.formulas)

    def _bounds(
        self, inputs: Inputs, answer: Answer, beyond: Floats
    ) -> dict[str, intervals.Bounds]:
        """Intervals; wider where a flow meets what is out of range, by `beyond` [flows]."""
        known = intervals.known(inputs, answer)
        wider = 1.0 + coverage.WIDER * beyond
        return intervals.bounds(self.model.calibration, known, self.confidence, wider)

    def _flagged(self, bounds: dict[str, intervals.Bounds], beyond: Floats) -> Bools:
        marked = beyond > coverage.JUST_BEYOND
        if bounds:
            marked |= intervals.flagged(self.model.calibration, bounds)
        return marked

    def _predict(self, scenario: Scenario, like: QueueSolution | None) -> Metrics:
        return self._metrics(scenario, self._solved(scenario, like))

    def _metrics(self, scenario: Scenario, theory: Solved) -> Metrics:
        inputs, ranges = inputs_of(scenario, theory), self.model.ranges
        answer, (limits, outside) = at_once(
            partial(self.architecture.answer, inputs, self.model.members),
            lambda: (limits_of(scenario, theory.state), coverage.beyond(ranges, inputs)),
            len(inputs.hop_queue) * ROW_S,
        )
        answer = within(limits, inputs, answer)
        # without hops of its own: waits as in theory, and what is lost where theory loses it
        each = answer.each or _loss_by_hop(inputs, theory.each.at_hops(), answer.loss)
        carried = conserved(inputs, tables(scenario), each)
        answer = answer._replace(loss=carried.flow_loss)
        beyond = coverage.flows_beyond(ranges, inputs, outside)
        bounds = self._bounds(inputs, answer, beyond)
        p50, p90, p99 = answer.percentile_s.T
        queue, link = _queue_and_link(scenario, theory, carried)
        flagged = self._flagged(bounds, beyond)
        return Metrics(
            flow=Table(
                {
                    "owd_mean_s": answer.mean_s,
                    "owd_p50_s": p50,
                    "owd_p90_s": p90,
                    "owd_p99_s": p99,
                    "pdv_s2": answer.variance_s2,
                    "loss_ratio": answer.loss,
                    "throughput_bps": scenario.traffic.flow_rate_bps * (1.0 - answer.loss),
                },
                {name: values.low for name, values in bounds.items()},
                {name: values.high for name, values in bounds.items()},
            ),
            link=link,
            queue=queue,
            method="predicted",
            engine=self.name,
            provenance={
                "engine": self.name,
                "model": self.model.name,
                "scenario": scenario.fingerprint(),
                "unsupported": self._unsupported(scenario, inputs, answer.spread, outside),
                "flagged_flows": int(flagged.sum()),
            },
            confidence=self.confidence,
            flagged=flagged,
        )


def _loss_by_hop(inputs: Inputs, theory: HopDelays, loss: Floats) -> HopDelays:
    """Theory's hops with the losses of flows that a model says, where it says nothing of hops: each
    hop of a path has the part of what is lost that it has in theory, or where nothing is lost
    there, an equal one. [hops]"""
    passing = np.log1p(-np.minimum(theory.loss, 1.0 - 1e-12))
    hops, paths = np.diff(inputs.path_offset), len(inputs.path_flow)
    path = np.repeat(np.arange(paths), hops)
    whole = np.bincount(path, passing, paths)[path]
    wanted = np.log1p(-np.minimum(loss, 1.0 - 1e-12))[inputs.path_flow][path]
    part = np.where(whole < 0.0, passing / np.minimum(whole, -1e-300), 1.0 / hops[path])
    return theory._replace(loss=-np.expm1(part * wanted))


def _queue_and_link(scenario: Scenario, theory: Solved, of: Carried) -> tuple[Table, Table]:
    """What the flows meet, gathered where they meet it."""
    _, _, ports = tables(scenario)
    topology = scenario.topology
    port, links = np.asarray(ports.port), topology.link_count
    capacity = topology.link_capacity_bps
    shaped = ports.burst_bits[port] > 0
    own = np.where(shaped, 0.0, theory.state.service_s)
    waits = np.divide(of.waiting, of.accepted_pps, where=of.accepted_pps > 0, out=own * np.nan)
    queue = Table(
        {
            "utilization": of.carried_bps / capacity[port],
            "occupancy_mean_bits": of.waiting_bits,
            "occupancy_mean_packets": of.waiting,
            "loss_ratio": _lost(of.offered_pps, of.accepted_pps),
            "delay_mean_s": waits + own,
        }
    )
    offered, accepted, carried = (
        np.bincount(port, v, links).astype(np.float64)
        for v in (of.offered_pps, of.accepted_pps, of.carried_bps)
    )
    carried = np.minimum(carried, capacity)
    link = Table(
        {
            "utilization": carried / capacity,
            "loss_ratio": _lost(offered, accepted),
            "throughput_bps": carried,
        }
    )
    return queue, link


def _lost(offered: Floats, accepted: Floats) -> Floats:
    part = np.divide(offered - accepted, offered, out=np.zeros_like(offered), where=offered > 0)
    return np.clip(part, 0.0, 1.0)
