"""Graphs: the shapes that `generate` makes networks of, with a place for every node.

Every shape is `shape(nodes, random) -> Graph`, connected, without loops or parallel edges.
Synthetic networks lie in a square of 1000 km.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import Delaunay, cKDTree

from nettwin.errors import InputError
from nettwin.scenario.sites import NSFNET, NSFNET_LINKS

Points = NDArray[np.float64]  # [nodes, 2], x and y in the unit square
Edges = list[tuple[int, int]]

SIDE_KM = 1000.0
CENTER_DEG = (50.0, 10.0)
KM_PER_DEG = 111.195


class Graph(NamedTuple):
    """Named places and the pairs of them that are joined."""

    names: list[str]
    latitude_deg: NDArray[np.float64]  # [nodes]
    longitude_deg: NDArray[np.float64]  # [nodes]
    edges: Edges
    mass: NDArray[np.float64] | None = None  # [nodes], how much traffic a node draws


def nsfnet(nodes: int, random: np.random.Generator) -> Graph:
    """The NSFNET backbone; it has 14 nodes."""
    if nodes != len(NSFNET):
        raise InputError(f"nodes is {nodes}: nsfnet has {len(NSFNET)}. Leave the number out.")
    index = {site.name: i for i, site in enumerate(NSFNET)}
    return Graph(
        [site.name for site in NSFNET],
        np.array([site.latitude_deg for site in NSFNET]),
        np.array([site.longitude_deg for site in NSFNET]),
        [(index[a], index[b]) for a, b in NSFNET_LINKS],
        np.array([site.people for site in NSFNET]),
    )


def line(nodes: int, random: np.random.Generator) -> Graph:
    """A chain."""
    x = np.linspace(0, 1, nodes)
    return _placed(
        np.column_stack([x, np.full(nodes, 0.5)]), [(i, i + 1) for i in range(nodes - 1)]
    )


def ring(nodes: int, random: np.random.Generator) -> Graph:
    """A ring."""
    return _placed(_circle(nodes), [(i, (i + 1) % nodes) for i in range(nodes)])


def star(nodes: int, random: np.random.Generator) -> Graph:
    """The first node is the hub of all others."""
    points = np.vstack([[[0.5, 0.5]], _circle(nodes - 1)])
    return _placed(points, [(0, i) for i in range(1, nodes)])


def tree(nodes: int, random: np.random.Generator) -> Graph:
    """A tree in which every node but the leaves has two to four children, as many each."""
    children = int(random.integers(2, 5))
    parent = [(i - 1) // children for i in range(nodes)]
    depth = [0] * nodes
    for i in range(1, nodes):
        depth[i] = depth[parent[i]] + 1
    deepest = max(1, depth[-1])
    across = [(np.array(depth) == level).nonzero()[0].tolist() for level in range(deepest + 1)]
    points = [
        ((across[d].index(i) + 0.5) / len(across[d]), 1 - d / deepest) for i, d in enumerate(depth)
    ]
    return _placed(np.array(points), [(parent[i], i) for i in range(1, nodes)])


def dumbbell(nodes: int, random: np.random.Generator) -> Graph:
    """Two hubs that are joined, each with half of the other nodes."""
    leaves = nodes - 2
    left = (leaves + 1) // 2
    sides = [(0.0, left, 0.3), (1.0, leaves - left, 0.7)]
    points = [(hub, 0.5) for *_, hub in sides]
    points += [(x, (i + 0.5) / count) for x, count, _ in sides for i in range(count)]
    edges = [(0, 1)] + [(0 if i < left else 1, 2 + i) for i in range(leaves)]
    return _placed(np.array(points), edges)


def full_mesh(nodes: int, random: np.random.Generator) -> Graph:
    """Every two nodes are joined."""
    return _placed(_circle(nodes), [(i, j) for i in range(nodes) for j in range(i + 1, nodes)])


def grid(nodes: int, random: np.random.Generator) -> Graph:
    """A mesh of the most square shape that has exactly so many nodes."""
    rows = max(d for d in range(1, math.isqrt(nodes) + 1) if nodes % d == 0)
    return _mesh(rows, nodes // rows)


def ladder(nodes: int, random: np.random.Generator) -> Graph:
    """Two rails; an odd number of nodes is one too many."""
    if nodes % 2:
        raise InputError(f"nodes is {nodes}: a ladder has an even number. Give {nodes + 1}.")
    return _mesh(2, nodes // 2)


def fat_tree(nodes: int, random: np.random.Generator) -> Graph:
    """The largest fat tree of k pods (Al-Fares et al., 2008) with at most so many switches."""
    k = max(2, 2 * (math.isqrt(4 * nodes // 5) // 2))
    half = k // 2
    core = [(i, j) for i in range(half) for j in range(half)]
    names = [f"core{i}.{j}" for i, j in core]
    points = [((n + 0.5) / len(core), 1.0) for n in range(len(core))]
    edges: Edges = []
    for pod in range(k):
        first = len(names)
        for level, y in (("agg", 0.5), ("edge", 0.0)):
            names += [f"{level}{pod}.{i}" for i in range(half)]
            points += [((pod + (i + 0.5) / half) / k, y) for i in range(half)]
        for i in range(half):
            edges += [(i * half + j, first + i) for j in range(half)]
            edges += [(first + i, first + half + j) for j in range(half)]
    return _placed(np.array(points), edges, names)


def waxman(nodes: int, random: np.random.Generator) -> Graph:
    """Nodes at distance d are joined with probability 0.7 exp(-d / (0.2 L)), L the square's
    diagonal; separate parts are then joined where they are nearest."""
    points = _scattered(nodes, random)
    distance = _distances(points)
    chance = 0.7 * np.exp(-distance / (0.2 * math.sqrt(2.0)))
    drawn = np.triu(random.random((nodes, nodes)) < chance, 1)
    return _placed(points, _joined(_pairs(drawn), distance))


def geometric(nodes: int, random: np.random.Generator) -> Graph:
    """Nodes within the distance that gives four neighbors on average are joined; separate parts
    are then joined where they are nearest."""
    points = _scattered(nodes, random)
    distance = _distances(points)
    near = np.triu(distance <= math.sqrt(4.0 / (math.pi * nodes)), 1)
    return _placed(points, _joined(_pairs(near), distance))


def gabriel(nodes: int, random: np.random.Generator) -> Graph:
    """Two nodes are joined unless a third lies in the circle over them as diameter."""
    points = _scattered(nodes, random)
    if nodes < 4:
        return _placed(points, _free(points, np.argwhere(np.triu(np.ones((nodes, nodes)), 1))))
    # a Gabriel graph is part of the Delaunay triangulation
    corners = Delaunay(points).simplices
    sides = np.vstack([corners[:, [0, 1]], corners[:, [1, 2]], corners[:, [0, 2]]])
    return _placed(points, _free(points, np.unique(np.sort(sides, axis=1), axis=0)))


def _free(points: Points, pairs: NDArray[np.intp]) -> Edges:
    """The pairs over which as diameter a circle holds no third point."""
    tree = cKDTree(points)
    edges = []
    for i, j in pairs.tolist():
        across = points[j] - points[i]
        squared = float(across @ across)
        near = tree.query_ball_point((points[i] + points[j]) / 2, 0.5000001 * squared**0.5)
        third = points[[k for k in near if k not in (i, j)]]
        around = ((third - points[i]) ** 2).sum(axis=1) + ((third - points[j]) ** 2).sum(axis=1)
        if (around >= squared).all():
            edges.append((int(i), int(j)))
    return edges


def barabasi_albert(nodes: int, random: np.random.Generator) -> Graph:
    """Each new node joins two others, drawn in proportion to how many links they have."""
    edges: Edges = [(0, 1), (0, 2), (1, 2)]
    ends = [node for edge in edges for node in edge]
    for new in range(3, nodes):
        chosen: set[int] = set()
        while len(chosen) < 2:
            chosen.add(int(ends[random.integers(len(ends))]))
        for old in sorted(chosen):
            edges.append((old, new))
            ends += [old, new]
    return _placed(_scattered(nodes, random), edges)


def _placed(points: Points, edges: Edges, names: list[str] | None = None) -> Graph:
    """A graph in the square; y points north."""
    span = SIDE_KM / KM_PER_DEG
    latitude = CENTER_DEG[0] + (points[:, 1] - 0.5) * span
    stretch = np.cos(np.radians(CENTER_DEG[0]))
    longitude = CENTER_DEG[1] + (points[:, 0] - 0.5) * span / stretch
    width = len(str(len(points)))
    made = names or [f"N{i + 1:0{width}d}" for i in range(len(points))]
    return Graph(made, latitude.round(4), longitude.round(4), edges)


def _circle(nodes: int) -> Points:
    angle = 2 * np.pi * np.arange(nodes) / max(nodes, 1)
    return np.asarray(0.5 + 0.5 * np.column_stack([np.sin(angle), np.cos(angle)]))


def _mesh(rows: int, columns: int) -> Graph:
    step = 1 / max(rows - 1, columns - 1, 1)
    points = np.array([(c * step, 1 - r * step) for r in range(rows) for c in range(columns)])
    edges = [
        (r * columns + c, r * columns + c + 1) for r in range(rows) for c in range(columns - 1)
    ]
    edges += [
        (r * columns + c, (r + 1) * columns + c) for r in range(rows - 1) for c in range(columns)
    ]
    return _placed(points, edges)


def _scattered(nodes: int, random: np.random.Generator) -> Points:
    """Random points that keep apart: each is the farthest from the others of eight drawn."""
    points = np.empty((nodes, 2))
    points[0] = random.random((1, 2))
    for k in range(1, nodes):
        drawn = random.random((8, 2))
        x = drawn[:, :1] - points[:k, 0]
        y = drawn[:, 1:] - points[:k, 1]
        points[k] = drawn[(x * x + y * y).min(axis=1).argmax()]
    return points


def _distances(points: Points) -> NDArray[np.float64]:
    return np.asarray(np.linalg.norm(points[:, None] - points[None], axis=2))


def _pairs(upper: NDArray[np.bool_]) -> Edges:
    return [(int(i), int(j)) for i, j in np.argwhere(upper)]


def _joined(edges: Edges, distance: NDArray[np.float64]) -> Edges:
    """The edges and those that join separate parts, each time the shortest possible."""
    part = np.arange(len(distance))
    for i, j in edges:
        part[part == part[j]] = part[i]
    out = list(edges)
    while len(set(part.tolist())) > 1:
        apart = np.where(part[:, None] != part[None], distance, np.inf)
        i, j = sorted(int(k) for k in np.unravel_index(int(apart.argmin()), apart.shape))
        out.append((i, j))
        part[part == part[j]] = part[i]
    return sorted(out)
