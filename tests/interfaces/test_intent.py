"""nettwin intent: tables, JSON, exit codes, issues with their lines."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from nettwin.formats.intent import intent_schema
from nettwin.intent import LEVERS, MEASURES
from tests.intent.towns import FOLDER, INTENTS, NETWORK


@pytest.fixture
def folder(run) -> None:
    """The intents and their network in the working folder."""
    for path in (*INTENTS, NETWORK):
        shutil.copy(path, path.name)


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("name", ["survive", "contradicts"])
def test_what_people_read(run, golden, name) -> None:
    done = run(f"intent check {name}.yaml towns.yaml")
    assert done.code == (2 if name == "contradicts" else 0)
    assert done.err == ""
    golden(f"intent_{name}", done.out)


def test_measures_and_levers_are_listed(run, golden) -> None:
    golden("intent_measures", run("intent measures").out)
    listed = json.loads(run("intent measures --json").out)
    assert [m["name"] for m in listed["measures"]] == list(MEASURES)
    assert [k["name"] for k in listed["levers"]] == list(LEVERS)


def test_schema(run) -> None:
    done = run("intent schema")
    assert json.loads(done.out) == intent_schema()


@pytest.mark.usefixtures("folder")
def test_json_says_the_same_with_lines_of_the_file(run) -> None:
    done = run("intent check contradicts.yaml towns.yaml --json")
    assert done.code == 2
    answer = json.loads(done.out)
    assert answer["command"] == "intent check"
    assert answer["sound"] is False
    assert answer["intent"]["intent"] == "more than the towns can do"
    text = Path("contradicts.yaml").read_text().splitlines()
    for line in answer["lines"]:
        if line["measure"] and line["line"]:
            assert f"measure: {line['measure']}" in text[line["line"] - 1]
    assert answer["lines"][0]["line"] is None  # the objective is not written there
    finding = answer["diagnostics"][0]
    assert finding["kind"] == "contradiction"
    assert (finding["places"], finding["lines"]) == (["expect[3]", "expect[2]"], [6, 5])


@pytest.mark.usefixtures("folder")
def test_names_that_the_network_has_not_give_line_and_remedy(run) -> None:
    text = """\
minimize: [utilization]
expect:
  - {measure: delay, from: Madird, at_most: 20 ms}
  - {measure: delay, class: vioce, at_most: 20 ms}
  - {measure: utilization, link: core-7, at_most: 80 %}
  - {measure: delay, from: Vienna, at_most: 20 ms}
change:
  with: [{lever: rates, class: video}]
"""
    Path("wrong.yaml").write_text(text)
    done = run("intent check wrong.yaml towns.yaml --json")
    assert done.code == 2
    issues = json.loads(done.out)["diagnostics"]
    assert [f["lines"] for f in issues] == [[3], [4], [5], [6], [8]]
    assert {f["kind"] for f in issues} == {"issue"}
    told = [f["reason"] + f["remedy"] for f in issues]
    for words, expected in zip(
        told, ["Madrid", "voice", "core-1", "no flow", "voice"], strict=True
    ):
        assert expected in words
    table = run("intent check wrong.yaml towns.yaml")
    assert table.code == 2
    assert 'no node "Madird"' in table.out


@pytest.mark.usefixtures("folder")
def test_warnings_alone_are_no_failure_but_with_strict(run) -> None:
    Path("twice.yaml").write_text("minimize: [utilization, utilization]\n")
    assert run("intent check twice.yaml towns.yaml").code == 0
    assert run("intent check twice.yaml towns.yaml --strict").code == 3


@pytest.mark.usefixtures("folder")
def test_the_network_first_is_told(run) -> None:
    done = run("intent check towns.yaml survive.yaml")
    assert done.code == 2
    assert "towns.yaml, line 1, nettwin: is a network. Give the intent first" in done.err


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("intent check", "Missing argument"),
        ("intent check none.yaml towns.yaml", "none.yaml: cannot be read"),
        ("intent check survive.yaml none.yaml", "none.yaml: does not exist"),
        ("intent check survive.yaml survive.yaml", "is in none of the known formats"),
        ("intent chek survive.yaml towns.yaml", "No such command"),
    ],
)
def test_wrong_input(run, line, told) -> None:
    done = run(line)
    assert done.code == 2
    assert told in done.err
    assert "Traceback" not in done.err


def test_the_folder_of_examples_is_where_the_documentation_says() -> None:
    assert FOLDER.name == "intents"
    assert {path.stem for path in INTENTS} >= {"keep_voice_fast", "survive", "contradicts"}
