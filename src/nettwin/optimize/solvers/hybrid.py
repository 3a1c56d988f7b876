"""Hybrid: what a trained agent finds first, refined by local search."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nettwin.optimize.problems.link_weights import LinkWeightProblem
from nettwin.optimize.problems.segment_routing import SegmentRoutingProblem
from nettwin.optimize.search import Search
from nettwin.optimize.solvers.local_search import segments, weights
from nettwin.optimize.solvers.reinforcement import agent, weight_agent
from nettwin.optimize.stop import Gap

NEAR = 1e-4  # gap to the bound at which the agent ends


def steer(
    segment_problem: SegmentRoutingProblem, search: Search[NDArray[np.int32]], seed: int
) -> None:
    """Midpoints by the agent's first episode, then by local search from there."""
    first = _first(search)
    agent(segment_problem, first, seed, episodes=1)
    segments(segment_problem, search, seed, begin=first.answer)


def weigh(
    weight_problem: LinkWeightProblem, search: Search[NDArray[np.float64]], seed: int
) -> None:
    """IGP weights by the agents' first episode, then by local search from there."""
    first = _first(search)
    weight_agent(weight_problem, first, seed, episodes=1)
    weights(weight_problem, search, seed, begin=first.answer)


def _first(search: Search[Any]) -> Search[Any]:
    """The part of a search that is the agent's. What it finds is not yet the search's: local search
    offers it with what breaks limits mended."""
    share = search.params.budget.agent_share
    first: Search[Any] = search.part(search.stage, Gap(NEAR), share=share)
    first.bounded(search.bound)
    return first
