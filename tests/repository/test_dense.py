"""Dense counters: exact, or within the bound that is stated."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nettwin.errors import InputError
from nettwin.repository.dense import Columns, decoded, encoded, sorted_rows


def counters(series: int = 30, rows: int = 500, seed: int = 0) -> tuple[Columns, list[str]]:
    draw = np.random.default_rng(seed)
    rate = draw.lognormal(16, 3, (series, 1)) * draw.lognormal(0, 0.3, (series, rows))
    rate[draw.random((series, rows)) < 0.02] = 0
    value = np.cumsum(rate.astype(np.int64), axis=1) + draw.integers(0, 2**60, (series, 1))
    value[3, 200:] -= value[3, 200] - 5  # a device began anew
    value[4] %= 2**32  # a narrow counter that wraps
    time_us = np.arange(rows) * 300_000_000 + draw.integers(0, 5_000_000, (series, rows))
    codes = np.repeat(np.arange(series), rows)
    return Columns(time_us.ravel(), codes, value.ravel()), [f"link/L{k}/x" for k in range(series)]


def kept(path: Path, columns: Columns, names: list[str], error: float = 0.0) -> int:
    content = encoded(columns, names, error)
    path.write_bytes(content)
    return len(content)


def test_exact_counters_come_back_to_the_last_octet(tmp_path: Path) -> None:
    columns, names = counters()
    size = kept(tmp_path / "x", columns, names)
    rows = decoded(tmp_path / "x")
    np.testing.assert_array_equal(rows["value"].to_numpy(), columns.value)
    np.testing.assert_array_equal(rows["time"].cast("int64").to_numpy(), columns.time_us)
    assert rows["series"].to_pylist()[:: len(rows) // 30][:3] == names[:3]
    assert size / len(rows) < 8


@pytest.mark.parametrize("error", [0.01, 0.1, 1e-5])
def test_growth_over_any_time_is_within_the_bound(tmp_path: Path, error: float) -> None:
    columns, names = counters()
    size = kept(tmp_path / "x", columns, names, error)
    exact = kept(tmp_path / "y", columns, names)
    if error >= 0.01:
        assert size < 0.7 * exact
    value = decoded(tmp_path / "x")["value"].to_numpy().reshape(30, -1)
    truth = columns.value.reshape(30, -1)
    draw = np.random.default_rng(1)
    assert (value[5:, -1] == truth[5:, -1]).all()  # so that nothing drifts from file to file
    for _ in range(200):
        k, a, b = draw.integers(5, 30), *sorted(draw.integers(0, 500, 2))
        grown, want = value[k, b] - value[k, a], truth[k, b] - truth[k, a]
        assert abs(grown - want) <= error * abs(want) + (b - a)


def test_one_series_is_read_alone(tmp_path: Path) -> None:
    columns, names = counters(series=900, rows=400)  # several row groups
    kept(tmp_path / "x", columns, names)
    for name in (names[0], names[327], names[328], names[899]):
        rows = decoded(tmp_path / "x", {name})
        mine = columns.series == names.index(name)
        np.testing.assert_array_equal(rows["value"].to_numpy(), columns.value[mine])
    assert not len(decoded(tmp_path / "x", {"nothing"}))


def test_rows_are_put_in_order_and_the_last_of_a_time_is_kept() -> None:
    found = sorted_rows(
        Columns(np.array([2, 1, 2, 1]), np.array([1, 1, 1, 0]), np.array([5, 6, 7, 8]))
    )
    assert [column.tolist() for column in found] == [[1, 1, 2], [0, 1, 1], [8, 6, 7]]


def test_extremes(tmp_path: Path) -> None:
    values = np.array([0, 2**63 - 1, 2**63 - 1, 0, 1])
    kept(tmp_path / "x", Columns(np.arange(5), np.zeros(5, np.int64), values), ["a"])
    assert decoded(tmp_path / "x")["value"].to_pylist() == values.tolist()
    kept(tmp_path / "x", Columns(*(np.zeros(1, np.int64) for _ in range(3))), ["a"])
    assert decoded(tmp_path / "x")["value"].to_pylist() == [0]
    with pytest.raises(InputError, match="relative error"):
        encoded(Columns(*(np.zeros(1, np.int64) for _ in range(3))), ["a"], 0.5)
