"""The past through the twin: predicted, compared, and what is unusual in it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nettwin.apps.history import (
    busy_hours,
    past_of_files,
    past_of_repository,
    predict_past,
    rows,
    unusual,
)
from nettwin.apps.history.bands import band_of
from nettwin.apps.history.past import Measured, Past
from nettwin.engines.theory import Theory
from nettwin.errors import InputError
from nettwin.formats.counters import Counters
from nettwin.formats.format import DemandSeries
from nettwin.metrics import Metrics, Table
from nettwin.observation import Observation
from nettwin.repository.repository import Repository
from nettwin.scenario.changes import FailLink
from nettwin.scenario.demands import over_time
from nettwin.scenario.generate import generate
from nettwin.scenario.scenario import Scenario

BEGIN_S = 1767571200.0  # midnight
STEP_S = 300.0
RING = generate("ring", nodes=4, load=0.5)


def week(count: int, scenario: Scenario = RING, noise: float = 0.0) -> DemandSeries:
    """Matrices with a peak at noon of each day, and noise of each pair."""
    traffic, nodes = scenario.traffic, scenario.topology.node_count
    base = np.zeros((nodes, nodes))
    base[traffic.flow_source, traffic.flow_target] = traffic.flow_rate_bps
    times = BEGIN_S + STEP_S * (1 + np.arange(count))
    curve = 0.7 - 0.3 * np.cos((times - BEGIN_S) / 86400 * 2 * np.pi)
    draw = np.random.default_rng(1).lognormal(0, noise, (count, nodes, nodes))
    return DemandSeries(times, base * curve[:, None, None] * draw, scenario.topology.node_name)


def counted(scenario: Scenario, series: DemandSeries, factor: float = 1.0) -> Counters:
    load = np.array([s.link_offered_load for s in over_time(scenario, series.demand_bps)])
    bps = load * scenario.topology.link_capacity_bps * factor
    none = np.full((len(bps), scenario.topology.node_count), np.nan)
    return Counters(series.times_s, bps, none, none)


def test_matrices_on_a_network_are_what_was_counted() -> None:
    series = week(600)
    found = predict_past(past_of_files(RING, series, counted(RING, series, 1.1)), Theory())
    assert found.link.predicted.shape == (600, 8)
    np.testing.assert_allclose(found.link.measured, found.link.predicted * 1.1)
    assert found.link.coverage == pytest.approx(1.0)  # ten percent off, and always so
    assert found.flow is not None and np.isnan(found.flow.measured).all()
    (row, *_) = rows(found, found.link)
    assert row.p95 == pytest.approx(np.percentile(found.link.predicted, 95, axis=0).max())
    assert row.error == pytest.approx(0.1 / 1.1)
    assert unusual(found, found.link) == []


def test_intervals_hold_nine_of_ten_and_know_nothing_of_later() -> None:
    draw = np.random.default_rng(2)
    times = BEGIN_S + STEP_S * np.arange(2016)
    predicted = 0.5 + 0.3 * np.sin(times / 86400 * 2 * np.pi)[:, None] * np.ones(20)
    bias = np.linspace(0.8, 1.3, 20)  # of each element
    measured = predicted * bias * draw.lognormal(0, 0.05, predicted.shape)
    measured[draw.random(measured.shape) < 0.1] = np.nan
    none = np.full(predicted.shape, np.nan), np.full(predicted.shape, np.nan)
    low, high = band_of(predicted, measured, times, none)
    known = np.isfinite(low) & np.isfinite(measured)
    assert known.mean() > 0.85
    inside = (measured >= low) & (measured <= high)
    assert inside[known].mean() == pytest.approx(0.9, abs=0.015)
    for k in range(20):
        assert 0.85 < inside[known[:, k], k].mean() < 0.95
    assert (high - low)[known].mean() < 0.2 * predicted.mean()
    later = measured.copy()
    later[1000:] *= 100
    again = band_of(predicted, later, times, none)
    block = 1000 // 12 * 12
    np.testing.assert_array_equal(again[0][:block], low[:block])


def test_before_anything_was_seen_the_models_own_interval_stands() -> None:
    times = STEP_S * np.arange(60)
    predicted = np.ones((60, 1))
    own = predicted * 0.5, predicted * 2.0
    low, high = band_of(predicted, predicted * 1.01, times, own)
    assert low[0, 0] == 0.5 and high[0, 0] == 2.0
    assert low[-1, 0] == pytest.approx(1.01)


def test_where_nothing_tells_intervals_that_is_said() -> None:
    silent = predict_past(past_of_files(RING, week(30)), Theory())
    assert any(words.startswith("no intervals: theory has none") for words in silent.notes)
    series = week(60)
    told = predict_past(past_of_files(RING, series, counted(RING, series)), Theory())
    assert not told.notes


def test_the_busy_hour_is_the_busiest_of_each_day() -> None:
    found = predict_past(past_of_files(RING, week(2 * 288)), Theory())
    starts, inside = busy_hours(found)
    assert ((starts - BEGIN_S) % 86400 / 3600).tolist() in ([11.0, 11.0], [12.0, 12.0])
    assert inside.sum() == 24
    row = rows(found, found.link)[0]
    assert row.busy > row.p95 * 0.95 > row.mean


def test_what_is_unusual_is_found_and_where() -> None:
    series = week(600, noise=0.05)
    past = past_of_files(RING, series, counted(RING, series))
    load = past.measured["link/utilization"]
    rng = np.random.default_rng(3)
    value = load.value * rng.lognormal(0, 0.02, load.value.shape)
    value[500:512, 3] *= 2
    strange = replace(past, measured={"link/utilization": Measured(load.element, value)})
    found = predict_past(strange, Theory())
    first = unusual(found, found.link)[0]
    assert first.element == RING.topology.link_name[3]
    assert first.begin_s <= found.times_s[500] < first.end_s <= found.times_s[512]
    assert first.measured == pytest.approx(2 * first.predicted, rel=0.1)


def kept(folder: Path, count: int) -> Repository:
    """A history in which a link fails, and comes back."""
    repository = Repository(folder)
    failed = FailLink("N1<->N2").apply(RING)
    theory = Theory()
    series = week(count)
    with repository.writing():
        for k, scenario in enumerate(over_time(RING, series.demand_bps)):
            if count // 3 <= k < count // 2:
                scenario = failed.with_(traffic=scenario.traffic)
            seen = theory.predict([scenario])[0]
            metrics = Metrics(
                Table({"owd_mean_s": seen.flow["owd_mean_s"]}),
                Table({"utilization": seen.link["utilization"]}),
                Table({}),
                method="measured",
                engine="test",
            )
            repository.observed(Observation(float(series.times_s[k]), STEP_S, scenario, metrics))
    return repository


def test_a_history_is_predicted_as_it_was_configured(tmp_path: Path) -> None:
    """What the same engine measured it predicts to the last digits, also while a link is down."""
    repository = kept(tmp_path, 60)
    past = past_of_repository(repository)
    assert past.demands == "measured"
    found = predict_past(past, Theory())
    np.testing.assert_allclose(found.link.predicted, found.link.measured, rtol=1e-12, atol=1e-12)
    assert found.flow is not None
    np.testing.assert_allclose(found.flow.predicted, found.flow.measured, rtol=1e-12)
    down = RING.topology.link("N1->N2")
    assert (found.link.predicted[20:30, down] == 0).all()
    assert (found.link.predicted[30:, down] > 0).all()
    some = past_of_repository(repository, past.times_s[10], past.times_s[20])
    assert len(some.times_s) == 11
    with pytest.raises(InputError, match="at least 2"):
        past_of_repository(repository, BEGIN_S + 86400 * 9)


def test_counters_alone_predict_the_interval_after(tmp_path: Path) -> None:
    """No interval predicts itself: another counter changes what is predicted next."""
    series = week(40)

    def predicted(folder: Path, factor: float) -> tuple[Past, np.ndarray]:  # type: ignore[type-arg]
        repository = Repository(folder)
        bps = counted(RING, series).link_bps.copy()
        bps[20] *= factor
        with repository.writing():
            up = np.ones_like(bps)
            repository.measured_links(
                RING,
                series.times_s,
                STEP_S,
                {"throughput_bps": bps, "utilization": bps / RING.topology.link_capacity_bps},
                up,
            )
        past = past_of_repository(repository)
        return past, predict_past(past, Theory()).link.predicted

    past, plain = predicted(tmp_path / "a", 1.0)
    _, other = predicted(tmp_path / "b", 1.5)
    assert past.demands == "estimated"
    assert any("interval before" in words for words in past.notes)
    np.testing.assert_allclose(plain[:21], other[:21], rtol=0.02)
    assert (other[21] > 1.3 * plain[21]).all()
    load = past.measured["link/utilization"].value
    np.testing.assert_allclose(plain[1:], load[:-1], rtol=0.05)


def test_counters_of_another_time_are_refused() -> None:
    series = week(10)
    counters = counted(RING, series)
    with pytest.raises(InputError, match="of other times"):
        past_of_files(RING, series, replace(counters, times_s=counters.times_s + 1e6))


def test_elements_that_are_always_off_are_not_unusual_at_first() -> None:
    """Each is judged by its own errors: not by those of the others before it has any."""
    series = week(60, noise=0.05)
    counters = counted(RING, series)
    bps = counters.link_bps * np.linspace(0.5, 2.0, 8)
    found = predict_past(past_of_files(RING, series, replace(counters, link_bps=bps)), Theory())
    assert np.isnan(found.link.low[:24]).all() and np.isfinite(found.link.low[24:]).all()
    assert unusual(found, found.link) == []
