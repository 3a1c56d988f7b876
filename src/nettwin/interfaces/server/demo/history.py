"""History: the two weeks before the demo begins, simulated by packets, as a data repository."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from nettwin import units
from nettwin.errors import InputError
from nettwin.interfaces.server.demo import scene
from nettwin.metrics import Metrics, Table
from nettwin.observation import Observation
from nettwin.physical.network import Event
from nettwin.physical.simulated.network import Simulated, SimulatedNetwork
from nettwin.repository.repository import Repository
from nettwin.scenario.changes import Change, FailLink, RestoreLink

FLOW = ("owd_mean_s", "loss_ratio")
LINK = ("utilization", "loss_ratio")
# hours after the beginning: what a history worth looking at has
EVENTS: tuple[tuple[float, Change], ...] = (
    (81.0, FailLink("Salt Lake City<->Ann Arbor")),
    (85.5, RestoreLink("Salt Lake City<->Ann Arbor")),
    (260.0, FailLink("Houston<->College Park")),
    (263.0, RestoreLink("Houston<->College Park")),
)


def write_history(
    folder: Path, progress: Callable[[float], None] = lambda share: None, intervals: int = 0
) -> int:
    """Simulate the weeks into a folder that is new or empty; the number of intervals. Raises
    InputError."""
    if folder.exists() and any(folder.iterdir()):
        raise InputError(f"{folder} is not empty. Give another folder.")
    live_s = units.moment_s(scene.START)
    count = intervals or round((live_s - scene.BEGIN_S) / scene.STEP_S)
    own: dict[str, Any] = {"interval_s": scene.STEP_S, "simulated_s": 0.6}
    settings = Simulated.of({**own, "start": scene.BEGIN})
    network = SimulatedNetwork(scene.network(), folder / "network", settings)
    repository = Repository(folder / "past", relative_error=0.001)
    coming = list(EVENTS)
    with repository.writing("nettwin demo history"):
        for k in range(count):
            while coming and k * scene.STEP_S >= coming[0][0] * 3600:
                network.inject(Event(coming.pop(0)[1]))
            repository.observed(_thin(network.observe()))
            progress((k + 1) / count)
        for table in ("observations", "records"):
            for day in repository.store.days(table):
                repository.store.compact(table, day)
    return count


def _thin(seen: Observation) -> Observation:
    """What is worth keeping for two weeks: loads, delays and losses, without bounds."""
    metrics: Metrics = seen.metrics
    kept = replace(
        metrics,
        flow=_only(metrics.flow, FLOW),
        link=_only(metrics.link, LINK),
        queue=Table({}),
    )
    return replace(seen, metrics=kept)


def _only(table: Table, names: tuple[str, ...]) -> Table:
    return Table({name: table[name].astype("float32").astype("float64") for name in names})
