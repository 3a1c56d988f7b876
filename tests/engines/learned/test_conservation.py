"""Links carry at most their capacity, and flows, queues and links tell the same losses."""

from __future__ import annotations

import numpy as np
import pytest

from nettwin.engines.learned.catalog import load
from nettwin.engines.learned.engine import Learned
from nettwin.scenario.generate import generate
from nettwin.scenario.scenario import Scenario

SHAPES = (
    ("line", 5, "fifo", 3.0),
    ("line", 6, "sp", 3.0),
    ("ring", 7, "wfq", 1.5),
    ("gabriel", 14, "drr", 3.0),
    ("grid", 16, "wfq", 2.0),
)


def scenario(kind: str, nodes: int, policy: str, peak: float) -> Scenario:
    mix = "single" if policy == "fifo" else "three"
    return generate(kind, nodes=nodes, load=peak, classes=mix, scheduler=policy, capacity_bps=100e9)


@pytest.mark.parametrize("name", ["gnn", "bayesian", "routenet"])
@pytest.mark.parametrize(("kind", "nodes", "policy", "peak"), SHAPES)
def test_what_overloaded_links_carry_and_lose(
    name: str, kind: str, nodes: int, policy: str, peak: float
) -> None:
    where = scenario(kind, nodes, policy, peak)
    found = Learned(load(name)).predict([where])[0]
    topology, queues = where.topology, where.topology.queues
    carried = found.link["throughput_bps"]
    assert (carried <= topology.link_capacity_bps * (1 + 1e-9)).all()
    # what arrives is what the links carry, less what they hand on: at every node alike
    delivered = np.bincount(
        where.traffic.flow_target, found.flow["throughput_bps"], topology.node_count
    )
    came = np.bincount(topology.link_target, carried, topology.node_count)
    assert (delivered <= came * (1 + 1e-6)).all()
    np.testing.assert_allclose(
        np.bincount(queues.link, found.queue["utilization"], topology.link_count),
        found.link["utilization"],
        rtol=1e-6,
    )
    np.testing.assert_allclose(
        found.flow["throughput_bps"],
        where.traffic.flow_rate_bps * (1.0 - found.flow["loss_ratio"]),
        rtol=1e-9,
    )
    p50, p90, p99 = (found.flow[f"owd_{level}_s"] for level in ("p50", "p90", "p99"))
    known = np.isfinite(p50)
    assert known.any()
    assert (p50 <= p90)[known].all()
    assert (p90 <= p99)[known].all()


@pytest.mark.parametrize("policy", ["fifo", "wfq"])
def test_the_last_link_of_a_line_hands_over_what_its_flows_deliver(policy: str) -> None:
    where = scenario("line", 5, policy, 3.0)
    found = Learned(load("gnn")).predict([where])[0]
    end = where.topology.node_count - 1
    last = np.flatnonzero(where.topology.link_target == end)
    mine = where.traffic.flow_target == end
    assert found.flow["throughput_bps"][mine].sum() == pytest.approx(
        found.link["throughput_bps"][last].sum(), rel=1e-6
    )
    sent = where.traffic.flow_rate_bps[mine].sum()
    assert found.flow["loss_ratio"][mine].max() > 0.1
    assert found.flow["throughput_bps"][mine].sum() < sent


def test_next_to_no_load_loses_nothing() -> None:
    where = scenario("ring", 7, "wfq", 1e-6)
    found = Learned(load("gnn")).predict([where])[0]
    assert found.flow["loss_ratio"].max() == 0.0
    assert found.link["loss_ratio"].max() == 0.0
    delay = where.topology.link_delay_s
    fixed = np.array(
        [
            delay[links].sum()
            for f in range(where.traffic.flow_count)
            for _, links in where.paths.of(f)[:1]
        ]
    )
    assert (found.flow["owd_mean_s"] >= fixed).all()
