"""Feed: tells open pages, in the server's own thread, that something is new."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from nicegui.event import Event

from nettwin.apps.twin_fit import TwinFit, twin_fit

if TYPE_CHECKING:
    from nettwin.interfaces.server.live import Live


MOST_FITS = 5000


class Feed:
    """What pages subscribe to: `moment` when the network was observed, or the loop told of
    something; `sessions` when a session was changed by anybody."""

    def __init__(self) -> None:
        self.moment: Event[[]] = Event()
        self.sessions: Event[[]] = Event()
        self.fits: deque[tuple[float, TwinFit]] = deque(maxlen=MOST_FITS)
        self._live: Live | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def begin(self, live: Live | None) -> None:
        """Listen to a live network; called in the server's thread."""
        self._loop, self._live = asyncio.get_running_loop(), live
        if live is not None:
            live.listeners.append(self._changed)

    @property
    def fit(self) -> TwinFit | None:
        """How well the twin fits what was seen last."""
        return self.fits[-1][1] if self.fits else None

    def _changed(self) -> None:
        """In the thread that hears of the live network."""
        loop, moment = self._loop, self._live.moment if self._live is not None else None
        if moment is not None and (not self.fits or self.fits[-1][0] < moment.seen.time_s):
            found = twin_fit(moment.seen.scenario, moment.seen.metrics, moment.predicted)
            if found is not None:
                self.fits.append((moment.seen.time_s, found))
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self.moment.emit)
