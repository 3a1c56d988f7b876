"""Place: where a page is: the desk, and whether it shows the live network or a session."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from fastapi import Request
from numpy.typing import NDArray

from nettwin.apps.sessions import Session
from nettwin.errors import NettwinError
from nettwin.interfaces import operating
from nettwin.interfaces.server.live import Moment
from nettwin.interfaces.server.references import pinned
from nettwin.interfaces.web import show
from nettwin.interfaces.web.feed import Feed
from nettwin.scenario.scenario import Scenario
from nettwin.workspace.people import Person

if TYPE_CHECKING:
    from nettwin.interfaces.server.desk import Desk

LIVE = "live"


@dataclass(frozen=True)
class Place:
    """What all pages share."""

    desk: Desk
    feed: Feed

    @property
    def moment(self) -> Moment | None:
        """What was seen last."""
        return self.desk.live.moment if self.desk.live is not None else None

    @property
    def network(self) -> Scenario:
        """The live network as it was seen last; before that as it was planned."""
        moment = self.moment
        return moment.seen.scenario if moment is not None else self.desk.workspace.plan

    async def scenario(self, reference: str) -> Scenario:
        """The network of `live` or of a session's id. Raises UnknownNameError."""
        if reference == LIVE:
            return self.network
        session = await asyncio.to_thread(self.desk.sessions.get, reference)
        return await asyncio.to_thread(lambda: session.scenario)

    def session_of(self, network: Scenario, base: str, person: Person, name: str = "") -> Session:
        """Begin a session with a network."""
        made = self.desk.sessions.begin(network, base, person.name, name)
        self.feed.sessions.emit()
        return made

    def begin_session(self, person: Person, name: str = "") -> Session:
        """Begin a session with the live network as it is now."""
        moment = self.moment
        base = (
            f"the live network at {show.clock(moment.seen.time_s)}"
            if moment is not None
            else "the network as it was planned"
        )
        return self.session_of(self.network, base, person, name)

    def pinned(self, session: Session | None) -> str:
        """The reference to what a page shows now, as questions are asked about it. Raises
        InputError where nothing was seen yet."""
        text = f"session:{session.id}" if session is not None else LIVE
        desk = self.desk
        return pinned(text, desk.workspace, desk.networks, desk.sessions)

    def corrected(self, scenario: Scenario) -> Scenario:
        """What the twin takes a network for, with the corrections of the workspace."""
        return operating.corrected(self.desk.workspace)(scenario)

    def times_s(self) -> NDArray[np.float64]:
        """The moments of the history."""
        return self.desk.workspace.repository.times_s()

    def session(self, request: Request) -> Session | None:
        """The session that the address names; None for the live network, or where it is gone."""
        id = request.query_params.get("session", "")
        if not id:
            return None
        try:
            found: Session = self.desk.sessions.get(id)
        except NettwinError:
            return None
        return found


def person_of(request: Request) -> Person:
    """Who looks at a page; the guard has let in nobody else."""
    found: Person = request.state.person
    return found
