"""ExplicitCandidates: the paths of flows along explicit paths."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import dijkstra

from nettwin.optimize.problems.explicit_paths import ExplicitPathProblem, Path, Paths
from nettwin.optimize.solvers.constraint.candidate_paths import Candidate

_OFFERED = 10  # paths of a flow at a time
_KEPT = 40  # paths that are remembered of a flow
_DELAYS = (0.3, 1.0, 3.0, 1e6)  # the weights of delay beside price, where delay is limited
_LOOK = 20_000  # steps of an enumeration of paths


class ExplicitCandidates:
    """The path of now and others that are cheap: see `Paths`.

    Paths come as columns do: each time flows choose, the shortest by the prices of links of then
    joins those known before. Where delay is limited, so do those by prices with more and more
    delay among them, and at last the shortest by delay, so that there is one that keeps the limit
    wherever any does.
    """

    def __init__(self, path_problem: ExplicitPathProblem, paths: Paths | None = None) -> None:
        """On given paths, else those of the start."""
        self.path_problem = path_problem
        topology = path_problem.topology
        self.capacity_bps, self.most_changes = path_problem.capacity_bps, path_problem.most_changes
        given = path_problem.start if paths is None else paths
        self.path: dict[int, Path] = {f: tuple(p) for f, p in given.items()}
        self.changed = len(self.moved())
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
        found, room, context = [], most, [_LOOK]
        for f in self.flows.tolist():
            paths = self._all_paths(f, room, context)
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

    def moved(self) -> list[int]:
        """The flows that differ from the start."""
        start, either = self.path_problem.start, self.path.keys() | self.path_problem.start.keys()
        return [f for f in sorted(either) if self.path.get(f) != start.get(f)]

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
        """Add the shortest paths at these prices to those known."""
        path_problem = self.path_problem
        group = path_problem.group[flows] if path_problem.group.size else np.full(len(flows), -1)
        for g in np.unique(group).tolist():
            live = self._live if g < 0 else self._live[~path_problem.unreachable[g][self._live]]
            self._learn_over(live, flows[group == g], price)

    def _learn_over(
        self, live: NDArray[np.intp], flows: NDArray[np.int64], price: NDArray[np.float64]
    ) -> None:
        """The same, of flows that may cross these links."""
        delay = self.path_problem.topology.link_delay_s
        self._add(live, flows, price)
        limited = flows[np.isfinite(self.path_problem.limit_s[flows])]
        weight = price.mean() / max(float(delay.mean()), 1e-12)
        for factor in _DELAYS:
            if limited.size:
                self._add(live, limited, price + factor * weight * delay)

    def _add(
        self, live: NDArray[np.intp], flows: NDArray[np.int64], length: NDArray[np.float64]
    ) -> None:
        topology = self.path_problem.topology
        nodes = topology.node_count
        order = live[np.argsort(length[live], kind="stable")]
        ends = topology.link_source[order].astype(np.int64) * nodes + topology.link_target[order]
        pair, first = np.unique(ends, return_index=True)  # the shortest of parallel links
        link_of = dict(zip(pair.tolist(), order[first].tolist(), strict=True))
        shape = (nodes, nodes)
        graph = sparse.csr_array(
            (np.maximum(length[order[first]], 1e-30), np.divmod(pair, nodes)), shape
        )
        sources, at = np.unique(self.path_problem.source[flows], return_inverse=True)
        _, before = dijkstra(graph, indices=sources, return_predecessors=True)
        for f, row in zip(flows.tolist(), at.tolist(), strict=True):
            path: list[int] = []
            there = int(self.path_problem.target[f])
            while (here := int(before[row, there])) >= 0:
                path.append(link_of[here * nodes + there])
                there = here
            if path:
                self._known.setdefault(f, {})[tuple(reversed(path))] = None

    def _all_paths(self, flow: int, most: int, context: list[int]) -> list[Path] | None:
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
            context[0] -= 1
            if here == target:
                found.append(path)
            if len(found) > most or context[0] < 0:
                return None
            for e in () if here == target else out.get(here, ()):
                there = int(topology.link_target[e])
                far = delay + float(topology.link_delay_s[e])
                if there not in seen and far <= limit:
                    stack.append((there, (*path, e), seen | {there}, far))
        return found
