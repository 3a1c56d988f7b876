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


def workspace(folder: Path, network: Scenario, **settings: object) -> Workspace:
    """A workspace of a simulated network whose loop may apply by itself, with some settings of
    nettwin.toml set."""
    place = begin(folder, network, INTENT, auto=True)
    path = folder / "nettwin.toml"
    lines = []
    for line in path.read_text(encoding="utf-8").split("\n"):
        key = line.partition(" =")[0]
        lines.append(f"{key} = {settings.pop(key)}" if key in settings else line)
    if settings:
        raise KeyError(f"nettwin.toml has no {', '.join(settings)}")
    path.write_text("\n".join(lines), encoding="utf-8")
    return Workspace(place.folder)


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
