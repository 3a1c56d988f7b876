"""ExplicitAssignment: explicit paths of flows, those of now and others that are cheap."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nettwin.optimize.problems.explicit_paths import ExplicitPathProblem, Path, Paths, moved_flows
from nettwin.optimize.problems.explicit_pricing import Demands, priced_paths
from nettwin.optimize.solvers.constraint.assignment import Candidate

_OFFERED = 10  # paths of a flow at a time
_KEPT = 40  # paths that are remembered of a flow
_STEPS = 20_000  # of an enumeration of paths
_MIN_PRICE = 1e-30  # so that a path never circles for nothing


class ExplicitAssignment:
    """The path of now and others that are cheap: an `Assignment`.

    Paths come as columns do: each time flows choose, the cheapest at the prices of links of then
    join those known before (see `explicit_pricing`).
    """

    def __init__(self, path_problem: ExplicitPathProblem, paths: Paths | None = None) -> None:
        """On given paths, else those of the start."""
        self.path_problem = path_problem
        topology = path_problem.topology
        self.capacity_bps, self.most_changes = path_problem.capacity_bps, path_problem.most_changes
        given = path_problem.start if paths is None else paths
        self.path: dict[int, Path] = {f: tuple(p) for f, p in given.items()}
        self.changed = len(moved_flows(path_problem, self.path))
        self._live = np.flatnonzero(topology.link_live)
        self._known: dict[int, dict[Path, None]] = {}
        self.flows: NDArray[np.int64] = np.flatnonzero(path_problem.movable)
        self._common = np.ones(len(path_problem.source), np.bool_)  # where the common routing leads
        self._padded = np.full(
            (len(path_problem.source), 1), topology.link_count
        )  # links of explicit
        for f, path in self.path.items():
            self._put(f, path)
        self.load_bps = self._loads(np.arange(len(path_problem.source)))
        self._fix()

    def pays(self, price: NDArray[np.float64]) -> NDArray[np.float64]:
        """What each of `flows` pays for all its traffic when links have prices. [flows]"""
        path_problem = self.path_problem
        common = path_problem.segments.cost(price)[path_problem.legs].sum(axis=1)
        explicit = np.append(price, 0.0)[self._padded].sum(axis=1)
        unit = np.where(self._common, common, explicit)
        return np.asarray((unit * path_problem.rate_bps)[self.flows])

    def offered(
        self, flows: NDArray[np.int64], price: NDArray[np.float64]
    ) -> list[list[Candidate]]:
        """For each of some flows the path of now, the start's, and cheap ones."""
        self._learn(flows, price)
        found = []
        for f in flows.tolist():
            known = self._known.setdefault(f, {})
            cheap = sorted(known, key=lambda path: float(price[list(path or ())].sum()))
            self._known[f] = dict.fromkeys(cheap[:_KEPT])
            first = (self.path.get(f), self.path_problem.start.get(f), None)
            rows = [p for p in dict.fromkeys((*first, *cheap)) if self.path_problem.keeps(f, p)]
            found.append([self._candidate(f, path) for path in rows[:_OFFERED]])
        return found

    def every(self, most: int) -> list[list[Candidate]] | None:
        """All paths of all flows that keep limits; None where there are more than `most`."""
        found, room, left = [], most, [_STEPS]
        for f in self.flows.tolist():
            paths = self._all_paths(f, room, left)
            if paths is None:
                return None
            rows = dict.fromkeys((self.path.get(f), None, *paths))
            found.append(
                [self._candidate(f, path) for path in rows if self.path_problem.keeps(f, path)]
            )
            room -= len(found[-1])
        return found if room >= 0 else None

    def now(self, flow: int) -> Candidate:
        """The path of a flow now."""
        return self._candidate(flow, self.path.get(flow))

    def breaking(self) -> NDArray[np.int64]:
        """Those of `flows` whose paths of now break their limits."""
        some = [f for f in self.flows.tolist() if not self.path_problem.keeps(f, self.path.get(f))]
        return np.array(some, np.int64)

    def take(self, flow: int, path: Candidate) -> None:
        """Put a flow on a path; loads follow."""
        old = self.now(flow)
        if old.key == path.key:
            return
        np.subtract.at(self.load_bps, old.link, old.load_bps)
        np.add.at(self.load_bps, path.link, path.load_bps)
        self._put(flow, path.key)
        self.changed += int(path.changed) - int(old.changed)

    def leave_alone(self, flows: NDArray[np.int64]) -> None:
        """Some of `flows` stay where they are from now on."""
        if flows.size:
            self.flows = np.setdiff1d(self.flows, flows)
            self._fix()

    def paths(self) -> Paths:
        """The explicit paths of now."""
        return {f: path for f, path in sorted(self.path.items()) if path is not None}

    def _put(self, flow: int, path: Path) -> None:
        self.path[flow] = path
        self._common[flow] = path is None
        none = self.path_problem.topology.link_count
        longer = len(path or ()) - self._padded.shape[1]
        if longer > 0:
            self._padded = np.pad(self._padded, ((0, 0), (0, longer)), constant_values=none)
        self._padded[flow] = none
        self._padded[flow, : len(path or ())] = path or ()

    def _fix(self) -> None:
        fixed = np.setdiff1d(np.arange(len(self.path_problem.source)), self.flows)
        self.fixed_bps = self._loads(fixed)

    def _loads(self, flows: NDArray[Any]) -> NDArray[np.float64]:
        """The load of some flows on their paths of now, and of what is fixed. [links]"""
        return self.path_problem.loads(self.path, flows) + self.path_problem.fixed_bps

    def _candidate(self, flow: int, path: Path) -> Candidate:
        link, share = self.path_problem.candidate(flow, path)
        changed = path != self.path_problem.start.get(flow)
        return Candidate(path, link, share * float(self.path_problem.rate_bps[flow]), changed)

    def _learn(self, flows: NDArray[np.int64], price: NDArray[np.float64]) -> None:
        """Add the cheapest paths at these prices to those known."""
        demands = Demands.of(self.path_problem, flows)
        for found in priced_paths(self.path_problem, demands, np.maximum(price, _MIN_PRICE)):
            for f, row in zip(flows[found.demand].tolist(), found.path.tolist(), strict=True):
                path = tuple(e for e in row if e >= 0)
                if path:
                    self._known.setdefault(f, {})[path] = None

    def _all_paths(self, flow: int, most: int, left: list[int]) -> list[Path] | None:
        """All loop-free paths within the limit of a flow; None where there are more than `most`."""
        topology, limit = self.path_problem.topology, float(self.path_problem.limit_s[flow])
        target = int(self.path_problem.target[flow])
        out: dict[int, list[int]] = {}
        for e in self._live.tolist():
            out.setdefault(int(topology.link_source[e]), []).append(e)
        found: list[Path] = []
        stack: list[tuple[int, tuple[int, ...], frozenset[int], float]] = []
        source = int(self.path_problem.source[flow])
        stack.append((source, (), frozenset((source,)), 0.0))
        while stack:
            here, path, seen, delay = stack.pop()
            left[0] -= 1
            if here == target:
                found.append(path)
            if len(found) > most or left[0] < 0:
                return None
            for e in () if here == target else out.get(here, ()):
                there = int(topology.link_target[e])
                far = delay + float(topology.link_delay_s[e])
                if there not in seen and far <= limit:
                    stack.append((there, (*path, e), seen | {there}, far))
        return found
