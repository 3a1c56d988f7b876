"""Estimated demands: exact where counters tell them, better than gravity elsewhere, honest."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nettwin.apps.demands import METHODS, estimate_demands
from nettwin.errors import InputError, UnknownNameError
from nettwin.formats.counters import Counters
from nettwin.formats.format import DemandSeries
from nettwin.scenario.generate import generate
from tests.apps.demands.networks import counted, course, network, off_by

FITTING = ("tomogravity", "entropy", "bayes", "kalman")


def series(scenario, demand, interval_s: float = 300.0) -> DemandSeries:
    times = np.arange(len(demand)) * interval_s
    return DemandSeries(times, demand, scenario.topology.node_name)


@pytest.mark.parametrize("method", FITTING)
def test_what_counters_identify_is_found_exactly(method: str) -> None:
    """On A - B - C the counters leave one degree of freedom among six demands: where one demand is
    known, they tell the others."""
    line = network("AB BC")
    demand = course(3, 4, seed=1)
    listed = np.zeros((3, 3), np.bool_)
    listed[0, 2] = True
    known = replace(series(line, demand), listed=listed)
    found = estimate_demands(line, counted(line, demand), method_name=method, known=known)
    assert off_by(found.demand_bps, demand) < (0.03 if method in ("entropy", "bayes") else 1e-3)


@pytest.mark.parametrize("method", FITTING)
@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=4)
def test_demands_explain_the_counters(method: str, seed: int) -> None:
    """Whatever the demands, of consistent counters little is left, nothing is negative, each
    demand lies within its interval, and the balance of each node holds."""
    scenario = generate("gabriel", nodes=6, seed=seed % 997, capacity_bps=1e11)
    demand = course(scenario.topology.node_count, 3, seed, uneven=1.0)
    found = estimate_demands(scenario, counted(scenario, demand), method_name=method)
    size = found.measured_bps.sum()
    assert np.abs(found.residual_bps).sum() < 0.02 * size
    assert (found.demand_bps >= 0).all()
    assert (found.low_bps <= found.demand_bps).all()
    assert (found.demand_bps <= found.high_bps).all()
    if method != "entropy":  # which comes near small counters slowly
        assert found.findings == ()
    assert found.noise < 0.001


def test_methods_that_look_at_links_beat_gravity() -> None:
    """And an earlier day beats counters alone."""
    scenario = network()
    demand = course(6, 36, seed=3)
    counters = counted(scenario, demand)
    error = {
        name: off_by(estimate_demands(scenario, counters, method_name=name).demand_bps, demand)
        for name in METHODS.own
    }
    assert max(error[name] for name in FITTING) < 0.8 * error["gravity"]
    earlier = series(scenario, course(6, 288, seed=3))
    informed = estimate_demands(scenario, counters, earlier=earlier)
    assert off_by(informed.demand_bps, demand) < 0.5 * error["bayes"]


def test_intervals_hold_what_they_say_on_networks_of_all_kinds() -> None:
    held = []
    for seed in range(4):
        scenario = generate("gabriel", nodes=8, seed=seed, capacity_bps=1e11)
        nodes = scenario.topology.node_count
        demand = course(nodes, 336, seed=seed, uneven=0.8)
        found = estimate_demands(
            scenario,
            counted(scenario, demand[288:]),
            earlier=series(scenario, demand[:288]),
        )
        off = ~np.eye(nodes, dtype=np.bool_)
        within = (found.low_bps <= demand[288:]) & (demand[288:] <= found.high_bps)
        held.append(within[:, off].mean())
    assert 0.8 < np.mean(held) < 0.99


def test_a_single_earlier_matrix_is_a_prior_too() -> None:
    scenario = network()
    demand = course(6, 24, seed=3)
    counters = counted(scenario, demand)
    found = estimate_demands(scenario, counters, earlier=series(scenario, demand[:1]))
    alone = estimate_demands(scenario, counters)
    assert off_by(found.demand_bps, demand) < 0.5 * off_by(alone.demand_bps, demand)


def test_known_demands_stay_and_help() -> None:
    scenario = network()
    demand = course(6, 12, seed=5)
    counters = counted(scenario, demand)
    listed = np.zeros((6, 6), np.bool_)
    listed[0] = listed[:, 3] = True
    known = replace(series(scenario, demand), listed=listed)
    found = estimate_demands(scenario, counters, known=known)
    np.testing.assert_allclose(found.demand_bps[:, listed], demand[:, listed])
    alone = estimate_demands(scenario, counters)
    assert off_by(found.demand_bps[:, ~listed], demand[:, ~listed]) < off_by(
        alone.demand_bps[:, ~listed], demand[:, ~listed]
    )


def test_all_demands_known_leave_nothing_to_estimate() -> None:
    scenario = network("AB BC")
    demand = course(3, 2, seed=1)
    known = replace(series(scenario, demand), listed=np.ones((3, 3), np.bool_))
    found = estimate_demands(scenario, counted(scenario, demand), known=known)
    np.testing.assert_allclose(found.demand_bps, demand)


@pytest.mark.parametrize("method", METHODS.own)
def test_missing_counters_are_told_by_balances(method: str) -> None:
    """A counter that is missing makes no difference where the balance of its node tells it."""
    scenario = network()
    demand = course(6, 12, seed=7)
    counters = counted(scenario, demand)
    whole = estimate_demands(scenario, counters, method_name=method)
    link = counters.link_bps.copy()
    link[:, 3] = np.nan
    entering = counters.entering_bps.copy()
    entering[::2, 5] = np.nan
    some = estimate_demands(
        scenario, replace(counters, link_bps=link, entering_bps=entering), method_name=method
    )
    assert some.filled == (scenario.topology.link_name[3], "->F")
    near = 0.02 if method in ("tomogravity", "entropy") else 0.005
    assert off_by(some.demand_bps, whole.demand_bps) < near
    assert np.isnan(some.residual_bps[:, 3]).all()


def test_without_counters_of_nodes_links_must_do() -> None:
    scenario = network()
    demand = course(6, 12, seed=7)
    counters = counted(scenario, demand)
    nothing = np.full_like(counters.entering_bps, np.nan)
    found = estimate_demands(scenario, replace(counters, entering_bps=nothing, leaving_bps=nothing))
    assert "traffic that enters" in found.assumptions[0]
    assert off_by(found.demand_bps, demand) < 0.9
    assert np.nansum(np.abs(found.residual_bps)) < 0.02 * np.nansum(found.measured_bps)


def test_noise_is_told_from_balances() -> None:
    scenario = generate("gabriel", nodes=12, seed=2, capacity_bps=1e11)
    demand = course(scenario.topology.node_count, 48, seed=9)
    clean = counted(scenario, demand)
    random = np.random.default_rng(1)
    parts = [clean.link_bps, clean.entering_bps, clean.leaving_bps]
    noisy = Counters(
        clean.times_s, *(p * (1 + 0.01 * random.standard_normal(p.shape)) for p in parts)
    )
    found = estimate_demands(scenario, noisy)
    assert found.noise == pytest.approx(0.01, rel=0.2)
    assert found.findings == ()


def test_contradictions_are_said_plainly() -> None:
    """A node that sends twice what it gets, and a link above its capacity."""
    scenario = network(capacity_bps=1e9)
    demand = course(6, 3, seed=2) * 0.1
    counters = counted(scenario, demand)
    link = counters.link_bps.copy()
    link[:, 0] = 3e9
    found = estimate_demands(scenario, replace(counters, link_bps=link))
    told = "\n".join(found.findings)
    assert "node A: " in told and "node B: " in told and "off by" in told
    assert "link A->B: 3 Gbit/s was counted where the capacity is 1 Gbit/s" in told
    assert "Check this counter" in told


def test_what_does_not_fit_is_refused() -> None:
    scenario = network()
    demand = course(6, 3, seed=2)
    counters = counted(scenario, demand)
    late = replace(series(scenario, demand), times_s=np.arange(3) * 300.0 + 9e5)
    with pytest.raises(InputError, match="do not overlap"):
        estimate_demands(scenario, counters, known=late)
    with pytest.raises(UnknownNameError, match="tomogravity"):
        estimate_demands(scenario, counters, method_name="tomography")
    with pytest.raises(UnknownNameError, match='no node "Z"'):
        estimate_demands(scenario, counters, peers=("Z",))
    empty = replace(counters, link_bps=counters.link_bps * np.nan)
    empty = replace(empty, entering_bps=empty.entering_bps * np.nan)
    with pytest.raises(InputError, match="no counter has a value"):
        estimate_demands(scenario, replace(empty, leaving_bps=empty.leaving_bps * np.nan))


def test_peers_exchange_nothing_in_the_general_gravity_model() -> None:
    scenario = network()
    demand = course(6, 3, seed=2, uneven=0.0)
    demand[:, 0, 5] = demand[:, 5, 0] = 0.0
    counters = counted(scenario, demand)
    general = estimate_demands(scenario, counters, method_name="general-gravity", peers=("A", "F"))
    plain = estimate_demands(scenario, counters, method_name="gravity")
    assert not general.demand_bps[:, 0, 5].any()
    np.testing.assert_allclose(general.demand_bps.sum(axis=2), demand.sum(axis=2), rtol=0.05)
    assert off_by(general.demand_bps, demand) < off_by(plain.demand_bps, demand)


def test_one_silent_interval_and_one_alone() -> None:
    """Nothing sent, and a single interval, are no special cases."""
    scenario = network()
    demand = course(6, 4, seed=2)
    demand[1] = 0.0
    for method in METHODS.own:
        found = estimate_demands(scenario, counted(scenario, demand), method_name=method)
        assert np.isfinite(found.demand_bps).all() and np.isfinite(found.high_bps).all()
        assert found.demand_bps[1].sum() < 0.02 * found.demand_bps[0].sum()
        one = estimate_demands(scenario, counted(scenario, demand[:1]), method_name=method)
        assert np.isfinite(one.demand_bps).all()
