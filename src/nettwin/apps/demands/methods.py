"""Methods: how demands may be estimated, by name.

A method is a function of a Problem that gives a Solution. Other packages add theirs as entry points
of the group `nettwin.demand_methods`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from nettwin.apps.demands import bayes, kalman, priors
from nettwin.apps.demands.bayes import (
    Problem,
    Solution,
    noise_of,
    prior_mean,
    reconciled,
    spread_out,
)
from nettwin.apps.demands.covariance import Covariance, inverse_of
from nettwin.apps.demands.equations import Floats
from nettwin.registry import Registry, adopt_choice

DEFAULT = "bayes"


@dataclass(frozen=True)
class Method:
    """A way to estimate demands: its name, what it is, and the function that does it."""

    name: str
    title: str
    solve: Callable[[Problem], Solution]


def gravity(problem: Problem) -> Solution:
    """The gravity model alone, or a scaled earlier day: links are not looked at."""
    mean = prior_mean(problem)
    return Solution(mean, _prior_deviation(problem, mean))


def general_gravity(problem: Problem) -> Solution:
    """The gravity model without demands between peers."""
    mean = priors.general_gravity(problem.equations, problem.peers)
    return Solution(mean, _prior_deviation(problem, mean))


def tomogravity(problem: Problem) -> Solution:
    """The demands nearest to the prior that explain the counters, by least squares whose weights
    are one over the prior (deviations grow as its square root, Zhang 2003, section 4.2)."""
    equations = problem.equations
    mean = _prior(problem)
    demand, variance = np.empty_like(mean), np.zeros(equations.pair_count)
    noise = noise_of(problem)
    for time, measured in enumerate(equations.measured_bps):
        known = ~np.isnan(measured)
        matrix = equations.matrix[np.flatnonzero(known)]
        covariance = Covariance(np.maximum(mean[time], 1e-9 * mean[time].max(initial=1e-300)))
        size = float(np.mean(mean[time])) or 1.0
        inverse = inverse_of(covariance.seen(matrix), noise[known] / size)
        found = mean[time]
        for _ in range(bayes.PROJECTIONS):
            gap = measured[known] - matrix @ found
            found = np.maximum(found + covariance.spread(matrix, (inverse @ gap)[None])[0], 0.0)
        gap = measured[known] - matrix @ mean[time]
        scale = float(gap @ inverse @ gap) / max(len(gap), 1)
        demand[time] = found
        variance += scale * covariance.left(matrix, inverse) / len(mean)
    found = reconciled(problem, demand)
    return Solution(found, spread_out(found, variance))


def entropy(problem: Problem) -> Solution:
    """The demands of least relative entropy to the prior that explain the counters."""
    mean = _prior(problem)
    floored = np.maximum(mean, 1e-9 * mean.max(initial=1e-300))
    demand = priors.fitted(problem.equations, floored, noise=problem.noise)
    return Solution(demand, tomogravity(problem).deviation_bps)


def _prior(problem: Problem) -> Floats:
    if problem.peers and problem.earlier_bps is None:
        return priors.general_gravity(problem.equations, problem.peers)
    return prior_mean(problem)


def _prior_deviation(problem: Problem, mean: Floats) -> Floats:
    """How far a prior is off, by what it leaves of the counters."""
    equations = problem.equations
    gap = np.nan_to_num(equations.measured_bps - equations.counted(mean))
    typical = mean.mean(axis=0)
    seen = np.asarray(equations.matrix.multiply(equations.matrix) @ typical).sum()
    scale = float(np.mean(np.sum(gap**2, axis=1))) / max(float(seen), 1e-300)
    return spread_out(mean, scale * typical)


OWN = (
    Method("gravity", "the gravity model alone", gravity),
    Method("general-gravity", "gravity without demands between peers", general_gravity),
    Method("tomogravity", "least squares around gravity", tomogravity),
    Method("entropy", "least relative entropy to gravity", entropy),
    Method("bayes", "variances learned from all intervals of the counters", bayes.solve),
    Method("kalman", "the same step by step, of earlier intervals alone", kalman.solve),
)
METHODS: Registry[Method] = Registry(
    "estimation method",
    "nettwin.demand_methods",
    {one.name: one for one in OWN},
    adopt_choice(Method, "an estimation method", "a function of a Problem that gives a Solution"),
)


def method(name: str) -> Method:
    """The entry of METHODS with a name. Raises UnknownNameError if there is none."""
    return METHODS.named(name)
