"""Actuator: the contract of what makes single changes on devices."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from nettwin.scenario.changes import Change
from nettwin.scenario.scenario import Scenario


@runtime_checkable
class Actuator(Protocol):
    """Makes single changes on devices. Every change sets something to a value, so that making it
    twice is making it once.

    All methods raise NetworkError where a device does not answer or refuses.
    """

    name: str

    def refuses(self, change: Change) -> str:
        """Why this change cannot be made here, whatever the network is like now; empty where it
        can."""

    def configured(self, devices: Collection[str] = ()) -> Scenario:
        """What the devices have now; where some are named, what these have now and all others had
        when they were read last."""

    def make(self, change: Change) -> None:
        """Make one change."""

    def settle(self) -> None:
        """Wait until routes are stable after a change."""


@dataclass(frozen=True)
class ActuatorChoice:
    """An actuator that stands for itself, as people choose it: it takes a network as it is now and
    a folder that it may write to."""

    name: str
    title: str
    make: Callable[[Scenario, Path], Actuator]
