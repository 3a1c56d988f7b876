"""Feed: tells open pages, in the server's own thread, that something is new."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from nicegui.event import Event

if TYPE_CHECKING:
    from nettwin.interfaces.server.live import Live


class Feed:
    """What pages subscribe to: `moment` when the network was observed, or the loop told of
    something; `sessions` when a session was changed by anybody."""

    def __init__(self) -> None:
        self.moment: Event[[]] = Event()
        self.sessions: Event[[]] = Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def begin(self, live: Live | None) -> None:
        """Listen to a live network; called in the server's thread."""
        self._loop = asyncio.get_running_loop()
        if live is not None:
            live.listeners.append(self._changed)

    def _changed(self) -> None:
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self.moment.emit)
