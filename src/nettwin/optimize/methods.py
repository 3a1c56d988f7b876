"""Methods: the registry of optimizers, each made of parts that solve one array problem each."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from nettwin.errors import UnknownNameError
from nettwin.optimize.model_guided.guided import guided
from nettwin.optimize.problem import Changes, Problem
from nettwin.optimize.search import Search
from nettwin.optimize.solvers.routing import path_with, steer_with, weigh_with
from nettwin.registry import Registry


@dataclass(frozen=True)
class Method:
    """An optimizer as people choose it.

    `steer`, `weigh` and `path` name what solves a SegmentRoutingProblem (midpoints), a
    LinkWeightProblem (IGP weights) and an ExplicitPathProblem, as `module:function`; empty where it
    has none.
    `extra` is the optional dependency that it needs.
    """

    name: str
    title: str
    steer: str = ""
    weigh: str = ""
    path: str = ""
    extra: str = ""

    def search(self, problem: Problem, search: Search[Changes], seed: int) -> None:
        """Improve the best answer of a search until it is over or nothing helps.

        Where a model predicts, what is best by its loads may break a limit that was kept before:
        moves that the model judges then go on from there, whatever it scores.
        """
        predicted = problem.intent.predicted
        routes = search.portion(search.params.budget.routing_share if predicted else 1.0)
        if predicted:
            routes.settle((math.inf,), search.answer or ())
        begin, stages = routes.answer or (), self._stages(problem)
        orders = [stages, stages[::-1]] if len(stages) > 1 else [stages]
        for turn, order in enumerate(orders):
            one = routes.portion(1 / (len(orders) - turn))
            one.settle((math.inf,), begin)
            for k, (stage, find) in enumerate(order):
                if one.over:
                    break
                search.stage = one.stage = f"{self.name}: {stage}"
                part = one.portion(1 / (len(order) - k))
                find(problem, part, seed)
                one.offer(part.score, part.answer or ())
            routes.offer(one.score, one.answer or ())
        routed = routes.answer or ()
        if routes.score[0] < math.inf:
            search.offer(routes.score, routed)
        if predicted or search.score[0] > 0 or self._others(problem):
            search.stage = f"{self.name}: moves judged by the model"
            guided(problem, search, seed, routed)

    def _stages(self, problem: Problem) -> list[tuple[str, Callable[..., None]]]:
        found: list[tuple[str, Callable[..., None]]] = []
        if self.steer and (lever := problem.intent.lever("segments")):
            steer, most = _named(self.steer), lever.midpoints

            def find(p: Problem, s: Search[Changes], seed: int) -> None:
                steer_with(p, s, steer, seed, most)

            found.append(("midpoints", find))
        if self._paths(problem):
            path = _named(self.path)
            found.append(("paths", lambda p, s, seed: path_with(p, s, path, seed)))
        if self.weigh and problem.intent.lever("weights"):
            weigh = _named(self.weigh)
            found.append(("weights", lambda p, s, seed: weigh_with(p, s, weigh, seed)))
        return found

    def _paths(self, problem: Problem) -> bool:
        """Whether a stage moves explicit paths: not where failures count, in which they break."""
        return bool(self.path and problem.intent.lever("paths") and not problem.intent.survive)

    def _others(self, problem: Problem) -> bool:
        """Whether there are levers that no stage before has moved."""
        mine = {"segments"} if self.steer else set()
        mine |= {"weights"} if self.weigh else set()
        mine |= {"paths"} if self._paths(problem) else set()
        return not {lever.kind for lever in problem.intent.levers} <= mine


OWN = (
    Method(
        "auto",
        "local search first; given time for the size, linear programming after it",
        "nettwin.optimize.solvers.auto:steer",
        "nettwin.optimize.solvers.local_search:weights",
        "nettwin.optimize.solvers.linear.paths:linear_paths",
    ),
    Method(
        "linear",
        "linear programming: paths by column generation, rounded; few flows exactly",
        "nettwin.optimize.solvers.linear.linear:linear",
        path="nettwin.optimize.solvers.linear.paths:linear_paths",
    ),
    Method(
        "constraint",
        "constraint programming: large neighborhoods around the bottleneck (CP-SAT)",
        "nettwin.optimize.solvers.constraint:constraint",
        path="nettwin.optimize.solvers.constraint:constraint_paths",
        extra="constraint",
    ),
    Method(
        "local_search",
        "local search led by prices of links: midpoints and IGP weights",
        "nettwin.optimize.solvers.local_search:segments",
        "nettwin.optimize.solvers.local_search:weights",
    ),
    Method(
        "reinforcement",
        "trained agents: one chooses midpoints, one on every link raises weights",
        "nettwin.optimize.solvers.reinforcement.agents:agent",
        "nettwin.optimize.solvers.reinforcement.agents:weight_agent",
    ),
    Method(
        "hybrid",
        "the trained agents first; local search refines what they find",
        "nettwin.optimize.solvers.hybrid:steer",
        "nettwin.optimize.solvers.hybrid:weigh",
    ),
)


def _adopted(name: str, loaded: Any) -> Method:
    """A Method that another package adds."""
    if not isinstance(loaded, Method):
        raise TypeError(f"{loaded!r} must be a nettwin.extend.Method")
    if loaded.name != name:
        raise ValueError(f"its name is {loaded.name!r}, must be {name!r}")
    if loaded.extra:
        raise ValueError(f"its extra is {loaded.extra!r}, must be empty: extras are nettwin's own")
    return loaded


OPTIMIZERS: Registry[Method] = Registry(
    "optimizer", "nettwin.optimizers", {one.name: one for one in OWN}, _adopted
)


def method(name: str) -> Method:
    """The entry of OPTIMIZERS with a name. Raises UnknownNameError if there is none."""
    if name not in OPTIMIZERS:
        raise UnknownNameError("optimizer", name, OPTIMIZERS)
    return OPTIMIZERS[name]


def _named(place: str) -> Any:
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)
