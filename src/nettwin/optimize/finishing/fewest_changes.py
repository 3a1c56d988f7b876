"""Trimming: changes that a plan does without."""

from __future__ import annotations

from nettwin.optimize.problem import Changes, Problem
from nettwin.optimize.search import Search

MOST = 400  # changes; with more it would take too long
TOLERANCE = 1e-4  # by which the first objectives may grow worse, relatively


def trimmed(problem: Problem, search: Search[Changes], kept_s: float = 0.0) -> None:
    """Leave out of the best answer what it does as well without, in halves of halves.

    That is no searching: it ends when the time does, but for what is kept of it, or somebody says
    so, whatever else ends a search.
    """
    changes = search.answer or ()
    if len(changes) > MOST:
        return
    limit = search.score
    size = max(len(changes) // 2, 1)
    while changes:
        for start in range(0, len(changes), size):
            if search.cancelled or search.seconds_left <= kept_s:
                return
            rest = changes[:start] + changes[start + size :]
            judged = problem.judge([rest])[0]
            if _as_good(judged.score, limit):
                changes = rest
                search.settle(judged.score, changes)
                break
        else:
            if size == 1:
                return
            size = max(size // 2, 1)


def _as_good(score: tuple[float, ...], limit: tuple[float, ...]) -> bool:
    return all(
        new <= old + TOLERANCE * max(abs(old), 1e-12) for new, old in zip(score, limit, strict=True)
    )
