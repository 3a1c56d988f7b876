"""nettwin models: trained models, listed, shown, verified, installed and removed."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from nettwin.errors import InputError, NettwinError
from nettwin.interfaces import wiring
from nettwin.interfaces.cli import options as o
from nettwin.interfaces.cli.output import Output
from nettwin.interfaces.cli.program import app
from nettwin.interfaces.tables import models as tables

group = typer.Typer(
    help="The learned models: those that nettwin ships, and those that you install.",
    epilog=o.examples(
        "nettwin models list",
        "nettwin models verify gnn",
        "nettwin models install trained/gnn.safetensors",
    ),
    no_args_is_help=True,
)
app.add_typer(group, name="models")

ModelArg = Annotated[
    str,
    typer.Argument(
        metavar="NAME|FILE", help="A model's name, or its file (.safetensors).", show_default=False
    ),
]


@group.command(name="list", epilog=o.examples("nettwin models list", "nettwin models list --json"))
def list_models(json: o.JsonOption = False) -> None:
    """List the models by name."""
    output = Output("models list", json)
    catalog = wiring.catalog()
    rows = []
    for entry in catalog.entries().values():
        try:
            rows.append((entry, dict(catalog.load(entry.name).card), ""))
        except NettwinError as error:
            rows.append((entry, {}, str(error)))
            output.note("Warning", [str(error)], "yellow")
    output.document(
        {"models": [{**asdict(e), "issue": issue, "card": card} for e, card, issue in rows]}
    )
    output.show(tables.listed(rows))


@group.command(epilog=o.examples("nettwin models show gnn"))
def show(name: ModelArg, json: o.JsonOption = False) -> None:
    """Show a model's card: what it was trained on, and how well it does."""
    output = Output("models show", json)
    model = wiring.catalog().load(name)
    output.document({"name": model.name, "card": dict(model.card)})
    output.show(*tables.card(model.card, len(model.members)))


@group.command(epilog=o.examples("nettwin models verify", "nettwin models verify my.safetensors"))
def verify(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME|FILE...]", help="Models; all of them by default.", show_default=False
        ),
    ] = None,
    json: o.JsonOption = False,
) -> None:
    """Verify models: checksum, schema, weights, and that they answer as their cards say."""
    output = Output("models verify", json)
    catalog = wiring.catalog()
    found = {name: catalog.verify(name) for name in names or catalog.entries()}
    output.document(
        {"models": {name: [asdict(check) for check in checks] for name, checks in found.items()}}
    )
    output.show(tables.verified(found))
    issues = [f"{name}: {c.issue}" for name, checks in found.items() for c in checks if c.issue]
    if issues:
        raise InputError("; ".join(issues) + ". Install it again from a good copy, or train it.")


@group.command(epilog=o.examples("nettwin models install trained/gnn.safetensors"))
def install(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A model or an agent.", show_default=False)
    ],
    json: o.JsonOption = False,
) -> None:
    """Install a model under the name on its card, or have an agent used by optimize; verified."""
    output = Output("models install", json)
    agents = wiring.agent_files()
    if agents.is_agent(file):
        path = agents.install_agent(file)
        output.document({"name": path.stem, "target": path})
        output.wrote(path)
        output.say(f"It is used for {path.stem} from now on; without it nettwin's own is.")
        return
    entry = wiring.catalog().install(file)
    output.document({"name": entry.name, "target": entry.path, "sha256": entry.sha256})
    output.wrote(entry.path)


@group.command(epilog=o.examples("nettwin models remove mine"))
def remove(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="An installed model.", show_default=False)
    ],
    json: o.JsonOption = False,
) -> None:
    """Remove an installed model."""
    output = Output("models remove", json)
    entry = wiring.catalog().remove(name)
    output.document({"name": name, "removed": entry.path})
    output.say(f"Removed {entry.path}")
