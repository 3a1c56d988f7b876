"""nettwin capacity: forecast, run-out dates, upgrades and the report, by command."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

CASE = """\
capacity: until 2029
begin: 2027-01-01
periods: 2
growth: {rest: {yearly: 30%, low: 20%, high: 40%}}
modules: [{capacity: 45M, cost: 3}, {capacity: 155M, cost: 5}]
"""


@pytest.fixture
def asked(run):  # type: ignore[no-untyped-def]
    """Runs the command line and holds its exit code against what is expected."""

    def of(*words: str, code: int | None = None):  # type: ignore[no-untyped-def]
        done = run("", *words)
        assert code is None or done.code == code, done
        return done

    return of


@pytest.fixture
def files(asked, tmp_path: Path) -> tuple[str, str]:
    network, case = tmp_path / "net.yaml", tmp_path / "growth.yaml"
    asked("generate", "nsfnet", "-o", str(network), code=0)
    case.write_text(CASE)
    return str(network), str(case)


def test_what_runs_out_has_dates_and_a_picture(asked, files, tmp_path: Path) -> None:
    plot = tmp_path / "out.svg"
    found = asked("capacity", "runout", *files, "--hose", "--json", "--plot", str(plot), code=0)
    document = json.loads(found.out)
    first = document["run_outs"][0]
    assert first["early"] < first["years"] < first["late"] and first["date"].startswith("202")
    assert len(document["hose"]["worst_most"]) == 42
    assert plot.read_text().count("-&gt;") >= 5


def test_upgrades_cost_less_than_the_hand_rule(asked, files) -> None:
    found = asked("capacity", "upgrade", *files, "--json", code=0)
    document = json.loads(found.out)
    assert document["met"] and document["best"]["gap"] < 1e-4
    hand, greedy = (rule["cost"] for rule in document["rules"])
    assert document["best"]["cost"] <= greedy < hand


@pytest.mark.parametrize("suffix", ["html", "md"])
def test_the_report_holds_words_tables_and_pictures(asked, files, tmp_path, suffix: str) -> None:
    out = tmp_path / f"plan.{suffix}"
    asked("capacity", "report", *files, "-o", str(out), code=0)
    text = out.read_text()
    assert "The cheapest plan upgrades" in text and "hand rule" in text
    assert text.count("<svg" if suffix == "html" else ".svg)") == 2


def test_a_forecast_of_two_days_says_what_it_cannot_know(asked, files, tmp_path: Path) -> None:
    demands = tmp_path / "days.npz"
    times = np.arange(0, 2.5 * 86400, 3600.0)
    curve = 1e6 * (2 + np.sin(2 * np.pi * times / 86400))
    np.savez(demands, time=times, demand_bps=curve[:, None, None] * np.ones((14, 14)))
    ask = ("capacity", "forecast", "--network", files[0], "--demands", str(demands))
    found = asked(*ask, "--json", code=0)
    document = json.loads(found.out)
    assert any("growth" in line for line in document["not_known"])
    assert document["series"][0]["growth"] is None
    assert "400 days ahead need the growth" in asked(*ask, "--days", "400", code=2).err
    measured = Path(files[1])
    measured.write_text("capacity: m\ngrowth: {rest: measured}\n")
    lacking = asked("capacity", "runout", *files, code=2)
    assert "there is no history" in lacking.err
    short = asked("capacity", "runout", *files, "--demands", str(demands), code=2)
    assert "growth can be told from 28 days on" in short.err


def test_a_group_that_is_not_there_is_told_with_its_line(asked, files) -> None:
    Path(files[1]).write_text(
        "capacity: x\ngrowth:\n  groups:\n    - {group: g, class: gold, yearly: 1%}\n"
    )
    found = asked("capacity", "runout", *files, code=2)
    assert "line 4" in found.err and "gold" in found.err
