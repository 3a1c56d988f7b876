"""Pictures: they exist, are whole, and show what the network has."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from defusedxml.ElementTree import parse

from nettwin.apps.explanation.splitting import HopPart
from nettwin.apps.whatif import what_if
from nettwin.interfaces.plots import delay_distribution, delay_waterfall, fonts, weathermap
from nettwin.interfaces.plots.placing import node_positions, place_labels
from nettwin.metrics import Metrics
from nettwin.scenario.changes import FailLink
from nettwin.scenario.generate import GENERATORS, generate
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.topology import Link, Node, Topology
from nettwin.scenario.traffic import Traffic
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


def named(*names: str) -> tuple[Scenario, Metrics]:
    ring = [Link(a, b) for a, b in zip(names, (*names[1:], names[0]), strict=True)]
    topology = Topology.build(names, ring, duplex=True)
    network = Scenario(topology, Traffic.build(topology, []))
    return network, Plain().predict([network])[0]


def test_letters_come_from_any_font_that_has_them(tmp_path, monkeypatch) -> None:
    """The letter is one that the first font lacks and another that matplotlib carries has."""
    monkeypatch.setattr(fonts, "FALLBACKS", ())
    fonts.families.cache_clear()
    network, metrics = named("A\u24b6", "B", "C")
    with pytest.warns(fonts.FontWarning, match="A\u24b6.*fonts-noto-cjk"):
        weathermap(network, metrics, tmp_path / "boxes.png")
    weathermap(network, metrics, tmp_path / "viewer.svg")  # whose viewer has fonts of its own
    assert "A\u24b6" in texts(tmp_path / "viewer.svg")
    monkeypatch.setattr(fonts, "FALLBACKS", ("no such font", "STIXGeneral"))
    fonts.families.cache_clear()
    weathermap(network, metrics, tmp_path / "letters.png")
    fonts.families.cache_clear()
    assert (tmp_path / "letters.png").read_bytes() != (tmp_path / "boxes.png").read_bytes()


def test_missing_letters_are_told_in_one_line_on_the_terminal(capsys) -> None:
    from nettwin.interfaces.cli.program import _warned

    assert fonts.missing("Zürich é ß") == ""
    _warned(lambda *_: None)(fonts.FontWarning("no font"), fonts.FontWarning)
    assert capsys.readouterr().err == "nettwin: warning: no font\n"


@pytest.mark.parametrize("placed", [True, False])
def test_a_node_without_links_leaves_the_map_to_the_others(placed) -> None:
    known = generate("nsfnet").topology
    places = zip(known.node_latitude_deg.tolist(), known.node_longitude_deg.tolist(), strict=True)
    nodes = [
        Node(name, *(place if placed else ()))
        for name, place in zip(known.node_name, places, strict=True)
    ]
    island = Node("Island", 0.0, 0.0) if placed else Node("Island")
    ends = zip(known.link_source.tolist(), known.link_target.tolist(), strict=True)
    links = [Link(known.node_name[a], known.node_name[b]) for a, b in ends]
    points = node_positions(Topology.build([*nodes, island], links))
    span = np.ptp(points[:-1], axis=0).max()
    assert span > 0.8  # of a map that is 1 wide or high
    assert np.linalg.norm(points[:-1] - points[-1], axis=1).min() > 0.02


def test_parts_that_no_link_joins_stand_apart() -> None:
    links = [Link(f"{k}{a}", f"{k}{b}") for k in "xyz" for a, b in ("ab", "bc", "ca")]
    points = node_positions(Topology.build([f"{k}{n}" for k in "xyz" for n in "abc"], links))
    boxes = [(part.min(axis=0), part.max(axis=0)) for part in points.reshape(3, 3, 2)]
    for i, (low, high) in enumerate(boxes):
        for other_low, other_high in boxes[i + 1 :]:
            assert (low > other_high).any() or (other_low > high).any()


def test_the_busiest_links_are_named_on_a_map_without_all_names(tmp_path) -> None:
    network = generate("gabriel", nodes=160, seed=3, load=0.9)
    metrics = Plain().predict([network])[0]
    weathermap(network, metrics, tmp_path / "map.svg")
    topology, shown = network.topology, set(texts(tmp_path / "map.svg"))
    names = [name for name in topology.node_name if name in shown]
    hottest = int(network.link_offered_load.argmax())
    for end in (topology.link_source[hottest], topology.link_target[hottest]):
        assert topology.node_name[end] in names
    assert 2 <= len(names) <= 24


def parts(*steps: int) -> list[HopPart]:
    share = {step: 1 / steps.count(step) for step in steps}
    return [
        HopPart(f"queue {k}", f"link {k}", share[step], 1e-3 * (k + 1), 0.0, 1e-4, 0.0, 0.0, step)
        for k, step in enumerate(steps)
    ]


def test_hops_of_several_paths_begin_at_the_same_place(monkeypatch, tmp_path) -> None:
    """Three stages, the second of two hops side by side; the next begins behind both."""
    seen: dict[int, float] = {}
    from matplotlib.axes import Axes

    barh = Axes.barh

    def watched(self, y, width, *args, left=0.0, **more):
        seen.setdefault(y, left)
        return barh(self, y, width, *args, left=left, **more)

    monkeypatch.setattr(Axes, "barh", watched)
    hops = parts(0, 1, 1, 2)
    total = sum(part.delay_s for part in hops)
    delay_waterfall(hops, total, tmp_path / "flow.svg", title="Where " + "a long name " * 12)
    ms = [part.delay_s * 1e3 for part in hops]
    assert [seen[k] for k in range(4)] == pytest.approx([0, ms[0], ms[0], sum(ms[:3])])
    shown = texts(tmp_path / "flow.svg")
    assert {"queue 1 (50 %)", "queue 0", f"total {total * 1e3:.2f} ms"} <= set(shown)


def test_the_legend_of_a_waterfall_lies_below_its_title(monkeypatch, tmp_path) -> None:
    from matplotlib.figure import Figure

    places = {}
    savefig = Figure.savefig

    def watched(self, *args, **more):
        axes = self.axes[0]
        places["title"] = axes._left_title.get_window_extent()
        places["legend"] = axes.get_legend().get_window_extent()
        places["width"] = self.bbox.width
        return savefig(self, *args, **more)

    monkeypatch.setattr(Figure, "savefig", watched)
    delay_waterfall(parts(0, 1), 3e-3, tmp_path / "x.png", title="Where the delay is made " * 6)
    assert places["legend"].y1 <= places["title"].y0
    assert places["title"].x1 <= places["width"]
