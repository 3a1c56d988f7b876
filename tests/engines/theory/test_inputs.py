"""Inputs: over which links packets come to each queue, found by a table of hashes."""

from __future__ import annotations

import gc
from itertools import pairwise

import numpy as np
import pytest

from nettwin.engines.theory.engine import Theory
from nettwin.engines.theory.inputs import hop_order, input_table, joined, joins
from nettwin.engines.theory.kept import Kept
from nettwin.engines.theory.tables import tables
from nettwin.errors import InputError
from nettwin.scenario.generate import generate
from nettwin.scenario.scenario import Scenario


@pytest.mark.parametrize(("count", "hops"), [(3, 40), (7, 5_000), (300, 60_000)])
def test_joined_places_are_those_of_the_paths(count: int, hops: int) -> None:
    random = np.random.default_rng(count)
    queue = random.integers(0, count, hops).astype(np.int32)  # nearly all pairs: tables grow
    offset = np.append(np.arange(0, hops, 5), hops)
    pair, before, after = joined(offset, queue, count)
    warm_start: dict[tuple[int, int], int] = {}
    for first, end in pairwise(offset.tolist()):
        assert pair[first] == -1
        for h in range(first + 1, end):
            both = (int(queue[h - 1]), int(queue[h]))
            assert pair[h] == warm_start.setdefault(both, len(warm_start))
    assert list(zip(before.tolist(), after.tolist(), strict=True)) == list(warm_start)


def test_a_path_of_one_hop_is_joined_to_nothing() -> None:
    pair, before, after = joined(np.array([0, 1, 2]), np.zeros(2, np.int32), 1)
    assert pair.tolist() == [-1, -1]
    assert len(before) == len(after) == 0


@pytest.mark.parametrize("shape", ["gabriel", "star"])
def test_every_hop_is_in_the_cell_of_its_queue_and_the_link_before(shape: str) -> None:
    scenario = generate(shape, nodes=12, seed=2, classes="three", scheduler="wfq")
    _, paths, ports = tables(scenario)
    inputs, pairs = input_table(scenario), joins(scenario)
    cell = np.append(inputs.cell, -1)[pairs.hop]
    first_hops = set(paths.offset[:-1].tolist())
    for h, q in enumerate(paths.queue.tolist()):
        if h in first_hops:
            assert cell[h] == -1
            continue
        port = ports.port[q]
        wide = inputs.offset[port + 1] - inputs.offset[port]
        row, place = divmod(int(cell[h] - inputs.block[port]), int(wide))
        assert ports.offset[port] + row == q
        assert inputs.link[inputs.offset[port] + place] == ports.port[paths.queue[h - 1]]
    order = hop_order(inputs, pairs, paths, ports)
    assert sorted(order.hop.tolist()) == list(range(len(paths.queue)))
    for q in range(len(ports.port)):
        mine = order.hop[order.offset[q] : order.offset[q + 1]]
        assert (paths.queue[mine] == q).all()
        assert (np.diff(cell[mine]) >= 0).all()
        assert (order.cell[order.offset[q] : order.offset[q + 1]] == cell[mine]).all()


def test_what_is_kept_is_that_of_the_object_while_it_lives() -> None:
    kept: Kept[int] = Kept(most=2)
    scenarios: list[Scenario] = [generate("line", nodes=n) for n in (3, 4, 5)]
    asked: list[int] = []

    def nodes(k: int) -> int:
        def make() -> int:
            asked.append(k)
            return scenarios[k].topology.node_count

        return kept.of(scenarios[k], make)

    assert [nodes(k) for k in (0, 0, 1, 1, 0)] == [3, 3, 4, 4, 3]
    assert asked == [0, 1]
    assert [nodes(k) for k in (2, 0)] == [5, 3]  # the oldest of more than two is made again
    assert asked == [0, 1, 2, 0]
    scenarios.clear()
    gc.collect()
    assert not kept._made


def test_paths_too_long_for_memory_are_refused_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    scenario = generate("grid", nodes=16, seed=1, load=0.5)
    monkeypatch.setattr("nettwin.engines.theory.tables.MAX_HOPS", len(scenario.paths.links) - 1)
    with pytest.raises(InputError, match=r"240 flows have .* hops or more: .* Ask about fewer"):
        Theory().predict([scenario])


def test_paths_too_long_for_memory_are_refused_before_they_are_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scenario = generate("grid", nodes=64, seed=1, load=0.5)
    hops = len(Scenario(scenario.topology, scenario.traffic, scenario.routing).paths.links)
    monkeypatch.setattr("nettwin.engines.theory.tables.MANY_FLOWS", 1_000)
    monkeypatch.setattr("nettwin.engines.theory.tables.MAX_HOPS", hops // 2)
    scenario = Scenario(scenario.topology, scenario.traffic, scenario.routing)
    with pytest.raises(InputError, match=r"4,032 flows have .* hops or more"):
        Theory().predict([scenario])
    assert not scenario.knows_paths
    monkeypatch.setattr("nettwin.engines.theory.tables.MAX_HOPS", hops)
    Theory().predict([scenario])  # what is only nearly too much is looked at
