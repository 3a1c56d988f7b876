"""nettwin dataset: training data, generated from a recipe and looked at."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from nettwin.interfaces import wiring
from nettwin.interfaces.cli import options as o
from nettwin.interfaces.cli.engines import warn_of_compiling
from nettwin.interfaces.cli.output import Output
from nettwin.interfaces.cli.program import app
from nettwin.interfaces.progress import progress
from nettwin.interfaces.tables import facts as tables

group = typer.Typer(
    help="Make training data from a recipe, and look at it.",
    epilog=o.examples(
        "nettwin dataset generate general --out data/ --samples 50",
        "nettwin dataset inspect data/",
    ),
    no_args_is_help=True,
)
app.add_typer(group, name="dataset")


@group.command(
    epilog=o.examples(
        "nettwin dataset generate general --out data/ --samples 50 --jobs 2",
        "nettwin dataset generate my_recipe.toml --out data/",
        "nettwin dataset generate general --out /shared/data --ray auto",
    )
)
def generate(
    recipe: Annotated[
        str,
        typer.Argument(
            metavar="RECIPE",
            help="A recipe file (TOML), or the name of one that nettwin carries: general.",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path,
        typer.Option("--out", "-o", metavar="DIR", help="The folder; what it holds is kept."),
    ],
    samples: Annotated[
        int | None,
        typer.Option(min=1, help="How many samples.", show_default="as the recipe says"),
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="How many processes.")] = 1,
    ray: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="Work on a Ray cluster: auto, local, or its address.",
            show_default=False,
        ),
    ] = None,
    json: o.JsonOption = False,
) -> None:
    """Draw scenarios, simulate them, and store both; goes on where an earlier run stopped."""
    from nettwin.datasets.generation import generate_dataset
    from nettwin.datasets.recipe import read_recipe, shipped_recipe

    output = Output("dataset generate", json)
    warn_of_compiling(output, "packet")
    path = Path(recipe) if Path(recipe).suffix else shipped_recipe(recipe)
    chosen = read_recipe(path)
    if samples is not None:
        chosen = replace(chosen, samples=samples)
    with progress(output.err, f"{chosen.samples} samples") as tell:
        manifest = generate_dataset(
            chosen, out, wiring.labeler, jobs=jobs, ray_address=ray, progress=tell
        )
    output.document({"target": out, "samples": manifest.samples, "digest": chosen.digest})
    output.wrote(out)


@group.command(epilog=o.examples("nettwin dataset inspect data/"))
def inspect(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A data set.", show_default=False)],
    json: o.JsonOption = False,
) -> None:
    """Verify a data set's checksums, and show what it holds and how noisy its labels are."""
    from nettwin.datasets.inspection import inspect_dataset

    output = Output("dataset inspect", json)
    with progress(output.err, "reading") as tell:
        found = inspect_dataset(folder, tell)
    output.document({"source": folder, **found.as_dict()})
    output.show(tables.listing(f"Data set {folder}", ("what", "is"), found.rows()))
