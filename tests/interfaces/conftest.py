"""The command line as tests run it, and an engine whose answers never change."""

from __future__ import annotations

import dataclasses
import os
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from typer.testing import CliRunner

from nettwin.interfaces import wiring
from nettwin.interfaces.cli import app
from nettwin.metrics import Metrics, Table
from nettwin.scenario.scenario import Scenario

COLUMNS = 110


class Ran(NamedTuple):
    code: int
    out: str
    err: str


Run = Callable[..., Ran]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the command line in an empty folder, in this process."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NETTWIN_DEBUG", raising=False)
    monkeypatch.setattr(wiring, "first_start", lambda *_: False)  # whatever this machine has kept

    def run_it(line: str, *more: object, columns: int = COLUMNS) -> Ran:
        words = [*shlex.split(line), *map(str, more)]
        runner = CliRunner(env={"COLUMNS": str(columns), "NO_COLOR": "1"})
        done = runner.invoke(app, words)
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return Ran(done.exit_code, done.stdout, done.stderr)

    return run_it


@pytest.fixture
def net(run: Run) -> Path:
    """net.yaml: four nodes in a ring, three classes."""
    made = run("generate ring --nodes 4 --classes three --scheduler sp --load 90% -o net.yaml")
    assert made == (0, "", "Wrote net.yaml\n")
    return Path("net.yaml")


@dataclasses.dataclass(frozen=True)
class Plain:
    """An engine for tests: delay is propagation and a fixed wait a hop; links lose their excess."""

    name: str = "theory"
    wait_s: float = 1e-3

    def unsupported(self, scenario: Scenario) -> list[str]:
        return ["a link is overloaded"] if (scenario.link_utilization > 1).any() else []

    def predict(self, scenarios: Sequence[Scenario]) -> list[Metrics]:
        return [self._one(scenario) for scenario in scenarios]

    def _one(self, scenario: Scenario) -> Metrics:
        topology, traffic, paths = scenario.topology, scenario.traffic, scenario.paths
        load = scenario.link_utilization
        lost = np.maximum(1 - 1 / np.maximum(load, 1e-9), 0.0)
        hop_delay = topology.link_delay_s[paths.links] + self.wait_s
        path_delay = np.bincount(paths.hop_path, hop_delay, paths.path_count)
        flows = traffic.flow_count
        reached = np.bincount(paths.path_flow, paths.share, flows)
        delay = np.full(flows, np.nan)
        np.divide(
            np.bincount(paths.path_flow, path_delay * paths.share, flows),
            reached,
            out=delay,
            where=reached > 0,
        )
        flow_loss = np.zeros(flows)
        np.maximum.at(flow_loss, paths.hop_flow, lost[paths.links])
        flow_loss[reached == 0] = 1.0
        queues = topology.queues
        return Metrics(
            flow=Table(
                {
                    "owd_mean_s": delay,
                    "owd_p99_s": 2 * delay,
                    "pdv_s2": np.square(delay / 4),
                    "loss_ratio": flow_loss,
                    "throughput_bps": traffic.flow_rate_bps * (1 - flow_loss),
                }
            ),
            link=Table({"utilization": np.minimum(load, 1.0), "loss_ratio": lost}),
            queue=Table(
                {
                    "utilization": np.minimum(load, 1.0)[queues.link] / 3,
                    "delay_mean_s": np.full(len(queues.link), self.wait_s),
                    "loss_ratio": lost[queues.link],
                }
            ),
            method="predicted",
            engine=self.name,
        )


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both engines replaced by ones whose answers never change, and clocks that stand still."""
    for name, wait_s in (("theory", 1e-3), ("packet", 1.1e-3)):

        def make(name: str = name, wait_s: float = wait_s, **_: Any) -> Plain:
            return Plain(name, wait_s)

        choice = dataclasses.replace(wiring.ENGINES[name], make=make, slow=False)
        monkeypatch.setitem(wiring.ENGINES, name, choice)
    for module in ("cli.predict", "cli.simulate"):
        monkeypatch.setattr(f"nettwin.interfaces.{module}.perf_counter", lambda: 0.0)
    monkeypatch.setattr("nettwin.apps.comparison.perf_counter", lambda: 0.0)


@pytest.fixture
def golden() -> Callable[[str, str], None]:
    """Compares a text with tests/interfaces/golden/NAME.txt.

    GOLDEN_REFRESH=1 pytest tests/interfaces/test_golden.py writes the files anew; read the
    difference before committing it.
    """
    folder = Path(__file__).parent / "golden"

    def compare(name: str, text: str) -> None:
        path = folder / f"{name}.txt"
        tidy = "".join(line.rstrip() + "\n" for line in text.splitlines())
        if os.environ.get("GOLDEN_REFRESH"):
            path.write_text(tidy, encoding="utf-8")
        assert tidy == path.read_text(encoding="utf-8")

    return compare
