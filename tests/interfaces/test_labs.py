"""nettwin lab, from the list to a signed result, as a learner and a teacher use it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

FAULT = "set_capacity"


@pytest.fixture
def asked(run):  # type: ignore[no-untyped-def]
    """Runs the command line and holds its exit code against what is expected."""

    def of(*words: str, code: int | None = None):  # type: ignore[no-untyped-def]
        done = run("", *words)
        assert code is None or done.code == code, done
        return done

    return of


def test_an_attempt_from_start_to_debriefing(asked, tmp_path: Path) -> None:
    folder = str(tmp_path / "lab")
    began = asked("lab", "start", "black-hole", "--folder", folder, "--seed", "1", code=0)
    assert "swallows" in began.out and "Goals" in began.out
    told = (tmp_path / "lab" / "network.yaml").read_text() + began.out
    assert "1 kbit/s" not in told and "1k" not in told
    hint = asked("lab", "hint", "--folder", folder, code=0)
    assert hint.out.startswith("Hint 1 of 3")
    asked("lab", "check", "--folder", folder, code=4)
    refused = asked("lab", "check", "set_capacity Paris->Bern 10M", "--folder", folder, code=2)
    assert "may not be used here" in refused.err
    # which variant it is, is drawn: one of the two mends it
    ends = [
        asked("lab", "check", "--again", f"fail_link {link}", "--folder", folder, "--json")
        for link in ("Paris<->Bern", "Lyon<->Milan")
    ]
    good = next(k for k, end in enumerate(ends) if end.code == 0)
    assert all("fault" not in end.out for end in ends)
    if good == 0:
        asked("lab", "check", "--again", "fail_link Paris<->Bern", "--folder", folder, code=0)
    ended = asked("lab", "debrief", "--folder", folder, "--json", code=0)
    document = json.loads(ended.out)
    assert document["fault"][0]["kind"] == FAULT and document["grade"]["passed"]
    assert document["grade"]["hints"] == 5


def test_an_exam_has_no_hints_and_a_signed_result(asked, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("LAB_KEY", "the key of a teacher")
    folder, result = str(tmp_path / "exam"), str(tmp_path / "ada.json")
    key = ("--key", "env:LAB_KEY")
    asked("lab", "exam", "class-map", "--student", "Ada", *key, "--folder", folder, code=0)
    assert "no hints" in asked("lab", "hint", *key, "--folder", folder, code=2).err
    assert "--key" in asked("lab", "check", "--folder", folder, code=2).err
    solve = "set_scheduler Lyon->Milan sp voice data"
    asked("lab", "check", solve, *key, "--folder", folder, code=0)
    asked("lab", "submit", *key, "--folder", folder, "-o", result, code=0)
    assert "Ada passed class-map" in asked("lab", "verify", result, *key, code=0).out
    Path(result).write_text(Path(result).read_text().replace("Ada", "Eve"))
    assert "Do not trust it" in asked("lab", "verify", result, *key, code=2).err


def test_test_says_whether_a_lab_is_fair(asked) -> None:
    found = asked("lab", "test", "class-map", "--json", code=0)
    assert json.loads(found.out)["labs"][0]["fair"]


@pytest.mark.parametrize("words", [("lab", "start", "nothing"), ("lab", "check", "-d", "nowhere")])
def test_what_is_not_there_is_told(asked, words) -> None:
    assert asked(*words, code=2).err.startswith("nettwin: ")
