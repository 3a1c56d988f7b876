"""What a segment's longest path takes, against every path that flows take."""

from __future__ import annotations

import pytest

from nettwin.optimize.problems.segment_flows import SegmentFlows
from nettwin.scenario.generate import generate


@pytest.mark.parametrize(("kind", "settings"), [("nsfnet", {}), ("grid", {"nodes": 16})])
def test_the_longest_path_is_the_longest_that_a_flow_is_split_over(kind, settings) -> None:
    network = generate(kind, load=0.5, **settings)
    topology = network.topology
    segments = SegmentFlows.of([topology], network.routing)
    longest = segments.longest(topology.link_delay_s)
    split = 0
    for f in range(network.traffic.flow_count):
        paths = [sum(topology.link_delay_s[e] for e in links) for _, links in network.paths.of(f)]
        split += len(paths) > 1
        ends = network.traffic.flow_source[f], network.traffic.flow_target[f]
        assert longest[ends] == pytest.approx(max(paths))
    assert split
    assert (longest >= segments.cost(topology.link_delay_s) - 1e-6).all()
