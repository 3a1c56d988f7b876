"""Node-link JSON: round trips, the dialects of networkx and d3, units told, issues by line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from nettwin.errors import FormatError, InputError
from nettwin.formats import detect, read, write
from nettwin.scenario.generate import LIGHT_IN_FIBER_M_PER_S, generate
from nettwin.scenario.routing import Routing, Steer
from nettwin.scenario.scenario import Scenario
from tests.formats.scenarios import common_scenarios, same

GOOD = Path(__file__).parent / "good" / "node-link"
BROKEN = Path(__file__).parent / "broken" / "node-link"
NODES = [{"id": "a"}, {"id": "b"}]
LINK = {"source": "a", "target": "b"}


def refused(path: Path) -> FormatError:
    with pytest.raises(FormatError) as caught:
        read(path, format="node-link")
    assert caught.value.reason
    assert caught.value.remedy
    return caught.value


def graph(folder: Path, **parts: Any) -> Path:
    path = folder / "x.json"
    data = {"directed": True, "nodes": NODES, "links": [LINK], **parts}
    path.write_text(json.dumps(data, indent=1))
    return path


@given(scenario=common_scenarios(full=True))
def test_scenarios_on_igp_weights_come_back_equal(
    scenario: Scenario, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("node-link") / "x.node-link.json"
    scenario = scenario.with_(routing=Routing(ecmp=scenario.topology.node_count % 2 == 0))
    write(scenario, path)
    assert detect(path).name == "node-link"
    reading = read(path)
    same(scenario, reading.scenario)
    assert reading.scenario.name == scenario.name
    assert reading.assumptions == reading.ignored == ()


def test_notes_come_back(tmp_path: Path) -> None:
    scenario = generate("ring", nodes=3).with_(notes={"source": "made"})
    write(scenario, tmp_path / "x.node-link.json")
    assert read(tmp_path / "x.node-link.json").scenario.notes == {"source": "made"}


def test_the_graph_tool_finds_what_it_needs(tmp_path: Path) -> None:
    write(generate("ring", nodes=3), tmp_path / "x.json", format="node-link")
    data = json.loads((tmp_path / "x.json").read_text(encoding="utf-8"))
    assert data["directed"] is data["multigraph"] is True
    assert {node["id"] for node in data["nodes"]} >= {
        end for link in data["links"] for end in (link["source"], link["target"])
    }


def test_an_undirected_graph_with_numbers_for_names() -> None:
    reading = read(GOOD / "undirected.json")
    topology, traffic = reading.scenario.topology, reading.scenario.traffic
    assert reading.scenario.name == "Triangle"
    assert topology.node_name == ("1", "2", "3")
    assert topology.link_name == ("1->2", "2->1", "2->3", "3->2", "1->3", "3->1")
    assert topology.link_capacity_bps.tolist() == [1e10, 1e10, 1e9, 1e9, 1e10, 1e10]
    assert topology.link_delay_s.tolist()[:4] == [0.002, 0.002, 0.001, 0.001]
    assert topology.link_delay_s[4] == pytest.approx(1e5 / LIGHT_IN_FIBER_M_PER_S)
    assert topology.link_weight.tolist() == [3, 3, 1, 1, 1, 1]
    assert traffic.flow_rate_bps.tolist() == [2e6]
    told = " | ".join(reading.assumptions)
    assert "unit of capacity: bit/s, as it is not said" in told
    assert "unit of delay: seconds" in told
    assert reading.ignored == ("attributes of nodes: color",)


def test_parallel_edges_and_one_that_is_down() -> None:
    topology = read(GOOD / "edges.json").scenario.topology
    assert topology.link_name == ("a->b", "a->b#2", "b->a")
    assert topology.link_up.tolist() == [True, True, False]


def test_links_that_count_nodes_by_position() -> None:
    reading = read(GOOD / "positions.json")
    assert reading.scenario.topology.link_name == ("north->south", "south->north")
    assert reading.ignored == ("attributes of nodes: group", "attributes of links: value")


def test_labels_are_names_and_that_is_told(tmp_path: Path) -> None:
    nodes = [{"id": "a", "label": "Aix"}, {"id": "b", "label": "Bern"}]
    reading = read(graph(tmp_path, nodes=nodes, flows=[{**LINK, "rate": 5}]))
    assert reading.scenario.topology.link_name == ("Aix->Bern",)
    assert reading.scenario.flow_names == ("Aix->Bern",)
    assert "names of nodes: their name or label, not their id" in reading.assumptions
    assert "unit of rate: bit/s, as it is not said" in reading.assumptions


def test_attributes_without_a_name_are_not_used(tmp_path: Path) -> None:
    reading = read(graph(tmp_path, links=[{**LINK, "": 5}], nodes=[{**n, "": [1]} for n in NODES]))
    assert reading.scenario.topology.link_up.tolist() == [True]
    assert len(reading.ignored) == 2


def test_half_a_character_is_refused(tmp_path: Path) -> None:
    nodes = [{"id": "a"}, {"id": "\U0001f600"}]
    links = [{"source": "a", "target": "\U0001f600"}]
    read(graph(tmp_path, nodes=nodes, links=links))
    assert "half" in refused(graph(tmp_path, nodes=[{"id": "a"}, {"id": "\ud800"}])).reason


def test_what_it_cannot_hold_is_refused(tmp_path: Path) -> None:
    scenario = generate("ring", nodes=4)
    with pytest.raises(InputError, match="paths of their own"):
        write(
            scenario.with_(routing=Routing(steer={0: (Steer((1,)),)})),
            tmp_path / "x.node-link.json",
        )
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("parts", "place", "reason"),
    [
        ({"links": [LINK, {**LINK, "target": "c"}]}, "links[1].target", "not the id of a node"),
        ({"links": [{**LINK, "target": ["b"]}]}, "links[0].target", "is not the id"),
        ({"links": [{**LINK, "capacity": 0}]}, "links[0]", "above 0"),
        ({"links": [{**LINK, "capacity": 10**400}]}, "links[0]", "capacity_bps is"),
        ({"links": [{**LINK, "scheduler": 7}]}, "links[0].scheduler", "mapping"),
        ({"links": [{**LINK, "srlg": [1]}]}, "links[0]", "names"),
        ({"links": 5}, "links", "is 5"),
        ({"nodes": [{"id": "a"}, {}]}, "nodes[1]", "id empty"),
        ({"nodes": [{"id": True}]}, "nodes[0]", "id true"),
        ({"nodes": [{"id": 1}, {"id": "1"}]}, "nodes[1]", "duplicate node"),
        ({"graph": 7}, "graph", "must be an object"),
        ({"graph": {"ecmp": "no"}}, "graph.ecmp", "'no'"),
        ({"graph": {"demands": [{**LINK}]}}, "graph.demands[0]", "no rate"),
        ({"flows": [{**LINK, "rate_bps": -1}]}, "flows[0]", "at least 0"),
        ({"flows": [{**LINK, "rate_bps": 1, "size": 5}]}, "flows[0].size", "must be said"),
    ],
)
def test_a_fault_names_its_line_and_place(
    tmp_path: Path, parts: dict[str, Any], place: str, reason: str
) -> None:
    error = refused(graph(tmp_path, **parts))
    assert error.place.startswith("line ")
    assert error.place.endswith(f", {place}")
    assert reason in error.reason


def test_the_line_is_the_one_of_the_record(tmp_path: Path) -> None:
    path = graph(tmp_path, links=[LINK, {**LINK, "weight": -1}])
    lines = path.read_text().split("\n")
    second = [i for i, line in enumerate(lines, 1) if line == "  {"][len(NODES) + 1]
    assert refused(path).place == f"line {second}, links[1]"


@pytest.mark.parametrize("path", sorted(BROKEN.iterdir()), ids=lambda p: p.name)
def test_broken_files_are_told_by_line(path: Path) -> None:
    assert refused(path).place.startswith("line ")


@pytest.mark.parametrize(
    ("text", "taken"),
    [
        ('{"directed": true, "nodes": []}', True),
        ('{"nettwin": 1, "nodes": [], "links": []}', False),
        ('{"ietf-network:networks": {"network": [{"nodes": 1}]}}', False),
        ('[{"nodes": []}]', False),
        ("nodes: []\nlinks: []", False),
    ],
)
def test_only_node_link_is_taken_for_it(tmp_path: Path, text: str, taken: bool) -> None:
    path = tmp_path / "x.json"
    path.write_text(text)
    try:
        name = detect(path).name
    except FormatError:
        name = ""
    assert (name == "node-link") is taken


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"capacity": "10GB"}, "must be a rate such as 10G"),
        ({"bandwidth": "fast"}, "must be a rate such as 10G"),
        ({"delay": "5 parsecs"}, "must be a time such as 5ms"),
        ({"latency": "-3ms"}, "must be a time such as 5ms"),
    ],
)
def test_what_cannot_be_read_is_refused_as_the_native_format_does(
    tmp_path: Path, said: dict[str, str], reason: str
) -> None:
    ((key, value),) = said.items()
    error = refused(graph(tmp_path, links=[{**LINK, **said}]))
    assert key in error.reason and value in error.reason and reason in error.reason
    assert "links[0]" in error.place
    if key in ("capacity", "delay"):
        native = tmp_path / "native.yaml"
        native.write_text(
            f"nettwin: 1\nnodes: [a, b]\nlinks: [{{source: a, target: b, {key}: {value}}}]"
        )
        with pytest.raises(FormatError):
            read(native)


@pytest.mark.parametrize("text", ["45 Mbit/s", "1e3kbps", "0.045G"])
def test_every_rate_that_the_native_format_reads_is_read(tmp_path: Path, text: str) -> None:
    found = read(graph(tmp_path, links=[{**LINK, "capacity": text}])).scenario
    assert found.topology.link_capacity_bps[0] == pytest.approx(45e6 if "45" in text else 1e6)
