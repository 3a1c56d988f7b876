"""Bad days of the repository: a full disk, late data, renamed devices. Nothing acknowledged is
lost, and what went wrong is said."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nettwin.errors import InputError
from nettwin.observation import Observation
from nettwin.repository.maintenance import Retention, check, maintain
from nettwin.repository.repository import Repository
from nettwin.repository.store import Store
from nettwin.scenario.generate import generate
from tests.repository.test_maintenance import BEGIN_S, DAY_S, counter_rows, rows
from tests.repository.test_repository import observation


class FullDisk:
    """A disk on which `room` more files can be synced; then there is no space left."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, room: int) -> None:
        self.room, self._fsync, self._patch = room, os.fsync, monkeypatch
        monkeypatch.setattr(os, "fsync", self._sync)

    def _sync(self, handle: int) -> None:
        self.room -= 1
        if self.room < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._fsync(handle)

    def has_room(self) -> None:
        self._patch.setattr(os, "fsync", self._fsync)


@pytest.mark.parametrize("room", range(9))
def test_a_full_disk_loses_nothing_that_was_acknowledged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    """Wherever it fills up: what was acknowledged is there, the rest is not, and once there is room
    the history goes on without a gap."""
    scenario = generate("ring", nodes=3, load=0.5)
    kept = Repository(tmp_path)
    acknowledged = 0
    with kept.writing():
        kept.observed(observation(0, scenario))
        disk = FullDisk(monkeypatch, room)
        with pytest.raises(InputError, match="No space left on device"):
            for k in range(1, 10):
                kept.observed(observation(k, scenario))
                acknowledged = k
        disk.has_room()
        again = Repository(tmp_path)
        assert len(again.times_s()) in (acknowledged + 1, acknowledged + 2)
        for k in range(acknowledged + 1):
            seen = observation(k, scenario)
            back = again.observation(seen.time_s)
            assert back.scenario.fingerprint() == seen.scenario.fingerprint()
        for k in range(acknowledged + 1, 10):  # also by the process that saw the disk full
            kept.observed(observation(k, scenario))
    assert len(Repository(tmp_path).times_s()) == 10
    assert check(Repository(tmp_path).store) == []


@pytest.mark.parametrize(
    "work",
    [
        lambda store: store.compact("counters", "day=2026-01-05"),
        lambda store: maintain(store, BEGIN_S + 5 * DAY_S, Retention(counters=1)),
        lambda store: store.merge("counters", "2026-01"),
        lambda store: store.retire("counters", "day=2026-01-06"),
    ],
    ids=["compact", "maintain", "merge", "forget"],
)
@pytest.mark.parametrize("room", range(4))
def test_maintenance_on_a_full_disk_leaves_all_as_it_was(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    work: Callable[[Store], Any],
    room: int,
) -> None:
    """Every step is done or not: there are all rows, or those that were not to be forgotten."""
    store = Store(tmp_path)
    for day in range(2):
        for k in range(3):
            store.ingest("counters", counter_rows(BEGIN_S + day * DAY_S + k * 600, 5))
            store.ingest("observations", rows(BEGIN_S + day * DAY_S + k * 600, 5))
    disk = FullDisk(monkeypatch, room)
    failed = False
    try:
        work(store)
    except InputError as error:
        failed = True
        assert "No space left on device" in str(error)
    disk.has_room()
    again = Store(tmp_path)
    counters = again.read("counters").num_rows
    assert counters in (0, 60, 120)
    if failed:
        assert again.read("observations").num_rows == 120
    assert check(again) == []
    work(again)  # with room it is done
    assert check(Store(tmp_path)) == []
    again.ingest("counters", counter_rows(BEGIN_S + 9 * DAY_S, 5))
    assert check(Store(tmp_path)) == []


def test_data_that_comes_days_late_stands_in_its_place(tmp_path: Path) -> None:
    """Late rows go to their own day, also where that was rolled up, compacted and merged; a series
    has them in order, and what is kept again replaces what was there."""
    scenario = generate("ring", nodes=3, load=0.5)
    kept = Repository(tmp_path)

    def loads(begin_s: float, count: int, load: float) -> None:
        times = begin_s + 300.0 * (1 + np.arange(count))
        value = np.full((count, scenario.topology.link_count), load)
        kept.measured_links(scenario, times, 300.0, {"utilization": value}, np.ones_like(value))

    with kept.writing():
        loads(BEGIN_S, 12, 0.1)
        loads(BEGIN_S + 3 * DAY_S, 12, 0.3)
        maintain(kept.store, BEGIN_S + 10 * DAY_S, Retention(observations=0))
        loads(BEGIN_S + DAY_S, 12, 0.2)  # a day that was not there
        loads(BEGIN_S + 3 * DAY_S - 600, 6, 0.4)  # over the edge of a day; some replaced
        maintain(kept.store, BEGIN_S + 10 * DAY_S, Retention(observations=0))
    again = Repository(tmp_path)
    times, values = again.series("link/N1->N2/utilization")
    assert (np.diff(times) > 0).all()
    assert len(times) == 12 + 12 + 12 + 2
    edge = BEGIN_S + 3 * DAY_S
    assert values[times <= BEGIN_S + 3600].tolist() == [0.1] * 12
    assert values[(times > edge - 600) & (times <= edge + 1200)].tolist() == [0.4] * 6
    hours = again.rollup("link/N1->N2/utilization", "rollup_1h")
    assert hours["count"].tolist() == [12, 12, 2, 12]
    assert hours["mean"][-1] == pytest.approx((4 * 0.4 + 8 * 0.3) / 12)
    assert check(again.store) == []


def test_a_renamed_device_keeps_its_history_under_both_names(tmp_path: Path) -> None:
    """Before it is read with the names of then, later with those of now."""
    before = generate("ring", nodes=3, load=0.5)
    names = ("N1", "N2", "lon-r1")
    links = tuple(name.replace("N3", "lon-r1") for name in before.topology.link_name)
    after = before.with_(topology=before.topology.with_arrays(node_name=names, link_name=links))
    kept = Repository(tmp_path)
    with kept.writing():
        for k, scenario in enumerate((before, before, after, after)):
            seen = observation(k, scenario)
            kept.observed(Observation(seen.time_s, 60.0, seen.scenario, seen.metrics))
    again = Repository(tmp_path)
    times = again.times_s()
    for k, name in enumerate(("N3", "N3", "lon-r1", "lon-r1")):
        back = again.observation(times[k])
        assert name in back.scenario.topology.node_name
        assert np.isfinite(back.metrics.link["utilization"]).all()
    assert len(again.series("link/N1->N3/utilization")[0]) == 2
    assert len(again.series("link/N1->lon-r1/utilization")[0]) == 2
    (first, old), (second, new) = again.networks(times)
    assert (first, second) == (slice(0, 2), slice(2, 4))
    assert old.topology.node_name[2] == "N3" and new.topology.node_name[2] == "lon-r1"
