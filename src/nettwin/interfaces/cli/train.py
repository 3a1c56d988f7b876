"""nettwin train: a model from a recipe and data."""

from __future__ import annotations

import math
from pathlib import Path
from time import monotonic
from typing import Annotated, Any

import typer

from nettwin import units
from nettwin.interfaces import wiring
from nettwin.interfaces.cli import options as o
from nettwin.interfaces.cli.engines import warn_of_compiling
from nettwin.interfaces.cli.output import Output
from nettwin.interfaces.cli.program import app
from nettwin.interfaces.progress import Tell, progress
from nettwin.interfaces.tables import training as tables


@app.command(
    epilog=o.examples(
        "nettwin train gnn --data general/ --data wide/ --data common/ --out trained/",
        "nettwin train my_recipe.toml --data data/ --out trained/ --steps 2000",
    )
)
def train(
    recipe: Annotated[
        str,
        typer.Argument(
            metavar="RECIPE",
            help="A training recipe (TOML), or the name of one that nettwin carries.",
            show_default=False,
        ),
    ],
    data: Annotated[
        list[Path],
        typer.Option(
            "--data",
            metavar="DIR",
            help="A data set, or recordings in any format; as often as there are.",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path,
        typer.Option("--out", "-o", metavar="DIR", help="The folder; goes on with what it holds."),
    ],
    steps: Annotated[
        int | None, typer.Option(min=1, help="Steps a member.", show_default="as the recipe says")
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(min=0, help="Seed of the first member.", show_default="as the recipe says"),
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Members trained at once.")] = 1,
    threads: Annotated[int, typer.Option(min=1, help="Threads of each.")] = 1,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    json: o.JsonOption = False,
) -> None:
    """Train a model; goes on where an earlier run stopped."""
    from nettwin.datasets.labeled import labeled

    output = Output("train", json)
    trainer = wiring.trainer()
    warn_of_compiling(output, "theory")
    sources = [labeled(path) for path in data]
    output.note("Warning", trainer.missing(recipe, sources), "yellow")
    with progress(output.err, "Training") as tell:
        watch = Watch(output, tell)
        model, path = trainer.train(
            recipe,
            sources,
            out,
            steps=steps,
            seed=seed,
            machine=trainer.Machine(jobs, threads, device),
            preparing=watch.preparing,
            tell=watch.training,
        )
    output.document({"target": path, "card": dict(model.card)})
    output.show(tables.accuracy(model.card["accuracy"]["test"]))
    output.wrote(path)


class Watch:
    """Tells how a training goes: a bar; at each validation a line with the time that is left."""

    def __init__(self, output: Output, bar: Tell) -> None:
        self.output, self.bar = output, bar
        self.steps: dict[int, int] = {}
        self.begin: tuple[float, int] | None = None

    def preparing(self, name: str, share: float) -> None:
        """A data set is turned into tensors."""
        words = f"Reading {name} ..."
        if words not in self.output.said:
            self.output.say(words)
        self.bar(share)

    def training(self, moment: Any) -> None:
        """A member has come to a step."""
        self.steps[moment.seed] = moment.step
        done, every = sum(self.steps.values()), moment.steps * moment.members
        self.bar(done / every)
        if self.begin is None:
            self.begin = (monotonic(), done)
        if math.isnan(moment.validation):
            return
        since, first = self.begin
        left = (monotonic() - since) / max(done - first, 1) * (every - done)
        rest = f", {units.duration(left)} left" if left > 0 else ""
        self.output.say(
            f"seed {moment.seed}, step {moment.step:,} of {moment.steps:,}: mean delays of the"
            f" validation are {moment.validation:.2%} off{rest}"
        )
