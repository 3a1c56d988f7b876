"""People: who works with a workspace, what each may do, and how they prove who they are.

A token is `NAME.SECRET`, the secret a long random word; it is shown once, and a workspace keeps its
argon2 hash alone, with the time until which it holds. Tokens of workspaces that an older nettwin
has made are kept as SHA-256 and go on working until they are renewed.
"""

from __future__ import annotations

import hashlib
import hmac
import math
import re
import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from nettwin.errors import InputError, MissingExtraError

ROLES = {
    "viewer": "sees everything and changes nothing",
    "operator": "proposes, verifies, applies and undoes plans",
    "approver": "approves plans of others, applies and undoes them",
}
TOKEN_BYTES = 24
DAYS = 365.0  # a token holds, unless told otherwise
DAY_S = 86400.0
NOBODY = (
    "the token is nobody's here: must be one that `nettwin people add` has shown. Check it, or ask"
    " for a new one."
)


@dataclass(frozen=True)
class Person:
    """Somebody with a name, roles of ROLES, and the hash of a token that holds until `expires_s`
    (seconds since 1970)."""

    name: str
    roles: tuple[str, ...]
    token_argon2: str = ""
    expires_s: float = math.inf
    token_sha256: str = ""  # of an older workspace

    def may(self, role: str) -> bool:
        """Whether they have a role; who has any may look."""
        return role in self.roles or (role == "viewer" and bool(self.roles))

    def holds(self, now_s: float) -> bool:
        """Whether they have a token that has not expired."""
        return bool(self.token_argon2 or self.token_sha256) and now_s < self.expires_s

    def need(self, role: str, deed: str) -> None:
        """Raise InputError where they lack the role that a deed needs; `a or b` is either."""
        if not any(self.may(one) for one in role.split(" or ")):
            own = ", ".join(self.roles) or "no role"
            raise InputError(
                f"{self.name} has the role {own}: must have {role} to {deed}. Ask whoever keeps"
                " nettwin.toml, or let somebody else do it."
            )


def new_token(name: str) -> tuple[str, str]:
    """A new token of a person, and its hash."""
    token = f"{name}.{secrets.token_urlsafe(TOKEN_BYTES)}"
    return token, str(_hasher().hash(token))


def entry_of(name: str, roles: Iterable[str], digest: str, expires_s: float) -> str:
    """A person as they stand in nettwin.toml; an empty hash is no token."""
    listed = ", ".join(f'"{role}"' for role in roles)
    lines = [f"[people.{name}]", f"roles = [{listed}]"]
    if digest:
        lines.append(f'token_argon2 = "{digest}"')
        if math.isfinite(expires_s):
            until = datetime.fromtimestamp(expires_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            lines.append(f'expires = "{until}"')
    return "\n".join(lines) + "\n"


def without_person(text: str, name: str) -> str:
    """The text of a nettwin.toml without a person."""
    section = rf"^\[people\.{re.escape(name)}\][^\n]*\n(?:(?!\[)[^\n]*(?:\n|$))*"
    return re.sub(section, "", text, flags=re.MULTILINE).rstrip("\n") + "\n"


def person_of(token: str, people: Iterable[Person], now_s: float | None = None) -> Person:
    """Whose token it is. Raises InputError where it is nobody's, or has expired."""
    found = _person_of(token, people)
    if found is None:
        raise InputError(NOBODY)
    if not found.holds(time.time() if now_s is None else now_s):
        raise InputError(
            f"the token of {found.name} has expired: must be a newer one. Ask for it: nettwin"
            f" people renew {found.name}."
        )
    return found


def _person_of(token: str, people: Iterable[Person]) -> Person | None:
    name, _, _ = token.partition(".")
    plain = hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
    for person in people:
        if person.token_sha256 and hmac.compare_digest(plain, person.token_sha256):
            return person
        if person.name == name and person.token_argon2 and _matches(token, person.token_argon2):
            return person
    return None


def _matches(token: str, digest: str) -> bool:
    from pwdlib.exceptions import UnknownHashError

    try:
        return bool(_hasher().verify(token, digest))
    except (UnknownHashError, UnicodeEncodeError):
        return False


@cache
def _hasher() -> Any:
    """Argon2id with the least that OWASP asks for: a token is no word that people think up."""
    try:
        from pwdlib import PasswordHash
        from pwdlib.hashers.argon2 import Argon2Hasher
    except ImportError:
        raise MissingExtraError("a token of a person", "live") from None
    return PasswordHash((Argon2Hasher(time_cost=2, memory_cost=19456, parallelism=1),))
