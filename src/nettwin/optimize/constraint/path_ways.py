"""PathWays: the ways of flows along explicit paths."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import dijkstra

from nettwin.optimize.constraint.ways import Way
from nettwin.optimize.pathing import Path, Pathing, Paths

_OFFERED = 10  # ways of a flow at a time
_KEPT = 40  # paths that are remembered of a flow
_DELAYS = (0.3, 1.0, 3.0, 1e6)  # the weights of delay beside price, where delay is limited
_LOOK = 20_000  # steps of an enumeration of paths


class PathWays:
    """The path of now and others that are cheap: see `Ways`.

    Paths come as columns do: each time flows choose, the shortest by the prices of links of then
    joins those known before. Where delay is limited, so do those by prices with more and more
    delay among them, and at last the shortest by delay, so that there is one that keeps the limit
    wherever any does.
    """

    def __init__(self, pathing: Pathing, paths: Paths | None = None) -> None:
        """On given paths, else those of the start."""
        self.pathing = pathing
        topology = pathing.topology
        self.capacity_bps, self.most_changes = pathing.capacity_bps, pathing.most_changes
        given = pathing.start if paths is None else paths
        self.path: dict[int, Path] = {f: tuple(p) for f, p in given.items()}
        self.changed = len(self.moved())
        self._live = np.flatnonzero(topology.link_live)
        self._known: dict[int, dict[Path, None]] = {}
        self.flows: NDArray[np.int64] = np.flatnonzero(pathing.movable)
        self._common = np.ones(len(pathing.source), np.bool_)  # where the common routing leads
        self._padded = np.full((len(pathing.source), 1), topology.link_count)  # links of explicit
        for f, path in self.path.items():
            self._put(f, path)
        self.load_bps = self._loads(np.arange(len(pathing.source)))
        self._fix()

    def pays(self, price: NDArray[np.float64]) -> NDArray[np.float64]:
        """What each of `flows` pays for all its traffic when links have prices. [flows]"""
        pathing = self.pathing
        common = pathing.segments.cost(price)[pathing.legs].sum(axis=1)
        explicit = np.append(price, 0.0)[self._padded].sum(axis=1)
        unit = np.where(self._common, common, explicit)
        return np.asarray((unit * pathing.rate_bps)[self.flows])

    def offered(self, flows: NDArray[np.int64], price: NDArray[np.float64]) -> list[list[Way]]:
        """For each of some flows the path of now, the start's, and cheap ones."""
        self._learn(flows, price)
        found = []
        for f in flows.tolist():
            known = self._known.setdefault(f, {})
            cheap = sorted(known, key=lambda path: float(price[list(path or ())].sum()))
            self._known[f] = dict.fromkeys(cheap[:_KEPT])
            first = (self.path.get(f), self.pathing.start.get(f), None)
            rows = [p for p in dict.fromkeys((*first, *cheap)) if self.pathing.keeps(f, p)]
            found.append([self._way(f, path) for path in rows[:_OFFERED]])
        return found

    def every(self, most: int) -> list[list[Way]] | None:
        """All ways of all flows that keep limits; None where there are more than `most`."""
        found, room, look = [], most, [_LOOK]
        for f in self.flows.tolist():
            paths = self._all_paths(f, room, look)
            if paths is None:
                return None
            rows = dict.fromkeys((self.path.get(f), None, *paths))
            found.append([self._way(f, path) for path in rows if self.pathing.keeps(f, path)])
            room -= len(found[-1])
        return found if room >= 0 else None

    def now(self, flow: int) -> Way:
        """The way of a flow now."""
        return self._way(flow, self.path.get(flow))

    def breaking(self) -> NDArray[np.int64]:
        """Those of `flows` whose paths of now break their limits."""
        some = [f for f in self.flows.tolist() if not self.pathing.keeps(f, self.path.get(f))]
        return np.array(some, np.int64)

    def take(self, flow: int, way: Way) -> None:
        """Put a flow on a way; loads follow."""
        old = self.now(flow)
        if old.key == way.key:
            return
        np.subtract.at(self.load_bps, old.link, old.load_bps)
        np.add.at(self.load_bps, way.link, way.load_bps)
        self._put(flow, way.key)
        self.changed += int(way.changed) - int(old.changed)

    def leave_alone(self, flows: NDArray[np.int64]) -> None:
        """Some of `flows` stay where they are from now on."""
        if flows.size:
            self.flows = np.setdiff1d(self.flows, flows)
            self._fix()

    def moved(self) -> list[int]:
        """The flows that differ from the start."""
        start, either = self.pathing.start, self.path.keys() | self.pathing.start.keys()
        return [f for f in sorted(either) if self.path.get(f) != start.get(f)]

    def paths(self) -> Paths:
        """The explicit paths of now."""
        return {f: path for f, path in sorted(self.path.items()) if path is not None}

    def _put(self, flow: int, path: Path) -> None:
        self.path[flow] = path
        self._common[flow] = path is None
        none = self.pathing.topology.link_count
        longer = len(path or ()) - self._padded.shape[1]
        if longer > 0:
            self._padded = np.pad(self._padded, ((0, 0), (0, longer)), constant_values=none)
        self._padded[flow] = none
        self._padded[flow, : len(path or ())] = path or ()

    def _fix(self) -> None:
        fixed = np.setdiff1d(np.arange(len(self.pathing.source)), self.flows)
        self.fixed_bps = self._loads(fixed)

    def _loads(self, flows: NDArray[Any]) -> NDArray[np.float64]:
        """The load of some flows on their ways of now, and of what is fixed. [links]"""
        return self.pathing.loads(self.path, flows) + self.pathing.fixed_bps

    def _way(self, flow: int, path: Path) -> Way:
        link, share = self.pathing.way(flow, path)
        changed = path != self.pathing.start.get(flow)
        return Way(path, link, share * float(self.pathing.rate_bps[flow]), changed)

    def _learn(self, flows: NDArray[np.int64], price: NDArray[np.float64]) -> None:
        """Add the shortest paths at these prices to those known."""
        pathing = self.pathing
        group = pathing.group[flows] if pathing.group.size else np.full(len(flows), -1)
        for g in np.unique(group).tolist():
            live = self._live if g < 0 else self._live[~pathing.barred[g][self._live]]
            self._learn_over(live, flows[group == g], price)

    def _learn_over(
        self, live: NDArray[np.intp], flows: NDArray[np.int64], price: NDArray[np.float64]
    ) -> None:
        """The same, of flows that may cross these links."""
        delay = self.pathing.topology.link_delay_s
        self._add(live, flows, price)
        limited = flows[np.isfinite(self.pathing.limit_s[flows])]
        weight = price.mean() / max(float(delay.mean()), 1e-12)
        for factor in _DELAYS:
            if limited.size:
                self._add(live, limited, price + factor * weight * delay)

    def _add(
        self, live: NDArray[np.intp], flows: NDArray[np.int64], length: NDArray[np.float64]
    ) -> None:
        topology = self.pathing.topology
        nodes = topology.node_count
        order = live[np.argsort(length[live], kind="stable")]
        ends = topology.link_source[order].astype(np.int64) * nodes + topology.link_target[order]
        pair, first = np.unique(ends, return_index=True)  # the shortest of parallel links
        link_of = dict(zip(pair.tolist(), order[first].tolist(), strict=True))
        shape = (nodes, nodes)
        graph = sparse.csr_array(
            (np.maximum(length[order[first]], 1e-30), np.divmod(pair, nodes)), shape
        )
        sources, at = np.unique(self.pathing.source[flows], return_inverse=True)
        _, before = dijkstra(graph, indices=sources, return_predecessors=True)
        for f, row in zip(flows.tolist(), at.tolist(), strict=True):
            path: list[int] = []
            there = int(self.pathing.target[f])
            while (here := int(before[row, there])) >= 0:
                path.append(link_of[here * nodes + there])
                there = here
            if path:
                self._known.setdefault(f, {})[tuple(reversed(path))] = None

    def _all_paths(self, flow: int, most: int, look: list[int]) -> list[Path] | None:
        """All loop-free paths within the limit of a flow; None where there are more than `most`."""
        topology, limit = self.pathing.topology, float(self.pathing.limit_s[flow])
        target = int(self.pathing.target[flow])
        out: dict[int, list[int]] = {}
        for e in self._live.tolist():
            out.setdefault(int(topology.link_source[e]), []).append(e)
        found: list[Path] = []
        stack: list[tuple[int, tuple[int, ...], frozenset[int], float]] = []
        source = int(self.pathing.source[flow])
        stack.append((source, (), frozenset((source,)), 0.0))
        while stack:
            here, path, seen, delay = stack.pop()
            look[0] -= 1
            if here == target:
                found.append(path)
            if len(found) > most or look[0] < 0:
                return None
            for e in () if here == target else out.get(here, ()):
                there = int(topology.link_target[e])
                far = delay + float(topology.link_delay_s[e])
                if there not in seen and far <= limit:
                    stack.append((there, (*path, e), seen | {there}, far))
        return found
