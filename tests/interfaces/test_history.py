"""nettwin history predict: a workspace, and files; residuals stay."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nettwin.scenario.demands import over_time
from nettwin.scenario.generate import generate
from nettwin.workspace.workspace import begin
from tests.interfaces.conftest import Run

RING = generate("ring", nodes=4, load=0.5)
ROOT = Path(__file__).resolve().parents[2]
RECORDINGS = sorted((ROOT.parent / "shared/data/cisco_telemetry").glob("*.tar.gz"))
IOS_XR = ROOT / "examples/sources/ios_xr_telemetry.yaml"
BEGIN_S, STEP_S, COUNT = 1767571200.0, 300.0, 120


@pytest.fixture
def demand() -> np.ndarray:  # type: ignore[type-arg]
    base = np.zeros((4, 4))
    base[RING.traffic.flow_source, RING.traffic.flow_target] = RING.traffic.flow_rate_bps
    curve = 1 + 0.3 * np.sin(np.arange(COUNT) / 20)
    noise = np.random.default_rng(5).lognormal(0, 0.05, (COUNT, 4, 4))
    return np.asarray(base * curve[:, None, None] * noise)


def test_a_workspace_and_files_are_predicted_alike(
    run: Run,
    tmp_path: Path,
    demand: np.ndarray,  # type: ignore[type-arg]
) -> None:
    times = BEGIN_S + STEP_S * (1 + np.arange(COUNT))
    load = np.array([one.link_offered_load for one in over_time(RING, demand)])
    bps = load * RING.topology.link_capacity_bps
    twin = begin(tmp_path / "twin", RING)
    with twin.writing("test"):
        twin.repository.measured_links(
            RING, times, STEP_S, {"throughput_bps": bps, "utilization": load}, np.ones_like(load)
        )
    first = run("history", "predict", "-w", twin.folder, "--json", "--plot", "week.svg")
    assert first.code == 0, first.err
    told = json.loads(first.out)
    assert told["intervals"] == COUNT
    assert told["demands"] == "estimated"
    assert told["residuals_kept"] == COUNT * 8
    assert 0.75 < told["links"]["coverage"] < 1
    assert Path("week.svg").stat().st_size > 5000
    seen, residual = twin.repository.series("residual/link/N1->N2/utilization")
    assert len(seen) == COUNT
    assert np.abs(residual).max() < 0.1
    shown = run("history", "predict", "-w", twin.folder, "--no-keep", "--since", times[60])
    assert "Links: utilization" in shown.out and "60 of " in shown.out
    assert twin.repository.observation(times[-1]).metrics.link["utilization"] == pytest.approx(
        load[-1]
    )

    np.savez("week.npz", demand_bps=demand, time=times, node=RING.topology.node_name)
    run("convert", twin.folder / "network.yaml", "network.yaml")
    header = ",".join(["time", *(f"{name} [bit/s]" for name in RING.topology.link_name)])
    lines = [
        ",".join(map(repr, [t, *row])) for t, row in zip(times.tolist(), bps.tolist(), strict=True)
    ]
    Path("counters.csv").write_text("\n".join([header, *lines]) + "\n")
    given = ("--network", "network.yaml", "--demands", "week.npz")
    done = run("history", "predict", *given, "--measured", "counters.csv", "--json", "--csv", "out")
    assert done.code == 0, done.err
    files = json.loads(done.out)
    assert files["residuals_kept"] == 0
    row = {one["element"]: one for one in files["links"]["elements"]}["N1->N2"]
    link = RING.topology.link("N1->N2")
    assert row["p95_measured"] == pytest.approx(np.percentile(load[:, link], 95))
    assert row["p95"] == pytest.approx(row["p95_measured"])
    sheet = Path("out/link_utilization.csv").read_text().splitlines()
    assert sheet[0] == "time,link,predicted,low,high,measured"
    assert len(sheet) == 1 + COUNT * 8


def test_what_does_not_belong_together_is_said(run: Run, net: Path, tmp_path: Path) -> None:
    assert "--network FILE" in run("history predict --demands x.npz").err
    assert "--demands FILE" in run(f"history predict --network {net}").err
    twin = begin(tmp_path / "twin", RING)
    empty = run("history", "predict", "-w", twin.folder)
    assert empty.code == 2 and "at least 2" in empty.err


@pytest.mark.slow
@pytest.mark.skipif(not RECORDINGS, reason="../shared/data is not there")
@pytest.mark.parametrize("archive", RECORDINGS, ids=lambda path: path.name)
def test_recordings_of_real_routers_from_files_to_predictions(
    run: Run, tmp_path: Path, archive: Path
) -> None:
    """From topology to prediction, of Cisco routers, with a mapping file alone."""
    with tarfile.open(archive) as packed:
        packed.extractall(tmp_path / "recording", filter="data")
    (folder,) = (path.parent for path in tmp_path.rglob("events.csv"))
    (map_file,) = folder.glob("cdp*.json")
    assert run("convert", map_file, "net.yaml", "--load", "none").code == 0
    assert run("init", "twin", "--network", "net.yaml").code == 0
    place = (IOS_XR, "--folder", folder, "-w", "twin", "--json")
    checked = json.loads(run("data", "check", *place).out)
    assert checked["links_known"] > 200
    collected = json.loads(run("data", "collect", *place).out)
    assert collected["intervals"] == checked["intervals"]
    export = ("repository", "export", "c.parquet", "-w", "twin", "--series")
    assert run(*export, "link/*/throughput_bps").code == 0
    demands = json.loads(run("data", "demands", "net.yaml", "c.parquet", "--json").out)
    assert len(demands["demands"]) > 100
    done = run("history", "predict", "-w", "twin", "--json")
    told = json.loads(done.out)
    assert told["intervals"] == collected["intervals"]
    assert 0.8 < told["links"]["coverage"] < 1
    event = pd.read_csv(folder / "events.csv").iloc[1]  # after the traffic began
    first = [one["begin_s"] for one in told["links"]["unusual"][:3]]
    assert min(abs(begin_s - event["timestamp"]) for begin_s in first) < 60
    busiest = max(told["links"]["elements"], key=lambda row: row["mean_measured"] or 0)
    assert busiest["error"] < 0.1
