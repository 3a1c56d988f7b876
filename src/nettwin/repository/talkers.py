"""Talkers: flow records of an interval in little room. Most flows are short and small: the largest
are kept exactly, all others in a count-min sketch (Cormode and Muthukrishnan 2005), which never
tells too little, and tells too much by at most e/width of what it holds, with probability
1 - exp(-depth) for each flow."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nettwin.errors import InputError

WIDTH, DEPTH, EXACT = 2048, 4, 1000
_ODD = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0xD6E8FEB86659FD93)
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Talkers:
    """The flows of an interval: the largest by name with their octets, and a sketch of the rest."""

    key: tuple[str, ...]
    octets: Ints  # [keys], most first
    cells: Ints  # [depth, width]
    rest: int  # octets that the sketch holds
    records: int  # flow records that all this was made of

    @property
    def stated_error(self) -> float:
        """The share of `rest` by which a flow of the sketch may be told too large."""
        return float(np.e / self.cells.shape[1])

    def octets_of(self, keys: Sequence[str]) -> Ints:
        """What flows carried: exact for the largest, at least the truth for the others. [keys]"""
        exact = dict(zip(self.key, self.octets.tolist(), strict=True))
        width = self.cells.shape[1]
        rows = [cells[place] for cells, place in zip(self.cells, _places(keys, width), strict=True)]
        guess = np.min(rows, axis=0) if len(keys) else np.zeros(0, np.int64)
        return np.array(
            [exact.get(k, g) for k, g in zip(keys, guess.tolist(), strict=True)], np.int64
        )

    def packed(self) -> bytes:
        """The sketch in few bytes: its numbers split into their bytes and compressed."""
        planes = np.ascontiguousarray(self.cells.astype("<i8").view(np.uint8).reshape(-1, 8).T)
        return zlib.compress(planes.tobytes(), 9)


def unpacked(content: bytes, depth: int) -> Ints:
    """The cells of a sketch that was packed."""
    planes = np.frombuffer(zlib.decompress(content), np.uint8).reshape(8, -1)
    return np.ascontiguousarray(planes.T).view("<i8").reshape(depth, -1).astype(np.int64)


def talkers_of(
    keys: Sequence[str] | NDArray[Any],
    octets: Ints,
    *,
    exact: int = EXACT,
    width: int = WIDTH,
    depth: int = DEPTH,
) -> Talkers:
    """The talkers of flow records: several records of one key are one flow.

    Raises InputError where octets are negative or a size is out of range.
    """
    import pandas as pd

    if not 1 <= depth <= len(_ODD) or width < 16 or width & (width - 1):
        raise InputError(
            f"a sketch of depth {depth} and width {width}: must be of depth 1 to {len(_ODD)} and a"
            " width that is a power of 2, at least 16. Correct it."
        )
    if len(octets) and int(np.min(octets)) < 0:
        raise InputError("octets of a flow record are below 0. Correct the records.")
    codes, names = pd.factorize(np.asarray(keys, dtype=object))
    total = np.bincount(codes, octets, len(names)).astype(np.int64)
    order = np.argsort(-total, kind="stable")
    large, small = order[:exact], order[exact:]
    cells = np.zeros((depth, width), np.int64)
    for row, place in zip(cells, _places(names[small].tolist(), width)[:depth], strict=True):
        row += np.bincount(place, total[small], width).astype(np.int64)
    return Talkers(
        tuple(map(str, names[large])), total[large], cells, int(total[small].sum()), len(codes)
    )


def _places(keys: Sequence[str], width: int) -> list[NDArray[np.intp]]:
    """The cell of each key in each row of a sketch: the same on every machine."""
    import pandas as pd

    hashed = pd.util.hash_array(np.asarray(keys, dtype=object), categorize=False)
    shift = np.uint64(64 - int(width).bit_length() + 1)
    with np.errstate(over="ignore"):
        return [((hashed * np.uint64(odd)) >> shift).astype(np.intp) for odd in _ODD]
