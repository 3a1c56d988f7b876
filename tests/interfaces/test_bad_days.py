"""Bad days of telemetry, from the source to the history: each is said in plain words, and what is
right is kept."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nettwin.errors import SourceError
from nettwin.scenario.generate import generate
from nettwin.telemetry.registry import SOURCES
from nettwin.telemetry.source import SourceChoice
from nettwin.workspace.workspace import Workspace, begin
from tests.interfaces.conftest import Run
from tests.telemetry.agent import agent, ports

BEGIN_S, STEP_S, COUNT = 1_767_571_200, 60, 31
RATE_BPS = {
    "N1->N2": 8e6,
    "N2->N1": 4e6,
    "N2->N3": 2e6,
    "N3->N2": 1e6,
    "N1->N3": 5e6,
    "N3->N1": 6e6,
}
FILE = (
    "source: csv\npath: '*.csv'\ninterval: 1min\n"
    "quantities: {out_octets: sent, in_octets: received}\n"
)


@pytest.fixture
def twin(tmp_path: Path) -> Workspace:
    (tmp_path / "source.yaml").write_text(FILE)
    return begin(tmp_path / "twin", generate("ring", nodes=3, capacity_bps=1e8))


def rows(times: Any = None, **device: str) -> list[str]:
    """Counters of all ports; the time of each sample as `times` writes it. `device` renames."""
    made = []
    for k in range(COUNT):
        at = BEGIN_S + k * STEP_S
        for link, rate in RATE_BPS.items():
            source, _, target = link.partition("->")
            sent = int(rate * k * STEP_S / 8)
            received = int(RATE_BPS[f"{target}->{source}"] * k * STEP_S / 8)
            name = device.get(source, source) if k >= COUNT // 2 else source
            made.append(f"{times(at) if times else at},{name},{link},{sent},{received}")
    return made


def write(folder: Path, lines: list[str], name: str = "a.csv") -> None:
    text = "\n".join(["time,device,interface,sent,received", *lines])
    (folder / name).write_text(text + "\n")


def collected(run: Run, twin: Workspace) -> dict[str, Any]:
    done = run("data", "collect", "source.yaml", "-w", twin.folder, "--json")
    assert done.code == 0, done.err
    found = json.loads(done.out)
    found["kind"] = {one["kind"]: one for one in found["kinds"]}
    return found  # type: ignore[no-any-return]


def right(twin: Workspace, *but: str) -> None:
    """Every interval that the history has of each link has the true rate."""
    for link, rate in RATE_BPS.items():
        _, rates = twin.repository.series(f"link/{link}/throughput_bps")
        assert link in but or len(rates) >= COUNT - 2
        np.testing.assert_allclose(rates, rate, rtol=0.01)


def test_a_good_day(run: Run, tmp_path: Path, twin: Workspace) -> None:
    write(tmp_path, rows())
    assert not collected(run, twin)["kinds"]
    right(twin)


def test_the_same_file_twice(run: Run, tmp_path: Path, twin: Workspace) -> None:
    write(tmp_path, rows())
    shutil.copy(tmp_path / "a.csv", tmp_path / "copy of a.csv")
    found = collected(run, twin)
    assert set(found["kind"]) == {"late", "duplicate"}
    assert found["kind"]["duplicate"]["times"] == 12 * COUNT
    right(twin)


def test_data_that_comes_late_replaces_what_was_not_known(
    run: Run, tmp_path: Path, twin: Workspace
) -> None:
    """Half an hour of one router comes after the rest was collected."""
    late = [line for line in rows() if ",N1," in line]
    write(tmp_path, [line for line in rows() if line not in late and ",N3," not in line])
    collected(run, twin)
    _, before = twin.repository.series("link/N1->N3/throughput_bps")
    assert not len(before)
    write(tmp_path, late, "late.csv")
    collected(run, twin)
    _, after = twin.repository.series("link/N1->N3/throughput_bps")
    np.testing.assert_allclose(after, RATE_BPS["N1->N3"], rtol=0.01)
    right(twin, "N3->N1", "N3->N2", "N2->N3", "N1->N3")


def test_garbage_among_the_samples(run: Run, tmp_path: Path, twin: Workspace) -> None:
    lines = rows()
    lines[30] = "yesterday,N1,N1->N2,1,2"
    lines[60] = f"{BEGIN_S + 600},N1,N1->N2,many,<html>"
    lines[61] = f"{BEGIN_S + 600},N2,N2->N1,-5,-5"
    write(tmp_path, lines)
    found = collected(run, twin)
    assert "garbage" in found["kind"]
    assert found["ignored"] == ["a.csv: 1 rows whose time cannot be read"]
    right(twin)


def test_a_device_that_is_renamed(run: Run, tmp_path: Path, twin: Workspace) -> None:
    """Its new name is no node: it is said with what it may be; the far ends stand in."""
    write(tmp_path, rows(N2="N2x"))
    found = collected(run, twin)
    assert found["kind"]["unmatched"]["places"] == 2
    told = [one["detail"] for one in found["findings"] if one["kind"] == "unmatched"]
    assert told[0].startswith("N2x is no node; near: N2")
    right(twin, "N2->N1", "N2->N3")
    after = str(BEGIN_S + STEP_S * (COUNT // 2 + 1) + 700)
    mapped = run("data", "map", "source.yaml", "-w", twin.folder, "--since", after, "--json")
    names = {one["device"]: one["stands_for"] for one in json.loads(mapped.out)["proposals"]}
    assert names == {"N2x": "N2"}
    text = FILE + "devices: {N2x: N2}\n"
    (tmp_path / "source.yaml").write_text(text)
    assert not collected(run, twin)["kind"]
    right(twin)


@pytest.mark.parametrize("day", ["2026-10-25", "2026-03-29"])
def test_daylight_saving(run: Run, tmp_path: Path, twin: Workspace, day: str) -> None:
    """Local times of the night in which clocks change: no rate is wrong; the hour that is there
    twice is left out, and said; the one that is skipped is no gap."""
    import pandas as pd

    zone = "Europe/Berlin"
    night = pd.Timestamp(f"{day} 00:30", tz=zone).timestamp()
    lines = []
    for k in range(0, 6 * 60, 5):
        local = pd.Timestamp(night + 60 * k, unit="s", tz="UTC").tz_convert(zone)
        for link, rate in RATE_BPS.items():
            octets = int(rate * 60 * k / 8)
            lines.append(f"{local:%Y-%m-%d %H:%M:%S},{link[:2]},{link},{octets},")
    write(tmp_path, lines)
    (tmp_path / "source.yaml").write_text(
        FILE.replace("1min", "5min").replace(", in_octets: received", "") + f"timezone: {zone}\n"
    )
    found = collected(run, twin)
    times, rates = twin.repository.series("link/N1->N2/throughput_bps")
    np.testing.assert_allclose(rates, RATE_BPS["N1->N2"], rtol=0.01)
    if day == "2026-03-29":
        assert not found["kinds"] and not found["ignored"]
        assert (np.diff(times) == 300).all()
        assert len(times) == 71
    else:
        assert "hour that a clock set back has twice" in found["ignored"][0]
        assert found["kind"]["gap"]["places"] == 6
        assert len(times) == 71 - 25  # two hours, and the intervals at their ends


def test_a_source_that_goes_down_and_comes_back(
    run: Run, tmp_path: Path, twin: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Polls that fail are told; the others are kept, also by the run after."""
    pytest.importorskip("gufo.snmp")
    monkeypatch.setenv("COMMUNITY", "public")
    begin_s = time.time()

    def answer() -> Any:
        return ports({1: "N1->N2"}, {"N1->N2": int((time.time() - begin_s) * 1e6)})

    with agent(answer) as address:
        (tmp_path / "snmp.yaml").write_text(
            f"source: snmp\nagents: {{N1: '{address}'}}\ncommunity: env:COMMUNITY\nevery: 300ms\n"
        )
        choice = SOURCES["snmp"]
        polls = iter([False, False, True, True, False, False, False, False])

        def opened(opening: Any) -> Any:
            source: Any = choice.open(opening)
            honest = source.poll

            def poll() -> Any:
                if next(polls):
                    raise SourceError("N1 does not answer. Check its address.")
                return honest()

            source.poll = poll
            return source

        shy = SourceChoice("snmp", choice.title, opened, choice.quality)
        monkeypatch.setitem(SOURCES, "snmp", shy)
        done = run("data", "collect", "snmp.yaml", "-w", twin.folder, "--for", "1.7s", "--json")
    assert done.code == 0, done.err
    told = json.loads(done.out)["ignored"]
    assert told == ["2 of 6 polls failed, the last: N1 does not answer. Check its address."]
    _, rates = twin.repository.series("link/N1->N2/throughput_bps")
    assert len(rates) >= 3
    assert rates.mean() == pytest.approx(8e6, rel=0.3)
    monkeypatch.setitem(SOURCES, "snmp", choice)
    down = run("data", "collect", "snmp.yaml", "-w", twin.folder)
    assert down.code == 2 and "does not answer" in down.err
    assert len(twin.repository.series("link/N1->N2/throughput_bps")[1]) >= len(rates)
