"""Datanet: small folders in all versions, archives, hostile bytes, and the public data sets."""

from __future__ import annotations

import gzip
import io
import shutil
import tarfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nettwin.errors import FormatError
from nettwin.formats import Reading, detect, read, read_all
from nettwin.formats.datanet import Datanet
from nettwin.formats.format import ImportDefaults
from nettwin.scenario.arrivals import CBR, OnOff, Poisson

GOOD = Path(__file__).parent / "good" / "datanet"
RESULTS = Path("results_0_1")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A folder of recordings that a test may change."""
    return Path(shutil.copytree(GOOD / "bits_2022", tmp_path / "set"))


def change(path: Path, old: str, new: str, count: int = 1) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, count))


def pack(folder: Path) -> Path:
    """Replace the unpacked archive of a folder by a `.tar.gz`."""
    packed = folder / "results_0_1.tar.gz"
    with tarfile.open(packed, "w:gz") as tar:
        tar.add(folder / RESULTS, "results_0_1")
    shutil.rmtree(folder / RESULTS)
    return packed


def test_every_policy_becomes_queues_of_its_kind() -> None:
    topology = read(GOOD / "bits_2022").scenario.topology
    of_node = {
        topology.link_source[k]: topology.schedulers[s]
        for k, s in enumerate(topology.link_scheduler)
    }
    assert [of_node[n].policy for n in range(4)] == ["fifo", "sp", "lsf", "drr"]
    assert len(of_node[0].queues) == 1
    assert of_node[0].queue_of("tos2") == 0
    assert [of_node[1].queue_of(f"tos{k}") for k in range(3)] == [0, 1, 2]
    assert [queue.weight for queue in of_node[2].queues] == [60, 30, 10]
    assert all(queue.buffer_bits == 16000 for queue in of_node[1].queues)


def test_drr_quanta_are_shares_of_a_time() -> None:
    for seconds in (1.0, 0.25):
        reading = next(Datanet(drr_round_s=seconds).read(GOOD / "bits_2022", ImportDefaults()))
        topology = reading.scenario.topology
        drr = next(s for s in topology.schedulers if s.policy == "drr")
        assert [q.quantum_bits for q in drr.queues] == pytest.approx(
            np.array([60e3, 30e3, 10e3]) * seconds
        )
        assert any("quantum" in text and f"{seconds:g} s" in text for text in reading.assumptions)


def test_packets_wait_in_packets_where_the_source_says_so() -> None:
    queues = read(GOOD / "packets_2021").scenario.topology.queues
    assert (queues.buffer_packets == 32).all() and np.isinf(queues.buffer_bits).all()


def test_routes_follow_port_matrices_and_node_lists() -> None:
    for name in ("bits_2022", "packets_2021"):
        scenario = read(GOOD / name).scenario
        assert not scenario.paths.status.any()
        hops = np.bincount(scenario.paths.hop_flow)
        nodes = scenario.topology.node_count
        path = (scenario.traffic.flow_target - scenario.traffic.flow_source) % nodes
        assert hops.tolist() == np.minimum(path, nodes - path).tolist()  # a ring


def test_rates_are_what_sources_send_in_the_long_run(copy: Path) -> None:
    traffic = read(copy).scenario.traffic
    first = (copy / RESULTS / "traffic.txt").read_text().split("\n")[0].split("|")[1].split(";")
    records = [record.split(",") for record in first if record and not record.startswith("-1")]
    for f, (kind, _, packets, *_) in enumerate(records):
        rate = float(packets)
        arrival = traffic.arrivals[traffic.flow_arrival[f]]
        expected, cls = {
            "0": (rate / (1 - np.exp(-10.0)), Poisson),
            "1": (rate, CBR),
            "4": ((1 + rate * 5) / 10, OnOff),
        }[kind]
        assert isinstance(arrival, cls)
        assert traffic.flow_packet_rate_pps[f] == pytest.approx(expected)
    burst = next(a for a in traffic.arrivals if isinstance(a, OnOff))
    assert (burst.on_s, burst.off_s, burst.regular, burst.starts_with_packet) == (5, 5, True, True)


def test_flow_metrics_are_the_recorded_ones() -> None:
    metrics = read(GOOD / "bits_2022").metrics
    assert metrics is not None
    assert metrics.method == "measured"
    assert metrics.provenance == {
        "archive": "results_0_1",
        "line": 1,
        "longest_delay_s": 20.0,
        "simulated_s": 1000.0,
    }
    flow = {name: column[0] for name, column in metrics.flow.columns.items()}  # from 0 to 1
    assert flow == pytest.approx(
        {
            "owd_mean_s": 0.02,
            "owd_p50_s": 0.018,
            "owd_p90_s": 0.03,
            "pdv_s2": 1e-4,
            "loss_ratio": 0.1,
            "throughput_bps": 5100 * 0.9,
        }
    )


def test_link_and_queue_metrics_wait_in_bits() -> None:
    reading = read(GOOD / "bits_2022")
    scenario, metrics = reading.scenario, reading.metrics
    assert metrics is not None
    assert metrics.link["utilization"] == pytest.approx(np.full(8, 0.4))
    assert metrics.link["loss_ratio"].tolist() == [0.01] + [0.0] * 7
    size = scenario.traffic.sizes[0]
    seen = size.second_moment_bits2 / size.mean_bits
    flows_of = np.bincount(scenario.hop_queue, minlength=len(scenario.topology.queues.link))
    waiting = metrics.queue["utilization"] * (1800.5 - seen)
    used = flows_of > 0
    assert metrics.queue["occupancy_mean_bits"][used] == pytest.approx(waiting[used])
    assert (metrics.queue["occupancy_max_bits"] == 9000).all()


def test_occupancies_in_packets_leave_out_the_one_in_service() -> None:
    metrics = read(GOOD / "packets_2021").metrics
    assert metrics is not None
    assert metrics.queue["occupancy_mean_packets"] == pytest.approx(np.full(6, 0.4 * 0.5))
    assert metrics.queue["occupancy_mean_bits"] == pytest.approx(np.full(6, 0.4 * 0.5 * 1000))


def test_without_link_usage_only_flows_are_known() -> None:
    metrics = read(GOOD / "packets_2020").metrics
    assert metrics is not None
    assert not metrics.link.columns and not metrics.queue.columns
    assert "owd_mean_s" in metrics.flow


def test_flows_of_a_pair_have_their_own_results() -> None:
    reading = read(GOOD / "flows_of_a_pair")
    metrics = reading.metrics
    assert metrics is not None and not reading.ignored
    assert metrics.flow["loss_ratio"][:2] == pytest.approx([0.1, 0.5])
    assert np.isnan(metrics.flow["owd_mean_s"][2])  # hidden


def test_flows_of_a_pair_without_their_own_results_are_unknown(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(GOOD / "flows_of_a_pair", tmp_path / "set"))
    (folder / RESULTS / "flowSimulationResults.txt").unlink()
    reading = read(folder)
    assert reading.metrics is not None
    assert np.isnan(reading.metrics.flow["owd_mean_s"]).tolist() == [True, True] + [False] * 5
    assert "2 of 7 flows" in reading.ignored[0]


def test_columns_of_which_nothing_is_known_are_left_out(copy: Path) -> None:
    results = copy / RESULTS / "simulationResults.txt"
    records = results.read_text().split("\n")[0].split("|")[1].strip(";").split(";")
    hidden = [",".join([*r.split(",")[:9], "-1", "-1"]) for r in records]
    results.write_text(f"1,1,1|{';'.join(hidden)};\n" * 2)
    metrics = read(copy).metrics
    assert metrics is not None
    assert "owd_p90_s" not in metrics.flow and "pdv_s2" not in metrics.flow
    assert "owd_p50_s" in metrics.flow


def test_only_settled_simulations_count(copy: Path) -> None:
    assert [r.scenario.name for r in read_all(copy)] == ["results_0_1 0"]
    change(copy / RESULTS / "stability.txt", "MAXTIME", "OK")
    assert [r.scenario.name for r in read_all(copy)] == ["results_0_1 0", "results_0_1 1"]
    (copy / RESULTS / "stability.txt").unlink()
    second = read(copy, index=1)
    assert second.metrics is not None and "simulated_s" not in second.metrics.provenance


def test_own_bandwidths_replace_those_of_the_graph(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(GOOD / "flows_of_a_pair", tmp_path / "set"))
    assert read(folder).scenario.topology.link_capacity_bps[0] == 200_000
    change(folder / "links_bw" / "faster.txt", "0;1;", "0;0;")
    with pytest.raises(FormatError, match=r"faster.txt, line 1: there is no link 0->0"):
        read(folder)


def test_archive_and_folder_are_the_same(copy: Path) -> None:
    before = read(copy)
    packed = pack(copy)
    assert detect(packed).name == detect(copy).name == "datanet"
    for source in (packed, copy):
        after = read(source)
        assert after.scenario.fingerprint() == before.scenario.fingerprint()
        assert after.metrics is not None and before.metrics is not None
        assert np.array_equal(after.metrics.flow["owd_mean_s"], before.metrics.flow["owd_mean_s"])


def test_cut_archive_is_refused(copy: Path) -> None:
    packed = pack(copy)
    packed.write_bytes(packed.read_bytes()[:-40])
    with pytest.raises(FormatError, match="ends too early"):
        read(packed)


def test_archive_that_swells_is_refused(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nettwin.formats.datanet.archive.LARGEST_FILE_BYTES", 2**16)
    packed = pack(copy)
    packed.write_bytes(gzip.compress(bytes(2**20)))
    with pytest.raises(FormatError, match="unpacks to more than"):
        read(packed, format="datanet")


def test_links_in_an_archive_are_not_followed(copy: Path) -> None:
    packed = pack(copy)
    plain = gzip.decompress(packed.read_bytes())
    stream = io.BytesIO()
    with (
        tarfile.open(fileobj=io.BytesIO(plain)) as old,
        tarfile.open(fileobj=stream, mode="w:gz") as new,
    ):
        for member in old:
            if member.name.endswith("traffic.txt"):
                member.type, member.linkname, member.size = tarfile.SYMTYPE, "/etc/hostname", 0
            new.addfile(member, old.extractfile(member) if member.isreg() else None)
    packed.write_bytes(stream.getvalue())
    with pytest.raises(FormatError, match=r"traffic.txt: is not in the archive"):
        read(packed)


@given(st.data())
def test_damaged_lines_give_an_error_or_a_reading(data: st.DataObject) -> None:
    names = ("traffic.txt", "simulationResults.txt", "linkUsage.txt")
    name = data.draw(st.sampled_from(names))
    with pytest.MonkeyPatch.context() as patch:
        from nettwin.formats.datanet import archive

        files = archive._folder(GOOD / "bits_2022" / RESULTS)
        text = bytearray(files[name])
        for _ in range(data.draw(st.integers(1, 3))):
            at = data.draw(st.integers(0, len(text) - 1))
            span = data.draw(st.integers(0, 3))
            text[at : at + span] = data.draw(st.binary(max_size=4))
        patch.setattr(archive, "_folder", lambda path: {**files, name: bytes(text)})
        try:
            found = list(read_all(GOOD / "bits_2022"))
        except FormatError as error:
            assert error.place and error.reason and error.remedy
        else:
            assert all(isinstance(reading, Reading) for reading in found)


@pytest.mark.parametrize(
    ("folder", "nodes", "count"),
    [
        ("gnnet2020/train", {14, 24}, 400),
        ("gnnet2021/train", {30}, 50),
        ("gnnet2021/validation", {30}, 50),
        ("gnnet2022/50", {50}, 14),
        ("gnnet2022/100", {100}, 14),
    ],
)
def test_public_sets_are_read_whole(
    shared_data: Path, folder: str, nodes: set[int], count: int
) -> None:
    assert detect(shared_data / folder).name == "datanet"
    readings = list(read_all(shared_data / folder))
    assert len(readings) == count
    for reading in readings:
        scenario, metrics = reading.scenario, reading.metrics
        assert metrics is not None
        assert scenario.topology.node_count in nodes
        assert not scenario.paths.status.any()
        assert np.isfinite(metrics.flow["owd_mean_s"]).all()
        packet_s = 300 / scenario.topology.link_capacity_bps.max()
        assert metrics.flow["owd_mean_s"].min() > packet_s


@pytest.mark.parametrize("folder", ["gnnet2021/train", "gnnet2022/50", "gnnet2022/300"])
def test_recorded_loads_are_those_of_the_scenario(shared_data: Path, folder: str) -> None:
    reading = read(shared_data / folder)
    assert reading.metrics is not None
    recorded = reading.metrics.link["utilization"]
    ratio = (reading.scenario.link_offered_load / recorded)[recorded > 0.01]
    assert np.median(ratio) == pytest.approx(1.0, abs=2e-3)
    if reading.metrics.link["loss_ratio"].max() < 1e-3:
        assert np.abs(ratio - 1).max() < 0.03
