"""predict --demands: a time series of traffic matrices on one network."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from nettwin.apps.timeseries import predict_series, worst_intervals
from nettwin.engines.theory import Theory
from nettwin.formats import write
from nettwin.scenario.demands import over_time
from nettwin.scenario.generate import generate


@pytest.fixture
def case(tmp_path: Path) -> tuple[Path, Path, np.ndarray]:
    """A network, and its demands at five times: the third is the busiest."""
    network = generate("ring", nodes=5, load=0.3, seed=2)
    factor = np.array([0.5, 1.0, 2.5, 1.5, 0.2])
    demand = network.traffic.matrix(5)[None] * factor[:, None, None]
    write(network, tmp_path / "net.yaml")
    np.savez(tmp_path / "day.npz", demand_bps=demand, times_s=np.arange(5) * 900.0)
    return tmp_path / "net.yaml", tmp_path / "day.npz", factor


def test_a_series_is_predicted_and_its_worst_time_shown(run, case) -> None:
    network, demands, factor = case
    done = run("predict", network, "--demands", demands, "--json")
    assert done.code == 0
    answer = json.loads(done.out)["answers"][0]
    intervals = answer["intervals"]
    assert [part["start_s"] for part in intervals] == [0, 900, 1800, 2700, 3600]
    assert [part["end_s"] for part in intervals] == [900, 1800, 2700, 3600, 4500]
    busiest = [part["totals"]["utilization_max"] for part in intervals]
    assert busiest == pytest.approx((0.3 * factor).tolist(), rel=0.01)
    assert answer["totals"] == intervals[2]["totals"]
    assert "30.00 min" in done.err or "1800" in done.err


def test_tables_and_sheets_hold_every_time(run, case, tmp_path: Path) -> None:
    network, demands, _ = case
    done = run("predict", network, "--demands", demands, "--csv", tmp_path / "out")
    assert done.code == 0
    assert "In time" in done.out
    with (tmp_path / "out" / "intervals_links.csv").open() as lines:
        rows = list(csv.DictReader(lines))
    assert {row["start_s"] for row in rows} == {"0.0", "900.0", "1800.0", "2700.0", "3600.0"}


def test_wrong_demands_are_told(run, case, tmp_path: Path) -> None:
    network, demands, _ = case
    assert run("predict", network, network, "--demands", demands).code == 2
    np.savez(tmp_path / "small.npz", demand_bps=np.ones((2, 3, 3)))
    done = run("predict", network, "--demands", tmp_path / "small.npz")
    assert done.code == 2
    assert "small.npz" in done.err
    assert "Traceback" not in done.err
    assert run("predict", network, "--demands", tmp_path / "none.npz").code == 2


def test_batches_keep_the_order_and_progress_ends_at_one() -> None:
    network = generate("ring", nodes=4, load=0.4)
    factor = np.random.default_rng(1).uniform(0.1, 2.0, 40)
    demand = network.traffic.matrix(4)[None] * factor[:, None, None]
    times = [60.0 * k for k in range(40)]
    told: list[float] = []
    moments = zip(times, over_time(network, demand), strict=True)
    found = predict_series(lambda: moments, times, Theory(), progress=told.append)
    assert [part.start_s for part in found] == times
    assert told == sorted(told)
    assert told[-1] == 1.0
    loads = [float(part.metrics.link["utilization"].max()) for part in found]
    assert loads == pytest.approx((0.4 * factor).tolist(), rel=0.01)
    assert worst_intervals(found)[0] == int(np.argmax(factor))
