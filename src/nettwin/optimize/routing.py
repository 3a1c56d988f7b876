"""Routing: the stage of a search that is about loads, with any method that steers or weighs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nettwin.optimize.problem import Changes, Problem, merged
from nettwin.optimize.search import Search
from nettwin.optimize.steering import Steering
from nettwin.optimize.steering_of import steered, steering_of
from nettwin.scenario.changes import apply_all

Steer = Callable[[Steering, Search[NDArray[np.int32]], int], None]
Path = Callable[[Any, Search[Any], int], None]
Weigh = Callable[[Any, Search[NDArray[np.float64]], int], None]
ROUNDS = 3  # in which limits on some links and objectives on others are brought together
FIRST_LEVEL = 1.0


def steer_with(
    problem: Problem, search: Search[Changes], method: Steer, seed: int, midpoints: int = 1
) -> None:
    """Improve the best answer by midpoints of single flows, as a method finds them."""
    level = FIRST_LEVEL
    for turn in range(ROUNDS):
        base = search.answer or ()
        scenario = apply_all(problem.scenario, base)
        steering = steering_of(problem, scenario, midpoints, level)
        part = search.part(search.stage)
        part.bounded(search.bound)
        method(steering, part, seed + turn)
        found = part.answer
        if found is not None:
            _offer(problem, search, merged(base, steered(scenario, steering, found)))
        if search.over or not _limits_and_objectives(problem):
            return
        level = max(search.score[1] if len(search.score) > 1 else FIRST_LEVEL, 1e-3)


def path_with(problem: Problem, search: Search[Changes], method: Path, seed: int) -> None:
    """Improve the best answer by explicit paths of single flows, as a method finds them."""
    from nettwin.optimize.pathing_of import pathed, pathing_of

    base = search.answer or ()
    scenario = apply_all(problem.scenario, base)
    level = FIRST_LEVEL
    for turn in range(ROUNDS):
        pathing = pathing_of(problem, scenario, level)
        part = search.part(search.stage)
        part.bounded(search.bound)
        method(pathing, part, seed + turn)
        found = part.answer
        if found is not None:
            _offer(problem, search, merged(base, pathed(scenario, pathing, found)))
        if search.over or not _limits_and_objectives(problem):
            return
        level = max(search.score[1] if len(search.score) > 1 else FIRST_LEVEL, 1e-3)


def weigh_with(problem: Problem, search: Search[Changes], method: Weigh, seed: int) -> None:
    """Improve the best answer by IGP weights, as a method finds them."""
    from nettwin.optimize.weighing_of import weighed, weighing_of

    base = search.answer or ()
    scenario = apply_all(problem.scenario, base)
    weighing = weighing_of(problem, scenario)
    part: Search[Any] = search.part(search.stage)
    part.bounded(search.bound)
    method(weighing, part, seed)
    found = part.answer
    if found is not None:
        _offer(problem, search, merged(base, weighed(scenario, found)))


def _offer(problem: Problem, search: Search[Changes], changes: Changes) -> None:
    search.offer(problem.judge([changes])[0].score, changes)


def _limits_and_objectives(problem: Problem) -> bool:
    """Whether some links have limits while others shall be as empty as possible."""
    intent = problem.intent
    limits = [e for e in intent.expect if e.measure == "utilization"]
    wanted = [o for entry in intent.minimize for o in entry if o.measure == "utilization"]
    if intent.survive:
        limits += [e for e in intent.survive.expect if e.measure == "utilization"]
        wanted += [o for o in intent.survive.minimize if o.measure == "utilization"]
    return bool(limits and wanted)
