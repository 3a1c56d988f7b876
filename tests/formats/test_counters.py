"""Counters in CSV and Parquet files: every layout says the same; what is wrong is told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nettwin.errors import FormatError, UnknownNameError
from nettwin.formats.counters import read_counters
from nettwin.scenario.topology import Link, Topology

TOPOLOGY = Topology.build(["A", "B"], [Link("A", "B", 1e9), Link("B", "A", 1e9)])
WIDE = "time,A->B [Mbit/s],B->A [Mbit/s],->A [kbit/s],B->\n0,1,2,3000,4e6\n300,1.5,,3,\n"
LONG = """\
time,link,rate_mbps
1970-01-01T00:00:00Z,A->B,1
1970-01-01T00:00:00Z,B->A,2
1970-01-01T00:00:00Z,->A,3
1970-01-01T00:00:00Z,B->,4
1970-01-01T00:05:00Z,A->B,1.5
1970-01-01T00:05:00Z,->A,0.003
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "counters.csv"
    path.write_text(text)
    return path


@pytest.mark.parametrize("text", [WIDE, LONG])
def test_wide_and_long_say_the_same(tmp_path: Path, text: str) -> None:
    found = read_counters(written(tmp_path, text), TOPOLOGY)
    np.testing.assert_array_equal(found.times_s, [0.0, 300.0])
    np.testing.assert_allclose(found.link_bps, [[1e6, 2e6], [1.5e6, np.nan]])
    np.testing.assert_allclose(found.entering_bps, [[3e6, np.nan], [3e3, np.nan]])
    np.testing.assert_allclose(found.leaving_bps, [[np.nan, 4e6], [np.nan, np.nan]])


def test_parquet_wide_and_of_the_repository(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    pq = pytest.importorskip("pyarrow.parquet")
    times = pa.array([300_000_000, 0], pa.timestamp("us", tz="UTC"))
    path = tmp_path / "wide.parquet"
    pq.write_table(pa.table({"time": times, "A->B": [1.5e6, 1e6], "B->A": [None, 2e6]}), path)
    wide = read_counters(path, TOPOLOGY)
    np.testing.assert_allclose(wide.link_bps, [[1e6, 2e6], [1.5e6, np.nan]])
    series = ["link/A->B/throughput_bps", "link/A->B/utilization"]
    pq.write_table(pa.table({"time": times, "series": series, "value": [1.5e6, 0.1]}), path)
    kept = read_counters(path, TOPOLOGY)
    np.testing.assert_allclose(kept.link_bps, [[1.5e6, np.nan]])


def test_an_unknown_link_is_told_with_near_ones(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match=r"A->C.*did you mean.*A->B"):
        read_counters(written(tmp_path, "time,A->C\n0,1\n"), TOPOLOGY)
    with pytest.raises(UnknownNameError, match='no node "C"'):
        read_counters(written(tmp_path, "time,->C\n0,1\n"), TOPOLOGY)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("time,A->B\n0,-1\n", r"line 2: the counter is '-1'\. Give a rate, 0 or more"),
        ("time,A->B\n0,many\n", "line 2: the counter is 'many'"),
        ("time,A->B\n0,inf\n", "line 2: the counter is 'inf'"),
        ("time,A->B\n0,1,2\n", "line 2: has 3 fields where the header has 2"),
        ("time,A->B,A->B\n0,1,2\n", "has a counter twice"),
        ("time,A->B\n0,1\n0,1\n", "a second value of one counter"),
        ("A->B\n1\n", "has no column time"),
        ("time\n1\n", "has no counter"),
        ("time,A->B\n", "holds no counter"),
        ("time,A->B\n0,\n", "holds no counter"),
        ("time,link,x\n0,A->B,1\n", "Give time, link and one rate"),
    ],
)
def test_bad_files_are_told(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(FormatError, match=told):
        read_counters(written(tmp_path, text), TOPOLOGY)


def test_a_parquet_file_that_is_none_is_called_so(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "junk.parquet"
    path.write_bytes(bytes(range(256)))
    with pytest.raises(FormatError, match="is not a whole Parquet file"):
        read_counters(path, TOPOLOGY)
