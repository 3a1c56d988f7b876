"""References: the networks that questions may be asked about, each by one word.

    live                what was seen last of the workspace's network, corrected as the twin is
    live@TIME           the same, as it was at a time in seconds since 1970
    plan                the network as it was planned
    nXXXXXXXXXXXX       a network that was uploaded
    session:ID          a session with its changes      session:ID:base    without them

A question keeps the reference that `pinned` makes of it: it names the state that was meant, so that
its answer can serve whoever asks the same.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, NamedTuple

from nettwin.apps.sessions import Session, Sessions
from nettwin.errors import InputError, UnknownNameError
from nettwin.formats import read
from nettwin.interfaces.server.limits import Limits
from nettwin.interfaces.server.networks import Networks
from nettwin.scenario.changes import change_to_dict
from nettwin.scenario.scenario import Scenario
from nettwin.workspace.workspace import Workspace

KNOWN = ("live", "live@TIME", "plan", "session:ID", "session:ID:base", "the id of an upload")


class Found(NamedTuple):
    """A network that was referred to, and what is known of where it comes from."""

    scenario: Scenario
    source: str
    format: str
    assumptions: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()


def pinned(text: str, workspace: Workspace, networks: Networks, sessions: Sessions) -> str:
    """The reference to the state that is meant now. Raises UnknownNameError where there is no such
    network, InputError where nothing was seen."""
    kind, _, rest = text.partition(":")
    name, _, moment = text.partition("@")
    if text == "plan":
        return text
    if name == "live":
        return f"live@{_moment(workspace, moment):.6f}"
    if kind == "session":
        id, _, base = rest.partition("@")[0].partition(":")
        session = sessions.get(id)
        return f"session:{id}:base" if base == "base" else f"session:{id}@{revision(session)}"
    try:
        networks.file(text)
    except UnknownNameError:
        raise UnknownNameError("network", text, [*KNOWN[:5], *networks.ids()]) from None
    return text


def found(text: str, folder: Path) -> Found:
    """The network of a pinned reference. Raises what reading it raises; InputError where a session
    has moved on."""
    kind, _, rest = text.partition(":")
    if text == "plan":
        workspace = Workspace(folder)
        reading = read(workspace.settings.plan)
        return Found(reading.scenario, "plan", reading.format, reading.assumptions, reading.ignored)
    if text.startswith("live@"):
        return Found(seen(Workspace(folder), float(text[5:])), text, "observation")
    if kind == "session":
        id, _, state = rest.partition("@")
        id, _, base = id.partition(":")
        session = Sessions(folder / "sessions").get(id)
        if base:
            return Found(session.network, f"session:{id}:base", "session")
        if state and state != revision(session):
            raise InputError(f"the session {session.name} was changed meanwhile. Ask again.")
        return Found(session.scenario, f"session:{id}", "session")
    networks = Networks(folder / "networks", Limits())
    about = networks.about(text)
    scenario = read(networks.file(text), format="native").scenario
    return Found(
        scenario.with_(name=about["name"]),
        text,
        about["format"],
        tuple(about["assumptions"]),
        tuple(about["ignored"]),
    )


def seen(workspace: Workspace, time_s: float) -> Scenario:
    """The network as it was seen at a time, with the corrections of the twin."""
    from nettwin.interfaces.operating import corrected

    return corrected(workspace)(workspace.repository.observation(time_s).scenario)


def revision(session: Session) -> str:
    """A digest of a session's changes."""
    changes: list[Any] = [change_to_dict(change) for change in session.changes]
    return hashlib.sha256(json.dumps(changes, sort_keys=True).encode()).hexdigest()[:12]


def _moment(workspace: Workspace, text: str) -> float:
    """The time of what was seen at or before a time, or last."""
    times = workspace.repository.times_s()
    if not len(times):
        raise InputError(
            "nothing was observed here yet. Wait for the first cycle of the loop, or ask about"
            " plan."
        )
    if not text:
        return float(times[-1])
    try:
        at = float(text)
    except ValueError:
        raise InputError(
            f"live@{text[:40]} names no time: must be in seconds since 1970. Write live@1767614400."
        ) from None
    earlier = times[times <= at]
    if not len(earlier):
        raise InputError(
            f"nothing was observed by {text[:40]}: the first was at {times[0]:.0f}. Give a later"
            " time."
        )
    return float(earlier[-1])
