"""nettwin failures: every failure of a network, what it breaks, and the worst load of each link."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, get_args

import typer

from nettwin.apps.resilience.cases import Kind
from nettwin.apps.resilience.resilience import PREDICTED_PAIRS, Resilience, resilience
from nettwin.errors import InputError, UnknownNameError
from nettwin.intent import Intent
from nettwin.interfaces import documents, sheets, wiring
from nettwin.interfaces.cli import options as o
from nettwin.interfaces.cli.answers import Files
from nettwin.interfaces.cli.changes import changes_or_files, read_changes
from nettwin.interfaces.cli.engines import warn_of_compiling
from nettwin.interfaces.cli.groups import grouped
from nettwin.interfaces.cli.output import Output
from nettwin.interfaces.cli.program import STOPPED, command
from nettwin.interfaces.cli.sources import Source
from nettwin.interfaces.documents import questions
from nettwin.interfaces.plots import failure_matrix
from nettwin.interfaces.progress import progress
from nettwin.interfaces.tables import failures as tables
from nettwin.model import NetworkModel
from nettwin.scenario.changes import apply_all, change_to_dict
from nettwin.scenario.scenario import Scenario

KINDS = typer.Option(
    help="What fails, joined by commas: link (both directions), node, srlg (a shared-risk"
    " group), pair (every two links at once)."
)
CHANGED = o.given(
    "--with",
    metavar="CHANGE",
    help="A change, in quotes, or a file with changes, made before anything fails. May be"
    " repeated.",
    complete=o.complete_change,
)
PLAN = o.given(help="A change plan: the failures without it and with it.", metavar="FILE")
DEMANDS = o.given(
    help="Other demands (npz or CSV); of several times the one with the most traffic.",
    metavar="FILE",
)
INTENT = o.given(help="An intent: which of its expectations each failure breaks.", metavar="FILE")
LOADS = typer.Option("--loads", help="Loads and traffic cut off alone, which need no engine.")
PAIRS = typer.Option(
    min=0, help="How many pairs are predicted: those that are worst by their loads."
)
CSV = o.written("--csv", help="Write failures.csv and links.csv into DIR.", metavar="DIR")
PLOT = o.written(
    "--plot", help="Draw which link gets how full under which failure, the worst of both."
)


@command(
    "nettwin failures network.yaml",
    "nettwin failures network.yaml --kinds link,node,srlg --intent voice.yaml -e twin",
    "nettwin failures network.yaml --plan plan.yaml --plot failures.svg",
    "nettwin failures network.yaml --with 'scale_traffic 1.3' --kinds pair --loads",
    "nettwin failures network.yaml --demands month.npz --jobs 4 --json",
)
@grouped
def failures(
    network: o.NetworkArg,
    kinds: Annotated[str, KINDS] = "link",
    changed: Annotated[list[str] | None, CHANGED] = None,
    plan: Annotated[Path | None, PLAN] = None,
    demands: Annotated[Path | None, DEMANDS] = None,
    intent: Annotated[Path | None, INTENT] = None,
    engine: o.EngineOption = "theory",
    model: o.ModelOption = None,
    loads: Annotated[bool, LOADS] = False,
    pairs: Annotated[int, PAIRS] = PREDICTED_PAIRS,
    seed: o.SeedOption = 1,
    jobs: Annotated[int, typer.Option("--jobs", "-j", min=1, help="How many processes.")] = 1,
    ray: o.RayOption = None,
    *,
    source: Source,
    top: o.TopOption = 10,
    json: o.JsonOption = False,
    csv: Annotated[Path | None, CSV] = None,
    plot: Annotated[Path | None, PLOT] = None,
    strict: o.StrictOption = False,
) -> None:
    """Show what every failure does: the worst load of each link and its cause, what is cut off,
    delay, loss, and which expectations break."""
    from nettwin.formats.intent import read_intent

    output = Output("failures", json, strict)
    Files(csv, plot).check(1)
    chosen = _kinds(kinds)
    happened = changes_or_files(changed or ())
    wanted = read_intent(intent) if intent else None
    reading = source.read(network)
    scenario = reading.scenario
    if demands is not None:
        scenario = _peak(output, scenario, demands)
    scenario = apply_all(scenario, happened)
    predictor = None if loads else _engine(output, engine, model, seed, jobs)
    notes = output.told(reading, [])
    warnings = output.warn_of(scenario, [predictor] if predictor else [])
    notes["warnings"] += [w for w in warnings if w not in notes["warnings"]]
    sides: dict[str, Scenario] = {"": scenario}
    if plan is not None:
        sides = {"before": scenario, "after": apply_all(scenario, read_changes(plan))}
    found: dict[str, Resilience] = {}
    with progress(output.err, "Failing") as tell:
        for number, (side, of) in enumerate(sides.items()):
            found[side] = resilience(
                of,
                predictor,
                chosen,
                intent=wanted,
                most_pairs=pairs,
                jobs=jobs,
                ray_address=ray,
                progress=lambda share, n=number: tell((n + share) / len(sides)),  # type: ignore[misc]
            )
            if not found[side].complete:
                break
    last = list(found.values())[-1]
    for one in found.values():
        if one.metrics is not None:
            notes["warnings"] += output.answered(one.metrics)
        new = [warning for warning in one.warnings if warning not in output.warnings]
        output.note("Warning", new, "yellow")
        output.warnings += new
        notes["warnings"] += new
    output.document(
        {
            "network": documents.reading(reading, source.index, scenario),
            "happened": [change_to_dict(change) for change in happened],
            **notes,
            **{side or "resilience": questions.failures(one) for side, one in found.items()},
        }
    )
    _show(output, found, wanted, top)
    _write(output, last, csv, plot)
    if not all(one.complete for one in found.values()):
        output.say(
            f"Stopped after {last.looked_at:,} of {last.failure_count:,} failures; what is shown"
            " is what was done by then."
        )
        raise typer.Exit(STOPPED)
    output.finish()


def _kinds(text: str) -> list[Kind]:
    found: list[Kind] = []
    for word in (word.strip() for word in text.split(",")):
        for kind in get_args(Kind):
            if word == kind:
                found.append(kind)
                break
        else:
            raise UnknownNameError("kind of failure", word, get_args(Kind))
    return found


def _engine(output: Output, engine: str, model: str | None, seed: int, jobs: int) -> NetworkModel:
    warn_of_compiling(output, engine)
    settings: dict[str, Any] = {} if model is None else {"model": model}
    if engine == "packet":
        settings |= {"seed": seed, "jobs": 1 if jobs > 1 else None}
    return wiring.engine(engine, **settings)


def _peak(output: Output, scenario: Scenario, demands: Path) -> Scenario:
    """The network with the demands of the time that has the most traffic."""
    from nettwin.formats.demands import read_demands, scenarios_over_time

    series = read_demands(demands, topology=scenario.topology)
    peak: tuple[float, float, Scenario] | None = None
    for time_s, one in scenarios_over_time(scenario, series):
        total = float(one.traffic.flow_rate_bps.sum())
        if peak is None or total > peak[0]:
            peak = total, time_s, one
    if peak is None:
        raise InputError(f"{demands} has no demands: there must be one. Give another file.")
    if len(series.times_s) > 1:
        output.say(f"{demands}: of {len(series.times_s)} times the one with the most traffic.")
    return peak[2]


def _show(output: Output, found: dict[str, Resilience], intent: Intent | None, top: int) -> None:
    sides = list(found.values())
    output.show(tables.heading(sides[-1]))
    output.show(tables.summary(sides, intent))
    output.show(tables.failures(sides[-1], top), tables.links(sides[-1], top))
    if any(len(f.classes) > 1 for f in sides[-1].failures):
        output.show(tables.classes(sides[-1], top))
    if intent is not None:
        output.show(tables.broken(sides[-1], top))


def _write(output: Output, found: Resilience, csv: Path | None, plot: Path | None) -> None:
    if csv:
        rows = [
            {
                **row,
                "changes": "; ".join(c.describe() for c in f.changes),
                "broken": "; ".join(f.broken),
                "classes": "; ".join(f"{c.name} loses {c.loss:.4%}" for c in f.classes),
            }
            for row, f in zip(questions.failure_rows(found), found.failures, strict=True)
        ]
        output.wrote(sheets.write_rows(csv / "failures.csv", rows))
        links = [link._asdict() for link in found.links]
        output.wrote(sheets.write_rows(csv / "links.csv", links))
    if plot:
        failure_matrix(found, plot)
        output.wrote(plot)
