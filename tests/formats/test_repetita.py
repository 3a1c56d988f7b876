"""REPETITA: what the files say, what is noted, ECMP against the published values, writing."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nettwin.errors import FormatError, InputError
from nettwin.formats import ImportDefaults, Reading, read, read_all, write
from nettwin.scenario.generate import generate
from nettwin.scenario.packet_sizes import Fixed
from nettwin.scenario.routing import Routing, Steer
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.scheduling import Scheduler
from nettwin.scenario.topology import Link, Node, Topology
from nettwin.scenario.traffic import Flow, Traffic
from tests.work import calls

GOOD = Path(__file__).parent / "good" / "repetita"


def triangle() -> Scenario:
    topology = Topology.build(
        [Node("New York", 40.7, -74.0), Node("b", 1.5, 2.5), Node("c")],
        [
            Link("New York", "b", 1e6, 1e-3, 3.0),
            Link("b", "c", 1 / 3, 1e-9 / 3, 0.7),
            Link("b", "c", 2e9, 0.0, 0.7),
        ],
        duplex=True,
    )
    flows = [Flow("New York", "c", 12345.678), Flow("New York", "c", 0.1), Flow("c", "b", 0.0)]
    return Scenario(topology, Traffic.build(topology, flows))


def test_units_and_parallel_edges() -> None:
    scenario = read(GOOD / "alps.0000.demands").scenario
    topology = scenario.topology
    assert topology.node_name == ("Bern", "Lyon", "Turin")
    assert (topology.node_latitude_deg[0], topology.node_longitude_deg[0]) == (46.95, 7.45)
    assert topology.link_name[4:8] == (
        "Bern->Turin",
        "Turin->Bern",
        "Bern->Turin#2",
        "Turin->Bern#2",
    )
    assert topology.link_capacity_bps[:5].tolist() == [1e9, 1e9, 1e9, 1e9, 622.08e6]
    assert topology.link_delay_s[2] == 1150.5e-6
    assert scenario.traffic.flow_rate_bps.tolist() == [250e6, 400000125.0, 180e6, 0.0]


def test_ecmp_splits_over_edges() -> None:
    """Bern to Turin: over Lyon and over both direct edges cost 20, so each edge takes a third."""
    scenario = read(GOOD / "alps.0000.demands").scenario
    load = scenario.link_load_bps
    assert load[[4, 6]] == pytest.approx(400000125.0 / 3)
    assert load[0] == pytest.approx(250e6 + 400000125.0 / 3)


def test_a_reading_for_each_set_of_demands() -> None:
    readings = list(read_all(GOOD / "alps.graph"))
    assert [r.scenario.name for r in readings] == ["alps.0000", "alps.0001"]
    assert readings[1].scenario.flow_names == ("Bern->Turin", "Bern->Turin#2")
    assert "demands from a node to itself: 1" in readings[1].ignored
    assert [r.scenario.name for r in read_all(GOOD / "folder")] == ["bare", "line"]


def test_traffic_is_made_up_without_demands() -> None:
    made_up = read(GOOD / "folder" / "bare.graph")
    assert any("traffic: synthetic" in text for text in made_up.assumptions)
    assert made_up.scenario.link_offered_load.max() == pytest.approx(0.6)
    silent = read(GOOD / "folder" / "bare.graph", assume=ImportDefaults(load=None))
    assert silent.scenario.traffic.flow_count == 0


def test_what_the_file_does_not_say_is_noted(tmp_path: Path) -> None:
    path = tmp_path / "odd.graph"
    rows = ["a 120 10", "a 0 0", "b -120 95"]
    edges = ["up 0 1 1 10 5", "down 1 0 1 10 5", "self 2 2 1 10 5"]
    path.write_text(
        "\n".join(["NODES 3", "label x y", *rows, "", "EDGES 3", "label ...", *edges]),
        encoding="utf-8",
    )
    reading = read(path)
    assert reading.scenario.topology.node_name == ("a", "a#2", "b")
    assert reading.scenario.topology.link_name == ("up", "down")
    assert np.isnan(reading.scenario.topology.node_latitude_deg).all()
    assert "edges from a node to itself: 1" in reading.ignored
    assert any(text.startswith("coordinates of all nodes") for text in reading.ignored)


def test_delays_faster_than_fiber_are_noted(tmp_path: Path) -> None:
    """As in the Topology Zoo instances, whose delays are half the light time in vacuum."""
    path = tmp_path / "fast.graph"
    places = "a 0 50\nb 10 50\n"
    for delay, noted in (("1200", True), ("4000", False)):
        edges = f"EDGES 1\nlabel src dest weight bw delay\ne 0 1 1 10 {delay}\n"
        path.write_text(f"NODES 2\nlabel x y\n{places}\n{edges}", encoding="utf-8")
        words = " ".join(read(path).assumptions)
        assert ("1 of the 1 links" in words) == noted
        assert read(path).scenario.topology.link_delay_s[0] == float(delay) / 1e6


def test_demands_stop_at_an_empty_line_and_a_wrong_count_is_noted(tmp_path: Path) -> None:
    write(triangle(), tmp_path / "net.demands")
    text = "DEMANDS 9\nlabel src dest bw\nd 0 1 5\nd 1 0 2e1\n\nd 0 1 7\n"
    (tmp_path / "net.demands").write_text(text, encoding="utf-8")
    reading = read(tmp_path / "net.demands")
    assert reading.scenario.traffic.flow_rate_bps.tolist() == [5e3, 20e3]
    assert "demands: the 2 listed, though the file states 9" in reading.assumptions


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("d 0 1 x", "line 4: rate_bps is 'x'"),
        ("d 0 1 -5", "line 4: rate_bps is -5000: must be at least 0 bit/s"),
        ("d 0 9 5", "line 4: dest is '9': must be a node number 0 to 2"),
        ("d -1 1 5", "line 4: src is '-1'"),
        ("d 0 1 1e400", "line 4: rate_bps is inf"),
        ("0 1 5", "line 4: the line `label src dest bw` has 3 of the 4 columns"),
        ("d 0 1.5 5", "line 4: dest is '1.5'"),
    ],
)
def test_bad_demands_tell_the_line(tmp_path: Path, line: str, words: str) -> None:
    write(triangle(), tmp_path / "net.demands")
    text = f"DEMANDS 2\nlabel src dest bw\nd 0 1 5\n{line}\n"
    (tmp_path / "net.demands").write_text(text, encoding="utf-8")
    with pytest.raises(FormatError) as caught:
        read(tmp_path / "net.demands")
    assert words in str(caught.value)


def test_numbers_keep_every_digit(tmp_path: Path) -> None:
    scenario = triangle()
    write(scenario, tmp_path / "net.0003.demands")
    copy = read(tmp_path / "net.0003.demands").scenario
    assert (tmp_path / "net.graph").is_file()
    assert copy.fingerprint() == scenario.fingerprint()
    assert copy.topology.node_name == ("New_York", "b", "c")


@given(st.floats(1e-12, 1e18), st.floats(0, 1e6), st.floats(1e-6, 1e9), st.floats(0, 1e15))
def test_any_number_survives(
    tmp_path_factory: pytest.TempPathFactory,
    capacity_bps: float,
    delay_s: float,
    weight: float,
    rate_bps: float,
) -> None:
    topology = Topology.build(["a", "b"], [Link("a", "b", capacity_bps, delay_s, weight)])
    scenario = Scenario(topology, Traffic.build(topology, [Flow("a", "b", rate_bps)]))
    path = tmp_path_factory.mktemp("any") / "net.graph"
    write(scenario, path)
    assert read(path).scenario.fingerprint() == scenario.fingerprint()


def test_writing_tells_everything_that_does_not_fit(tmp_path: Path) -> None:
    scenario = generate("ring", classes="three", scheduler="sp", arrival="cbr", ecmp=False)
    scenario = scenario.with_(routing=Routing(False, None, {0: (Steer(midpoints=(3,)),)}))
    with pytest.raises(InputError) as caught:
        write(scenario, tmp_path / "net.graph")
    for words in ("schedulers", "classes", "sizes", "arrival", "single flows", "single-path"):
        assert words in str(caught.value)
    topology = triangle().topology
    down = triangle().with_(topology=topology.with_arrays(link_up=topology.link_up ^ True))
    with pytest.raises(InputError, match="that are down"):
        write(down, tmp_path / "net.graph")
    with pytest.raises(InputError, match="suffix"):
        write(triangle(), tmp_path / "net.txt", format="repetita")
    assert not list(tmp_path.iterdir())


def test_many_demands_take_few_calls_each(tmp_path: Path) -> None:
    scenario = generate("ring", nodes=310)
    plain = scenario.with_(
        topology=scenario.topology.with_arrays(schedulers=(Scheduler(),)),
        traffic=scenario.traffic.with_arrays(sizes=(Fixed(8000.0),)),
    )
    write(plain, tmp_path / "many.demands")
    found: list[Reading] = []
    assert calls(lambda: found.append(read(tmp_path / "many.demands"))) < 5 * 95_790
    assert found[0].scenario.traffic.flow_count == 95_790


def test_ecmp_agrees_with_the_reference(shared_data: Path) -> None:
    """The initial utilizations that REPETITA's own code found, to 1e-9."""
    with (shared_data / "reference" / "repetita_mcf_bound_all.csv").open(encoding="utf-8") as rows:
        reference = {r["demands_file"]: float(r["initial_mlu_ecmp"]) for r in csv.DictReader(rows)}
    files = {p.name: p for p in (shared_data / "repetita").rglob("*.demands")}
    known = sorted(reference.keys() & files.keys())
    assert known
    for name in known:
        found = read(files[name]).scenario.link_offered_load.max()
        assert found == pytest.approx(reference[name], abs=1e-9)


def test_reads_every_instance_there_is(shared_data: Path) -> None:
    readings = list(read_all(shared_data / "repetita"))
    assert len(readings) == len(list((shared_data / "repetita").rglob("*.demands")))
    assert all(r.scenario.traffic.flow_count for r in readings)
