"""Ways: what a flow may take, as the load that it puts on links; midpoints and paths alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

_LEAST = 1e-300  # of a number that divides


class Way(NamedTuple):
    """One way of one flow: its midpoints or its links as `key`, and the load on each link."""

    key: tuple[int, ...] | None  # None: not an explicit path, but where the common routing leads
    link: NDArray[np.int64]  # [entries]; a link may stand twice
    load_bps: NDArray[np.float64]  # [entries]
    changed: bool  # differs from the start


class Ways(Protocol):
    """The flows that may be moved, what each of them takes now, and what it could take."""

    load_bps: NDArray[np.float64]  # [links], of everything, on the ways of now
    fixed_bps: NDArray[np.float64]  # [links], of what cannot be moved
    capacity_bps: NDArray[np.float64]  # [links]
    flows: NDArray[np.int64]  # those that may be moved
    changed: int  # how many flows differ from the start
    most_changes: int  # how many may; -1: any number

    def pays(self, price: NDArray[np.float64]) -> NDArray[np.float64]:
        """What each of `flows` pays for all its traffic when links have prices. [flows]"""

    def offered(self, flows: NDArray[np.int64], price: NDArray[np.float64]) -> list[list[Way]]:
        """For each of some flows the ways that keep its limits: that of now, then cheap ones."""

    def every(self, most: int) -> list[list[Way]] | None:
        """All ways of all flows that keep limits; None where there are more than `most`."""

    def now(self, flow: int) -> Way:
        """The way of a flow now."""

    def breaking(self) -> NDArray[np.int64]:
        """Those of `flows` whose ways of now break their limits."""

    def take(self, flow: int, way: Way) -> None:
        """Put a flow on a way; loads follow."""

    def leave_alone(self, flows: NDArray[np.int64]) -> None:
        """Some of `flows` stay where they are from now on."""


def top_of(ways: Ways) -> float:
    """The highest utilization now."""
    return float((ways.load_bps / ways.capacity_bps).max(initial=0.0))


def shifted(load_bps: NDArray[np.float64], ways: Sequence[Way], sign: float) -> NDArray[np.float64]:
    """Loads with those of ways added, or taken away (`sign` -1). [links]"""
    if not ways:
        return load_bps.copy()
    link = np.concatenate([way.link for way in ways])
    load = np.concatenate([way.load_bps for way in ways])
    return np.asarray(load_bps + sign * np.bincount(link, load, load_bps.size))


def different(ways: Sequence[Way]) -> list[Way]:
    """The ways without those that put the same loads on the same links as one before; where one
    of them is that of the start, it stands for them."""
    found: dict[tuple[bytes, bytes], Way] = {}
    for way in ways:
        link, at = np.unique(way.link, return_inverse=True)
        load = np.bincount(at, way.load_bps, len(link))
        part = np.round(load / max(load.max(initial=0.0), _LEAST), 9)
        same = (link.tobytes(), part.tobytes())
        if same not in found or not way.changed:
            found[same] = way
    return list(found.values())
