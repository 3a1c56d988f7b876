"""Routing: the stage of a search that is about loads, with any method that steers or weighs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nettwin.optimize.bounds import proving
from nettwin.optimize.problem import Changes, Problem, merged
from nettwin.optimize.problems.explicit_paths_builder import explicit_path_problem, pathed
from nettwin.optimize.problems.link_weights_builder import link_weight_problem, weighed
from nettwin.optimize.problems.segment_routing import SegmentRoutingProblem
from nettwin.optimize.problems.segment_routing_builder import segment_routing_problem, steered
from nettwin.optimize.search import Search
from nettwin.optimize.stop import AnyOf, NoProgress, Target
from nettwin.scenario.changes import SetPath, SetWeight, apply_all
from nettwin.scenario.scenario import Scenario

Steer = Callable[[SegmentRoutingProblem, Search[NDArray[np.int32]], int], None]
Path = Callable[[Any, Search[Any], int], None]
Weigh = Callable[[Any, Search[NDArray[np.float64]], int], None]
ROUNDS = 3  # in which limits on some links and objectives on others are brought together
FIRST_LEVEL = 1.0
LOADS = "busiest link, of what it may carry"  # the values of a part, where they are not all
KEPT = Target(1.0 - 1e-6)  # where all limits on loads hold: no more is wanted of them
BISECTIONS = 12  # towards the fewest changes that keep limits
LEVER_CHANGE = {"segments": SetPath.kind, "paths": SetPath.kind, "weights": SetWeight.kind}
TIRED = 500  # steps without anything better that end one of them


def steer_with(
    problem: Problem, search: Search[Changes], method: Steer, seed: int, midpoints: int = 1
) -> None:
    """Improve the best answer by midpoints of single flows, as a method finds them."""

    def once(base: Changes, most: int, level: float, turn: int, part: Search[Any]) -> Changes:
        scenario = apply_all(problem.scenario, base)
        segment_problem = segment_routing_problem(problem, scenario, midpoints, level)
        segment_problem = replace(segment_problem, most_changes=most)
        if not _bounds_hold(problem, base):
            method(segment_problem, part, seed + turn)
        else:
            proving.bound_at_once(segment_problem, part)
            first = part.portion(1 - proving.share(segment_problem, part))
            method(segment_problem, first, seed + turn)
            if first.answer is not None:
                part.offer(first.score, first.answer)
            proving.bound_by_flow(segment_problem, part, part.answer)
        found = part.answer
        return () if found is None else steered(scenario, segment_problem, found)

    _in_rounds(problem, search, SetPath.kind, once)


def path_with(problem: Problem, search: Search[Changes], method: Path, seed: int) -> None:
    """Improve the best answer by explicit paths of single flows, as a method finds them."""
    _with(problem, search, method, seed, SetPath.kind, explicit_path_problem, pathed)


def weigh_with(problem: Problem, search: Search[Changes], method: Weigh, seed: int) -> None:
    """Improve the best answer by IGP weights, as a method finds them."""
    _with(problem, search, method, seed, SetWeight.kind, link_weight_problem, weighed)


def _with(
    problem: Problem,
    search: Search[Changes],
    method: Callable[[Any, Search[Any], int], None],
    seed: int,
    kind: str,
    built: Callable[[Problem, Scenario, float], Any],
    changes_of: Callable[[Scenario, Any, Any], Changes],
) -> None:
    """Build the array problem, let a method solve it, make changes of a kind of its answer."""

    def once(base: Changes, most: int, level: float, turn: int, part: Search[Any]) -> Changes:
        scenario = apply_all(problem.scenario, base)
        arrays = replace(built(problem, scenario, level), most_changes=most)
        method(arrays, part, seed + turn)
        return () if part.answer is None else changes_of(scenario, arrays, part.answer)

    _in_rounds(problem, search, kind, once)


Once = Callable[[Changes, int, float, int, Search[Any]], Changes]


def _in_rounds(problem: Problem, search: Search[Changes], kind: str, once: Once) -> None:
    """Look once for changes of a kind; where some links have limits and others objectives, again
    with the limits as they are at what the objectives have reached.

    Where the number of changes is limited, changes of this kind that were made before give way, so
    that they are not counted twice.
    """
    most = problem.intent.most_changes
    level = FIRST_LEVEL
    values = "" if _loads_are_all(problem) else LOADS
    enough = KEPT if _only_limits(problem) else AnyOf(())
    for turn in range(ROUNDS):
        base, left = search.answer or (), -1
        if most is not None:
            base = tuple(change for change in base if change.kind != kind)
            left = max(most - len(base), 0)
        part = search.part(search.stage, enough, values)
        if _load_is_first(problem):
            part.bounded(search.bound)
        new = once(base, left, level, turn, part)
        found = merged(base, new) if base else new
        search.offer(problem.judge([found])[0].score, found)
        if _bounds_hold(problem, base):
            search.bounded(part.bound)
        if search.over or not _limits_and_objectives(problem):
            break
        level = max(search.score[1] if len(search.score) > 1 else FIRST_LEVEL, 1e-3)
    if enough is KEPT and _few_wanted(problem):
        _fewer(problem, search, kind, once)


def _fewer(problem: Problem, search: Search[Changes], kind: str, once: Once) -> None:
    """Keep the limits by fewer changes of a kind: look once for half as many, and so on."""
    too_few = -1
    for turn in range(ROUNDS, ROUNDS + BISECTIONS):
        answer = search.answer or ()
        base = tuple(change for change in answer if change.kind != kind)
        count = len(answer) - len(base)
        if search.over or search.score[0] > 0 or count - too_few <= 1:
            return
        most = (count + too_few) // 2
        share = search.params.budget.fewer_share
        part = search.part(search.stage, KEPT | NoProgress(TIRED), LOADS, share)
        found = merged(base, once(base, most, FIRST_LEVEL, turn, part))
        if not search.offer(problem.judge([found])[0].score, found):
            too_few = most


def _bounds_hold(problem: Problem, base: Changes) -> bool:
    """Whether what is proven of flows on these changes is proven of all answers: loads are all that
    is asked, nothing is forbidden (an answer that misses a limit has no higher bound for it), and
    nothing else may be changed."""
    levers = problem.intent.levers
    one = len(levers) == 1 and all(LEVER_CHANGE.get(levers[0].kind) == c.kind for c in base)
    return one and not problem.intent.avoid and _loads_are_all(problem)


def _loads_are_all(problem: Problem) -> bool:
    """Whether the highest utilization that a method sees is the first objective, and all of it."""
    intent = problem.intent
    limits = intent.expect or (intent.survive and intent.survive.expect)
    return _load_is_first(problem) and not limits


def _load_is_first(problem: Problem) -> bool:
    """Whether the highest utilization that a method sees is no lower than the first objective, and
    the only one about loads."""
    intent = problem.intent
    survive = intent.survive
    wanted = [o for entry in intent.minimize for o in entry]
    wanted += survive.minimize if survive else ()
    loads = [o for o in wanted if o.measure == "offered_load"]
    plain = [(o.reduce, o.weight, o.failures) for o in loads] == [("max", 1, "worst")]
    alone = all(len(entry) == 1 for entry in intent.minimize[:1])
    return plain and alone and loads == wanted[:1]


def _only_limits(problem: Problem) -> bool:
    """Whether loads must keep limits and need not be lower than those."""
    intent = problem.intent
    wanted = [o for entry in intent.minimize for o in entry]
    wanted += intent.survive.minimize if intent.survive else ()
    return not intent.predicted and not any(o.measure == "offered_load" for o in wanted)


def _few_wanted(problem: Problem) -> bool:
    """Whether the number of changes comes before all else that shall be low."""
    return [o.measure for o in (problem.intent.minimize or ((),))[0]] == ["changes"]


def _limits_and_objectives(problem: Problem) -> bool:
    """Whether some links have limits while others shall be as empty as possible."""
    intent = problem.intent
    limits = [e for e in intent.expect if e.measure == "offered_load"]
    wanted = [o for entry in intent.minimize for o in entry if o.measure == "offered_load"]
    if intent.survive:
        limits += [e for e in intent.survive.expect if e.measure == "offered_load"]
        wanted += [o for o in intent.survive.minimize if o.measure == "offered_load"]
    return bool(limits and wanted)
