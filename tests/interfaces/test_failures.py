"""failures, drain, fit and bottlenecks as they are asked on the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import parse

import numpy as np
import pytest

from nettwin.formats import read
from nettwin.interfaces import wiring
from nettwin.interfaces.cli.fit import parse_demand
from nettwin.scenario.changes import apply_all, change_from_dict


@pytest.fixture
def mesh(run) -> str:
    """mesh.yaml: ten nodes with paths around every link."""
    assert run("generate gabriel --nodes 10 --seed 3 --load 70% -o mesh.yaml").code == 0
    return "mesh.yaml"


def found(run, line: str, part: str = "resilience") -> dict[str, Any]:
    done = run(f"{line} --json")
    assert done.code == 0, done.err
    told: dict[str, Any] = json.loads(done.out)
    return told[part] if part else told


@pytest.mark.usefixtures("plain")
def test_failures_come_on_top_of_changes_and_demands(run, mesh) -> None:
    alone = found(run, f"failures {mesh} --loads")
    grown = found(run, f"failures {mesh} --loads --with 'scale_traffic 2'")
    most = alone["summary"]["offered_load_max"]
    assert grown["summary"]["offered_load_max"] == pytest.approx(2 * most)
    assert alone["failures"][0]["owd_mean_s"] is None and "engine" not in alone
    network = read(mesh).scenario
    first = network.flow_names[0]
    Path("less.json").write_text(json.dumps([f"rate_limit {first} 0"]))
    less = found(run, f"failures {mesh} --loads --with less.json")
    assert less["links"] != alone["links"]
    nodes, rate = network.topology.node_name, network.traffic.flow_rate_bps
    rows = ["time_s,source,target,rate_bps"]
    for time_s, factor in ((0, 0.5), (300, 1.5), (600, 1.0)):
        rows += [
            f"{time_s},{nodes[s]},{nodes[t]},{bps * factor}"
            for s, t, bps in zip(
                network.traffic.flow_source, network.traffic.flow_target, rate, strict=True
            )
        ]
    Path("day.csv").write_text("\n".join(rows) + "\n")
    peak = found(run, f"failures {mesh} --loads --demands day.csv")
    assert peak["summary"]["offered_load_max"] == pytest.approx(1.5 * most)


@pytest.mark.usefixtures("plain")
def test_a_plan_is_told_beside_no_plan(run, mesh) -> None:
    worst = found(run, f"failures {mesh} --loads")["links"][0]["name"]
    Path("plan.json").write_text(
        json.dumps({"changes": [{"kind": "set_capacity", "link": worst, "capacity_bps": 1e9}]})
    )
    told = found(run, f"failures {mesh} --plan plan.json", "")
    before, after = told["before"], told["after"]
    assert before["links"][0]["name"] == worst
    assert after["links"][0]["name"] != worst
    eased = {link["name"]: link["worst_offered_load"] for link in after["links"]}
    assert eased[worst] < before["links"][0]["worst_offered_load"]
    shown = run(f"failures {mesh} --plan plan.json").out
    assert "without the plan" in shown and "with it" in shown


@pytest.mark.usefixtures("plain")
def test_files_hold_every_failure_and_link(run, mesh) -> None:
    done = run(f"failures {mesh} --kinds link,node --csv out --plot map.svg")
    assert done.code == 0, done.err
    told = found(run, f"failures {mesh} --kinds link,node")
    for name in ("failures", "links"):
        lines = Path(f"out/{name}.csv").read_text().splitlines()
        assert len(lines) == 1 + len(told[name])
    words = ["".join(e.itertext()) for e in parse("map.svg").iter() if e.tag.endswith("text")]
    assert told["links"][0]["name"] in words
    most = f"{told['summary']['offered_load_max'] * 100:.0f}"
    assert most in words and any(f"highest offered load {most} %" in word for word in words)


@pytest.mark.usefixtures("plain")
def test_ctrl_c_shows_what_is_done_and_ends_with_130(run, mesh, monkeypatch) -> None:
    theory = wiring.engine("theory")
    calls: list[int] = []

    class Interrupted:
        name = "theory"

        def unsupported(self, scenario: object) -> list[str]:
            return []

        def predict(self, scenarios: list[Any]) -> list[Any]:
            calls.append(1)
            if len(calls) > 3:
                raise KeyboardInterrupt
            return theory.predict(scenarios)

    monkeypatch.setattr(wiring, "engine", lambda *_, **__: Interrupted())
    monkeypatch.setattr("nettwin.apps.resilience.prediction.MAX_AT_ONCE", 4)
    done = run(f"failures {mesh} --json")
    assert done.code == 130
    told = json.loads(done.out)["resilience"]
    assert not told["complete"] and len(told["failures"]) == told["looked_at"] == 8
    assert "Stopped after 8 of" in done.err


def test_a_drain_and_its_undoing_are_files_that_replay(run, mesh) -> None:
    network = read(mesh).scenario
    node = network.topology.node_name[int(np.bincount(network.topology.link_source).argmin())]
    line = f"drain {mesh} {node} --seconds 0.5 --out drain.yaml --back back.json"
    done = run(line)
    assert done.code == 0, done.err
    assert f"{node} can be taken out of service" in done.out
    assert run(line).code == 2  # the files are there
    assert run(f"{line} --force").code == 0
    told = json.loads(run(f"drain {mesh} {node} --seconds 0.5 --json").out)
    changes = [change_from_dict(change) for change in told["plan"]["changes"]]
    after = apply_all(network, changes)
    out = json.loads(run(f"whatif {mesh} --changes drain.yaml --json").out)["after"]
    assert out["totals"]["offered_load_max"] == pytest.approx(after.link_offered_load.max())
    back = [change_from_dict(c) for c in json.loads(Path("back.json").read_text())["changes"]]
    assert apply_all(after, back).fingerprint() == network.fingerprint()
    assert run(f"drain {mesh} Nowhere").code == 2


@pytest.mark.usefixtures("plain", "net")
def test_what_does_not_fit_ends_with_4(run) -> None:
    done = run("fit net.yaml '50M from N1 to N2, voice'")
    assert done.code == 4
    assert "does not fit" in done.out and "at most 10 Mbit/s fits" in done.out
    told = json.loads(run("fit net.yaml '50M from N1 to N2, voice' --json").out)
    assert not told["fits"] and told["limited_by"] == "link N1->N2"
    assert told["largest_bps"] == pytest.approx(10e6)
    assert told["hurt"] and all(flow["loss_after"] > 0 for flow in told["hurt"])
    again = run("whatif net.yaml 'add_flow N1 N2 9.9M voice' --json")
    assert json.loads(again.out)["after"]["totals"]["offered_load_max"] < 1


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("500M from A to B, voice", (500e6, "A", "B", "voice")),
        ("2.5 Gbit/s from New York to Los Angeles", (2.5e9, "New York", "Los Angeles", None)),
        ("64k from a to to b,x", (64e3, "a", "to b", "x")),
    ],
)
def test_demands_are_read_as_they_are_said(text, wanted) -> None:
    found = parse_demand(text)
    assert found[:3] == wanted[:3]
    assert wanted[3] is None or found.traffic_class == wanted[3]


@pytest.mark.usefixtures("plain", "net")
@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("fit net.yaml '500M A B'", "Write it as '500M from A to B, voice'"),
        ("fit net.yaml '0 from N1 to N2'", "must be above 0"),
        ("fit net.yaml '1M from N1 to N9'", "did you mean: N4"),
        ("fit net.yaml '1M from N1 to N2, vioce'", "no traffic class 'vioce'"),
        ("generate ring --nodes 4 -o net.yaml", "already exists"),
        ("optimize net.yaml --out net.yaml", "already exists"),
    ],
)
def test_wrong_input_says_what_to_do(run, line, words) -> None:
    before = Path("net.yaml").read_text()
    done = run(line)
    assert done.code == 2 and words in done.err
    assert Path("net.yaml").read_text() == before


@pytest.mark.usefixtures("plain", "net")
def test_each_relief_replays(run) -> None:
    told = found(run, "bottlenecks net.yaml --links 2", "")
    network = read("net.yaml").scenario
    for one in told["bottlenecks"]:
        link = network.topology.link(one["link"])
        assert one["offered_load"] == pytest.approx(network.link_offered_load[link])
        for relief in one["reliefs"]:
            after = apply_all(network, [change_from_dict(c) for c in relief["changes"]])
            assert relief["offered_load"] == pytest.approx(after.link_offered_load[link])


def test_compare_takes_models_by_their_names(run, mesh) -> None:
    told = json.loads(run(f"compare {mesh} --engines theory --model gnn --json").out)
    assert [answer["name"] for answer in told["answers"]] == ["theory", "gnn"]
