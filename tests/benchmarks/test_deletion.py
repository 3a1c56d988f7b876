"""The deletion benchmark on tiny inputs: who is named, what agrees, the queues that are drawn."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest

from benchmarks.suite import deletion
from benchmarks.suite.deletion import Case
from nettwin.apps.explanation.causes import find_causes, offered_shares
from nettwin.engines.theory import Theory


def case(said: float, *seen: float) -> Case:
    return Case("delay", 2.0, said, 4.0, seen, (0.1, 0.1), 0.9)


@pytest.mark.parametrize(
    ("found", "agrees", "decided"),
    [
        (case(1.0, 1.0, 1.1), True, True),
        (case(1.0, 0.4, 0.41), False, True),  # more than twice what went
        (case(1.0, 2.2, 2.1), False, True),
        (case(1.0, -1.0, -1.1), False, True),
        (case(1.0, 0.1, 1.9), True, False),  # the seeds differ by more than the change
        (case(1.0, 0.0, 0.0), False, False),
    ],
)
def test_a_case_agrees_by_sign_and_size_where_the_referee_can_tell(found, agrees, decided) -> None:
    assert found.agrees is agrees
    assert found.decided == decided


def test_parts_are_compared_with_what_each_says_was_there() -> None:
    assert case(1.0, 2.2, 2.1).agrees_in_part  # 50 % and 54 %
    assert not case(1.0, 0.5, 0.51).agrees_in_part


def test_figures_leave_undecided_cases_out_and_count_them() -> None:
    figures = {
        f.name: f.value
        for f in deletion.figures_of([case(1.0, 1.0, 1.0), case(9.0, 0.1, 1.9), case(5.0, 1, 1)])
    }
    assert figures["removed as said: sign, and size within 2x"] == 50.0
    assert figures["queues that the referee cannot decide"] == 1.0
    assert figures["queues"] == 3.0


def test_queues_are_busy_and_named_flows_hold_their_part_of_the_load() -> None:
    recipe = deletion.own_recipe()
    assert "real" not in recipe.topology["kinds"]
    for _, scenario, target in islice(deletion.queues(recipe), 3):
        link = scenario.topology.queues.link[target.queues[0]]
        load = scenario.link_offered_load[link]
        assert deletion.BUSY[0] * 0.999 <= load <= deletion.BUSY[1] * 1.001
        causes, share = (
            find_causes(scenario, Theory(), target, top=5),
            offered_shares(scenario, target),
        )
        named = deletion.named_flows(scenario, causes, share)
        enough = share[named].sum() >= deletion.NAMED_LOAD
        assert enough or len(named) in (deletion.MAX_NAMED, causes.flows)
        assert np.all(share[named] > 0)


def test_a_case_is_judged_by_the_simulator() -> None:
    number, scenario, target = next(deletion.queues(deletion.own_recipe()))
    found = deletion.examine(number, scenario, target, Theory(), 1e4)
    assert len(found.seen) == len(deletion.SEEDS)
    assert found.now > 0
    assert found.seen_now > 0
