"""Resilience: every failure held against the same network taken apart by hand."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import pytest

from nettwin.apps.resilience.cases import Cases
from nettwin.apps.resilience.resilience import Failure, load_matrix, resilience
from nettwin.engines.fallback import Fallback
from nettwin.errors import InputError, UnknownNameError
from nettwin.intent import Expectation, Intent, Selector, Survive
from nettwin.metrics import Metrics
from nettwin.scenario.changes import FailGroup, FailLink, FailNode, SetPath, apply_all
from nettwin.scenario.generate import generate
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.topology import Link, Node, Topology
from nettwin.scenario.traffic import Flow, Traffic
from tests.plain_engine import Plain


@pytest.fixture(scope="module")
def mesh() -> Scenario:
    """A random network with two traffic classes, some flows of which are steered."""
    made = generate("gabriel", nodes=12, seed=4, load=0.8, classes="three")
    names, nodes = made.flow_names, made.topology.node_name
    via = [SetPath(names[f], ({"via": [nodes[f % 12]], "share": 1.0},)) for f in (3, 40, 77)]
    return apply_all(made, via)


def test_failures_rank_what_is_lost_then_load_then_delay(square) -> None:
    shares: list[float] = []
    found = resilience(square, Plain(), progress=shares.append)
    assert {f.name for f in found.failures} == {"A<->B", "B<->C", "C<->D", "D<->A"}
    assert shares == sorted(shares) and shares[-1] == pytest.approx(1.0)
    first = found.failures[0]
    assert (first.name, first.changes) == ("A<->B", (FailLink("A<->B"),))
    assert first.busiest_link in ("A->D", "D->C")
    assert first.offered_load_max == pytest.approx(0.8)
    assert (first.cut_flows, first.cut_bps, first.lost_share) == (0, 0.0, 0.0)
    after = apply_all(square, first.changes)
    assert after.link_offered_load.max() == pytest.approx(0.8)
    assert first.owd_mean_s == pytest.approx(
        Plain().predict([after])[0].totals(after)["owd_mean_s"]
    )
    assert found.owd_mean_before_s < first.owd_mean_s


@pytest.mark.parametrize("kind", ["link", "node", "pair"])
def test_loads_and_what_is_cut_off_are_those_of_each_failure_alone(mesh, kind) -> None:
    found = resilience(mesh, None, (kind,), most_pairs=10**6)
    cases = Cases(mesh.topology, (kind,))
    assert len(found.failures) == len(cases) == found.looked_at == found.failure_count
    if kind == "pair":
        singles = len(Cases(mesh.topology))
        assert len(cases) == len(list(combinations(range(singles), 2)))
    worst = mesh.link_offered_load.copy()
    of = {f.name: f for f in found.failures}
    rate, traffic = mesh.traffic.flow_rate_bps, mesh.traffic
    for case in (cases[k] for k in range(len(cases))):
        after = apply_all(mesh, case.changes)
        load, row = after.link_offered_load, of[case.name]
        assert row.offered_load_max == pytest.approx(load.max(), rel=1e-9)
        own = np.isin(traffic.flow_source, case.nodes) | np.isin(traffic.flow_target, case.nodes)
        lost = (after.paths.status != 0) & ~own
        assert (row.cut_flows, row.cut_bps) == (lost.sum(), pytest.approx(rate[lost].sum()))
        assert row.own_bps == pytest.approx(rate[own].sum())
        worst = np.maximum(worst, load)
    told = {link.name: link for link in found.links}
    for k, name in enumerate(mesh.topology.link_name):
        assert told[name].worst_offered_load == pytest.approx(worst[k], rel=1e-9)
        if told[name].cause:
            after = apply_all(mesh, of[told[name].cause].changes)
            assert after.link_offered_load[k] == pytest.approx(worst[k], rel=1e-9)
        else:
            assert worst[k] == pytest.approx(mesh.link_offered_load[k], rel=1e-9)


def test_a_bridge_that_fails_cuts_flows_off() -> None:
    topology = Topology.build("ABC", [Link("A", "B"), Link("B", "C")], duplex=True)
    bridge = Scenario(topology, Traffic.build(topology, [Flow("A", "C", 1e6)]))
    for failure in resilience(bridge, Plain()).failures:
        assert (failure.lost_share, failure.cut_flows, failure.cut_bps) == (1.0, 1, 1e6)
    nodes = {f.name: f for f in resilience(bridge, Plain(), ("node",)).failures}
    assert nodes["B"].cut_bps == 1e6 and nodes["B"].own_bps == 0
    assert nodes["A"].cut_bps == 0 and nodes["A"].own_bps == 1e6  # its own traffic alone
    summary = resilience(bridge, None, ("node",)).summary
    assert (summary.failures, summary.cutting) == (3, 1)


def test_a_group_fails_as_one(square) -> None:
    topology = Topology.build(
        [Node(name, srlg=("site",) if name == "D" else ()) for name in "ABCD"],
        [
            Link(a, b, 10e6, 1e-3, srlg=("duct",) if "A" in (a, b) and "B" in (a, b) else ())
            for a, b in ("AB", "BC", "CD", "DA")
        ],
        duplex=True,
    )
    network = Scenario(topology, Traffic.build(topology, [Flow("A", "B", 6e6)]))
    found = {f.name: f for f in resilience(network, Plain(), ("srlg",)).failures}
    assert set(found) == {"duct", "site"}
    assert found["duct"].changes == (FailGroup("duct"),)
    assert found["duct"].offered_load_max == pytest.approx(0.6)
    assert found["site"].offered_load_max == pytest.approx(0.6)
    assert found["duct"].busiest_link != found["site"].busiest_link


def test_failures_tell_which_expectations_break_and_what_classes_get(square) -> None:
    intent = Intent(
        expect=(Expectation("offered_load", at_most=0.7),),
        survive=Survive(
            ("link",),
            expect=(Expectation("delay", Selector(traffic_class=("voice",)), at_most=4.5e-3),),
        ),
    )
    found = resilience(square, Plain(), intent=intent)
    broken = {f.name: f.broken for f in found.failures}
    assert not found.broken_before and not broken["B<->C"]
    assert broken["A<->B"] == broken["C<->D"] == ("offered_load at most 70.0 %",)
    far = replace(intent, survive=Survive(("link",), (Expectation("delay", at_most=5e-3),)))
    told = {f.name: f.broken for f in resilience(square, Plain(), intent=far).failures}
    assert "delay at most 5.00 ms" in told["A<->B"] and told["B<->C"] == ()
    assert found.summary.breaking == sum(bool(lines) for lines in broken.values())
    for failure in found.failures:
        after = apply_all(square, failure.changes)
        delay = Plain().predict([after])[0].flow["owd_mean_s"]
        assert {c.name: c.delay_s for c in failure.classes} == {
            "best-effort": pytest.approx(delay[0]),
            "voice": pytest.approx(delay[1]),
        }


def test_an_intent_about_delays_needs_a_model(square) -> None:
    with pytest.raises(InputError, match="give an engine"):
        resilience(square, intent=Intent(expect=(Expectation("delay", at_most=1.0),)))
    with pytest.raises(UnknownNameError, match="did you mean: link"):
        resilience(square, kinds=("lnik",))  # type: ignore[arg-type]


def test_of_pairs_the_worst_are_predicted(mesh) -> None:
    every = resilience(mesh, None, ("pair",), most_pairs=10**6)
    found = resilience(mesh, Plain(), ("pair",), most_pairs=7)
    assert len(found.failures) == 7 and all(f.predicted for f in found.failures)
    assert found.summary.failures == every.summary.failures == len(every.failures)
    assert found.links == every.links
    cut = sorted((f.cut_bps for f in every.failures), reverse=True)
    assert sum(f.cut_bps for f in found.failures) == pytest.approx(sum(cut[:7]))


@dataclass(frozen=True)
class Narrow(Plain):
    """Plain, trusted only where no link is offered more than it carries."""

    name: str = "narrow"


def test_all_failures_are_predicted_by_one_engine(mesh) -> None:
    overloads = resilience(mesh).summary.overloading
    assert overloads  # the first engine supports today, and not every failure
    assert not Narrow().unsupported(mesh)
    other = Plain("other", wait_s=5e-3)
    found = resilience(mesh, Fallback(Narrow(), other))
    assert found.metrics is not None
    assert (found.metrics.answered_by, found.metrics.label) == ("other", "twin (other)")
    alone = resilience(mesh, other)
    assert _told(found.failures) == _told(alone.failures)


def test_processes_give_the_same_answer(mesh) -> None:
    alone = resilience(mesh, Plain(), ("link", "node"))
    shared = resilience(mesh, Plain(), ("link", "node"), jobs=2)
    assert _told(alone.failures) == _told(shared.failures)
    assert alone.links == shared.links
    twin = Fallback(Narrow(), Plain("other", wait_s=5e-3))
    shared = resilience(mesh, twin, jobs=2)
    assert _told(shared.failures) == _told(resilience(mesh, twin).failures)
    assert shared.metrics is not None and shared.metrics.label == "twin (other)"


def test_ctrl_c_keeps_what_is_done(mesh, monkeypatch) -> None:
    monkeypatch.setattr("nettwin.apps.resilience.prediction.MAX_AT_ONCE", 4)
    calls: list[int] = []

    @dataclass(frozen=True)
    class Interrupted(Plain):
        def predict(self, scenarios: Sequence[Scenario]) -> list[Metrics]:
            calls.append(len(scenarios))
            if len(calls) > 3:
                raise KeyboardInterrupt
            return super().predict(scenarios)

    found = resilience(mesh, Interrupted())
    whole = resilience(mesh, Plain())
    assert not found.complete and len(found.failures) == found.looked_at == 8
    assert found.links == whole.links  # loads were done
    told = {f.name: f for f in whole.failures}
    assert all(_told([f]) == _told([told[f.name]]) for f in found.failures)
    assert found.failures[0].name == whole.failures[0].name  # the worst come first


def test_the_matrix_holds_the_loads_of_links_under_failures(square) -> None:
    found = resilience(square)
    links = [link.name for link in found.links[:2]]
    load = load_matrix(found, links, found.failures[:1])
    assert load[:, 0].tolist() == [found.links[k].offered_load for k in range(2)]
    most = found.failures[0].offered_load_max
    assert load_matrix(found, [found.failures[0].busiest_link], found.failures[:1])[0, 1] == most


def test_a_network_that_is_broken_already_is_taken_as_it_is(square) -> None:
    broken = apply_all(square, [FailNode("D")])
    found = resilience(broken, Plain(), ("link", "node"))
    assert {f.name for f in found.failures} == {"A<->B", "B<->C", "A", "B", "C"}
    cut = {f.name: f.cut_bps for f in found.failures}
    assert cut["A<->B"] == 8e6 and cut["B<->C"] == 2e6


def _told(failures: Sequence[Failure]) -> list[tuple[object, ...]]:
    return [tuple(f) for f in failures]


@dataclass(frozen=True)
class Dying(Plain):
    """Plain, whose first process to find the file ends, as for want of memory."""

    file: str = ""

    def predict(self, scenarios: Sequence[Scenario]) -> list[Metrics]:
        if len(scenarios) > 1 and os.path.exists(self.file):
            os.remove(self.file)
            os.kill(os.getpid(), signal.SIGKILL)
        return super().predict(scenarios)


def test_a_worker_that_is_lost_costs_its_share_alone(mesh, tmp_path) -> None:
    file = tmp_path / "deadly"
    file.touch()
    found = resilience(mesh, Dying(file=str(file)), jobs=2)
    assert not file.exists() and found.complete
    assert _told(found.failures) == _told(resilience(mesh, Plain()).failures)


@pytest.mark.system
def test_a_ray_cluster_gives_the_same_answer(mesh, tmp_path) -> None:
    pytest.importorskip("ray", reason="needs the extra ray")
    twin = Fallback(Narrow(), Plain("other", wait_s=5e-3))
    alone = resilience(mesh, twin, ("link", "node"))
    shared = resilience(mesh, twin, ("link", "node"), jobs=2, ray_address="local")
    assert _told(shared.failures) == _told(alone.failures)
    assert shared.metrics is not None and shared.metrics.label == "twin (other)"
    file = tmp_path / "deadly"
    file.touch()
    found = resilience(mesh, Dying(file=str(file)), jobs=2, ray_address="local")
    assert not file.exists() and found.complete
    assert _told(found.failures) == _told(resilience(mesh, Plain()).failures)
