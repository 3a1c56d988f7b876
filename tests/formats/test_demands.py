"""Traffic matrices over time: npz and CSV, matched to networks, hostile files."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nettwin.errors import FormatError
from nettwin.formats.demands import arrays, read_demands, scenarios_over_time
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.topology import Link, Topology
from nettwin.scenario.traffic import Flow, Traffic

SAMPLES = Path(__file__).parent
START = 1714521600.0  # 2024-05-01T00:00:00Z
DEMAND = np.zeros((3, 3, 3))
DEMAND[:, 0, 1] = 1e6, 2e6, 3e6
DEMAND[:, 1, 2] = 4e6, 0, 5e6
DEMAND[1, 2, 0] = 7e6


def ring(names: str) -> Topology:
    pairs = [(a, b) for a in names for b in names if a != b]
    return Topology.build(list(names), [Link(a, b, 1e8) for a, b in pairs])


@pytest.mark.parametrize(
    ("name", "times"),
    [
        ("named.npz", [START, START + 300, START + 900]),
        ("numbered.npz", [0, 1, 2]),
        ("long.csv", [START, START + 300, START + 900]),
        ("wide.csv", [0, 300, 900]),
    ],
)
def test_all_kinds_hold_the_same_matrices(name: str, times: list[float]) -> None:
    series = read_demands(SAMPLES / "good" / "demands" / name)
    assert series.times_s.tolist() == times
    assert series.demand_bps == pytest.approx(DEMAND)
    assert series.node_name == (() if name == "numbered.npz" else ("A", "B", "C"))


def test_what_is_assumed_and_ignored_is_told() -> None:
    named = read_demands(SAMPLES / "good" / "demands" / "named.npz")
    assert "UTC" in named.assumptions[0] and "color" in named.ignored[0]
    numbered = read_demands(SAMPLES / "good" / "demands" / "numbered.npz", interval_s=60)
    assert numbered.times_s.tolist() == [0, 60, 120]
    assert "every 60 s" in numbered.assumptions[0]


@pytest.mark.parametrize(
    "path", sorted((SAMPLES / "broken" / "demands").iterdir()), ids=lambda path: path.name
)
def test_broken_files_say_where_and_why(path: Path) -> None:
    with pytest.raises(FormatError) as caught:
        read_demands(path)
    error = caught.value
    assert error.path == str(path)
    assert error.place and error.reason and error.remedy


def test_demands_of_nodes_to_themselves_are_left_out(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", demand_gbps=np.ones((2, 2)), time_s=np.array([5.0]))
    series = read_demands(tmp_path / "x.npz")
    assert series.demand_bps.tolist() == [[[0, 1e9], [1e9, 0]]]
    assert series.times_s.tolist() == [5]
    assert "to themselves" in series.ignored[0]


def test_names_are_matched_in_any_order_and_number() -> None:
    series = read_demands(SAMPLES / "good" / "demands" / "named.npz", topology=ring("CXBA"))
    assert series.node_name == ("C", "X", "B", "A")
    assert series.demand_bps[:, 3, 2].tolist() == [1e6, 2e6, 3e6]
    assert series.demand_bps.sum() == DEMAND.sum()
    assert any("1 of 4 nodes" in text for text in series.assumptions)


def test_numbers_are_matched_only_to_as_many_nodes() -> None:
    path = SAMPLES / "good" / "demands" / "numbered.npz"
    series = read_demands(path, topology=ring("XYZ"))
    assert series.node_name == ("X", "Y", "Z")
    assert any("numbered like" in text for text in series.assumptions)
    with pytest.raises(FormatError, match="are 3 without names where the network has 4"):
        read_demands(path, topology=ring("WXYZ"))


def test_unknown_nodes_are_named() -> None:
    with pytest.raises(FormatError, match="node C: is not in the network"):
        read_demands(SAMPLES / "good" / "demands" / "long.csv", topology=ring("ABD"))


def test_scenarios_over_time_carry_the_demands() -> None:
    topology = ring("CBA")
    scenario = Scenario(topology, Traffic.build(topology, [Flow("A", "B", 1e6)]))
    series = read_demands(SAMPLES / "good" / "demands" / "wide.csv")
    states = list(scenarios_over_time(scenario, series))
    assert [time for time, _ in states] == [0, 300, 900]
    order = [2, 1, 0]  # of A, B, C in the topology
    for (_, state), demand in zip(states, DEMAND, strict=True):
        matrix = state.traffic.matrix(3)
        assert matrix[np.ix_(order, order)] == pytest.approx(demand)


def test_members_that_swell_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.savez_compressed(tmp_path / "bomb.npz", demand_bps=np.zeros((100, 50, 50)))
    assert (tmp_path / "bomb.npz").stat().st_size < 10_000
    monkeypatch.setattr(arrays, "MAX_VALUES", 1000)
    with pytest.raises(FormatError, match="unpacks to"):
        read_demands(tmp_path / "bomb.npz")


def test_what_is_not_needed_is_not_unpacked(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
        stream = io.BytesIO()
        np.save(stream, np.ones((2, 2)))
        archive.writestr("demand_bps.npy", stream.getvalue())
        archive.writestr("script.npy", b"\x93NUMPY and nothing that could be read")
    assert read_demands(tmp_path / "x.npz").demand_bps.shape == (1, 2, 2)


@given(data=st.data())
def test_damaged_files_give_an_error_or_matrices(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(("named.npz", "numbered.npz", "long.csv", "wide.csv")))
    content = bytearray((SAMPLES / "good" / "demands" / name).read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(content) - 1))
        span = data.draw(st.integers(0, 3))
        content[at : at + span] = data.draw(st.binary(max_size=4))
    path = tmp_path_factory.getbasetemp() / f"damaged-{name}"
    path.write_bytes(bytes(content))
    try:
        series = read_demands(path)
    except FormatError as error:
        assert error.reason and error.remedy
    else:
        assert np.isfinite(series.demand_bps).all() and (series.demand_bps >= 0).all()


def test_measured_matrices_are_read(shared_data: Path) -> None:
    folder = shared_data / "measured_tms"
    abilene = read_demands(folder / "abilene_5min_20040301_10days.npz")
    assert abilene.demand_bps.shape == (2880, 12, 12) and "ATLAng" in abilene.node_name
    assert np.diff(abilene.times_s) == pytest.approx(np.full(2879, 300.0))
    assert abilene.times_s[0] == 1078099200.0  # 2004-03-01
    geant = read_demands(folder / "geant_7days_15min.npz", interval_s=900.0)
    assert geant.demand_bps.shape == (677, 22, 22) and not geant.node_name
    assert geant.times_s[-1] == 676 * 900


def test_the_files_of_the_page_are_read(tmp_path: Path) -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "formats.md").read_text("utf-8")
    tables = re.findall(r"```text\n(time,.*?)```", page, re.DOTALL)
    assert len(tables) == 2
    demand = []
    for k, table in enumerate(tables):
        (tmp_path / f"{k}.csv").write_text(table, "utf-8")
        series = read_demands(tmp_path / f"{k}.csv")
        assert series.node_name == ("Paris", "Nice")
        assert np.diff(series.times_s).tolist() == [300]
        demand.append(series.demand_bps)
    assert np.array_equal(*demand)
    assert demand[0].max() == 150e6


@pytest.mark.parametrize("name", ["rate", "Demand", "traffic"])
def test_a_rate_without_a_unit_is_in_bits_and_said_so(tmp_path: Path, name: str) -> None:
    (tmp_path / "d.csv").write_text(f"time,source,target,{name}\n0,A,B,5e6\n", "utf-8")
    series = read_demands(tmp_path / "d.csv")
    assert series.demand_bps.max() == 5e6
    assert f"unit of {name.lower()}: bit/s, as it is not said" in series.assumptions
