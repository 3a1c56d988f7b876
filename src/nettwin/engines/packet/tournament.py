"""A tournament tree: the earliest of many times, kept up to date in one climb.

Leaf j of a tree of `size` leaves (a power of 2) that begins at `base` is entry `base + size + j`;
the winner's time and leaf are at `base + 1`. Among equal times either may win, always the same one
for the same history.
"""

from __future__ import annotations

import numpy as np

from nettwin.engines.packet.compiled import compiled


def tree_size(leaves: int) -> int:
    """The power of 2 that holds this many leaves."""
    return 1 << max(0, leaves - 1).bit_length()


@compiled
def replace(times, leaves, base, size, leaf, time):  # type: ignore[no-untyped-def]
    """Give a leaf a new time, earlier or later."""
    i = size + leaf
    winner = np.int32(leaf)
    times[base + i] = time
    leaves[base + i] = winner
    while i > 1:
        rival = times[base + (i ^ 1)]
        rival_leaf = leaves[base + (i ^ 1)]
        first = rival < time
        time = rival if first else time
        winner = rival_leaf if first else winner
        i >>= 1
        times[base + i] = time
        leaves[base + i] = winner


@compiled
def lower(times, leaves, base, size, leaf, time):  # type: ignore[no-untyped-def]
    """Give a leaf an earlier time than it had: the climb ends where another is earlier still."""
    i = size + leaf
    times[base + i] = time
    leaves[base + i] = leaf
    i >>= 1
    while i > 0 and time < times[base + i]:
        times[base + i] = time
        leaves[base + i] = leaf
        i >>= 1
