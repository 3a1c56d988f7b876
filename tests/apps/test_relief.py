"""Customers, bottlenecks and maintenance, on networks small enough to check by hand."""

from __future__ import annotations

import numpy as np
import pytest

from nettwin.apps.resilience.bottlenecks import bottlenecks
from nettwin.apps.resilience.customers import Demand, fit
from nettwin.apps.resilience.maintenance import drain, undone
from nettwin.errors import InputError, UnknownNameError
from nettwin.intent import Expectation, Intent, Selector
from nettwin.optimize.stop import Steps
from nettwin.scenario.changes import SetPath, SetWeight, apply_all
from nettwin.scenario.generate import generate
from nettwin.scenario.routing import Routing
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.topology import Link, Topology
from nettwin.scenario.traffic import Flow, Traffic
from tests.plain_engine import Plain

SEARCHED = Steps(60)


def test_what_fits_is_limited_by_the_fullest_link_on_its_path(square) -> None:
    """A->B carries 6 and half of 2 Mbit/s, so that 3 of 10 are free."""
    found = fit(square, Demand(2e6, "A", "B"), Plain())
    assert found.fits and found.reasons == ()
    assert (found.largest_bps, found.limited_by) == (pytest.approx(3e6), "link A->B")
    assert [c.link for c in found.links] == ["A->B"]
    more = fit(square, Demand(4e6, "A", "B"), Plain())
    assert not more.fits and "A->B would be offered 110.0 %" in more.reasons[0]
    assert more.largest_bps == pytest.approx(3e6)
    assert {f.name for f in more.hurt} == set(square.flow_names)  # both lose on A->B
    assert not found.hurt
    low = fit(square, Demand(2e6, "A", "B"), Plain(), limit=0.8)
    assert not low.fits and low.largest_bps == pytest.approx(1e6)


@pytest.mark.parametrize("rate", [1e6, 5e6])
def test_the_largest_rate_fits_and_a_little_more_does_not(rate) -> None:
    network = generate("gabriel", nodes=12, seed=4, load=0.8, classes="three")
    nodes = network.topology.node_name
    found = fit(network, Demand(rate, nodes[0], nodes[7], "voice"), Plain())
    for factor, fits in ((0.999, True), (1.001, False)):
        again = found.demand._replace(rate_bps=found.largest_bps * factor)
        assert fit(network, again, Plain()).fits is fits
    new = found.answer.scenario_after.traffic
    alike = network.traffic.flow_class == network.traffic.class_index("voice")
    largest = np.where(alike, network.traffic.flow_rate_bps, 0).argmax()
    assert new.sizes[new.flow_size[-1]] == network.traffic.sizes[network.traffic.flow_size[largest]]


def test_an_intent_limits_what_fits(square) -> None:
    """Loss of Plain begins where a link is full; the intent wants A->B under 85 %."""
    link = Selector(link=("A->B",))
    intent = Intent(expect=(Expectation("offered_load", link, at_most=0.85),))
    found = fit(square, Demand(2e6, "A", "B"), Plain(), intent=intent)
    assert not found.fits and "no longer met" in found.reasons[0]
    assert found.largest_bps == pytest.approx(1.5e6, rel=0.01)
    assert found.limited_by.startswith("offered_load of link A->B")
    lost = Intent(expect=(Expectation("loss", at_most=0.01),))
    assert fit(square, Demand(2e6, "A", "B"), Plain(), intent=lost).fits


def test_a_demand_without_a_path_does_not_fit() -> None:
    topology = Topology.build("ABC", [Link("A", "B"), Link("B", "A"), Link("C", "B")])
    network = Scenario(topology, Traffic.build(topology, [Flow("A", "B", 1e6)]))
    found = fit(network, Demand(1e6, "A", "C"), Plain())
    assert (found.fits, found.largest_bps) == (False, 0.0)
    assert found.reasons == ("there is no path from A to C",)
    with pytest.raises(UnknownNameError):
        fit(network, Demand(1e6, "A", "X"), Plain())


def test_a_bottleneck_tells_who_fills_it_and_what_relieves_it(square) -> None:
    (one,) = bottlenecks(square, Plain(), top=1).found
    assert (one.link, one.flows) == ("A->B", 2)
    assert one.offered_load == pytest.approx(0.7)
    assert [(f.rate_bps, f.share) for f in one.fillers] == [
        (pytest.approx(6e6), pytest.approx(6 / 7)),
        (pytest.approx(1e6), pytest.approx(1 / 7)),
    ]
    for relief in one.reliefs:
        after = apply_all(square, relief.changes)
        load = after.link_offered_load
        assert relief.offered_load == pytest.approx(load[square.topology.link("A->B")])
        assert relief.offered_load_max == pytest.approx(load.max())
        metrics = Plain().predict([after])[0]
        assert relief.owd_mean_s == pytest.approx(metrics.totals(after)["owd_mean_s"])
    kinds = {relief.kind: relief for relief in one.reliefs}
    assert kinds["capacity"].offered_load == pytest.approx(0.35)
    assert kinds["paths"].offered_load == pytest.approx(0.6)  # C goes over D
    highest = [round(relief.offered_load_max, 4) for relief in one.reliefs]
    assert highest == sorted(highest)


def test_every_relief_relieves() -> None:
    network = generate("gabriel", nodes=14, seed=6, load=0.9, classes="three")
    for one in bottlenecks(network, None, top=3).found:
        assert one.reliefs and sum(f.share for f in one.fillers) <= 1 + 1e-9
        link = network.topology.link(one.link)
        for relief in one.reliefs:
            after = apply_all(network, relief.changes)
            assert after.link_offered_load[link] < network.link_offered_load[link]
            if relief.kind != "capacity":
                assert relief.offered_load_max <= network.link_offered_load.max() + 1e-9
            assert np.isnan(relief.owd_mean_s)


def test_a_link_is_drained_and_comes_back(square) -> None:
    found = drain(square, ["A<->B"], stop=SEARCHED)
    after = apply_all(square, found.plan.changes)
    links = [square.topology.link(name) for name in ("A->B", "B->A")]
    assert not after.link_load_bps[links].any()
    assert found.drained and found.plan.met
    assert found.transit_before_bps == pytest.approx(7e6)
    assert found.transit_left_bps == found.own_bps == 0
    back = apply_all(after, found.back)
    assert back.fingerprint() == square.fingerprint()


def test_a_node_is_drained_of_all_but_its_own_traffic_and_steered_flows_leave_it() -> None:
    network = generate("gabriel", nodes=12, seed=4, load=0.6)
    degree = np.bincount(network.topology.link_source)
    node = int(degree.argmax())
    name = network.topology.node_name[node]
    others = [
        f
        for f in range(network.traffic.flow_count)
        if node not in (network.traffic.flow_source[f], network.traffic.flow_target[f])
    ]
    via = [SetPath(network.flow_names[f], ({"via": [name], "share": 1.0},)) for f in others[:3]]
    network = apply_all(network, via)
    found = drain(network, [name], stop=SEARCHED)
    after = apply_all(network, found.plan.changes)
    mine = np.isin(network.traffic.flow_source, node) | np.isin(network.traffic.flow_target, node)
    touching = np.isin(after.topology.link_source, node) | np.isin(after.topology.link_target, node)
    own = network.traffic.flow_rate_bps[mine].sum()
    assert found.drained and found.own_bps == pytest.approx(own)
    assert after.link_load_bps[touching].sum() == pytest.approx(own)
    assert apply_all(after, found.back).fingerprint() == network.fingerprint()


def test_what_breaks_the_intent_is_mended_by_few_changes() -> None:
    network = generate("gabriel", nodes=14, seed=6, load=0.75)
    for k in np.argsort(-network.link_offered_load):
        name = network.topology.link_name[int(k)]
        pair = name.replace("->", "<->")
        out = drain(network, [pair], Intent(expect=(Expectation("offered_load", at_most=9.0),)))
        alone = apply_all(network, out.plan.changes).link_offered_load.max()
        if alone > 0.8:
            break
    limit = (alone + 0.75) / 2
    intent = Intent(expect=(Expectation("offered_load", at_most=limit),))
    found = drain(network, [pair], intent, stop=Steps(400))
    after = apply_all(network, found.plan.changes)
    assert found.plan.met == (after.link_offered_load.max() <= limit * (1 + 1e-9))
    assert found.plan.met and found.drained
    extra = [c for c in found.plan.changes if not isinstance(c, SetWeight)]
    assert 0 < len(extra) < network.traffic.flow_count / 4
    assert apply_all(after, found.back).fingerprint() == network.fingerprint()


def test_a_bridge_cannot_be_drained() -> None:
    topology = Topology.build("ABC", [Link("A", "B"), Link("B", "C")], duplex=True)
    bridge = Scenario(topology, Traffic.build(topology, [Flow("A", "C", 1e6)]))
    found = drain(bridge, ["B"], stop=SEARCHED)
    assert not found.drained and found.left == bridge.flow_names
    assert found.transit_left_bps == 1e6
    with pytest.raises(UnknownNameError, match="did you mean"):
        drain(bridge, ["A<->X"])


def test_tables_have_no_metric_to_drain_by(square) -> None:
    table = np.full((4, 4), -1)
    table[0, 1] = square.topology.link("A->B")
    tabled = square.with_(routing=Routing(next_link=table))
    with pytest.raises(InputError, match="next-hop tables"):
        drain(tabled, ["A<->B"])


def test_what_cannot_be_undone_is_refused(square) -> None:
    from nettwin.scenario.changes import FailLink

    with pytest.raises(InputError, match="fail_link cannot be undone"):
        undone(square, [FailLink("A<->B")])
