"""Placing: where nodes and labels go on a map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from nettwin.scenario.topology import Topology

Points = NDArray[np.float64]  # [points, 2]
EDGE = 0.04  # how far outside of the others a node without links is drawn, of their span
GAP = 0.5  # between parts that no link joins, in hops
Box = tuple[float, float, float, float]  # left, bottom, right, top


@dataclass(frozen=True)
class Projection:
    """How longitude and latitude become places on a map: x = (longitude - edge, in 0 to 360) times
    `squeeze`, y = latitude, both less `low` and over `span`."""

    edge_deg: float
    squeeze: float
    low: tuple[float, float]
    span: float


def node_positions(topology: Topology) -> Points:
    """A place for every node in a box of about one: by coordinates, or by the graph without them.

    Nodes that lack coordinates on a map that has some go to the middle of their neighbors; nodes at
    one site are set apart. A node without links takes no room from the others: one far from them is
    drawn at their edge. [nodes, 2]
    """
    return projected(topology)[0]


def projected(topology: Topology) -> tuple[Points, Projection | None]:
    """The places of `node_positions`, and the projection that they were made by; None where they
    come of the graph."""
    latitude, longitude = topology.node_latitude_deg, topology.node_longitude_deg
    known = np.isfinite(latitude) & np.isfinite(longitude)
    if known.sum() < max(2, topology.node_count / 2):
        return _unit(_by_graph(topology)), None
    middle = np.radians(np.clip(np.nanmean(latitude[known]), -75, 75))
    edge, squeeze = _edge(longitude[known]), float(np.cos(middle))
    points = np.column_stack([(longitude - edge) % 360 * squeeze, latitude])
    if np.ptp(points[known], axis=0).max() == 0:
        return _unit(_by_graph(topology)), None
    for _ in range(topology.node_count):
        if known.all():
            break
        for i in np.flatnonzero(~known):
            near = np.concatenate(
                [
                    topology.link_target[topology.link_source == i],
                    topology.link_source[topology.link_target == i],
                ]
            )
            near = near[known[near]]
            if len(near):
                points[i], known[i] = points[near].mean(axis=0), True
    points[~known] = np.nanmean(points, axis=0)
    points = _near(points, topology)
    low, span = _box(points)
    return _apart(_unit(points)), Projection(edge, squeeze, (float(low[0]), float(low[1])), span)


def _near(points: Points, topology: Topology) -> Points:
    """The points with nodes that have no link moved to the edge of those that have, if outside."""
    linked = np.zeros(topology.node_count, np.bool_)
    linked[topology.link_source] = linked[topology.link_target] = True
    if not linked.any():
        return points
    low, high = points[linked].min(axis=0), points[linked].max(axis=0)
    margin = EDGE * float((high - low).max() or 1.0)
    return np.where(linked[:, None], points, np.clip(points, low - margin, high + margin))


def _edge(longitude: NDArray[np.float64]) -> float:
    """The longitude at which the map is cut: the end of the widest empty stretch of the globe."""
    around = np.sort(longitude % 360)
    gaps = np.diff(np.append(around, around[0] + 360))
    return float(around[(int(gaps.argmax()) + 1) % len(around)])


def _unit(points: Points) -> Points:
    """Moved and scaled, shape kept, so that the larger side is one."""
    low, span = _box(points)
    return np.asarray((points - low) / span)


def _box(points: Points) -> tuple[Points, float]:
    """The lower left corner of some points, and their larger side, one where they have none."""
    low, high = points.min(axis=0), points.max(axis=0)
    return low, float((high - low).max()) or 1.0


def _apart(points: Points, least: float = 0.02) -> Points:
    """Nodes nearer than `least` pushed from one another, a few times."""
    out = points.copy()
    turn = 2.4 * np.arange(len(out))  # the golden angle: no two nodes go the same way
    nudge = np.column_stack([np.cos(turn), np.sin(turn)]) * 1e-4
    for _ in range(50):
        places = out + nudge
        first, second = cKDTree(places).query_pairs(least, output_type="ndarray").T
        if not len(first):
            break
        gap = places[first] - places[second]
        size = np.linalg.norm(gap, axis=1)
        push = gap * ((least - size) / 2 / size)[:, None]
        on_another = np.zeros(len(out), np.bool_)
        on_another[np.concatenate([first[size < 1e-3], second[size < 1e-3]])] = True
        out += nudge * on_another[:, None]
        np.add.at(out, first, push)
        np.add.at(out, second, -push)
    return out


def _by_graph(topology: Topology) -> Points:
    """Places by the links alone: each connected part by its hops, the largest first, the others in
    rows below it. [nodes, 2]"""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components, shortest_path

    n = topology.node_count
    ends = (topology.link_source, topology.link_target)
    graph = csr_array((np.ones(topology.link_count), ends), shape=(n, n))
    hops = shortest_path(graph, directed=False, unweighted=True)
    _, label = connected_components(graph, directed=False)
    parts = [np.flatnonzero(label == k) for k in np.argsort(-np.bincount(label), kind="stable")]
    points = np.zeros((n, 2))
    left, top, lowest, width = 0.0, 0.0, 0.0, 0.0
    for part in parts:
        placed = _by_hops(hops[np.ix_(part, part)])
        placed -= placed.min(axis=0)
        size = placed.max(axis=0)
        if left > 0 and left + size[0] > width:
            left, top = 0.0, lowest - GAP
        points[part] = placed + np.array([left, top - size[1]])
        left, lowest = left + size[0] + GAP, min(lowest, top - size[1])
        if not width:  # the largest stands alone
            width = max(float(size[0]), np.sqrt(len(parts)))
            left, top = 0.0, lowest - GAP
    return points


def _by_hops(hops: NDArray[np.float64]) -> Points:
    """Places whose distances follow the hops between nodes, all of which are finite: stress
    majorization (Gansner, Koren and North, 2004), begun from a circle. [nodes, 2]"""
    n = len(hops)
    longest = float(hops.max(initial=1.0))
    hops = hops.copy()
    np.fill_diagonal(hops, 1.0)
    weight = hops**-2
    np.fill_diagonal(weight, 0.0)
    turn = 2 * np.pi * np.arange(n) / max(n, 1)
    points = np.column_stack([np.cos(turn), np.sin(turn)]) * longest / 2
    total = weight.sum(axis=1, keepdims=True)
    for _ in range(200 if n <= 300 else 40):
        gap = points[:, None] - points[None]
        size = np.maximum(np.linalg.norm(gap, axis=2), 1e-9)
        pull = weight[:, :, None] * (points[None] + gap * (hops / size)[:, :, None])
        points = pull.sum(axis=1) / np.where(total > 0, total, 1.0)
    return np.asarray(points)


def place_labels(
    anchors: Points, sizes: Points, occupied: Sequence[Box], gap: float, bounds: Box
) -> list[tuple[float, float]]:
    """The lower left corner of each label, beside its anchor, where it covers least.

    `sizes` [labels, 2]; each label tries 16 places around its anchor in turn, against what is
    `occupied` and the labels already set; the most crowded anchors go first.
    """
    taken = np.array(list(occupied), np.float64).reshape(-1, 4)
    crowd = [
        float((np.abs((taken[:, :2] + taken[:, 2:]) / 2 - a).max(axis=1) < 8 * gap).sum())
        for a in anchors
    ]
    places: list[tuple[float, float]] = [(0.0, 0.0)] * len(anchors)
    for i in np.argsort(-np.asarray(crowd), kind="stable").tolist():
        (x, y), (width, height) = anchors[i], sizes[i]
        best, best_cost = (x, y), np.inf
        for ring, distance in enumerate((gap, 1.9 * gap)):
            for k in range(16):
                angle = 2 * np.pi * k / 16
                # the box touches a circle around the anchor with its near side or corner
                left = x + distance * np.cos(angle) - width * (1 - np.cos(angle)) / 2
                bottom = y + distance * np.sin(angle) - height * (1 - np.sin(angle)) / 2
                box = (left, bottom, left + width, bottom + height)
                cost = _covered(box, taken) / (width * height) + 0.35 * ring + 0.01 * (k % 4 > 0)
                cost += 5.0 * (
                    left < bounds[0]
                    or bottom < bounds[1]
                    or box[2] > bounds[2]
                    or box[3] > bounds[3]
                )
                if cost < best_cost - 1e-9:
                    best, best_cost = (left, bottom), cost
        places[i] = best
        mine = (*best, best[0] + width, best[1] + height)
        taken = np.vstack(
            [taken, mine, mine]
        )  # to cover a label is twice as bad as to cover a link
    return places


def _covered(box: Box, taken: NDArray[np.float64]) -> float:
    """The area of a box that others cover, each counted."""
    if not len(taken):
        return 0.0
    across = np.minimum(box[2], taken[:, 2]) - np.maximum(box[0], taken[:, 0])
    up = np.minimum(box[3], taken[:, 3]) - np.maximum(box[1], taken[:, 1])
    return float((np.clip(across, 0, None) * np.clip(up, 0, None)).sum())
