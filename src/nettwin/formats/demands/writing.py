"""Demands written as npz or CSV, with the bounds of their intervals where there are any."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nettwin.errors import InputError
from nettwin.formats.files import write_bytes, write_text
from nettwin.formats.format import DemandSeries

SUFFIXES = (".npz", ".csv")
CALENDAR_S = 1e8  # a time from which on seconds count from 1970


def write_demands(
    path: Path, series: DemandSeries, bounds: Mapping[str, NDArray[np.float64]] | None = None
) -> None:
    """Write traffic matrices so that `read_demands` reads them: npz, or CSV with a line a time and
    pair. `bounds` are further arrays or columns, such as `low_bps`, of the demands' shape.

    Raises InputError for another suffix.
    """
    more = dict(bounds or {})
    if path.suffix.lower() == ".npz":
        write_bytes(path, _packed(series, more))
    elif path.suffix.lower() == ".csv":
        write_text(path, _table(series, more))
    else:
        raise InputError(f"demands are written as .npz or .csv, not {path.suffix or 'no suffix'}.")


def _packed(series: DemandSeries, more: Mapping[str, NDArray[np.float64]]) -> bytes:
    times: NDArray[Any] = series.times_s
    if len(times) and times[0] >= CALENDAR_S:
        times = np.round(times * 1e6).astype(np.int64).astype("datetime64[us]")
    arrays: dict[str, Any] = {"time": times, "node": np.array(series.node_name)}
    content = io.BytesIO()
    np.savez_compressed(content, **{**arrays, "demand_bps": series.demand_bps, **more})
    return content.getvalue()


def _table(series: DemandSeries, more: Mapping[str, NDArray[np.float64]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["time", "source", "target", "rate_bps", *more])
    names = series.node_name
    pairs = [(s, d) for s in range(len(names)) for d in range(len(names)) if s != d]
    for k, time in enumerate(series.times_s.tolist()):
        calendar = datetime.fromtimestamp(time, UTC).isoformat() if time >= CALENDAR_S else time
        for s, d in pairs:
            row = [f"{values[k, s, d]:.6g}" for values in (series.demand_bps, *more.values())]
            writer.writerow([calendar, names[s], names[d], *row])
    return text.getvalue()
