"""nettwin troubleshoot: the causes of an incident, ranked."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from rich.text import Text

from nettwin.apps.troubleshooting import KINDS, Incident, diagnose, incident_of
from nettwin.apps.troubleshooting import advice as a
from nettwin.apps.troubleshooting.incident_file import read_incident, write_incident
from nettwin.apps.troubleshooting.rehearsal import parse_fault, rehearsed
from nettwin.errors import InputError
from nettwin.interfaces import wiring
from nettwin.interfaces.cli import options as o
from nettwin.interfaces.cli import workspaces as w
from nettwin.interfaces.cli.engines import AskedEngine, working
from nettwin.interfaces.cli.groups import grouped
from nettwin.interfaces.cli.output import Output
from nettwin.interfaces.cli.program import command
from nettwin.interfaces.cli.sources import Source
from nettwin.interfaces.documents.troubleshooting import troubleshooting
from nettwin.interfaces.plots import check_drawable
from nettwin.interfaces.tables import facts
from nettwin.interfaces.tables import troubleshooting as tables


def _list() -> None:
    rows = [(name, kind.category, kind.size or "-") for name, kind in KINDS.items()]
    Output("troubleshoot").show(facts.listing("Faults", ("fault", "category", "size"), rows))


INCIDENT = o.argument(
    metavar="[FILE]", help="An incident file, or with --try a network. Without: the workspace."
)
TRY = o.given(
    "--try",
    metavar="FAULT",
    help="Let a fault happen to a simulated network, and find it: 'random_loss A->B 0.02'. May be"
    " given twice.",
)
AT = o.given("--at", metavar="TIME", help="The end of the incident; the newest observation if not.")
BEFORE = o.given("--before", help="Intervals before the incident that are looked at.")
DURING = o.given("--during", help="Intervals that the incident lasted.")
SAVE = o.written("--save", help="Write the incident as a file.")
PLAN = o.written("--plan", help="Write the repair as a change plan (JSON).")


@command(
    "nettwin troubleshoot network.yaml --try 'random_loss Madrid->Paris 0.02'",
    "nettwin troubleshoot incident.json --plot residuals.svg --plan repair.json",
    "nettwin troubleshoot --workspace twin --at 2026-01-05T12:30 --json",
    "nettwin troubleshoot --list",
)
@grouped
def troubleshoot(
    file: Annotated[str | None, INCIDENT] = None,
    tried: Annotated[list[str] | None, TRY] = None,
    *,
    asked: AskedEngine,
    source: Source,
    workspace: w.WorkspaceOption = w.HERE,
    at: Annotated[str | None, AT] = None,
    before: Annotated[int, BEFORE] = 12,
    during: Annotated[int, DURING] = 2,
    top: o.TopOption = 5,
    json: o.JsonOption = False,
    plot: o.PlotOption = None,
    save: Annotated[Path | None, SAVE] = None,
    plan: Annotated[Path | None, PLAN] = None,
    strict: o.StrictOption = False,
    listed: Annotated[bool, o.listing(_list, "List the faults.")] = False,
) -> None:
    """Rank what may cause an incident: each fault predicted by the twin and held against what was
    measured; with evidence, the next measurement, the repair and hardening."""
    output = Output("troubleshoot", json, strict)
    if plot:
        check_drawable(plot)
    incident, network = _incident(
        output, source, file, tried, asked.seed, workspace, at, before, during
    )
    with working(output, asked.engine, **asked.settings) as model:
        output.warn_of(incident.network, [model])
        found = diagnose(incident, model)
        repair = a.repair_plan(found, model)
    output.document({"incident": network, **troubleshooting(found, repair)})
    output.show(tables.causes(found, top), tables.clues(found, top))
    lists = [
        ("Next", [one.words() for one in a.next_measurements(found)]),
        ("Shortly before", [f"{w.moment(r.time_s)} {r.words}" for r in incident.records]),
        ("Repair", [c.describe() for c in repair.changes] if repair else []),
        ("By hand", a.by_hand(found.best)),
        ("Hardening", a.hardening(found.best)),
    ]
    rows = [
        (title if n == 0 else "", line)
        for title, lines in lists
        for n, line in enumerate(lines[:5])
    ]
    output.show(Text(" ".join(a.paragraph(found))))
    if rows:
        from nettwin.interfaces.tables import style

        output.show(style.facts("What to do", rows))
    if repair is not None and plan is not None:
        _write_plan(plan, repair)
        output.wrote(plan)
    elif plan is not None:
        output.note("Note", ["no change of the configuration repairs this: no plan is written"])
    if save:
        write_incident(save, incident, network)
        output.wrote(save)
    if plot:
        from nettwin.interfaces.plots.residuals import residuals

        residuals(found, plot)
        output.wrote(plot)
    output.finish()


def _incident(
    output: Output,
    source: Source,
    file: str | None,
    tried: list[str] | None,
    seed: int,
    workspace: Path,
    at: str | None,
    before: int,
    during: int,
) -> tuple[Incident, str]:
    """The incident, and what names its network."""
    if before < 0 or during < 1:
        raise InputError(
            f"--before {before} --during {during}: must be at least 0 and 1. Correct them."
        )
    if tried:
        if file is None:
            raise InputError("--try needs a network to happen to: give its file.")
        reading = source.read(file)
        output.told(reading)
        faults = [parse_fault(text) for text in tried]
        output.say(f"Simulating {', '.join(f.describe() for f in faults)} ...")
        simulator = wiring.engine("packet", seed=seed, max_packets=400_000, precision=0.0, jobs=1)
        return rehearsed(reading.scenario, faults, simulator, seed), file
    if file is not None:
        names: list[str] = []

        def read(name: str) -> object:
            names.append(name)
            return source.read(name).scenario

        return read_incident(Path(file), read), names[0]  # type: ignore[arg-type]
    place = w.opened(workspace)
    moment = None if at is None else w.time_of(at)
    incident = incident_of(place.repository, moment, before, during)
    return incident, place.settings.name


def _write_plan(path: Path, plan: object) -> None:
    import json

    from nettwin.change_plan import ChangePlan, plan_to_dict
    from nettwin.formats.files import write_text

    assert isinstance(plan, ChangePlan)
    text = json.dumps(plan_to_dict(plan), indent=1, default=lambda value: value.item())
    write_text(path, text + "\n")
