"""Settings: how this workspace is set up, and who works with it; nothing secret is shown."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fastapi import Request
from nicegui import ui

from nettwin.interfaces.web import pieces
from nettwin.interfaces.web.frame import frame
from nettwin.interfaces.web.place import Place
from nettwin.interfaces.web.table.data_table import Column, DataTable
from nettwin.secrets import is_secret

PEOPLE = (Column("name", "Name"), Column("roles", "Roles"))


async def build(place: Place, request: Request) -> None:
    """The page."""
    settings = place.desk.workspace.settings
    with frame(place, request, "settings"), ui.element("div").classes("page"):
        pieces.heading("Settings", 1)
        ui.label("They stand in nettwin.toml of the workspace; this page shows them.").classes(
            "soft"
        )
        with ui.element("div").classes("cards"):
            for title, values in (
                ("Network", {"kind": settings.kind, **settings.network}),
                ("Loop", asdict(settings.loop)),
                ("Policy", asdict(settings.policy)),
            ):
                with ui.element("div").classes("card stack"):
                    pieces.heading(title)
                    pieces.facts((name, _words(name, value)) for name, value in values.items())
        pieces.heading("People")
        rows = [
            {"key": one.name, "name": one.name, "roles": ", ".join(one.roles)}
            for one in place.desk.access.people
        ]
        DataTable("People", PEOPLE, rows, empty="Nobody yet: nettwin people add makes one.")


def _words(name: str, value: Any) -> str:
    if is_secret(name):
        return "kept elsewhere"
    return ", ".join(map(str, value)) if isinstance(value, tuple | list) else str(value)
