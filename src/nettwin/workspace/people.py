"""People: who works with a workspace, what each may do, and how they prove who they are.

A token is a long random word that `new_token` makes and shows once; a workspace keeps its hash
alone. As tokens are not words that people think up, a plain hash is enough: there is nothing to
guess.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass

from nettwin.errors import InputError

ROLES = {
    "viewer": "sees everything and changes nothing",
    "operator": "verifies, applies and undoes plans",
    "approver": "approves plans of others",
}
TOKEN_BYTES = 24


@dataclass(frozen=True)
class Person:
    """Somebody with a name, roles of ROLES, and the hash of a token."""

    name: str
    roles: tuple[str, ...]
    token_sha256: str = ""

    def may(self, role: str) -> bool:
        """Whether they have a role; who has any may look."""
        return role in self.roles or (role == "viewer" and bool(self.roles))

    def need(self, role: str, deed: str) -> None:
        """Raise InputError where they lack the role that a deed needs."""
        if not self.may(role):
            own = ", ".join(self.roles) or "no role"
            raise InputError(
                f"{self.name} has the role {own}: must have {role} to {deed}. Ask whoever keeps"
                " nettwin.toml, or let somebody else do it."
            )


def new_token() -> tuple[str, str]:
    """A new token and its hash."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    return token, hashed(token)


def hashed(token: str) -> str:
    """The hash of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def person_of(token: str, people: Iterable[Person]) -> Person:
    """Whose token it is. Raises InputError where it is nobody's."""
    mine = hashed(token)
    for person in people:
        if person.token_sha256 and hmac.compare_digest(mine, person.token_sha256):
            return person
    raise InputError(
        "the token is nobody's here: must be one that `nettwin people add` has shown. Check it, or"
        " ask for a new one."
    )
