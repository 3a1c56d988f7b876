"""Options: what several commands take, with their help and their shell completion."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from nettwin.formats import FORMATS
from nettwin.interfaces.wiring import ENGINES, optimizers
from nettwin.scenario.changes import CHANGES
from nettwin.scenario.generate import ARRIVAL_MIXES, GENERATORS, MIXES
from nettwin.scenario.scheduling import SCHEDULERS

ASSUME, OUTPUT = "Import defaults: what the source does not say", "Output"


def completed(
    names: Callable[[], Iterable[tuple[str, str]]],
) -> Callable[[str], list[tuple[str, str]]]:
    """A shell completion from (name, help) pairs."""

    def complete(incomplete: str) -> list[tuple[str, str]]:
        return [(name, words) for name, words in names() if name.startswith(incomplete)]

    return complete


complete_format = completed(lambda: ((f.name, f.title) for f in FORMATS.values()))
complete_writable = completed(lambda: ((f.name, f.title) for f in FORMATS.values() if f.writes))
complete_engine = completed(lambda: ((e.name, e.title) for e in ENGINES.values()))
complete_optimizer = completed(lambda: ((m.name, m.title) for m in optimizers().values()))
complete_kind = completed(lambda: ((g.name, g.title) for g in GENERATORS.values()))
complete_mix = completed(lambda: ((name, "") for name in MIXES))
complete_arrival = completed(lambda: ((name, "") for name in ARRIVAL_MIXES))
complete_scheduler = completed(lambda: ((s.name, s.title) for s in SCHEDULERS.values()))
complete_change = completed(
    lambda: ((f"{k} ", (c.__doc__ or "").partition("\n")[0]) for k, c in CHANGES.items())
)


def complete_engines(incomplete: str) -> list[str]:
    """The last of the engines joined by commas."""
    before, comma, last = incomplete.rpartition(",")
    return [f"{before}{comma}{name}" for name in ENGINES if name.startswith(last)]


def given(*names: str, panel: str | None = None, complete: Any = None, **how: Any) -> Any:
    """An option that has no default worth showing."""
    return typer.Option(
        *names, rich_help_panel=panel, autocompletion=complete, show_default=False, **how
    )


def argument(metavar: str, help: str, complete: Any = None) -> Any:
    """An argument that has no default worth showing."""
    return typer.Argument(metavar=metavar, help=help, autocompletion=complete, show_default=False)


def written(*names: str, help: str, metavar: str = "FILE") -> Any:
    """An option that names a file or folder to write."""
    return given(*names, help=help, metavar=metavar, panel=OUTPUT)


def assumed(name: str, help: str, default: str) -> Any:
    """An option that says what to take where a source does not say it."""
    return typer.Option(name, help=help, show_default=default, rich_help_panel=ASSUME)


ServerOption = Annotated[
    str | None,
    given(
        "--server",
        metavar="URL",
        help="Ask a server instead of this machine (see nettwin serve). NETWORK may then also be"
        " live, live@TIME, plan, session:ID or an upload's id.",
        panel="Server",
    ),
]
ServerTokenOption = Annotated[
    str | None,
    given(
        "--token",
        metavar="TOKEN",
        help="Who asks: the token that `nettwin people add` has shown.",
        envvar="NETTWIN_TOKEN",
        panel="Server",
    ),
]


def listing(show: Callable[[], None], help: str) -> Any:
    """The option --list: `show` prints what there is, and the command ends."""

    def listed(asked: bool) -> None:
        if asked:
            show()
            raise typer.Exit

    return typer.Option("--list", callback=listed, is_eager=True, help=help)


NetworkArg = Annotated[
    str,
    argument(
        "NETWORK",
        "A network file or folder in any known format, or topohub:NAME; - is standard input.",
    ),
]
NetworksArg = Annotated[
    list[str],
    argument("NETWORK...", "Network files or folders in any known format, or topohub:NAME."),
]
EngineOption = Annotated[
    str,
    typer.Option(
        "--engine",
        "-e",
        help=f"The engine: {', '.join(ENGINES.own)}.",
        autocompletion=complete_engine,
    ),
]
FormatOption = Annotated[
    str | None,
    given(
        "--format",
        "-f",
        help="The format of NETWORK, if it is not to be detected.",
        complete=complete_format,
    ),
]
IndexOption = Annotated[
    int,
    typer.Option("--index", "-i", help="Which scenario of a source with several, from 0."),
]
CapacityOption = Annotated[
    str | None,
    assumed("--capacity", "Capacity of links, such as 10G.", "10G"),
]
LinkDelayOption = Annotated[
    str | None,
    assumed("--link-delay", "Propagation delay of links without coordinates, such as 2ms.", "0ms"),
]
LoadOption = Annotated[
    str | None,
    assumed(
        "--load",
        "Offered load of the busiest link under the synthetic traffic of a source without any,"
        " such as 60% or 0.6; none: no traffic.",
        "60%",
    ),
]
PacketSizeOption = Annotated[
    str | None,
    assumed("--packet-size", "Size of packets, such as 1000B.", "1000B"),
]
ModelOption = Annotated[
    str | None,
    typer.Option(
        "--model",
        "-m",
        metavar="NAME|FILE",
        help="The model of a learned engine; `nettwin models list` shows them.",
        show_default="the engine's own",
    ),
]
TopOption = Annotated[
    int,
    typer.Option("--top", "-n", min=1, help="Rows of each table.", rich_help_panel=OUTPUT),
]
JsonOption = Annotated[
    bool,
    typer.Option(
        "--json", help="JSON with every row on stdout, instead of tables.", rich_help_panel=OUTPUT
    ),
]
CsvOption = Annotated[
    Path | None,
    written(
        "--csv",
        help="Write every row: flows.csv, links.csv, queues.csv into DIR, or flows into FILE.csv.",
        metavar="DIR|FILE.csv",
    ),
]
PlotOption = Annotated[
    Path | None, written("--plot", help="Draw the weathermap to FILE.svg, .png or .pdf.")
]
PlotDelaysOption = Annotated[
    Path | None, written("--plot-delays", help="Draw the distribution of the flows' delays.")
]
TargetOption = Annotated[
    Path,
    given("--output", "-o", metavar="FILE", help="The file to write; - is standard output."),
]
ToOption = Annotated[
    str | None,
    given(
        "--to",
        help="The format to write, where the suffix of the file does not say it.",
        complete=complete_writable,
    ),
]
RayOption = Annotated[
    str | None,
    given("--ray", metavar="ADDRESS", help="Work on a Ray cluster: auto, local or its address."),
]
StrictOption = Annotated[
    bool,
    typer.Option(
        "--strict",
        help="Exit with 3 if there is a warning: a network that the engine is not fit for, another"
        " engine in its place, flagged or unroutable flows.",
        rich_help_panel=OUTPUT,
    ),
]
ForceOption = Annotated[bool, typer.Option("--force", help="Replace a file that exists.")]
SeedOption = Annotated[
    int,
    typer.Option(
        "--seed", min=0, help="Seed of random numbers: the same seed gives the same answer."
    ),
]
