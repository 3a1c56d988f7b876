"""Random planar graphs: the same edges as by the definition, and quickly for thousands of nodes."""

from __future__ import annotations

import numpy as np
import pytest

from nettwin.scenario import graphs


def by_definition(points: graphs.Points) -> set[tuple[int, int]]:
    """Every pair over which as diameter a circle holds no third point."""
    squared = ((points[:, None] - points[None]) ** 2).sum(axis=2)
    n = len(points)
    return {
        (i, j)
        for i in range(n)
        for j in range(i + 1, n)
        if all(squared[i, k] + squared[k, j] >= squared[i, j] for k in range(n) if k not in (i, j))
    }


@pytest.mark.parametrize("nodes", [2, 3, 4, 5, 12, 60])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_gabriel_graph_is_what_its_definition_says(nodes: int, seed: int) -> None:
    points = graphs._scattered(nodes, np.random.default_rng(seed))
    made = graphs.gabriel(nodes, np.random.default_rng(seed))
    assert set(made.edges) == by_definition(points)
    assert made.edges == sorted(made.edges)


def test_thousands_of_nodes_are_joined_into_one_part() -> None:
    made = graphs.gabriel(3000, np.random.default_rng(1))
    part = list(range(3000))

    def root(i: int) -> int:
        while part[i] != i:
            part[i] = part[part[i]]
            i = part[i]
        return i

    for a, b in made.edges:
        part[root(a)] = root(b)
    assert len({root(i) for i in range(3000)}) == 1
    assert 1.8 < len(made.edges) / 3000 < 2.6
