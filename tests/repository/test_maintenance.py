"""A history over time: rolled up, compacted, forgotten; checked and repaired."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from nettwin.errors import FormatError, InputError
from nettwin.repository.maintenance import Retention, check, maintain, repair
from nettwin.repository.repository import Repository
from nettwin.repository.store import Store

BEGIN_S = 1767571200.0  # midnight
DAY_S = 86400.0


def rows(begin_s: float, count: int, step_s: float = 60.0, names: int = 4) -> pa.Table:
    times = np.repeat((begin_s + step_s * (1 + np.arange(count))) * 1e6, names).astype(np.int64)
    series = pa.DictionaryArray.from_arrays(
        np.tile(np.arange(names), count).astype(np.int32), [f"link/L{k}/x" for k in range(names)]
    )
    value = np.random.default_rng(int(begin_s)).lognormal(size=count * names)
    return pa.table({"time": pa.array(times), "series": series, "value": value})


def counter_rows(begin_s: float, count: int) -> pa.Table:
    whole = rows(begin_s, count)
    grown = (whole["value"].to_numpy() * 1e6).astype(np.int64).reshape(count, -1)
    return whole.set_column(2, "value", pa.array(np.cumsum(grown, axis=0).ravel()))


def test_days_are_rolled_up_by_what_they_hold(tmp_path: Path) -> None:
    kept = Repository(tmp_path)
    given = rows(BEGIN_S, 120)
    assert kept.store.ingest("observations", given) == 480
    done = maintain(kept.store, BEGIN_S + 3600)
    assert (done.rolled_up, done.forgotten) == (1, 0)
    value = given["value"].to_numpy().reshape(120, 4)[:, 2]
    for table, size in (("rollup_5m", 5), ("rollup_1h", 60)):
        found = kept.rollup("link/L2/x", table)
        parts = value.reshape(-1, size)
        assert found["time_s"][0] == BEGIN_S + 60 * size
        np.testing.assert_allclose(found["mean"], parts.mean(axis=1))
        np.testing.assert_allclose(found["max"], parts.max(axis=1))
        np.testing.assert_allclose(found["p95"], np.percentile(parts, 95, axis=1))
        np.testing.assert_allclose(found["p99"], np.percentile(parts, 99, axis=1))
        assert (found["count"] == size).all()


def test_late_data_is_rolled_up_again(tmp_path: Path) -> None:
    kept = Repository(tmp_path)
    kept.store.ingest("observations", rows(BEGIN_S, 10))
    assert maintain(kept.store, BEGIN_S).rolled_up == 1
    assert maintain(kept.store, BEGIN_S).rolled_up == 0  # nothing is new
    kept.store.ingest("observations", rows(BEGIN_S + 600, 10))
    kept.store.ingest("observations", rows(BEGIN_S, 10))  # again: counted once
    assert maintain(kept.store, BEGIN_S).rolled_up == 1
    assert kept.rollup("link/L0/x", "rollup_5m")["count"].tolist() == [5, 5, 5, 5]
    assert check(kept.store) == []


def test_what_is_old_is_forgotten_and_its_rollup_stays(tmp_path: Path) -> None:
    kept = Repository(tmp_path)
    for day in range(5):
        kept.store.ingest("observations", rows(BEGIN_S + day * DAY_S, 5))
    done = maintain(kept.store, BEGIN_S + 5 * DAY_S, Retention(observations=2))
    assert done.forgotten == 3
    assert len(kept.store.days("observations")) == 2
    assert len(kept.rollup("link/L0/x", "rollup_1h")["time_s"]) == 5
    assert check(kept.store) == []  # that is no loss
    again = Repository(tmp_path)
    again.store.ingest("observations", rows(BEGIN_S + 9 * DAY_S, 5))
    assert check(again.store) == []
    with pytest.raises(InputError, match="at least 0"):
        Retention(counters=-1)


def test_counters_are_compacted_exactly_or_within_the_bound(tmp_path: Path) -> None:
    for error in (0.0, 0.01):
        store = Store(tmp_path / str(error), relative_error=error)
        truth = [counter_rows(BEGIN_S + k * 6000, 100) for k in range(3)]
        for part in truth:
            store.ingest("counters", part)
        before = store.read("counters", ["link/L1/x"])["value"].to_numpy()
        assert maintain(store, BEGIN_S + 2 * DAY_S).compacted == 1
        (part,) = store.parts("counters")
        after = store.read("counters", ["link/L1/x"])["value"].to_numpy()
        if error:
            grown, want = np.diff(after), np.diff(before)
            falls = want < 0
            assert (np.abs(grown - want)[~falls] <= error * want[~falls] + 1).all()
        else:
            np.testing.assert_array_equal(after, before)
        counted = store.ask("SELECT count(*) AS n FROM counters", ["counters"])
        assert counted["n"].to_pylist() == [1200]
        assert part.first == 1 and part.last == 3


def test_readers_read_while_days_are_compacted(tmp_path: Path) -> None:
    """Each reading has every row that was there when it began, whole."""
    store = Store(tmp_path)
    for k in range(30):
        store.ingest("counters", counter_rows(BEGIN_S + k * 600, 10))

    def reading() -> int:
        reader, least = Store(tmp_path), 0
        for _ in range(40):
            found = reader.read("counters").num_rows
            assert found >= max(least, 1200)
            least = found
        return least

    with ThreadPoolExecutor(3) as pool:
        readers = [pool.submit(reading) for _ in range(2)]
        for k in range(30, 45):
            store.ingest("counters", counter_rows(BEGIN_S + k * 600, 10))
            store.compact("counters", "day=2026-01-05")
        for one in readers:
            one.result()
    assert store.read("counters").num_rows == 45 * 40


def test_days_that_were_written_in_turn_all_stay(tmp_path: Path) -> None:
    """A day's file covers appends of that day alone."""
    store = Store(tmp_path)
    for k in range(6):
        store.ingest("observations", rows(BEGIN_S + (k % 2) * DAY_S + 600 * k, 3))
    store.compact("observations", "day=2026-01-05")
    assert store.read("observations").num_rows == 6 * 12
    assert check(store) == []


def test_small_days_of_a_month_that_is_over_are_merged(tmp_path: Path) -> None:
    store = Store(tmp_path)
    given = [counter_rows(BEGIN_S + k * DAY_S, 5) for k in (1, 0, 2)]
    for part in given:
        store.ingest("counters", part)
    maintain(store, BEGIN_S + 10 * DAY_S)
    assert len(store.days("counters")) == 3  # the month is not over
    left = {part.path: part.path.read_bytes() for part in store.parts("counters")}
    done = maintain(store, BEGIN_S + 29 * DAY_S, Retention(counters=0))
    assert done.compacted == 1
    assert store.days("counters") == ["month=2026-01"]
    for path, content in left.items():  # who merged was killed before they were removed
        path.write_bytes(content)
    again = Store(tmp_path)
    assert again.read("counters").num_rows == 60
    second = again.read("counters", ["link/L1/x"], BEGIN_S + DAY_S, BEGIN_S + 2 * DAY_S - 1)
    np.testing.assert_array_equal(
        second["value"].to_numpy(), given[0]["value"].to_numpy().reshape(5, 4)[:, 1]
    )
    assert len(repair(again)) == 3
    again.ingest("counters", counter_rows(BEGIN_S + 3 * DAY_S, 5))  # late
    assert again.read("counters").num_rows == 80
    assert check(again) == []
    assert maintain(again, BEGIN_S + 99 * DAY_S, Retention(counters=1)).forgotten == 1


def test_what_is_lost_is_said_and_repair_puts_it_apart(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for k in range(4):
        store.ingest("observations", rows(BEGIN_S + 600 * k, 3))
    second, third = (part.path for part in store.parts("observations")[1:3])
    second.unlink()
    third.write_bytes(third.read_bytes()[:-7])
    (third.parent / ".unfinished").write_bytes(b"x")
    again = Store(tmp_path)
    told = check(again)
    assert any("append 2 to 3 is in no file" in one for one in told)
    assert any(third.name in one and "not whole" in one for one in told)
    assert any("never finished" in one for one in told)
    done = repair(again)
    assert len(done) == 2
    assert not again.damaged()
    assert (tmp_path / "damaged/observations/day=2026-01-05" / third.name).exists()
    assert again.read("observations").num_rows == 2 * 12
    assert [one for one in check(again) if "in no file" in one]  # what is lost stays said


def test_schemas(tmp_path: Path) -> None:
    """A repository of before schemas is read and gets one; that of a newer nettwin is refused."""
    store = Store(tmp_path)
    store.ingest("observations", rows(BEGIN_S, 3))
    mark = tmp_path / "schema.json"
    mark.unlink()
    old = Store(tmp_path)
    assert old.read("observations").num_rows == 12
    assert not mark.exists()
    old.ingest("observations", rows(BEGIN_S + 600, 3))
    version = json.loads(mark.read_text())["schema"]
    mark.write_text(json.dumps({"schema": version + 1}))
    newer = Store(tmp_path)
    for use in (
        lambda: newer.read("observations"),
        lambda: newer.ingest("observations", rows(BEGIN_S, 1)),
    ):
        with pytest.raises(FormatError, match="Update nettwin"):
            use()
    assert "Update nettwin" in check(newer)[0]
