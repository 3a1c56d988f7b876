"""Devices of a simulated network: the actuator that makes changes on them."""

from __future__ import annotations

from collections.abc import Callable, Collection

from nettwin.errors import NetworkError
from nettwin.physical.devices import devices_of
from nettwin.physical.network import Event
from nettwin.scenario.changes import Change, SetBuffer, SetPath, SetScheduler, SetWeight
from nettwin.scenario.scenario import Scenario

KINDS = (SetPath, SetWeight, SetScheduler, SetBuffer)


class SimulatedDevices:
    """Routers that take paths, weights, schedulers and buffers; who is down does not answer."""

    name = "simulated"

    def __init__(
        self, configured: Callable[[], Scenario], remember: Callable[[Event], None]
    ) -> None:
        self._configured, self._remember = configured, remember

    def refuses(self, change: Change) -> str:
        if isinstance(change, KINDS):
            return ""
        able = ", ".join(kind.kind for kind in KINDS)
        return f"{change.describe()}: routers here take {able}, and no {change.kind}"

    def configured(self, devices: Collection[str] = ()) -> Scenario:
        return self._configured()

    def make(self, change: Change) -> None:
        now = self._configured()
        for device in devices_of(change, now):
            if not now.topology.node_up[now.topology.node(device)]:
                raise NetworkError(f"router {device} does not answer")
        self._remember(Event(change))

    def settle(self) -> None:
        """Routes follow at once; the time of convergence passes in the next interval."""
