"""Sessions: sandboxes of a network, in which changes are tried and nothing else is touched.

A session begins with a copy of a network (of now, of a moment of the history, or of a file) and
holds a list of changes. It is compared with what it began with, thrown away, or made into a change
plan. Each is one file; the terms are those of the digital twin drafts of the IRTF's NMRG
(draft-irtf-nmrg-network-digital-twin-arch).
"""

from __future__ import annotations

import json
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from nettwin.change_plan import ChangePlan, Evidence
from nettwin.errors import FormatError, InputError, UnknownNameError
from nettwin.formats.files import read_text, write_text
from nettwin.formats.native import native_from_text, native_text
from nettwin.intent import Intent
from nettwin.model import NetworkModel
from nettwin.optimize.problem import Problem
from nettwin.scenario.changes import (
    Change,
    SetBuffer,
    SetPath,
    SetScheduler,
    SetWeight,
    apply_all,
    change_from_dict,
    change_to_dict,
)
from nettwin.scenario.scenario import Scenario

SCHEMA = "nettwin-session-1"
ID = re.compile(r"[0-9a-f]{10}")
MAX_CHANGES = 1000
STEERED = (SetPath, SetWeight, SetScheduler, SetBuffer)  # what routers are told; the rest happens


@dataclass(frozen=True)
class Session:
    """A sandbox. `base` says in words where its network comes from, `network` is that network;
    `undone` are the changes that were taken back and may be made again, the last one first."""

    id: str
    name: str
    owner: str
    base: str
    began_s: float
    network: Scenario
    changes: tuple[Change, ...] = ()
    undone: tuple[Change, ...] = ()

    @property
    def scenario(self) -> Scenario:
        """The network with all changes."""
        return apply_all(self.network, self.changes)

    @property
    def steps(self) -> tuple[Change, ...]:
        """The changes that routers can be told: what a change plan is made of."""
        return tuple(change for change in self.changes if isinstance(change, STEERED))

    @property
    def supposed(self) -> tuple[Change, ...]:
        """The changes that happen to a network and that nobody makes: failures, other traffic."""
        return tuple(change for change in self.changes if not isinstance(change, STEERED))

    def with_change(self, *changes: Change) -> Session:
        """The session with more changes. Raises InputError where one does not fit, or there are too
        many."""
        if len(self.changes) + len(changes) > MAX_CHANGES:
            raise InputError(
                f"the session {self.name} has {len(self.changes)} changes: may have {MAX_CHANGES}."
                " Begin another."
            )
        apply_all(self.scenario, changes)
        return replace(self, changes=(*self.changes, *changes), undone=())

    def without_last(self) -> Session:
        """The session without its last change, which `again` makes again. Raises InputError where
        it has none."""
        if not self.changes:
            raise InputError(f"the session {self.name} has no changes: there is nothing to undo.")
        return replace(self, changes=self.changes[:-1], undone=(self.changes[-1], *self.undone))

    def without(self, place: int) -> Session:
        """The session without the change at a place, counted from 0. Raises InputError where there
        is none, or those after it need it."""
        if not 0 <= place < len(self.changes):
            raise InputError(
                f"the session {self.name} has no change {place}: must be below {len(self.changes)}."
            )
        left = self.changes[:place] + self.changes[place + 1 :]
        apply_all(self.network, left)
        return replace(self, changes=left, undone=())

    def again(self) -> Session:
        """The session with the change that was undone last. Raises InputError where there is
        none."""
        if not self.undone:
            raise InputError(f"nothing was undone in the session {self.name}.")
        return replace(self, changes=(*self.changes, self.undone[0]), undone=self.undone[1:])

    def plan(self, intent: Intent, model: NetworkModel | None) -> ChangePlan:
        """The steered changes as a change plan for the session's network, judged without what is
        only supposed. Raises InputError where there are none."""
        if not self.steps:
            raise InputError(
                f"the session {self.name} has no change that routers can be told: a plan is made of"
                f" {', '.join(kind.kind for kind in STEERED)}. Optimize, or add one."
            )
        problem = Problem(self.network, intent, model)
        after = problem.judge([self.steps])[0]
        own = ("loads", "exact") if model is None else (model.name, "predicted")
        return ChangePlan(
            changes=self.steps,
            before=problem.before,
            after=after,
            method="session",
            seed=0,
            seconds=0.0,
            evidence=(Evidence(*own, after),),
            intent=intent.name,
            network=self.network.fingerprint(),
            cost=problem.cost(apply_all(self.network, self.steps), len(self.steps)),
            notes={"session": self.id, "name": self.name},
        )


class Sessions:
    """The sessions in a folder, one file each."""

    def __init__(self, folder: Path, wall: Callable[[], float] = time.time) -> None:
        self.folder = folder
        self._wall = wall

    def begin(self, network: Scenario, base: str, owner: str, name: str = "") -> Session:
        """Begin a session with a copy of a network."""
        id = secrets.token_hex(5)
        session = Session(id, name or f"session {id[:4]}", owner, base, self._wall(), network)
        self.keep(session)
        return session

    def all(self) -> list[Session]:
        """Every session, the newest first."""
        found = [self.get(path.stem) for path in self.folder.glob("*.json")]
        return sorted(found, key=lambda one: -one.began_s)

    def get(self, id: str) -> Session:
        """The session of an id. Raises UnknownNameError where there is none, FormatError where its
        file was garbled."""
        path = self._path(id)
        if path is None or not path.exists():
            known = [one.stem for one in self.folder.glob("*.json")]
            raise UnknownNameError("session", id, known)
        return _read(path)

    def keep(self, session: Session) -> Session:
        """Write a session down as it is now."""
        path = self._path(session.id)
        assert path is not None
        self.folder.mkdir(parents=True, exist_ok=True)
        document = {
            "schema": SCHEMA,
            "id": session.id,
            "name": session.name,
            "owner": session.owner,
            "base": session.base,
            "began_s": session.began_s,
            "changes": [change_to_dict(change) for change in session.changes],
            "undone": [change_to_dict(change) for change in session.undone],
            "network": native_text(session.network),
        }
        write_text(path, json.dumps(document), durable=True)
        return session

    def discard(self, id: str) -> Session:
        """Throw a session away; it is given back, and can be kept again."""
        session = self.get(id)
        path = self._path(id)
        assert path is not None
        path.unlink(missing_ok=True)
        return session

    def _path(self, id: str) -> Path | None:
        """The file of a session; None where that is no id, such as the name of another file."""
        return self.folder / f"{id}.json" if ID.fullmatch(id) else None


def _read(path: Path) -> Session:
    try:
        data = json.loads(read_text(path))
        if data["schema"] != SCHEMA:
            raise ValueError(f"of the schema {data['schema']!r}")
        return Session(
            id=str(data["id"]),
            name=str(data["name"]),
            owner=str(data["owner"]),
            base=str(data["base"]),
            began_s=float(data["began_s"]),
            network=native_from_text(data["network"], str(path)),
            changes=tuple(map(change_from_dict, data["changes"])),
            undone=tuple(map(change_from_dict, data["undone"])),
        )
    except (ValueError, KeyError, TypeError) as error:
        reason = f"is not a session ({error})"
        raise FormatError(path, "", reason, "Remove the file.") from None
