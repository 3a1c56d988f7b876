"""Demands in npz files: bounded, without pickle."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nettwin.errors import FormatError
from nettwin.formats.demands.matrices import MAX_NODES, MAX_VALUES, TIMES, Matrices
from nettwin.formats.npz_arrays import npz_arrays

# names of the array of demands, and bit/s in one of its unit
ARRAYS = {
    "demand_bps": 1.0,
    "demand_kbps": 1e3,
    "demand_mbps": 1e6,
    "demand_gbps": 1e9,
    "demand": 1.0,
}
NODES = ("node", "nodes", "node_name", "node_names")
KNOWN = {*ARRAYS, *TIMES, *NODES}


def read_npz(path: Path) -> Matrices:
    """The matrices in an npz file, their times and nodes if it has them. Raises FormatError."""
    arrays, others = npz_arrays(path, KNOWN, MAX_VALUES)
    label = next((name for name in ARRAYS if name in arrays), "")
    if not label:
        held = ", ".join(sorted({*arrays, *others})[:10]) or "none"
        raise FormatError(
            path, "its arrays", f"are {held}", "Name the demands " + " or ".join(ARRAYS) + "."
        )
    values = arrays.pop(label)
    shape = values.shape
    if values.dtype.kind not in "fiu" or values.ndim not in (2, 3) or shape[-1] != shape[-2]:
        raise FormatError(
            path,
            label,
            f"is an array of {values.dtype} of shape {shape}",
            "Give numbers of shape (times, nodes, nodes).",
        )
    if not 0 < shape[-1] <= MAX_NODES or not 0 < values.size <= MAX_VALUES:
        raise FormatError(
            path,
            label,
            f"has shape {shape}",
            f"Give 1 to {MAX_NODES} nodes and 1 to {MAX_VALUES} numbers in total.",
        )
    demand = np.array(values, np.float64).reshape(-1, *shape[-2:]) * ARRAYS[label]
    found = Matrices(demand, label)
    if label == "demand":
        found.assumptions.append("unit of the array demand: bit/s, as its name tells none")
    found.times_s = _times_in(path, arrays, len(demand), found)
    found.nodes = _names_in(path, arrays, shape[-1])
    found.ignored += [f"the array {name[:60]}: not needed" for name in sorted({*arrays, *others})]
    return found


def _times_in(
    path: Path, arrays: dict[str, NDArray[Any]], count: int, found: Matrices
) -> NDArray[np.float64] | None:
    name = next((name for name in TIMES if name in arrays), "")
    if not name:
        return None
    times = arrays.pop(name)
    if times.dtype.kind not in "fiuM" or times.shape != (count,):
        raise FormatError(
            path,
            name,
            f"is an array of {times.dtype} of shape {times.shape}",
            f"Give {count} numbers or datetime64, one a matrix.",
        )
    if times.dtype.kind != "M":
        return times.astype(np.float64)
    found.assumptions.append("time zone of the times: UTC, as none is told")
    micro = times.astype("datetime64[us]")
    return np.where(np.isnat(micro), np.nan, micro.astype(np.int64) / 1e6)


def _names_in(path: Path, arrays: dict[str, NDArray[Any]], count: int) -> tuple[str, ...]:
    name = next((name for name in NODES if name in arrays), "")
    if not name:
        return ()
    values = arrays.pop(name)
    names = tuple(str(value) for value in values.reshape(-1).tolist())
    if len(set(names)) < len(names):
        raise FormatError(path, name, "names a node twice", "Give every node a name of its own.")
    if values.dtype.kind not in "Uiu" or values.shape != (count,):
        raise FormatError(
            path,
            name,
            f"is an array of {values.dtype} of shape {values.shape}",
            f"Give {count} names, one a node.",
        )
    return names
