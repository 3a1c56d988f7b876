"""Pictures: they exist, are whole, and show what the network has."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from defusedxml.ElementTree import parse

from nettwin.apps.whatif import what_if
from nettwin.interfaces.plots import delay_distribution, weathermap
from nettwin.interfaces.plots.placing import node_positions, place_labels
from nettwin.scenario.changes import FailLink
from nettwin.scenario.generate import GENERATORS, generate
from nettwin.scenario.topology import Link, Topology
from tests.plain_engine import Plain

pytest.importorskip("matplotlib", reason="needs the extra plot")


def ids(path: Path) -> set[str]:
    return {e.get("id") for e in parse(path).iter() if (e.get("id") or "").startswith("link-")}


def texts(path: Path) -> list[str]:
    return [e.text or "" for e in parse(path).iter() if e.tag.endswith("}text")]


def test_a_weathermap_has_an_arrow_for_every_link_and_a_name_for_every_node(tmp_path) -> None:
    network = generate("nsfnet", load=0.75)
    answer = what_if(network, [FailLink("Houston<->Atlanta")], Plain())
    before, after = tmp_path / "before.svg", tmp_path / "after.svg"
    weathermap(network, answer.before, before)
    weathermap(answer.scenario_after, answer.after, after, title="An & <after>")
    links = network.topology.link_count
    assert ids(before) == {f"link-{k}" for k in range(links)}
    down = np.flatnonzero(~answer.scenario_after.topology.link_live).tolist()
    assert len(down) == 2
    assert ids(after) == {f"link-{k}-down" if k in down else f"link-{k}" for k in range(links)}
    shown = texts(before)
    assert set(network.topology.node_name) <= set(shown)
    busiest = f"{network.link_offered_load.max() * 100:.0f}"
    assert busiest == "75"
    assert busiest in shown
    assert "An & <after>" in texts(after)


@pytest.mark.parametrize("kind", sorted(GENERATORS))
def test_every_kind_of_network_can_be_drawn(tmp_path, kind) -> None:
    network = generate(kind, load=1.2)
    path = tmp_path / "map.svg"
    weathermap(network, Plain().predict([network])[0], path)
    assert len(ids(path)) == network.topology.link_count


def test_networks_without_places_parallel_links_or_any_link_can_be_drawn(tmp_path) -> None:
    from nettwin.scenario.scenario import Scenario
    from nettwin.scenario.traffic import Traffic

    for links in ([], [Link("A", "B"), Link("A", "B"), Link("B", "A"), Link("B", "C")]):
        topology = Topology.build("ABC", links)
        network = Scenario(topology, Traffic.build(topology, []))
        path = tmp_path / f"{len(links)}.svg"
        weathermap(network, Plain().predict([network])[0], path)
        assert len(ids(path)) == len(links)


def test_the_same_picture_is_the_same_file(tmp_path) -> None:
    network = generate("ring")
    metrics = Plain().predict([network])[0]
    for name in ("one.svg", "two.svg"):
        weathermap(network, metrics, tmp_path / name)
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()


def test_delays_show_every_class_and_engine(tmp_path) -> None:
    network = generate("ring", classes="three")
    answers = {n: (network, Plain(n).predict([network])[0]) for n in ("theory", "packet")}
    path = tmp_path / "delays.svg"
    delay_distribution(answers, path, title="Delays")
    assert {"voice", "video", "best-effort", "theory", "packet", "Delays"} <= set(texts(path))


@pytest.mark.usefixtures("plain", "net")
def test_commands_draw(run) -> None:
    done = run("predict net.yaml --plot map.PNG --plot-delays d.pdf")
    assert done.code == 0, done.err
    assert Path("map.PNG").read_bytes().startswith(b"\x89PNG")
    assert Path("d.pdf").read_bytes().startswith(b"%PDF")
    done = run("whatif net.yaml fail_link N1<->N2 --plot new/after.svg --plot-delays delays.svg")
    assert done.code == 0, done.err
    assert len([name for name in ids(Path("new/after.svg")) if name.endswith("down")]) == 2
    assert {"before", "after"} <= set(texts(Path("delays.svg")))
    assert run("compare net.yaml --plot-delays both.svg").code == 0
    assert {"theory", "packet"} <= set(texts(Path("both.svg")))


@pytest.mark.parametrize("kind", ["nsfnet", "fat-tree", "waxman"])
def test_nodes_stand_apart(kind) -> None:
    points = node_positions(generate(kind).topology)
    gap = np.linalg.norm(points[:, None] - points[None], axis=2) + np.eye(len(points))
    assert gap.min() > 0.015


def test_labels_keep_off_one_another_where_there_is_room() -> None:
    anchors = np.array([[0.5, 0.5], [0.52, 0.5]])
    sizes = np.full((2, 2), (0.1, 0.03))
    (left, right) = place_labels(anchors, sizes, [], 0.02, (0.0, 0.0, 1.0, 1.0))
    across = abs(left[0] - right[0]) >= 0.1 - 1e-9
    up = abs(left[1] - right[1]) >= 0.03 - 1e-9
    assert across or up
