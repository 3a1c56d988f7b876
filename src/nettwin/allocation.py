"""Allocation: memory that predictions use one after another, kept between them.

A prediction of a large network writes to hundreds of megabytes and gives them back. By default the
C library returns each large array to the system, which clears every page anew for the next
prediction: a quarter of the processor time of a sweep over 300 nodes.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

# Parameters of `mallopt` of the GNU C library (mallopt(3)), and what they usually become
TRIM_THRESHOLD, MMAP_THRESHOLD, MMAP_MAX = -1, -3, -4
USUAL_BYTES, USUAL_MMAPS, NEVER = 32 * 2**20, 65_536, -1

_lock = threading.Lock()
_inside = 0  # how many have asked for it


@contextmanager
def kept_memory() -> Iterator[None]:
    """While it lasts, memory that is freed stays with this process; then it goes back to the
    system. Elsewhere than with the GNU C library nothing changes."""
    global _inside
    library = _gnu()
    if library is None:
        yield
        return
    with _lock:
        _inside += 1
        library.mallopt(MMAP_MAX, 0)
        library.mallopt(TRIM_THRESHOLD, NEVER)
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if _inside == 0:
                library.mallopt(MMAP_MAX, USUAL_MMAPS)
                library.mallopt(MMAP_THRESHOLD, USUAL_BYTES)
                library.mallopt(TRIM_THRESHOLD, USUAL_BYTES)
                library.malloc_trim(0)


def _gnu() -> Any:
    """The C library of this process; None where it is another one than GNU's."""
    try:
        library = ctypes.CDLL(None)
        return library if hasattr(library, "mallopt") and hasattr(library, "malloc_trim") else None
    except (OSError, TypeError):  # Windows
        return None
