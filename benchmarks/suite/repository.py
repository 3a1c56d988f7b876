"""repository: what a row of history costs, to keep, to roll up and to find."""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

from benchmarks.benchmark import (
    Figure,
    Options,
    Outcome,
    Skipped,
    at_least,
    at_most,
    cpu_seconds,
    say,
)
from nettwin.repository.dense import Columns
from nettwin.repository.maintenance import Retention, maintain
from nettwin.repository.repository import Repository
from nettwin.repository.rollups import WINDOWS_S, rolled_up
from nettwin.repository.store import Store
from nettwin.repository.talkers import talkers_of

TITLE = "The data repository: bytes a row, ingestion, rollups, and one link's day of a year"
PROTOCOL = (
    "`--data DIR` holds NAME.npz with `demand_bps` [time, node, node]: what each pair of nodes "
    "sent is counted in octets, from a random beginning, and kept as (time, series, value), "
    "exactly and within 1 % (verified); the bytes are those of all files after maintenance, over "
    "the rows. Parquet's delta encoding with zstd of the values alone is measured beside it. "
    "Ingestion: Arrow batches of 1,200 series, each on the disk before the next (processor time of "
    "one core). The rollup is of 5 million rows of 1,200 series to 5 minutes and an hour. One "
    "link's day: from a year of 5-minute counters of 1,200 series, warm (median of 20 days). Flow "
    "records: 300,000 of a heavy-tailed mix in an interval; the error of a sketch is the worst of "
    "all its flows, as a share of what the sketch holds."
)
BYTES_EXACT, BYTES_BOUNDED, ERROR = 3.4, 1.0, 0.01
SERIES, BATCH, BATCHES = 1200, 100_000, 20
ROLLED = 5_000_000
RECORDS, MOST_BYTES, MOST_SKETCH_ERROR = 300_000, 20.0, 0.02
BEGIN_S = 1767225600


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--days", type=int, default=365, help="days of the year that is searched")


def run(options: Options) -> Outcome:
    """Measure; `--limit` is the number of files of --data."""
    if options.data is None:
        raise Skipped("it needs --data DIR with NAME.npz of traffic matrices")
    figures = [*sizes(options), ingest(), rollup(), one_day(options.extra.get("days", 365))]
    return Outcome((*figures, *flow_records()))


def sizes(options: Options) -> Iterator[Figure]:
    """Bytes a row of the counters of each file, the worst of all."""
    exact, bounded = {}, {}
    assert options.data is not None
    for path in sorted(options.data.glob("*.npz"))[: options.limit]:
        columns, names = counters(path)
        if not names:
            continue
        exact[path.stem] = bytes_a_row(columns, names, 0.0)
        bounded[path.stem] = bytes_a_row(columns, names, ERROR)
        delta = of_parquet(columns.value)
        say(
            f"{path.stem}: {exact[path.stem]:.3f} exact, {bounded[path.stem]:.3f} bounded,"
            f" {delta:.3f} as Parquet has the values alone"
        )
        yield Figure(f"exact bytes: {path.stem}", exact[path.stem], "bytes")
        yield Figure(f"bounded bytes: {path.stem}", bounded[path.stem], "bytes")
        yield Figure(f"delta and zstd, values alone: {path.stem}", delta, "bytes")
    if not exact:
        raise Skipped("no file of --data holds demand_bps")
    yield at_most("worst: exact bytes", max(exact.values()), BYTES_EXACT, "bytes")
    yield at_most("worst: bounded bytes", max(bounded.values()), BYTES_BOUNDED, "bytes")


def counters(path: Path) -> tuple[Columns, list[str]]:
    """What each pair of nodes sent, as counters of octets; no names where there are none."""
    with np.load(path, allow_pickle=False) as file:
        if "demand_bps" not in file or "time" not in file:
            return Columns(*(np.zeros(0, np.int64) for _ in range(3))), []
        demand = file["demand_bps"]
        time_us = file["time"].astype("datetime64[us]").astype(np.int64)
    step_s = np.median(np.diff(time_us)) / 1e6
    pairs = demand.reshape(len(demand), -1)
    pairs = pairs[:, pairs.max(axis=0) > 0]
    octets = np.rint(pairs * float(step_s) / 8).astype(np.int64)
    begin = np.random.default_rng(0).integers(0, 2**40, octets.shape[1])
    value = np.cumsum(octets, axis=0) + begin
    count = octets.shape[1]
    names = [f"pair/{k}/octets" for k in range(count)]
    return (
        Columns(
            np.tile(time_us, count),
            np.repeat(np.arange(count), len(time_us)),
            np.ascontiguousarray(value.T).ravel(),
        ),
        names,
    )


def bytes_a_row(columns: Columns, names: list[str], error: float) -> float:
    """The bytes of a repository that holds counters alone, compacted."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder), relative_error=error)
        store.ingest("counters", table(columns, names))
        maintain(store, float(columns.time_us.max()) / 1e6 + 40 * 86400, Retention(counters=0))
        size = sum(part.path.stat().st_size for part in store.parts("counters"))
        if not error:
            assert store.read("counters")["value"].to_numpy().sum() == columns.value.sum()
    return size / len(columns.value)


def table(columns: Columns, names: list[str]) -> pa.Table:
    """Rows as they are ingested."""
    return pa.table(
        {
            "time": pa.array(columns.time_us).cast(pa.timestamp("us", tz="UTC")),
            "series": pa.DictionaryArray.from_arrays(columns.series.astype(np.int32), names),
            "value": columns.value,
        }
    )


def of_parquet(value: np.ndarray) -> float:
    """Bytes a value, by Parquet's delta encoding and zstd."""
    import io

    import pyarrow.parquet as pq

    file = io.BytesIO()
    encoding = {"v": "DELTA_BINARY_PACKED"}
    pq.write_table(
        pa.table({"v": value}), file, compression="zstd", use_dictionary=False,
        column_encoding=encoding,
    )  # fmt: skip
    return len(file.getvalue()) / len(value)


def ingest() -> Figure:
    """Rows a second of durable batches."""
    names = pa.array([f"link/L{k}/out_octets" for k in range(SERIES)])
    draw = np.random.default_rng(0)
    batches = []
    for k in range(BATCHES):
        stamps = BEGIN_S * 10**6 + (np.arange(BATCH) // SERIES + k * (BATCH // SERIES + 1)) * 10**7
        codes = (np.arange(BATCH) % SERIES).astype(np.int32)
        batches.append(
            pa.record_batch(
                {
                    "time": pa.array(stamps).cast(pa.timestamp("us", tz="UTC")),
                    "series": pa.DictionaryArray.from_arrays(codes, names),
                    "value": draw.integers(0, 2**50, BATCH),
                }
            )
        )
    with tempfile.TemporaryDirectory() as folder:
        kept = Repository(Path(folder))
        with kept.writing():
            kept.counters(batches[0])
            seconds = cpu_seconds(lambda: [kept.counters(batch) for batch in batches[1:]])
    return at_least("ingest", (BATCHES - 1) * BATCH / seconds, 1e6, "rows/s")


def rollup() -> Figure:
    """Processor time of rolling 5 million rows up, to 5 minutes and to an hour."""
    per = ROLLED // SERIES
    time_us = np.tile(np.arange(per) * 10**7 + BEGIN_S * 10**6, SERIES)
    series = np.repeat(np.arange(SERIES), per)
    value = np.random.default_rng(0).lognormal(size=len(series))
    rolled_up(time_us[:10], series[:10], value[:10], 300)  # compiled
    seconds = cpu_seconds(
        lambda: [rolled_up(time_us, series, value, w) for w in WINDOWS_S.values()]
    )
    return at_most("rollup of 5 M rows", seconds, 1.0, "s")


def one_day(days: int) -> Figure:
    """The median time to read the counters of one link in one day of a year."""
    per = 288
    names = [f"link/L{k}/out_octets" for k in range(SERIES)]
    draw = np.random.default_rng(0)
    rate = draw.lognormal(16, 1, (SERIES, 1))
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder))
        for day in range(days):
            grown = rate * draw.lognormal(0, 0.2, (SERIES, per))
            value = np.cumsum(grown.astype(np.int64), axis=1)
            stamps = (BEGIN_S + day * 86400 + 300 * np.arange(per)) * 10**6
            codes = np.repeat(np.arange(SERIES), per)
            columns = Columns(np.tile(stamps, SERIES), codes, value.ravel())
            store.ingest("counters", table(columns, names))
            date = np.datetime64(BEGIN_S + day * 86400, "s").astype("datetime64[D]")
            store.compact("counters", f"day={date}")
            if day % 50 == 49:
                say(f"{day + 1} days written")
        took = []
        for k in range(25):
            begin = BEGIN_S + (k * 14 % days) * 86400
            before = time.perf_counter()
            found = store.read("counters", [names[k * 47]], begin, begin + 86399)
            took.append(time.perf_counter() - before)
            assert found.num_rows == per
    return at_most("one link's day of a year", float(np.median(took[5:])), 0.05, "s")


def flow_records() -> tuple[Figure, Figure]:
    """Bytes a flow record, and the worst error of a sketch."""
    draw = np.random.default_rng(1)
    octets = (64 * (1 + draw.pareto(1.1, RECORDS))).astype(np.int64)
    hosts = draw.integers(0, 2**24, (RECORDS, 2))
    keys = [
        f"10.{a >> 16}.{a >> 8 & 255}.{a & 255} 10.{b >> 16}.{b >> 8 & 255}.{b & 255} 6 443"
        for a, b in hosts.tolist()
    ]
    found = talkers_of(keys, octets)
    truth: dict[str, int] = {}
    for key, size in zip(keys, octets.tolist(), strict=True):
        truth[key] = truth.get(key, 0) + size
    small = [key for key in truth if key not in set(found.key)]
    over = found.octets_of(small) - np.array([truth[key] for key in small])
    with tempfile.TemporaryDirectory() as folder:
        kept = Repository(Path(folder))
        kept.talked(float(BEGIN_S), found)
        size = sum(p.stat().st_size for p in Path(folder).rglob("*.parquet"))
    error = float(np.abs(over).max()) / found.rest
    return (
        at_most("bytes a record", size / RECORDS, MOST_BYTES, "bytes"),
        at_most("worst sketch error", error, MOST_SKETCH_ERROR),
    )
