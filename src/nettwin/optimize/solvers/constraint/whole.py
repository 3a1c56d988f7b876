"""Whole: all flows choose at once among all their paths, where these are few; and the order of
search: mend, all at once, then in neighborhoods."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nettwin.optimize.search import Search
from nettwin.optimize.solvers.constraint.assignment import Assignment, different, top_of
from nettwin.optimize.solvers.constraint.choice import Effort, Question, choose, library
from nettwin.optimize.solvers.constraint.neighborhood import improve, mend

Report = Callable[[], object]

_SAME, _ROUNDED = 1e-9, 1e-5  # relatively; what rounding in the solver may hide


def solve(paths: Assignment, search: Search[Any], offer: Report, settle: Report, seed: int) -> None:
    """Search until the search is over or the answer is proven.

    `offer` offers the paths of now. `settle` replaces the best by the paths of now, which are as
    good and change fewer flows. Raises MissingExtraError where OR-tools is not installed.
    """
    library()
    mend(paths, search, seed)
    offer()
    search.bounded(float((paths.fixed_bps / paths.capacity_bps).max(initial=0.0)))
    if top_of(paths) <= search.bound * (1.0 + _SAME):
        return
    if _whole(paths, search, offer, settle, seed):
        return
    improve(paths, search, offer, seed)


def _whole(
    paths: Assignment, search: Search[Any], offer: Report, settle: Report, seed: int
) -> bool:
    """All at once, then the fewest changes that are as good; whether that settles it."""
    every = paths.every(search.params.constraint.whole_paths)
    if every is None or search.over:
        return every is not None
    every = [different(one) for one in every]
    effort = Effort(
        search.params.constraint.whole_units, seed, search.seconds_left, lambda: search.over
    )
    top = top_of(paths) * (1.0 + _SAME)
    floor = float((paths.fixed_bps / paths.capacity_bps).max(initial=0.0))
    question = Question(
        every, paths.fixed_bps, paths.capacity_bps, floor, top, paths.most_changes, True, "busiest"
    )
    answer = choose(question, effort)
    search.step()
    if not answer.chosen:
        return False
    _take(paths, every, answer.chosen)
    offer()
    search.bounded(answer.bound)
    if not answer.proven:
        return False
    top = top_of(paths) * (1.0 + _SAME)
    fewest = Question(
        every, paths.fixed_bps, paths.capacity_bps, top, top, paths.most_changes, False, "changes"
    )
    best = choose(fewest, effort)
    search.step()
    if best.chosen:
        _take(paths, every, best.chosen)
        if top_of(paths) <= min(top, search.value) * (1.0 + _ROUNDED):
            settle()
    return True


def _take(paths: Assignment, every: list[list[Any]], chosen: list[int]) -> None:
    for f, one, k in zip(paths.flows.tolist(), every, chosen, strict=True):
        paths.take(f, one[k])
