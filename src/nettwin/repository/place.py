"""Place: where files of a repository are: in a folder, or in an object store by its URL (fsspec).

    repository                     a folder: a file is there whole, on the disk, or not at all
    s3://bucket/twin               objects: an object is there whole once the store has taken it

An object store has no folders to sync and no names to change: how durable an object is, and when
others see it, is as the store promises. It has no locks either, so that what keeps a second writer
off stands on this machine alone (`lock_of`).
"""

from __future__ import annotations

import hashlib
import io
import tempfile
from pathlib import Path
from typing import Any

from nettwin.errors import InputError, MissingExtraError
from nettwin.formats.files import read_text, sync_folder, write_bytes

SEPARATOR = "://"


def place_of(text: str, base: Path) -> Path:
    """The folder of a name, beside `base`, or of a URL. Raises MissingExtraError where a URL needs
    what is not installed, InputError for one of an unknown kind."""
    if SEPARATOR not in text:
        return base / text
    try:
        from upath import UPath
    except ImportError:
        raise MissingExtraError(f"a repository at {text}", "object-storage") from None
    try:
        # what others write must be seen: listings are never kept
        place: Any = UPath(text, use_listings_cache=False)
        _ = place.fs
    except (ValueError, ImportError) as error:
        raise InputError(f"the repository {text} cannot be reached: {error}") from None
    return place  # type: ignore[no-any-return]


def is_local(path: Path) -> bool:
    """Whether a path is of a folder of this machine."""
    return isinstance(path, Path) and not hasattr(path, "fs")


def put(path: Path, content: bytes) -> None:
    """Write a file or object; it is there to stay when this returns. Raises InputError where it
    cannot be written: there is the old one then, or none."""
    if is_local(path):
        write_bytes(path, content, durable=True)
        return
    try:
        fs: Any = path.fs  # type: ignore[attr-defined]
        fs.pipe_file(path.path, content)  # type: ignore[attr-defined]
    except Exception as error:  # each store has errors of its own
        reason = f"{type(error).__name__}: {error}"
        raise InputError(f"{path} cannot be written: {reason}. Check the object store.") from None


def made(place: Path, root: Path) -> None:
    """Make a folder within `root`, where it needs to be made. Raises InputError."""
    if not is_local(place) or place.exists():
        return
    try:
        place.mkdir(parents=True)
        sync_folder(place.parent)
        sync_folder(root)
    except OSError as error:
        raise InputError(
            f"{place} cannot be written: {error.strerror}. Make room, or choose another place."
        ) from None


def text_of(path: Path) -> str:
    """The text of a file or object. Raises FormatError and OSError."""
    return read_text(path) if is_local(path) else path.read_bytes().decode("utf-8")


def opened(path: Path) -> Any:
    """What pyarrow reads: a file, or the bytes of an object."""
    return path if is_local(path) else io.BytesIO(path.read_bytes())


def moved(path: Path, target: Path) -> None:
    """Move a file or object."""
    if is_local(path):
        target.parent.mkdir(parents=True, exist_ok=True)
        path.replace(target)
        sync_folder(path.parent)
        return
    put(target, path.read_bytes())
    path.unlink()


def mark_of(path: Path) -> tuple[str, int, int]:
    """What shows that a file is still the one that was read: its name, size and time. Objects are
    written once, under a name that holds their digest. Raises OSError where it is gone."""
    if is_local(path):
        status = path.stat()
        return str(path), status.st_size, status.st_mtime_ns
    return str(path), 0, 0


def lock_of(folder: Path) -> Path:
    """The file that is locked while somebody writes: in the folder, or for an object store one of
    this machine."""
    if is_local(folder):
        return folder / "lock"
    digest = hashlib.sha256(str(folder).encode()).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"nettwin-{digest}.lock"
