"""Archives of a datanet folder: where they lie, and their line-aligned files, unpacked in memory.

An archive is `results*.tar.gz` (any name that ends so) or the folder it was packed from. Nothing is
written to disk; links, devices and other odd members of a tar file are passed over, and sizes are
limited before anything is unpacked.
"""

from __future__ import annotations

import io
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from nettwin.errors import FormatError
from nettwin.formats.files import LARGEST_FILE_BYTES, read_bytes

INPUTS, STABILITY, TRAFFIC = "input_files.txt", "stability.txt", "traffic.txt"
RESULTS, FLOW_RESULTS, LINKS = (
    "simulationResults.txt",
    "flowSimulationResults.txt",
    "linkUsage.txt",
)
NAMES = (INPUTS, STABILITY, TRAFFIC, RESULTS, FLOW_RESULTS, LINKS)
NEEDED = (INPUTS, TRAFFIC, RESULTS)
MAX_MEMBERS = 1000
MAX_DEPTH = 2  # folders below the one given that are searched for archives
_WHOLE = "Get the file again; it may be cut short or damaged."


@dataclass(frozen=True)
class Archive:
    """One results archive, a `.tar.gz` or a folder of the same files, and what lies around it."""

    path: Path

    @property
    def root(self) -> Path:
        """The folder that holds `graphs/` and `routings/`."""
        inside = self.path if self.path.is_dir() else self.path.parent
        return next(
            (f for f in (inside, inside.parent) if (f / "graphs").is_dir()),
            inside.parent if self.path.is_dir() else inside,
        )

    @cached_property
    def lines(self) -> dict[str, list[bytes]]:
        """The lines of each file by its name, empty ones at the end left out."""
        files = _folder(self.path) if self.path.is_dir() else _unpacked(self.path)
        for name in NEEDED:
            if name not in files:
                raise FormatError(
                    self.path,
                    name,
                    "is not in the archive",
                    "Give an archive with " + ", ".join(NEEDED) + ".",
                )
        out = {name: _lines(content) for name, content in files.items()}
        count = len(out[RESULTS])
        for name, lines in out.items():
            if len(lines) != count:
                raise FormatError(
                    self.path,
                    name,
                    f"has {len(lines)} lines where {RESULTS} has {count}",
                    "One line a simulation is needed in every file.",
                )
        return out


def archives(path: Path) -> Iterator[Archive]:
    """The archives at a path (an archive, or a folder of them, directly or one or two below it)."""
    if path.is_file() or (path / RESULTS).is_file():
        yield Archive(path)
        return
    yield from _below(path, 0)


def _below(folder: Path, depth: int) -> Iterator[Archive]:
    try:
        entries = sorted(folder.iterdir(), key=lambda p: _natural(p.name))
    except OSError as error:
        raise FormatError(
            folder,
            "",
            f"cannot be listed: {error.strerror}",
            "Check that it is a folder that you may read.",
        ) from None
    for entry in entries:
        packed = entry.name.endswith(".tar.gz") and entry.is_file()
        if packed or (entry / RESULTS).is_file():
            yield Archive(entry)
        elif entry.is_dir() and depth < MAX_DEPTH and entry.name not in ("graphs", "routings"):
            yield from _below(entry, depth + 1)


def looks_like_archive(head: bytes) -> bool:
    """Whether the beginning of a `.tar.gz` holds a file of a datanet archive."""
    try:
        start = zlib.decompressobj(wbits=31).decompress(head, 16384)
        with tarfile.open(fileobj=io.BytesIO(start), mode="r:") as tar:
            while (member := tar.next()) is not None:
                if PurePosixPath(member.name).name in NAMES:
                    return True
    except (zlib.error, tarfile.TarError, OSError, ValueError, EOFError):
        pass
    return False


def _folder(path: Path) -> dict[str, bytes]:
    return {name: read_bytes(path / name) for name in NAMES if (path / name).is_file()}


def _unpacked(path: Path) -> dict[str, bytes]:
    """The known files of a `.tar.gz`, by base name."""
    content = io.BytesIO(_inflated(path, read_bytes(path)))
    files: dict[str, bytes] = {}
    try:
        with tarfile.open(fileobj=content, mode="r:") as tar:
            members = 0
            while (member := tar.next()) is not None:
                members += 1
                if members > MAX_MEMBERS:
                    raise FormatError(
                        path,
                        "the archive",
                        f"has over {MAX_MEMBERS} members",
                        "Keep the files of one archive alone in it.",
                    )
                name = PurePosixPath(member.name).name
                if name not in NAMES or not member.isreg() or member.issparse():
                    continue
                if name in files:
                    raise FormatError(
                        path,
                        name,
                        "is a duplicate in the archive",
                        "Keep one set of files in an archive.",
                    )
                file = tar.extractfile(member)
                data = file.read() if file is not None else b""
                if len(data) != member.size:
                    raise FormatError(
                        path, name, f"ends after {len(data)} of {member.size} bytes", _WHOLE
                    )
                files[name] = data
    except (tarfile.TarError, OSError, ValueError, EOFError) as error:
        raise FormatError(path, "the tar archive", f"is damaged ({error})", _WHOLE) from None
    return files


def _inflated(path: Path, packed: bytes) -> bytes:
    parts: list[bytes] = []
    total = 0
    rest = packed
    while rest:
        unpacker = zlib.decompressobj(wbits=31)
        try:
            part = unpacker.decompress(rest, LARGEST_FILE_BYTES + 1 - total)
        except zlib.error as error:
            raise FormatError(path, "the gzip stream", f"is damaged ({error})", _WHOLE) from None
        total += len(part)
        if total > LARGEST_FILE_BYTES:
            raise FormatError(
                path,
                "the gzip stream",
                f"unpacks to more than {LARGEST_FILE_BYTES >> 20} MiB",
                "Split the archive.",
            )
        if not unpacker.eof:
            raise FormatError(path, "the gzip stream", "ends too early", _WHOLE)
        parts.append(part)
        rest = unpacker.unused_data.lstrip(b"\0")
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _lines(content: bytes) -> list[bytes]:
    lines = content.split(b"\n")
    while lines and not lines[-1].strip():
        lines.pop()
    return [line.rstrip(b"\r") for line in lines] if b"\r" in content else lines


def _natural(name: str) -> list[tuple[int, str]]:
    """A key that sorts numbers inside names by value: 2 before 10."""
    key: list[tuple[int, str]] = []
    digits = ""
    for c in name + "\0":
        if c.isascii() and c.isdigit():
            digits += c
        else:
            if digits:
                key.append((int(digits[:18]), ""))
                digits = ""
            key.append((-1, c))
    return key
