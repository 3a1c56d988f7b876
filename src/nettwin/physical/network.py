"""Network: the contract of networks that are watched and steered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from nettwin.change_plan import ChangePlan
from nettwin.observation import Observation
from nettwin.physical.journal import Receipt
from nettwin.scenario.changes import Change
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.topology import Topology


@dataclass(frozen=True)
class Event:
    """Something that happens to a network. One that is not `told` changes how the network behaves,
    and not what it says of itself: a queue that is set up otherwise than its router says."""

    change: Change
    told: bool = True


@runtime_checkable
class Network(Protocol):
    """A network that is watched and steered.

    Whatever it cannot do it refuses with a NetworkError.
    """

    name: str

    def topology(self) -> Topology:
        """The nodes and links as the network tells them now: which are up, capacities, weights."""

    def configured(self) -> Scenario:
        """What its devices have now, read back from them: topology, schedulers and routing, with
        the rates that flows offered when they were last measured."""

    def observe(self) -> Observation:
        """The next interval of the network's time, measured; returns when it is over."""

    def apply(
        self, plan: ChangePlan, key: str = "", *, confirm_within_s: float | None = None
    ) -> Receipt:
        """Make a plan's changes in their order, each checked until routes are stable.

        A second call with one key changes nothing and gives the first receipt. With
        `confirm_within_s` all of it is undone after so much of the network's time, unless
        `confirm` is called. Raises ApplyError where a change fails: those made are undone.
        """

    def receipt(self, key: str) -> Receipt | None:
        """What is known of the plan that was applied under a key; None where none was."""

    def confirm(self, receipt: Receipt) -> Receipt:
        """Keep what a receipt stands for. Raises NetworkError where it was undone already."""

    def undo(self, receipt: Receipt) -> Receipt:
        """Take back what a receipt stands for; a second call changes nothing."""

    def recover(self) -> list[Receipt]:
        """Take back what a process that died had begun to apply and not finished."""

    def drift(self) -> list[str]:
        """What of the plans that were applied the devices no longer have, one sentence each."""

    def inject(self, event: Event) -> None:
        """Let something happen to the network now."""

    def close(self) -> None:
        """Leave the network; what runs on this machine for it ends, its configuration stays."""


@dataclass(frozen=True)
class Opening:
    """What a network is opened with: a folder for what it must remember, the network as it was
    planned, and the settings that stand in its part of a workspace."""

    folder: Path
    plan: Scenario
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class NetworkChoice:
    """A kind of network as people choose it: its name, what it is, and how it is opened.

    `missing` says what this machine lacks for it; empty where it runs here.
    """

    name: str
    title: str
    open: Callable[[Opening], Network]
    missing: Callable[[], str] = lambda: ""
