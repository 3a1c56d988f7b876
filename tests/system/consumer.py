"""A program of somebody who uses nettwin with types; mypy --strict reads it in test_wheel.py."""

from __future__ import annotations

from pathlib import Path

import nettwin
from nettwin import (
    Expectation,
    FailLink,
    Intent,
    Metrics,
    NetworkModel,
    Scenario,
    Selector,
    SetCapacity,
)
from nettwin.extend import FLOW_METRICS, Table


def slowest(network: Scenario, model: NetworkModel) -> tuple[str, float]:
    """The flow with the longest mean delay."""
    (metrics,) = model.predict([network])
    delay = metrics.flow["owd_mean_s"]
    flow = int(delay.argmax())
    return network.flow_names[flow], float(delay[flow])


def planned(path: Path) -> list[str]:
    """What would be changed in a network so that it keeps a limit."""
    network: Scenario = nettwin.read(path).scenario
    limit = Expectation("offered_load", Selector(), at_most=0.8)
    plan = nettwin.find_plan(network, Intent(expect=(limit,)), stop=nettwin.Steps(100))
    return [change.describe() for change in plan.changes]


def asked(network: Scenario) -> float:
    """The worst flow's change of delay after a failure."""
    answer = nettwin.what_if(network, [FailLink("A<->B")], nettwin.engine("theory"))
    first = answer.flows[0]
    return first.delay_after_s - first.delay_before_s


def doubled(network: Scenario, links: list[str]) -> Scenario:
    """Some links with twice the capacity."""
    capacity = dict(
        zip(network.topology.link_name, network.topology.link_capacity_bps.tolist(), strict=True)
    )
    return nettwin.apply_all(network, [SetCapacity(link, 2 * capacity[link]) for link in links])


def delays(metrics: Metrics) -> Table:
    """The delays alone."""
    names = [name for name in FLOW_METRICS if name.startswith("owd") and name in metrics.flow]
    return Table({name: metrics.flow[name] for name in names})
