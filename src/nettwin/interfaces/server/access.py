"""Access: who a request comes from.

Programs send the token of a person of the workspace (`Authorization: Bearer NAME.SECRET`). A token
is checked by argon2 once, and then known by a keyed hash until nettwin.toml changes. Browsers log
in with a token or a one-time link and get a cookie of a session, which ends by itself.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nettwin.errors import FormatError, InputError
from nettwin.interfaces.server.limits import Limits
from nettwin.workspace.people import Person, person_of
from nettwin.workspace.settings import NAME, read_settings
from nettwin.workspace.workspace import Workspace

COOKIE = "nettwin_session"
log = logging.getLogger("nettwin.server")
TRUSTED_S = 600.0  # a token that was checked is not checked again for so long


@dataclass
class Login:
    """A browser's session. `ended` are called when it ends: sockets close then."""

    id: str
    name: str
    csrf: str
    began_s: float
    seen_s: float
    ended: list[Callable[[], None]] = field(default_factory=list)


class Access:
    """Tokens, sessions of browsers and one-time links of a workspace's people. Thread-safe."""

    def __init__(
        self, workspace: Workspace, limits: Limits, clock: Callable[[], float] = time.time
    ) -> None:
        self.limits, self.clock = limits, clock
        self._file: Path = workspace.folder / NAME
        self._folder = workspace.folder
        self._people = workspace.settings.people
        self._stamp = self._now_stamp()
        self._key = secrets.token_bytes(32)
        self._lock = threading.RLock()
        self._known: dict[bytes, tuple[str, float]] = {}
        self._logins: dict[str, Login] = {}
        self._links: dict[bytes, tuple[str, float]] = {}

    @property
    def people(self) -> tuple[Person, ...]:
        """The people of nettwin.toml as it is now; while it cannot be read, as it was before."""
        with self._lock:
            stamp = self._now_stamp()
            if stamp != self._stamp:
                self._stamp = stamp
                try:
                    self._people = read_settings(self._folder).people
                except FormatError as error:
                    log.error("people stay as they were: %s", error)
                    return self._people
                self._known.clear()
                for login in list(self._logins.values()):
                    if self._named(login.name) is None:
                        self.end(login.id)
            return self._people

    def known(self, token: str) -> Person | None:
        """Whose token it is, where it was checked lately; cheap."""
        people = self.people
        with self._lock:
            name, until_s = self._known.get(self._hash(token), ("", 0.0))
            if not name or self.clock() >= until_s:
                return None
        return next((p for p in people if p.name == name and p.holds(self.clock())), None)

    def check(self, token: str) -> Person:
        """Whose token it is; takes some 30 ms, as argon2 shall. Raises InputError where it is
        nobody's, or has expired."""
        person = person_of(token, self.people, self.clock())
        with self._lock:
            if len(self._known) > 10_000:
                self._known.clear()
            self._known[self._hash(token)] = (person.name, self.clock() + TRUSTED_S)
        return person

    def link(self, name: str) -> str:
        """The code of a link that logs a person in, once. Raises InputError where there is no such
        person."""
        if self._named(name) is None:
            raise InputError(f"there is no {name} here. nettwin people list shows who is.")
        code = secrets.token_urlsafe(24)
        with self._lock:
            self._links[self._hash(code)] = (name, self.clock() + self.limits.link_s)
        return code

    def use_link(self, code: str) -> Person:
        """Who a code logs in; it is used up. Raises InputError."""
        with self._lock:
            name, until_s = self._links.pop(self._hash(code), ("", 0.0))
        person = self._named(name) if self.clock() < until_s else None
        if person is None:
            raise InputError("the link was used already, or is too old. Log in with your token.")
        return person

    def begin(self, person: Person) -> Login:
        """Begin a session of a browser."""
        now = self.clock()
        login = Login(
            secrets.token_urlsafe(32),
            person.name,
            secrets.token_urlsafe(32),
            began_s=now,
            seen_s=now,
        )
        with self._lock:
            self._tidy()
            self._logins[login.id] = login
        return login

    def login(self, id: str) -> tuple[Login, Person] | None:
        """The session of a cookie, and whose it is; None where it has ended."""
        people = self.people
        with self._lock:
            login = self._logins.get(id)
            if login is None:
                return None
            person = next((p for p in people if p.name == login.name), None)
            if person is None or self._over(login) or not person.holds(self.clock()):
                self.end(id)
                return None
            login.seen_s = self.clock()
            return login, person

    def end(self, id: str) -> None:
        """End a session; its sockets close."""
        with self._lock:
            login = self._logins.pop(id, None)
        for told in list(login.ended) if login is not None else ():
            told()

    def tidy(self) -> None:
        """End the sessions whose time is over."""
        _ = self.people
        with self._lock:
            self._tidy()

    def _tidy(self) -> None:
        for login in list(self._logins.values()):
            if self._over(login):
                self.end(login.id)
        now = self.clock()
        self._links = {key: one for key, one in self._links.items() if now < one[1]}

    def _over(self, login: Login) -> bool:
        now = self.clock()
        idle = now - login.seen_s > self.limits.idle_s and not login.ended  # none of it is open
        return idle or now - login.began_s > self.limits.session_s

    def _named(self, name: str) -> Person | None:
        now = self.clock()
        return next((p for p in self._people if p.name == name and p.holds(now)), None)

    def _hash(self, text: str) -> bytes:
        return hmac.new(self._key, text.encode(), hashlib.sha256).digest()

    def _now_stamp(self) -> Any:
        try:
            status = self._file.stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_size
