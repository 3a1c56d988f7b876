"""nettwin plan: the change plans of a workspace, in people's hands."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

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

group = subcommands(
    "plan",
    "Plans of a workspace: list, add, verify, approve, apply and undo them.",
    "nettwin plan list --workspace twin",
    "nettwin plan approve 3f2a --workspace twin --token $ADA",
)

PlanArg = Annotated[
    str,
    o.argument(metavar="PLAN", help="A plan's id, or its beginning."),
]


@command("nettwin plan list --workspace twin --json", group=group, name="list")
def list_plans(workspace: w.WorkspaceOption = w.HERE, json: o.JsonOption = False) -> None:
    """List every plan with its author and what became of it."""
    from nettwin.apps.loop.plans import known_plans

    output = Output("plan list", json)
    known = known_plans(w.opened(workspace).repository)
    output.document(
        {
            "plans": [
                {
                    "id": one.id,
                    "time_s": one.time_s,
                    "author": one.author,
                    "state": one.fate,
                    "why": one.why,
                    "digest": one.plan.digest,
                    "changes": [change.describe() for change in one.plan.changes],
                }
                for one in known
            ]
        }
    )
    output.show(tables.plans(known, w.moment))


FILE = o.argument(metavar="FILE", help="A plan that `nettwin optimize --out` wrote.")


@command("nettwin plan add plan.yaml --workspace twin --token $ADA", group=group)
def add(
    file: Annotated[Path, FILE],
    workspace: w.WorkspaceOption = w.HERE,
    token: w.TokenOption = None,
    json: o.JsonOption = False,
) -> None:
    """Add a plan of your own, for the network as it was seen last."""
    from nettwin.apps.loop import by_hand
    from nettwin.formats.change_plan import read_change_plan

    output = Output("plan add", json)
    place, author = w.opened_by(workspace, token)
    with place.writing("nettwin plan add"):
        known = by_hand.add(place, read_change_plan(file), author)
        place.audit.add(time.time(), "add", author.name, words="a plan of their own", plan=known.id)
    output.document({"id": known.id})
    output.show(Text(f"plan {known.id} added; somebody else approves it"))


@command("nettwin plan verify 3f2a --workspace twin", group=group)
def verify(
    plan: PlanArg, workspace: w.WorkspaceOption = w.HERE, json: o.JsonOption = False
) -> None:
    """Judge a plan again on the network as it was seen last; exit with 4 where the intent is
    not met after it."""
    from nettwin.apps.loop import by_hand
    from nettwin.change_plan import plan_to_dict

    output = Output("plan verify", json)
    place = w.opened(workspace)
    settings = place.settings.loop
    model, verifier = operating.model_of(settings), operating.verifier_of(settings)
    found = by_hand.verify(place, plan, model, verifier, operating.corrected(place))
    output.document({"id": found.known.id, "plan": plan_to_dict(found.plan)})
    output.show(
        plan_tables.heading(found.plan, place.settings.name), plan_tables.expectations(found.plan)
    )
    if not found.plan.met:
        raise typer.Exit(NOT_MET)


@command("nettwin plan approve 3f2a --workspace twin --token $ADA", group=group)
def approve(
    plan: PlanArg,
    workspace: w.WorkspaceOption = w.HERE,
    token: w.TokenOption = None,
    json: o.JsonOption = False,
) -> None:
    """Approve a plan of somebody else, for the network that it was made for; while the loop runs,
    too."""
    from nettwin.apps.loop import by_hand

    output = Output("plan approve", json)
    place = w.opened(workspace)
    approval = by_hand.approve(place, plan, w.person(place, token), time.time())
    output.document({"approval": approval.to_dict()})
    until = w.moment(approval.expires_s)
    output.show(Text(f"{approval.by} approved the plan of {approval.author}; until {until} UTC"))


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
    token: w.TokenOption = None,
    dry_run: Annotated[Path | None, DRY_RUN] = None,
    actuator: Annotated[str, ACTUATOR] = "dry_run",
    json: o.JsonOption = False,
) -> None:
    """Apply an approved plan to the network: all of its changes, or none."""
    from nettwin.apps.loop import by_hand
    from nettwin.apps.loop.plans import known_plan

    output = Output("plan apply", json)
    place = w.opened(workspace)
    if dry_run is not None:
        known = known_plan(place.repository, plan)
        _written(output, known.plan, by_hand.last_seen(place).scenario, dry_run, actuator)
        return
    who = w.person(place, token)
    with place.writing("nettwin plan apply"), place.network() as network:
        receipt = by_hand.apply(place, network, plan, who, time.time())
    output.document({"receipt": receipt.key, "state": receipt.state})
    output.show(Text(f"plan {receipt.key} {receipt.state}: {len(receipt.changes)} changes"))


@command("nettwin plan undo 3f2a --workspace twin --token $ADA", group=group)
def undo(
    plan: PlanArg,
    workspace: w.WorkspaceOption = w.HERE,
    token: w.TokenOption = None,
    json: o.JsonOption = False,
) -> None:
    """Take a plan out of the network again."""
    from nettwin.apps.loop import by_hand

    output = Output("plan undo", json)
    place, who = w.opened_by(workspace, token)
    with place.writing("nettwin plan undo"), place.network() as network:
        receipt = by_hand.undo(place, network, plan, who, time.time())
    output.document({"receipt": receipt.key, "state": receipt.state})
    output.show(Text(f"plan {receipt.key} {receipt.state}"))


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
