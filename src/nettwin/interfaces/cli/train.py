"""nettwin train: a model from a recipe and data, one adapted to other data, or an agent."""

from __future__ import annotations

import math
from pathlib import Path
from time import monotonic
from typing import Annotated, Any

import typer

from nettwin import units
from nettwin.errors import InputError, UnknownNameError
from nettwin.interfaces import wiring
from nettwin.interfaces.cli import options as o
from nettwin.interfaces.cli.engines import warn_of_compiling
from nettwin.interfaces.cli.output import Output
from nettwin.interfaces.cli.program import command
from nettwin.interfaces.cli.train_agent import train_agent
from nettwin.interfaces.progress import Tell, progress
from nettwin.interfaces.tables import training as tables

ADAPTING = "Adapt a model (--from)"


OUT = typer.Option(
    "--out", "-o", metavar="DIR", help="The folder to write; a training that it holds is resumed."
)
RECIPE = o.argument(
    metavar="[RECIPE]",
    help="A training recipe (TOML), or the name of one that nettwin ships: of a model,"
    " or of an agent of nettwin optimize.",
)
DATA = o.given(
    "--data",
    help="A data set, or recordings in any format, as often as there are; not for agents.",
    metavar="DIR",
)
STEPS = typer.Option(min=1, help="Steps of each network.", show_default="as the recipe says; 4000")
SEED = typer.Option(
    min=0, help="Seed of the first network, or agent.", show_default="as the recipe says"
)
BASE = o.given(
    "--from",
    help="The model to adapt, by name or file; then there is no recipe.",
    metavar="MODEL",
    panel=ADAPTING,
)
KEEP = typer.Option(
    "--keep",
    metavar="DIR",
    help="What the model was trained on: replayed, and tested before and after.",
    rich_help_panel=ADAPTING,
    show_default="some of it, drawn again",
)
MARGIN = typer.Option(
    help="By how much the old data may grow worse, relatively.", rich_help_panel=ADAPTING
)
TEST_TOPOLOGIES = typer.Option(
    help="Share of the new data's topologies that are tested on.", rich_help_panel=ADAPTING
)
OTHER_HALF = typer.Option(
    "--other-half", help="Test on the other topologies.", rich_help_panel=ADAPTING
)
NAME = typer.Option(
    help="Name of the adapted model.", rich_help_panel=ADAPTING, show_default="MODEL-adapted"
)
FORCE = typer.Option(
    "--force", help="Write the model however the old data fare.", rich_help_panel=ADAPTING
)


@command(
    "nettwin train gnn --data general/ --data wide/ --data common/ --out trained/",
    "nettwin train my_recipe.toml --data data/ --out trained/ --steps 2000",
    "nettwin train --from gnn --data recordings/ --keep general/ --out adapted/",
    "nettwin train midpoints --out trained/",
)
def train(
    out: Annotated[Path, OUT],
    recipe: Annotated[str | None, RECIPE] = None,
    data: Annotated[list[Path] | None, DATA] = None,
    steps: Annotated[int | None, STEPS] = None,
    seed: Annotated[int | None, SEED] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Networks trained at once.")] = 1,
    threads: Annotated[int, typer.Option(min=1, help="Threads of each.")] = 1,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    base: Annotated[str | None, BASE] = None,
    keep: Annotated[list[Path] | None, KEEP] = None,
    margin: Annotated[str, MARGIN] = "10%",
    test_topologies: Annotated[str, TEST_TOPOLOGIES] = "50%",
    other_half: Annotated[bool, OTHER_HALF] = False,
    name: Annotated[str | None, NAME] = None,
    force: Annotated[bool, FORCE] = False,
    json: o.JsonOption = False,
) -> None:
    """Train a model, adapt one to other data, or train an agent; resumes where it stopped."""
    from nettwin.datasets.labeled import labeled

    output = Output("train", json)
    trainer = wiring.trainer()
    if (recipe is None) == (base is None):
        raise InputError("there must be a recipe or --from MODEL, and not both. Give one of them.")
    agents = wiring.agents()
    if recipe is not None and agents.is_agents(recipe):
        models_alone = {"--data": data, "--keep": keep, "--name": name, "--steps": steps}
        train_agent(output, agents, recipe, out, seed, models_alone)
        return
    _known(recipe, trainer.shipped_recipes() + agents.shipped_recipes())
    if not data:
        raise InputError("there is nothing to learn from. Give a data set with --data DIR.")
    warn_of_compiling(output, "theory")
    sources = [labeled(path) for path in data]
    machine = trainer.Machine(jobs, threads, device)
    with progress(output.err, "Training") as tell:
        watch = Watch(output, tell)
        told = {"machine": machine, "preparing": watch.preparing, "tell": watch.training}
        if base is None:
            output.note("Warning", trainer.missing(recipe, sources), "yellow")
            model, path = trainer.train(recipe, sources, out, steps=steps, seed=seed, **told)
        else:
            found, path = trainer.adapt(
                base,
                sources,
                _kept(trainer, base, keep, output),
                out,
                steps=trainer.ADAPTING.steps if steps is None else steps,
                seed=1 if seed is None else seed,
                margin=units.share(margin),
                force=force,
                name=name or "",
                halves=trainer.Halves(units.share(test_topologies), other_half),
                **told,
            )
            model = found.model
    if base is not None:
        output.show(tables.adapted(found))
    if path is None:
        raise InputError(
            f"the old data are {units.percent(found.worse, 1)} worse, which is more than"
            f" {margin}: no model is written. Give more of --keep, fewer --steps, or --force."
            if math.isfinite(found.worse)
            else "no old data with samples to test on were given, so that nobody can tell what the"
            " model has lost: no model is written. Give --keep DIR, or --force."
        )
    output.document({"target": path, "card": dict(model.card)})
    if base is None:
        output.show(tables.accuracy(model.card["accuracy"]["test"]))
    output.wrote(path)


def _known(recipe: str | None, names: list[str]) -> None:
    if recipe is not None and not Path(recipe).suffix and recipe not in names:
        raise UnknownNameError("training recipe", recipe, names)


def _kept(trainer: Any, base: str, keep: list[Path] | None, output: Output) -> list[Any]:
    """The old data: those given, or else the first of the model's recipes that nettwin carries."""
    from nettwin.datasets.labeled import Redrawn, labeled
    from nettwin.datasets.recipe import read_recipe, shipped_recipe

    if keep:
        return [labeled(path) for path in keep]
    for name in trainer.learned_from(base):
        try:
            recipe = read_recipe(shipped_recipe(name))
        except UnknownNameError:
            continue
        output.say(f"Without --keep: some samples of {name} are drawn and simulated again.")
        return [Redrawn(recipe, wiring.labeler)]
    return []


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
        """A network has come to a step."""
        self.steps[moment.seed] = moment.step
        done, every = sum(self.steps.values()), moment.steps * moment.members
        self.bar(done / every)
        if self.begin is None:
            self.begin = (monotonic(), done)
        if math.isnan(moment.validation):
            return
        since, first = self.begin
        left = (monotonic() - since) / max(done - first, 1) * (every - done)
        rest = f", {units.duration(left)} left" if done > first and every > done else ""
        self.output.say(
            f"seed {moment.seed}, step {moment.step:,} of {moment.steps:,}: mean delays of the"
            f" validation are {moment.validation:.2%} off{rest}"
        )
