"""Audit log: every decision in a line, each bound to the one before by a hash.

    DIR/log.jsonl    one entry a line: number, time, what, who, details, hash of the line before
    HEAD             number and hash of the last entry, in a place of its own

An altered line breaks the chain, a line that was cut off the end is missed by the head. The head is
written after its entry, so that a process that dies between the two leaves it one entry behind.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nettwin.errors import FormatError, InputError
from nettwin.formats.files import read_text, sync_folder, write_text

LOG = "log.jsonl"
FIRST = "0" * 64
TRIES = 6  # to read log and head while somebody writes


@dataclass(frozen=True)
class Entry:
    """One thing that was decided or done, at a time in seconds since 1970 by this machine."""

    number: int
    time_s: float
    what: str
    who: str
    before: str  # the hash of the entry before
    details: Mapping[str, Any] = field(default_factory=dict)

    def line(self) -> str:
        """The entry as it stands in the log."""
        data = {
            "number": self.number,
            "time_s": self.time_s,
            "what": self.what,
            "who": self.who,
            "details": dict(self.details),
            "before": self.before,
        }
        return json.dumps(data, sort_keys=True, default=lambda value: value.item())

    @property
    def digest(self) -> str:
        """Its hash, which the next entry names."""
        return hashlib.sha256(self.line().encode()).hexdigest()


class AuditLog:
    """The log in a folder, and its head in a file elsewhere. One process may write."""

    def __init__(self, folder: Path, head: Path) -> None:
        self.path, self.head = folder / LOG, head
        self._last: Entry | None = None
        self._known: tuple[object, list[str]] | None = None  # issues, and of which files

    def add(self, time_s: float, what: str, who: str, **details: Any) -> Entry:
        """Write an entry; it is on the disk when this returns. Raises FormatError where the log was
        tampered with, InputError where it cannot be written."""
        last = self._last or self._checked(mend=True)
        number, before = (last.number + 1, last.digest) if last else (1, FIRST)
        entry = Entry(number, time_s, what, who, before, details)
        try:
            new = not self.path.exists()
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a", encoding="utf-8") as file:
                file.write(entry.line() + "\n")
                file.flush()
                os.fsync(file.fileno())
            if new:
                sync_folder(self.path.parent)
        except OSError as error:
            self._last = None
            raise InputError(
                f"{self.path} cannot be written: {error.strerror}. Make room; nothing is done"
                " that the log does not hold."
            ) from None
        write_text(self.head, f"{entry.number} {entry.digest}\n", durable=True)
        self._last = entry
        return entry

    def entries(self) -> Iterator[Entry]:
        """Every entry, oldest first; a line that is being written is none yet. Raises FormatError
        at the first that does not fit."""
        yield from self._entries(mend=False)

    def _entries(self, *, mend: bool) -> Iterator[Entry]:
        """Every entry; the writer mends a line that was torn, which to others may be one that is
        just being written."""
        if not self.path.exists():
            return
        before = FIRST
        lines = read_text(self.path).split("\n")
        torn = lines.pop()  # empty, unless a process died while it wrote
        for number, line in enumerate(lines, start=1):
            try:
                data = json.loads(line)
                entry = Entry(**data)
            except (ValueError, TypeError):
                raise self._broken(number, "is not an entry") from None
            if entry.number != number or entry.before != before:
                raise self._broken(number, "does not follow from the one before")
            before = entry.digest
            yield entry
        if torn and mend:
            self._cut(len(lines) + 1, torn)

    def issues(self) -> list[str]:
        """What shows that the log is not as it was written, one sentence each."""
        for attempt in range(TRIES):
            stamp = self._stamp()
            if self._known is not None and self._known[0] == stamp:
                return list(self._known[1])
            found: list[str] = []
            try:
                self._checked(mend=False)
            except FormatError as error:
                found = [str(error)]
            # log and head are two files: what was written between them is no damage
            if self._stamp() == stamp:
                self._known = stamp, found
                return list(found)
            time.sleep(0.01 * attempt)
        return []  # somebody writes all the time; whoever asks again hears of damage then

    def _stamp(self) -> tuple[tuple[int, int], ...]:
        """What changes when the log or its head does."""
        found = []
        for path in (self.path, self.head):
            try:
                status = path.stat()
            except OSError:
                found.append((0, 0))
            else:
                found.append((status.st_size, status.st_mtime_ns))
        return tuple(found)

    def _checked(self, *, mend: bool) -> Entry | None:
        """The last entry, of a log that is whole. Raises FormatError."""
        last = None
        heads: dict[int, str] = {0: FIRST}
        for entry in self._entries(mend=mend):
            last = entry
            heads[entry.number] = entry.digest
        number, digest = 0, FIRST
        if self.head.exists():
            words = read_text(self.head).split()
            try:
                number, digest = int(words[0]), words[1]
            except (ValueError, IndexError):
                raise FormatError(self.head, "", "is not a head of an audit log", _CURE) from None
        end = last.number if last else 0
        if number > end:
            raise self._broken(end + 1, f"is missing: the log had {number} entries")
        if heads[number] != digest:
            raise self._broken(number, "is not the one that was written")
        if end > number + 1:
            raise self._broken(number + 2, "was not written by nettwin")
        return last

    def _cut(self, number: int, torn: str) -> None:
        """Remove a line whose writer died in the middle: it was never acknowledged."""
        try:
            content = self.path.read_bytes()
            with self.path.open("r+b") as file:
                file.truncate(len(content) - len(torn.encode()))
                os.fsync(file.fileno())
        except OSError as error:
            raise self._broken(number, f"is torn and cannot be removed: {error}") from None

    def _broken(self, number: int, reason: str) -> FormatError:
        return FormatError(self.path, f"line {number}", reason, _CURE)


_CURE = "Somebody changed the log: keep it as it is, and restore it from a copy."
