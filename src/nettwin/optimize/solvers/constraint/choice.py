"""Choice: one path for each of some flows, by constraint programming (CP-SAT of OR-tools).

For every flow exactly one of its paths, as Boolean variables; for every link that may get busier
than a floor one sum in whole numbers. Loads are rounded down, so that what the solver proves holds
for the true loads too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Thread
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from nettwin.errors import MissingExtraError
from nettwin.optimize.solvers.constraint.assignment import Candidate

_PARTS = 1_000_000  # of the highest utilization, in which the model counts
_PRESS = 10  # how much more the busiest link counts than the excess of another
_LOOK_S = 0.01  # between two looks whether to end
_SAFE = 1e-9  # relatively, for rounding in sums of loads


@dataclass(frozen=True)
class Question:
    """Flows that must choose, each its paths; where `begun`, the first is that of now.

    `base_bps` is the load of all else. No link may get above the utilization `top`; the load up to
    `floor` is not counted. The aim: the least excess over the floor, that of the busiest link
    before the sum of all; the least of the busiest link alone; or the fewest changed flows.
    """

    paths: Sequence[Sequence[Candidate]]
    base_bps: NDArray[np.float64]  # [links]
    capacity_bps: NDArray[np.float64]  # [links]
    floor: float
    top: float
    most_changed: int = -1  # of the chosen paths; -1: all
    begun: bool = True
    aim: Literal["excess", "busiest", "changes"] = "excess"


@dataclass(frozen=True)
class Effort:
    """How long the solver may work: deterministic units (some seconds each), until it is over."""

    units: float
    seed: int = 0
    seconds: float = math.inf
    over: Callable[[], bool] = lambda: False


@dataclass(frozen=True)
class Answer:
    """The number of the chosen path of each flow; empty where none was found.

    `bound` is a utilization that the busiest link has in any choice; 0 where that was not asked.
    """

    chosen: list[int]
    bound: float = 0.0
    proven: bool = False


def library() -> Any:
    """`ortools.sat.python.cp_model`. Raises MissingExtraError where it is not installed."""
    try:
        from ortools.sat.python import cp_model
    except ImportError:
        raise MissingExtraError("the optimizer constraint", "constraint") from None
    return cp_model


def choose(question: Question, effort: Effort) -> Answer:
    """Choose as well as the effort allows."""
    cp = library()
    model = cp.CpModel()
    picks = [[model.new_bool_var("") for _ in paths] for paths in question.paths]
    for one in picks:
        model.add_exactly_one(one)
    moved = [
        pick
        for one, paths in zip(picks, question.paths, strict=True)
        for pick, path in zip(one, paths, strict=True)
        if path.changed
    ]
    if question.most_changed >= 0:
        model.add(cp.LinearExpr.sum(moved) <= question.most_changed)
    worst, over, floor = _links(cp, model, question, [pick for one in picks for pick in one])
    if question.aim == "changes":
        model.minimize(cp.LinearExpr.sum(moved))
    elif question.aim == "busiest":
        model.minimize(worst)
    else:
        model.minimize(_PRESS * worst + cp.LinearExpr.sum(over))
    if question.begun:
        for one in picks:
            for k, pick in enumerate(one):
                model.add_hint(pick, k == 0)
    solver = cp.CpSolver()
    _configure(solver.parameters, effort)
    if effort.over():
        return Answer([])
    with _watched(solver, effort.over):
        status = solver.solve(model)
    if status not in (cp.OPTIMAL, cp.FEASIBLE):
        return Answer([])
    chosen = [next(k for k, pick in enumerate(one) if solver.value(pick)) for one in picks]
    bound = 0.0
    if question.aim == "busiest":
        parts = floor + math.ceil(solver.best_objective_bound - 1e-6)
        bound = parts / _PARTS * question.top * (1.0 - _SAFE)
    return Answer(chosen, bound, status == cp.OPTIMAL)


def _configure(parameters: Any, effort: Effort) -> None:
    parameters.num_workers = 1  # more of them would make answers depend on luck
    parameters.random_seed = effort.seed
    parameters.max_deterministic_time = effort.units
    if math.isfinite(effort.seconds):
        parameters.max_time_in_seconds = effort.seconds
    # both take longer than they save in programs as small as these
    parameters.cp_model_probing_level = parameters.symmetry_level = 0


@contextmanager
def _watched(solver: Any, over: Callable[[], bool]) -> Iterator[None]:
    """Tell a solver to stop, from a thread of its own, once the search is over."""
    done = Event()

    def watch() -> None:
        while not done.wait(_LOOK_S):
            if over():
                solver.stop_search()

    thread = Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _links(cp: Any, model: Any, question: Question, picks: list[Any]) -> tuple[Any, list[Any], int]:
    """One sum for each link that may get above the floor; the excess of the busiest, that of
    each, and the floor, in parts."""
    unit = question.top * question.capacity_bps / _PARTS  # [links]
    floor = math.floor(question.floor / question.top * _PARTS)
    room = max(_PARTS - floor, 0)
    base = np.floor(question.base_bps / unit * (1.0 - _SAFE)).astype(np.int64)
    variable, link, load = _entries(question, floor * unit)
    part = np.floor(load / unit[link]).astype(np.int64)
    worst = model.new_int_var(0, room, "")
    over = []
    each, begin, count = np.unique(link, return_index=True, return_counts=True)
    for e, i, n in zip(each.tolist(), begin.tolist(), count.tolist(), strict=True):
        excess = model.new_int_var(0, room, "")
        on = [picks[v] for v in variable[i : i + n].tolist()]
        total = cp.LinearExpr.weighted_sum(on, part[i : i + n].tolist())
        model.add(total - excess <= floor - int(base[e]))
        model.add(excess <= worst)
        over.append(excess)
    return worst, over, floor


def _entries(
    question: Question, spare_bps: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Which variable puts which load on which link, by links, of links that may carry more than
    `spare_bps` [links]."""
    paths = [path for one in question.paths for path in one]
    links = question.base_bps.size
    link = np.concatenate([path.link for path in paths])
    variable = np.repeat(np.arange(len(paths)), [path.link.size for path in paths])
    load = np.concatenate([path.load_bps for path in paths])
    place, at = np.unique(link * len(paths) + variable, return_inverse=True)
    load = np.bincount(at, load, place.size)
    link, variable = np.divmod(place, len(paths))
    flow = np.repeat(np.arange(len(question.paths)), [len(one) for one in question.paths])[variable]
    pair, at = np.unique(flow * links + link, return_inverse=True)
    most = np.zeros(pair.size)
    np.maximum.at(most, at, load)
    possible = question.base_bps + np.bincount(pair % links, most, links)
    keep = (possible > spare_bps)[link]
    return variable[keep], link[keep], load[keep]
