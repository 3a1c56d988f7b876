"""nettwin data demands: counters in, demands out."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from nettwin.formats import write
from nettwin.formats.demands import read_demands
from tests.apps.demands.networks import counted, course, network, off_by
from tests.interfaces.conftest import Run

DEMAND = course(6, 6, seed=4)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A network, its counters, and a day of matrices."""
    scenario = network()
    write(scenario, tmp_path / "network.yaml")
    counters = counted(scenario, DEMAND)
    names = scenario.topology.node_name
    header = ["time", *scenario.topology.link_name]
    header += [f"->{name}" for name in names] + [f"{name}->" for name in names]
    rows = np.column_stack(
        [counters.times_s, counters.link_bps, counters.entering_bps, counters.leaving_bps]
    )
    lines = [",".join(header), *(",".join(f"{v:.9g}" for v in row) for row in rows)]
    (tmp_path / "counters.csv").write_text("\n".join(lines) + "\n")
    np.savez(tmp_path / "day.npz", demand_bps=DEMAND, time=counters.times_s, node=np.array(names))
    return tmp_path


@pytest.mark.parametrize("suffix", ["csv", "npz"])
def test_demands_are_estimated_and_written(run: Run, folder: Path, suffix: str) -> None:
    done = run(f"data demands network.yaml counters.csv -o demands.{suffix} --json")
    assert done.code == 0, done.err
    told = json.loads(done.out)
    assert told["intervals"] == 6 and told["method"] == "bayes" and not told["warnings"]
    assert len(told["demands"]) == 30
    sizes = [row["demand_bps"] for row in told["demands"]]
    assert sizes == sorted(sizes, reverse=True)
    assert max(row["residual"] for row in told["counters"]) < 0.02
    found = read_demands(folder / f"demands.{suffix}")
    assert found.node_name == tuple("ABCDEF")
    first = told["demands"][0]
    place = (slice(None), "ABCDEF".index(first["source"]), "ABCDEF".index(first["target"]))
    assert found.demand_bps[place].mean() == pytest.approx(first["demand_bps"], rel=1e-4)


def test_tables_show_the_largest_and_the_least_explained(run: Run, folder: Path) -> None:
    done = run("data demands network.yaml counters.csv --top 3")
    assert done.code == 0
    assert "Largest demands" in done.out and "3 of 30" in done.out
    assert "Counters least explained" in done.out


def test_an_earlier_day_and_known_flows_are_used(run: Run, folder: Path) -> None:
    assert run("data demands network.yaml counters.csv --history day.npz -o a.npz").code == 0
    assert off_by(read_demands(folder / "a.npz").demand_bps, DEMAND) < 0.1
    lines = ["time,A->C [bit/s]", *(f"{300 * k},{DEMAND[k, 0, 2]}" for k in range(6))]
    (folder / "known.csv").write_text("\n".join(lines) + "\n")
    assert run("data demands network.yaml counters.csv --known known.csv -o b.npz").code == 0
    found = read_demands(folder / "b.npz").demand_bps
    np.testing.assert_allclose(found[:, 0, 2], DEMAND[:, 0, 2])


def test_methods_are_listed_and_wrong_ones_told(run: Run, folder: Path) -> None:
    assert "tomogravity" in run("data demands --list").out
    wrong = run("data demands network.yaml counters.csv --method tomo")
    assert wrong.code == 2
    assert 'no estimation method "tomo"' in wrong.err
    suffix = run("data demands network.yaml counters.csv -o demands.xls")
    assert suffix.code == 2 and ".npz or .csv" in suffix.err


def test_contradictions_are_warnings(run: Run, folder: Path) -> None:
    text = (folder / "counters.csv").read_text().splitlines()
    cells = text[1].split(",")
    cells[1] = "9e9"
    (folder / "odd.csv").write_text("\n".join([text[0], ",".join(cells)]) + "\n")
    done = run("data demands network.yaml odd.csv --strict")
    assert done.code == 3
    assert "comes in and" in done.err
