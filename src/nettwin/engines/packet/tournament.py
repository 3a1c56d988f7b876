"""A tournament tree: the earliest of many times, kept up to date in one climb without branches.

A key is the bits of a time (those of a positive float grow with it) with the leaf's number in place
of its lowest bits. Of 64 leaves, times that agree in their first 46 bits (a picosecond in a minute)
are in the order of their leaves; of 2048, in their first 41. Exact times are kept elsewhere. Leaf j
of a tree of `size` leaves (a power of 2) that begins at `base` is entry `base + size + j`, the
winner `base + 1`; all are uint64.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nettwin.engines.packet.compiled import inlined

ONE = np.uint64(1)


def tree_size(leaves: int) -> int:
    """The power of 2 that holds this many leaves."""
    return 1 << max(0, leaves - 1).bit_length()


def empty_tree(size: int) -> NDArray[np.uint64]:
    """The keys of a tree whose leaves all wait for ever."""
    return np.full(2 * size, np.float64(np.inf).view(np.uint64))


@inlined
def key_of(time, size, leaf):  # type: ignore[no-untyped-def]
    """The key of a leaf that waits for `time` (not negative)."""
    return (np.float64(time).view(np.uint64) & ~(size - ONE)) | leaf


@inlined
def replace(keys, base, size, leaf, time):  # type: ignore[no-untyped-def]
    """Give a leaf a new time, earlier or later."""
    key = key_of(time, size, leaf)
    i = size + leaf
    keys[base + i] = key
    while i > ONE:
        rival = keys[base + (i ^ ONE)]
        key = min(key, rival)
        i >>= ONE
        keys[base + i] = key


@inlined
def lower(keys, base, size, leaf, time):  # type: ignore[no-untyped-def]
    """Give a leaf an earlier time than it had: the climb ends where another is earlier still."""
    key = key_of(time, size, leaf)
    i = size + leaf
    keys[base + i] = key
    i >>= ONE
    while i > np.uint64(0) and key < keys[base + i]:
        keys[base + i] = key
        i >>= ONE
