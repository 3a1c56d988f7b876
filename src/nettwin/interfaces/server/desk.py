"""Desk: what everything that serves one workspace shares: REST, web pages and MCP."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nettwin.apps.sessions import Sessions
from nettwin.interfaces.server.access import Access
from nettwin.interfaces.server.jobs.jobs import WARM, Jobs
from nettwin.interfaces.server.keys import Keys
from nettwin.interfaces.server.limits import Limits
from nettwin.interfaces.server.live import Live
from nettwin.interfaces.server.networks import Networks
from nettwin.interfaces.server.rates import Rates
from nettwin.interfaces.server.references import pinned
from nettwin.interfaces.server.replies import Views
from nettwin.repository.lock import held
from nettwin.workspace.workspace import Workspace

if TYPE_CHECKING:
    from nettwin.repository.audit import AuditLog


@dataclass
class Desk:
    """One workspace, served.

    `jobs` do the work that takes time, in other processes. `live` is the process that owns the
    network and runs the loop, None where the workspace is only looked at; `sessions` are the
    sandboxes. `access` knows who a request comes from, `networks` the files that were uploaded.
    """

    workspace: Workspace
    jobs: Jobs
    access: Access
    networks: Networks
    sessions: Sessions
    live: Live | None = None
    limits: Limits = field(default_factory=Limits)
    started_s: float = field(default_factory=time.time)
    views: Views = field(default_factory=Views)
    _holding: ExitStack = field(default_factory=ExitStack)
    deeds: int = 0  # that were done here
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def fresh(self) -> tuple[int, int]:
        """A version of what the disk tells: another one each second, and after every deed."""
        return int(time.monotonic()), self.deeds

    def note(self, what: str, who: str, **details: Any) -> None:
        """Write into the server's log what somebody did or was refused."""
        with self._lock:
            self.log.add(time.time(), what, who, **details)
            self.deeds += 1

    @cached_property
    def rates(self) -> Rates:
        """How often people may ask."""
        return Rates(self.limits)

    def pinned(self, reference: str) -> str:
        """A reference to a network as it is now (see `references`). Raises UnknownNameError and
        InputError."""
        if reference == "live" and self.live is not None and self.live.moment is not None:
            return f"live@{self.live.moment.seen.time_s:.6f}"
        return pinned(reference, self.workspace, self.networks, self.sessions)

    @cached_property
    def keys(self) -> Keys:
        """The keys under which deeds were done."""
        return Keys(self.workspace.folder / "jobs" / "keys.sqlite")

    @cached_property
    def log(self) -> AuditLog:
        """Where this server writes what it refused, and who came; the audit log of the workspace
        belongs to whoever runs the loop."""
        return self.workspace.access_log

    def begin(self) -> None:
        """Start what works beside the requests."""
        self.jobs.begin()

    def close(self) -> None:
        """End it; nothing is left running."""
        if self.live is not None:
            self.live.close()
        self.jobs.close()
        if "keys" in vars(self):
            self.keys.close()
        self._holding.close()


def open_desk(
    folder: Path,
    limits: Limits | None = None,
    *,
    workers: int = 2,
    live: bool = True,
    warm: str = WARM,
    pace_s: float | None = None,
) -> Desk:
    """The desk of the workspace in a folder; unless `live`, its loop is left to another process.
    A cycle of the loop begins every `pace_s`, or as often as the network has an interval. Raises
    FormatError where there is no workspace."""
    limits = limits or Limits()
    workspace = Workspace(folder)
    holding = ExitStack()  # of jobs and the server's log
    holding.enter_context(held(folder / "server.lock", f"the server of {folder}", "nettwin serve"))
    return Desk(
        workspace=workspace,
        jobs=Jobs(folder, limits, workers, warm),
        access=Access(workspace, limits),
        networks=Networks(folder / "networks", limits),
        sessions=Sessions(folder / "sessions"),
        live=Live(folder, pace_s=pace_s) if live else None,
        limits=limits,
        _holding=holding,
    )
