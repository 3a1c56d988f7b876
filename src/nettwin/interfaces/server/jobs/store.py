"""Store of jobs: SQLite in the workspace, so that they outlive the server.

WORKSPACE/jobs/jobs.sqlite    one row a job
WORKSPACE/jobs/ID.json        its answer, there whole or not at all
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any

from nettwin.errors import FormatError
from nettwin.interfaces.server.jobs.job import ENDED, Job

SCHEMA = 1
_CREATE = """
CREATE TABLE IF NOT EXISTS jobs (
    id TEXT PRIMARY KEY, kind TEXT NOT NULL, key TEXT NOT NULL, arguments TEXT NOT NULL,
    person TEXT NOT NULL, created_s REAL NOT NULL, state TEXT NOT NULL, started_s REAL,
    ended_s REAL, attempts INTEGER NOT NULL, progress REAL, told TEXT NOT NULL, problem TEXT,
    bytes INTEGER
);
CREATE INDEX IF NOT EXISTS by_key ON jobs (key);
CREATE INDEX IF NOT EXISTS by_time ON jobs (created_s);
"""
_COLUMNS = tuple(f.name for f in fields(Job))
_JSON = ("arguments", "told", "problem")


class JobStore:
    """The jobs of a workspace. Safe to use from several threads of one process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "jobs.sqlite"
        self._lock = threading.RLock()
        try:
            self._base = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
            self._base.execute("PRAGMA journal_mode = WAL")
            self._base.execute("PRAGMA synchronous = NORMAL")
            version = int(self._base.execute("PRAGMA user_version").fetchone()[0])
            if version > SCHEMA:
                reason = f"has schema {version}, this nettwin knows {SCHEMA}"
                raise FormatError(path, "", reason, "Update nettwin.")
            self._base.executescript(_CREATE)
            self._base.execute(f"PRAGMA user_version = {SCHEMA}")
        except sqlite3.DatabaseError as error:
            remedy = "Remove it: jobs that were asked for are lost, nothing else is."
            raise FormatError(path, "", f"is no list of jobs ({error})", remedy) from None

    def keep(self, job: Job) -> None:
        """Write a job as it stands."""
        values = [job.key]
        values += [_packed(name, getattr(job, name)) for name in _COLUMNS]
        names = ", ".join(("key", *_COLUMNS))
        marks = ", ".join("?" * len(values))
        with self._locked() as base:
            base.execute(f"INSERT OR REPLACE INTO jobs ({names}) VALUES ({marks})", values)

    def find(self, id: str) -> Job | None:
        """The job of an id."""
        return next(iter(self._select("WHERE id = ?", [id])), None)

    def answered(self, key: str) -> Job | None:
        """The newest job that answered a question, or is about to."""
        found = self._select(
            "WHERE key = ? AND state IN ('done', 'queued', 'running') ORDER BY created_s DESC",
            [key],
        )
        return next((j for j in found if j.state != "done" or self.path(j.id).exists()), None)

    def open(self) -> list[Job]:
        """The jobs that have not ended, oldest first."""
        marks = ", ".join("?" * len(ENDED))
        return self._select(f"WHERE state NOT IN ({marks}) ORDER BY created_s, rowid", list(ENDED))

    def newest(self, limit: int, offset: int = 0, kind: str | None = None) -> list[Job]:
        """Jobs, the newest first, of a kind or of all."""
        where, values = ("WHERE kind = ?", [kind]) if kind else ("", [])
        order = f"{where} ORDER BY created_s DESC, rowid DESC LIMIT ? OFFSET ?"
        return self._select(order, [*values, limit, offset])

    def count(self, kind: str | None = None) -> int:
        """How many jobs there are, of a kind or of all."""
        where, values = ("WHERE kind = ?", [kind]) if kind else ("", [])
        with self._locked() as base:
            return int(base.execute(f"SELECT count(*) FROM jobs {where}", values).fetchone()[0])

    def forget(self, most: int) -> None:
        """Remove the oldest jobs that have ended, and their answers, beyond so many."""
        marks = ", ".join("?" * len(ENDED))
        order = f"WHERE state IN ({marks}) ORDER BY created_s DESC LIMIT -1 OFFSET ?"
        for job in self._select(order, [*ENDED, most]):
            self.remove(job.id)

    def remove(self, id: str) -> None:
        """Remove a job and its answer."""
        with self._locked() as base:
            base.execute("DELETE FROM jobs WHERE id = ?", [id])
        self.path(id).unlink(missing_ok=True)

    def path(self, id: str) -> Path:
        """Where the answer of a job is."""
        return self.folder / f"{id}.json"

    def close(self) -> None:
        """Close the file."""
        with self._locked() as base:
            base.close()

    @contextmanager
    def _locked(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            yield self._base

    def _select(self, rest: str, values: list[Any]) -> list[Job]:
        query = f"SELECT {', '.join(_COLUMNS)} FROM jobs {rest}"
        with self._locked() as base:
            rows = base.execute(query, values).fetchall()
        return [
            Job(**{name: _unpacked(name, v) for name, v in zip(_COLUMNS, row, strict=True)})
            for row in rows
        ]


def _packed(name: str, value: Any) -> Any:
    return json.dumps(value) if name in _JSON and value is not None else value


def _unpacked(name: str, value: Any) -> Any:
    return json.loads(value) if name in _JSON and value is not None else value
