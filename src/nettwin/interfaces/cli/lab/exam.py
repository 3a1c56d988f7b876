"""nettwin lab exam, submit, verify: a lab without hints, in a time, with a signed result."""

from __future__ import annotations

import json as json_module
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from nettwin.apps.labs import find_lab, words
from nettwin.apps.labs.certificate import key_of, opened, signed
from nettwin.apps.labs.grading import grade
from nettwin.apps.labs.practice import Practice
from nettwin.apps.labs.session import FILE, begun, write_session
from nettwin.errors import InputError
from nettwin.formats import write
from nettwin.formats.files import read_text, write_text
from nettwin.interfaces import documents
from nettwin.interfaces.cli import options as o
from nettwin.interfaces.cli.lab import group as g
from nettwin.interfaces.cli.lab.attempt import lab_place
from nettwin.interfaces.cli.output import Output
from nettwin.interfaces.cli.program import NOT_MET, command
from nettwin.interfaces.documents import labs as told

TeacherKey = Annotated[
    str,
    typer.Option(
        "--key",
        metavar="env:NAME|file:PATH",
        help="The teacher's key, which signs attempts and results.",
        show_default=False,
    ),
]
STUDENT = typer.Option("--student", help="Who takes it.", show_default=False)
RESULT = typer.Option("--output", "-o", metavar="FILE", help="Where the signed result goes.")
FILE_ARG = o.argument("FILE", "A signed result.")


@command(
    "nettwin lab exam black-hole --student Ada --seed 7 --key env:LAB_KEY --folder exam",
    group=g.group,
)
def exam(
    lab: g.LabArg,
    student: Annotated[str, STUDENT],
    key: TeacherKey,
    folder: g.FolderOption = Path("exam"),
    seed: o.SeedOption = 1,
    top: o.TopOption = 8,
    json: o.JsonOption = False,
) -> None:
    """Begin an exam: the fault is drawn by the seed, there are no hints, and time is limited. Go on
    with `nettwin lab check` and end with `nettwin lab submit`, each with the key."""
    output = Output("lab exam", json)
    found = find_lab(lab)
    if (folder / FILE).exists():
        raise InputError(f"{folder} holds an attempt already. Give another --folder.")
    session = begun(found, lab_place(lab), seed, exam=True, student=student)
    practice = Practice(found, session.variant, g.network_model(output, seed), seed)
    seen = practice.before
    write_session(session, folder, key_of(key))
    write(practice.told, folder / "network.yaml")
    output.document({**told.lab(found), **told.session(session), **told.seen(practice, seen)})
    if not json:
        for line in words.of_start(found):
            output.out.print(line + "\n")
    g.show(output, practice, seen, top)


@command("nettwin lab submit --key env:LAB_KEY --folder exam -o ada.json", group=g.group)
def submit(
    key: TeacherKey,
    folder: g.FolderOption = Path("exam"),
    out: Annotated[Path, RESULT] = Path("result.json"),
    json: o.JsonOption = False,
) -> None:
    """End an exam and write its signed result; exit with 4 where it is not passed."""
    import time

    output = Output("lab submit", json)
    session, lab, practice = g.opened(output, folder, key)
    if not session.exam:
        raise InputError(f"{folder} is no exam: nettwin lab debrief ends it.")
    late = session.late(lab)
    session = replace(session, ended_s=session.ended_s or time.time())
    left = practice.seen(session.changes) if session.changes else practice.before
    marks = grade(practice, left, session.seconds())
    write_session(session, folder, key_of(key))
    content = {
        "lab": lab.name,
        "digest": lab.digest,
        "student": session.student,
        "seed": session.seed,
        "began_s": session.began_s,
        "ended_s": session.ended_s,
        "in_time": not late,
        "checks": session.checks,
        "changes": [change.describe() for change in session.changes],
        "goals_met": marks.met,
        "points": round(marks.points, 2),
        "passed": marks.passed and not late,
    }
    write_text(out, documents.dumps(signed(content, key_of(key))) + "\n")
    output.document(content)
    output.show(words.of_grade(marks))
    output.show("Passed." if content["passed"] else "Not passed.")
    output.wrote(out)
    if not content["passed"]:
        raise typer.Exit(NOT_MET)


@command("nettwin lab verify ada.json --key env:LAB_KEY", group=g.group)
def verify(file: Annotated[Path, FILE_ARG], key: TeacherKey, json: o.JsonOption = False) -> None:
    """Show a signed result, if it is as it was signed."""
    output = Output("lab verify", json)
    try:
        document: Any = json_module.loads(read_text(file, 2**20))
    except ValueError as error:
        raise InputError(f"{file} is not a signed result: {error}. Give another file.") from None
    if not isinstance(document, dict):
        raise InputError(f"{file} is not a signed result: it is not a mapping. Give another file.")
    content = opened(document, key_of(key))
    output.document(content)
    verdict = "passed" if content.get("passed") else "did not pass"
    output.show(
        f"{content.get('student')} {verdict} {content.get('lab')} with {content.get('points')}"
        " points. The signature is right."
    )
