"""Capacity plans against what loads under failures and all possible purchases say."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from nettwin.apps.capacity import Candidate, CapacityCase, Group, Module, read_case
from nettwin.apps.capacity.case import YEAR_S, Growth
from nettwin.apps.capacity.hose import hose
from nettwin.apps.capacity.runout import run_outs
from nettwin.apps.capacity.upgrade import upgrade
from nettwin.apps.resilience.cases import Cases
from nettwin.engines.theory import Theory
from nettwin.errors import FormatError, InputError
from nettwin.intent import Expectation, Intent, Selector
from nettwin.optimize.solvers.linear.modules import cheapest_modules
from nettwin.scenario.failure_loads import loads_under_failures
from nettwin.scenario.generate import generate
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.topology import Link, Topology
from nettwin.scenario.traffic import Flow, Traffic
from tests.plain_engine import Plain

THIRD = Growth(0.3, 0.2, 0.4)
MODULES = (Module("small", 20e6, 1.0), Module("large", 80e6, 2.5))


@pytest.fixture(scope="module")
def mesh() -> Scenario:
    return generate("gabriel", nodes=10, seed=5, load=0.7, classes="three")


@pytest.fixture(scope="module")
def case() -> CapacityCase:
    return CapacityCase(
        groups=(Group("voice", Selector(traffic_class=("voice",)), Growth(0.6, 0.5, 0.7)),
                Group("rest", growth=THIRD)),
        modules=MODULES,
        visit=0.5,
    )  # fmt: skip


def _worst(scenario: Scenario) -> float:
    """The highest offered load with nothing failed and under every single link failure."""
    cases = Cases(scenario.topology, ("link",))
    after = loads_under_failures(scenario, [one.links for one in cases]).load_bps
    every = np.concatenate([after, scenario.link_load_bps[None]])
    return float((every / scenario.topology.link_capacity_bps).max())


def test_a_link_runs_out_when_the_worst_failure_fills_it(
    mesh: Scenario, case: CapacityCase
) -> None:
    found = run_outs(mesh, case)
    first = next(one for one in found.found if 0 < one.years < np.inf)
    assert first.early < first.years < first.late
    link = mesh.topology.link(first.element)
    cases = Cases(mesh.topology, ("link",))

    def load(years: float) -> float:
        grown = case.grown(mesh, years)
        after = loads_under_failures(grown, [one.links for one in cases]).load_bps
        return float(after[:, link].max() / mesh.topology.link_capacity_bps[link])

    day = 1 / 365.25
    assert load(first.years - day) <= 1.0 < load(first.years + day)
    assert {one.element for one in found.found} == set(mesh.topology.link_name)


def test_an_intent_runs_out_under_a_failure_and_a_cut_flow_is_left_out() -> None:
    ring = Topology.build("ABCD", [Link("A", "B", 1e8), Link("B", "C", 1e8), Link("A", "C", 1e8),
                                   Link("C", "D", 1e9)], duplex=True)  # fmt: skip
    flows = Traffic.build(ring, [Flow("A", "B", 4e7), Flow("A", "C", 1e7), Flow("A", "D", 1e6)])
    scenario = Scenario(ring, flows)
    case = CapacityCase(groups=(Group("all", growth=Growth(1.0, 1.0, 1.0)),))
    intent = Intent(expect=(Expectation("delay", at_most=1e-3),))
    found = run_outs(scenario, case, intent, Theory())
    assert found.exempt == {"C<->D": ["A->D"]}
    line = next(one for one in found.found if one.kind == "intent")
    assert 0 < line.years <= 1.0
    assert line.cause != "nothing"


def test_modules_cost_no_more_than_any_other_purchase() -> None:
    random = np.random.default_rng(2)
    size, worth = np.array([10.0, 40.0]), np.array([1.0, 0.9, 0.8])
    price = np.array([[1.0, 2.6]])
    for _ in range(6):
        need = np.sort(random.uniform(0, 60, (1, 3)), axis=1)
        found = cheapest_modules(need, size, price, 0.7, worth, np.full(3, np.inf), lambda: 60.0)
        best = np.inf
        for counts in product(range(4), range(3), repeat=3):
            count = np.array(counts).reshape(3, 2)
            if (np.cumsum(count @ size) >= need[0] - 1e-9).all():
                paid = count @ price[0] + 0.7 * count.any(axis=1)
                best = min(best, float(paid @ worth))
        assert found.cost == pytest.approx(best)
        assert best * (1 - 1e-4) <= found.bound <= best + 1e-9


def test_the_cheapest_plan_survives_every_failure_and_costs_least(
    mesh: Scenario, case: CapacityCase
) -> None:
    found = upgrade(mesh, case)
    for method in (found.best, *found.rules):
        for period in range(case.periods):
            assert _worst(method.network(period)) <= 1 + 1e-9
        assert found.best.cost <= method.cost + 1e-9
    assert found.best.gap < 1e-4
    assert found.met and 0 < found.saving() < 1
    one_less = found.best.count.copy()
    one_less[tuple(np.argwhere(one_less)[0])] -= 1
    assert any(
        _worst(replace(found.best, count=one_less).network(p)) > 1 for p in range(case.periods)
    )


def test_of_what_costs_the_same_the_latest_is_bought() -> None:
    need, size = np.array([[0.0, 0.0, 5.0]]), np.array([10.0])
    free = np.full(3, np.inf)
    found = cheapest_modules(need, size, np.array([[1.0]]), 0.0, np.ones(3), free, lambda: 60.0)
    assert found.count[0, :, 0].tolist() == [0, 0, 1] and found.cost == 1.0


def test_a_budget_is_kept_and_what_it_leaves_missing_is_said(
    mesh: Scenario, case: CapacityCase
) -> None:
    free = upgrade(mesh, case).best
    tight = upgrade(mesh, replace(case, budget=(float(free.paid.max()),) * 3)).best
    assert tight.fits and (tight.paid <= free.paid.max() + 1e-9).all()
    poor = upgrade(mesh, replace(case, budget=(1.5,) * 3))
    assert not poor.met and (poor.best.paid <= 1.5 + 1e-9).all()


def test_a_new_link_is_built_where_it_is_cheaper(mesh: Scenario) -> None:
    line = Topology.build(
        "ABCDE", [Link(a, b, 1e8) for a, b in ("AB", "BC", "CD", "DE", "EA")], duplex=True
    )
    flows = Traffic.build(line, [Flow("A", "C", 8e7), Flow("C", "A", 8e7)])
    scenario = Scenario(line, flows)
    case = CapacityCase(
        groups=(Group("all", growth=Growth(0.5, 0.5, 0.5)),),
        modules=(Module("100M", 1e8, 10.0),),
        candidates=(Candidate("A", "C", km=100.0, fiber_km=0.01, site=1.0),),
    )
    without = upgrade(scenario, replace(case, candidates=()))
    found = upgrade(scenario, case)
    assert found.every_build and found.best.cost < without.best.cost
    assert any(one.built and one.line == "A<->C" for one in found.best.bought)
    for period in range(3):
        assert _worst(found.best.network(period)) <= 1 + 1e-9
    dear = upgrade(scenario, replace(case, candidates=(Candidate("A", "C", 100.0, 9.0),)))
    assert dear.best.cost == pytest.approx(without.best.cost)
    with pytest.raises(InputError, match="A<->C is, is not known"):
        upgrade(scenario, replace(case, candidates=(Candidate("A", "C"),)))


def test_delay_is_repaired_by_capacity_and_propagation_is_not(
    mesh: Scenario, case: CapacityCase
) -> None:
    plain = upgrade(mesh, case)
    delay = Intent(expect=(Expectation("offered_load", at_most=0.8),))
    found = upgrade(mesh, case, delay)
    assert found.met and found.repairs and found.best.cost > plain.best.cost
    assert _worst(found.best.network(2)) <= 0.8 + 1e-9
    beyond = Intent(expect=(Expectation("delay", at_most=1e-6),))
    missed = upgrade(mesh, replace(case, periods=1), beyond, Plain())
    assert not missed.met and missed.repairs == 0


def test_the_hose_holds_every_matrix_within_its_sums(mesh: Scenario, case: CapacityCase) -> None:
    found = hose(mesh, case)
    grown = case.grown(mesh, 3.0)
    assert (found.calm_most >= found.calm - 1e-6).all()
    traffic, random = grown.traffic, np.random.default_rng(1)
    for _ in range(5):  # within the same sums
        rate = traffic.flow_rate_bps * random.uniform(0, 1, traffic.flow_count)
        other = grown.with_(traffic=traffic.with_arrays(flow_rate_bps=rate))
        assert (other.link_offered_load <= found.calm_most + 1e-6).all()
    star = generate("star", nodes=5, load=0.5)
    flat = CapacityCase(periods=1)
    tight = hose(star, flat)  # what a leaf sends is what its link carries
    assert tight.calm_most == pytest.approx(tight.calm)


WRONG = """\
capacity: wrong
periods: 2
growth:
  rest: 30
  groups:
    - {group: gold, class: gold, yearly: 20%}
    - {group: none, yearly: 10%}
modules:
  - {capacity: 10G}
budget: [1, 2, 3]
survive: [links]
candidates:
  - {source: A, target: Nowhere}
"""


def test_everything_wrong_with_a_case_is_told_with_its_line(mesh: Scenario, tmp_path: Path) -> None:
    path = tmp_path / "growth.yaml"
    path.write_text(WRONG)
    with pytest.raises(FormatError) as raised:
        read_case(path, mesh)
    told = str(raised.value)
    for words in (
        "line 6, growth.groups[0]",  # gold is no class
        "line 7, growth.groups[1]",  # names no flows
        "line 9, modules[0]",  # no cost
        "line 10, budget",
        "line 11, survive",
        "line 13, candidates[0].target",
    ):
        assert words in told, words


def test_growth_period_by_period_goes_on_as_it_was_given_last(
    tmp_path: Path, mesh: Scenario
) -> None:
    path = tmp_path / "growth.yaml"
    path.write_text(
        "capacity: q\nbegin: 2027-01-01\nperiod: quarter\nperiods: 3\n"
        "growth: {groups: [{group: v, class: voice, each: [1.1, 1.2]}], rest: 0%}\n"
    )
    case = read_case(path, mesh)
    assert case.factors(0.25)[0] == pytest.approx(1.1)
    assert case.factors(0.75)[0] == pytest.approx(1.1 * 1.2 * 1.2)
    assert case.factors(2.0)[1] == 1.0
    assert [case.period_name(k) for k in range(3)] == ["2027 Q1", "2027 Q2", "2027 Q3"]
    assert case.ends_s[0] == pytest.approx(case.begin_s + YEAR_S / 4)
