"""nettwin dataset: training data, generated from a recipe, inspected and converted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

import typer

from nettwin.errors import InputError
from nettwin.interfaces import wiring
from nettwin.interfaces.cli import options as o
from nettwin.interfaces.cli.engines import warn_of_compiling
from nettwin.interfaces.cli.output import Output
from nettwin.interfaces.cli.program import command, subcommands
from nettwin.interfaces.progress import progress
from nettwin.interfaces.tables import facts as tables

group = subcommands(
    "dataset",
    "Generate training data from a recipe, inspect it, and convert it.",
    "nettwin dataset generate general --out data/ --samples 50",
    "nettwin dataset inspect data/",
    "nettwin dataset convert recordings/ --out data/",
)


RECIPE = o.argument(
    metavar="RECIPE",
    help="A recipe file (TOML), or the name of one that nettwin ships, such as general.",
)
OUT = typer.Option("--out", "-o", metavar="DIR", help="The folder; what it holds is kept.")
SAMPLES = typer.Option(min=1, help="How many samples.", show_default="as the recipe says")


@command(
    "nettwin dataset generate general --out data/ --samples 50 --jobs 2",
    "nettwin dataset generate my_recipe.toml --out data/",
    "nettwin dataset generate general --out /shared/data --ray auto",
    "nettwin dataset generate routers --out data/ --network linux",
    group=group,
)
def generate(
    recipe: Annotated[str, RECIPE],
    out: Annotated[Path, OUT],
    samples: Annotated[int | None, SAMPLES] = None,
    jobs: Annotated[int, typer.Option(min=1, help="How many processes.")] = 1,
    ray: o.RayOption = None,
    network: Annotated[
        Literal["simulated", "linux"],
        typer.Option(help="What is measured; linux: routers of Linux, one network at a time."),
    ] = "simulated",
    json: o.JsonOption = False,
) -> None:
    """Draw scenarios, simulate them, and store both; resumes where an earlier run stopped."""
    from nettwin.datasets.generation import generate_dataset
    from nettwin.datasets.recipe import read_recipe, shipped_recipe

    output = Output("dataset generate", json)
    warn_of_compiling(output, "packet")
    path = Path(recipe) if Path(recipe).suffix else shipped_recipe(recipe)
    chosen = read_recipe(path)
    if samples is not None:
        chosen = replace(chosen, samples=samples)
    real = network == "linux"
    if real and (jobs > 1 or ray):
        raise InputError(
            "routers of Linux need the whole machine: one network runs at a time. Leave out --jobs"
            " and --ray."
        )
    with progress(output.err, f"{chosen.samples} samples") as tell:
        manifest = generate_dataset(
            chosen,
            out,
            wiring.router_labeler if real else wiring.labeler,
            network=network if real else "",
            jobs=jobs,
            ray_address=ray,
            progress=tell,
        )
    output.document({"target": out, "samples": manifest.samples, "digest": chosen.digest})
    output.wrote(out)


@command("nettwin dataset inspect data/", group=group)
def inspect(
    folder: Annotated[Path, o.argument(metavar="DIR", help="A data set.")],
    json: o.JsonOption = False,
) -> None:
    """Verify a data set's checksums, and show what it holds and how noisy its labels are."""
    from nettwin.datasets.inspection import inspect_dataset

    output = Output("dataset inspect", json)
    with progress(output.err, "reading") as tell:
        found = inspect_dataset(folder, tell)
    output.document({"source": folder, **found.as_dict()})
    output.show(tables.listing(f"Data set {folder}", ("what", "is"), found.rows()))


SOURCE = o.argument(
    metavar="SOURCE",
    help="A data set, or recordings: a file or folder of networks with measured metrics.",
)
TO = typer.Option(
    help="npz: a data set to train on; parquet: tables for other programs.",
    show_default="npz from recordings, parquet from a data set",
)


@command(
    "nettwin dataset convert recordings/ --out data/",
    "nettwin dataset convert data/ --out tables/",
    "nettwin dataset convert recordings/ --to parquet --out tables/",
    group=group,
)
def convert(
    source: Annotated[Path, SOURCE],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="DIR", help="The folder to write.")],
    to: Annotated[Literal["npz", "parquet"] | None, TO] = None,
    json: o.JsonOption = False,
) -> None:
    """Turn recordings into a data set, checksummed and quick to read, or samples into Parquet
    tables of flows, links and queues; a conversion to npz resumes where it stopped."""
    from nettwin.datasets.conversion import samples_of, store_recordings
    from nettwin.datasets.labeled import Generated, labeled
    from nettwin.datasets.parquet import write_tables

    output = Output("dataset convert", json)
    found = labeled(source)
    stored = isinstance(found, Generated)
    kind = to or ("parquet" if stored else "npz")
    left_out = 0
    with progress(output.err, f"converting {source}") as tell:
        if kind == "parquet":
            samples = write_tables(samples_of(found, tell), out)
        elif isinstance(found, Generated):
            raise InputError(f"{source} is a data set already. Copy it, or give --to parquet.")
        else:
            manifest, left_out = store_recordings(found, out, tell)
            samples = len(manifest.samples)
    if left_out:
        output.note("Ignored", [f"{left_out} networks without recorded metrics"])
    document = {"source": source, "target": out, "to": kind, "samples": samples}
    output.document({**document, "without_metrics": left_out})
    output.wrote(out)
