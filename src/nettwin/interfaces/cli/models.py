"""nettwin models: trained models, listed, shown, verified, installed and removed."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

from nettwin.errors import InputError, NettwinError
from nettwin.interfaces import wiring
from nettwin.interfaces.cli import options as o
from nettwin.interfaces.cli.output import Output
from nettwin.interfaces.cli.program import command, subcommands
from nettwin.interfaces.tables import models as tables

group = subcommands(
    "models",
    "The learned models: those that nettwin ships, and those that you install.",
    "nettwin models list",
    "nettwin models verify gnn",
    "nettwin models install trained/gnn.safetensors",
)

ModelArg = Annotated[
    str,
    o.argument(metavar="NAME|FILE", help="A model's name, or its file (.safetensors)."),
]


@command("nettwin models list", "nettwin models list --json", group=group, name="list")
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


@command("nettwin models show gnn", group=group)
def show(name: ModelArg, json: o.JsonOption = False) -> None:
    """Show a model's card: what it was trained on, and how well it does."""
    output = Output("models show", json)
    model = wiring.catalog().load(name)
    output.document({"name": model.name, "card": dict(model.card)})
    output.show(*tables.card(model.card, len(model.members)))


NAMES = o.argument(metavar="[NAME|FILE...]", help="Models; all of them by default.")


@command("nettwin models verify", "nettwin models verify my.safetensors", group=group)
def verify(
    names: Annotated[list[str] | None, NAMES] = None,
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


@command("nettwin models install trained/gnn.safetensors", group=group)
def install(
    file: Annotated[Path, o.argument(metavar="FILE", help="A model or an agent.")],
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


@command("nettwin models remove mine", group=group)
def remove(
    name: Annotated[str, o.argument(metavar="NAME", help="An installed model.")],
    json: o.JsonOption = False,
) -> None:
    """Remove an installed model."""
    output = Output("models remove", json)
    entry = wiring.catalog().remove(name)
    output.document({"name": name, "removed": entry.path})
    output.say(f"Removed {entry.path}")
