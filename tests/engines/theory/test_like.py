"""What is known of one scenario saves work with another, and changes nothing of the answer."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from nettwin.engines.theory import Theory
from nettwin.engines.theory.network import solve
from nettwin.engines.theory.solution import QueueSolution
from nettwin.scenario.arrivals import OnOff
from nettwin.scenario.generate import generate
from nettwin.scenario.scenario import Scenario


def _network(scheduler: str = "wfq", load: float = 1.1) -> Scenario:
    return generate("nsfnet", classes="three", scheduler=scheduler, load=load)


def _bursty(scenario: Scenario) -> Scenario:
    traffic = scenario.traffic
    arrivals = tuple(OnOff(0.02, 0.03) for _ in traffic.arrivals)
    return scenario.with_(traffic=traffic.with_arrays(arrivals=arrivals))


def _other_weight(scenario: Scenario) -> Scenario:
    weight = scenario.topology.link_weight.copy()
    weight[0] *= 3
    return scenario.with_(topology=scenario.topology.with_arrays(link_weight=weight))


def _other_capacity(scenario: Scenario) -> Scenario:
    capacity = scenario.topology.link_capacity_bps.copy()
    capacity[5] /= 2
    return scenario.with_(topology=scenario.topology.with_arrays(link_capacity_bps=capacity))


def _silent(scenario: Scenario) -> Scenario:
    rate = scenario.traffic.flow_rate_bps.copy()
    rate[: len(rate) // 2] = 0.0
    return scenario.with_(traffic=scenario.traffic.with_arrays(flow_rate_bps=rate))


def _same(a: QueueSolution, b: QueueSolution) -> bool:
    names = [f.name for f in fields(a) if f.name != "warm_start"]
    return all(np.array_equal(getattr(a, name), getattr(b, name)) for name in names)


@pytest.mark.parametrize("scheduler", ["fifo", "sp", "wfq", "drr", "lsf"])
@pytest.mark.parametrize("edit", [_other_weight, _other_capacity, _silent, _bursty])
def test_the_answer_is_the_same_to_the_last_bit(scheduler: str, edit: object) -> None:
    before = _network(scheduler)
    after = edit(before)  # type: ignore[operator]
    alone = solve(after)
    assert _same(solve(after, like=solve(before)), alone)
    assert _same(solve(before, like=alone), solve(before))


def test_ports_to_which_the_same_is_offered_are_not_solved_again() -> None:
    scenario = _other_weight(_network(load=0.6))
    like = solve(_network(load=0.6))
    alone = solve(scenario)
    differs = (like.warm_start.offered != alone.warm_start.offered).any(axis=0)
    port, ports = like.warm_start.ports.port, scenario.topology.link_count
    same = (np.bincount(port, differs, ports) == 0)[port]
    assert 0 < same.sum() < len(same)
    like.warm_start.state[:, same] *= 2.0  # what is taken over is seen by being wrong
    found = solve(scenario, like=like).waiting_s
    np.testing.assert_allclose(found[same], 2.0 * alone.waiting_s[same])
    np.testing.assert_allclose(found[~same], alone.waiting_s[~same])


def test_a_batch_says_what_each_alone_does() -> None:
    base = _network()
    batch = [base, _other_weight(base), _other_capacity(base), _silent(base), _bursty(base)]
    for together, scenario in zip(Theory().predict(batch), batch, strict=True):
        alone = Theory().predict([scenario])[0]
        for name, values in alone.flow.columns.items():
            np.testing.assert_array_equal(together.flow[name], values)
