"""The framework: registration, figures, the command, the results page."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from benchmarks import suite
from benchmarks.__main__ import RESULTS, as_document, main, table
from benchmarks.benchmark import Figure, Options, Outcome, Skipped, at_least, at_most
from benchmarks.card import measured
from benchmarks.report import MAX_ROWS, kept, page_of, write_report
from nettwin.engines.learned import catalog

NEEDED = {"packet_speed", "packet_truth", "ns3", "gnnet", "ecmp", "scaling"}


def test_every_benchmark_is_registered_and_keeps_the_contract() -> None:
    assert set(suite.names()) >= NEEDED
    for name in suite.names():
        module = suite.load(name)
        assert module.TITLE
        assert len(module.PROTOCOL) > 100
        assert callable(module.run)
        assert callable(module.arguments)


def test_list_names_them_all(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list"]) == 0
    listed = capsys.readouterr().out
    assert all(name in listed for name in NEEDED)


@pytest.mark.parametrize(
    ("figure", "met"),
    [
        (at_least("speed", 7.0, 7.0), True),
        (at_least("speed", 6.9, 7.0), False),
        (at_most("error", 3.0, 3.0), True),
        (at_most("error", 3.1, 3.0), False),
        (at_most("error", math.nan, 3.0), False),
        (at_least("speed", math.nan, 3.0), False),
    ],
)
def test_a_target_is_met_or_not(figure: Figure, met: bool) -> None:
    assert figure.met is met


def test_document_has_the_agreed_shape_and_is_plain_json() -> None:
    outcome = Outcome((at_most("error", 2.0, 3.0, "%"), Figure("unknown", math.nan)))
    document = json.loads(json.dumps(as_document("ecmp", outcome, ["ecmp", "--json", "x.json"])))
    assert document["benchmark"] == "ecmp"
    assert {"cores", "processor", "python", "numpy", "numba"} <= set(document["environment"])
    assert document["command"] == "python -m benchmarks ecmp"
    for figure in document["figures"]:
        assert {"name", "value", "unit", "target", "met"} <= set(figure)
    assert document["figures"][1]["value"] is None


def test_table_says_what_is_missed() -> None:
    text = table(Outcome((at_least("speed", 1.0, 2.0, "x"), at_most("error", 0.0, 0.0)), ("Why.",)))
    lines = text.splitlines()
    assert lines[2].endswith("MISSED")
    assert ">= 2" in lines[2]
    assert lines[3].endswith("met")
    assert lines[-1] == "* Why."


def test_page_lists_missed_targets_and_commands() -> None:
    outcome = Outcome((at_least("speed", 1.0, 2.0, "x"), at_most("error", 1.0, 3.0, "%")))
    page = page_of([as_document("ecmp", outcome, ["ecmp", "--limit", "3"])])
    assert "1 of 2 targets are met" in page
    assert "- ecmp: speed is 1 x, target >= 2" in page
    assert "`python -m benchmarks ecmp --limit 3`" in page
    assert "| error | 1 | % | <= 3 | met |" in page


def test_a_long_result_has_a_page_of_its_own(tmp_path: Path) -> None:
    many = [Figure(f"case {k}", float(k)) for k in range(MAX_ROWS)]
    outcome = Outcome((at_least("speed", 1.0, 2.0, "x"), *many))
    results = tmp_path / "results"
    results.mkdir()
    document = as_document("ecmp", outcome, ["ecmp"])
    (results / "ecmp_all.json").write_text(json.dumps(document))
    write_report(results, tmp_path / "benchmarks.md")
    page = (tmp_path / "benchmarks.md").read_text()
    assert "| speed | 1 | x | >= 2 | **missed** |" in page
    assert "case 3" not in page
    assert f"[All {MAX_ROWS + 1} figures](benchmarks/ecmp_all.md)" in page
    assert "| case 3 | 3 |" in (tmp_path / "benchmarks" / "ecmp_all.md").read_text()


def test_command_writes_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = suite.load("ecmp")
    monkeypatch.setattr(module, "run", lambda options: Outcome((Figure("n", options.limit),)))
    path = tmp_path / "deep" / "out.json"
    assert main(["ecmp", "--limit", "4", "--json", str(path)]) == 0
    assert json.loads(path.read_text())["figures"][0]["value"] == 4


def test_missing_data_is_said_without_a_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["gnnet"]) == 3
    assert main(["gnnet", "--data", str(tmp_path / "nowhere")]) == 2
    error = capsys.readouterr().err
    assert "--data" in error
    assert "nowhere" in error


def test_limit_must_be_positive() -> None:
    with pytest.raises(SystemExit):
        main(["ecmp", "--limit", "0"])


def test_benchmarks_that_need_data_skip_without(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("gnnet", "ecmp"):
        with pytest.raises(Skipped):
            suite.load(name).run(Options())


def test_the_carried_models_card_says_what_the_kept_results_say() -> None:
    model = catalog.load(catalog.DEFAULT)
    expected = measured(kept(RESULTS))
    assert len(expected) > 5
    assert model.card["measured"] == expected  # else: python -m benchmarks card


def test_results_of_other_engines_are_not_on_the_card() -> None:
    figure = {"name": "error", "value": 2.0, "unit": "%", "target": 1.0, "met": False}
    plain = {**figure, "target": None, "met": None}
    documents = [
        {"benchmark": "gnnet", "command": f"gnnet --engine {engine}", "figures": [figure, plain]}
        for engine in ("gnn", "theory")
    ]
    documents.append({"benchmark": "ns3", "command": "ns3", "figures": [figure]})
    assert measured(documents) == [{"command": "gnnet --engine gnn", "figures": [figure]}]
