"""Trimming: changes that a plan does without."""

from __future__ import annotations

from nettwin.optimize.problem import Changes, Problem
from nettwin.optimize.search import Search

TOLERANCE = 1e-4  # by which the first objectives may grow worse, relatively


def trimmed(problem: Problem, search: Search[Changes], most: int = 400) -> None:
    """Leave out of the best answer what it does as well without, in halves of halves."""
    changes = search.answer or ()
    if len(changes) > most:
        return
    limit = search.score
    size = max(len(changes) // 2, 1)
    while changes and not search.over:
        for start in range(0, len(changes), size):
            rest = changes[:start] + changes[start + size :]
            judged = problem.judge([rest])[0]
            go_on = search.step()
            if _as_good(judged.score, limit):
                changes = rest
                search.settle(judged.score, changes)
                break
            if not go_on:
                return
        else:
            if size == 1:
                return
            size = max(size // 2, 1)


def _as_good(score: tuple[float, ...], limit: tuple[float, ...]) -> bool:
    return all(
        new <= old + TOLERANCE * max(abs(old), 1e-12) for new, old in zip(score, limit, strict=True)
    )
