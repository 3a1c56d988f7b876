"""A repository in an object store: the same layout, the same answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nettwin.errors import BusyError, FormatError, InputError
from nettwin.repository import place
from nettwin.repository.maintenance import Retention, check, maintain, repair
from nettwin.repository.place import is_local, lock_of, place_of, put
from nettwin.repository.repository import Repository
from nettwin.repository.store import Store
from nettwin.repository.tables import Document
from tests.repository.test_maintenance import BEGIN_S, DAY_S, counter_rows, rows
from tests.repository.test_repository import observation

fsspec = pytest.importorskip("fsspec")
pytest.importorskip("upath")


@pytest.fixture
def bucket() -> Iterator[Path]:
    """A bucket of fsspec's object store in memory."""
    yield place_of("memory://bucket/twin", Path())
    fsspec.filesystem("memory").rm("/bucket", recursive=True)


def test_a_history_reads_alike_from_a_folder_and_from_a_bucket(
    bucket: Path, tmp_path: Path
) -> None:
    assert is_local(tmp_path) and not is_local(bucket)
    answers = []
    for folder in (bucket, tmp_path):
        kept = Repository(folder)
        with kept.writing():
            for k in range(70):  # more than a day's files, so that some are put together
                kept.observed(observation(k))
            kept.keep(Document(BEGIN_S, "plan", "a", '{"n": 1}'))
            kept.counters(counter_rows(BEGIN_S, 100))
        again = Repository(folder)
        maintain(again.store, BEGIN_S + 2 * DAY_S, Retention(observations=0))
        assert len(again.store.parts("counters")) == 1
        answers.append(
            (
                again.times_s().tolist(),
                again.observation(again.times_s()[30]).scenario.fingerprint(),
                again.last("plan", "a"),
                again.store.read("counters", ["link/L1/x"])["value"].to_pylist(),
                again.store.ask("SELECT sum(value) AS s FROM counters", ["counters"]).to_pylist(),
                again.rollup("link/N1->N2/utilization", "rollup_5m")["mean"].tolist(),
                sorted(str(p).replace(str(folder), "") for p in folder.glob("*/day=*/*.parquet")),
            )
        )
        assert check(again.store) == []
    assert answers[0] == answers[1]


def test_days_are_merged_and_forgotten(bucket: Path) -> None:
    store = Store(bucket)
    for k in (1, 0, 2):
        store.ingest("counters", counter_rows(BEGIN_S + k * DAY_S, 5))
    assert maintain(store, BEGIN_S + 29 * DAY_S, Retention(counters=0)).compacted >= 1
    assert store.days("counters") == ["month=2026-01"]
    assert Store(bucket).read("counters").num_rows == 60
    assert maintain(store, BEGIN_S + 99 * DAY_S, Retention(counters=1)).forgotten == 1
    assert Store(bucket).read("counters").num_rows == 0


def test_damage_is_found_and_put_apart(bucket: Path) -> None:
    store = Store(bucket)
    for k in range(3):
        store.ingest("observations", rows(BEGIN_S + 600 * k, 3))
    path = store.parts("observations")[1].path
    path.write_bytes(path.read_bytes()[:-7])
    again = Store(bucket)
    assert any(path.name in words and "not whole" in words for words in check(again))
    assert len(repair(again)) == 1
    assert again.read("observations").num_rows == 2 * 12
    assert (bucket / "damaged/observations/day=2026-01-05" / path.name).exists()


def test_one_writer_on_this_machine(bucket: Path) -> None:
    kept = Repository(bucket)
    with kept.writing("the loop"):
        with pytest.raises(BusyError, match="the loop"):
            Repository(bucket).writing().__enter__()
        kept.observed(observation(0))
        assert len(Repository(bucket).times_s()) == 1  # readers read
    assert lock_of(bucket) != lock_of(bucket / "other")


def test_a_newer_schema_is_refused(bucket: Path) -> None:
    Store(bucket).ingest("observations", rows(BEGIN_S, 3))
    put(bucket / "schema.json", json.dumps({"schema": 99}).encode())
    with pytest.raises(FormatError, match="Update nettwin"):
        Store(bucket).read("observations")


def test_a_store_that_refuses_acknowledges_nothing(
    bucket: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(bucket)
    store.ingest("observations", rows(BEGIN_S, 3))

    def refuses(*_: Any, **__: Any) -> None:
        raise PermissionError("403")

    monkeypatch.setattr(bucket.fs, "pipe_file", refuses)  # type: ignore[attr-defined]
    with pytest.raises(InputError, match="PermissionError: 403"):
        store.ingest("observations", rows(BEGIN_S + 600, 3))
    monkeypatch.undo()
    assert Store(bucket).read("observations").num_rows == 12
    store.ingest("observations", rows(BEGIN_S + 600, 3))
    assert check(Store(bucket)) == []
    np.testing.assert_array_equal(Store(bucket).read("observations").num_rows, 24)


def test_places(tmp_path: Path) -> None:
    assert place_of("repository", tmp_path) == tmp_path / "repository"
    assert place_of("/var/twin", tmp_path) == Path("/var/twin")
    with pytest.raises(InputError, match="cannot be reached"):
        place_of("nosuch://bucket/twin", tmp_path)
    assert place.is_local(place_of("/var/twin", tmp_path))
