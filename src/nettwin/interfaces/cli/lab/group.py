"""The group of lab commands, what they take together, and the list of labs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nettwin.apps.labs import Lab, find_lab, lab_names
from nettwin.apps.labs.certificate import key_of
from nettwin.apps.labs.practice import Practice, Seen
from nettwin.apps.labs.session import Session, check_lab, read_session
from nettwin.interfaces import practicing
from nettwin.interfaces.cli import options as o
from nettwin.interfaces.cli.commands import COMMANDS
from nettwin.interfaces.cli.engines import warn_of_compiling
from nettwin.interfaces.cli.output import Output
from nettwin.interfaces.cli.program import command, subcommands
from nettwin.interfaces.documents import labs as told
from nettwin.interfaces.tables import labs as tables
from nettwin.model import NetworkModel

group = subcommands(
    "lab",
    COMMANDS["lab"],
    "nettwin lab list",
    "nettwin lab start black-hole --folder black-hole",
    "nettwin lab check 'set_weight A<->B 10' --folder black-hole",
    "nettwin lab debrief --folder black-hole",
)
complete_lab = o.completed(lambda: ((name, "") for name in lab_names()))
LabArg = Annotated[
    str, o.argument("LAB", "A lab of `nettwin lab list`, or a lab's file.", complete_lab)
]
FolderOption = Annotated[
    Path, typer.Option("--folder", "-d", metavar="DIR", help="Where the attempt is kept.")
]
KeyOption = Annotated[
    str | None,
    o.given("--key", metavar="env:NAME|file:PATH", help="The teacher's key, of an exam."),
]
HERE = Path("lab")


@command("nettwin lab list", name="list", group=group)
def listed(json: o.JsonOption = False) -> None:
    """List the labs that nettwin brings, the easiest first."""
    output = Output("lab list", json)
    found = [find_lab(name) for name in lab_names()]
    output.document({"labs": [told.lab(one) for one in found]})
    output.show(tables.labs(found))


def network_model(output: Output, seed: int) -> NetworkModel:
    """The network that labs are practiced on: simulated packets."""
    warn_of_compiling(output, "packet")
    return practicing.network_model(seed)


def opened(output: Output, folder: Path, key: str | None) -> tuple[Session, Lab, Practice]:
    """An attempt, its lab, and its network. Raises InputError."""
    session = read_session(folder, key_bytes(key))
    lab = find_lab(session.lab)
    check_lab(session, lab)
    return (
        session,
        lab,
        Practice(lab, session.variant, network_model(output, session.seed), session.seed),
    )


def key_bytes(key: str | None) -> bytes | None:
    """The key that was named. Raises InputError."""
    return None if key is None else key_of(key)


def show(output: Output, practice: Practice, seen: Seen, top: int) -> None:
    """Print what is measured, as far as the lab lets it be seen."""
    sees = practice.lab.sees
    if "loads" in sees:
        output.show(tables.links(practice, seen, top))
    if "flows" in sees:
        output.show(tables.flows(seen, top))
    output.show(tables.goals(seen))
