"""Searches of some steps, and what must be so of every answer over explicit paths."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nettwin.optimize.problems.explicit_paths import ExplicitPathProblem, Paths
from nettwin.optimize.search import Search
from nettwin.optimize.stop import Steps


def searched(
    method: Callable[[Any, Search[Any], int], None], problem: Any, steps: int, seed: int
) -> Search[Any]:
    """The search of a method over a problem, which has found an answer."""
    search: Search[Any] = Search(Steps(steps))
    method(problem, search, seed)
    assert search.answer is not None
    return search


def searched_paths(
    method: Callable[[Any, Search[Any], int], None],
    p: ExplicitPathProblem,
    steps: int,
    seed: int,
    utilization: Callable[[ExplicitPathProblem, Paths], float],
) -> tuple[Search[Paths], Paths]:
    """The search and its answer: as good as it says, over links that follow one another from each
    flow's source to its target."""
    search: Search[Paths] = searched(method, p, steps, seed)
    assert search.answer is not None
    assert utilization(p, search.answer) <= search.value * (1 + 1e-9)  # fewer moved: or less
    for f, links in search.answer.items():
        ends = [int(p.source[f]), *p.topology.link_target[list(links)].tolist()]
        assert p.topology.link_source[list(links)].tolist() == ends[:-1]
        assert ends[-1] == p.target[f]
    return search, search.answer
