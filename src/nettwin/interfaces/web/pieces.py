"""Pieces: small parts that pages are made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from inspect import isawaitable
from typing import Any

from nicegui import ui
from nicegui.element import Element


class Choice:
    """A row of buttons of which one is pressed."""

    def __init__(
        self,
        label: str,
        options: Mapping[str, str],
        value: str,
        on_change: Callable[[str], Any],  # may be a coroutine
    ) -> None:
        self.value = value
        self._on_change = on_change
        self._buttons: dict[str, Element] = {}
        with ui.element("div").classes("choice").props("role=group").props(f'aria-label="{label}"'):
            for name, title in options.items():
                button = ui.element("button").props("type=button")
                button.on("click", lambda name=name: self.choose(name))
                with button:
                    ui.label(title).style("display: inline")
                self._buttons[name] = button
        self._mark()

    async def choose(self, name: str) -> None:
        """Press one."""
        if name == self.value:
            return
        self.value = name
        self._mark()
        done = self._on_change(name)
        if isawaitable(done):
            await done

    def _mark(self) -> None:
        for name, button in self._buttons.items():
            button.props(f"aria-pressed={'true' if name == self.value else 'false'}")


def button(words: str, on_click: Callable[..., Any], kind: str = "") -> ui.button:
    """A button; `kind` is empty, `main`, `quiet` or `danger`."""
    found = ui.button(words, on_click=on_click, color=None)
    return found.classes(f"nt {kind}").props("no-caps flat")


def editor(text: str, label: str, rows: int) -> ui.textarea:
    """A field for a text of some lines, such as YAML."""
    found = ui.textarea(value=text)
    return found.props(f'outlined rows={rows} input-class=mono aria-label="{label}"')


def heading(words: str, level: int = 2) -> ui.element:
    """A heading."""
    found = ui.element(f"h{level}")
    with found:
        ui.label(words).style("display: inline")
    return found


def empty(title: str, words: str, *actions: tuple[str, Callable[..., Any]]) -> None:
    """What stands where nothing is yet, and what to do about it."""
    with ui.element("div").classes("empty"):
        with ui.element("b"):
            ui.label(title)
        ui.label(words)
        with ui.element("div").classes("row").style("margin-top: 8px"):
            for title, act in actions:
                button(title, act, "main")


def facts(rows: Iterable[tuple[str, str]]) -> None:
    """Names and values, one under the other."""
    with ui.element("dl").classes("facts2"):
        for name, value in rows:
            with ui.element("dt"):
                ui.label(name)
            with ui.element("dd"):
                ui.label(value)


def reasons(title: str, sentences: Sequence[str]) -> None:
    """A list of sentences under a title; nothing where there are none."""
    if not sentences:
        return
    with ui.element("div"):
        ui.label(title).classes("strong")
        with ui.element("ul").style("margin: 4px 0 0 18px; padding: 0"):
            for words in sentences:
                with ui.element("li"):
                    ui.label(words)


def tag(words: str, kind: str = "") -> ui.label:
    """A word in a frame."""
    return ui.label(words).classes(f"tag {kind}")
