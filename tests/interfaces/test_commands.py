"""What programs read: JSON, CSV, exit codes; and what the commands do with their options."""

from __future__ import annotations

import csv
import json
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from nettwin.engines.packet.simulation import Simulation
from nettwin.formats import read


def rows(path: str) -> list[dict[str, str]]:
    with Path(path).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def strict_json(text: str) -> dict:
    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is not valid JSON")

    return json.loads(text, parse_constant=refuse)


ANSWER = {
    "network",
    "assumptions",
    "ignored",
    "warnings",
    "engine",
    "answered_by",
    "because",
    "flagged_flows",
    "method",
    "seconds",
    "confidence",
    "provenance",
    "totals",
    "flows",
    "links",
    "queues",
}


@pytest.mark.usefixtures("net")
def test_predict_json_has_every_row_in_the_networks_order(run) -> None:
    done = run("predict net.yaml --json --top 1")
    assert done.code == 0
    document = strict_json(done.out)
    assert document["command"] == "predict"
    assert document["nettwin"][0].isdigit()
    (answer,) = document["answers"]
    assert set(answer) == ANSWER
    scenario = read("net.yaml").scenario
    assert [row["flow"] for row in answer["flows"]] == list(scenario.flow_names)
    assert [row["link"] for row in answer["links"]] == list(scenario.topology.link_name)
    assert [row["queue"] for row in answer["queues"]] == list(scenario.queue_names)
    assert answer["network"] == {
        "name": "ring",
        "source": "net.yaml",
        "format": "native",
        "index": 0,
        "nodes": 4,
        "links": 8,
        "flows": 36,
        "fingerprint": scenario.fingerprint(),
    }
    first = answer["flows"][0]
    assert first["rate_bps"] == pytest.approx(float(scenario.traffic.flow_rate_bps[0]))
    assert 0 < first["owd_mean_s"] <= first["owd_p99_s"]


@pytest.mark.usefixtures("plain", "net")
def test_a_flow_that_is_cut_off_has_null_delay_and_a_warning(run) -> None:
    done = run("whatif net.yaml fail_node N3 --json")
    assert done.code == 0
    document = strict_json(done.out)
    assert document["changes"] == [{"kind": "fail_node", "node": "N3"}]
    cut = [row for row in document["after"]["flows"] if "N3" in (row["source"], row["target"])]
    assert {row["owd_mean_s"] for row in cut} == {None}
    assert {row["loss_ratio"] for row in cut} == {1.0}
    assert document["warnings"] == []
    assert len(document["warnings_after"]) == len(cut) == 18
    assert document["after"]["totals"]["unroutable_flows"] == 18
    assert "Warning: flow" in done.err
    assert "13 more" in done.err
    assert document["flows"][0]["loss_after"] == 1.0


@pytest.mark.usefixtures("plain", "net")
@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("whatif net.yaml scale_traffic 0.5 --strict", 0),
        ("whatif net.yaml fail_node N3", 0),
        ("whatif net.yaml fail_node N3 --strict", 3),
        ("whatif net.yaml scale_traffic 2 --strict", 3),
        ("predict net.yaml --strict", 0),
        ("inspect net.yaml --strict", 0),
    ],
)
def test_strict_turns_a_standing_warning_into_exit_code_3(run, words, code) -> None:
    done = run(words)
    assert done.code == code
    assert done.out  # the answer is there all the same


@pytest.mark.usefixtures("plain", "net")
def test_csv_holds_the_rows_of_the_json(run) -> None:
    done = run("predict net.yaml --json --csv out")
    answer = strict_json(done.out)["answers"][0]
    for name in ("flows", "links", "queues"):
        found = rows(f"out/{name}.csv")
        assert [list(row) for row in found] == [list(row) for row in answer[name]]
        assert [next(iter(row.values())) for row in found] == [
            next(iter(row.values())) for row in answer[name]
        ]
    delays = [float(row["owd_mean_s"]) for row in rows("out/flows.csv")]
    assert delays == [row["owd_mean_s"] for row in answer["flows"]]
    assert done.err.count("Wrote") == 3
    assert run("predict net.yaml --csv flows.csv").code == 0
    assert rows("flows.csv") == rows("out/flows.csv")
    assert run("whatif net.yaml fail_node N3 --csv sides").code == 0
    cut = [row for row in rows("sides/after/flows.csv") if row["source"] == "N3"]
    assert {row["owd_mean_s"] for row in cut} == {""}


@pytest.mark.usefixtures("plain", "net")
def test_several_networks_get_a_folder_each(run) -> None:
    done = run("predict net.yaml net.yaml --csv out --json")
    assert len(strict_json(done.out)["answers"]) == 2
    assert rows("out/net.yaml/flows.csv") == rows("out/net.yaml#2/flows.csv")


@pytest.mark.usefixtures("net")
def test_simulate_is_the_same_for_a_seed_and_tells_why_it_stopped(run) -> None:
    line = "simulate net.yaml --max-packets 20000 --precision 0% --json"
    first, again, other = run(line), run(line), run(line, "--seed", 2)
    answers = [strict_json(done.out)["answers"][0] for done in (first, again, other)]
    assert answers[0]["flows"] == answers[1]["flows"] != answers[2]["flows"]
    told = answers[0]["provenance"]
    assert (told["seed"], answers[2]["provenance"]["seed"]) == (1, 2)
    assert told["stopped_by"] == "packet budget: 20000 packets sent"
    row = answers[0]["flows"][0]
    assert row["owd_mean_s_low"] < row["owd_mean_s"] < row["owd_mean_s_high"]


@pytest.mark.usefixtures("net")
def test_simulate_through_events_gives_a_time_series(run) -> None:
    done = run(
        "simulate net.yaml --time 0.4s --interval 100ms --json --csv out",
        *("--event", "100ms fail_node N3", "--event", "0.3s restore_node N3"),
    )
    assert done.code == 0, done.err
    (answer,) = strict_json(done.out)["answers"]
    ends = [(part["start_s"], part["end_s"]) for part in answer["intervals"]]
    assert np.allclose(ends, [(0, 0.1), (0.1, 0.2), (0.2, 0.3), (0.3, 0.4)])
    delivered = [
        sum(r["throughput_bps"] for r in part["flows"] if r["target"] == "N3")
        for part in answer["intervals"]
    ]
    assert min(delivered[0], delivered[3]) > 100 * max(delivered[2], 1.0)
    series = rows("out/intervals_flows.csv")
    assert len(series) == 4 * 36
    assert series[0]["start_s"] == "0.0"
    people = run("simulate net.yaml --time 0.2s --interval 100ms --top 1")
    assert "In time" in people.out
    assert "100.0 ms   200.0 ms" in people.out


@pytest.mark.usefixtures("net")
def test_several_networks_are_simulated_in_processes_as_alone(run) -> None:
    options = "--max-packets 5000 --precision 0% --json"
    both = run(f"simulate net.yaml net.yaml --jobs 2 {options}")
    alone = run(f"simulate net.yaml {options}")
    answers = strict_json(both.out)["answers"]
    expected = strict_json(alone.out)["answers"][0]["flows"]
    assert [answer["flows"] for answer in answers] == [expected, expected]


@pytest.mark.usefixtures("plain", "net")
def test_compare_tells_the_reference_and_the_errors(run) -> None:
    document = strict_json(run("compare net.yaml --json --csv out").out)
    assert document["reference"] == "packet"
    assert [answer["engine"] for answer in document["answers"]] == ["theory", "packet"]
    delay = next(row for row in document["agreement"] if row["metric"] == "owd_mean_s")
    assert delay["engine"] == "theory"
    assert 0 < delay["mean_error"] < 0.1
    assert {row["traffic_class"] for row in document["agreement_by_class"]} == {
        "voice",
        "video",
        "best-effort",
    }
    assert len(rows("out/packet/links.csv")) == 8


@pytest.mark.usefixtures("plain", "net")
def test_failures_are_ranked_and_replay_as_changes(run) -> None:
    document = strict_json(run("failures net.yaml --json --csv out").out)
    ranked = document["resilience"]["failures"]
    assert len(ranked) == 4
    lost = [round(row["lost_share"], 5) for row in ranked]
    assert lost == sorted(lost, reverse=True)
    Path("worst.json").write_text(json.dumps(ranked[0]["changes"]))
    again = strict_json(run("whatif net.yaml --changes worst.json --json").out)
    assert again["after"]["totals"]["offered_load_max"] == pytest.approx(
        ranked[0]["offered_load_max"]
    )
    assert [row["name"] for row in rows("out/failures.csv")] == [row["name"] for row in ranked]


@pytest.mark.usefixtures("plain", "net")
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("c.json", '["fail_link N1<->N2", {"kind": "scale_traffic", "factor": 0.5}]'),
        ("c.json", '{"changes": ["fail_link N1<->N2", "scale_traffic 0.5"]}'),
        ("c.yaml", "changes:\n- fail_link N1<->N2\n- kind: scale_traffic\n  factor: 0.5\n"),
    ],
)
def test_changes_from_a_file_are_those_of_the_line(run, name, text) -> None:
    Path(name).write_text(text)
    line = run("whatif net.yaml fail_link N1<->N2 scale_traffic 0.5 --json")
    file = run("whatif net.yaml --json --changes", name)
    quoted = run("whatif net.yaml --json", "fail_link N1<->N2", "scale_traffic 0.5")
    assert line.code == 0, line.err
    assert line.out == file.out == quoted.out


def test_generate_takes_its_options(run) -> None:
    words = (
        "generate gabriel --nodes 12 --seed 5 --load 40% --classes three --scheduler drr"
        " --arrival cbr --capacity 2.5G --buffer 16 -o made.yaml --json"
    )
    done = run(words)
    assert done.code == 0, done.err
    scenario = read("made.yaml").scenario
    assert strict_json(done.out)["network"]["fingerprint"] == scenario.fingerprint()
    assert scenario.topology.node_count == 12
    assert set(scenario.topology.link_capacity_bps) == {2.5e9}
    assert scenario.topology.policy_of(0) == "drr"
    assert scenario.topology.queues.buffer_packets[0] == 16
    assert str(scenario.traffic.arrivals[0]) == "CBR"
    assert scenario.link_offered_load.max() == pytest.approx(0.4)


@pytest.mark.usefixtures("net")
def test_convert_keeps_the_network(run) -> None:
    done = run("convert net.yaml again.json --json")
    assert (done.code, done.err) == (0, "Wrote again.json\n")
    assert strict_json(done.out)["format"] == "native"
    assert read("again.json").scenario.fingerprint() == read("net.yaml").scenario.fingerprint()
    assert run("convert net.yaml again.txt --to native").code == 0
    listed = run("convert --list")
    assert listed.code == 0
    assert "repetita" in listed.out


SILENT = """graph [
  node [ id 0 label "A" ]
  node [ id 1 label "B" ]
  edge [ source 0 target 1 ]
]
"""


@pytest.mark.usefixtures("plain")
def test_what_a_silent_source_is_assumed_to_be_is_told(run) -> None:
    Path("bare.gml").write_text(SILENT)
    done = run(
        "predict bare.gml --capacity 10M --link-delay 7ms --load 50% --packet-size 500B",
        "--json",
    )
    assert done.code == 0, done.err
    assert done.err.startswith("Assumed: ")
    (answer,) = strict_json(done.out)["answers"]
    told = " | ".join(answer["assumptions"])
    for words in ("10 Mbit/s", "7.00 ms", "50 %", "500 B"):
        assert words in told
        assert words in done.err
    assert {row["capacity_bps"] for row in answer["links"]} == {10e6}
    assert answer["totals"]["utilization_max"] == pytest.approx(0.5)
    assert {row["owd_mean_s"] for row in answer["flows"]} == {0.008}
    none = strict_json(run("predict bare.gml --load none --json").out)["answers"][0]
    assert none["flows"] == []


def test_measured_metrics_are_the_reference(run, shared_data) -> None:
    source = shared_data / "gnnet2021"
    if not source.is_dir():
        pytest.skip("needs ../shared/data/gnnet2021")
    done = run("compare --engines theory --json", source)
    assert done.code == 0, done.err
    document = strict_json(done.out)
    assert document["reference"] != "theory"
    assert next(a for a in document["answers"] if a["method"] == "measured")
    assert document["agreement"][0]["flows"] > 100


def test_ctrl_c_prints_what_was_simulated(run, net, monkeypatch) -> None:
    whole, calls = Simulation.advance, count()

    def stopped(simulation, until_s, *more) -> None:
        """As when Ctrl-C comes while the tenth stretch is simulated."""
        whole(simulation, until_s, *more)
        if next(calls) == 10:
            raise KeyboardInterrupt

    monkeypatch.setattr(Simulation, "advance", stopped)
    done = run("simulate net.yaml --precision 0% --max-packets 1000000")
    assert done.code == 130
    assert "stopped by Ctrl-C" in done.out and "mean delay" in done.out


def test_inspect_asks_the_engines_that_are_named(run, monkeypatch) -> None:
    from nettwin.interfaces.cli import inspect as command

    run("generate nsfnet -o net.yaml")
    asked = json.loads(run("inspect net.yaml --engines theory --json").out)["unsupported"]
    assert list(asked) == ["theory"]
    monkeypatch.setattr(command, "MANY_FLOWS", 10)
    large = run("inspect net.yaml --json")
    assert list(json.loads(large.out)["unsupported"]) == ["theory", "packet"]
    assert "Not asked" in large.err and "gnn" in large.err
    assert run("inspect net.yaml --engines thoery").code == 2
