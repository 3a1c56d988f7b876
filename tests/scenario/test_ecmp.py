"""Loads under ECMP without paths: equal to those along paths, also of steered flows."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from nettwin.scenario.generate import generate
from nettwin.scenario.routing import Routing, Steer
from nettwin.scenario.scenario import Scenario


@given(st.integers(0, 2**32 - 1), st.sampled_from((4, 6, 8, 10)), st.integers(0, 2))
def test_steered_flows_load_links_as_their_paths_do(seed: int, nodes: int, down: int) -> None:
    rng = np.random.default_rng(seed)
    plain = generate("ladder", nodes=nodes, seed=seed % 1000)
    flows = plain.traffic.flow_count
    steer = {
        int(f): tuple(
            Steer(midpoints=tuple(rng.integers(0, nodes, rng.integers(1, 3)).tolist()), share=s)
            for s in ((1.0,) if rng.random() < 0.5 else (0.25, 0.75))
        )
        for f in rng.choice(flows, flows // 2, replace=False)
    }
    up = plain.topology.link_up.copy()
    up[rng.choice(len(up), down, replace=False)] = False
    topology = plain.topology.with_arrays(link_up=up)
    scenario = Scenario(topology, plain.traffic, Routing(steer=steer))
    walked = scenario.paths.link_loads(scenario.traffic.flow_rate_bps, topology.link_count)
    np.testing.assert_allclose(scenario.link_load_bps, walked, rtol=1e-9, atol=1e-3)
