"""nettwin data: telemetry from a source to a table."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nettwin.scenario.generate import generate
from nettwin.workspace.workspace import Workspace, begin
from tests.interfaces.conftest import Run
from tests.telemetry.recorded import PROMETHEUS, prometheus, serving

END_S = PROMETHEUS["end_s"]
TIMES = ("--since", str(END_S - 24), "--until", str(END_S))


@pytest.fixture
def twin(tmp_path: Path) -> Workspace:
    return begin(tmp_path / "twin", generate("nsfnet", load=0.5))


def test_a_prometheus_becomes_history(run: Run, tmp_path: Path, twin: Workspace) -> None:
    """Octets of the history are those that the routers counted: to the last one."""
    file = tmp_path / "source.yaml"
    with serving(prometheus) as url:
        file.write_text(f"source: prometheus\nurl: {url}\ninterval: 2s\n")
        checked = json.loads(run("data", "check", file, "-w", twin.folder, *TIMES, "--json").out)
        collected = run("data", "collect", file, "-w", twin.folder, *TIMES, "--json")
    done = json.loads(collected.out)
    assert done["intervals"] == checked["intervals"] == 10
    assert {one["kind"] for one in checked["kinds"]} == {"repeat", "silent"}
    assert checked["links_known"] == 12  # of the three routers, and to them
    told = json.loads(run("data", "links", "-w", twin.folder, "--json").out)
    link = next(one for one in told["links"] if one["link"] == "Palo Alto->Seattle")
    values = PROMETHEUS["queries"]["ifHCOutOctets"]["data"]["result"][0]["values"]
    grown = int(values[-1][1]) - int(values[0][1])
    times, rates = twin.repository.series("link/Palo Alto->Seattle/throughput_bps")
    assert len(times) == 10
    assert sum(rates) * 2 / 8 == pytest.approx(grown, rel=0.12)  # whole intervals of the stretch
    assert link["utilization"] == pytest.approx(rates[-1] / 45e6)
    scenario = twin.repository.as_of(END_S)
    assert scenario.topology.link_live.all()


def test_collecting_twice_replaces(run: Run, tmp_path: Path, twin: Workspace) -> None:
    file = tmp_path / "source.yaml"
    with serving(prometheus) as url:
        file.write_text(f"source: prometheus\nurl: {url}\n")
        for _ in range(2):
            assert run("data", "collect", file, "-w", twin.folder, *TIMES).code == 0
    times, _ = twin.repository.series("link/Palo Alto->Seattle/utilization")
    assert len(set(times)) == len(times)


def test_without_a_server_nothing_is_kept(run: Run, tmp_path: Path, twin: Workspace) -> None:
    file = tmp_path / "source.yaml"
    file.write_text("source: prometheus\nurl: http://127.0.0.1:9\n")
    failed = run("data", "collect", file, "-w", twin.folder, *TIMES)
    assert failed.code == 2
    assert "does not answer" in failed.err
    assert not len(twin.repository.times_s())
    assert "nettwin data collect" in run("data", "links", "-w", twin.folder).err


@pytest.mark.parametrize("asked", ["check", "map", "collect"])
def test_a_span_that_ends_before_it_begins_is_refused(
    run: Run, tmp_path: Path, twin: Workspace, asked: str
) -> None:
    file = tmp_path / "source.yaml"
    with serving(prometheus) as url:
        file.write_text(f"source: prometheus\nurl: {url}\ninterval: 2s\n")
        failed = run("data", asked, file, "-w", twin.folder, "--since", str(END_S), *TIMES[2:3],
                     str(END_S - 24))  # fmt: skip
    assert failed.code == 2
    assert "--since must be before --until" in failed.err
    assert not len(twin.repository.times_s())
