"""Intents: what is wanted of the network, whether it holds, and an editor that checks it."""

from __future__ import annotations

from pathlib import Path

from nicegui import ui

from nettwin.errors import NettwinError
from nettwin.formats.files import read_text, write_text
from nettwin.formats.intent import intent_from
from nettwin.formats.native.document import Document
from nettwin.intent import MEASURES
from nettwin.interfaces.web import pieces
from nettwin.interfaces.web.frame import Frame, say
from nettwin.interfaces.web.judgements import lines_table


def intents(built: Frame) -> None:
    """The intents of the workspace as a card."""
    place = built.place
    with ui.element("div").classes("card stack"):
        with ui.element("div").classes("row"):
            pieces.heading("What is wanted")
            ui.element("span").classes("grow")
            pieces.button("Edit", lambda: _edit(built))
        box = ui.element("div")

        def fill() -> None:
            moment = place.moment
            box.clear()
            with box:
                if moment is None or moment.measured is None:
                    ui.label("Nothing was measured yet.").classes("soft")
                else:
                    lines_table(moment.measured)

        fill()
        place.feed.moment.subscribe(fill)


def _edit(built: Frame) -> None:
    """An editor of the intent's file, which checks as one types."""
    workspace = built.place.desk.workspace
    if not workspace.settings.intents:
        ui.notify("nettwin.toml names no intent: name a file under [intents].")
        return
    path = workspace.settings.intents[0]
    with ui.dialog().props("maximized") as dialog, ui.card():
        ui.label(f"Intent {path.name}").classes("strong").props('role="heading" aria-level="2"')
        with ui.element("div").classes("row").style("align-items: flex-start; width: 100%"):
            editor = pieces.editor(read_text(path), f"The intent {path.name}, YAML", rows=26)
            editor.style("width: min(760px, 96vw)")
            with ui.element("div").classes("stack").style("max-width: 420px"):
                said = ui.label("").props('role="status"')
                ui.label("What can be measured").classes("soft")
                with ui.element("div").style("max-height: 48vh; overflow: auto"):
                    pieces.facts((name, measure.meaning) for name, measure in MEASURES.items())

        def check() -> bool:
            try:
                found = intent_from(Document(Path(path.name), str(editor.value)))
            except NettwinError as error:
                said.set_text(str(error))
                said.classes(replace="bad")
                return False
            said.set_text(f"Read: {found.name}.")
            said.classes(replace="good")
            return True

        def save() -> None:
            if not built.person.may("operator"):
                ui.notify("Only an operator may change the intent.")
                return
            if check():
                try:
                    write_text(path, str(editor.value), durable=True)
                except (NettwinError, OSError) as error:
                    say(NettwinError(str(error)))
                    return
                ui.notify("Saved. The loop takes it up when it starts anew.")
                dialog.close()

        editor.on_value_change(lambda _: check())
        with ui.element("div").classes("row"):
            pieces.button("Save", save, "main")
            pieces.button("Close", dialog.close)
        check()
    dialog.open()
