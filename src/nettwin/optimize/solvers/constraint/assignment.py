"""Assignment: the path of each flow, and others that it may take, as loads on links."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

_LEAST = 1e-300  # of a number that divides


class Candidate(NamedTuple):
    """One path of one flow: its midpoints or its links as `key`, and the load on each link."""

    key: tuple[int, ...] | None  # None: not an explicit path, but where the common routing leads
    link: NDArray[np.int64]  # [entries]; a link may stand twice
    load_bps: NDArray[np.float64]  # [entries]
    changed: bool  # differs from the start


class Assignment(Protocol):
    """The flows that may be moved, what each of them takes now, and what it could take."""

    load_bps: NDArray[np.float64]  # [links], of everything, on the paths of now
    fixed_bps: NDArray[np.float64]  # [links], of what cannot be moved
    capacity_bps: NDArray[np.float64]  # [links]
    flows: NDArray[np.int64]  # those that may be moved
    changed: int  # how many flows differ from the start
    most_changes: int  # how many may; -1: any number

    def pays(self, price: NDArray[np.float64]) -> NDArray[np.float64]:
        """What each of `flows` pays for all its traffic when links have prices. [flows]"""

    def offered(
        self, flows: NDArray[np.int64], price: NDArray[np.float64]
    ) -> list[list[Candidate]]:
        """For each of some flows the paths that keep its limits: that of now, then cheap ones."""

    def every(self, most: int) -> list[list[Candidate]] | None:
        """All paths of all flows that keep limits; None where there are more than `most`."""

    def now(self, flow: int) -> Candidate:
        """The path of a flow now."""

    def breaking(self) -> NDArray[np.int64]:
        """Those of `flows` whose paths of now break their limits."""

    def take(self, flow: int, path: Candidate) -> None:
        """Put a flow on a path; loads follow."""

    def leave_alone(self, flows: NDArray[np.int64]) -> None:
        """Some of `flows` stay where they are from now on."""


def top_of(paths: Assignment) -> float:
    """The highest utilization now."""
    return float((paths.load_bps / paths.capacity_bps).max(initial=0.0))


def shifted(
    load_bps: NDArray[np.float64], paths: Sequence[Candidate], sign: float
) -> NDArray[np.float64]:
    """Loads with those of paths added, or taken away (`sign` -1). [links]"""
    if not paths:
        return load_bps.copy()
    link = np.concatenate([path.link for path in paths])
    load = np.concatenate([path.load_bps for path in paths])
    return np.asarray(load_bps + sign * np.bincount(link, load, load_bps.size))


def different(paths: Sequence[Candidate]) -> list[Candidate]:
    """The paths without those that put the same loads on the same links as one before; where one
    of them is that of the start, it stands for them."""
    found: dict[tuple[bytes, bytes], Candidate] = {}
    for path in paths:
        link, at = np.unique(path.link, return_inverse=True)
        load = np.bincount(at, path.load_bps, len(link))
        part = np.round(load / max(load.max(initial=0.0), _LEAST), 9)
        same = (link.tobytes(), part.tobytes())
        if same not in found or not path.changed:
            found[same] = path
    return list(found.values())
