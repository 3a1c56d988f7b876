"""Processes: fresh ones, with results in order, through deaths; and how many cores there are."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest
from threadpoolctl import threadpool_info

from nettwin import workers
from nettwin.workers import LostWorkerError, begin_beside, in_order_of_completion, usable_cores


def double(x: int) -> int:
    return 2 * x


def threads(_: int) -> int:
    return max(int(pool["num_threads"]) for pool in threadpool_info())


def refuse(x: int) -> int:
    if x == 3:
        raise ValueError("three")
    return x


def die_once(path: Path) -> str:
    """The first that comes here dies, as for want of memory."""
    try:
        path.unlink()
    except FileNotFoundError:
        return path.name
    os.kill(os.getpid(), signal.SIGKILL)
    return ""


def die(_: int) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_every_piece_once_and_by_its_number() -> None:
    for jobs in (1, 2):
        assert dict(in_order_of_completion(double, [3, 1, 2], jobs)) == {0: 6, 1: 2, 2: 4}


def test_a_worker_has_one_thread_of_linear_algebra() -> None:
    assert dict(in_order_of_completion(threads, [0, 1], 2)) == {0: 1, 1: 1}


def test_an_error_ends_them_all() -> None:
    with pytest.raises(ValueError, match="three"):
        dict(in_order_of_completion(refuse, list(range(6)), 2))


def test_a_worker_that_dies_costs_its_share_alone(tmp_path: Path) -> None:
    work = [tmp_path / name for name in "abc"]
    work[1].touch()
    assert dict(in_order_of_completion(die_once, work, 2)) == {0: "a", 1: "b", 2: "c"}


def test_work_that_always_kills_its_worker_is_given_up() -> None:
    with pytest.raises(LostWorkerError, match="Use fewer jobs"):
        dict(in_order_of_completion(die, [0, 1], 2))


def test_the_callers_script_is_not_run_again(tmp_path: Path) -> None:
    """Also one without `if __name__ == "__main__"`, and one from standard input."""
    code = (
        "print('begun')\n"
        "from nettwin.workers import in_order_of_completion\n"
        "from operator import neg\n"
        "print(sorted(in_order_of_completion(neg, [1, 2], 2)))\n"
    )
    script = tmp_path / "script.py"
    script.write_text(code)
    for command, given in (([str(script)], None), (["-"], code)):
        done = subprocess.run(
            [sys.executable, *command], input=given, capture_output=True, text=True, check=True
        )
        assert done.stdout == "begun\n[(0, -1), (1, -2)]\n"


def test_ctrl_c_ends_the_workers_at_once(tmp_path: Path) -> None:
    """Both work, and would for a minute, when it comes."""
    words = [tmp_path / "a", tmp_path / "b"]
    code = (
        "from pathlib import Path\n"
        "from nettwin.workers import in_order_of_completion\n"
        "from tests.test_workers import leave_word\n"
        f"list(in_order_of_completion(leave_word, list(map(Path, {list(map(str, words))})), 2))\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True)
    while not all(word.exists() for word in words):
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=30)
    assert "KeyboardInterrupt" in told and process.returncode != 0
    for word in words:
        with pytest.raises(ProcessLookupError):
            os.kill(int(word.read_text()), 0)


@pytest.mark.parametrize(
    ("files", "cores"),
    [
        ({"cpu.max": "150000 100000\n"}, 1.5),
        ({"cpu.max": "max 100000\n"}, float("inf")),
        ({"cpu/cpu.cfs_quota_us": "50000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 0.5),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, float("inf")),
        ({}, float("inf")),
    ],
)
def test_a_containers_quota_counts(
    files: dict[str, str], cores: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert workers._quota_cores(tmp_path) == cores
    monkeypatch.setattr(workers, "CGROUP", tmp_path)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    usable_cores.cache_clear()
    try:
        assert usable_cores() == max(1, min(8, -int(-cores // 1) if cores < 9 else 8))
    finally:
        usable_cores.cache_clear()


def leave_word(path: Path) -> None:
    path.with_suffix(".tmp").write_text(str(os.getpid()))
    path.with_suffix(".tmp").replace(path)
    time.sleep(60)


def test_work_beside_ends_with_its_parent(tmp_path: Path) -> None:
    word = tmp_path / "word"
    code = (
        "import sys, time; from functools import partial; from pathlib import Path\n"
        "from nettwin.workers import begin_beside; from tests.test_workers import leave_word\n"
        "word = Path(sys.argv[1]); begin_beside(partial(leave_word, word))\n"
        "while not word.exists(): time.sleep(0.01)\n"
        "raise KeyboardInterrupt"
    )
    subprocess.run([sys.executable, "-c", code, str(word)], stderr=subprocess.DEVNULL, timeout=50)
    with pytest.raises(ProcessLookupError):
        os.kill(int(word.read_text()), 0)


def test_what_work_beside_raises_is_not_told(capfd: pytest.CaptureFixture[str]) -> None:
    process = begin_beside(partial(refuse, 3))
    process.join(50)
    assert process.exitcode == 0
    assert capfd.readouterr() == ("", "")
