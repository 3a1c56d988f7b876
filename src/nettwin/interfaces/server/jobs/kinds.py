"""Kinds of jobs: what each works with, and how urgent it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

Lane = Literal["quick", "long"]


@dataclass(frozen=True)
class Work:
    """What a piece of work is given, in the process that does it.

    `tell` takes the share done (None: not known) and what else is worth telling; it raises
    CancelledError where nobody wants the answer any more. `stopped` tells so without raising: for
    work that has a best answer so far.
    """

    folder: Path  # of the workspace
    arguments: Mapping[str, Any]
    tell: Callable[[float | None, Mapping[str, Any]], None]
    stopped: Callable[[], bool]


class CancelledError(Exception):
    """The work was cancelled."""


@dataclass(frozen=True)
class Kind:
    """A kind of job: `module:function` that takes a Work and gives a document.

    `again`: whether it may simply run again after it was cut short, as whatever only asks may.
    `best`: whether a cancelled one gives the best answer so far.
    """

    name: str
    place: str
    lane: Lane = "long"
    again: bool = True
    best: bool = False

    def load(self) -> Callable[[Work], Any]:
        """The function."""
        module, _, function = self.place.partition(":")
        found: Callable[[Work], Any] = getattr(import_module(module), function)
        return found


_WORK = "nettwin.interfaces.server.work"
KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("read", f"{_WORK}.networks:read", "quick"),
        Kind("write", f"{_WORK}.networks:write", "quick"),
        Kind("predict", f"{_WORK}.questions:predict", "quick"),
        Kind("whatif", f"{_WORK}.questions:whatif", "quick"),
        Kind("session", f"{_WORK}.metrics:session_whatif", "quick"),
        Kind("explain", f"{_WORK}.questions:explain", "quick"),
        Kind("simulate", f"{_WORK}.questions:predict"),
        Kind("failure matrix", f"{_WORK}.metrics:failure_matrix", "quick"),
        Kind("failures", f"{_WORK}.questions:failures", best=True),
        Kind("troubleshoot", f"{_WORK}.incidents:troubleshoot"),
        Kind("watch", f"{_WORK}.incidents:watch"),
        Kind("optimize", f"{_WORK}.searches:optimize", best=True),
        Kind("capacity runout", f"{_WORK}.capacity:runout"),
        Kind("capacity upgrade", f"{_WORK}.capacity:upgrade"),
        Kind("troubleshoot", f"{_WORK}.troubleshooting:troubleshoot"),
        Kind("lab start", f"{_WORK}.labs:start"),
        Kind("lab check", f"{_WORK}.labs:check"),
        Kind("lab hint", f"{_WORK}.labs:hint", "quick", again=False),
        Kind("lab debrief", f"{_WORK}.labs:debrief"),
        Kind("verify", f"{_WORK}.plans:verify"),
        Kind("plan", f"{_WORK}.plans:of_session", "quick"),
        Kind("describe", f"{_WORK}.networks:describe", "quick"),
        Kind("check", f"{_WORK}.intents:check", "quick"),
        Kind("source", f"{_WORK}.sources:check"),
        Kind("report", f"{_WORK}.intents:report", "quick"),
    )
}
