"""What every engine must do, on a few small networks."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from nettwin.metrics import FLOW_METRICS, LINK_METRICS, QUEUE_METRICS, Metrics, Table
from nettwin.model import NetworkModel
from nettwin.scenario.changes import FailLink, FailNode
from nettwin.scenario.generate import generate
from nettwin.scenario.paths import Status
from nettwin.scenario.routing import Routing
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.scheduling import SCHEDULERS
from nettwin.scenario.topology import Link, Topology
from nettwin.scenario.traffic import Flow, Traffic

Answer = Callable[[str], Metrics]


@cache
def scenarios() -> dict[str, Scenario]:
    """Every scheduler on a ring, several arrival processes, and networks with something broken."""
    found = {
        f"ring {policy}": generate(
            "ring", nodes=5, load=0.7, classes="three", scheduler=policy, capacity_bps=2e6
        )
        for policy in SCHEDULERS
        if policy != "fifo"
    }
    for arrival in ("cbr", "onoff", "autocorrelated"):
        found[f"star {arrival}"] = generate(
            "star", nodes=5, load=1.1, arrival=arrival, capacity_bps=2e6, buffer_packets=8
        )
    found["mesh with ECMP"] = generate("grid", nodes=6, load=0.8, capacity_bps=2e6)
    ring = generate("ring", nodes=5, load=0.5, capacity_bps=2e6)
    broken = FailLink(link=ring.topology.link_name[0]).apply(ring)
    found["a link down"] = broken
    found["a node down"] = FailNode(node=ring.topology.node_name[1]).apply(ring)
    found["idle"] = ring.with_(traffic=ring.traffic.with_arrays(flow_rate_bps=np.zeros(20)))
    found["two islands"] = two_islands()
    found["no links"] = no_links()
    return found


def two_islands() -> Scenario:
    """A network of two parts, with flows inside and between them."""
    topology = Topology.build("ABCD", [Link("A", "B", 1e6, 1e-3), Link("C", "D", 1e6)])
    flows = [Flow("A", "B", 5e5), Flow("A", "D", 1e5), Flow("C", "D", 0.0), Flow("D", "C", 1e5)]
    return Scenario(topology, Traffic.build(topology, flows))


def no_links() -> Scenario:
    """Two nodes that nothing joins."""
    topology = Topology.build(["A", "B"], [])
    return Scenario(topology, Traffic.build(topology, [Flow("A", "B", 1e5)]))


def tables(metrics: Metrics) -> list[tuple[str, Table, dict[str, Any]]]:
    """The tables of metrics, with what they are about and the declared quantities."""
    return [
        ("flow", metrics.flow, FLOW_METRICS),
        ("link", metrics.link, LINK_METRICS),
        ("queue", metrics.queue, QUEUE_METRICS),
    ]


def same(a: Metrics, b: Metrics) -> bool:
    """Whether all tables are equal, bit for bit."""
    return all(
        list(x.columns) == list(y.columns)
        and all(np.array_equal(x[c], y[c], equal_nan=True) for c in x.columns)
        for (_, x, _), (_, y, _) in zip(tables(a), tables(b), strict=True)
    )


NAMES = tuple(scenarios())
_ANSWERS: dict[tuple[int, str], tuple[NetworkModel, Metrics]] = {}  # by engine; they stay alive


class EngineContract:
    """Tests of one engine. Give the fixture `model`: the engine; keep one that is long in the
    making, so that all tests get the same."""

    @pytest.fixture
    def model(self) -> NetworkModel:
        """The engine."""
        raise NotImplementedError("give the fixture `model`: the engine that is tested")

    @pytest.fixture
    def answer(self, model: NetworkModel) -> Answer:
        """Its metrics of a scenario by name, asked for once while the engine is the same."""

        def asked(scenario: str) -> Metrics:
            kept = _ANSWERS.get((id(model), scenario))
            if kept is None:
                kept = model, model.predict([scenarios()[scenario]])[0]
                _ANSWERS[id(model), scenario] = kept
            return kept[1]

        return asked

    def noise(self, model: NetworkModel) -> float:
        """By how much of itself a mean delay may be off: of samples, or of single precision."""
        return 1e-9

    def fall(self, model: NetworkModel) -> float:
        """By how much of itself a mean delay may fall where load grows; of loss, absolute. A model
        that is learned from samples is as smooth as its error allows."""
        return self.noise(model)

    def propagation(self, model: NetworkModel) -> float:
        """By how much of itself what a longer link adds to a delay may be off."""
        return 0.02

    def grows_with_load(self, model: NetworkModel) -> bool:
        """Whether more load never makes it predict less delay."""
        return True

    def test_it_is_a_network_model(self, model: NetworkModel) -> None:
        assert isinstance(model, NetworkModel)
        assert model.name
        assert model.predict([]) == []
        assert model.unsupported(scenarios()["mesh with ECMP"]) == []

    @pytest.mark.parametrize("scenario", NAMES)
    def test_every_element_has_a_row_of_declared_quantities(
        self, model: NetworkModel, answer: Answer, scenario: str
    ) -> None:
        metrics, where = answer(scenario), scenarios()[scenario]
        counts = (
            where.traffic.flow_count,
            where.topology.link_count,
            len(where.topology.queues.link),
        )
        for (kind, table, declared), count in zip(tables(metrics), counts, strict=True):
            for column, values in table.columns.items():
                assert column in declared, f"{column} of {kind} is not declared"
                assert len(values) == count
                bad = ~declared[column].valid(values)
                assert not bad.any(), f"{kind} {column}: {values[bad]}"
        for column in ("owd_mean_s", "loss_ratio", "throughput_bps"):
            assert column in metrics.flow
        assert {"utilization", "loss_ratio"} <= set(metrics.link.columns)
        assert metrics.engine == model.name
        assert metrics.provenance["scenario"] == where.fingerprint()

    @pytest.mark.parametrize("scenario", NAMES)
    def test_delay_is_not_under_the_floor(
        self, model: NetworkModel, answer: Answer, scenario: str
    ) -> None:
        """Propagation and transmission of the flow's own packets, on its fastest path."""
        metrics, where = answer(scenario), scenarios()[scenario]
        smallest = np.array([size.min_bits for size in where.traffic.sizes])
        for flow in range(where.traffic.flow_count):
            paths = where.paths.of(flow)
            delay = metrics.flow["owd_mean_s"][flow]
            if not paths or np.isnan(delay):
                continue
            bits = smallest[where.traffic.flow_size[flow]]
            floor = min(
                sum(
                    where.topology.link_delay_s[k] + bits / where.topology.link_capacity_bps[k]
                    for k in links
                )
                for _, links in paths
            )
            assert delay >= floor * (1 - 1e-9)
            for column in ("owd_p50_s", "owd_p90_s", "owd_p99_s"):
                if column in metrics.flow:
                    # percentiles of a simulation come from a histogram
                    assert metrics.flow[column][flow] >= floor * (1 - self.noise(model))

    @pytest.mark.parametrize("scenario", NAMES)
    def test_whatever_arrives_has_a_delay(self, answer: Answer, scenario: str) -> None:
        metrics, where = answer(scenario), scenarios()[scenario]
        arrives = (where.paths.status == Status.OK) & (where.traffic.flow_rate_bps > 0)
        arrives &= metrics.flow["loss_ratio"] < 1
        assert (metrics.flow["owd_mean_s"][arrives] > 0).all()

    @pytest.mark.parametrize("scenario", NAMES)
    def test_percentiles_are_in_order(self, answer: Answer, scenario: str) -> None:
        flow = answer(scenario).flow
        given = [flow[c] for c in ("owd_p50_s", "owd_p90_s", "owd_p99_s") if c in flow]
        for low, high in pairwise(given):
            known = np.isfinite(low) & np.isfinite(high)
            assert (low[known] <= high[known]).all()

    @pytest.mark.parametrize("scenario", NAMES)
    def test_throughput_is_what_is_not_lost(
        self, model: NetworkModel, answer: Answer, scenario: str
    ) -> None:
        metrics, where = answer(scenario), scenarios()[scenario]
        rate, loss = where.traffic.flow_rate_bps, metrics.flow["loss_ratio"]
        sends = rate > 0
        total = (rate[sends] * (1 - loss[sends])).sum()
        assert metrics.flow["throughput_bps"].sum() == pytest.approx(
            total, rel=max(self.noise(model), 1e-6), abs=1e-9
        )

    @pytest.mark.parametrize("scenario", NAMES)
    def test_unroutable_flows_lose_everything(self, answer: Answer, scenario: str) -> None:
        metrics, where = answer(scenario), scenarios()[scenario]
        stuck = where.paths.status != Status.OK
        assert np.isnan(metrics.flow["owd_mean_s"][stuck]).all()
        sending = stuck & (where.traffic.flow_rate_bps > 0)
        assert (metrics.flow["loss_ratio"][sending] == 1).all()
        assert (metrics.flow["throughput_bps"][stuck] == 0).all()

    @pytest.mark.parametrize("scenario", ["a link down", "a node down"])
    def test_what_is_down_carries_nothing(self, answer: Answer, scenario: str) -> None:
        metrics, where = answer(scenario), scenarios()[scenario]
        down = ~where.topology.link_live
        assert down.any()
        assert (metrics.link["utilization"][down] == 0).all()

    def test_an_idle_network_is_idle(self, answer: Answer) -> None:
        metrics = answer("idle")
        assert (metrics.link["utilization"] == 0).all()
        assert (metrics.link["loss_ratio"] == 0).all()
        assert (metrics.flow["throughput_bps"] == 0).all()

    @pytest.mark.parametrize("scenario", ["ring wfq", "star onoff"])
    def test_the_same_question_has_the_same_answer(
        self, model: NetworkModel, answer: Answer, scenario: str
    ) -> None:
        assert same(model.predict([scenarios()[scenario]])[0], answer(scenario))

    def test_a_batch_is_its_members(self, model: NetworkModel, answer: Answer) -> None:
        some = ["ring sp", "two islands", "no links", "star cbr"]
        batch = model.predict([scenarios()[s] for s in some])
        assert all(same(one, answer(s)) for one, s in zip(batch, some, strict=True))

    @pytest.mark.parametrize("policy", list(SCHEDULERS))
    def test_rows_follow_the_flows(self, model: NetworkModel, policy: str) -> None:
        """Flows in another order get their answers in that order."""
        where = generate("ring", nodes=4, load=0.6, scheduler=policy, capacity_bps=2e6)
        order = np.arange(where.traffic.flow_count)[::-1]
        turned = where.with_(traffic=where.traffic.keep(order))
        here, there = model.predict([where, turned])
        assert there.flow["owd_mean_s"] == pytest.approx(
            here.flow["owd_mean_s"][order], rel=self.noise(model)
        )

    @pytest.mark.parametrize("policy", list(SCHEDULERS))
    @pytest.mark.parametrize("arrival", ["poisson", "cbr", "onoff"])
    def test_more_load_is_never_faster(
        self, model: NetworkModel, policy: str, arrival: str
    ) -> None:
        """Of a port, and of each of its classes, until what is lost decides who waits."""
        if not self.grows_with_load(model):
            pytest.skip(f"nothing makes the delays of {model.name} grow with load")
        mix = ("voice", "video", "best-effort")
        whole = generate(
            "line", nodes=2, classes="three", scheduler=policy, arrival=arrival, buffer_packets=64
        )
        assert set(whole.traffic.class_name) == set(mix)
        loads = (0.2, 0.4, 0.6, 0.8, 0.9, 1.1)
        base = float(whole.link_offered_load.max())
        asked = [
            whole.with_(
                traffic=whole.traffic.with_arrays(
                    flow_rate_bps=whole.traffic.flow_rate_bps * load / base
                )
            )
            for load in loads
        ]
        answers = model.predict(asked)
        fall = self.fall(model)
        delays = np.array([m.flow["owd_mean_s"] for m in answers])  # [loads, flows]
        lost = np.array([m.flow["loss_ratio"] for m in answers])
        assert (delays[1:] >= delays[:-1] * (1 - fall)).all()
        assert (lost[1:] >= lost[:-1] - fall).all()

    def test_a_longer_link_and_a_faster_port_do_what_they_must(self, model: NetworkModel) -> None:
        def delay(capacity_bps: float, delay_s: float) -> float:
            topology = Topology.build("AB", [Link("A", "B", capacity_bps, delay_s)])
            flows = Traffic.build(topology, [Flow("A", "B", 5e5)])
            found = model.predict([Scenario(topology, flows)])[0]
            return float(found.flow["owd_mean_s"][0])

        assert delay(1e6, 5e-3) - delay(1e6, 0.0) == pytest.approx(
            5e-3, rel=self.propagation(model)
        )
        assert delay(2e6, 0.0) < 0.5 * delay(1e6, 0.0)

    def test_ecmp_halves_are_both_used(self, model: NetworkModel) -> None:
        links = [Link(a, b, 1e6) for a, b in ("AB", "AC", "BD", "CD")]
        topology = Topology.build("ABCD", links)
        traffic = Traffic.build(topology, [Flow("A", "D", 1e6)])
        metrics = model.predict([Scenario(topology, traffic, Routing(ecmp=True))])[0]
        assert metrics.link["utilization"] == pytest.approx(np.full(4, 0.5), rel=0.05)

    def test_ten_times_the_capacity_is_mostly_lost(self, model: NetworkModel) -> None:
        topology = Topology.build("AB", [Link("A", "B", 1e6)])
        traffic = Traffic.build(topology, [Flow("A", "B", 1e7)])
        overloaded = Scenario(topology, traffic)
        if reasons := model.unsupported(overloaded):
            assert any("1000%" in reason for reason in reasons)  # it says so, and need not know
            return
        metrics = model.predict([overloaded])[0]
        assert metrics.flow["loss_ratio"][0] == pytest.approx(0.9, abs=0.01)
        assert metrics.link["utilization"][0] == pytest.approx(1.0, abs=0.01)
