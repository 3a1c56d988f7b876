"""nettwin plan: the change plans of a workspace, in people's hands."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from nettwin.errors import InputError
from nettwin.interfaces import operating
from nettwin.interfaces.cli import options as o
from nettwin.interfaces.cli import workspaces as w
from nettwin.interfaces.cli.output import Output
from nettwin.interfaces.cli.program import NOT_MET, command, subcommands
from nettwin.interfaces.tables import plans as plan_tables
from nettwin.interfaces.tables import workspace as tables

if TYPE_CHECKING:
    from nettwin.client import Client

group = subcommands(
    "plan",
    "Plans of a workspace: list, add, verify, approve, apply and undo them.",
    "nettwin plan list --workspace twin",
    "nettwin plan approve 3f2a --workspace twin --token $ADA",
    "nettwin plan list --server http://127.0.0.1:8080 --token $ADA",
)

PlanArg = Annotated[
    str,
    o.argument(metavar="PLAN", help="A plan's id, or its beginning."),
]


@command("nettwin plan list --workspace twin --json", group=group, name="list")
def list_plans(
    workspace: w.WorkspaceOption = w.HERE,
    server: o.ServerOption = None,
    token: w.TokenOption = None,
    json: o.JsonOption = False,
) -> None:
    """List every plan with its author and what became of it."""
    from nettwin.apps.loop.plans import known_plans
    from nettwin.interfaces.documents.questions import plan_row

    output = Output("plan list", json)
    if server is not None:
        with client_of(server, token) as client:
            rows = client.plans()[::-1]
    else:
        rows = [plan_row(one) for one in known_plans(w.opened(workspace).repository)]
    output.document({"plans": rows})
    output.show(tables.plans(rows, w.moment))


FILE = o.argument(metavar="FILE", help="A plan that `nettwin optimize --out` wrote.")


@command("nettwin plan add plan.yaml --workspace twin --token $ADA", group=group)
def add(
    file: Annotated[Path, FILE],
    workspace: w.WorkspaceOption = w.HERE,
    server: o.ServerOption = None,
    token: w.TokenOption = None,
    json: o.JsonOption = False,
) -> None:
    """Add a plan of your own, for the network as it was seen last."""
    from nettwin.apps.loop import by_hand
    from nettwin.change_plan import plan_to_dict
    from nettwin.formats.change_plan import read_change_plan

    output = Output("plan add", json)
    plan = read_change_plan(file)
    if server is not None:
        with client_of(server, token) as client:
            id = str(client.propose(plan=plan_to_dict(plan))["id"])
    else:
        place, author = w.opened_by(workspace, token)
        with place.writing("nettwin plan add"):
            id = by_hand.add(place, plan, author).id
            words = "a plan of their own"
            place.audit.add(time.time(), "add", author.name, words=words, plan=id)
    output.document({"id": id})
    output.show(Text(f"plan {id} added; somebody else approves it"))


@command("nettwin plan verify 3f2a --workspace twin", group=group)
def verify(
    plan: PlanArg,
    workspace: w.WorkspaceOption = w.HERE,
    server: o.ServerOption = None,
    token: w.TokenOption = None,
    json: o.JsonOption = False,
) -> None:
    """Judge a plan again on the network as it was seen last; exit with 4 where the intent is
    not met after it."""
    from nettwin.apps.loop import by_hand
    from nettwin.change_plan import plan_from_dict, plan_to_dict

    output = Output("plan verify", json)
    if server is not None:
        with client_of(server, token) as client:
            said = client.verify(plan)
        id, name, judged = said["id"], server, plan_from_dict(said["plan"])
    else:
        place = w.opened(workspace)
        settings = place.settings.loop
        model, verifier = operating.model_of(settings), operating.verifier_of(settings)
        found = by_hand.verify(place, plan, model, verifier, operating.corrected(place))
        id, name, judged = found.known.id, place.settings.name, found.plan
    output.document({"id": id, "plan": plan_to_dict(judged)})
    output.show(plan_tables.heading(judged, name), plan_tables.expectations(judged))
    if not judged.met:
        raise typer.Exit(NOT_MET)


@command("nettwin plan approve 3f2a --workspace twin --token $ADA", group=group)
def approve(
    plan: PlanArg,
    workspace: w.WorkspaceOption = w.HERE,
    server: o.ServerOption = None,
    token: w.TokenOption = None,
    json: o.JsonOption = False,
) -> None:
    """Approve a plan of somebody else, for the network that it was made for; while the loop runs,
    too."""
    from nettwin.apps.loop import by_hand

    output = Output("plan approve", json)
    if server is not None:
        with client_of(server, token) as client:
            said = client.approve(plan)["approval"]
    else:
        place = w.opened(workspace)
        said = by_hand.approve(place, plan, w.person(place, token), time.time()).to_dict()
    output.document({"approval": said})
    until = w.moment(said["expires_s"])
    output.show(Text(f"{said['by']} approved the plan of {said['author']}; until {until} UTC"))


DRY_RUN = o.given(
    "--dry-run",
    metavar="DIR",
    help="Change nothing; write what each router would be told into DIR.",
)
ACTUATOR = typer.Option(
    "--as", metavar="NAME", help="How --dry-run writes it: dry_run, ios_xr or junos."
)


@command("nettwin plan apply 3f2a --workspace twin --token $ADA", group=group)
def apply(
    plan: PlanArg,
    workspace: w.WorkspaceOption = w.HERE,
    server: o.ServerOption = None,
    token: w.TokenOption = None,
    dry_run: Annotated[Path | None, DRY_RUN] = None,
    actuator: Annotated[str, ACTUATOR] = "dry_run",
    json: o.JsonOption = False,
) -> None:
    """Apply an approved plan to the network: all of its changes, or none."""
    from nettwin.apps.loop import by_hand
    from nettwin.apps.loop.plans import known_plan
    from nettwin.interfaces.documents.questions import receipt_of

    output = Output("plan apply", json)
    if server is not None:
        if dry_run is not None:
            raise InputError("--dry-run goes with --workspace. Leave out --server.")
        with client_of(server, token) as client:
            _done(output, client.apply(plan))
        return
    place = w.opened(workspace)
    if dry_run is not None:
        known = known_plan(place.repository, plan)
        _written(output, known.plan, by_hand.last_seen(place).scenario, dry_run, actuator)
        return
    who = w.person(place, token)
    with place.writing("nettwin plan apply"), place.network() as network:
        receipt = by_hand.apply(place, network, plan, who, time.time())
    _done(output, receipt_of(receipt))


@command("nettwin plan undo 3f2a --workspace twin --token $ADA", group=group)
def undo(
    plan: PlanArg,
    workspace: w.WorkspaceOption = w.HERE,
    server: o.ServerOption = None,
    token: w.TokenOption = None,
    json: o.JsonOption = False,
) -> None:
    """Take a plan out of the network again."""
    from nettwin.apps.loop import by_hand
    from nettwin.interfaces.documents.questions import receipt_of

    output = Output("plan undo", json)
    if server is not None:
        with client_of(server, token) as client:
            _done(output, client.undo(plan))
        return
    place, who = w.opened_by(workspace, token)
    with place.writing("nettwin plan undo"), place.network() as network:
        receipt = by_hand.undo(place, network, plan, who, time.time())
    _done(output, receipt_of(receipt))


def _done(output: Output, receipt: dict[str, Any]) -> None:
    """Tell what became of a plan in the network."""
    output.document(receipt)
    output.show(Text(f"plan {receipt['receipt']} {receipt['state']}: {receipt['changes']} changes"))


def client_of(server: str, token: str | None) -> Client:
    """The client of a server."""
    from nettwin.interfaces.cli.remote import client_of as found

    return found(server, token)


def _written(output: Output, plan: Any, scenario: Any, folder: Path, name: str) -> None:
    """What each router would be told, as files."""
    from nettwin.physical.registry import ACTUATORS

    if name not in ACTUATORS:
        raise InputError(f"{name} is not an actuator: must be of {', '.join(ACTUATORS)}. Name one.")
    writes = ACTUATORS[name].make(scenario, folder)
    refusals = [words for words in map(writes.refuses, plan.changes) if words]
    output.note("Left out", refusals, "yellow")
    for change in plan.changes:
        if not writes.refuses(change):
            writes.make(change)
    files = sorted(str(path) for path in folder.iterdir())
    output.document({"files": files, "left_out": refusals})
    output.wrote(folder)
