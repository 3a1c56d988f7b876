"""Explanations: exact sums, causes that hold when tried, the smallest sets of queues."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from nettwin.apps.explanation.causes import find_causes, rank_correlation, without
from nettwin.apps.explanation.critical import (
    DELAY_KEPT,
    FLOWS_KEPT,
    critical_hops,
    critical_queues,
)
from nettwin.apps.explanation.explanation import explain_flow, explain_network, explain_port
from nettwin.apps.explanation.splitting import split_flow
from nettwin.apps.explanation.target import (
    flow_target,
    flows_between,
    link_target,
    queue_target,
)
from nettwin.apps.explanation.words import in_words
from nettwin.engines.theory import Theory
from nettwin.errors import InputError, UnknownNameError
from nettwin.model import Explainable
from nettwin.scenario.changes import FailNode
from nettwin.scenario.generate import generate
from nettwin.scenario.packet_sizes import Fixed
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.topology import Link, Topology
from nettwin.scenario.traffic import Flow, Traffic
from tests.plain_engine import Plain
from tests.queueing_engine import Queueing

SIZE = Fixed(8000.0)


def funnel() -> Scenario:
    """A and B send to D over C: the link C->D is loaded to 80 %, A->C and B->C hardly."""
    topology = Topology.build(
        "ABCD", [Link("A", "C", 1e8, 1e-3), Link("B", "C", 1e8, 2e-3), Link("C", "D", 1e7, 5e-4)]
    )
    flows = [
        Flow("A", "D", 1e6, "voice", SIZE, name="small"),
        Flow("B", "D", 6e6, "video", SIZE, name="large"),
        Flow("C", "D", 1e6, "video", SIZE, name="near"),
        Flow("A", "C", 1e6, "video", SIZE, name="beside"),
    ]
    return Scenario(topology, Traffic.build(topology, flows))


@pytest.mark.parametrize("load", [0.5, 1.3])
@pytest.mark.parametrize("model", [Theory(), Queueing(0.25)], ids=["theory", "corrected"])
def test_parts_add_up_to_the_mean_delay_over_all_paths(model, load) -> None:
    network = generate("grid", nodes=16, load=load, classes="three", scheduler="wfq")
    assert network.paths.path_count > network.traffic.flow_count  # several paths a flow
    metrics, split = model.predict([network])[0], model.hops(network)
    for flow in range(0, network.traffic.flow_count, 7):
        parts = split_flow(network, split, flow)
        delay, loss = metrics.flow["owd_mean_s"][flow], metrics.flow["loss_ratio"][flow]
        assert sum(part.delay_s for part in parts) == pytest.approx(delay, rel=1e-12)
        assert sum(part.loss for part in parts) == pytest.approx(loss, rel=1e-9, abs=1e-12)


def test_parts_are_what_each_hop_has() -> None:
    network = funnel()
    first, second = split_flow(network, Queueing(0.5).hops(network), 0)
    assert (first.queue, second.queue) == ("A->C", "C->D")
    assert first.propagation_s == 1e-3
    assert second.transmission_s == pytest.approx(8e-4)
    assert second.waiting_s == pytest.approx(8e-4 * 0.8 / 0.2)
    assert second.correction_s == pytest.approx(0.5 * second.waiting_s)
    assert second.share == 1.0


def test_engines_say_whether_they_go_by_hops() -> None:
    assert isinstance(Theory(), Explainable)
    assert isinstance(Queueing(), Explainable)
    assert not isinstance(Plain(), Explainable)


def test_causes_are_what_is_seen_when_they_are_taken_away() -> None:
    network = funnel()
    causes = find_causes(network, Queueing(), queue_target(network, "C->D"))
    assert causes.measure == "delay"
    assert causes.delay_s == pytest.approx(8e-4 * 4)
    assert causes.flows == 3
    flows = causes.of("flow")
    assert [cause.name for cause in flows] == ["large", "small", "near"]
    assert flows[0].delay_s == pytest.approx(8e-4 * 0.2 / 0.8)
    assert flows[0].share == pytest.approx(0.75)
    assert [cause.name for cause in causes.of("class")] == ["video", "voice"]
    for cause in causes.found:
        again = Queueing().predict([cause.change.apply(network)])[0]
        assert causes.target.delay_s(again) == pytest.approx(cause.delay_s, rel=1e-9)
    assert causes.agreement == 1.0


def test_the_gradient_is_the_derivative() -> None:
    network = funnel()
    target = link_target(network, "C->D")
    causes = find_causes(network, Theory(), target)
    large = network.flow("large")
    step = 1e-3
    sides = [
        target.delay_s(m)
        for m in Theory().predict(
            [without(network, np.array([large]), 1 + step * sign) for sign in (1, -1)]
        )
    ]
    slope = (sides[0] - sides[1]) / (2 * step)
    assert causes.gradient[large] == pytest.approx(slope, rel=0.1)  # one-sided
    assert causes.gradient[network.flow("beside")] == 0


def test_halving_takes_less_than_removing() -> None:
    network = funnel()
    target = flow_target(network, "small")
    removed = find_causes(network, Theory(), target).of("flow")[0]
    halved = find_causes(network, Theory(), target, factor=0.5).of("flow")[0]
    assert removed.name == halved.name == "large"
    assert removed.delay_s < halved.delay_s < target.delay_s(Theory().predict([network])[0])


def test_loss_is_explained_where_it_is_felt() -> None:
    network = generate("star", nodes=6, load=1.3, buffer_packets=64)
    link = network.topology.link_name[int(network.link_offered_load.argmax())]
    causes = find_causes(network, Theory(), link_target(network, link))
    assert causes.measure == "loss"
    assert causes.loss > 0.1
    assert causes.effect(causes.found[0]) > 0


def test_gradient_and_counterfactual_agree_on_theory() -> None:
    network = generate("nsfnet", load=0.85, classes="three", scheduler="wfq", seed=3)
    link = network.topology.link_name[int(network.link_offered_load.argmax())]
    causes = find_causes(network, Theory(), link_target(network, link), top=20)
    assert causes.agreement > 0.9


def test_rank_correlation() -> None:
    a = np.array([1.0, 2.0, 3.0, 4.0])
    assert rank_correlation(a, np.exp(a)) == pytest.approx(1.0)
    assert rank_correlation(a, -a) == pytest.approx(-1.0)
    assert rank_correlation(a, np.array([1.0, 1.0, 2.0, 2.0])) == pytest.approx(0.8**0.5 * 1.0)
    assert np.isnan(rank_correlation(a[:2], a[:2]))
    assert np.isnan(rank_correlation(a, np.ones(4)))


@pytest.mark.parametrize("seed", range(6))
def test_critical_queues_keep_the_answer_and_none_can_be_spared(seed) -> None:
    network = generate("ring", nodes=5, load=0.97, seed=seed)
    split = Queueing().hops(network)
    found = critical_queues(network, split)
    chosen = [q.queue for q in found.queues]
    assert found.kept == share_kept(network, split, chosen) >= FLOWS_KEPT
    assert found.kept_by_none == share_kept(network, split, [])
    for queue in chosen:
        assert share_kept(network, split, [q for q in chosen if q != queue]) < FLOWS_KEPT
    names = network.queue_names
    fewest = next(
        size
        for size in range(len(names) + 1)
        if any(share_kept(network, split, c) >= FLOWS_KEPT for c in combinations(names, size))
    )
    assert fewest <= len(chosen) <= fewest + 1


def share_kept(network: Scenario, split, chosen) -> float:
    """The part of the flows whose delay is kept if packets wait in the chosen queues alone, flow
    by flow."""
    good = []
    for flow in range(network.traffic.flow_count):
        parts = split_flow(network, split, flow)
        delay = sum(part.delay_s for part in parts)
        missing = sum(part.waited_s for part in parts if part.queue not in chosen)
        good.append(missing <= DELAY_KEPT * delay * (1 + 1e-9))
    return float(np.mean(good))


def test_nothing_is_critical_in_an_empty_network_and_losses_count() -> None:
    calm = generate("ring", nodes=5, load=0.01)
    assert critical_queues(calm, Queueing().hops(calm)).queues == ()
    full = generate("star", nodes=6, load=1.5, classes="single")
    found = critical_queues(full, Queueing().hops(full))
    busiest = full.topology.link_name[int(full.link_offered_load.argmax())]
    assert busiest in [queue.link for queue in found.queues]
    assert sum(queue.loss_share for queue in found.queues) > 0.9


def test_critical_hops_are_the_fewest() -> None:
    network = funnel()
    parts = split_flow(network, Queueing().hops(network), 0)
    assert [part.queue for part in critical_hops(parts)] == ["C->D"]
    calm = without(network, np.arange(4), 0.01)
    assert critical_hops(split_flow(calm, Queueing().hops(calm), 0)) == ()


def test_words_say_where_and_who() -> None:
    network = funnel()
    words = in_words(explain_flow(network, Queueing(0.25), ["small"]))
    assert words[0] == "Flow small (1 Mbit/s) takes 6.38 ms from end to end on average."
    assert words[1] == "Of 6.38 ms, 4.00 ms (63 %) is waiting at C->D."
    text = " ".join(words)
    assert "the model makes it 800.4 µs more, most at C->D (800.0 µs more)" in text
    assert "Most of the delay at C->D is caused by flow large (6 Mbit/s, 75 % of the load)" in text
    assert "1 of its 2 queues decides" in text
    assert words == in_words(explain_flow(network, Queueing(0.25), ["small"]))


def test_a_model_that_does_not_go_by_hops_is_explained_by_counterfactuals_and_says_so() -> None:
    network = funnel()
    found = explain_flow(network, Plain(), ["small"])
    assert found.parts == ()
    assert found.worst is None
    assert "does not go by hops" in found.notes[0]
    whole = explain_network(network, Plain())
    assert whole.critical is None
    assert whole.causes
    assert "does not go by hops" in whole.notes[0]


def test_of_several_flows_the_slowest_is_explained() -> None:
    network = generate("line", nodes=3, load=0.9, classes="three", scheduler="sp")
    names = flows_between(network, "N1", "N3")
    assert len(names) == 3
    found = explain_flow(network, Theory(), names)
    assert found.causes.target.name == "N1->N3/best-effort"
    assert "is the slowest of 3 flows" in found.notes[0]


def test_the_whole_network() -> None:
    network = generate("nsfnet", load=0.95, scheduler="sp", classes="three")
    found = explain_network(network, Queueing())
    assert found.critical.queues
    links = list(dict.fromkeys(q.link for q in found.critical.queues))
    assert [c.target.name for c in found.causes] == links[:3]
    assert "queues decide" in in_words(found)[0]


def test_a_starved_flow_is_said_to_be_starved() -> None:
    topology = Topology.build("AB", [Link("A", "B", 1e6)])
    flows = [Flow("A", "B", 0.0, size=SIZE, name="idle"), Flow("A", "B", 5e5, size=SIZE)]
    network = Scenario(topology, Traffic.build(topology, flows))
    assert explain_flow(network, Theory(), ["idle"]).parts  # what a packet of it would see
    found = explain_port(network, Theory(), link="A->B")
    assert found.causes.flows == 1


def test_what_cannot_be_explained_is_refused() -> None:
    network = funnel()
    for name, ask in (
        ("did you mean: small", lambda: flow_target(network, "smal")),
        ('no queue "C->E"; did you mean: C->D', lambda: queue_target(network, "C->E")),
        ('no link "C->A"', lambda: link_target(network, "C->A")),
        ("no flow goes from D to A", lambda: flows_between(network, "D", "A")),
        ('no node "E"', lambda: flows_between(network, "E", "A")),
    ):
        with pytest.raises((UnknownNameError, InputError), match=name.replace("?", r"\?")):
            ask()
    with pytest.raises(InputError, match="has no path"):
        flow_target(FailNode("D").apply(network), "small")
    alone = without(network, np.array([0, 3]))
    with pytest.raises(InputError, match="no flow goes over link A->C"):
        link_target(alone, "A->C")
