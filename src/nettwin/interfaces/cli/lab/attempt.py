"""nettwin lab start, check, hint, debrief: an attempt at a lab."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from nettwin.apps.labs import find_lab, words
from nettwin.apps.labs.grading import grade
from nettwin.apps.labs.practice import Practice
from nettwin.apps.labs.session import FILE, begun, with_changes, write_session
from nettwin.errors import InputError
from nettwin.formats import write
from nettwin.interfaces.cli import options as o
from nettwin.interfaces.cli.changes import changes_or_files
from nettwin.interfaces.cli.lab.group import (
    HERE,
    FolderOption,
    KeyOption,
    LabArg,
    group,
    key_bytes,
    network_model,
    opened,
    show,
)
from nettwin.interfaces.cli.output import Output
from nettwin.interfaces.cli.program import NOT_MET, command
from nettwin.interfaces.documents import labs as told
from nettwin.interfaces.plots import check_drawable
from nettwin.optimize.problem import merged

CHANGE = o.argument(
    metavar="CHANGE...", help="Changes, in quotes, made on the network.", complete=o.complete_change
)
PLOT = o.written("--plot", help="Draw the network as it tells of itself.")
AGAIN = typer.Option("--again", help="Take back every change first.")


@command(
    "nettwin lab start black-hole",
    "nettwin lab start mine.yaml --folder first --seed 3",
    group=group,
)
def start(
    lab: LabArg,
    folder: FolderOption = HERE,
    seed: o.SeedOption = 1,
    top: o.TopOption = 8,
    json: o.JsonOption = False,
    plot: Annotated[Path | None, PLOT] = None,
    force: o.ForceOption = False,
) -> None:
    """Begin a lab: its story, what may be done, and what is measured. Time runs from now."""
    output = Output("lab start", json)
    found = find_lab(lab)
    if (folder / FILE).exists() and not force:
        raise InputError(f"{folder} holds an attempt already. Give another --folder, or --force.")
    session = begun(found, lab_place(lab), seed)
    practice = Practice(found, session.variant, network_model(output, seed), seed)
    seen = practice.before
    write_session(session, folder)
    write(practice.told, folder / "network.yaml")
    output.document({**told.lab(found), **told.seen(practice, seen)})
    if not json:
        output.out.print(f"{found.title}\n", style="bold")
        for line in words.of_start(found):
            output.out.print(line + "\n")
    show(output, practice, seen, top)
    output.say(f"Next: nettwin lab check 'CHANGE' --folder {folder}; nettwin lab hint.")
    output.wrote(folder / "network.yaml")
    _draw(output, practice, (), plot)


def lab_place(name: str) -> str:
    """A lab's name in the catalog, or its file wherever the next command is called."""
    return str(Path(name).resolve()) if Path(name).exists() else name


@command(
    "nettwin lab check 'set_weight Lincoln<->Champaign 10'",
    "nettwin lab check --again 'fail_link Lincoln<->Champaign' --plot now.svg",
    group=group,
)
def check(
    change: Annotated[list[str] | None, CHANGE] = None,
    folder: FolderOption = HERE,
    again: Annotated[bool, AGAIN] = False,
    key: KeyOption = None,
    top: o.TopOption = 8,
    json: o.JsonOption = False,
    plot: Annotated[Path | None, PLOT] = None,
) -> None:
    """Make changes on the network of a lab, measure it, and see which goals are met; exit with 4
    while some are missed."""
    output = Output("lab check", json)
    if plot:
        check_drawable(plot)
    session, lab, practice = opened(output, folder, key)
    if session.ended_s or session.late(lab):
        raise InputError("the time is over: nettwin lab debrief shows how it went.")
    made = merged(() if again else session.changes, changes_or_files(change or ()))
    seen = practice.seen(made) if made else practice.before
    session = with_changes(session, tuple(made))
    write_session(session, folder, key_bytes(key))
    write(seen.told, folder / "network.yaml")
    output.document({**told.session(session), **told.seen(practice, seen)})
    if made:
        output.show("Changes so far: " + "; ".join(one.describe() for one in made) + ".")
    show(output, practice, seen, top)
    _draw(output, practice, made, plot)
    if not seen.judgement.met:
        raise typer.Exit(NOT_MET)


@command("nettwin lab hint --folder lab", group=group)
def hint(folder: FolderOption = HERE, key: KeyOption = None, json: o.JsonOption = False) -> None:
    """Show the next hint; each costs points. There are none in an exam."""
    output = Output("lab hint", json)
    session, lab, _ = opened(output, folder, key)
    if session.exam:
        raise InputError("there are no hints in an exam.")
    if session.hints >= len(lab.hints):
        raise InputError(f"there are no more than {len(lab.hints)} hints here.")
    text = lab.hints[session.hints]
    write_session(replace(session, hints=session.hints + 1), folder)
    output.document({"hint": session.hints + 1, "of": len(lab.hints), "text": text})
    output.show(f"Hint {session.hints + 1} of {len(lab.hints)}: {text}")


@command("nettwin lab debrief --folder lab", group=group)
def debrief(folder: FolderOption = HERE, json: o.JsonOption = False) -> None:
    """End a lab: what was wrong, how it went, and the points; exit with 4 where it is not
    passed. An exam ends with `nettwin lab submit`."""
    import time

    output = Output("lab debrief", json)
    session, _, practice = opened(output, folder, None)
    session = replace(session, ended_s=session.ended_s or time.time())
    left = practice.seen(session.changes) if session.changes else practice.before
    solved = practice.seen(practice.variant.solution)
    marks = grade(practice, left, session.seconds(), session.hints)
    write_session(session, folder)
    output.document({**told.session(session), **told.debriefing(practice, left, solved, marks)})
    for line in words.of_debriefing(practice, left, solved, marks):
        output.show(line)
    output.show("Passed." if marks.passed else "Not passed.")
    if not marks.passed:
        raise typer.Exit(NOT_MET)


def _draw(output: Output, practice: Practice, changes: object, plot: Path | None) -> None:
    """The network as it tells of itself: what links carry, not what is hidden."""
    if plot is None:
        return
    from nettwin.interfaces.plots import weathermap

    seen = practice.seen(tuple(changes)) if changes else practice.before  # type: ignore[arg-type]
    title = f"{practice.lab.title}: as the network tells"
    weathermap(seen.told, seen.shown, plot, title=title)
    output.wrote(plot)
