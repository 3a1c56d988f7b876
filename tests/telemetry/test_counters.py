"""Counters: what they counted is known exactly where it is known."""

from __future__ import annotations

import numpy as np
import pytest

from nettwin.telemetry.counters import counter_totals, gauge_totals

STEP_S, RATE = 10.0, 1e6  # octets a second


def counter(n: int = 30, start: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    time_s = np.arange(n) * STEP_S
    noise = 1 + 0.2 * np.sin(np.arange(n))
    return time_s, start + np.cumsum(RATE * STEP_S * noise)


def rates(time_s: np.ndarray, value: np.ndarray, **more: float) -> tuple[np.ndarray, dict]:
    totals = counter_totals(time_s, value, **more)
    return totals.rates(np.arange(0, time_s.max() + 1, STEP_S)), totals.counts


def found(counts: dict[str, int]) -> dict[str, int]:
    return {kind: count for kind, count in counts.items() if count}


def test_rates_are_those_counted() -> None:
    time_s, value = counter()
    rate, counts = rates(time_s, value)
    np.testing.assert_allclose(rate, np.diff(value) / STEP_S)
    assert not found(counts)


@pytest.mark.parametrize("bits", [32, 64])
def test_a_wrap_is_counted_on(bits: int) -> None:
    time_s, value = counter(start=2.0**bits - 150e6)
    rate, counts = rates(time_s, value % 2.0**bits, most_per_s=2 * RATE)
    np.testing.assert_allclose(rate, np.diff(value) / STEP_S, rtol=1e-3)
    assert found(counts) == {"wrap": 1}


def test_a_reset_leaves_one_interval_unknown() -> None:
    time_s, value = counter(start=5e15)
    after = value.copy()
    after[15:] -= after[15] - 3e6
    rate, counts = rates(time_s, after, most_per_s=2 * RATE)
    assert np.flatnonzero(np.isnan(rate)).tolist() == [14]
    assert found(counts) == {"reset": 1}


def test_a_32_bit_counter_at_high_speed_is_not_believed() -> None:
    time_s = np.arange(30) * 60.0
    value = np.cumsum(np.full(30, 1.1e9 * 60)) % 2.0**32  # wraps 15 times between two readings
    totals = counter_totals(time_s, value, most_per_s=1.25e9)
    assert not totals.known[np.diff(value) < 0].any()
    assert "too_slow" in found(totals.counts)


def test_repeats_lose_nothing() -> None:
    time_s, value = counter(60)
    stale = value.copy()
    for k in range(0, 57, 3):  # updated every third reading
        stale[k + 1] = stale[k + 2] = stale[k]
    totals = counter_totals(time_s, stale)
    assert totals.total[-1] == stale[-1] - stale[0]
    assert totals.counts["repeat"] > 30
    rate = totals.rates(time_s)
    known = rate[np.isfinite(rate)]
    assert known.min() > 0.5 * RATE and known.max() < 1.6 * RATE


def test_a_port_that_idles_and_then_sends_is_no_repeat() -> None:
    time_s = np.arange(40) * STEP_S
    value = np.concatenate([np.zeros(20), np.cumsum(np.full(20, 1e7))])
    rate, counts = rates(time_s, value)
    assert not found(counts)
    assert (rate[:19] == 0).all() and (rate[19:] == 1e6).all()


def test_gaps_late_twice_and_garbage() -> None:
    time_s, value = counter(40)
    keep = np.ones(40, bool)
    keep[10] = False  # one is missing: the mean stands for both
    keep[20:30] = False  # a long gap: not known
    order = np.arange(40)[keep]
    order[[2, 3]] = order[[3, 2]]
    time_s, value = np.append(time_s[order], time_s[order][-1]), np.append(value[order], value[39])
    value[7] = np.nan
    rate, counts = rates(time_s, value)
    # without the garbage there is a second short gap
    assert found(counts) == {"gap": 3, "late": 1, "duplicate": 1, "garbage": 1}
    assert np.flatnonzero(np.isnan(rate)).tolist() == list(range(19, 30))


def test_what_exceeds_the_speed_is_not_known() -> None:
    time_s, value = counter(20)
    value[10:] += 5e9
    rate, counts = rates(time_s, value, most_per_s=2 * RATE)
    assert found(counts) == {"above_speed": 1}
    assert np.flatnonzero(np.isnan(rate)).tolist() == [9]


def test_a_sample_that_goes_back_is_left_out() -> None:
    time_s, value = counter(20)
    value[10] -= 3e7
    rate, counts = rates(time_s, value)
    assert found(counts) == {"back": 1}
    assert np.isfinite(rate).all()


def test_a_restart_is_no_wrap() -> None:
    time_s, value = counter(start=2.0**32 - 900e6)
    fallen = np.where(np.arange(30) < 15, value % 2.0**32, value - value[14])
    restart = np.array([time_s[15]])
    totals = counter_totals(time_s, fallen, most_per_s=100 * RATE, restarts_s=restart)
    assert found(totals.counts)["restart"] == 1


def test_rates_between_the_edges_keep_the_octets() -> None:
    """A grid that does not meet the samples neither adds nor loses anything."""
    time_s, value = counter(61)
    totals = counter_totals(time_s + 3.7, value)
    edges = np.arange(3.7, 603.0, 60.0)
    assert np.isclose((totals.rates(edges) * 60).sum(), totals.at(edges)[-1] - totals.at(edges)[0])


def test_a_gauge_adds_up() -> None:
    time_s = np.arange(10) * STEP_S
    totals = gauge_totals(time_s, np.full(10, 5e6))
    np.testing.assert_allclose(totals.rates(time_s), 5e6)
    assert len(gauge_totals(np.zeros(0), np.zeros(0)).total) == 0
