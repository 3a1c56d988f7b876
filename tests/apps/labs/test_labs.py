"""Labs: read, practiced, graded; the fault stays hidden, and nobody forges a result."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from nettwin.apps.labs import CATALOG, find_lab, lab_names, read_lab
from nettwin.apps.labs.certificate import opened, signed
from nettwin.apps.labs.grading import grade
from nettwin.apps.labs.practice import Practice
from nettwin.apps.labs.session import FILE, begun, read_session, write_session
from nettwin.apps.labs.trial import trial
from nettwin.engines.packet import PacketSimulator
from nettwin.engines.theory import Theory
from nettwin.errors import ChangeError, FormatError, InputError, UnknownNameError
from nettwin.interfaces.documents import labs as told
from nettwin.scenario.changes import parse_change

KEY = b"a key of the teacher"
QUICK = PacketSimulator(max_packets=150_000, precision=0.05, percentiles=True, jobs=1)


def test_there_are_ten_labs_and_more_with_two_wrong_solutions_each() -> None:
    names = lab_names()
    assert len(names) >= 10
    for name in names:
        lab = find_lab(name)
        assert lab.name == name and lab.hints and lab.debriefing
        assert all(len(variant.wrong) >= 2 for variant in lab.variants)


@pytest.mark.parametrize("name", ["black-hole", "class-map", "ddos", "capacity-budget"])
def test_a_lab_is_fair(name: str) -> None:
    found = trial(find_lab(name), QUICK, seed=1)
    assert {one.kind for one in found} == {"solution", "idle", "wrong"}
    assert [one for one in found if not one.right] == []


@pytest.mark.slow
@pytest.mark.parametrize("name", lab_names())
@pytest.mark.parametrize("seed", [2, 3])
def test_every_lab_is_fair_whatever_the_seed(name: str, seed: int) -> None:
    model = PacketSimulator(
        seed=seed, max_packets=400_000, precision=0.05, percentiles=True, jobs=1
    )
    assert [one for one in trial(find_lab(name), model, seed=seed) if not one.right] == []


def test_what_is_told_hides_the_fault() -> None:
    lab = find_lab("black-hole")
    practice = Practice(lab, 0, Theory())
    seen = practice.before
    hole = practice.told.topology.link("Paris->Bern")
    assert practice.told.topology.link_capacity_bps[hole] == 10e6
    assert practice.faulty.topology.link_capacity_bps[hole] == 1e3
    assert seen.carried[hole] < 0.01 and not seen.judgement.met
    load = next(line for line in seen.judgement.lines if line.measure == "offered_load")
    assert load.value < 1  # by the capacity that is told
    assert seen.shown.link["utilization"][hole] < 0.01
    document = json.dumps({**told.lab(lab), **told.seen(practice, seen)})
    assert "1000.0" not in document.replace("10000000.0", "") and '"fault"' not in document
    session = begun(lab, "black-hole", seed=4)
    assert "variant" not in told.session(session)


def test_a_fault_of_the_configuration_is_seen_in_it() -> None:
    practice = Practice(find_lab("wrong-metric"), 0, Theory())
    link = practice.told.topology.link("Bern->Milan")
    assert practice.told.topology.link_weight[link] == 20


def test_only_what_the_lab_allows_may_be_changed() -> None:
    practice = Practice(find_lab("black-hole"), 0, Theory())
    with pytest.raises(ChangeError, match="set_capacity may not be used here"):
        practice.seen([parse_change("set_capacity Paris->Bern 10M")])


def test_time_hints_and_damage_cost_points() -> None:
    lab = find_lab("ddos")
    practice = Practice(lab, 0, Theory())
    solved = practice.seen(lab.variants[0].solution)
    best = grade(practice, solved, 0.0)
    assert best.passed and best.points == 100 and best.harmed == ()
    late = grade(practice, solved, lab.minutes * 60, hints=2)
    assert late.time == 0 and late.points == pytest.approx(100 - 20 - 10)
    cruel = [*lab.variants[0].solution, parse_change("remove_flow Milan->Porto/data")]
    harm = grade(practice, practice.seen(cruel), 0.0)
    assert harm.harmed == ("Milan->Porto/data",)
    assert harm.collateral < best.collateral
    idle = grade(practice, practice.before, 0.0)
    assert not idle.passed and idle.time == idle.collateral == 0


def test_variants_and_traffic_follow_the_seed() -> None:
    lab = find_lab("black-hole")
    assert {begun(lab, "x", seed).variant for seed in range(12)} == {0, 1}
    one, same, other = (Practice(lab, 0, Theory(), seed).healthy for seed in (1, 1, 2))
    assert one.fingerprint() == same.fingerprint() != other.fingerprint()


def test_an_exam_that_was_changed_by_hand_does_not_count(tmp_path: Path) -> None:
    lab = find_lab("black-hole")
    session = begun(lab, "black-hole", 3, exam=True, student="Ada", now_s=1000.0)
    with pytest.raises(InputError, match="teacher's key"):
        write_session(session, tmp_path)
    write_session(session, tmp_path, KEY)
    assert read_session(tmp_path, KEY) == session
    assert session.late(lab, 1000 + 20 * 60 + 1) and not session.late(lab, 1100.0)
    for key in (None, b"another key altogether"):
        with pytest.raises(InputError, match="exam"):
            read_session(tmp_path, key)
    path = tmp_path / FILE
    path.write_text(path.read_text().replace("1000.0", "9000.0"))
    with pytest.raises(InputError, match="changed by hand"):
        read_session(tmp_path, KEY)
    unsigned = json.loads(path.read_text())["session"]
    path.write_text(json.dumps(unsigned))
    with pytest.raises(InputError, match="without a signature"):
        read_session(tmp_path, KEY)


def test_a_signed_result_opens_with_its_key_alone() -> None:
    document = signed({"student": "Ada", "points": 91.5, "passed": True}, KEY)
    assert opened(json.loads(json.dumps(document)), KEY)["points"] == 91.5
    document["result"]["passed"] = False
    for wrong in (document, {"result": 3}, {}, {**signed({"a": 1}, b"some other key")}):
        with pytest.raises(InputError, match="Do not trust it"):
            opened(wrong, KEY)


def _written(tmp_path: Path, old: str, new: str, name: str = "black-hole") -> Path:
    text = (CATALOG / f"{name}.yaml").read_text()
    assert old in text
    path = tmp_path / "mine.yaml"
    path.write_text(text.replace(old, new))
    return path


@pytest.mark.parametrize(
    ("old", "new", "told_of"),
    [
        ("fail_link Paris<->Bern", "fail_link Paris<->Rome", "there is no link"),
        ("{measure: loss, at_most: 0.5%}", "{measure: loss, at_mots: 1}", "at_mots"),
        ("{measure: loss, at_most: 0.5%}", "{measure: delay, at_most: 1 us}", "goals.expect[0]"),
        ("set_capacity Lyon->Milan 1k", "set_capacity Bern->Milan 1k", "goals.expect[1]"),
        ("may: [set_weight, fail_link]", "may: [set_weight]", "uses fail_link"),
        ("may: [set_weight, fail_link]", "may: [pray]", "there is no change 'pray'"),
        ("minutes: 20", "minutes: soon", "minutes"),
        ("- set_capacity Paris->Bern 1k", "- fail_link Paris->Bern", "is hidden"),
        ("[Porto, Madrid]", "[Porto, Atlantis]", "Atlantis"),
        ("story: |", "tale: |", "has no story"),
    ],
)
def test_a_wrong_lab_tells_the_line(tmp_path: Path, old: str, new: str, told_of: str) -> None:
    path = _written(tmp_path, old, new)
    with pytest.raises(FormatError) as raised:
        read_lab(path)
    assert told_of in str(raised.value) and "line " in str(raised.value)


def test_a_lab_that_nobody_can_solve_is_not_fair(tmp_path: Path) -> None:
    path = _written(tmp_path, "[fail_link Lyon<->Milan]", "[fail_link Porto<->Madrid]")
    found = trial(read_lab(path), QUICK)
    assert any(one.kind == "solution" and not one.passed for one in found)


def test_an_unknown_lab_is_told_with_near_names() -> None:
    with pytest.raises(UnknownNameError, match="black-hole"):
        find_lab("blackhole")


def test_a_changed_lab_is_no_longer_the_one_that_began() -> None:
    from nettwin.apps.labs.session import check_lab

    lab = find_lab("ddos")
    with pytest.raises(InputError, match="has changed"):
        check_lab(begun(lab, "ddos", 1), replace(lab, digest="other"))
