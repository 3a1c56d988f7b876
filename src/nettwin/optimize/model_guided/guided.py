"""Guided: local search that asks the model about every step.

What no load can tell (delays, losses, what a scheduler does) is tried: the levers propose moves
where it hurts, the model judges a batch of them, the best is made. Where none helps, pairs of the
best are tried, then the best of the moves not made before is made, and the search goes on from
there. Where that stalls, some moves at once are a kick away from the best, as in iterated local
search.
"""

from __future__ import annotations

import math
import time
from itertools import combinations

import numpy as np

from nettwin.intent import Judgement
from nettwin.optimize.model_guided.levers import MOVES, MoveContext
from nettwin.optimize.params import GuidedParams
from nettwin.optimize.problem import Changes, Problem, merged
from nettwin.optimize.search import Search

BATCH_S = 0.08  # a batch takes no longer, so that a search ends on time


def guided(problem: Problem, search: Search[Changes], seed: int, start: Changes = ()) -> None:
    """Improve answers by the levers of the problem's intent: `start` first, then the best."""
    random, params = np.random.default_rng(seed), search.params.guided
    judges = _Judges(problem)
    first = judges.judged(search, [start])
    if not first:
        return
    current, score = start, first[0][0].score
    search.offer(score, start)
    seen: set[frozenset[object]] = {_key(current)}
    stalls = kicks = 0
    while not search.over and kicks <= params.kicks:
        if search.score[0] == 0 and not any(search.score[1:]):
            return  # nothing can be better than nothing
        moves = _moves(problem, current, random, params)
        candidates = [merged(current, move) for move in moves] + _without_one(
            current, random, params
        )
        if not candidates:
            return
        ranked = sorted(judges.judged(search, candidates), key=lambda one: one[0].score)
        if ranked and not ranked[0][0].score < score and not search.over:
            pairs = combinations([changes for _, changes in ranked[: params.paired]], 2)
            more = judges.judged(search, [merged(one, other) for one, other in pairs])
            ranked = sorted(ranked + more, key=lambda one: one[0].score)
        fresh = [one for one in ranked if _key(one[1]) not in seen]
        if fresh:
            found, changes = fresh[0]
            stalls = 0 if found.score < score else stalls + 1
            if search.offer(found.score, changes):
                kicks = 0
            current, score = changes, found.score
            seen.add(_key(current))
        if not fresh or stalls > params.stalls:
            kicks, stalls = kicks + 1, 0
            current = _kicked(search.answer or (), moves, random, params)
            score = (math.inf,)


class _Judges:
    """Judges candidates in batches that take about as long as is good."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._each_s = 0.0

    def judged(
        self, search: Search[Changes], candidates: list[Changes]
    ) -> list[tuple[Judgement, Changes]]:
        found: list[tuple[Judgement, Changes]] = []
        while candidates and not search.over:
            room_s = min(BATCH_S, search.seconds_left)
            some = int(room_s / self._each_s) + 1 if self._each_s else 1
            part, candidates = candidates[:some], candidates[some:]
            begin = time.perf_counter()
            judgements = self._problem.judge(part)
            self._each_s = (time.perf_counter() - begin) / len(part)
            for one in zip(judgements, part, strict=True):
                found.append(one)
                if not search.step():  # the same after so many steps, whatever a batch's size
                    return found
        return found


def _moves(
    problem: Problem, current: Changes, random: np.random.Generator, params: GuidedParams
) -> list[Changes]:
    """Moves of all levers, each with its share of the batch."""
    context = MoveContext(problem, current, problem.state(current), random)
    levers = [lever.kind for lever in problem.intent.levers if lever.kind in MOVES]
    each = max(params.batch // max(len(levers), 1), 4)
    out: list[Changes] = []
    for kind in levers:
        moves = list(MOVES[kind](context))
        chosen = sorted(random.permutation(len(moves))[:each].tolist())
        out += [moves[i] for i in chosen]
    return out


def _without_one(
    current: Changes, random: np.random.Generator, params: GuidedParams
) -> list[Changes]:
    """The changes of now without one of them."""
    left_out = sorted(random.permutation(len(current))[: params.dropped].tolist())
    return [current[:k] + current[k + 1 :] for k in left_out]


def _kicked(
    best: Changes, moves: list[Changes], random: np.random.Generator, params: GuidedParams
) -> Changes:
    """The best with a change less, or some moves more."""
    count = int(random.integers(1, params.kicked + 1))
    if best and random.random() < 0.5:
        k = int(random.integers(len(best)))
        best = best[:k] + best[k + 1 :]
    for k in random.permutation(len(moves))[:count].tolist():
        best = merged(best, moves[k])
    return best


def _key(changes: Changes) -> frozenset[object]:
    return frozenset(repr(change) for change in changes)
