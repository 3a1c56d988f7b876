"""A small network with a workspace, for tests of what works on live ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nettwin.apps.loop.loop import Loop, Parts, Told
from nettwin.engines.theory import Theory
from nettwin.optimize.stop import Steps
from nettwin.physical.network import Network, Opening
from nettwin.physical.simulated.network import Simulated, SimulatedNetwork
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.topology import Link, Topology
from nettwin.scenario.traffic import Flow, Traffic
from nettwin.workspace.workspace import Workspace, begin

INTENT = """\
intent: no link above its limit
minimize: [changes, offered_load]
expect:
  - {measure: offered_load, at_most: 70 %}
  - {measure: delay, reduce: mean, at_most: 15 ms}
change:
  with: [segments]
"""
FAST = {  # of a workspace whose loop is quick
    "simulated_s": 0.2,
    "error": 0.02,
    "trough": 1.0,
    "wander": 0.0,
    "verify": "none",
    "seconds": 0.1,
    "method": "local_search",
}
SETTINGS = {"interval_s": 60, "simulated_s": 0.2, "convergence_s": 0.05, "wander": 0.0}


def square() -> Scenario:
    """Six nodes: two paths from A to D, of which the shorter one takes all. When C<->D fails all of
    it goes over B, and can be split with F."""
    links = [
        Link("A", "C", 10e6, 2e-3),
        Link("C", "D", 10e6, 2e-3),
        Link("A", "B", 10e6, 2e-3, 2.0),
        Link("B", "D", 10e6, 2e-3, 2.0),
        Link("A", "F", 10e6, 3e-3, 3.0),
        Link("F", "D", 10e6, 3e-3, 3.0),
    ]
    topology = Topology.build("ABCDF", links, duplex=True)
    flows = [Flow("A", "D", 2.5e6, name="one"), Flow("A", "D", 2.5e6, name="two")]
    flows += [Flow("A", "B", 4e6), Flow("D", "A", 1e6), Flow("A", "C", 1e6), Flow("F", "D", 1e6)]
    return Scenario(topology, Traffic.build(topology, flows), name="square")


def workspace(folder: Path, intent: str = INTENT, *, auto: bool = True) -> Workspace:
    """A workspace of the square whose load does not change over the day."""
    return begin(folder, square(), intent, auto=auto, settings=FAST)


def network(folder: Path, **settings: Any) -> SimulatedNetwork:
    """The square, simulated."""
    opening = Opening(folder, square(), {**SETTINGS, "trough": 1.0, **settings})
    return SimulatedNetwork(opening.plan, opening.folder, Simulated.of(opening.settings))


def loop(place: Workspace, network: Network, told: list[Told] | None = None, **parts: Any) -> Loop:
    """The loop of a workspace over a network that is open."""
    settings = place.settings
    return Loop(
        Parts(
            **{
                "network": network,
                "intent": place.intent,
                "model": Theory(),
                "verifier": None,
                "repository": place.repository,
                "audit": place.audit,
                "approvals": place.approvals,
                "state_file": place.state_file,
                "settings": settings.loop,
                "policy": settings.policy,
                "stop": Steps(2000),
                "tell": (told if told is not None else []).append,
                **parts,
            }
        )
    )
