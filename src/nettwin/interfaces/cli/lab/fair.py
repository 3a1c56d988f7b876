"""nettwin lab test: whether labs are fair."""

from __future__ import annotations

from typing import Annotated

import typer

from nettwin.apps.labs import find_lab, lab_names
from nettwin.apps.labs.trial import trial
from nettwin.interfaces.cli import options as o
from nettwin.interfaces.cli.lab.group import complete_lab, group, network_model
from nettwin.interfaces.cli.output import Output
from nettwin.interfaces.cli.program import NOT_MET, command
from nettwin.interfaces.documents import labs as told
from nettwin.interfaces.progress import progress
from nettwin.interfaces.tables import labs as tables

LABS = o.argument(
    "LAB...", "Labs or files of labs; without, all that nettwin brings.", complete_lab
)


@command("nettwin lab test mine.yaml", "nettwin lab test", name="test", group=group)
def test(
    lab: Annotated[list[str] | None, LABS] = None,
    seed: o.SeedOption = 1,
    json: o.JsonOption = False,
) -> None:
    """Prove of labs that the model solution passes, that doing nothing fails, and that the
    plausible wrong solutions fail; exit with 4 where one does not."""
    output = Output("lab test", json)
    found = []
    model = network_model(output, seed)
    for name in lab or lab_names():
        one = find_lab(name)
        with progress(output.err, f"Trying {one.name}") as tell:
            tried = trial(one, model, seed=seed, progress=tell)
        output.show(tables.tried(one, tried))
        found.append((one, tried))
    output.document({"labs": [told.trial(*one) for one in found]})
    if not all(t.right for _, tried in found for t in tried):
        raise typer.Exit(NOT_MET)
