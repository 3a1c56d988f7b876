"""Routing: the stage of a search that is about loads, with any method that steers or weighs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nettwin.optimize.problem import Changes, Problem, merged
from nettwin.optimize.search import Search
from nettwin.optimize.steering import Steering
from nettwin.optimize.steering_of import steered, steering_of
from nettwin.scenario.changes import SetPath, SetWeight, apply_all

Steer = Callable[[Steering, Search[NDArray[np.int32]], int], None]
Path = Callable[[Any, Search[Any], int], None]
Weigh = Callable[[Any, Search[NDArray[np.float64]], int], None]
ROUNDS = 3  # in which limits on some links and objectives on others are brought together
FIRST_LEVEL = 1.0


def steer_with(
    problem: Problem, search: Search[Changes], method: Steer, seed: int, midpoints: int = 1
) -> None:
    """Improve the best answer by midpoints of single flows, as a method finds them."""

    def once(base: Changes, most: int, level: float, turn: int) -> Changes:
        scenario = apply_all(problem.scenario, base)
        steering = steering_of(problem, scenario, midpoints, level)
        steering = replace(steering, most_changes=most)
        part = search.part(search.stage)
        part.bounded(search.bound)
        method(steering, part, seed + turn)
        found = part.answer
        return () if found is None else steered(scenario, steering, found)

    _in_rounds(problem, search, SetPath.kind, once)


def path_with(problem: Problem, search: Search[Changes], method: Path, seed: int) -> None:
    """Improve the best answer by explicit paths of single flows, as a method finds them."""
    from nettwin.optimize.pathing_of import pathed, pathing_of

    def once(base: Changes, most: int, level: float, turn: int) -> Changes:
        scenario = apply_all(problem.scenario, base)
        pathing = replace(pathing_of(problem, scenario, level), most_changes=most)
        part = search.part(search.stage)
        part.bounded(search.bound)
        method(pathing, part, seed + turn)
        found = part.answer
        return () if found is None else pathed(scenario, pathing, found)

    _in_rounds(problem, search, SetPath.kind, once)


def weigh_with(problem: Problem, search: Search[Changes], method: Weigh, seed: int) -> None:
    """Improve the best answer by IGP weights, as a method finds them."""
    from nettwin.optimize.weighing_of import weighed, weighing_of

    def once(base: Changes, most: int, level: float, turn: int) -> Changes:
        scenario = apply_all(problem.scenario, base)
        weighing = replace(weighing_of(problem, scenario, level), most_changes=most)
        part: Search[Any] = search.part(search.stage)
        part.bounded(search.bound)
        method(weighing, part, seed + turn)
        found = part.answer
        return () if found is None else weighed(scenario, found)

    _in_rounds(problem, search, SetWeight.kind, once)


Once = Callable[[Changes, int, float, int], Changes]


def _in_rounds(problem: Problem, search: Search[Changes], kind: str, once: Once) -> None:
    """Look once for changes of a kind; where some links have limits and others objectives, again
    with the limits as they are at what the objectives have reached.

    Where the number of changes is limited, changes of this kind that were made before give way, so
    that they are not counted twice.
    """
    most = problem.intent.most_changes
    level = FIRST_LEVEL
    for turn in range(ROUNDS):
        base, left = search.answer or (), -1
        if most is not None:
            base = tuple(change for change in base if change.kind != kind)
            left = max(most - len(base), 0)
        found = merged(base, once(base, left, level, turn))
        search.offer(problem.judge([found])[0].score, found)
        if search.over or not _limits_and_objectives(problem):
            return
        level = max(search.score[1] if len(search.score) > 1 else FIRST_LEVEL, 1e-3)


def _limits_and_objectives(problem: Problem) -> bool:
    """Whether some links have limits while others shall be as empty as possible."""
    intent = problem.intent
    limits = [e for e in intent.expect if e.measure == "utilization"]
    wanted = [o for entry in intent.minimize for o in entry if o.measure == "utilization"]
    if intent.survive:
        limits += [e for e in intent.survive.expect if e.measure == "utilization"]
        wanted += [o for o in intent.survive.minimize if o.measure == "utilization"]
    return bool(limits and wanted)
