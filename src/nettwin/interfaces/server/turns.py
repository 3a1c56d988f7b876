"""Turns: one process at a time compiles; those that come after find its code on the disk."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FILE = "compiling"


@contextmanager
def turn(folder: Path) -> Iterator[None]:
    """Wait for one's turn in a workspace, and have it while the block runs. The turn of a process
    that dies ends with it."""
    with (folder / FILE).open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
