"""Events: when the network becomes another one, and what its routers know of it by then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from nettwin.scenario.routing import Routing
from nettwin.scenario.scenario import Scenario

# What of a topology decides on paths, element by element
_LINK_STATE = ("node_up", "link_up", "link_weight")


@dataclass(frozen=True)
class Event:
    """From `time_s` after the warm-up on, the network is another scenario (a Change makes it).

    Routers hear of it `convergence_s` later, and use until then the paths that they chose without
    it; what meets a failed link meanwhile is lost. Each event has its own time of convergence: a
    later one does not tell routers of an earlier one.
    """

    time_s: float
    scenario: Scenario
    convergence_s: float = 0.0

    @property
    def known_s(self) -> float:
        """When routers know of it."""
        return self.time_s + self.convergence_s


def in_time(events: Sequence[Event]) -> list[Event]:
    """Events in the order of their times."""
    return sorted(events, key=lambda event: event.time_s)


def known(start: Scenario, events: Sequence[Event], now_s: float) -> Scenario:
    """The network as routers know it: of `events` (in time) those that have converged by now.

    What an event changes is how its scenario differs from that of the event before it.
    """
    happened = [event for event in events if event.time_s <= now_s]
    if all(event.known_s <= now_s for event in happened):
        return happened[-1].scenario if happened else start
    heard = before = start
    for event in happened:
        if event.known_s <= now_s:
            heard = _with_change(heard, before, event.scenario)
        before = event.scenario
    return heard


def _with_change(scenario: Scenario, before: Scenario, after: Scenario) -> Scenario:
    """A scenario after what differs between two others, as far as paths depend on it."""
    changed = {}
    for name in _LINK_STATE:
        old, new = getattr(before.topology, name), getattr(after.topology, name)
        if not np.array_equal(old, new):
            changed[name] = np.where(old != new, new, getattr(scenario.topology, name))
    return scenario.with_(
        topology=scenario.topology.with_arrays(**changed),
        routing=_with_routing(scenario.routing, before.routing, after.routing),
    )


def _with_routing(routing: Routing, before: Routing, after: Routing) -> Routing:
    if before is after:
        return routing
    steer = dict(routing.steer)
    for flow in {*before.steer, *after.steer}:
        if before.steer.get(flow) != after.steer.get(flow):
            steer.pop(flow, None)
            if flow in after.steer:
                steer[flow] = after.steer[flow]
    same_table = before.next_link is after.next_link or (
        before.next_link is not None
        and after.next_link is not None
        and np.array_equal(before.next_link, after.next_link)
    )
    return replace(
        routing,
        steer=steer,
        ecmp=routing.ecmp if before.ecmp == after.ecmp else after.ecmp,
        next_link=routing.next_link if same_table else after.next_link,
    )
