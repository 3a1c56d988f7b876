"""Audit: every decision, in a log that shows where it was tampered with."""

from __future__ import annotations

import asyncio

from fastapi import Request
from nicegui import ui

from nettwin.errors import NettwinError
from nettwin.interfaces.web import pieces, show
from nettwin.interfaces.web.frame import frame
from nettwin.interfaces.web.place import Place
from nettwin.interfaces.web.table.data_table import Column, DataTable
from nettwin.repository.audit import AuditLog, Entry

ENTRIES = (
    Column("number", "Entry", number=True),
    Column("time", "Time"),
    Column("what", "Step"),
    Column("who", "Who"),
    Column("words", "What"),
    Column("plan", "Plan", pick=False),
)
MOST = 2000


async def build(place: Place, request: Request) -> None:
    """The page."""
    with frame(place, request, "audit"), ui.element("div").classes("page"):
        pieces.heading("Audit", 1)
        logs = (
            ("Audit log of the network", place.desk.workspace.audit),
            ("What this server refused, and who came", place.desk.log),
        )
        for title, log in logs:
            pieces.heading(title)
            try:
                found = await asyncio.to_thread(_entries, log)
            except NettwinError as error:
                ui.label(str(error)).classes("bad")
                continue
            rows = [
                {
                    "key": str(entry.number),
                    "number": entry.number,
                    "time": show.clock(entry.time_s),
                    "what": entry.what,
                    "who": entry.who,
                    "words": str(entry.details.get("words", "")),
                    "plan": str(entry.details.get("plan", "")),
                }
                for entry in reversed(found[-MOST:])
            ]
            if rows:
                ui.label(
                    f"{show.count(len(found), 'entry', 'entries')}, each bound to the one before by"
                    " a hash: the chain is whole."
                ).classes("soft")
            DataTable(title, ENTRIES, rows, empty="Nothing yet.", few=25)


def _entries(log: AuditLog) -> list[Entry]:
    return list(log.entries())
