"""Rows of flows read apart: the same data, lines and issues as by the parser of YAML."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nettwin.errors import FormatError
from nettwin.formats import read, write
from nettwin.formats.native import rows
from nettwin.formats.native.document import Document
from nettwin.formats.native.text import yaml_text
from nettwin.formats.native.writer import native_data
from nettwin.scenario.generate import generate
from nettwin.scenario.scenario import Scenario
from tests.formats.scenarios import same, scenarios
from tests.work import calls

NET = "nettwin: 1\nnodes: [A, B, C]\nlinks:\n  - [A, B, 10M, 1ms, 1]\n  - [B, C, 10M, 1ms, 1]\n"
LINES = (
    *("  - [A, B, 5]", "  - [B, C, 1.5e-05]", '  - ["A", B, 7, best-effort]', "  - [A, C, 0]"),
    *("  - [A, X, 5]", "  - [A, A, 5]", "  - [A, B, 5M]", "  - [A, B, 007]", "  - [A, B, 1e999]"),
    *("  - [A, B, 5, gold]", "  - [A, B, -5]", "  - [true, B, 5]", "  - [A, B, 5, {via: [C]}]"),
    *("  - [A, B, 5] # why", "  # a comment", "", "  - {source: A, target: B, rate: 5}"),
    *(
        "  - source: A\n    target: B\n    rate: 5",
        "  - [A,\n     B, 5]",
        "  - A",
        '  - ["A,", B, 5]',
    ),
    *("  - [A, B, 5", "  - &x [A, B, 5]", "    - [A, B, 5]", "- [A, B, 5]", '  - ["A\\x41", B, 5]'),
)


def told(text: str, fewest: int, monkeypatch: pytest.MonkeyPatch) -> Any:
    """What a plan's text says, or what is wrong with it."""
    monkeypatch.setattr(rows, "FEWEST", fewest)
    try:
        document = Document(Path("x.yaml"), text)
    except FormatError as error:
        return str(error)
    data = document.data
    if isinstance(data.get("flows"), rows.Table):
        data["flows"] = data["flows"].rows()
    places = [("flows", i) for i in range(len(data["flows"] or ()))]
    return data, [
        document.line(p) for p in (("nodes",), *places, ("routing",), ("routing", "ecmp"))
    ]


@given(chosen=st.lists(st.sampled_from(LINES), min_size=1, max_size=8), tail=st.booleans())
def test_rows_are_what_yaml_says(chosen: list[str], tail: bool) -> None:
    text = NET + "flows:\n" + "\n".join(chosen) + "\n"
    text += "\n# how flows find their path\nrouting:\n  ecmp: true\n" if tail else ""
    with pytest.MonkeyPatch.context() as patch:
        assert told(text, 1, patch) == told(text, 10**9, patch)


@given(scenario=scenarios())
def test_any_scenario_comes_back_by_rows(scenario: Scenario, tmp_path_factory: Any) -> None:
    text = yaml_text(native_data(scenario))
    with pytest.MonkeyPatch.context() as patch:
        assert told(text, 1, patch) == told(text, 10**9, patch)
        patch.setattr(rows, "FEWEST", 1)
        path = tmp_path_factory.mktemp("rows") / "x.yaml"
        write(scenario, path)
        same(scenario, read(path).scenario)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("  - [A, X, 5]", ["line 710", "there is no node 'X'"]),
        ("  - [A, B, 5, best]", ["line 710", "Did you mean best-effort?"]),
        ("  - [A, A, 5]", ["line 710", "must join two different nodes"]),
        ("  - [A, B, 1e999]", ["line 710", "rate"]),
        ("  - [A, B, 5", ["line 71"]),
    ],
)
def test_faults_among_rows_have_their_line(tmp_path: Path, line: str, words: list[str]) -> None:
    flows = ["  - [A, B, 5, best-effort]"] * 1999
    flows[702] = line
    path = tmp_path / "x.yaml"
    path.write_text(NET + "classes: [best-effort]\nflows:\n" + "\n".join(flows) + "\n")
    with pytest.raises(FormatError) as caught:
        read(path)
    assert all(word in str(caught.value) for word in words)


def test_thousands_of_flows_are_read_and_written_with_little_work(tmp_path: Path) -> None:
    """Some 80 calls a flow; the parser of YAML takes 1400."""
    scenario, path = generate("gabriel", nodes=100, seed=3), tmp_path / "x.yaml"
    written = calls(lambda: write(scenario, path))
    reading = read(path)
    assert written + calls(lambda: read(path)) < 200 * scenario.traffic.flow_count
    same(scenario, reading.scenario)
    assert reading.assumptions == ()
