"""TopoHub: networks by name, lengths and positions only where they are physical."""

from __future__ import annotations

import importlib.resources
import json
import math
from pathlib import Path

import numpy as np
import pytest

from nettwin.errors import FormatError, MissingExtraError
from nettwin.formats import detect, read, topohub
from nettwin.scenario.generate import LIGHT_IN_FIBER_M_PER_S, fiber_delay_s

pytest.importorskip("topohub", reason="needs the extra topohub")


def data(name: str) -> dict:  # type: ignore[type-arg]
    file = importlib.resources.files("topohub") / "data" / f"{name}.json"
    return json.loads(file.read_text(encoding="utf-8"))  # type: ignore[no-any-return]


def test_a_name_is_detected_without_a_file() -> None:
    assert detect("topohub:anything").name == "topohub"


def test_a_network_with_demands() -> None:
    reading = read("topohub:sndlib/germany50")
    raw, scenario = data("sndlib/germany50"), reading.scenario
    assert (reading.source, scenario.name) == ("topohub:sndlib/germany50", "sndlib-germany50")
    assert scenario.topology.node_name == tuple(node["name"] for node in raw["nodes"])
    assert scenario.topology.link_count == 2 * len(raw["edges"])
    demands = sum(sum(row.values()) for row in raw["graph"]["demands"].values())
    assert scenario.traffic.flow_rate_bps.sum() == pytest.approx(demands * 1e6)
    # its lengths are great circles on a slightly other Earth
    delay_s = scenario.topology.link_delay_s
    assert delay_s == pytest.approx(fiber_delay_s(scenario.topology), rel=2e-3, abs=1e-7)
    assert "unit of demands: Mbit/s, as topohub names none" in reading.assumptions
    assert any("ECMP" in text for text in reading.ignored)


def test_an_overload_is_told_not_scaled() -> None:
    reading = read("topohub:sndlib/abilene")
    assert reading.scenario.traffic.flow_rate_bps.sum() == pytest.approx(3e12, rel=1e-3)
    assert any("offer the busiest link" in text for text in reading.assumptions)


def test_positions_on_a_plane_give_lengths_but_no_places() -> None:
    raw, reading = data("gabriel/25/0"), read("topohub:gabriel/25/0")
    topology = reading.scenario.topology
    assert np.isnan(topology.node_latitude_deg).all()
    km = [edge["dist"] for edge in raw["edges"]]
    assert topology.link_delay_s[::2] == pytest.approx(np.array(km) * 1e3 / LIGHT_IN_FIBER_M_PER_S)
    assert any(text.startswith("positions of nodes") for text in reading.ignored)


def test_lengths_between_positions_in_a_drawing_are_not_believed() -> None:
    reading = read("topohub:sndlib/newyork")
    assert not reading.scenario.topology.link_delay_s.any()
    assert any(text.startswith("lengths of links") for text in reading.ignored)


def test_nodes_without_a_name_are_called_by_their_number() -> None:
    raw = data("caida/2024-08/5384")
    names = read("topohub:caida/2024-08/5384").scenario.topology.node_name
    assert names == tuple(str(node.get("name", node["id"])) for node in raw["nodes"])


def test_every_group_of_networks_is_read() -> None:
    groups: dict[str, list[str]] = {}
    for name in topohub.names():
        groups.setdefault(name.partition("/")[0], []).append(name)
    assert {"backbone", "caida", "gabriel", "sndlib", "topozoo"} <= groups.keys()
    for names in groups.values():
        for name in names[:: math.ceil(len(names) / 5)]:
            raw = data(name)
            if len(raw["nodes"]) <= 200:
                topology = read(f"topohub:{name}").scenario.topology
                assert topology.node_count == len(raw["nodes"])
                assert topology.link_count == 2 * len(raw["edges"])


@pytest.mark.parametrize(
    "name", ["sndlib/germany5", "", ".", "../topohub/data/sndlib/polska", "/etc"]
)
def test_an_unknown_name_offers_near_ones(name: str) -> None:
    with pytest.raises(FormatError) as caught:
        read(f"topohub:{name}")
    assert "there is no network of topohub" in caught.value.reason
    if name == "sndlib/germany5":
        assert "did you mean: sndlib/germany50" in caught.value.reason


def test_without_the_package_the_command_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr("nettwin.formats.topohub.importlib.resources.files", missing)
    with pytest.raises(MissingExtraError, match=r"pip install 'nettwin\[topohub\]'"):
        read("topohub:sndlib/polska")


@pytest.mark.parametrize("text", ["[]", "{}", '{"nodes": 3}', '{"nodes": [{}], "edges": []}', "{"])
def test_another_form_than_expected_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str
) -> None:
    (tmp_path / "net.json").write_text(text)
    monkeypatch.setattr(topohub, "_folder", lambda: tmp_path)
    with pytest.raises(FormatError, match="topohub:net"):
        read("topohub:net")
