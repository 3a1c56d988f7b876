"""ietf-network: standard leaves and our own, layers, notes, and writing by the models' rules."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nettwin.errors import FormatError
from nettwin.formats import read, read_all, write
from nettwin.formats.ietf.writing import document
from nettwin.scenario.arrivals import CBR, OnOff, Trace
from nettwin.scenario.generate import generate
from nettwin.scenario.packet_sizes import Discrete
from nettwin.scenario.routing import Routing, Steer
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.topology import Link, Node, Topology
from nettwin.scenario.traffic import Flow, Traffic

GOOD = Path(__file__).parent / "good" / "ietf-network"
LINK = "ietf-network-topology:link"
TE = "ietf-te-topology:te"
# te-types: the float of RFC 8294 and a coordinate of at most eight decimals
FLOAT32 = re.compile(
    r"0[xX](0((\.0?)?[pP](\+)?0?|(\.0?))|"
    r"1(\.([\da-fA-F]{0,5}[02468aAcCeE]?)?)?[pP](\+)?(12[0-7]|1[01]\d|0?\d?\d)?)"
)
DEGREES = re.compile(r"-?\d+(\.\d{1,8})?")


def network(links: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    nodes = [{"node-id": name} for name in ("a", "b")]
    one = {"network-id": "net", "node": nodes, LINK: links, **more}
    return {"ietf-network:networks": {"network": [one]}}


def link(**attributes: Any) -> dict[str, Any]:
    return {
        "link-id": "x",
        "source": {"source-node": "a"},
        "destination": {"dest-node": "b"},
        TE: {"te-link-attributes": attributes},
    }


def saved(folder: Path, data: object) -> Path:
    path = folder / "network.json"
    path.write_text(json.dumps(data), encoding="utf-8")
    return path


def test_layers() -> None:
    (reading,) = read_all(GOOD / "layers.json")
    topology = reading.scenario.topology
    assert reading.scenario.name == "backbone"
    assert topology.node_name == ("oslo", "bergen", "malmo")
    assert topology.node_latitude_deg.tolist() == [59.91, 60.39, 55.61]
    assert topology.link_weight.tolist() == [30, 30, 45, 45]
    assert topology.link_capacity_bps.tolist() == [1e9, 1e9, 1.2e9, 1.2e9]
    assert topology.link_delay_s.tolist() == [1.5e-3, 1.5e-3, 3.1e-3, 3.1e-3]
    assert topology.link_srlg[0] == ("17",)
    assert "propagation delay of 2 links: te-delay-metric as µs" in reading.assumptions
    assert {
        "supporting-network optical of network backbone: each is read by itself",
        "network optical, which has no links",
        "l3-link-attributes/metric2 of 4 links",
    } <= set(reading.ignored)


def test_our_own_module() -> None:
    scenario = read(GOOD / "own-module.json").scenario
    assert scenario.topology.link_delay_s.tolist() == [1.25e-3, 1.25e-3, 0.0, 0.0]
    assert scenario.topology.link_weight.tolist() == [1.5, 1, 1, 1]
    assert scenario.topology.policy_of(0) == "sp"
    assert scenario.topology.link_srlg[0] == ("duct",)
    assert scenario.traffic.class_name == ("voice", "best-effort")
    assert scenario.traffic.arrivals[0] == CBR()
    assert not scenario.routing.ecmp
    assert scenario.paths.of(0) == [(1.0, [0, 2])]


@pytest.mark.parametrize(
    ("text", "bps"),
    [("0x1p+30", 8 * 2**30), ("0X1.4p10", 10240), ("125000000", 1e9), (1.25e8, 1e9), ("1e3", 8e3)],
)
def test_bandwidth_is_in_bytes_a_second(tmp_path: Path, text: str | float, bps: float) -> None:
    for bandwidth in ({"te-bandwidth": {"generic": text}}, text):
        path = saved(tmp_path, network([link(**{"max-link-bandwidth": bandwidth})]))
        assert read(path).scenario.topology.link_capacity_bps[0] == bps


def test_metrics_in_their_order(tmp_path: Path) -> None:
    one = link(**{"te-default-metric": 7})
    assert read(saved(tmp_path, network([one]))).scenario.topology.link_weight[0] == 7
    one[TE]["te-link-attributes"]["te-igp-metric"] = 6
    assert read(saved(tmp_path, network([one]))).scenario.topology.link_weight[0] == 6
    one["ietf-l3-unicast-topology:l3-link-attributes"] = {"metric1": "5"}
    reading = read(saved(tmp_path, network([one])))
    assert reading.scenario.topology.link_weight[0] == 5
    assert "te-link-attributes/te-default-metric of 1 link" in reading.ignored


@pytest.mark.parametrize(
    ("state", "up"), [("up", True), ("down", False), ("testing", False), ("unknown", True)]
)
def test_states(tmp_path: Path, state: str, up: bool) -> None:
    reading = read(saved(tmp_path, network([link(**{"admin-status": state})])))
    assert reading.scenario.topology.link_up[0] == up
    stated = any(state in text for text in reading.assumptions)
    assert stated == (state not in ("up", "down"))


def test_unknown_augmentations_are_listed(tmp_path: Path) -> None:
    one = {**link(), "vendor:color": "red"}
    reading = read(saved(tmp_path, network([one], **{"vendor:owner": "me"})))
    assert {"vendor:color of 1 link", "vendor:owner of network net"} <= set(reading.ignored)


def test_every_network_with_links(tmp_path: Path) -> None:
    first, second = network([link()]), network([link()])
    both = first["ietf-network:networks"]["network"] + second["ietf-network:networks"]["network"]
    both[1]["network-id"] = "other"
    found = list(read_all(saved(tmp_path, {"ietf-network:networks": {"network": both}})))
    assert [r.scenario.name for r in found] == ["net", "other"]
    listed = read(saved(tmp_path, {"ietf-network:network": both}), index=1)
    assert listed.scenario.name == "other"


def rich() -> Scenario:
    """Everything that the standard leaves cannot say, or would round."""
    topology = Topology.build(
        [Node("a", 1 / 3, -2 / 3, ("site",)), Node("b", up=False), Node("c c", 5.0), Node("d")],
        [
            Link("a", "c c", 1 / 3, 1e-9, 0.25, srlg=("7", "12")),
            Link("c c", "d", 1e10, 20.5, 1e12, srlg=("7", "duct"), name="fiber"),
            Link("a", "b", 1e300, 1e-3, 5, up=False, srlg=("007",)),
            Link("a", "d", 2e9, 0.0, 3),
        ],
    )
    sizes = Discrete((320.0, 12000.0), (0.1, 0.9))
    flows = [
        Flow("a", "d", 1 / 7, "gold", sizes, OnOff(0.1, 0.2, regular=True)),
        Flow("a", "d", 3e8, arrival=Trace(np.array([0.0, 0.5, 2.0])), name="replay"),
        Flow("c c", "d", 0.0, "gold", sizes),
    ]
    traffic = Traffic.build(topology, flows)
    hops = np.full((4, 4), -1, np.int32)
    hops[0, 3] = 3
    paths = (Steer(links=(0, 1), share=0.3), Steer(midpoints=(2,), share=0.7))
    return Scenario(topology, traffic, Routing(False, hops, {1: paths}))


def test_everything_survives(tmp_path: Path) -> None:
    scenario = rich()
    path = tmp_path / "net.ietf.json"
    write(scenario, path)
    copy = read(path)
    assert copy.scenario.fingerprint() == scenario.fingerprint()
    assert copy.scenario.topology.link_name == scenario.topology.link_name
    assert copy.scenario.topology.link_srlg == scenario.topology.link_srlg
    assert copy.scenario.topology.node_srlg == scenario.topology.node_srlg
    assert copy.scenario.flow_names == scenario.flow_names
    assert not copy.assumptions and not copy.ignored


def test_written_by_the_rules_of_the_models() -> None:
    for scenario in (rich(), generate("nsfnet")):
        (one,) = document(scenario)["ietf-network:networks"]["network"]
        for node in one["node"]:
            place = node.get(TE, {}).get("geolocation", {})
            assert all(DEGREES.fullmatch(text) for text in place.values())
        for entry in one[LINK]:
            attributes = entry[TE]["te-link-attributes"]
            bandwidth = attributes["max-link-bandwidth"]["te-bandwidth"]["generic"]
            assert FLOAT32.fullmatch(bandwidth)
            metric = entry["ietf-l3-unicast-topology:l3-link-attributes"]["metric1"]
            assert isinstance(metric, int) and 1 <= metric < 2**32
            one_way = attributes["ietf-te-topology-packet:performance-metrics-one-way"]
            assert 0 <= one_way["one-way-delay"] < 2**24
            assert all(0 <= n < 2**32 for n in attributes.get("te-srlgs", {}).get("value", []))


@given(st.floats(1e-3, 1e15), st.floats(0, 100), st.floats(1e-3, 1e12), st.floats(-90, 90))
def test_any_number_survives(
    tmp_path_factory: pytest.TempPathFactory,
    capacity_bps: float,
    delay_s: float,
    weight: float,
    latitude_deg: float,
) -> None:
    topology = Topology.build(
        [Node("a", latitude_deg, latitude_deg / 3), "b"],
        [Link("a", "b", capacity_bps, delay_s, weight)],
    )
    scenario = Scenario(topology, Traffic.build(topology, []))
    path = tmp_path_factory.mktemp("any") / "net.ietf.json"
    write(scenario, path)
    assert read(path).scenario.fingerprint() == scenario.fingerprint()


@pytest.mark.parametrize(
    ("attributes", "words"),
    [
        ({"max-link-bandwidth": {"te-bandwidth": {"generic": "0x1p+2000"}}}, "generic: is"),
        ({"max-link-bandwidth": [1]}, "is a list: must be a number"),
        ({"te-srlgs": {"value": 3}}, "value: is 3: must be a list"),
        ({"te-delay-metric": True}, "te-delay-metric: is true: must be a number"),
        ({"admin-status": {}}, "admin-status: is an object: must be text"),
        ({"te-igp-metric": 10**400}, "te-igp-metric: is 1000"),
    ],
)
def test_bad_leaves_tell_their_place(
    tmp_path: Path, attributes: dict[str, Any], words: str
) -> None:
    with pytest.raises(FormatError) as caught:
        read(saved(tmp_path, network([link(**attributes)])))
    assert words in str(caught.value)
    assert "network[0]/ietf-network-topology:link[0]" in caught.value.place


@pytest.mark.parametrize(
    "hostile",
    [
        {"arrival": [{"kind": "trace", "times_s": 5}]},
        {"arrival": [{"kind": "trace", "times_s": [[1, 2], [3, 4]]}]},
        {"arrival": [{"kind": "onoff", "on_s": [1], "off_s": {}}]},
        {"packet-size": [{"kind": "discrete", "sizes_bits": 7, "probabilities": "x"}]},
        {"packet-size": [{"kind": ["fixed"]}]},
        {"packet-size": [{}]},
        {"flow": [{"source": "a", "target": "b", "rate-bps": math.pi, "path": [{"share": 0}]}]},
        {"flow": [{"source": "a", "target": "b", "rate-bps": "many"}]},
        {"flow": [{"source": "a", "target": "a", "rate-bps": 1}]},
        {"flow": {}},
    ],
)
def test_hostile_traffic_is_refused(tmp_path: Path, hostile: dict[str, Any]) -> None:
    with pytest.raises(FormatError):
        read(saved(tmp_path, network([link()], **{"nettwin:traffic": hostile})))


def test_half_a_character_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "half.json"
    path.write_text(json.dumps(network([{**link(), "link-id": "\ud800"}])), encoding="utf-8")
    with pytest.raises(FormatError):
        read(path)
