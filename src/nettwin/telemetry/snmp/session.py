"""Sessions of gufo-snmp: v2c with a community, v3 with a user; secrets are looked up each time."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from nettwin.errors import InputError, MissingExtraError, SourceError
from nettwin.secrets import secret

PORT = 161
AUTHENTICATION = {
    "md5": "Md5Key",
    "sha": "Sha1Key",
    **{f"sha{bits}": f"Sha{bits}Key" for bits in (224, 256, 384, 512)},
}
PRIVACY = {"des": "DesKey", "aes": "Aes128Key", "aes192": "Aes192Key", "aes256": "Aes256Key"}


def lacking() -> str:
    """What this machine lacks for SNMP; empty where it has all."""
    if importlib.util.find_spec("gufo") and importlib.util.find_spec("gufo.snmp"):
        return ""
    return "gufo-snmp is not installed (pip install 'nettwin[live]')"


@dataclass(frozen=True)
class Credentials:
    """Who asks: `community` (v2c) or `user` with passwords (v3); secrets are references."""

    community: str = ""
    user: str = ""
    auth: str = "sha"
    auth_password: str = ""
    privacy: str = "aes"
    privacy_password: str = ""

    def __post_init__(self) -> None:
        if bool(self.community) == bool(self.user):
            raise InputError(
                "an snmp source needs either community (v2c) or user (v3). Write community:"
                " env:NAME, or user: with auth_password: env:NAME."
            )
        if self.privacy_password and not self.auth_password:
            raise InputError("privacy_password needs auth_password as well. Write it.")
        for name, value, known in (
            ("auth", self.auth, AUTHENTICATION),
            ("privacy", self.privacy, PRIVACY),
        ):
            if value not in known:
                raise InputError(f"{name} is {value!r}: must be one of {', '.join(known)}.")

    def options(self) -> dict[str, Any]:
        """What gufo-snmp takes. Raises InputError where a secret is not there."""
        from gufo import snmp

        if self.community:
            return {"community": secret(self.community), "version": snmp.SnmpVersion.v2c}
        keys: dict[str, Any] = {}
        if self.auth_password:
            make = getattr(snmp, AUTHENTICATION[self.auth])
            keys["auth_key"] = make(secret(self.auth_password).encode())
        if self.privacy_password:
            make = getattr(snmp, PRIVACY[self.privacy])
            keys["priv_key"] = make(secret(self.privacy_password).encode())
        return {"user": snmp.User(self.user, **keys), "version": snmp.SnmpVersion.v3}


@dataclass(frozen=True)
class Agent:
    """An agent and how it is asked."""

    name: str
    host: str
    port: int
    credentials: Credentials
    timeout_s: float = 2.0
    retries: int = 2
    max_repetitions: int = 20

    @property
    def shown(self) -> str:
        """It in messages."""
        return f"{self.name} ({self.host}:{self.port})"

    @contextmanager
    def session(self) -> Iterator[GufoSession]:
        """A session; its secrets are those of now. Raises SourceError."""
        try:
            from gufo.snmp.sync import SnmpSession
        except ImportError:
            raise MissingExtraError("SNMP", "live") from None
        made = None
        for left in range(self.retries, -1, -1):
            try:
                made = SnmpSession(
                    addr=self.host,
                    port=self.port,
                    timeout=self.timeout_s,
                    max_repetitions=self.max_repetitions,
                    **self.credentials.options(),
                )
                made.__enter__()
                break
            except BaseException as error:  # gufo-snmp panics on some garbage
                if not (left and _is_silence(error)):
                    raise self.told(error) from None
        assert made is not None
        try:
            yield GufoSession(made, self)
        finally:
            made.__exit__(None, None, None)

    def told(self, error: BaseException) -> BaseException:
        """What gufo-snmp raised as an error of nettwin's."""
        kind = type(error).__name__
        who = "community" if self.credentials.community else "user and passwords"
        if _is_silence(error):
            return SourceError(
                f"does not answer within {self.timeout_s:g} s, asked {self.retries + 1} times."
                f" Check its address and {who}, and that it may be asked from here."
            )
        if "Auth" in kind:
            return SourceError("refuses user or passwords. Correct them, or auth and privacy.")
        if kind == "PanicException":
            return SourceError("answers what is no SNMP. Check its address.")
        if "Snmp" in kind or isinstance(error, RuntimeError):
            return SourceError(f"answers what is no SNMP: {error}. Check its address.")
        if isinstance(error, OSError | ValueError):
            return SourceError(f"cannot be asked: {error}. Check its address.")
        return error


class GufoSession:
    """A session of gufo-snmp, with retries, whose errors are SourceErrors."""

    def __init__(self, session: Any, agent: Agent) -> None:
        self._session, self._agent = session, agent

    def get(self, *names: str) -> Mapping[str, object]:
        for left in range(self._agent.retries, -1, -1):
            try:
                return dict(self._session.get_many(list(names)))
            except BaseException as error:  # gufo-snmp panics on some garbage
                if not (left and _is_silence(error)):
                    raise self._agent.told(error) from None
        raise AssertionError

    def walk(self, name: str) -> Iterator[tuple[str, object]]:
        # what is walked again after a silence begins anew: rows that were told are passed over
        told = 0
        for left in range(self._agent.retries, -1, -1):
            try:
                for place, row in enumerate(self._session.getbulk(name)):
                    if place >= told:
                        told += 1
                        yield row
                return
            except BaseException as error:  # gufo-snmp panics on some garbage
                if not (left and _is_silence(error)):
                    raise self._agent.told(error) from None


def _is_silence(error: BaseException) -> bool:
    return isinstance(error, TimeoutError | BlockingIOError)
