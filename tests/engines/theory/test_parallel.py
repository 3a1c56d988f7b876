"""The two halves of a loop: every turn once, and the same results however many cores there are."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from nettwin.engines.theory import Theory
from nettwin.engines.theory import parallel as halves
from nettwin.engines.theory.parallel import WORTH_S, at_once, parallel_for, side_by_side
from nettwin.scenario.generate import generate


@pytest.mark.parametrize("cores", [1, 2])
@pytest.mark.parametrize("turns", [0, 1, 2, 7])
def test_every_turn_once(turns: int, cores: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(halves, "usable_cores", lambda: cores)
    count = np.zeros(turns, np.int64)

    def run(first: int, end: int) -> None:
        count[first:end] += 1

    parallel_for(run, np.arange(turns + 1.0), 2 * WORTH_S)
    assert count.tolist() == [1] * turns


def test_small_work_takes_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(halves, "usable_cores", lambda: 2)
    seen = []
    parallel_for(lambda *_: seen.append(threading.get_ident()), np.arange(11.0), WORTH_S / 20)
    assert seen == [threading.get_ident()]


def test_an_error_in_either_half_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(halves, "usable_cores", lambda: 2)

    def run(first: int, end: int) -> None:
        if first > 0:
            raise ArithmeticError

    with pytest.raises(ArithmeticError):
        parallel_for(run, np.arange(3.0), WORTH_S)


def test_cores_change_no_result(monkeypatch: pytest.MonkeyPatch) -> None:
    scenario = generate("grid", nodes=49, classes="three", scheduler="drr", arrival="onoff")
    found = []
    for cores in (1, 2):
        monkeypatch.setattr(halves, "usable_cores", lambda cores=cores: cores)
        found.append(Theory().predict([scenario])[0])
    for part in ("flow", "link", "queue"):
        alone, both = getattr(found[0], part), getattr(found[1], part)
        for name, values in alone.columns.items():
            np.testing.assert_array_equal(values, both[name])


def test_two_pieces_of_work_answer_in_their_order() -> None:
    for second in (WORTH_S / 2, 2 * WORTH_S):
        assert at_once(lambda: "one", lambda: "other", second) == ("one", "other")
    with pytest.raises(ZeroDivisionError):
        at_once(lambda: 1, lambda: 1 // 0, 2 * WORTH_S)


def test_what_has_a_thread_of_its_own_begins_no_other() -> None:
    def threads(_: int) -> set[int]:
        return set(at_once(threading.get_ident, threading.get_ident, 2 * WORTH_S))

    assert all(len(found) == 1 for found in side_by_side(threads, range(4)))
