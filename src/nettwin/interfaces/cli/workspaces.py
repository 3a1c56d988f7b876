"""Workspaces: a workspace as commands open it, and what works on it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nettwin import units
from nettwin.errors import InputError
from nettwin.interfaces.cli.options import completed

if TYPE_CHECKING:
    from nettwin.workspace.people import Person
    from nettwin.workspace.workspace import Workspace

WorkspaceOption = Annotated[
    Path,
    typer.Option(
        "--workspace",
        "-w",
        metavar="DIR",
        help="The folder that `nettwin init` has made.",
        envvar="NETTWIN_WORKSPACE",
    ),
]
HERE = Path()
moment = units.moment
TokenOption = Annotated[
    str | None,
    typer.Option(
        "--token",
        metavar="TOKEN",
        help="Who you are: the token that `nettwin people add` has shown.",
        envvar="NETTWIN_TOKEN",
        show_default=False,
    ),
]


def _networks() -> list[tuple[str, str]]:
    from nettwin.physical.registry import NETWORKS

    return [(choice.name, choice.title) for choice in NETWORKS.values()]


complete_network = completed(_networks)


def opened(folder: Path) -> Workspace:
    """The workspace in a folder. Raises FormatError where there is none."""
    from nettwin.workspace.workspace import Workspace

    return Workspace(folder)


def person(workspace: Workspace, token: str | None) -> Person:
    """Who a token proves somebody to be. Raises InputError where it is nobody's."""
    from nettwin.workspace.people import person_of

    if not token:
        raise InputError(
            "this needs a person: give --token TOKEN, or set NETTWIN_TOKEN. nettwin people add"
            " makes one."
        )
    return person_of(token, workspace.settings.people)


def opened_by(folder: Path, token: str | None) -> tuple[Workspace, Person]:
    """The workspace in a folder, and who opens it. Raises FormatError and InputError."""
    workspace = opened(folder)
    return workspace, person(workspace, token)


def time_of(text: str) -> float:
    """A time as people write it, in seconds since 1970. Raises InputError."""
    try:
        return float(text)
    except ValueError:
        pass
    return units.moment_s(text, "2026-01-05T12:30 (UTC), or seconds since 1970")
