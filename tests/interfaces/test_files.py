"""Files in and out: apply, diff, standard input and output, Markdown."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nettwin.formats import read
from nettwin.scenario.changes import apply_all, parse_change

pytestmark = pytest.mark.usefixtures("net", "plain")
LINES = ["fail_link N1<->N2", "scale_traffic 1.5 traffic_class=voice"]


def changed() -> str:
    scenario = read("net.yaml").scenario
    return apply_all(scenario, [parse_change(line) for line in LINES]).fingerprint()


def test_apply_writes_the_changed_network(run) -> None:
    before = Path("net.yaml").read_text()
    done = run("apply net.yaml -o new.yaml", *LINES)
    assert (done.code, done.out) == (0, "")
    assert "Wrote new.yaml" in done.err
    assert read("new.yaml").scenario.fingerprint() == changed()
    assert Path("net.yaml").read_text() == before
    Path("c.yaml").write_text(json.dumps({"changes": LINES[1:]}))
    assert run("apply net.yaml fail_link N1<->N2 -o words.node-link.json").code == 0
    assert run("apply words.node-link.json c.yaml -o again.yaml").code == 0
    assert read("again.yaml").scenario.fingerprint() == changed()
    document = json.loads(run("apply net.yaml c.yaml -o x.yaml --json").out)
    assert document["changes"][0]["kind"] == "scale_traffic"
    assert document["network"]["fingerprint"] != document["after"]["fingerprint"]


def test_apply_replaces_no_file_unasked_and_says_that_it_edits_files(run) -> None:
    done = run("apply net.yaml -o net.yaml", LINES[0])
    assert done.code == 2
    assert "--force" in done.err
    assert run("apply net.yaml -o net.yaml --force", LINES[0]).code == 0
    assert not all(read("net.yaml").scenario.topology.link_up)
    assert "edits files only" in " ".join(run("apply --help").out.replace("│", " ").split())
    for line, words in (
        ("apply net.yaml nowhere.yaml -o x.yaml", "nowhere.yaml"),
        ("apply net.yaml fail_link Z -o x.yaml", '"Z"'),
        ("apply net.yaml fail_node N1 --json -o -", "standard output"),
    ):
        done = run(line)
        assert (done.code, words in done.err, Path("x.yaml").exists()) == (2, True, False)


def test_diff_tells_each_part_that_differs(run) -> None:
    run(
        "apply net.yaml -o new.yaml",
        *LINES,
        "set_path N1->N3/voice via=N4",
        "remove_flow N2->N4/video",
    )
    done = run("diff net.yaml new.yaml --top 100")
    assert done.code == 0
    assert "16 differences (link 2, flow 13, routing 1)" in " ".join(done.out.split())
    assert "N1->N2" in done.out and "via N4" in done.out
    document = json.loads(run("diff net.yaml new.yaml --json").out)
    found = document["differences"]
    assert {
        "part": "link",
        "element": "N1->N2",
        "attribute": "up",
        "before": True,
        "after": False,
    } in found
    assert [d for d in found if d["attribute"] == "present"] == [
        {
            "part": "flow",
            "element": "N2->N4/video",
            "attribute": "present",
            "before": True,
            "after": False,
        }
    ]
    rates = [d for d in found if d["attribute"] == "rate_bps"]
    assert len(rates) == 12
    assert all(d["after"] == pytest.approx(1.5 * d["before"]) for d in rates)


def test_networks_that_are_equal_have_no_difference(run) -> None:
    run("convert net.yaml same.json --to native")
    assert "no difference" in run("diff net.yaml same.json").out
    assert json.loads(run("diff net.yaml same.json --json").out)["differences"] == []


def test_diff_with_an_engine_tells_what_becomes_of_delays(run) -> None:
    run("apply net.yaml -o new.yaml", *LINES)
    done = run("diff net.yaml new.yaml --engine theory")
    assert "If new.yaml replaces net.yaml" in done.out
    assert "mean delay" in done.out
    document = json.loads(run("diff net.yaml new.yaml --engine theory --json").out)
    assert document["before"]["engine"] == document["after"]["engine"] == "theory"
    run("generate ring --nodes 5 -o five.yaml")
    done = run("diff net.yaml five.yaml --engine theory")
    assert done.code == 0
    assert "N4->N5" in done.out[done.out.index("Links that get busier") :]


def test_standard_input_and_output_are_files(run) -> None:
    text = Path("net.yaml").read_text()
    document = json.loads(run("predict - -e theory --json", typed=text).out)
    assert document["answers"][0]["network"]["source"] == "standard input"
    done = run("apply - -o -", *LINES, typed=text)
    Path("out.yaml").write_text(done.out)
    assert read("out.yaml").scenario.fingerprint() == changed()
    assert run("apply net.yaml - -o out2.yaml", typed=json.dumps(LINES)).code == 0
    assert read("out2.yaml").scenario.fingerprint() == changed()
    converted = run("convert - - --to node-link", typed=text)
    assert json.loads(converted.out)["directed"] is True
    assert run("convert - back.yaml --from node-link", typed=converted.out).code == 0
    assert "no difference" in run("diff net.yaml -", typed=Path("back.yaml").read_text()).out
    made = run("generate ring --nodes 4 -o -")
    assert made.code == 0 and "\nnettwin: 1\n" in made.out


def test_an_intent_and_a_plan_may_be_streams(run) -> None:
    intent = "expect:\n- {measure: utilization, at_most: 99 %}\n"
    done = run("optimize net.yaml --intent - --seconds 0.1 --out -", typed=intent)
    assert "changes:" in done.out


def test_what_is_wrong_on_standard_input_is_told_by_that_name(run) -> None:
    done = run("predict -", typed="nettwin: 1\nnodes: [A]\nlinks: 3\n")
    assert done.code == 2
    assert done.err.splitlines()[-1].startswith("nettwin: standard input, line 3")
    assert "standard input is empty" in run("predict -").err
    assert "Give - once" in run("apply - - -o x.yaml", typed=json.dumps(LINES)).err
    assert "needs --to" in run("convert net.yaml -").err


def test_tables_in_markdown(run) -> None:
    for line in ("predict net.yaml -e theory --markdown", "--markdown predict net.yaml -e theory"):
        done = run(line)
        assert done.code == 0
        table = done.out[done.out.index("**Traffic classes**") :].split("\n\n")[1].splitlines()
        assert table[0].startswith("| class | ")
        assert set(table[1]) <= set("|-: ")
        assert len({row.count(" | ") for row in table}) == 1
        assert table[2].startswith("| voice | 12 |")
    assert "**" not in run("predict net.yaml -e theory").out
    assert r"N1-\>N2" in run("whatif net.yaml -e theory --markdown", LINES[0]).out
