"""Files: read within limits, written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from nettwin.errors import FormatError, InputError

LARGEST_FILE_BYTES = 512 * 2**20
HEAD_BYTES = 64 * 2**10


def read_bytes(path: Path, largest: int = LARGEST_FILE_BYTES) -> bytes:
    """A file's content; FormatError where it cannot be read or is larger than allowed."""
    try:
        with path.open("rb") as file:
            content = None
            if os.fstat(file.fileno()).st_size <= largest:
                content = file.read(largest + 1)  # a device has no size to tell
            if content is not None and len(content) <= largest:
                return content
            raise FormatError(path, "", f"is larger than {largest >> 20} MiB", "Split it.")
    except OSError as error:
        raise _unreadable(path, error) from None


def read_text(path: Path, largest: int = LARGEST_FILE_BYTES) -> str:
    """A file's content as UTF-8 text, without a byte-order mark and with line ends made `\\n`.

    Raises FormatError where it cannot be read, is larger than allowed or is not UTF-8.
    """
    try:
        text = read_bytes(path, largest).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise FormatError(
            path, f"line {line}", "is not UTF-8 text", "Save the file as UTF-8."
        ) from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read_head(path: Path) -> bytes:
    """The first 64 KiB of a file; empty for a folder."""
    if path.is_dir():
        return b""
    try:
        with path.open("rb") as file:
            return file.read(HEAD_BYTES)
    except OSError as error:
        raise _unreadable(path, error) from None


def write_text(path: Path, text: str, *, durable: bool = False) -> None:
    """Write text as UTF-8 in one step (see `write_bytes`)."""
    write_bytes(path, text.encode("utf-8"), durable=durable)


def write_bytes(path: Path, content: bytes, *, durable: bool = False) -> None:
    """Write a file in one step: whoever reads it finds the old content or the new, never a part.

    A `durable` file is on the disk when this returns: file and folder are synced.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                if durable:
                    file.flush()
                    os.fsync(file.fileno())
            Path(name).chmod(0o666 & ~_umask())
            Path(name).replace(path)
            if durable:
                sync_folder(path.parent)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise InputError(
            f"{path} cannot be written: {error.strerror}. Choose another place."
        ) from None


def sync_folder(folder: Path) -> None:
    """Wait until the names of the files in a folder are on the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def installed_in(variable: str, kind: str) -> Path:
    """Where a user installs things of a kind: the folder that a variable of the environment names,
    or else that kind's in the place where the platform keeps the user's data (`XDG_DATA_HOME` or
    `~/.local/share` on Linux)."""
    if chosen := os.environ.get(variable):
        return Path(chosen)
    from platformdirs import user_data_path

    return user_data_path("nettwin", appauthor=False) / kind


def _unreadable(path: Path, error: OSError) -> FormatError:
    remedy = "Check the path and that you may read it."
    return FormatError(path, "", f"cannot be read: {error.strerror}", remedy)


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
