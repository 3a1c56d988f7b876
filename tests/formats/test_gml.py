"""GML: what the Topology Zoo, igraph and yEd write; any text gives a network or a clear error."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nettwin.errors import FormatError
from nettwin.formats import detect, read, read_all
from nettwin.formats.gml import GML, Item, parse

GOOD = Path(__file__).parent / "good" / "gml"


def test_a_zoo_network_is_read_with_its_gaps_told() -> None:
    reading = read(GOOD / "zoo.gml")
    topology = reading.scenario.topology
    assert reading.scenario.name == "Fjordnet"
    assert topology.node_name == ("Alta", "Mühl & Co", "Alta#2")
    assert topology.link_capacity_bps.tolist() == [2.5e9, 2.5e9, 155e6, 155e6, 10e9, 10e9]
    assert topology.link_delay_s[0] > 0
    assert "nodes: the 1 that stand for a shared medium (hyperedge) are kept" in reading.assumptions
    assert "attributes of the graph: GeoLocation" in reading.ignored
    assert "values that say nothing certain: LinkLabel '<10 Gbps'" in reading.ignored
    assert not any(text.startswith("attributes of edges") for text in reading.ignored)


def test_igraph_breaks_lines_before_brackets() -> None:
    topology = read(GOOD / "igraph.gml").scenario.topology
    assert topology.node_name == ("x", "y")
    assert topology.node_longitude_deg.tolist()[0] == -2.5
    assert topology.link_capacity_bps.tolist() == pytest.approx([100e6, 48 * 51.84e6])
    assert topology.link_delay_s.tolist() == pytest.approx([3e-3, 200e3 / (299_792_458 * 2 / 3)])


def test_nested_lists_of_a_drawing_are_told_and_left_out() -> None:
    reading = read(GOOD / "yed.gml")
    assert reading.scenario.topology.link_name == ("one->two",)
    assert reading.scenario.topology.link_capacity_bps.tolist() == [1e9]
    assert "attributes of nodes: LabelGraphics, graphics" in reading.ignored


def test_items_keep_their_lines() -> None:
    items = parse('a 1 # x ]\n\nb [ c "two\nlines"\nd 4 ]\n', Path("x"))
    assert items == [
        Item("a", "1", 1),
        Item("b", [Item("c", "two\nlines", 3), Item("d", "4", 5)], 3),
    ]


def test_several_graphs_give_several_scenarios(tmp_path: Path) -> None:
    path = tmp_path / "two.gml"
    path.write_text('graph [ label "p" node [ id 1 ] ]\ngraph [ node [ id "n" ] node [ id 2 ] ]\n')
    assert [r.scenario.name for r in read_all(path)] == ["p", "two"]


@pytest.mark.parametrize(
    ("text", "theirs"),
    [
        ('# hello\nCreator "me"\nVersion 1\ngraph\n[\n', True),
        ("graph[", True),
        ("graph {\n a -- b\n}\n", False),
        ("title: graph [ of things\n", False),
        ("x," * 30_000, False),
        ("a 1 " * 15_000, False),
        ('"graph" [', False),
    ],
)
def test_detection_looks_at_the_first_keys(tmp_path: Path, text: str, theirs: bool) -> None:
    assert GML().detects(tmp_path / "file", text.encode()) is theirs


def test_a_detected_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("graph [ node [ id 0 ] ]")
    assert detect(path).name == "gml"
    assert read(path).scenario.topology.node_name == ("0",)


WORDS = st.sampled_from(
    [
        "graph",
        "node",
        "edge",
        "id",
        "source",
        "target",
        "[",
        "]",
        "0",
        "1",
        '"a"',
        '"',
        "#",
        "-1e999",
        "directed",
        "&#0;",
        "weight",
        "é",
        "\n",
        "label",
        "LinkSpeedRaw",
        "Latitude",
    ]
)


@given(st.lists(WORDS, max_size=60).map(" ".join) | st.text(max_size=80))
def test_any_text_gives_items_or_a_clear_error(text: str) -> None:
    try:
        parse(text, Path("some.gml"))
    except FormatError as error:
        assert error.place.startswith("line ")
        assert error.reason
        assert error.remedy


@given(st.lists(WORDS, max_size=60).map(lambda words: f"graph [ {' '.join(words)} ]"))
def test_any_graph_gives_a_scenario_or_a_clear_error(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.gml"
    path.write_text(text, encoding="utf-8")
    try:
        list(read_all(path, format="gml"))
    except FormatError as error:
        assert error.reason
        assert error.remedy
