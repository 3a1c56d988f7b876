"""Polling: what a source that keeps nothing told, kept as counters, and the intervals of it.

Each poll is on the disk before the next. An interval is what two polls make, also where they are
of two runs: `nettwin data collect` may run once every few minutes, or go on for a day.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from urllib.parse import quote, unquote

import numpy as np

from nettwin.apps.collection import MARGIN_S, Collected, Telemetry, landed
from nettwin.errors import BusyError, SourceError
from nettwin.repository.repository import Repository
from nettwin.repository.tables import arrow, micros
from nettwin.scenario.scenario import Scenario
from nettwin.telemetry.links import TooFewSamples, link_loads
from nettwin.telemetry.polling import Polled, Samples, ticks
from nettwin.telemetry.series import Port, Series
from nettwin.telemetry.source_file import SourceFile

FIRST_POLLS = 2  # where none of so many is answered, the source is down
HALF, WHOLE = 2.0**63, 2.0**64  # counters of 64 bits, as whole numbers with a sign


def collect_polled(
    source: Polled,
    file: SourceFile,
    scenario: Scenario,
    repository: Repository,
    until_s: float,
    writing: Callable[[], AbstractContextManager[object]],
    told: list[str],
) -> Iterator[Collected | None]:
    """Poll a source until a time and keep what it tells: after each poll the intervals that it
    completed, None where it completed none. `writing` is held while something is written; while
    another process writes, polls wait in memory. Polls that nothing answers are told. Raises
    SourceError where nothing ever answers, BusyError where the other process does not end; what was
    kept before stays.
    """
    waiting: list[Samples] = []
    failed: list[str] = []
    busy: BusyError | None = None
    count = 0
    for number in ticks(source.every_s, until_s):
        try:
            samples = source.poll()
        except SourceError as error:
            if not count and number >= FIRST_POLLS:
                raise
            failed.append(str(error))
            last = error
            continue
        count += 1
        waiting.append(samples)
        try:
            with writing():
                for one in waiting:
                    keep(repository, one)
                waiting.clear()
                now_s = max(at for at, _ in samples.values())
                yield _land(file, scenario, repository, file.interval_s or source.every_s, now_s)
        except BusyError as error:
            busy = error
    if not count:
        raise last
    if failed:
        told.append(f"{len(failed)} of {len(failed) + count} polls failed, the last: {failed[-1]}")
    if waiting and busy:
        raise busy


def _land(
    file: SourceFile, scenario: Scenario, repository: Repository, interval_s: float, now_s: float
) -> Collected | None:
    """The intervals that are complete since the history's last one."""
    times = repository.times_s()
    times = times[times <= now_s]
    since_s = float(times[-1]) if len(times) else -np.inf
    margin_s = max(MARGIN_S, 3 * interval_s)
    begin_s = (since_s if len(times) else now_s) - margin_s
    try:
        loads = link_loads(
            kept(repository, begin_s, now_s),
            scenario.topology,
            file.names,
            interval_s=interval_s,
            since_s=since_s,
        )
    except TooFewSamples:
        return None
    known = np.isfinite(loads.bps).any(axis=1)
    if not known.any():
        return None
    rows = landed(loads, scenario, repository)
    return Collected(Telemetry(loads), rows, int(known.sum()))


def keep(repository: Repository, samples: Samples) -> int:
    """Keep samples as counters; the number of rows when all are on the disk."""
    pa = arrow()
    names = [_name(port, quantity) for port, quantity in samples]
    value = np.array([value for _, value in samples.values()])
    whole = np.where(value >= HALF, value - WHOLE, value)
    rows = {
        "time": pa.array([micros(at) for at, _ in samples.values()]).cast(
            pa.timestamp("us", tz="UTC")
        ),
        "series": pa.array(names).dictionary_encode(),
        "value": np.rint(whole).astype(np.int64),
    }
    return repository.counters(pa.table(rows))


def kept(repository: Repository, since_s: float, until_s: float) -> Iterator[Series]:
    """The series of what was kept of polls."""
    rows = repository.store.read("counters", None, since_s, until_s)
    if not rows.num_rows:
        return
    pa = arrow()
    labels = rows["series"].combine_chunks()
    code = labels.indices.to_numpy()
    time_s = rows["time"].cast(pa.int64()).to_numpy() / 1e6
    value = rows["value"].to_numpy().astype(np.float64)
    for place, name in enumerate(labels.dictionary.to_pylist()):
        key = _key(name)
        mine = code == place
        if key and mine.any():
            one = value[mine]
            yield Series(*key, time_s[mine], np.where(one < 0, one + WHOLE, one))


def _name(port: Port, quantity: str) -> str:
    return f"port/{quote(port.device, safe='')}/{quote(port.interface, safe='')}/{quantity}"


def _key(name: str) -> tuple[Port, str] | None:
    parts = name.split("/")
    if len(parts) != 4 or parts[0] != "port":
        return None
    return Port(unquote(parts[1]), unquote(parts[2])), parts[3]
