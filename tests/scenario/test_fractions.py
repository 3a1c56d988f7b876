"""Fractions: times the demands they are the links' loads."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from nettwin.scenario.fractions import routing_fractions
from nettwin.scenario.generate import generate
from nettwin.scenario.routing import Routing, Steer
from nettwin.scenario.scenario import Scenario


@given(st.integers(0, 2**32 - 1), st.sampled_from((4, 6, 9)), st.integers(0, 2), st.booleans())
def test_fractions_times_demands_are_loads(seed: int, nodes: int, down: int, ecmp: bool) -> None:
    """Under ECMP or single paths, with links down and some flows steered."""
    random = np.random.default_rng(seed)
    plain = generate("grid", nodes=nodes, seed=seed % 1000)
    up = plain.topology.link_up.copy()
    up[random.choice(len(up), down, replace=False)] = False
    topology = plain.topology.with_arrays(link_up=up)
    flows = random.choice(plain.traffic.flow_count, 3, replace=False)
    steer = {int(f): (Steer(midpoints=(int(random.integers(nodes)),)),) for f in flows}
    scenario = Scenario(topology, plain.traffic, Routing(ecmp, steer=steer if seed % 2 else {}))
    fractions = routing_fractions(scenario)
    demand = scenario.traffic.matrix(topology.node_count)[fractions.source, fractions.target]
    np.testing.assert_allclose(
        fractions.link @ demand, scenario.link_load_bps, rtol=1e-9, atol=1e-3
    )


def test_pairs_without_a_path_have_no_column() -> None:
    line = generate("line", nodes=3)
    up = line.topology.link_up.copy()
    up[line.topology.link("N2->N3")] = False
    cut = Scenario(line.topology.with_arrays(link_up=up), line.traffic)
    fractions = routing_fractions(cut)
    names = line.topology.node_name
    pairs = {
        f"{names[s]}->{names[t]}" for s, t in zip(fractions.source, fractions.target, strict=True)
    }
    assert pairs == {"N1->N2", "N2->N1", "N3->N1", "N3->N2"}
