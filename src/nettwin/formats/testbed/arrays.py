"""The flat arrays of a testbed file: read once, checked, cut into recordings."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nettwin.errors import FormatError
from nettwin.formats.npz_arrays import npz_arrays

MAX_VALUES = 20_000_000
LARGEST = 1e15
MAX_FLOWS, MAX_LINKS, MAX_HOPS = 10_000, 2_000, 64  # of a recording, and of a flow
FIRST = "scenario_file"
# name: kinds of numpy's dtype
ARRAYS = {
    FIRST: "US",
    "scenario_id": "iu",
    "flow_offset": "iu",
    "link_offset": "iu",
    "path_offset": "iu",
    "path_links": "iu",
    "link_capacity": "fiu",
    "delay_ms": "fiu",
    "flow_traffic": "fiu",
    "flow_packet_size": "fiu",
    "flow_type": "fiu",
    "flow_id": "US",
}
_LABEL = re.compile(r"\A(?:b')?(\d{1,4})_(\d{1,4})_(\d{1,4})'?\Z")
_WHOLE = "Get the file again; it may be cut short or damaged."
Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Recording:
    """One recorded scenario, in SI units."""

    name: str
    capacity_bps: NDArray[np.float64]  # [links]
    paths: tuple[tuple[int, ...], ...]  # [flows] the links of each
    ends: tuple[tuple[int, int], ...]  # [flows] the routers where each comes in and goes out
    flow_name: tuple[str, ...]  # [flows]
    rate_bps: NDArray[np.float64]  # [flows]
    size_bits: NDArray[np.float64]  # [flows]
    bursts: NDArray[np.bool_]  # [flows]
    delay_s: NDArray[np.float64]  # [flows]


@dataclass(frozen=True)
class Recordings:
    """A file: its flat arrays."""

    path: Path
    arrays: Arrays

    def __len__(self) -> int:
        return len(self.arrays["scenario_id"])

    def recording(self, number: int) -> Recording:
        """One scenario. Raises FormatError where its values cannot be."""
        a, place = self.arrays, f"scenario {number}"
        flows = _span(a["flow_offset"], number)
        links = _span(a["link_offset"], number)
        capacity = self._positive("link_capacity", links, place) * 1e9
        label = f"{a[FIRST][number]}"[:100]
        names, ends = self._labels(flows, place)
        return Recording(
            f"{label.removesuffix('.tar.gz')} {int(a['scenario_id'][number])}",
            capacity,
            self._paths(flows, len(capacity), place),
            ends,
            names,
            self._positive("flow_traffic", flows, place),
            self._positive("flow_packet_size", flows, place),
            self._bursts(flows, place),
            self._positive("delay_ms", flows, place) / 1e3,
        )

    def _positive(self, name: str, span: slice, place: str) -> NDArray[np.float64]:
        values = self.arrays[name][span].reshape(-1).astype(np.float64)
        bad = np.flatnonzero(~((values > 0) & (values <= LARGEST)))
        if len(bad):
            reason = f"is {values[bad[0]]:g}: must be above 0 and at most {LARGEST:g}"
            raise FormatError(self.path, f"{place}, {name} {bad[0]}", reason, "Correct it.")
        return values

    def _bursts(self, flows: slice, place: str) -> NDArray[np.bool_]:
        kind = self.arrays["flow_type"][flows]
        bad = np.flatnonzero(~(np.isin(kind, (0, 1)).all(1) & (kind.sum(1) == 1)))
        if len(bad):
            raise FormatError(
                self.path,
                f"{place}, flow_type {bad[0]}",
                f"is {kind[bad[0]].tolist()}: must be (1, 0) for a constant rate or (0, 1)",
                "Correct it.",
            )
        return kind[:, 1] > 0

    def _paths(self, flows: slice, links: int, place: str) -> tuple[tuple[int, ...], ...]:
        offset, taken = self.arrays["path_offset"], self.arrays["path_links"]
        out = []
        for f in range(flows.start, flows.stop):
            path = tuple(taken[_span(offset, f)].tolist())
            if not 0 < len(path) <= MAX_HOPS:
                reason = f"has {len(path)} links: must be 1 to {MAX_HOPS}"
            elif not 0 <= min(path) <= max(path) < links:
                reason = f"takes link {max(path)}: must be below {links}"
            else:
                out.append(path)
                continue
            where = f"{place}, path {f - flows.start}"
            raise FormatError(self.path, where, reason, "Correct path_links.")
        return tuple(out)

    def _labels(
        self, flows: slice, place: str
    ) -> tuple[tuple[str, ...], tuple[tuple[int, int], ...]]:
        names: dict[str, tuple[int, int]] = {}
        for f, label in enumerate(self.arrays["flow_id"][flows].tolist()):
            found = _LABEL.match(label if isinstance(label, str) else label.decode("latin-1"))
            name = f"r{found[1]}->r{found[2]}#{found[3]}" if found else ""
            if not found or name in names or found[1] == found[2]:
                raise FormatError(
                    self.path,
                    f"{place}, flow_id {f}",
                    f"is {str(label)[:40]!r}: must be SOURCE_TARGET_NUMBER, each once",
                    "Correct it.",
                )
            names[name] = (int(found[1]), int(found[2]))
        return tuple(names), tuple(names.values())


def read_recordings(path: Path) -> Recordings:
    """The arrays of a file, with what holds for all of them checked. Raises FormatError."""
    arrays, _ = npz_arrays(path, ARRAYS, MAX_VALUES)
    missing = [name for name in ARRAYS if name not in arrays]
    if missing:
        raise FormatError(path, "its arrays", f"lack {', '.join(missing)}", _WHOLE)
    for name, kinds in ARRAYS.items():
        if arrays[name].dtype.kind not in kinds or not arrays[name].ndim:
            raise FormatError(path, name, f"is an array of {arrays[name].dtype}", _WHOLE)
    scenarios = len(arrays["scenario_id"])
    flows = _offsets(path, arrays, "flow_offset", scenarios, MAX_FLOWS)
    links = _offsets(path, arrays, "link_offset", scenarios, MAX_LINKS)
    hops = _offsets(path, arrays, "path_offset", flows, MAX_HOPS)
    shapes = {
        (scenarios,): (FIRST, "scenario_id"),
        (links,): ("link_capacity",),
        (hops,): ("path_links",),
        (flows,): ("delay_ms", "flow_id", "flow_traffic", "flow_packet_size"),
        (flows, 2): ("flow_type",),
    }
    for shape, names in shapes.items():
        for name in names:
            got = arrays[name].shape
            column = (*shape, 1) if name.startswith("flow_") and name != "flow_id" else shape
            if got not in (shape, column):
                reason = f"has the shape {got}: must be {shape}"
                raise FormatError(path, name, reason, _WHOLE)
    return Recordings(path, arrays)


def _offsets(path: Path, arrays: Arrays, name: str, count: int, most: int) -> int:
    """How many elements an array of offsets covers, after checking that it can be one."""
    offset = arrays[name]
    steps = np.diff(offset.astype(np.int64)) if offset.ndim == 1 else np.zeros(0, np.int64)
    if (
        offset.shape != (count + 1,)
        or offset[0] != 0
        or steps.min(initial=1) < 1
        or steps.max(initial=1) > most
    ):
        raise FormatError(
            path,
            name,
            f"has the shape {offset.shape} or steps outside 1 to {most}: must be"
            f" {count + 1} ascending numbers from 0",
            _WHOLE,
        )
    return int(offset[-1])


def _span(offset: NDArray[Any], number: int) -> slice:
    return slice(int(offset[number]), int(offset[number + 1]))
