"""Workspace: the folder of one twin, opened.

nettwin.toml   settings               network.yaml, intent.yaml   what they name
repository/    the history            audit/, audit.head          the audit log, and its head
network/       what the network keeps loop.json, twin.json        the loop's state, corrections
approvals/     one file each          lock                        one process writes
access/        the server's own log   networks/, sessions/, jobs/ what the server keeps
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from nettwin.errors import FormatError, InputError, NetworkError, UnknownNameError
from nettwin.formats import read, write
from nettwin.formats.files import read_text, write_text
from nettwin.formats.intent import read_intent
from nettwin.intent import Intent
from nettwin.physical.network import Network, Opening
from nettwin.physical.registry import NETWORKS
from nettwin.repository.audit import AuditLog
from nettwin.repository.lock import held
from nettwin.repository.repository import Repository
from nettwin.scenario.scenario import Scenario
from nettwin.workspace.approval import Approvals
from nettwin.workspace.people import (
    DAY_S,
    DAYS,
    ROLES,
    Person,
    entry_of,
    new_token,
    without_person,
)
from nettwin.workspace.settings import NAME, Settings, read_settings
from nettwin.workspace.template import INTENT, filled


class Workspace:
    """A workspace in a folder. Raises FormatError where there is none or its settings are wrong."""

    def __init__(self, folder: Path) -> None:
        if not (folder / NAME).exists():
            raise FormatError(
                folder, "", f"is not a workspace: it has no {NAME}", "Make one: nettwin init DIR."
            )
        self.folder = folder
        self.settings: Settings = read_settings(folder)
        self.repository = Repository(
            self.settings.repository, relative_error=self.settings.counter_error
        )
        self.audit = AuditLog(folder / "audit", folder / "audit.head")

    @cached_property
    def access_log(self) -> AuditLog:
        """What a server refused and who came to it; the server alone writes it, so that the audit
        log keeps its one writer."""
        return AuditLog(self.folder / "access", self.folder / "access.head")

    @property
    def approvals(self) -> Approvals:
        """The approvals that were given here."""
        return Approvals(self.folder / "approvals")

    @property
    def state_file(self) -> Path:
        """Where the loop keeps its state."""
        return self.folder / "loop.json"

    @property
    def twin_file(self) -> Path:
        """Where the corrections of the twin are kept."""
        return self.folder / "twin.json"

    @cached_property
    def plan(self) -> Scenario:
        """The network as it was planned."""
        return read(self.settings.plan).scenario

    @property
    def network_now(self) -> Scenario:
        """The network as a topology source told it last (`nettwin data topology`); as it was
        planned where none was read."""
        return self.repository.network_told() or self.plan

    @cached_property
    def intent(self) -> Intent:
        """What is wanted: all intents together. Raises InputError where there is none."""
        intents = [read_intent(path) for path in self.settings.intents]
        if not intents:
            raise InputError(
                f"{self.folder / NAME} names no intent: must name a file under [intents]. Write"
                " one, and name it in `files`."
            )
        return together(intents)

    @contextmanager
    def writing(self, who: str) -> Iterator[Workspace]:
        """Be the one process that writes while the block runs. Raises BusyError."""
        what = f"the workspace {self.folder}"
        with held(self.folder / "lock", what, who), self.repository.writing(who):
            yield self

    @contextmanager
    def network(self) -> Iterator[Network]:
        """The network, opened. Raises NetworkError where this machine lacks something for it."""
        choice = NETWORKS[self.settings.kind]
        if lacks := choice.missing():
            raise NetworkError(f"the network {choice.name} cannot be opened here: {lacks}")
        opening = Opening(self.folder / "network", self.plan, self.settings.network)
        network = choice.open(opening)
        try:
            yield network
        finally:
            network.close()

    def add_person(self, name: str, roles: tuple[str, ...], days: float = DAYS) -> str:
        """Write a person into nettwin.toml; their token, which is kept nowhere and holds for so
        many days."""
        if any(person.name == name for person in self.settings.people):
            raise InputError(f"there is a {name} already. Remove them from {NAME}, or rename one.")
        if not name or any(not (ch.isascii() and (ch.isalnum() or ch in "-_")) for ch in name):
            raise InputError(f"the name {name!r} must be of letters, digits, - and _. Correct it.")
        for role in roles:
            if role not in ROLES:
                raise InputError(f"{role} is not a role: must be of {', '.join(ROLES)}. Name one.")
        token, digest = new_token(name)
        self._write_person(name, roles, digest, time.time() + days * DAY_S)
        return token

    def renew_token(self, name: str, days: float = DAYS) -> str:
        """A new token of a person, in place of the one they had. Raises UnknownNameError."""
        person = self._person(name)
        token, digest = new_token(name)
        self._write_person(name, person.roles, digest, time.time() + days * DAY_S)
        return token

    def revoke_token(self, name: str) -> None:
        """Have a person's token hold no longer. Raises UnknownNameError."""
        self._write_person(name, self._person(name).roles, "", math.inf)

    def _person(self, name: str) -> Person:
        found = next((p for p in self.settings.people if p.name == name), None)
        if found is None:
            raise UnknownNameError("person", name, [p.name for p in self.settings.people])
        return found

    def _write_person(
        self, name: str, roles: tuple[str, ...], digest: str, expires_s: float
    ) -> None:
        path = self.folder / NAME
        text = without_person(read_text(path), name)
        entry = entry_of(name, roles, digest, expires_s)
        write_text(path, f"{text}\n{entry}", durable=True)
        self.settings = read_settings(self.folder)


def begin(
    folder: Path,
    plan: Scenario,
    intent: str = INTENT,
    *,
    name: str = "",
    kind: str = "simulated",
    auto: bool = False,
    settings: Mapping[str, object] | None = None,
) -> Workspace:
    """Make a workspace of a network of a kind, in a folder that is new or empty; `settings` are
    values of nettwin.toml that are not the usual ones. Raises InputError."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder} is there already and not empty. Give another folder.")
    text = filled(kind, name or plan.name, auto=auto, settings=settings or {})
    write(plan, folder / "network.yaml", format="native")
    write_text(folder / "intent.yaml", intent)
    write_text(folder / NAME, text, durable=True)
    return Workspace(folder)


def together(intents: list[Intent]) -> Intent:
    """Several intents as one: everything that they expect, the objectives and failures of the first
    that has them, and every lever of any."""
    first = intents[0]
    if len(intents) == 1:
        return first
    levers = {lever.kind: lever for intent in reversed(intents) for lever in intent.levers}
    most = [intent.most_changes for intent in intents if intent.most_changes is not None]
    return replace(
        first,
        name=", ".join(intent.name for intent in intents),
        expect=tuple(e for intent in intents for e in intent.expect),
        avoid=tuple(a for intent in intents for a in intent.avoid),
        survive=next((intent.survive for intent in intents if intent.survive), None),
        levers=tuple(levers.values()),
        most_changes=min(most, default=None),
    )
