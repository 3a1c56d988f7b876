"""containerlab: both ways to write a link, what leads outside, what labels and vars may say."""

from __future__ import annotations

from pathlib import Path

import pytest

from nettwin.errors import FormatError
from nettwin.formats import detect, read
from nettwin.formats.yaml_document import line_of, parse_yaml

GOOD = Path(__file__).parent / "good" / "containerlab"


def test_a_lab_is_read_with_its_gaps_told() -> None:
    reading = read(GOOD / "leaf_spine.clab.yml")
    topology = reading.scenario.topology
    assert reading.scenario.name == "leaf-spine"
    assert topology.node_name == ("spine", "leaf1", "leaf2", "host", "br-1")
    assert topology.link_name[::2] == (
        "spine->leaf1",
        "spine->leaf2",
        "spine->leaf2#2",
        "leaf1->host",
        "host->br-1",
    )
    assert topology.link_capacity_bps.tolist()[::2] == [100e6, 1e9, 10e9, 10e9, 10e9]
    assert topology.link_delay_s.tolist()[:4] == [2e-3, 2e-3, 0.0, 0.0]
    assert topology.node_latitude_deg.tolist()[0] == 60.0
    told = set(reading.assumptions)
    assert "capacity of 1 link: what bandwidth_mbps says ('100')" in told
    assert "capacity of 6 of 10 links: 10 Gbit/s" in told
    assert "nodes: the bridges are kept as nodes (br-1)" in told
    left_out = "\n".join(reading.ignored)
    for what in (
        "macvlan:",
        "mgmt-net:",
        "type host",
        "owner",
        "to itself",
        "defaults, kinds, mgmt",
    ):
        assert what in left_out


def test_a_lab_without_links_is_a_network_without_traffic() -> None:
    scenario = read(GOOD / "single.clab.yml").scenario
    assert (scenario.topology.node_count, scenario.topology.link_count) == (1, 0)


def test_detection_is_by_content(tmp_path: Path) -> None:
    path = tmp_path / "lab.yml"
    path.write_bytes((GOOD / "leaf_spine.clab.yml").read_bytes())
    assert detect(path).name == "containerlab"


def test_a_node_may_be_called_host(tmp_path: Path) -> None:
    path = tmp_path / "x.clab.yml"
    path.write_text(
        "topology:\n  nodes: {host: {kind: linux}, b: {kind: linux}}\n"
        "  links:\n  - endpoints: [host:eth1, b:eth1]\n"
    )
    reading = read(path)
    assert reading.scenario.topology.link_name == ("host->b", "b->host")
    assert reading.scenario.name == "x"


def test_an_error_names_the_line_and_near_names(tmp_path: Path) -> None:
    path = tmp_path / "x.clab.yml"
    path.write_text(
        "topology:\n  nodes:\n    spine: {kind: linux}\n    leaf: {kind: linux}\n"
        '  links:\n    - endpoints: ["spine:e1", "leaf:e1"]\n'
        '    - endpoints: ["spin:e2", "leaf:e2"]\n'
    )
    with pytest.raises(FormatError) as caught:
        read(path)
    assert caught.value.place == "line 7"
    assert 'there is no node "spin"; did you mean: spine' in caught.value.reason


class TestYamlDocument:
    """What every YAML format leans on."""

    def test_lines_are_those_of_the_file(self) -> None:
        document = parse_yaml("a: 1\n\nb:\n  - x\n  - y: 2\n", Path("x"))
        assert line_of(document, "b") == "line 3"
        assert line_of(document["b"], 1) == "line 5"
        assert line_of(document["b"][1], "y") == "line 5"
        assert line_of("text", "y") == ""

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("a: [1, 2", "line 1"),
            ("a: 1\na: 2\n", "line 2: found duplicate key"),
            ("a: 1\nb: 2001-99-99\n", "line 2: the value cannot be read"),
            (f"a: {'9' * 5000}\n", "line 1: the value cannot be read"),
            ("a: b\nc: \0\n", "line 2: holds the control character U+0000"),
            ("a: " + "[" * 5_000, "line 1: is nested deeper than 40 levels"),
            ("a: &a [*a]\n", "line 1: the alias *a stands inside what it stands for"),
            ("a: *b\n", "line 1: found undefined alias 'b'"),
            ("? [{a: 1}]\n: 1\n", "is not valid YAML (unhashable"),
            ("- 1\n", "line 1: holds a list"),
            ("", "line 1: holds no mapping"),
            ("a: 1\n---\nb: 2\n", "line 2: but found another document"),
            ('a: "\\UFFFFFFFF"\n', "is not valid YAML"),
        ],
    )
    def test_what_is_refused(self, text: str, told: str) -> None:
        with pytest.raises(FormatError) as caught:
            parse_yaml(text, Path("x.yml"))
        assert told in str(caught.value)

    def test_aliases_may_repeat_but_not_explode(self) -> None:
        lines = ["a: &a [x, x, x, x, x, x, x, x, x, x]"]
        for before, name in zip("abcdef", "bcdefg", strict=True):
            lines.append(f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]")
        document = parse_yaml("\n".join(lines[:3]), Path("x"))
        assert len(document["c"][9][9]) == 10
        with pytest.raises(FormatError, match="grows to more than"):
            parse_yaml("\n".join(lines), Path("x"))

    def test_no_tag_becomes_an_object(self) -> None:
        document = parse_yaml("a: !!python/object/apply:os.getcwd []\n", Path("x"))
        assert list(document["a"]) == []
