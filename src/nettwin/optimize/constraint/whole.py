"""Whole: all flows choose at once among all their ways, where these are few; and the order of
search: mend, all at once, then in neighborhoods."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nettwin.optimize.constraint.choice import Effort, Question, choose, library
from nettwin.optimize.constraint.neighborhood import improve, mend
from nettwin.optimize.constraint.ways import Ways, different, top_of
from nettwin.optimize.search import Search

Report = Callable[[], object]

_MOST_WAYS = 1500  # of all flows together that are chosen from at once
_UNITS = 1.5  # of the solver
_SAME, _ROUNDED = 1e-9, 1e-5  # relatively; what rounding in the solver may hide


def solve(ways: Ways, search: Search[Any], offer: Report, settle: Report, seed: int) -> None:
    """Search until the search is over or the answer is proven.

    `offer` offers the ways of now. `settle` replaces the best by the ways of now, which are as
    good and change fewer flows. Raises MissingExtraError where OR-tools is not installed.
    """
    library()
    mend(ways, search, seed)
    offer()
    search.bounded(float((ways.fixed_bps / ways.capacity_bps).max(initial=0.0)))
    if top_of(ways) <= search.bound * (1.0 + _SAME):
        return
    if _whole(ways, search, offer, settle, seed):
        return
    improve(ways, search, offer, seed)


def _whole(ways: Ways, search: Search[Any], offer: Report, settle: Report, seed: int) -> bool:
    """All at once, then the fewest changes that are as good; whether that settles it."""
    every = ways.every(_MOST_WAYS)
    if every is None or search.over:
        return every is not None
    every = [different(one) for one in every]
    effort = Effort(_UNITS, seed, search.seconds_left, lambda: search.over)
    top = top_of(ways) * (1.0 + _SAME)
    floor = float((ways.fixed_bps / ways.capacity_bps).max(initial=0.0))
    question = Question(
        every, ways.fixed_bps, ways.capacity_bps, floor, top, ways.most_changes, True, "busiest"
    )
    answer = choose(question, effort)
    search.step()
    if not answer.chosen:
        return False
    _take(ways, every, answer.chosen)
    offer()
    search.bounded(answer.bound)
    if not answer.proven:
        return False
    top = top_of(ways) * (1.0 + _SAME)
    fewest = Question(
        every, ways.fixed_bps, ways.capacity_bps, top, top, ways.most_changes, False, "changes"
    )
    best = choose(fewest, effort)
    search.step()
    if best.chosen:
        _take(ways, every, best.chosen)
        if top_of(ways) <= min(top, search.value) * (1.0 + _ROUNDED):
            settle()
    return True


def _take(ways: Ways, every: list[list[Any]], chosen: list[int]) -> None:
    for f, one, k in zip(ways.flows.tolist(), every, chosen, strict=True):
        ways.take(f, one[k])
