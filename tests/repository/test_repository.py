"""The data repository: nothing acknowledged is lost, what is damaged is said."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from nettwin.errors import BusyError, FormatError, InputError
from nettwin.metrics import Metrics, Table
from nettwin.observation import Observation
from nettwin.repository.audit import AuditLog
from nettwin.repository.repository import Repository
from nettwin.repository.tables import Document, micros
from nettwin.scenario.changes import FailLink, SetPath, SetWeight
from nettwin.scenario.generate import generate
from nettwin.scenario.scenario import Scenario

BEGIN_S = 1767614400.0


def observation(number: int, scenario: Scenario | None = None) -> Observation:
    """Any observation, which tells its number."""
    scenario = scenario or generate("ring", nodes=4, load=0.5, classes="three", scheduler="wfq")
    random = np.random.default_rng(number)
    flows = scenario.traffic.flow_count
    delay = np.where(random.random(flows) < 0.1, np.nan, random.random(flows))
    flow = Table({"owd_mean_s": delay}, {"owd_mean_s": delay * 0.9}, {"owd_mean_s": delay * 1.1})
    link = Table({"utilization": random.random(scenario.topology.link_count)})
    traffic = scenario.traffic.with_arrays(flow_rate_bps=random.random(flows) * 1e6)
    scenario = scenario.with_(traffic=traffic)
    metrics = Metrics(flow, link, Table({}), method="measured", engine="test")
    return Observation(BEGIN_S + 60 * number, 60.0, scenario, metrics)


def test_observations_come_back_to_the_last_bit(tmp_path: Path) -> None:
    """Also those of a network that was configured otherwise later."""
    kept = Repository(tmp_path)
    whole = generate("ring", nodes=4, load=0.5, classes="three", scheduler="wfq")
    other = SetWeight("N1->N2", 7.5).apply(FailLink("N1<->N2").apply(whole))
    steered = SetPath("N1->N3/voice", ({"via": ["N4"]},)).apply(whole)
    seen = [observation(k, s) for k, s in enumerate((whole, other, steered, whole))]
    with kept.writing():
        for one in seen:
            assert kept.observed(one) > 0
    again = Repository(tmp_path)
    assert again.times_s() == pytest.approx([one.time_s for one in seen])
    for one in seen:
        back = again.observation(one.time_s + 59.9)
        assert back.time_s == one.time_s
        assert back.scenario.fingerprint() == one.scenario.fingerprint()
        assert back.interval_s == 60
        for side in ("columns", "low", "high"):
            was, now = getattr(one.metrics.flow, side), getattr(back.metrics.flow, side)
            assert np.array_equal(was["owd_mean_s"], now["owd_mean_s"], equal_nan=True)
    times, values = again.series("link/N1->N2/utilization")
    assert times == pytest.approx([one.time_s for one in seen])
    assert values == pytest.approx([one.metrics.link["utilization"][0] for one in seen])
    with pytest.raises(InputError, match="nothing was observed"):
        again.as_of(BEGIN_S - 1)


def test_days_are_put_together_and_nothing_changes(tmp_path: Path) -> None:
    kept = Repository(tmp_path)
    scenario = generate("ring", nodes=3, load=0.5)
    with kept.writing():
        for k in range(70):
            kept.observed(observation(k, scenario))
    assert len(kept.store.parts("observations")) < 10
    assert len(kept.times_s()) == 70
    middle = observation(30, scenario)
    assert kept.as_of(middle.time_s).fingerprint() == middle.scenario.fingerprint()


def test_a_process_that_died_while_it_put_files_together(tmp_path: Path) -> None:
    """The wide file is there, and those that it covers are too: each row counts once."""
    kept = Repository(tmp_path)
    with kept.writing():
        for k in range(5):
            kept.observed(observation(k))
        old = {p.path: p.path.read_bytes() for p in kept.store.parts("observations")}
        kept.store.compact("observations", "day=2026-01-05")
        (one,) = kept.store.parts("observations")
        rows = kept.store.ask("SELECT count(*) AS n FROM observations", ["observations"])
        for path, content in old.items():
            path.write_bytes(content)
        assert kept.store.parts("observations") == [one]
        again = Repository(tmp_path)
        assert again.store.ask("SELECT count(*) AS n FROM observations", ["observations"]) == rows
        again.observed(observation(9))
    assert len(again.times_s()) == 6


@pytest.mark.parametrize("damage", ["cut", "empty", "flip"])
def test_torn_and_altered_files_are_found_and_left_out(tmp_path: Path, damage: str) -> None:
    kept = Repository(tmp_path)
    with kept.writing():
        for k in range(3):
            kept.observed(observation(k))
    path = kept.store.parts("observations")[1].path
    content = bytearray(path.read_bytes())
    if damage == "cut":
        content = content[: len(content) // 2]
    elif damage == "empty":
        content = bytearray()
    else:
        content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))
    again = Repository(tmp_path)
    (told,) = again.store.damaged()
    assert str(path) in told
    assert "restore it" in told
    assert again.times_s() == pytest.approx([BEGIN_S, BEGIN_S + 120])


def test_one_writer_and_many_readers(tmp_path: Path) -> None:
    kept = Repository(tmp_path)
    with kept.writing("the loop"):
        kept.observed(observation(0))
        with pytest.raises(BusyError, match=r"in use by the loop \(process \d+\)"):
            Repository(tmp_path).writing().__enter__()
        assert len(Repository(tmp_path).times_s()) == 1
    with Repository(tmp_path).writing():
        pass


def test_records_by_kind_and_name(tmp_path: Path) -> None:
    kept = Repository(tmp_path)
    with kept.writing():
        kept.keep(Document(BEGIN_S, "plan", "a", '{"n": 1}'))
        kept.keep(Document(BEGIN_S + 1, "plan", "a", '{"n": 2}'), Document(BEGIN_S, "x", "b", "{}"))
    assert kept.last("plan", "a") == {"n": 2}
    assert kept.last("plan", "c") is None
    assert [one.id for one in kept.records()] == ["a", "b", "a"]


def test_records_of_one_moment_keep_their_order(tmp_path: Path) -> None:
    """A plan that is applied and undone in one interval was undone last."""
    kept = Repository(tmp_path)
    with kept.writing():
        for number in range(200):  # more than a day's files, so that some are put together
            kept.keep(Document(BEGIN_S, "fate", "plan", str(number)))
    found = [one.document for one in Repository(tmp_path).records("fate")]
    assert found == [str(number) for number in range(200)]


def test_killed_at_random_no_acknowledged_row_is_lost(tmp_path: Path) -> None:
    """A few of the 200 kills of `python -m benchmarks crash`."""
    code = f"""
from pathlib import Path
from nettwin.repository.repository import Repository
from tests.repository.test_repository import observation
kept = Repository(Path({str(tmp_path)!r}))
with kept.writing():
    for k in range(len(kept.times_s()), 10000):
        kept.observed(observation(k))
        print(k, flush=True)
"""
    chance = random.Random(1)
    acknowledged = -1
    for _ in range(3):
        child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        first = child.stdout.readline()
        time.sleep(chance.random() * 0.3)
        os.kill(child.pid, signal.SIGKILL)
        lines = [first, *child.stdout.readlines()]
        child.wait()
        child.stdout.close()
        acknowledged = max([acknowledged, *(int(line) for line in lines if line.endswith("\n"))])
        times = Repository(tmp_path).times_s()
        assert len(times) > acknowledged
        assert times == pytest.approx(BEGIN_S + 60 * np.arange(len(times)))
    assert Repository(tmp_path).store.damaged() == []


@pytest.fixture
def log(tmp_path: Path) -> AuditLog:
    made = AuditLog(tmp_path / "audit", tmp_path / "head")
    for number in range(4):
        made.add(float(number), "apply", "ada", words=f"plan {number}")
    return made


def test_the_audit_log_is_read_back(log: AuditLog) -> None:
    assert [entry.details["words"] for entry in log.entries()] == [f"plan {k}" for k in range(4)]
    assert log.issues() == []


@pytest.mark.parametrize(
    ("edit", "told"),
    [
        (lambda lines: lines[:3], "line 4: is missing: the log had 4 entries"),
        (lambda lines: lines[:1], "line 2: is missing"),
        (lambda lines: [lines[0], *lines[2:]], "line 2: does not follow"),
        (lambda lines: [lines[1], lines[0], *lines[2:]], "line 1: does not follow"),
        (
            lambda lines: [*lines[:2], lines[2].replace("ada", "eve"), lines[3]],
            "line 4: does not follow",
        ),
        (lambda lines: [*lines[:3], lines[3].replace("ada", "eve")], "line 4: is not the one"),
        (lambda lines: [*lines[:2], "nothing\n", lines[3]], "line 3: is not an entry"),
    ],
)
def test_every_alteration_of_the_audit_log_shows(log: AuditLog, edit: object, told: str) -> None:
    lines = log.path.read_text().splitlines(keepends=True)
    log.path.write_text("".join(edit(lines)))  # type: ignore[operator]
    again = AuditLog(log.path.parent, log.head)
    (issue,) = again.issues()
    assert told in issue
    with pytest.raises(FormatError):
        again.add(9.0, "apply", "ada")


def test_a_line_whose_writer_died_is_removed(log: AuditLog) -> None:
    with log.path.open("a") as file:
        file.write('{"number": 5, "ti')
    again = AuditLog(log.path.parent, log.head)
    assert again.issues() == []
    assert again.add(9.0, "apply", "ada").number == 5


def test_a_head_one_entry_behind_is_of_a_process_that_died(log: AuditLog) -> None:
    head = log.head.read_text()
    log.add(9.0, "apply", "ada")
    log.head.write_text(head)
    again = AuditLog(log.path.parent, log.head)
    assert again.issues() == []
    assert again.add(10.0, "apply", "ada").number == 6


def test_times_are_those_of_the_files_that_are_there(tmp_path: Path) -> None:
    """They are remembered by file; appends, compaction and other writers change which there are."""
    mine, other = Repository(tmp_path), Repository(tmp_path)

    def append(*times: float) -> None:
        columns = {
            "time": [micros(time) for time in times],
            "series": ["link/A->B/utilization"] * len(times),
            "value": [0.5] * len(times),
        }
        other.store.append("observations", times[0], columns)

    assert mine.times_s().tolist() == []
    append(1767225600.0, 1767225660.0, 1767225660.0)
    assert mine.times_s().tolist() == [1767225600.0, 1767225660.0]
    append(1767225720.0)
    append(1767225600.0)
    expected = [1767225600.0, 1767225660.0, 1767225720.0]
    assert mine.times_s().tolist() == expected
    (day,) = other.store.days("observations")
    other.store.compact("observations", day)
    assert mine.times_s().tolist() == expected
    other.store.retire("observations", day)
    assert mine.times_s().tolist() == []
