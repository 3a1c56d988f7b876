"""Lock: one process at a time writes; the others are told who does."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nettwin.errors import BusyError, InputError


@contextmanager
def held(path: Path, what: str, who: str = "nettwin") -> Iterator[None]:
    """Hold a lock file while the block runs; the system frees it if the process dies.

    Raises BusyError where another process holds it; `what` is the thing that has one writer, `who`
    what others are told of this process.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}. Check the folder.") from None
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.read(handle, 200).decode(errors="replace").strip() or "another process"
            raise BusyError(
                f"{what} is in use by {holder}, and one process at a time may write to it."
                " Stop that one, or wait until it ends."
            ) from None
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{who} (process {os.getpid()})\n".encode(), 0)
        try:
            yield
        finally:
            os.ftruncate(handle, 0)
    finally:
        os.close(handle)
