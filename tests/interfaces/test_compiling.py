"""The first start on a machine: a second process compiles what comes last."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from nettwin.interfaces import wiring


def test_a_second_process_compiles_what_the_engine_comes_to_last(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begun: list[partial[None]] = []
    monkeypatch.setattr(wiring, "begin_beside", begun.append)
    monkeypatch.setattr(wiring, "usable_cores", lambda: 2)
    monkeypatch.setattr(wiring, "_compiled_before", lambda _: False)
    wiring.compile_beside("theory", "packet")
    assert not begun
    wiring.compile_beside("theory", "twin")
    assert [work.args for work in begun] == [("gnn",)]
    monkeypatch.setattr(wiring, "usable_cores", lambda: 1)
    wiring.compile_beside("twin")
    monkeypatch.setattr(wiring, "usable_cores", lambda: 2)
    monkeypatch.setattr(wiring, "_compiled_before", lambda _: True)
    wiring.compile_beside("twin")
    assert len(begun) == 1


@pytest.mark.slow
def test_after_the_second_process_a_prediction_has_only_ports_to_compile(tmp_path: Path) -> None:
    code = """
import sys
from nettwin.interfaces import wiring
if sys.argv[1] == "last":
    wiring.choice("twin").compile_last()
else:
    from nettwin.scenario.generate import generate
    wiring.engine("twin").predict([generate("ring", nodes=4, classes="three", scheduler="wfq")])
"""
    found = []
    for turn in ("last", "all"):
        environment = os.environ | {
            "NUMBA_CACHE_DIR": str(tmp_path),
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        }
        subprocess.run([sys.executable, "-c", code, turn], env=environment, check=True)
        found.append({path.name for path in tmp_path.rglob("*.nbc")})
    last, everything = found
    assert not any("solve_ports" in name or "average_port" in name for name in last)
    new = {name.split(".")[0] for name in everything - last}
    assert new, "nothing was left to compile"
    assert new <= {"states", "modulated", "sharing", "least_served", "ports", "queueing", "bursts",
                   "variability", "loops"}  # fmt: skip
    assert any("solve_ports" in name for name in everything)
