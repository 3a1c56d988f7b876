"""nettwin explain: words, tables, JSON, pictures, and what is refused."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from defusedxml.ElementTree import parse

from nettwin.interfaces import wiring
from tests.plain_engine import Plain
from tests.queueing_engine import Queueing

COMMANDS = {
    "explain": "explain net.yaml --top 3",
    "explain_flow": "explain net.yaml --flow N1 N2 --top 4",
    "explain_link": "explain net.yaml --link N1->N2 --halve --top 5",
    "explain_queue": "explain net.yaml --queue N1->N2:2 --top 4",
}


@pytest.fixture
def queueing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Engine theory replaced by one whose answers can be checked by hand, packet by one that does
    not go by hops."""
    for name, model in (("theory", Queueing(0.25)), ("packet", Plain("packet"))):

        def make(model: Any = model, **_: Any) -> Any:
            return model

        choice = dataclasses.replace(wiring.ENGINES[name], make=make, slow=False)
        monkeypatch.setitem(wiring.ENGINES, name, choice)


@pytest.mark.usefixtures("queueing", "net")
@pytest.mark.parametrize("name", COMMANDS)
def test_words_and_tables(name, run, golden) -> None:
    done = run(COMMANDS[name])
    assert done.code == 0, done.err
    golden(name, done.out + (f"--- stderr\n{done.err}" if done.err else ""))


@pytest.mark.usefixtures("queueing", "net")
def test_json_holds_parts_causes_and_changes_that_whatif_takes(run) -> None:
    found = json.loads(run("explain net.yaml --flow N1->N2/voice --json").out)
    assert found["command"] == "explain"
    assert found["words"][0].startswith("Flow N1->N2/voice")
    parts = found["parts"]
    assert [part["queue"] for part in parts] == ["N1->N2:0"]
    kinds = ("propagation_s", "transmission_s", "waiting_s", "correction_s")
    delay = sum(part[kind] for part in parts for kind in kinds)
    assert delay == pytest.approx(found["causes"]["delay_s"], rel=1e-12)
    change = found["causes"]["found"][0]["change"]
    Path("changes.json").write_text(json.dumps([change]))
    after = json.loads(run("whatif net.yaml --changes changes.json --json").out)["after"]
    row = next(row for row in after["flows"] if row["flow"] == "N1->N2/voice")
    assert row["owd_mean_s"] == pytest.approx(found["causes"]["found"][0]["delay_s"])
    whole = json.loads(run("explain net.yaml --json").out)
    assert whole["critical"]["used"] > 0
    assert whole["causes"]


@pytest.mark.usefixtures("queueing", "net")
def test_an_engine_that_does_not_go_by_hops_says_so(run) -> None:
    done = run("explain net.yaml --flow N1->N2/voice --engine packet")
    assert done.code == 0
    assert "the engine packet does not go by hops" in done.err
    assert "Where the delay is made" not in done.out


@pytest.mark.usefixtures("queueing", "net")
@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--flow N1->N2/vioce", 'no flow "N1->N2/vioce"; did you mean: N1->N2/voice'),
        ("--flow N1 N9", 'no node "N9"; did you mean'),
        ("--queue N1->N2:7", "did you mean: N1->N2:"),
        ("--link N1->N9", "did you mean: N1->N"),
        ("--link N1<->N2", "is 2 links. Name one of N1->N2, N2->N1"),
        ("--link N1->N2 --flow N1 N2", "--flow and --link cannot be explained at once"),
        ("N2", '"N2" is one word too many'),
        ("--plot map.jpeg", "must be one of .svg, .png, .pdf"),
        ("--engine theorie", "did you mean: theory"),
    ],
)
def test_what_is_refused(run, line, message) -> None:
    done = run(f"explain net.yaml {line}")
    assert done.code == 2
    assert message in done.err
    assert "Traceback" not in done.err


@pytest.mark.usefixtures("queueing", "net")
def test_pictures_show_the_parts_the_causes_and_the_map(run) -> None:
    pytest.importorskip("matplotlib", reason="needs the extra plot")

    def texts(path: str) -> str:
        return " ".join(e.text or "" for e in parse(path).iter() if e.tag.endswith("}text"))

    assert run("explain net.yaml --flow N1 N2 --plot flow.svg").code == 0
    assert "learned correction" in texts("flow.svg")
    assert "N1->N2:1" in texts("flow.svg")
    assert run("explain net.yaml --link N1->N2 --plot link.svg").code == 0
    assert "class best-effort" in texts("link.svg")
    assert run("explain net.yaml --plot map.svg").code == 0
    assert "ringed are the links that decide" in texts("map.svg")
    assert run("explain net.yaml --flow N1 N2 -e packet --plot causes.svg").code == 0
