"""What holds by construction, whatever a model says: capacity, conservation, limits of delays."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nettwin.engines.learned.catalog import load
from nettwin.engines.learned.engine import Learned
from nettwin.engines.learned.inputs import inputs_of, solved
from nettwin.engines.learned.limits import limits_of
from nettwin.engines.learned.model_file import Model
from nettwin.metrics import Metrics
from nettwin.scenario.arrivals import CBR, MMPP, OnOff, Poisson
from nettwin.scenario.packet_sizes import Discrete, Fixed, Uniform
from nettwin.scenario.routing import Routing
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.scheduling import SCHEDULERS, Queue, Scheduler
from nettwin.scenario.topology import Link, Topology
from nettwin.scenario.traffic import Flow, Traffic
from tests.engines.learned.small_model import small_model

VOICE, JUMBO = Fixed(64 * 8.0), Fixed(9000 * 8.0)
SIZES = (VOICE, JUMBO, Discrete((512.0, 72_000.0), (0.9, 0.1)), Uniform(800.0, 12_000.0))
ARRIVALS = (Poisson(), CBR(), OnOff(1e-3, 9e-3), OnOff(1.0, 0.1), MMPP(10.0, 0.01, 0.1))
CLASSES = ("a", "b", "c")


@cache
def model(name: str) -> Model:
    """A carried model, or one of absurd weights."""
    if name != "absurd":
        return load(name)
    made = small_model(seed=3)
    loud = tuple({k: v * (1 if k == "rounds" else 20) for k, v in w.items()} for w in made.members)
    return replace(made, members=loud)


@st.composite
def networks(draw: st.DrawFn) -> Scenario:
    """A chain of one to three links, of any speed, policy and traffic."""
    hops = draw(st.integers(1, 3))
    rate = draw(st.sampled_from([64e3, 1e6, 1e9, 100e9, 400e9]))
    policy = draw(st.sampled_from(sorted(SCHEDULERS)))
    queues = tuple(
        Queue(
            float(draw(st.sampled_from([1, 8, 128, 2000]))),
            weight=float(draw(st.integers(1, 20))),
            quantum_bits=float(draw(st.sampled_from([512, 12_000, 72_000]))),
        )
        for _ in range(1 if SCHEDULERS[policy].single_queue else len(CLASSES))
    )
    names = {} if len(queues) == 1 else {name: k for k, name in enumerate(CLASSES)}
    port = Scheduler(policy, queues, names, buffer_counts_service=draw(st.booleans()))
    nodes = [f"n{k}" for k in range(hops + 1)]
    factors = draw(st.lists(st.sampled_from([1.0, 0.25]), min_size=hops, max_size=hops))
    links = [
        Link(nodes[k], nodes[k + 1], rate * factors[k], draw(st.sampled_from([0.0, 1e-5, 0.05])),
             scheduler=port)
        for k in range(hops)
    ]  # fmt: skip
    topology = Topology.build(nodes, links)
    flows = [
        Flow(
            nodes[draw(st.integers(0, hops - 1))] if k else nodes[0],
            nodes[-1],
            rate * draw(st.floats(0.01, 1.0)),
            draw(st.sampled_from(CLASSES)),
            draw(st.sampled_from(SIZES)),
            draw(st.sampled_from(ARRIVALS)),
            name=f"f{k}",
        )
        for k in range(draw(st.integers(1, 8)))
    ]
    traffic = Traffic.build(topology, flows)
    unscaled = Scenario(topology, traffic, Routing(ecmp=False))
    load_ = draw(st.sampled_from([1e-6, 0.3, 0.9, 1.0, 1.05, 1.5, 3.0]))
    factor = load_ / float(unscaled.link_offered_load.max())
    traffic = traffic.with_arrays(flow_rate_bps=traffic.flow_rate_bps * factor)
    return Scenario(topology, traffic, Routing(ecmp=False))


@pytest.mark.parametrize("name", ["gnn", "absurd", "routenet", "mlp"])
@settings(max_examples=40, deadline=None, derandomize=True)
@given(scenario=networks())
def test_no_network_is_too_strange(name: str, scenario: Scenario) -> None:
    engine = Learned(model(name))
    found = engine.predict([scenario])[0]
    _carries_no_more_than_capacity(scenario, found)
    _agrees(scenario, found)
    limits = limits_of(scenario, engine._solved(scenario).state)
    flow = found.flow
    arrives = np.isfinite(flow["owd_mean_s"])
    for column in ("owd_mean_s", "owd_p50_s", "owd_p90_s", "owd_p99_s"):
        assert (flow[column] >= limits.least_s * (1 - 1e-9))[arrives].all()
        assert (flow[column] <= limits.most_s * (1 + 1e-9))[arrives].all()
    assert (flow["owd_p50_s"] <= flow["owd_p90_s"])[arrives].all()
    assert (flow["owd_p90_s"] <= flow["owd_p99_s"])[arrives].all()
    room = (limits.most_s - flow["owd_mean_s"]) * (flow["owd_mean_s"] - limits.least_s)
    bounded = arrives & np.isfinite(limits.most_s)
    assert (flow["pdv_s2"] <= room * (1 + 1e-6) + 1e-30)[bounded].all()
    assert (flow["loss_ratio"] >= 0).all()
    assert (flow["loss_ratio"] <= 1).all()


def _carries_no_more_than_capacity(scenario: Scenario, found: Metrics) -> None:
    capacity = scenario.topology.link_capacity_bps
    assert (found.link["throughput_bps"] <= capacity * (1 + 1e-9)).all()
    assert (found.link["utilization"] <= 1 + 1e-9).all()


def _agrees(scenario: Scenario, found: Metrics) -> None:
    """What flows deliver, what links carry and what is lost are one account."""
    topology, traffic = scenario.topology, scenario.traffic
    delivered = found.flow["throughput_bps"]
    np.testing.assert_allclose(
        delivered, traffic.flow_rate_bps * (1 - found.flow["loss_ratio"]), rtol=1e-9
    )
    last = np.flatnonzero(topology.link_target == topology.node_count - 1)
    np.testing.assert_allclose(delivered.sum(), found.link["throughput_bps"][last].sum(), rtol=1e-6)
    np.testing.assert_allclose(
        found.link["utilization"] * topology.link_capacity_bps,
        found.link["throughput_bps"],
        rtol=1e-9,
    )
    queues = np.bincount(topology.queues.link, found.queue["utilization"], topology.link_count)
    np.testing.assert_allclose(queues, found.link["utilization"], rtol=1e-6)


@pytest.mark.parametrize("name", ["gnn", "absurd"])
def test_without_load_a_delay_is_propagation_and_transmission(name: str) -> None:
    topology = Topology.build(
        ["a", "b", "c"], [Link("a", "b", 1e6, 1e-3), Link("b", "c", 2e6, 2e-3)]
    )
    flow = Flow("a", "c", 1e-3, size=Fixed(8000.0))
    scenario = Scenario(topology, Traffic.build(topology, [flow]))
    found = Learned(model(name)).predict([scenario])[0].flow
    for column in ("owd_mean_s", "owd_p50_s", "owd_p90_s", "owd_p99_s"):
        assert found[column][0] == pytest.approx(3e-3 + 8e-3 + 4e-3, rel=1e-4)
    assert found["loss_ratio"][0] < 1e-6


def test_voice_beside_jumbo_packets_waits_no_longer_than_buffers_allow() -> None:
    port = Scheduler("fifo", (Queue(8.0),))
    topology = Topology.build("ab", [Link("a", "b", 1e8, scheduler=port)])
    flows = [Flow("a", "b", 5e6, size=VOICE, name="v"), Flow("a", "b", 2e8, size=JUMBO, name="j")]
    scenario = Scenario(topology, Traffic.build(topology, flows))
    most = 9 * 72_000 / 1e8 + 512 / 1e8  # eight wait and one is sent
    found = Learned(model("absurd")).predict([scenario])[0]
    assert found.flow["owd_p99_s"][0] <= most * (1 + 1e-9)
    assert found.link["throughput_bps"][0] <= 1e8 * (1 + 1e-9)


def test_no_wait_is_too_long_to_learn_from() -> None:
    topology = Topology.build("ab", [Link("a", "b", 1e6)])
    scenario = Scenario(topology, Traffic.build(topology, [Flow("a", "b", 5e5)]))
    theory = solved(scenario)
    met = theory.each
    forever = met.each._replace(waiting_s=np.full_like(met.each.waiting_s, 1e305))
    inputs = inputs_of(scenario, theory._replace(each=met._replace(each=forever)))
    assert np.isfinite(inputs.waiting_s.astype(np.float32)).all()
