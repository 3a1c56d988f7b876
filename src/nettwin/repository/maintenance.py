"""Maintenance: a history is rolled up, compacted, and forgotten in time; checked and repaired.

Every step leaves a repository that reads whole, also where it is killed in the middle.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from nettwin.errors import FormatError, InputError
from nettwin.repository.place import moved, opened
from nettwin.repository.rollups import WINDOWS_S, Rollup, rolled_up
from nettwin.repository.store import PLACES, Part, Store
from nettwin.repository.tables import TABLES, arrow, day_of, schema

DAMAGED = "damaged"  # where `repair` puts what is not whole
DAY_S = 86400.0
MOST_MERGED = 16_000_000  # rows of a month: where there are more, days are large enough alone


@dataclass(frozen=True)
class Retention:
    """For how many days each table is kept; 0 is for ever. Measurements are forgotten once they are
    rolled up; records (configurations, plans, events) never are."""

    observations: float = 30.0
    counters: float = 30.0
    rollup_5m: float = 400.0
    rollup_1h: float = 0.0

    def __post_init__(self) -> None:
        for name, days in vars(self).items():
            if not days >= 0:
                raise InputError(f"{name} is kept {days} days: must be at least 0. Correct it.")


@dataclass
class Maintained:
    """What was done: days that were rolled up, compacted and forgotten."""

    rolled_up: int = 0
    compacted: int = 0
    forgotten: int = 0


def maintain(store: Store, now_s: float, retention: Retention | None = None) -> Maintained:
    """Roll up every day that has new measurements, compact the days that are over, and forget what
    is older than it is kept. Readers may read meanwhile; the caller holds the repository."""
    keep = retention or Retention()
    done = Maintained()
    for day in store.days("observations"):
        done.rolled_up += roll_up(store, day)
    for table in TABLES:
        for day in store.days(table):
            if _end_s(day) <= now_s and not table.startswith("rollup"):
                before = store.parts(table)
                store.compact(table, day)
                done.compacted += store.parts(table) != before
    done.compacted += _merge(store, now_s)
    for table, days in vars(keep).items():
        for day in store.days(table) if days else []:
            if _end_s(day) + days * DAY_S <= now_s:
                done.forgotten += store.retire(table, day) > 0
    return done


def roll_up(store: Store, day: str) -> bool:
    """Roll the measurements of a day up, where there are new ones since that was done last; whether
    it was."""
    begin_s = _begin_s(day)
    parts = [_parts_of(store, begin_s + k * DAY_S) for k in (0, 1)]
    note = " ".join(f"{mine[0].first}-{mine[-1].last}" for mine in parts if mine)
    if not parts[0] or all(store.note(table, day) == note for table in WINDOWS_S):
        return False
    pa = arrow()
    # what is measured at midnight ends the last interval of the day before
    first_s = begin_s + (1e-6 if _has(store, begin_s - DAY_S) else 0.0)
    rows = store.read("observations", None, first_s, begin_s + DAY_S)
    labels = rows["series"].combine_chunks()
    names, codes = labels.dictionary, labels.indices.to_numpy().astype(np.int64)
    time_us, value = rows["time"].cast(pa.int64()).to_numpy(), rows["value"].to_numpy()
    order = np.lexsort((time_us, codes))
    time_us, codes, value = time_us[order], codes[order], value[order]
    last = np.ones(len(codes), bool)  # what was kept again is counted once
    last[:-1] = (np.diff(codes) != 0) | (np.diff(time_us) != 0)
    for table, window_s in WINDOWS_S.items():
        found = rolled_up(time_us[last], codes[last], value[last], window_s)
        store.replace(table, day, _table(table, found, names), note)
    return True


def _parts_of(store: Store, begin_s: float) -> list[Part]:
    """The files of a day's measurements."""
    name = f"day={day_of(begin_s)}"
    found = store.parts("observations", begin_s, begin_s)
    return [part for part in found if part.path.parent.name == name]


def _has(store: Store, begin_s: float) -> bool:
    """Whether there are measurements of a day, or were, and are rolled up."""
    name = f"day={day_of(begin_s)}"
    return any(name in store.days(table) for table in ("observations", *WINDOWS_S))


def check(store: Store) -> list[str]:
    """What is wrong with a repository, one sentence each; empty where nothing is."""
    found: list[str] = []
    try:
        for table in TABLES:
            found += _lost(store, table)
    except FormatError as error:
        return [str(error)]
    found += store.damaged()
    for path in sorted(store.folder.glob(f"*/{PLACES}/.*")):
        found.append(f"{path}: a file that was never finished; repair removes it")
    return found


def repair(store: Store) -> list[str]:
    """Put damaged files apart and remove those that were never finished; what was done, one
    sentence each. What damaged files held is not brought back. The caller holds the repository."""
    done = []
    for path in store.damaged_files():
        place = store.folder / DAMAGED / path.relative_to(store.folder)
        moved(path, place)
        done.append(f"{path} is now {place}: look whether a copy of it is whole")
    for path in sorted(store.folder.glob(f"*/{PLACES}/.*")):
        path.unlink()
        done.append(f"{path} is removed: it was never finished")
    for path in _covered(store):
        path.unlink()
        done.append(f"{path} is removed: another file holds its rows")
    return done


def describe(store: Store) -> list[tuple[str, int, int, int]]:
    """Of each table its name, days, files and bytes."""
    found = []
    for table in TABLES:
        parts = store.parts(table)
        size = sum(part.path.stat().st_size for part in parts)
        found.append((table, len(store.days(table)), len(parts), size))
    return found


def _table(table: str, found: Rollup, names: object) -> object:
    pa = arrow()
    labels = pa.DictionaryArray.from_arrays(found.series.astype(np.int32), names)
    columns = [pa.array(found.time_us), labels, *map(pa.array, found[2:])]
    arrays = [c.cast(f.type) for c, f in zip(columns, schema(table), strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema(table))


def _lost(store: Store, table: str) -> Iterator[str]:
    """Appends that are in no file and were not forgotten."""
    here = sorted([(p.first, p.last) for p in store.parts(table)] + store.retired(table))
    upto = 0
    for first, last in here:
        if first > upto + 1:
            span = f"{upto + 1} to {first - 1}" if first > upto + 2 else f"{first - 1}"
            yield f"{store.folder / table}: append {span} is in no file; restore it from a copy"
        upto = max(upto, last)


def _covered(store: Store) -> list[Path]:
    """Whole files whose rows another file holds: their remover was killed."""
    used = {part.path for table in TABLES for part in store.parts(table)}
    damaged = set(store.damaged_files())
    every = {
        path for table in TABLES for path in (store.folder / table).glob(f"{PLACES}/*.parquet")
    }
    return sorted(one for one in every - used - damaged if one.parts[-3] in TABLES)


def _merge(store: Store, now_s: float) -> int:
    """Merge the days of months that are over and have few counters: how many months."""
    days = [day for day in store.days("counters") if day.startswith("day=")]
    months = sorted({day.removeprefix("day=")[:7] for day in days})
    merged = 0
    for month in months:
        if _end_s(f"month={month}") <= now_s:
            mine = [p for p in store.parts("counters") if month in p.path.parent.name]
            rows = sum(arrow().parquet.read_metadata(opened(part.path)).num_rows for part in mine)
            merged += rows <= MOST_MERGED and store.merge("counters", month) > 0
    return merged


def _begin_s(day: str) -> float:
    """When a day, or a month, begins."""
    text = day.partition("=")[2]
    whole = text if len(text) > 7 else f"{text}-01"
    return datetime.fromisoformat(whole).replace(tzinfo=UTC).timestamp()


def _end_s(day: str) -> float:
    """When a day, or a month, is over."""
    begin_s = _begin_s(day)
    if day.startswith("day="):
        return begin_s + DAY_S
    begin = datetime.fromtimestamp(begin_s, UTC)
    ahead = (begin.year + begin.month // 12, begin.month % 12 + 1)
    return datetime(*ahead, 1, tzinfo=UTC).timestamp()
