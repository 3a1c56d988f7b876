"""Streams: `-` is standard input where a file is read, standard output where one is written.

Both go through a file in a folder of their own, so that every format can be read and written like
this, also those that come in several parts.
"""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from nettwin.errors import InputError
from nettwin.formats.files import LARGEST_FILE_BYTES

STREAM = "-"
FORMAT = "native"  # of a network on standard output, where none is named
INPUT, OUTPUT = "standard-input", "standard-output"


def given(source: str) -> str:
    """What to read for a source: itself, or for `-` a file with all of standard input.

    Raises InputError where standard input was read before or is larger than a file may be.
    """
    if source != STREAM:
        return source
    content = sys.stdin.buffer.read(LARGEST_FILE_BYTES + 1)
    if len(content) > LARGEST_FILE_BYTES:
        raise InputError(
            f"standard input is larger than {LARGEST_FILE_BYTES >> 20} MiB. Give a file, or split"
            " it."
        )
    if not content:
        raise InputError("standard input is empty, or read already. Give - once, and a file to it.")
    path = _folder() / INPUT
    path.write_bytes(content)
    return str(path)


@contextmanager
def target(path: Path, *, force: bool = True) -> Iterator[Path]:
    """Where to write for a path: itself, or for `-` a file that goes to standard output at the end.

    Raises InputError where it cannot be written, or already exists and `force` is not given.
    """
    if str(path) != STREAM:
        check_place(path, force=force)
        yield path
        return
    file = _folder() / OUTPUT
    yield file
    if file.is_dir():
        raise InputError("a folder cannot go to standard output. Give a place, or another format.")
    sys.stdout.write(file.read_text(encoding="utf-8"))
    file.unlink()


def check_place(path: Path, *, force: bool = True) -> None:
    """Raise InputError where a file or folder cannot be made for want of a place, or is there
    already and `force` is not given."""
    if path.exists() and not force:
        raise InputError(f"{path} already exists. Give another name, or --force.")
    above = next(folder for folder in path.absolute().parents if folder.exists())
    if not above.is_dir():
        raise InputError(
            f"{path} cannot be written: {above} is not a folder. Choose another place."
        )
    if not os.access(above, os.W_OK):
        raise InputError(
            f"{path} cannot be written: {above} allows no writing. Choose another place."
        )


def named(message: str) -> str:
    """A message with streams by their names instead of the files that stand for them."""
    if _folder.cache_info().currsize:
        for name in (INPUT, OUTPUT):
            message = message.replace(str(_folder() / name), name.replace("-", " "))
    return message


@cache
def _folder() -> Path:
    folder = tempfile.mkdtemp(prefix="nettwin-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)
