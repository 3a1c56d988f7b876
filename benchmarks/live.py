"""Live networks: what the benchmarks of the loop share."""

from __future__ import annotations

from pathlib import Path

from nettwin.apps.loop.loop import Loop, Parts
from nettwin.interfaces.wiring import engine
from nettwin.optimize.stop import Seconds, Stop
from nettwin.physical.network import Network
from nettwin.scenario.generate import generate
from nettwin.scenario.scenario import Scenario
from nettwin.workspace.workspace import Workspace, begin

INTENT = """\
intent: no link above its limit
minimize: [changes, offered_load]
expect:
  - {measure: offered_load, at_most: 80 %}
change: {with: [segments]}
"""
VERIFIER = {"precision": 0.05, "max_packets": 400_000}


def nsfnet(load: float = 0.85) -> Scenario:
    """NSFNET with three classes under strict priority, as busy as it is at the peak of the day."""
    return generate("nsfnet", load=load, classes="three", scheduler="sp")


def workspace(
    folder: Path, network: Scenario, kind: str = "simulated", **settings: object
) -> Workspace:
    """A workspace of a network whose loop may apply by itself, with some settings of nettwin.toml
    set."""
    return begin(folder, network, INTENT, kind=kind, auto=True, settings=settings)


def loop(
    place: Workspace, network: Network, *, verify: bool = True, stop: Stop | None = None
) -> Loop:
    """The loop of a workspace."""
    settings = place.settings
    return Loop(
        Parts(
            network=network,
            intent=place.intent,
            model=engine("theory"),
            verifier=engine("packet", **VERIFIER) if verify else None,
            repository=place.repository,
            audit=place.audit,
            approvals=place.approvals,
            state_file=place.state_file,
            settings=settings.loop,
            policy=settings.policy,
            stop=stop or Seconds(1.0),
        )
    )
