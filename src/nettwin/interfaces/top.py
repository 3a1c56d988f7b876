"""Top: a live network on a terminal: links, flows, events and the loop, over SSH too."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.widgets import DataTable, Footer, Static, TabbedContent, TabPane

from nettwin import units
from nettwin.client import Client
from nettwin.errors import NettwinError
from nettwin.interfaces.tables import style
from nettwin.workspace.workspace import Workspace

PACE_S = 2.0
ROWS = 200
EVENTS = 50


@dataclass(frozen=True)
class Shown:
    """What is shown: the loop's state, rows of links and flows as documents have them, events."""

    status: dict[str, Any] = field(default_factory=dict)
    links: Sequence[dict[str, Any]] = ()
    flows: Sequence[dict[str, Any]] = ()
    events: Sequence[dict[str, Any]] = ()
    trouble: str = ""


Look = Callable[[], Shown]


def at_server(client: Client) -> Look:
    """What a server shows."""

    def look() -> Shown:
        last = client.get("/observations/last", flows=True)["measured"]
        events = client.get("/events", limit=EVENTS)["items"]
        return Shown(client.status(), last["links"], last["flows"], events)

    return look


def at_workspace(workspace: Workspace) -> Look:
    """What the history of a workspace shows, whoever runs its loop."""
    from nettwin.interfaces import documents
    from nettwin.interfaces.operating import status_document

    def look() -> Shown:
        facts = status_document(workspace)
        entries = list(workspace.audit.entries())[-EVENTS:][::-1]
        events = [
            {"time_s": one.time_s, "who": one.who, "what": one.what, "details": one.details}
            for one in entries
        ]
        if facts["last_s"] is None:
            return Shown(facts, events=events, trouble="nothing was observed here yet")
        seen = workspace.repository.observation(facts["last_s"])
        links = documents.link_rows(seen.scenario, seen.metrics)
        return Shown(facts, links, documents.flow_rows(seen.scenario, seen.metrics), events)

    return look


class Top(App[None]):
    """The program: three tables that keep up, the busiest first; arrows move, q ends."""

    CSS = "#status { height: auto; padding: 0 1; } DataTable { height: 1fr; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        ("q", "quit", "Quit"),
        ("l", "show('links')", "Links"),
        ("f", "show('flows')", "Flows"),
        ("e", "show('events')", "Events"),
    ]
    ENABLE_COMMAND_PALETTE = False

    def __init__(self, look: Look, name: str, pace_s: float = PACE_S) -> None:
        super().__init__()
        self.look, self.title, self.pace_s = look, name, pace_s

    def compose(self) -> ComposeResult:
        """The status, the tables, the keys."""
        yield Static(id="status")
        with TabbedContent(initial="links"):
            for name, title in (("links", "Links"), ("flows", "Flows"), ("events", "Events")):
                with TabPane(title, id=name):
                    yield DataTable(id=f"{name}-table", cursor_type="row", zebra_stripes=True)
        yield Footer()

    def on_mount(self) -> None:
        """Begin to look."""
        self.table("links").add_columns("link", "carried", "offered", "capacity", "loss", "state")
        self.table("flows").add_columns("flow", "class", "rate", "mean delay", "loss")
        self.table("events").add_columns("time", "by", "what", "words")
        self.refresh_now()
        self.set_interval(self.pace_s, self.refresh_now)

    def table(self, name: str) -> DataTable[Any]:
        """A table by its tab."""
        found: DataTable[Any] = self.query_one(f"#{name}-table", DataTable)
        return found

    def action_show(self, name: str) -> None:
        """Turn to a tab."""
        self.query_one(TabbedContent).active = name
        self.table(name).focus()

    def refresh_now(self) -> None:
        """Look again, without holding the keys up."""
        self.run_worker(self._look, thread=True, exclusive=True)

    def _look(self) -> None:
        try:
            shown = self.look()
        except NettwinError as error:
            shown = Shown(trouble=str(error))
        self.call_from_thread(self.show, shown)

    def show(self, shown: Shown) -> None:
        """Put what was looked at on the screen; what was seen stays where there is trouble."""
        self.query_one("#status", Static).update(status_line(self.title or "", shown))
        if shown.trouble:
            return
        links = sorted(shown.links, key=lambda row: -(row.get("utilization") or 0.0))
        self._fill("links", [link_cells(row) for row in links[:ROWS]])
        flows = sorted(shown.flows, key=lambda row: -(row.get("owd_mean_s") or 0.0))
        self._fill("flows", [flow_cells(row) for row in flows[:ROWS]])
        self._fill("events", [event_cells(row) for row in shown.events])

    def _fill(self, name: str, rows: Sequence[Sequence[str | Text]]) -> None:
        table = self.table(name)
        place, scroll = table.cursor_row, table.scroll_y
        table.clear()
        table.add_rows(rows)
        table.move_cursor(row=min(place, max(len(rows) - 1, 0)))
        table.scroll_to(y=scroll, animate=False)


def status_line(name: str, shown: Shown) -> Text:
    """How old the data is, whether the intent holds, what the loop does; or what is wrong."""
    if shown.trouble:
        return Text.assemble((name, "bold"), "  ", (shown.trouble, style.ALARM))
    facts = shown.status
    last = f"  {facts.get('network', '')}  last {facts.get('last') or 'never'}"
    parts: list[str | tuple[str, str]] = [(name, "bold"), last]
    if facts.get("age_s") is not None:
        parts.append(f", {units.duration(float(facts['age_s']))} old")
    measured = facts.get("measured")
    if measured is not None:
        words = (
            ("  intent holds", style.CALM) if measured["met"] else ("  intent missed", style.ALARM)
        )
        parts.append(words)
    parts.append(f"  next: {facts.get('step')}")
    if facts.get("plan"):
        parts.append(f"  plan {facts['plan']}")
    return Text.assemble(*parts)


def link_cells(row: dict[str, Any]) -> tuple[str | Text, ...]:
    """A link as a row."""
    return (
        row["link"],
        style.load(_number(row, "utilization")),
        style.load(_number(row, "offered_load")),
        units.rate(row["capacity_bps"]),
        style.loss(_number(row, "loss_ratio")),
        "up" if row["up"] else Text("down", style.ALARM),
    )


def flow_cells(row: dict[str, Any]) -> tuple[str | Text, ...]:
    """A flow as a row."""
    return (
        row["flow"],
        row["class"],
        units.rate(row["rate_bps"]),
        units.duration(_number(row, "owd_mean_s")),
        style.loss(_number(row, "loss_ratio")),
    )


def event_cells(row: dict[str, Any]) -> tuple[str, ...]:
    """An event as a row."""
    words = str(row["details"].get("words", ""))
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(row["time_s"]))
    return when, str(row["who"]), str(row["what"]), words


def _number(row: dict[str, Any], name: str) -> float:
    value = row.get(name)
    return float("nan") if value is None else float(value)
