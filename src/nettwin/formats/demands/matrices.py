"""Matrices: the demands of a file as found, and the checks that make them a DemandSeries."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nettwin.errors import FormatError
from nettwin.formats.format import DemandSeries

MAX_VALUES = 2**25  # numbers in one array
MAX_NODES = 5000
TIMES = ("time", "times", "time_s", "times_s")
BPS = {"": 1.0, "k": 1e3, "m": 1e6, "g": 1e9, "t": 1e12}  # bit/s, by lower-case prefix


@dataclass
class Matrices:
    """What a file holds, before it is checked; `label` names the array or columns of demands,
    `listed` [nodes, nodes] are the pairs that a table names."""

    demand_bps: NDArray[np.float64]
    label: str
    times_s: NDArray[np.float64] | None = None
    nodes: tuple[str, ...] = ()
    listed: NDArray[np.bool_] | None = None
    assumptions: list[str] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)


def checked(path: Path, found: Matrices, interval_s: float) -> DemandSeries:
    """The series, if shapes, times and rates are what they must be."""
    demand, label = found.demand_bps, found.label
    wrong = ~np.isfinite(demand) | (demand < 0)
    if wrong.any():
        t, s, d = (int(k) for k in np.unravel_index(int(np.argmax(wrong)), demand.shape))
        ends = (found.nodes[s], found.nodes[d]) if found.nodes else (s, d)
        raise FormatError(
            path,
            f"{label} at time {t}, {ends[0]}->{ends[1]}",
            f"is {demand[t, s, d]:g}",
            "Give finite rates, 0 or more.",
        )
    if found.times_s is None:
        times = np.arange(len(demand), dtype=np.float64) * interval_s
        found.assumptions.append(f"times: none are given, taken as every {interval_s:g} s from 0")
    else:
        times = found.times_s
    bad = ~np.isfinite(times)
    bad[1:] |= np.diff(times) <= 0
    if bad.any():
        t = int(np.argmax(bad))
        raise FormatError(
            path,
            f"time {t}",
            f"is {times[t]:g} s, which is not later than the one before",
            "Give times in ascending order, each once.",
        )
    own = np.einsum("tii->ti", demand)
    if own.any():
        found.ignored.append("demands of nodes to themselves: they use no link")
        own[:] = 0.0
    notes = tuple(found.assumptions), tuple(found.ignored)
    return DemandSeries(times, demand, found.nodes, *notes, found.listed)
