"""Addresses of pages: what is shown stands in them, so that they can be sent and Back works."""

from __future__ import annotations

from urllib.parse import urlencode

from nettwin.apps.sessions import Session


def address(path: str, session: Session | None, **query: str) -> str:
    """A path with a query, and the session that it shows; what is empty is left out."""
    given = {"session": session.id} if session else {}
    given |= {name: value for name, value in query.items() if value}
    return f"{path}?{urlencode(given)}" if given else path
