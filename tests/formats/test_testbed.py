"""Testbed recordings: units, wiring, and what was measured."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nettwin.errors import FormatError
from nettwin.formats import detect, read, read_all
from nettwin.scenario.arrivals import CBR, OnOff
from tests.formats.testbed_files import arrays, broken, changed, packed

SAMPLES = Path(__file__).parent


def test_samples_are_what_their_maker_makes() -> None:
    assert (SAMPLES / "good/testbed/lab.npz").read_bytes() == packed(arrays())
    found = {p.name: p.read_bytes() for p in (SAMPLES / "broken/testbed").iterdir()}
    assert found == broken()


def test_units_flows_and_measured_delays() -> None:
    raw = arrays()
    first, second = read_all(SAMPLES / "good/testbed/lab.npz")
    for k, reading in enumerate((first, second)):
        traffic, part = reading.scenario.traffic, slice(4 * k, 4 * k + 4)
        assert traffic.flow_rate_bps == pytest.approx(raw["flow_traffic"][part, 0])
        assert traffic.flow_mean_size_bits == pytest.approx(raw["flow_packet_size"][part, 0])
        assert reading.metrics is not None
        measured = reading.metrics.flow["owd_mean_s"]
        assert measured == pytest.approx(raw["delay_ms"][part] / 1e3)
        assert np.isnan(reading.metrics.flow["loss_ratio"]).all()
        kinds = [type(traffic.arrivals[k]) for k in traffic.flow_arrival.tolist()]
        assert kinds == [CBR, OnOff, OnOff, CBR]
    assert first.scenario.flow_names == ("r0->r1#0", "r0->r1#1", "r0->r2#0", "r1->r2#0")
    assert first.scenario.name == "results_lab_0000-0024 0"


def test_wiring_follows_the_paths() -> None:
    scenario = read(SAMPLES / "good/testbed/lab.npz").scenario
    topology, paths = scenario.topology, scenario.paths
    assert not paths.status.any() and not paths.fallback.any()
    names = [[topology.link_name[k] for k in paths.of(f)[0][1]] for f in range(4)]
    assert names[0] == names[1]
    # ports of one speed with the others are shared, whatever path leads there
    assert names[0][:3] == names[2][1:4] == ["link 0", "link 6", "link 7"]
    assert names[2][-3:] == names[3][-3:]
    assert names[3][1] == "link 8" == names[2][4]
    routers = {n for n in topology.node_name if n[0] == "r"}
    assert routers == {"r0", "r1", "r2"}
    end = topology.node_name[topology.link_target[topology.link(names[0][2])]]
    assert end == "r1"
    capacity = topology.link_capacity_bps[topology.link(names[3][2])]
    assert names[3][2].startswith("link 10 from") and capacity == pytest.approx(80e9)
    load = scenario.link_load_bps[topology.link("link 0")]
    assert load == pytest.approx(scenario.traffic.flow_rate_bps[:3].sum())


def test_buffers_of_switches_are_shallow() -> None:
    topology = read(SAMPLES / "good/testbed/lab.npz").scenario.topology
    bits = {
        name: topology.schedulers[topology.link_scheduler[topology.link(name)]].queues[0]
        for name in ("link 0", "link 6")
    }
    assert bits["link 0"].buffer_bits == pytest.approx(16e6)
    assert bits["link 6"].buffer_bits == pytest.approx(140e6)


def test_a_folder_is_read_file_by_file(tmp_path: Path) -> None:
    for name in ("b_1.npz", "a_0.npz"):
        (tmp_path / name).write_bytes(packed(arrays(1)))
    assert detect(tmp_path).name == "testbed"
    sources = [Path(reading.source.split(",")[0]).name for reading in read_all(tmp_path)]
    assert sources == ["a_0.npz", "b_1.npz"]


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("negative_delay.npz", "scenario 0, delay_ms 2"),
        ("both_types.npz", "scenario 0, flow_type 0"),
        ("link_too_high.npz", "scenario 0, path 0"),
        ("no_tester_port.npz", "scenario 0, path 0"),
        ("label.npz", "scenario 0, flow_id 0"),
        ("offsets_back.npz", "path_offset"),
        ("missing_array.npz", "its arrays"),
        ("pickled.npz", "delay_ms"),
    ],
)
def test_errors_tell_the_place(name: str, place: str) -> None:
    with pytest.raises(FormatError) as caught:
        list(read_all(SAMPLES / "broken/testbed" / name, format="testbed"))
    assert caught.value.place == place


def test_good_scenarios_come_before_a_bad_one(tmp_path: Path) -> None:
    delay = arrays()["delay_ms"].copy()
    delay[6] = 0
    path = tmp_path / "half.npz"
    path.write_bytes(changed(delay_ms=delay))
    found = read_all(path)
    assert next(found).scenario.traffic.flow_count == 4
    with pytest.raises(FormatError, match="scenario 1, delay_ms 2"):
        next(found)


def test_the_public_recordings(shared_data: Path) -> None:
    folder = shared_data / "gnnet2023_testbed"
    assert detect(folder).name == "testbed"
    for name in ("cbr_mb_0", "mb_3"):
        for _, reading in zip(range(3), read_all(folder / f"{name}.npz"), strict=False):
            scenario = reading.scenario
            assert not scenario.paths.status.any() and not scenario.paths.fallback.any()
            assert scenario.link_offered_load.max() < 3
