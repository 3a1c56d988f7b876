"""CSV tables: round trips, other names and separators, what cannot be held, issues by line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nettwin.errors import FormatError, InputError
from nettwin.formats import detect, read, write
from nettwin.scenario.generate import generate
from nettwin.scenario.packet_sizes import Fixed
from nettwin.scenario.routing import Routing, Steer
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.topology import Link, Topology
from nettwin.scenario.traffic import Flow, Traffic
from tests.formats.scenarios import common_scenarios, same

GOOD = Path(__file__).parent / "good" / "csv"
BROKEN = Path(__file__).parent / "broken" / "csv"


def refused(path: Path) -> FormatError:
    with pytest.raises(FormatError) as caught:
        read(path, format="csv")
    assert caught.value.reason
    assert caught.value.remedy
    return caught.value


@given(scenario=common_scenarios(full=True), name=st.sampled_from(["net.csv", "a/links.csv", "b"]))
def test_scenarios_on_ecmp_come_back_equal(
    scenario: Scenario, name: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("csv") / name
    topology = scenario.topology
    names = [*topology.node_name, *topology.link_name, *scenario.traffic.class_name]
    names += scenario.flow_names
    if any("\r" in name for name in names):  # no CSV cell can hold it
        return
    write(scenario, path, format="csv")
    assert detect(path).name == "csv"
    reading = read(path)
    same(scenario, reading.scenario)
    assert reading.assumptions == reading.ignored == ()


def test_other_names_separators_and_units() -> None:
    reading = read(GOOD / "three_tables")
    topology, traffic = reading.scenario.topology, reading.scenario.traffic
    assert topology.node_name == ("Cork", "Aix", "Bern, old")
    assert topology.node_latitude_deg.tolist() == [51.9, 43.5, 46.9]
    assert topology.link_capacity_bps.tolist() == [1e10, 1e10, 2.5e9]
    assert topology.link_delay_s.tolist() == [0.002, 0.002, 0.008]
    assert topology.link_weight.tolist() == [10, 10, 20]
    assert topology.link_srlg[0] == ("duct", "rail")
    assert topology.link_up.tolist() == [True, True, False]
    assert topology.link_name == ("Aix->Bern, old", "west", "Aix->Cork")
    assert [topology.policy_of(k) for k in range(3)] == ["fifo", "wfq", "fifo"]
    assert traffic.flow_rate_bps.tolist() == [12.5e6, 100e6]
    assert traffic.class_name == ("voice", "best-effort")
    assert traffic.sizes[0] == Fixed(1600.0)
    told = " | ".join(reading.assumptions)
    assert "unit of capacity: bit/s" in told
    assert "unit of delay: seconds" in told
    assert "packet sizes of 1 of 2 flows" in told


def test_links_alone_make_the_nodes_and_tell_what_is_not_used() -> None:
    reading = read(GOOD / "links_alone.csv")
    assert reading.scenario.topology.node_name == ("x", "y", "z")
    assert reading.scenario.topology.link_capacity_bps.tolist() == [1e8, 1e8, 1e7]
    assert reading.ignored == ("attributes of links: Vendor",)
    assert any(text.startswith("traffic: synthetic") for text in reading.assumptions)


def test_an_empty_table_of_flows_means_none(tmp_path: Path) -> None:
    (tmp_path / "links.csv").write_text("source,target,capacity_bps\nA,B,1e6\n")
    (tmp_path / "flows.csv").write_text("source,target,rate_bps\n")
    assert read(tmp_path).scenario.traffic.flow_count == 0
    assert read(tmp_path / "links.csv").scenario.traffic.flow_count == 0


def test_duplex_links(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("a;b;capacity_mbps;duplex\nA;B;10;yes\n")
    topology = read(path).scenario.topology
    assert topology.link_name == ("A->B", "B->A")
    assert topology.link_capacity_bps.tolist() == [1e7, 1e7]


def test_what_no_table_can_hold_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    scenario = generate("ring", nodes=4)
    table = np.full((4, 4), -1, np.int32)
    for routing in (Routing(ecmp=False), Routing(steer={0: (Steer((1,)),)}), Routing(True, table)):
        with pytest.raises(InputError, match="cannot hold"):
            write(scenario.with_(routing=routing), tmp_path / "x.csv")
    topology = Topology.build(["A\rB", "C"], [Link("A\rB", "C")])
    with pytest.raises(InputError, match="carriage return"):
        write(Scenario(topology, Traffic.build(topology, [])), tmp_path / "x.csv")
    topology = Topology.build(["A", "B"], [Link("A", "B")])
    with pytest.raises(InputError, match="half a character"):
        write(
            Scenario(topology, Traffic.build(topology, [Flow("A", "B", 1.0, "\ud800")])),
            tmp_path / "x.csv",
        )
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("negative.csv", "line 2: capacity_bps is '-5'"),
        ("too_few_values.csv", "line 4: has 1 values, the header 3"),
        ("policy.csv", "line 2, scheduler.policy: no policy 'rr'"),
        ("loop.csv", "line 2: to itself"),
        ("unknown_node", "line 2: no node 'C'"),
        ("no_rate", "line 2: has no rate"),
        ("demands_alone.csv", "line 1: table of demands"),
    ],
)
def test_a_fault_names_its_line_and_column(name: str, told: str) -> None:
    error = refused(BROKEN / name)
    place, reason = told.split(": ")
    assert error.place == place
    assert reason in error.reason


@pytest.mark.parametrize("path", sorted(BROKEN.iterdir()), ids=lambda p: p.name)
def test_broken_files_are_told_by_line(path: Path) -> None:
    assert refused(path).place.startswith("line ")


def test_a_row_over_several_lines_counts_from_its_first(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text('source,target,capacity_bps\n"A\nB",C,1\n"D\nE",C,x\n')
    assert refused(path).place == "line 4"


def test_demands_over_time_are_no_network(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("time,source,target,rate_mbps\n0,A,B,1\n")
    with pytest.raises(FormatError, match="none of the known formats"):
        detect(path)


@given(text=st.text(max_size=60))
def test_no_text_makes_a_traceback(text: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_text("source,target\n" + text, encoding="utf-8", newline="")
    try:
        read(path, format="csv")
    except FormatError as error:
        assert error.reason
