"""Acting: what people do on pages, in sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nettwin.apps.sessions import Session
from nettwin.errors import InputError
from nettwin.scenario.changes import Change, FailLink, FailNode, RestoreLink, RestoreNode

if TYPE_CHECKING:
    from nettwin.interfaces.web.frame import Frame


def in_session(built: Frame, *changes: Change) -> Session:
    """Make changes in the session that a page shows, or in a new one of the live network. Raises
    InputError where they do not fit."""
    session = built.session or built.place.begin_session(built.person)
    session = session.with_change(*changes)
    built.place.desk.sessions.keep(session)
    built.place.feed.sessions.emit()
    return session


def fail_in_session(built: Frame, kind: str, name: str) -> Session:
    """Fail a link (both directions) or a node in a session; restore it where it is down. Raises
    InputError."""
    return in_session(built, turned(built, kind, name))


def turned(built: Frame, kind: str, name: str) -> Change:
    """The change that takes an element down, or up again where it is down. Raises InputError."""
    scenario = built.session.scenario if built.session else built.place.network
    topology = scenario.topology
    if kind == "node":
        up = bool(topology.node_up[topology.node(name)])
        return FailNode(name) if up else RestoreNode(name)
    if kind == "link":
        k = topology.link_name.index(name) if name in topology.link_name else -1
        if k < 0:
            raise InputError(f"there is no link {name} any more. Choose another.")
        both = both_directions(name)
        return FailLink(both) if topology.link_up[k] else RestoreLink(both)
    raise InputError("nothing is selected. Choose a link or a node.")


def both_directions(name: str) -> str:
    """The name of both directions of a link, where it is named as usual."""
    return name.replace("->", "<->", 1) if name.count("->") == 1 else name
