"""nettwin optimize: changes to a network that meet an intent, and whether a plan still does."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nettwin import units
from nettwin.change_plan import ChangePlan, plan_to_dict
from nettwin.errors import InputError
from nettwin.interfaces import documents, wiring
from nettwin.interfaces.cli import options as o
from nettwin.interfaces.cli import streams
from nettwin.interfaces.cli.answers import Files
from nettwin.interfaces.cli.changes import changes_or_files
from nettwin.interfaces.cli.groups import grouped
from nettwin.interfaces.cli.output import Output
from nettwin.interfaces.cli.program import NOT_MET, command
from nettwin.interfaces.cli.sources import Source
from nettwin.interfaces.plots import before_and_after
from nettwin.interfaces.tables import facts
from nettwin.scenario.changes import apply_all, change_to_dict
from nettwin.scenario.scenario import Scenario

if TYPE_CHECKING:
    from nettwin.intent import Intent

SEARCH = "Search"
MIN_LOAD = "least offered load"  # the intent that stands where none is given


def _list() -> None:
    rows = [(m.name, m.title, _installed(m.extra)) for m in wiring.optimizers().values()]
    columns = ("method", "what it is", "installed")
    Output("optimize").show(facts.listing("Optimizers", columns, rows))


def _installed(extra: str) -> str:
    return "yes" if wiring.installed(extra) else f"no: pip install 'nettwin[{extra}]'"


INTENT = typer.Option(
    "--intent",
    metavar="FILE",
    help="What is wanted (see nettwin intent).",
    show_default="the busiest link as empty as possible, by SR midpoints",
)
AFTER = o.given(
    "--after",
    metavar="CHANGE",
    help="What has happened to the network, in quotes, or a file with changes (see nettwin"
    " whatif): the search begins there. May be repeated.",
    complete=o.complete_change,
)
METHOD = typer.Option(
    help="Which optimizer (--list shows them).",
    autocompletion=o.complete_optimizer,
    rich_help_panel=SEARCH,
)
SECONDS = typer.Option(
    min=0, help="How long to search; Ctrl-C ends it earlier.", rich_help_panel=SEARCH
)
GAP = o.given(
    help="Stop when the first objective is as near to its bound, such as 0.5%.", panel=SEARCH
)
ENGINE = typer.Option(
    "--engine",
    "-e",
    help="The engine that predicts delays and losses, where the intent asks for them.",
    autocompletion=o.complete_engine,
    rich_help_panel=SEARCH,
)
VERIFY = typer.Option(
    "--verify/--no-verify",
    help="Verify the plan by packet simulation, and search on where it disagrees.",
    show_default="verify what is predicted",
    rich_help_panel=SEARCH,
)
PARAMS = typer.Option(
    "--params",
    metavar="FILE",
    help="Constants of the search, TOML.",
    show_default="those that suit most networks",
    rich_help_panel=SEARCH,
)
CHECK = o.given(
    "--check", help="Judge again a plan that --out wrote, without a search.", metavar="PLAN"
)
FORCE = typer.Option(
    "--force",
    help="Replace a file that --out names; with --check: also a plan for another network.",
)
OUT = o.written("--out", "-o", help="Write the plan: YAML, or JSON where the name ends so.")
PLOT = o.written("--plot", help="Draw the network before and after, side by side.")


@command(
    "nettwin optimize network.yaml",
    "nettwin optimize network.yaml --intent voice.yaml --out plan.yaml --plot maps.svg",
    "nettwin optimize network.yaml --intent voice.yaml --method local_search --seconds 30",
    "nettwin optimize network.yaml --after 'fail_link Madrid<->Paris' --intent few.yaml",
    "nettwin optimize network.yaml --intent voice.yaml --check plan.yaml",
    "nettwin optimize live --intent voice.yaml --server http://127.0.0.1:8080",
    "nettwin optimize --list",
)
@grouped
def optimize(
    network: o.NetworkArg,
    intent: Annotated[Path | None, INTENT] = None,
    after: Annotated[list[str] | None, AFTER] = None,
    method: Annotated[str, METHOD] = "auto",
    seconds: Annotated[float, SECONDS] = 5.0,
    gap: Annotated[str | None, GAP] = None,
    engine: Annotated[str, ENGINE] = "twin",
    model: o.ModelOption = None,
    verify: Annotated[bool | None, VERIFY] = None,
    params: Annotated[Path | None, PARAMS] = None,
    seed: o.SeedOption = 1,
    check: Annotated[Path | None, CHECK] = None,
    force: Annotated[bool, FORCE] = False,
    *,
    source: Source,
    server: o.ServerOption = None,
    token: o.ServerTokenOption = None,
    top: o.TopOption = 10,
    out: Annotated[Path | None, OUT] = None,
    plot: Annotated[Path | None, PLOT] = None,
    json: o.JsonOption = False,
    strict: o.StrictOption = False,
    listed: Annotated[bool, o.listing(_list, "List the optimizers.")] = False,
) -> None:
    """Find the changes to a network that meet an intent, in a safe order, and verify them; exit
    with 4 where the intent is not met."""
    from nettwin.formats.intent import intent_data, read_intent
    from nettwin.intent import Intent
    from nettwin.interfaces.cli import searches
    from nettwin.optimize.params import read_params

    output = Output("optimize", json, strict)
    Files(plot=plot).check(1)
    if out:
        streams.check_place(out, force=force)
    if force and not (check or out):
        raise InputError("--force goes with --check PLAN or --out FILE. Leave it out.")
    near = None if gap is None else units.share(gap)
    constants = read_params(params) if params else None
    options = searches.SearchOptions(method, seconds, near, seed, engine, model, verify, constants)
    wanted = read_intent(streams.given(str(intent))) if intent else Intent(name=MIN_LOAD)
    happened = changes_or_files(after or ())
    if server is not None:
        if check or params or model:
            raise InputError("--check, --params and --model go without --server. Leave them out.")
        given_there = (server, token, source, network, wanted if intent else None, happened)
        reading, said, plan = searches.searched_at(output, *given_there, options)
        output.document(said)
        show(output, reading.scenario, wanted, plan, top)
        _write(output, reading.scenario, plan, out, plot)
        if not plan.met:
            raise typer.Exit(NOT_MET)
        return
    reading = source.read(network)
    reading = replace(reading, scenario=apply_all(reading.scenario, happened))
    searches.prepare(output, wanted, options)
    predictor = searches.engine_of(wanted, options)
    notes = output.told(reading, [predictor] if predictor else [])
    if intent:
        notes["warnings"] += searches.checked(output, wanted, reading.scenario)
    about: dict[str, Any] = {
        "network": documents.reading(reading, source.index),
        "happened": [change_to_dict(change) for change in happened],
        **notes,
        "engine": predictor.name if predictor else None,
        "intent": intent_data(wanted),
    }
    given = (output, reading.scenario, wanted, predictor, options)
    if check:
        old, plan = searches.judged_again(*given, check, force=force)
        about |= {"planned": plan_to_dict(old)}
        _compare(output, old, plan)
    else:
        plan = searches.searched(*given)
    about["warnings"] = notes["warnings"] + searches.trusted(
        output, reading.scenario, wanted, predictor, plan.changes
    )
    output.document({**about, "plan": plan_to_dict(plan)})
    show(output, reading.scenario, wanted, plan, top)
    _write(output, reading.scenario, plan, out, plot)
    if not plan.met:
        raise typer.Exit(NOT_MET)
    output.finish()


def show(output: Output, scenario: Scenario, intent: Intent, plan: ChangePlan, top: int) -> None:
    """A plan: whether the intent is met, its lines before and after, the first changes,
    warnings."""
    from nettwin.interfaces.tables import plans

    output.show(plans.heading(plan, scenario.name))
    if plan.after.names:
        output.show(plans.objectives(plan, intent))
    if plan.after.lines:
        output.show(plans.expectations(plan))
    output.show(plans.changes(plan, top))
    output.note("Warning", plan.warnings, "yellow")
    output.warnings += plan.warnings
    output.note("Not met", plans.reasons(plan), "yellow")


def _compare(output: Output, old: ChangePlan, new: ChangePlan) -> None:
    """Tell what a plan that was judged again says otherwise than when it was made."""
    from nettwin.interfaces.tables import plans

    told = plans.differences(old.after, new.after)
    output.note("Otherwise than planned", told, "yellow")
    output.warnings += told


def _write(
    output: Output, scenario: Scenario, plan: ChangePlan, out: Path | None, plot: Path | None
) -> None:
    if out:
        from nettwin.formats.change_plan import write_change_plan

        with streams.target(out) as file:
            write_change_plan(plan, file)
        if str(out) != streams.STREAM:
            output.wrote(out)
    if plot:
        draw(scenario, plan, plot)
        output.wrote(plot)


def draw(scenario: Scenario, plan: ChangePlan, path: Path) -> None:
    """Both maps, before and after a plan. Raises what `before_and_after` raises."""
    after, count = apply_all(scenario, plan.changes), len(plan.changes)
    busiest = " to ".join(
        units.percent(float(each.link_offered_load.max(initial=0.0))) for each in (scenario, after)
    )
    changed = f"{units.count(count)} change{'' if count == 1 else 's'}"
    title = f"{scenario.name}, {plan.intent}: busiest link {busiest} by {changed}"
    before_and_after(scenario, after, path, title=title)
