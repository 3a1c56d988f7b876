"""Neighborhood: some flows at the bottleneck choose anew, the others stay (Shaw, 1998).

As in DEFO (Hartert et al., 2015), which flows may choose follows the busiest links. The aim is a
floor under the highest utilization: what is above it is excess, and each choice makes the excess
less. Where it is gone the next floor lies lower; where nothing helps it lies higher. More flows
choose where choices are proven, fewer where time runs out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nettwin.optimize.search import Search
from nettwin.optimize.solvers.constraint.assignment import (
    Assignment,
    Candidate,
    shifted,
    top_of,
)
from nettwin.optimize.solvers.constraint.choice import Effort, Question, choose

_STEP, _SMALLEST_STEP, _LARGEST_STEP = 0.03, 1e-4, 0.03  # floor under the top, relatively
_FARTHER, _NEARER = 1.5, 0.67  # steps after a floor is reached, and given up
_WORTH = 1e-3  # a choice that takes away less excess, relatively, helps little
_STEEP = 4.0  # prices rise by this power of e from the floor to the top
_NOISE, _LUCK = 0.3, 0.7  # in prices; in which flows choose
_ELSEWHERE = 0.2  # how much links other than the one that flows are chosen for count
_LAST_S = 0.03  # before the end that no choice is begun
_SAME = 1e-9  # relatively


def mend(paths: Assignment, search: Search[Any], seed: int) -> None:
    """Put flows whose paths break limits on others, as many as may change; the rest is left alone.

    They get the paths that make the busiest link least busy, whatever it is before.
    """
    breaking, params = paths.breaking(), search.params.constraint
    offered = paths.offered(breaking, 1.0 / paths.capacity_bps)
    mendable = np.array([bool(offer) for offer in offered], np.bool_)
    paths.leave_alone(breaking[~mendable])
    breaking = breaking[mendable]
    room = breaking.size if paths.most_changes < 0 else max(paths.most_changes - paths.changed, 0)
    stay = [breaking[room:]]
    for begin in range(0, min(breaking.size, room), params.mended):
        flows = breaking[begin : min(begin + params.mended, room)]
        if search.over:
            stay.append(flows)
            continue
        offers = paths.offered(flows, np.exp(_usage(paths)) / paths.capacity_bps)
        able = [k for k, offer in enumerate(offers) if offer]
        stay.append(np.delete(flows, able))
        flows, offers = flows[able], [offers[k] for k in able]
        if not offers:
            continue
        base = np.maximum(shifted(paths.load_bps, [paths.now(int(f)) for f in flows], -1.0), 0.0)
        most = shifted(base, [path for offer in offers for path in offer], 1.0)
        top = float((most / paths.capacity_bps).max())
        floor = float((base / paths.capacity_bps).max())
        question = Question(offers, base, paths.capacity_bps, floor, top, begun=False)
        chosen = choose(question, _effort(search, params.mending_units, seed)).chosen or [0] * len(
            offers
        )
        for f, offer, k in zip(flows.tolist(), offers, chosen, strict=True):
            paths.take(f, offer[k])
    paths.leave_alone(np.concatenate(stay))


def improve(paths: Assignment, search: Search[Any], offer: Callable[[], object], seed: int) -> None:
    """Make choices until the search is over; `offer` is called where the top has fallen."""
    random, params = np.random.default_rng(seed), search.params.constraint
    size, step, fails, floor = float(params.first), _STEP, 0, 0.0
    best = top = top_of(paths)
    while top > search.bound + _SAME * top and search.seconds_left > _LAST_S and search.step():
        if not 0.0 < floor < top:
            floor, fails = max(top * (1.0 - step), search.bound), 0
        before = _excess(paths, floor)
        proven = _choice(paths, search, floor, int(size), random)
        top, after = top_of(paths), _excess(paths, floor)
        if top < best:
            best = top
            offer()
        better = before - after > _WORTH * before
        if better or proven or fails:  # an answer out of reach of a first try says nothing
            size *= params.grow if proven else params.shrink
            size = min(max(size, params.fewest), params.most)
        fails = 0 if better else fails + 1
        if after == 0.0:
            step, floor = min(step * _FARTHER, _LARGEST_STEP), 0.0
        elif fails == params.fails:
            step, floor = max(step * _NEARER, _SMALLEST_STEP), 0.0


def _choice(
    paths: Assignment, search: Search[Any], floor: float, count: int, random: np.random.Generator
) -> bool:
    """Let some flows choose anew, if that is no worse; whether nothing better was possible."""
    flows = _chosen(paths, floor, count, random)
    usage = _usage(paths)
    top = float(usage.max())
    price = np.exp(np.minimum((usage - floor) / (top - floor), 1.0) * _STEEP) + 1e-3
    price *= random.lognormal(0.0, _NOISE, price.size) / paths.capacity_bps
    seed = int(random.integers(1 << 30))
    offers = paths.offered(flows, price)
    old = [offer[0] for offer in offers]
    base = np.maximum(shifted(paths.load_bps, old, -1.0), 0.0)
    most = -1
    if paths.most_changes >= 0:
        mine = sum(path.changed for path in old)
        most = max(paths.most_changes - paths.changed, 0) + mine
    if search.over:
        return False
    question = Question(offers, base, paths.capacity_bps, floor, top * (1.0 + _SAME), most)
    answer = choose(question, _effort(search, search.params.constraint.units, seed))
    if any(answer.chosen):
        _take(paths, flows, offers, old, answer.chosen, floor)
    return answer.proven


def _take(
    paths: Assignment,
    flows: NDArray[np.int64],
    offers: list[list[Candidate]],
    old: list[Candidate],
    chosen: list[int],
    floor: float,
) -> None:
    """Put flows on chosen paths, and back where that is worse: the solver rounds."""
    top, before = top_of(paths), _excess(paths, floor)
    for f, offer, k in zip(flows.tolist(), offers, chosen, strict=True):
        paths.take(f, offer[k])
    if top_of(paths) > top * (1.0 + _SAME) or _excess(paths, floor) > before * (1.0 + _SAME):
        for f, path in zip(flows.tolist(), old, strict=True):
            paths.take(f, path)


def _chosen(
    paths: Assignment, floor: float, count: int, random: np.random.Generator
) -> NDArray[np.int64]:
    """Flows on a link above the floor, the busiest or one drawn by excess, and some on others;
    larger ones more likely."""
    usage = _usage(paths)
    hot = np.flatnonzero(usage > floor)
    over = usage[hot] - floor
    link = int(usage.argmax())
    if random.random() < 0.5:
        link = int(random.choice(hot, p=over / over.sum()))
    price = np.zeros(usage.size)
    price[hot] = _ELSEWHERE * over / over.max()
    price[link] += 1.0
    pays = paths.pays(price / paths.capacity_bps)
    some = np.flatnonzero(pays > 0)
    key = np.log(pays[some]) + _LUCK * random.gumbel(size=some.size)
    if some.size > count:
        some = some[np.argpartition(-key, count - 1)[:count]]
    return np.asarray(paths.flows[np.sort(some)])


def _effort(search: Search[Any], units: float, seed: int) -> Effort:
    left = max(search.seconds_left - _LAST_S / 2, 1e-3)
    return Effort(units, seed, left, lambda: search.over)


def _usage(paths: Assignment) -> NDArray[np.float64]:
    return np.asarray(paths.load_bps / paths.capacity_bps)


def _excess(paths: Assignment, floor: float) -> float:
    """What is above a floor, over all links."""
    return float(np.maximum(_usage(paths) - floor, 0.0).sum())
