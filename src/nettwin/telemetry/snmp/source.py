"""SNMP agents (v2c, v3) that are polled for the counters of their ports.

    source: snmp
    agents: {Seattle: 10.0.0.1, Denver: "10.0.0.2:1161"}
    community: env:SNMP_COMMUNITY

Agents are polled at the same time, each over a session of its own that is opened anew for each
poll: a community or password that was changed is the one that is used.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from nettwin import units
from nettwin.errors import InputError, NettwinError, SourceError
from nettwin.settings import settings_of
from nettwin.telemetry.polling import Samples, read_by_polling
from nettwin.telemetry.series import Port, Series
from nettwin.telemetry.snmp.if_mib import NAMES, Poll, poll
from nettwin.telemetry.snmp.session import PORT, Agent, Credentials, lacking
from nettwin.telemetry.source import Opening, Quality, SourceChoice

AT_ONCE = 32  # agents


@dataclass(frozen=True)
class Settings:
    """What the file of the source says. `agents` are addresses by the name of their device;
    `interface` the object that names ports: ifName, ifDescr or ifAlias."""

    agents: Mapping[str, str] = field(default_factory=dict)
    community: str = ""
    user: str = ""
    auth: str = "sha"
    auth_password: str = ""
    privacy: str = "aes"
    privacy_password: str = ""
    interface: str = "ifName"
    every: str = "30s"
    timeout_s: float = 2.0
    retries: int = 2
    max_repetitions: int = 20


class Snmp:
    """Agents that are polled; it keeps what it knew of their ports, to tell what changed."""

    live = True

    def __init__(self, opening: Opening) -> None:
        self.settings = settings = settings_of(Settings, opening.settings, "an snmp source")
        self.told = opening.told
        if not settings.agents:
            raise InputError("there are no agents: must be NODE: ADDRESS. Name them.")
        if settings.interface not in NAMES:
            known = ", ".join(NAMES)
            raise InputError(f"interface is {settings.interface!r}: must be one of {known}.")
        for name, least in (("timeout_s", 0.01), ("retries", 0), ("max_repetitions", 1)):
            if not getattr(settings, name) >= least:
                value = getattr(settings, name)
                raise InputError(f"{name} is {value}: must be at least {least}. Correct it.")
        self.every_s = units.time_s(settings.every)
        if not self.every_s > 0:
            raise InputError(f"every is {settings.every!r}: must be above 0. Correct it.")
        who = Credentials(
            settings.community,
            settings.user,
            settings.auth,
            settings.auth_password,
            settings.privacy,
            settings.privacy_password,
        )
        self.agents = [
            Agent(
                str(name),
                *_address(str(address)),
                who,
                settings.timeout_s,
                int(settings.retries),
                int(settings.max_repetitions),
            )
            for name, address in settings.agents.items()
        ]
        self._before: dict[str, Poll] = {}

    def test(self) -> str:
        answers, silent = self._all()
        ports = sum(len(one.index) for one in answers.values())
        words = f"{len(answers)} SNMP agents with {ports} ports"
        return words + (f"; {len(silent)} do not answer" if silent else "")

    def read(self, since_s: float, until_s: float) -> Iterator[Series]:
        yield from read_by_polling(self, since_s, until_s)

    def poll(self) -> Samples:
        """One sample of each quantity of each port. Raises SourceError where no agent answers."""
        answers, silent = self._all()
        for name, why in silent.items():
            self._note(f"{name}: {why}")
        samples: dict[tuple[Port, str], tuple[float, float]] = {}
        for name, answer in answers.items():
            for words in (*answer.told, *_changes(self._before.get(name), answer)):
                self._note(f"{name}: {words}")
            self._before[name] = answer
            for one in answer.samples:
                port = Port(name, one.interface)
                samples[port, one.quantity] = (one.time_s, one.value)
        return samples

    def close(self) -> None:
        """Nothing is held between polls."""

    def _all(self) -> tuple[dict[str, Poll], dict[str, str]]:
        """What each agent answers, and why the others do not. Raises SourceError where none
        does."""
        answers: dict[str, Poll] = {}
        silent: dict[str, str] = {}
        with ThreadPoolExecutor(min(AT_ONCE, len(self.agents))) as pool:
            for agent, found in zip(self.agents, pool.map(self._one, self.agents), strict=True):
                if isinstance(found, Poll):
                    answers[agent.name] = found
                else:
                    silent[agent.name] = str(found)
                    if isinstance(found, InputError):  # a secret that is not there: of all agents
                        raise found
        if not answers:
            first = self.agents[0]
            count = f"none of {len(silent)} agents answers, such as " if len(silent) > 1 else ""
            raise SourceError(f"{count}{first.shown} {silent[first.name]}")
        return answers, silent

    def _one(self, agent: Agent) -> Poll | NettwinError:
        try:
            with agent.session() as session:
                return poll(session, self.settings.interface)
        except NettwinError as error:
            return error

    def _note(self, words: str) -> None:
        if words not in self.told:
            self.told.append(words)


def _changes(before: Poll | None, now: Poll) -> Iterator[str]:
    """What is otherwise about a device than at the poll before."""
    if before is None:
        return
    if now.system_name != before.system_name:
        yield (
            f"the device is now called {now.system_name} (sysName), {before.system_name} before:"
            " check that it is the same"
        )
    if now.uptime_s < before.uptime_s:
        yield "the device began anew"
    moved = [name for name, i in now.index.items() if before.index.get(name, i) != i]
    if moved:
        one = moved[0]
        yield (
            f"{len(moved)} ports have another index than before, such as {one}"
            f" ({before.index[one]}, now {now.index[one]}): they are known by their names"
        )
    gone = sorted(set(before.index) - set(now.index))
    new = sorted(set(now.index) - set(before.index))
    if gone:
        yield f"ports that are no longer there: {', '.join(gone[:5])}"
    if new:
        yield f"ports that are new: {', '.join(new[:5])}"


def _address(text: str) -> tuple[str, int]:
    """Host and port. Raises InputError."""
    host, colon, port = text.rpartition(":")
    if not colon or (":" in host.strip("[]") and not text.startswith("[")):
        return text.strip("[]"), PORT  # also an IPv6 address alone
    if text.endswith("]"):
        return text.strip("[]"), PORT
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise InputError(
            f"the address {text!r} of an agent must be such as 10.0.0.1 or 10.0.0.1:1161. Correct"
            " it."
        )
    return host.strip("[]"), int(port)


SNMP = SourceChoice(
    "snmp",
    "SNMP agents (v2c, v3) that are polled: octets, drops, errors, speed and state of ports",
    Snmp,
    Quality(
        tests_connection=True,
        declares_units=True,
        documented=True,
        says_outage=True,
        tried_on="snmpd 5.9.3",
    ),
    missing=lacking,
)
