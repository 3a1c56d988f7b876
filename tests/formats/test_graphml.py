"""GraphML: what the Topology Zoo, networkx and yEd write, and what attributes are taken to mean."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from nettwin.errors import FormatError
from nettwin.formats import ImportDefaults, detect, read, read_all
from nettwin.formats.edge_attributes import (
    edge_facts,
    label_rate_bps,
)
from nettwin.scenario.generate import LIGHT_IN_FIBER_M_PER_S

GOOD = Path(__file__).parent / "good" / "graphml"
HEAD = '<graphml xmlns="http://graphml.graphdrawing.org/xmlns">'


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "net.graphml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_zoo_network_is_read_with_its_gaps_told() -> None:
    reading = read(GOOD / "zoo.graphml")
    topology = reading.scenario.topology
    assert reading.scenario.name == "Fjordnet"
    assert topology.node_name == ("Alta", "Bergo", "Bergo#2")
    assert topology.link_name == (
        "Alta->Bergo",
        "Bergo->Alta",
        "Bergo->Bergo#2",
        "Bergo#2->Bergo",
        "Bergo->Bergo#2#2",
        "Bergo#2->Bergo#2",
    )
    assert topology.link_capacity_bps.tolist() == pytest.approx(
        [10e9, 10e9, 16 * 155.52e6, 16 * 155.52e6, 10e9, 10e9]
    )
    assert topology.node_latitude_deg.tolist()[:2] == [60.0, 61.0]
    assert "capacity of 2 of 6 links: 10 Gbit/s" in reading.assumptions
    assert "capacity of 1 edge: what LinkLabel says ('STM-16')" in reading.assumptions
    assert "nodes: the 1 that belong to other networks (Internal 0) are kept" in reading.assumptions
    assert "values that say nothing certain: LinkLabel '10-20Gbps'" in reading.ignored
    assert "edges from a node to itself: 1" in reading.ignored


def test_units_in_names_are_understood_and_directions_kept() -> None:
    topology = read(GOOD / "networkx.graphml").scenario.topology
    assert topology.link_name == ("a->b", "b->a")
    assert topology.link_capacity_bps.tolist() == [10e9, 40e9]
    assert topology.link_delay_s.tolist() == [2.5e-3, 2.5e-3]
    assert topology.link_weight.tolist() == [3.0, 1.0]


def test_a_yed_drawing_gives_labels_groups_and_arrows() -> None:
    reading = read(GOOD / "yed.graphml")
    assert reading.scenario.topology.node_name == ("Rome", "Oslo", "n2")
    # no arrow: both ways; an arrow at the source alone turns the edge round
    assert reading.scenario.topology.link_name == (
        "Rome->Oslo",
        "Oslo->Rome",
        "Rome->n2",
        "n2->Rome",
    )
    assert reading.scenario.topology.link_capacity_bps.tolist() == [20e9, 20e9, 10e9, 10e9]
    assert "groups of nodes that no edge ends at: 1" in reading.ignored


def test_a_hyperedge_becomes_a_hub() -> None:
    reading = read(GOOD / "hyperedge.graphml")
    topology = reading.scenario.topology
    assert topology.node_name == ("a", "b", "c", "hyperedge lan0")
    assert topology.link_count == 6
    assert "nodes: 1 more, each a hub in place of a hyperedge" in reading.assumptions


def test_one_file_may_hold_several_graphs(tmp_path: Path) -> None:
    graph = '<graph edgedefault="undirected"><node id="a"/><node id="b"/>{}</graph>'
    edge = '<edge source="a" target="b"/>'
    path = written(tmp_path, HEAD + graph.format(edge) + graph.format(edge * 2) + "</graphml>")
    assert [r.scenario.topology.link_count for r in read_all(path)] == [2, 4]


def test_a_default_holds_where_nothing_is_said(tmp_path: Path) -> None:
    key = '<key id="k" for="edge" attr.name="capacity"><default>40 Gbit/s</default></key>'
    edges = (
        '<edge source="a" target="b"/><edge source="a" target="b"><data key="k">1G</data></edge>'
    )
    graph = f'<graph edgedefault="directed"><node id="a"/><node id="b"/>{edges}</graph>'
    reading = read(written(tmp_path, HEAD + key + graph + "</graphml>"))
    assert reading.scenario.topology.link_capacity_bps.tolist() == [40e9, 1e9]
    assert (
        "directions: one way only, as the graph is directed and no edge has one back"
        in reading.assumptions
    )


def test_what_a_source_leaves_out_comes_from_the_assumptions_given() -> None:
    reading = read(GOOD / "hyperedge.graphml", assume=ImportDefaults(capacity_bps=5e6, load=None))
    assert set(reading.scenario.topology.link_capacity_bps.tolist()) == {5e6}
    assert reading.scenario.traffic.flow_count == 0


@pytest.mark.parametrize(
    ("label", "rate_bps"),
    [
        ("10 Gbps", 10e9),
        ("2.5G", 2.5e9),
        ("155 Mbit/s", 155e6),
        ("45mbps", 45e6),
        ("64 kbit/s", 64e3),
        ("10GE", 10e9),
        ("1GbE", 1e9),
        ("2x10G", 20e9),
        ("4 * 2.5 Gbps", 10e9),
        ("STM-16", 2488.32e6),
        ("OC-48", 2488.32e6),
        ("oc192", 9953.28e6),
        ("STM 1", 155.52e6),
        ("E3", 34.368e6),
        ("T1", 1.544e6),
        ("Gigabit Ethernet", 1e9),
    ],
)
def test_a_label_that_is_sure_gives_its_rate(label: str, rate_bps: float) -> None:
    assert label_rate_bps(label) == pytest.approx(rate_bps, rel=1e-12)


@pytest.mark.parametrize(
    "label",
    [
        "",
        "10",
        "10-20Gbps",
        "<10 Gbps",
        ">= 10G",
        "1 GB/s",
        "10 m",
        "fiber 3",
        "DWDM",
        "0 Gbps",
        "1e400G",
        "-5G",
        "10G/1G",
        "STM-",
        "STM-0",
        "x" * 100_000,
        "9" * 100_000 + "G",
    ],
)
def test_a_label_that_is_not_sure_gives_nothing(label: str) -> None:
    assert math.isnan(label_rate_bps(label))


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({"bandwidth_mbps": "100"}, (100e6, math.nan, math.nan)),
        ({"Capacity (Gbps)": "1"}, (1e9, math.nan, math.nan)),
        ({"bandwidth": "100"}, (math.nan, math.nan, math.nan)),
        ({"LinkSpeed": "2.5", "LinkSpeedUnits": "G"}, (2.5e9, math.nan, math.nan)),
        ({"LinkSpeed": "2.5"}, (math.nan, math.nan, math.nan)),
        ({"LinkSpeedRaw": "1e9", "LinkLabel": "unknown"}, (1e9, math.nan, math.nan)),
        ({"delay": "5"}, (math.nan, math.nan, math.nan)),
        ({"delay": "5 ms"}, (math.nan, 5e-3, math.nan)),
        ({"delays": "5"}, (math.nan, math.nan, math.nan)),
        ({"delay_s": "5"}, (math.nan, 5.0, math.nan)),
        ({"latencyUs": "5"}, (math.nan, 5e-6, math.nan)),
        ({"length": "300"}, (math.nan, math.nan, math.nan)),
        ({"length_km": "300"}, (math.nan, 300e3 / LIGHT_IN_FIBER_M_PER_S, math.nan)),
        ({"OSPF cost": "7"}, (math.nan, math.nan, 7.0)),
        ({"weight": ""}, (math.nan, math.nan, math.nan)),
    ],
)
def test_an_attribute_counts_where_its_unit_is_known(
    attributes: dict[str, str], expected: tuple[float, float, float]
) -> None:
    facts = edge_facts(attributes, Path("x"), "line 1")
    got = (facts.capacity_bps, facts.delay_s, facts.weight)
    assert got == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize(
    ("text", "theirs"),
    [
        (b"\xef\xbb\xbf<?xml version='1.0'?><!-- <html> --><graphml>", True),
        ("<?xml version='1.0' encoding='utf-16'?><graphml>".encode("utf-16"), True),
        (b"<g:graphml xmlns:g='x'>", True),
        (b"<html><!-- <graphml> --></html>", False),
        (b"<network><graphml/></network>", False),
        (b"<!--" * 5000, False),
        (b"graphml", False),
    ],
)
def test_detection_looks_at_the_first_element(tmp_path: Path, text: bytes, theirs: bool) -> None:
    path = tmp_path / "file"
    path.write_bytes(text)
    if theirs:
        assert detect(path).name == "graphml"
    else:
        with pytest.raises(FormatError, match="none of the known formats"):
            detect(path)


def test_an_error_names_file_line_reason_and_remedy(tmp_path: Path) -> None:
    body = (
        '\n<graph edgedefault="undirected">\n<node id="Oslo"/>\n<edge source="Oslo" target="Olso"/>'
    )
    path = written(tmp_path, HEAD + body + "</graph></graphml>")
    with pytest.raises(FormatError) as caught:
        read(path)
    assert (caught.value.path, caught.value.place) == (str(path), "line 4")
    assert 'there is no node "Olso"; did you mean: Oslo' in str(caught.value)


def test_no_entity_is_ever_resolved(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("hidden")
    path = written(
        tmp_path,
        f'<!DOCTYPE graphml [<!ENTITY e SYSTEM "{secret.as_uri()}">]>{HEAD}'
        '<graph edgedefault="undirected"><node id="&e;"/></graph></graphml>',
    )
    with pytest.raises(FormatError, match="document type or entities") as caught:
        read(path)
    assert "hidden" not in str(caught.value)
