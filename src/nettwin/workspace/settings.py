"""Settings: nettwin.toml, read and checked; every issue names its line."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nettwin import units
from nettwin.errors import FormatError, InputError
from nettwin.formats.files import read_text
from nettwin.formats.toml_document import parse_toml
from nettwin.physical.registry import NETWORKS
from nettwin.repository.maintenance import Retention
from nettwin.repository.place import place_of
from nettwin.secrets import REMEDY, is_reference, is_secret
from nettwin.workspace.people import ROLES, Person
from nettwin.workspace.policy import Policy, Window

NAME = "nettwin.toml"
LARGEST_BYTES = 2**20
_PERSON = ("roles", "token_argon2", "expires", "token_sha256")
_SECTION = re.compile(r"\s*\[+\s*([^\]]+?)\s*\]+")
_KEY = re.compile(r"\s*(\"[^\"]*\"|'[^']*'|[A-Za-z0-9_-]+)\s*=")


@dataclass(frozen=True)
class LoopSettings:
    """How the loop decides.

    `engine` predicts, `verify` looks at every plan (an engine, or none), `method` searches for
    `seconds`. Measurements may be beyond a prediction by the share `tolerance`. A plan that failed
    is not followed by another for `cooldown_s` of the network's time. A link that went up or down
    `flaps` times within `flap_window_s` counts as down until it is quiet for as long. An approval
    holds for `approval_s`; what was applied is undone where the loop has not confirmed it after
    `confirm_s`.
    """

    engine: str = "theory"
    verify: str = "packet"
    method: str = "auto"
    seconds: float = 1.0
    tolerance: float = 0.1
    cooldown_s: float = 600.0
    flaps: int = 3
    flap_window_s: float = 600.0
    approval_s: float = 3600.0
    confirm_s: float = 600.0


@dataclass(frozen=True)
class Settings:
    """What nettwin.toml says."""

    name: str
    kind: str  # of the network, a name of NETWORKS
    plan: Path  # the network as it was planned
    network: Mapping[str, Any]  # settings of that kind
    intents: tuple[Path, ...]
    repository: Path
    counter_error: float = 0.0  # how far counters may be from what devices read, once compacted
    retention: Retention = field(default_factory=Retention)
    loop: LoopSettings = field(default_factory=LoopSettings)
    policy: Policy = field(default_factory=Policy)
    people: tuple[Person, ...] = ()


def read_settings(folder: Path) -> Settings:
    """The settings of a workspace. Raises FormatError with the line of the first issue."""
    path = folder / NAME
    text = read_text(path, LARGEST_BYTES)
    return _Reader(path, parse_toml(text, path), _lines(text)).settings(folder)


def _lines(text: str) -> dict[tuple[str, ...], int]:
    """The line of every table and key."""
    found: dict[tuple[str, ...], int] = {}
    table: tuple[str, ...] = ()
    for number, line in enumerate(text.split("\n"), start=1):
        if match := _SECTION.match(line):
            table = tuple(part.strip().strip("\"'") for part in match[1].split("."))
            found.setdefault(table, number)
        elif match := _KEY.match(line):
            found.setdefault((*table, match[1].strip("\"'")), number)
    return found


class _Reader:
    """Plain data to settings."""

    def __init__(self, path: Path, data: Mapping[str, Any], lines: Mapping[tuple[str, ...], int]):
        self.path, self.data, self.lines = path, data, lines

    def settings(self, folder: Path) -> Settings:
        self._known((), self.data, _TOP)
        if self.data.get("nettwin") != 1:
            raise self.issue(("nettwin",), f"is {self.data.get('nettwin')!r}: must be 1", "Set it.")
        network = self.table("network")
        kind = self.value(("network", "kind"), str, "simulated")
        if kind not in NETWORKS:
            known = ", ".join(NETWORKS)
            raise self.issue(("network", "kind"), f"is {kind}: must be one of {known}", "Name one.")
        own = {k: v for k, v in network.items() if k not in ("kind", "plan")}
        for name, value in own.items():
            if is_secret(name) and not (isinstance(value, str) and is_reference(value)):
                place = ("network", name)
                raise self.issue(place, "holds a secret: must name where it is", REMEDY)
        if isinstance(own.get("demands"), str) and own["demands"]:
            own["demands"] = str(folder / own["demands"])
        files = self.value(("intents", "files"), list, [])
        self._known(("intents",), self.table("intents"), ("files",))
        self._known(("repository",), self.table("repository"), ("folder", "error", "keep_days"))
        return Settings(
            name=self.value(("name",), str, folder.name),
            kind=kind,
            plan=folder / self.value(("network", "plan"), str, "network.yaml"),
            network=own,
            intents=tuple(folder / str(file) for file in files),
            repository=place_of(self.value(("repository", "folder"), str, "repository"), folder),
            counter_error=self.value(("repository", "error"), float, 0.0),
            retention=self._retention(),
            loop=self._loop(),
            policy=self._policy(),
            people=self._people(),
        )

    def _retention(self) -> Retention:
        place, usual = ("repository", "keep_days"), vars(Retention())
        table = self.value(place, Mapping, {})
        self._known(place, table, tuple(usual))
        days = {name: self.value((*place, name), float, usual[name]) for name in usual}
        try:
            return Retention(**days)
        except InputError as error:
            raise self.issue(place, str(error), "") from None

    def _loop(self) -> LoopSettings:
        table, usual = self.table("loop"), LoopSettings()
        self._known(("loop",), table, tuple(vars(usual)))
        found: dict[str, Any] = {}
        for name, default in vars(usual).items():
            kind: type = str if isinstance(default, str) else float
            value = self.value(("loop", name), kind, default)
            if kind is float and value < 0:
                raise self.issue(("loop", name), f"is {value:g}: must be at least 0", "Correct it.")
            found[name] = int(value) if isinstance(default, int) else value
        return LoopSettings(**found)

    def _policy(self) -> Policy:
        table, usual = self.table("policy"), Policy()
        self._known(("policy",), table, tuple(vars(usual)))
        windows = []
        for text in self.value(("policy", "freeze"), list, []):
            try:
                windows.append(Window.parse(str(text)))
            except InputError as error:
                raise self.issue(("policy", "freeze"), str(error), "") from None
        return Policy(
            auto=self.value(("policy", "auto"), bool, usual.auto),
            kinds=tuple(map(str, self.value(("policy", "kinds"), list, list(usual.kinds)))),
            most_changes=int(self.value(("policy", "most_changes"), float, usual.most_changes)),
            most_per_hour=int(self.value(("policy", "most_per_hour"), float, usual.most_per_hour)),
            freeze=tuple(windows),
        )

    def _people(self) -> tuple[Person, ...]:
        found = []
        for name in self.table("people"):
            place = ("people", name)
            if not isinstance(self.data["people"][name], Mapping):
                raise self.issue(place, "is not a table: must be [people.NAME]", "Write it so.")
            self._known(place, self.data["people"][name], _PERSON)
            roles = tuple(map(str, self.value((*place, "roles"), list, [])))
            for role in roles:
                if role not in ROLES:
                    reason = f"has {role}: must be of {', '.join(ROLES)}"
                    raise self.issue((*place, "roles"), reason, "Correct it.")
            texts = {key: self.value((*place, key), str, "") for key in _PERSON[1:]}
            found.append(
                Person(
                    name,
                    roles,
                    token_argon2=texts["token_argon2"],
                    expires_s=self._moment((*place, "expires"), texts["expires"]),
                    token_sha256=texts["token_sha256"],
                )
            )
        return tuple(found)

    def _moment(self, place: tuple[str, ...], text: str) -> float:
        """A time, in seconds since 1970; for ever where there is none."""
        if not text:
            return math.inf
        try:
            return units.moment_s(text, "2027-01-31T12:00:00Z")
        except InputError as error:
            raise self.issue(place, str(error), "") from None

    def table(self, name: str) -> Mapping[str, Any]:
        """A table of the file; empty where it is not there."""
        found = self.data.get(name, {})
        if not isinstance(found, Mapping):
            raise self.issue((name,), "is not a table", f"Write [{name}] and its keys below it.")
        return found

    def value(self, place: tuple[str, ...], kind: type, usual: Any) -> Any:
        """A value of a kind; `usual` where it is not there."""
        found: Any = self.data
        for step in place:
            if not isinstance(found, Mapping) or step not in found:
                return usual
            found = found[step]
        number = kind is float
        good = isinstance(found, int | float if number else kind)
        if not good or (isinstance(found, bool) and kind is not bool):
            words = {
                str: "text",
                float: "a number",
                bool: "true or false",
                list: "a list",
                Mapping: "a table",
            }[kind]
            raise self.issue(place, f"is {found!r}: must be {words}", "Correct it.")
        return found

    def _known(self, place: tuple[str, ...], table: Mapping[str, Any], names: Any) -> None:
        for name in table:
            if name not in names:
                known = ", ".join(names)
                reason = f"is not known here: must be one of {known}"
                raise self.issue((*place, name), reason, "Correct or remove it.")

    def issue(self, place: tuple[str, ...], reason: str, remedy: str) -> FormatError:
        """The error at a place."""
        found = next(
            (self.lines[place[:n]] for n in range(len(place), 0, -1) if place[:n] in self.lines), 1
        )
        return FormatError(self.path, f"line {found}", f"{'.'.join(place)} {reason}", remedy)


_TOP = ("nettwin", "name", "network", "repository", "intents", "loop", "policy", "people")
