"""Learned: a trained model as an engine: scenario, theory, features, networks, Metrics."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nettwin.engines.learned import calibration, coverage
from nettwin.engines.learned.architecture import Answer, Architecture, architecture
from nettwin.engines.learned.gnn import MANY_HOPS
from nettwin.engines.learned.inputs import Inputs, Solved, inputs_of, solved
from nettwin.engines.learned.model_file import Model
from nettwin.engines.theory.flows import HopDelays, hop_table
from nettwin.engines.theory.hops import hop_split
from nettwin.engines.theory.loops import without_interpreter
from nettwin.engines.theory.network import solve
from nettwin.engines.theory.solution import QueueSolution
from nettwin.engines.theory.tables import tables
from nettwin.metrics import Metrics, Table
from nettwin.model import HopSplit, beyond_every_model
from nettwin.scenario.scenario import Scenario
from nettwin.workers import usable_cores

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


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
        """The metrics of each scenario, in their order; small ones at the same time."""
        if len(scenarios) < 2:
            return [self._predict(scenario, None) for scenario in scenarios]
        predict = partial(self._predict, like=solve(scenarios[0]))
        threads = min(usable_cores(), len(scenarios))
        if threads < 2 or len(scenarios[0].paths.links) > MANY_HOPS:
            return [predict(scenario) for scenario in scenarios]
        with ThreadPoolExecutor(threads) as pool:
            return list(pool.map(predict, scenarios))

    def unsupported(self, scenario: Scenario) -> list[str]:
        """Why the model should not be trusted with a scenario; empty where it may be."""
        inputs = inputs_of(scenario)
        spread = None
        if "spread" in self.model.calibration:
            spread = self.architecture.answer(inputs, self.model.members).spread
        return self._unsupported(scenario, inputs, spread)

    def flagged(self, scenario: Scenario) -> Bools:
        """Flows whose mean delay may be off by more than 20 %, or that meet what the model was not
        trained on. [flows]"""
        inputs = inputs_of(scenario)
        answer = self.architecture.answer(inputs, self.model.members)
        return self._flagged(inputs, self._bounds(inputs, answer))

    def hops(self, scenario: Scenario) -> HopSplit | None:
        """What makes up the flows' mean delays, hop by hop: theory, and what the model adds to it;
        None where the architecture does not go by hops."""
        theory = solved(scenario)
        answer = self.architecture.answer(inputs_of(scenario, theory), self.model.members)
        if answer.each is None:
            return None
        return hop_split(scenario, theory.state, theory.each, answer.each)

    def _unsupported(self, scenario: Scenario, inputs: Inputs, spread: Floats | None) -> list[str]:
        found, model = beyond_every_model(scenario) + coverage.overloaded(scenario), self.model
        outside = coverage.outside(model.ranges, inputs)
        found += coverage.sentences(model.ranges, outside, inputs, scenario)
        if spread is not None and "spread" in model.calibration:
            found += coverage.disagreement(float(model.calibration["spread"][0]), spread, scenario)
        return found

    def _bounds(self, inputs: Inputs, answer: Answer) -> dict[str, calibration.Bounds]:
        known = calibration.known(inputs, answer)
        return calibration.bounds(self.model.calibration, known, self.confidence)

    def _flagged(self, inputs: Inputs, bounds: dict[str, calibration.Bounds]) -> Bools:
        marked = coverage.flows_outside(self.model.ranges, inputs)
        if bounds:
            marked |= calibration.flagged(self.model.calibration, bounds)
        return marked

    def _predict(self, scenario: Scenario, like: QueueSolution | None) -> Metrics:
        theory = solved(scenario, like)
        inputs = inputs_of(scenario, theory)
        answer = self.architecture.answer(inputs, self.model.members)
        bounds = self._bounds(inputs, answer)
        each = answer.each or theory.each
        loss = answer.loss
        rate = scenario.traffic.flow_rate_bps
        floor = _floor(scenario, theory)
        p50, p90, p99 = np.maximum(answer.percentile_s.T, floor)
        queue, link = _queue_and_link(scenario, theory, each)
        flagged = self._flagged(inputs, bounds)
        return Metrics(
            flow=Table(
                {
                    "owd_mean_s": np.maximum(answer.mean_s, floor),
                    "owd_p50_s": p50,
                    "owd_p90_s": p90,
                    "owd_p99_s": p99,
                    "pdv_s2": answer.variance_s2,
                    "loss_ratio": loss,
                    "throughput_bps": rate * (1.0 - loss),
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
                "unsupported": self._unsupported(scenario, inputs, answer.spread),
                "flagged_flows": int(flagged.sum()),
            },
            confidence=self.confidence,
            flagged=flagged,
        )


def _floor(scenario: Scenario, theory: Solved) -> Floats:
    """Propagation and the smallest packet's transmission over the shortest way; no delay is less.
    [flows]"""
    _, paths, _ = tables(scenario)
    hops = hop_table(scenario, theory.state)
    smallest = np.array([size.min_bits for size in scenario.traffic.sizes], np.float64)
    bits = smallest[scenario.traffic.flow_size] if len(smallest) else np.zeros(0)
    offset = scenario.paths.flow_offset
    return np.asarray(_fastest(bits, offset, paths, hops.second_per_bit, hops.delay_s))


@without_interpreter
def _fastest(bits: Any, flow_offset: Any, paths: Any, second_per_bit: Any, delay_s: Any) -> Any:
    """How long so many bits of each flow take over its fastest path; 0 without one. [flows]"""
    offset, queue = paths.offset, paths.queue
    out = np.zeros(bits.size)
    for f in range(bits.size):
        for p in range(flow_offset[f], flow_offset[f + 1]):
            per_bit, delay = 0.0, 0.0
            for h in range(offset[p], offset[p + 1]):
                per_bit += second_per_bit[queue[h]]
                delay += delay_s[queue[h]]
            taken = delay + bits[f] * per_bit
            out[f] = taken if p == flow_offset[f] else min(out[f], taken)
    return out


def _queue_and_link(scenario: Scenario, theory: Solved, each: HopDelays) -> tuple[Table, Table]:
    """What the flows meet, gathered where they meet it."""
    state = theory.state
    flows, paths, ports = tables(scenario)
    topology = scenario.topology
    capacity = topology.link_capacity_bps
    port, links, queues = np.asarray(ports.port), topology.link_count, len(ports.port)
    offered, accepted, waiting, waiting_bits, carried = _by_queue(
        paths, flows, each.waiting_s, each.loss, queues
    )
    carried /= capacity[port]
    total = np.bincount(port, carried, links)
    carried /= np.maximum(total, 1.0)[port]
    shaped = ports.burst_bits[port] > 0
    own = np.where(shaped, 0.0, state.service_s)
    queue = Table(
        {
            "utilization": carried,
            "occupancy_mean_bits": waiting_bits,
            "occupancy_mean_packets": waiting,
            "loss_ratio": _lost(offered, accepted),
            "delay_mean_s": np.where(
                accepted > 0, waiting / np.maximum(accepted, 1e-300) + own, np.nan
            ),
        }
    )
    at_port = [np.bincount(port, v, links).astype(np.float64) for v in (offered, accepted)]
    used = np.minimum(total, 1.0)
    link = Table(
        {
            "utilization": used,
            "loss_ratio": _lost(*at_port),
            "throughput_bps": used * capacity,
        }
    )
    return queue, link


@without_interpreter
def _by_queue(paths: Any, flows: Any, waiting_s: Any, loss: Any, queues: int) -> Any:
    """Packets offered and accepted a second, packets and bits that wait (Little's law), and bits
    accepted a second. [5, queues]"""
    offset, queue = paths.offset, paths.queue
    out = np.zeros((5, queues))
    for p in range(paths.flow.size):
        bits = flows.mean_bits[paths.flow[p]]
        pps = flows.packets_pps[paths.flow[p]] * paths.share[p]
        for h in range(offset[p], offset[p + 1]):
            q, accepted = queue[h], pps * (1.0 - loss[h])
            out[0, q] += pps
            out[1, q] += accepted
            out[2, q] += accepted * waiting_s[h]
            out[3, q] += accepted * waiting_s[h] * bits
            out[4, q] += accepted * bits
            pps = accepted
    return out


def _lost(offered: Floats, accepted: Floats) -> Floats:
    part = np.divide(offered - accepted, offered, out=np.zeros_like(offered), where=offered > 0)
    return np.clip(part, 0.0, 1.0)
