"""Deeds: what people do to a network: plans added, approved, applied, undone; events.

Where the loop runs here, its process does them, as the one writer; otherwise they are done at once,
with the workspace held meanwhile.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

from starlette.concurrency import run_in_threadpool

from nettwin.apps.loop import by_hand
from nettwin.apps.loop.plans import Known
from nettwin.change_plan import ChangePlan
from nettwin.errors import BusyError, InputError
from nettwin.interfaces.server.desk import Desk
from nettwin.physical.journal import Receipt
from nettwin.physical.network import Event
from nettwin.workspace.approval import Approval
from nettwin.workspace.people import Person
from nettwin.workspace.workspace import Workspace

WHO = "nettwin serve"
PATIENCE_S = 120.0  # until the loop is between two cycles


class Deeds:
    """What may be done at a desk. Everything raises what `apps.loop.by_hand` raises."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    async def add(self, plan: ChangePlan, author: Person) -> Known:
        """Keep a plan of a person."""

        def by_itself(place: Workspace) -> Known:
            with place.writing(WHO):
                known = by_hand.add(place, plan, author)
                words = "a plan of their own"
                place.audit.add(time.time(), "add", author.name, words=words, plan=known.id)
            return known

        found: Known = await self._do(by_itself, "add", plan, author)
        return found

    async def approve(self, id: str, person: Person) -> Approval:
        """Approve somebody else's plan."""

        def by_itself(place: Workspace) -> Approval:
            return by_hand.approve(place, id, person, time.time())

        found: Approval = await self._do(by_itself, "approve", id, person)
        return found

    async def apply(self, id: str, person: Person) -> Receipt:
        """Put an approved plan into the network."""

        def by_itself(place: Workspace) -> Receipt:
            with place.writing(WHO), place.network() as network:
                return by_hand.apply(place, network, id, person, time.time())

        found: Receipt = await self._do(by_itself, "apply", id, person)
        return found

    async def undo(self, id: str, person: Person) -> Receipt:
        """Take a plan out of the network."""

        def by_itself(place: Workspace) -> Receipt:
            with place.writing(WHO), place.network() as network:
                return by_hand.undo(place, network, id, person, time.time())

        found: Receipt = await self._do(by_itself, "undo", id, person)
        return found

    async def inject(self, event: Event, person: Person) -> None:
        """Let something happen to a network that is simulated."""
        if self.desk.workspace.settings.kind != "simulated":
            raise InputError(
                f"the network is of the kind {self.desk.workspace.settings.kind}: only a simulated"
                " one lets things happen when asked to. Try it in a session."
            )

        def by_itself(place: Workspace) -> None:
            with place.writing(WHO), place.network() as network:
                network.inject(event)

        await self._do(by_itself, "inject", event, person)

    async def _do(self, by_itself: Callable[[Workspace], Any], what: str, *arguments: Any) -> Any:
        live = self.desk.live
        try:
            if live is None:
                return await run_in_threadpool(by_itself, self.desk.workspace)
            future = await run_in_threadpool(live.ask, what, *arguments)
            return await asyncio.wait_for(asyncio.wrap_future(future), PATIENCE_S)
        except TimeoutError:
            raise BusyError(
                f"the loop was busy for {PATIENCE_S:.0f} s; what was asked for may still be done."
                " Look at the plan again before you repeat it."
            ) from None
        finally:
            self.desk.deeds += 1
