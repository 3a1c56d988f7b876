"""Jobs: they outlive the server, are cancelled, and never take it with them."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from nettwin.errors import BusyError, FormatError, UnknownNameError
from nettwin.interfaces.server.jobs.job import Job
from nettwin.interfaces.server.jobs.jobs import Jobs
from nettwin.interfaces.server.jobs.store import JobStore
from nettwin.interfaces.server.limits import Limits
from tests import live

QUICK = {"network": "plan", "engine": "theory"}
LONG = {"network": "plan", "intent": "workspace", "seconds": 60.0, "method": "local_search"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return live.workspace(tmp_path_factory.mktemp("jobs") / "twin").folder


@contextmanager
def working(folder: Path, limits: Limits | None = None) -> Iterator[Jobs]:
    jobs = Jobs(folder, limits, warm="")
    jobs.begin()
    try:
        yield jobs
    finally:
        jobs.close()


def until_it_runs(jobs: Jobs, id: str) -> Job:
    end = time.monotonic() + 60
    while (job := jobs.find(id)).state == "queued" and time.monotonic() < end:
        time.sleep(0.02)
    assert job.state == "running", job
    return job


def children() -> set[int]:
    return {
        int(pid)
        for pid in Path("/proc/self/task").glob("*/children")
        for pid in pid.read_text().split()
    }


def test_a_long_job_keeps_no_quick_one_waiting(folder: Path) -> None:
    with working(folder) as jobs:
        long = jobs.submit("optimize", LONG | {"seed": 1}, "ada")
        until_it_runs(jobs, long.id)
        waits = jobs.submit("failures", QUICK | {"kinds": ["link"], "seed": 1}, "ada")
        quick = jobs.submit("predict", QUICK | {"seed": 1}, "ada")
        assert jobs.wait(quick.id, 60).state == "done"
        assert jobs.find(long.id).state == "running"
        assert jobs.cancel(waits.id).state == "cancelled"
        jobs.cancel(long.id)
        ended = jobs.wait(long.id, 30)
        assert (ended.state, ended.progress) == ("done", 1.0)  # with the best so far
        assert b'"command": "optimize"' in jobs.answer(ended)


def test_jobs_go_on_after_the_server_ended(folder: Path) -> None:
    with working(folder) as jobs:
        running = jobs.submit("optimize", LONG | {"seed": 2}, "ada")
        until_it_runs(jobs, running.id)
        queued = jobs.submit("optimize", LONG | {"seed": 3, "seconds": 0.2}, "ada")
    before = JobStore(folder / "jobs")
    assert before.find(running.id).state == "running"  # type: ignore[union-attr]
    assert before.find(queued.id).state == "queued"  # type: ignore[union-attr]
    before.close()
    with working(folder) as jobs:
        assert until_it_runs(jobs, running.id).attempts == 2
        jobs.cancel(running.id)
        assert jobs.wait(running.id, 60).state == "done"
        assert jobs.wait(queued.id, 60).state == "done"


def test_a_job_that_was_cut_short_twice_says_so(folder: Path) -> None:
    store = JobStore(folder / "jobs")
    store.keep(Job("feed", "optimize", LONG | {"seed": 4}, "ada", 1.0, "running", 1.0, attempts=2))
    store.close()
    with working(folder) as jobs:
        job = jobs.find("feed")
        assert job.state == "interrupted"
        assert job.problem is not None
        assert job.problem["remedy"] == "Ask again."


def test_a_worker_that_dies_is_replaced_and_its_job_done_again(folder: Path) -> None:
    with working(folder) as jobs:
        job = jobs.submit("optimize", LONG | {"seed": 5, "seconds": 2.0}, "ada")
        until_it_runs(jobs, job.id)
        time.sleep(0.3)
        for pid in children():
            if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes():
                os.kill(pid, signal.SIGKILL)
        ended = jobs.wait(job.id, 60)
        assert (ended.state, ended.attempts) == ("done", 2)


def test_a_job_that_takes_too_long_is_ended(folder: Path) -> None:
    with working(folder, Limits(job_s=0.5)) as jobs:
        job = jobs.submit("optimize", LONG | {"seed": 6}, "ada")
        ended = jobs.wait(job.id, 60)
        assert ended.state == "failed"
        assert ended.problem is not None
        assert "0 s, the longest" in str(ended.problem["detail"])


def test_a_failed_job_tells_its_problem_and_is_asked_again(folder: Path) -> None:
    with working(folder) as jobs:
        job = jobs.wait(jobs.submit("predict", {"network": "n000000000000"}, "ada").id, 60)
        assert (job.state, job.problem and job.problem["status"]) == ("failed", 404)
        again = jobs.submit("predict", {"network": "n000000000000"}, "ada")
        assert again.id != job.id  # what failed answers nothing


def test_jobs_that_are_refused(folder: Path) -> None:
    jobs = Jobs(folder, Limits(queued_jobs=1), warm="")  # nothing begins
    with pytest.raises(UnknownNameError, match='no kind of job "dance"'):
        jobs.submit("dance", {}, "ada")
    first = jobs.submit("predict", QUICK | {"seed": 8}, "ada")
    assert jobs.submit("predict", QUICK | {"seed": 8}, "bob").id == first.id
    with pytest.raises(BusyError, match="1 jobs are waiting"):
        jobs.submit("predict", QUICK | {"seed": 9}, "ada")
    jobs.cancel(first.id)
    jobs.close()


def test_the_store_forgets_the_oldest_and_tells_damage(tmp_path: Path) -> None:
    store = JobStore(tmp_path)
    for k in range(6):
        store.keep(Job(f"j{k}", "predict", {"k": k}, "ada", float(k), "done"))
        store.path(f"j{k}").write_text("{}")
    store.keep(Job("open", "predict", {}, "ada", 0.0))
    store.forget(2)
    assert {job.id for job in store.newest(10)} == {"j5", "j4", "open"}
    assert not store.path("j0").exists()
    store.close()
    (tmp_path / "jobs.sqlite").write_bytes(b"no database" * 1000)
    with pytest.raises(FormatError, match="is no list of jobs"):
        JobStore(tmp_path)
