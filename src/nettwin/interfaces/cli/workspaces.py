"""Workspaces: a workspace as commands open it, and what works on it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nettwin import units
from nettwin.errors import InputError
from nettwin.interfaces import wiring
from nettwin.interfaces.cli.options import completed
from nettwin.model import NetworkModel
from nettwin.scenario.scenario import Scenario

if TYPE_CHECKING:
    from nettwin.apps.loop.loop import Loop, Told
    from nettwin.physical.network import Network
    from nettwin.workspace.people import Person
    from nettwin.workspace.settings import LoopSettings
    from nettwin.workspace.workspace import Workspace

NONE = "none"
SIMULATOR, EMULATION = "packet", "emulation"
# of a verification: it has to be done before the network has become another one
VERIFIER = {"precision": 0.05, "max_packets": 400_000}

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


def corrected(workspace: Workspace) -> Callable[[Scenario], Scenario]:
    """The twin's scenario of what a network tells, with the corrections of the workspace."""
    from nettwin.apps.calibration.corrections import read_corrections

    return read_corrections(workspace.twin_file).corrected


def model_of(settings: LoopSettings) -> NetworkModel:
    """The engine that predicts."""
    return wiring.engine(settings.engine)


def verifier_of(settings: LoopSettings) -> NetworkModel | None:
    """The engine that looks at plans; None where none shall."""
    if settings.verify == NONE:
        return None
    if settings.verify == EMULATION:
        return wiring.emulation()
    own: dict[str, Any] = dict(VERIFIER) if settings.verify == SIMULATOR else {}
    return wiring.engine(settings.verify, **own)


def loop_of(
    workspace: Workspace,
    network: Network,
    tell: Callable[[Told], None],
    at_step: Callable[[str], None] = lambda step: None,
) -> Loop:
    """The loop of a workspace that this process writes to."""
    from nettwin.apps.loop.loop import Loop, Parts
    from nettwin.optimize.optimize import warm_up

    settings = workspace.settings
    warm_up(settings.loop.method, workspace.intent)  # before a failure waits for it
    return Loop(
        Parts(
            network=network,
            intent=workspace.intent,
            model=model_of(settings.loop),
            verifier=verifier_of(settings.loop),
            repository=workspace.repository,
            audit=workspace.audit,
            approvals=workspace.approvals,
            state_file=workspace.state_file,
            settings=settings.loop,
            policy=settings.policy,
            corrected=corrected(workspace),
            tell=tell,
            at_step=at_step,
        )
    )


def moment(time_s: float) -> str:
    """A time for people, UTC."""
    return datetime.fromtimestamp(time_s, UTC).strftime("%Y-%m-%d %H:%M:%S")


def time_of(text: str) -> float:
    """A time as people write it, in seconds since 1970. Raises InputError."""
    try:
        return float(text)
    except ValueError:
        pass
    return units.moment_s(text, "2026-01-05T12:30 (UTC), or seconds since 1970")
