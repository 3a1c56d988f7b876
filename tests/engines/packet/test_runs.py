"""Runs: seeds, processes, events, intervals, why they stop, what they refuse, time and memory."""

from __future__ import annotations

import math
import resource
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from nettwin.engines.packet import Event, PacketSimulator, Run
from nettwin.engines.packet.simulation import Simulation
from nettwin.engines.packet.stopping import memory_s
from nettwin.errors import InputError
from nettwin.metrics import Metrics
from nettwin.model import NetworkModel
from nettwin.scenario.arrivals import CBR, MMPP, OnOff, Trace
from nettwin.scenario.changes import (
    AddFlow,
    Change,
    FailLink,
    FailNode,
    RestoreLink,
    ScaleTraffic,
    SetBuffer,
    SetCapacity,
    apply_all,
)
from nettwin.scenario.generate import generate
from nettwin.scenario.packet_sizes import Exponential, Fixed
from nettwin.scenario.routing import Steer
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.scheduling import Queue, Scheduler, fifo
from nettwin.scenario.topology import Link, Topology
from nettwin.scenario.traffic import Flow, Traffic


def same(one: Metrics, other: Metrics) -> bool:
    """Bit for bit, unknown values included."""
    return all(
        a.columns[name].tobytes() == b.columns[name].tobytes()
        for a, b in ((one.flow, other.flow), (one.link, other.link), (one.queue, other.queue))
        for name in a.columns
    )


def nsfnet(**more: object) -> Scenario:
    return generate("nsfnet", **more)  # type: ignore[arg-type]


def square(capacity_bps: float = 1e7) -> Scenario:
    """A flow A to D over B; C is the other path."""
    ends = ("AB", 1), ("BD", 1), ("AC", 2), ("CD", 1), ("CA", 1)
    links = [Link(a, b, capacity_bps, 1e-3, weight) for (a, b), weight in ends]
    topology = Topology.build("ABCD", links)
    flow = Flow("A", "D", 4e6, size=Fixed(8000.0), arrival=CBR())
    return Scenario(topology, Traffic.build(topology, [flow]))


def after(scenario: Scenario, *changes: Change) -> Scenario:
    return apply_all(scenario, changes)


def run(scenario: Scenario, events: list[Event], until_s: float = 6.0, **more: float) -> Run:
    return PacketSimulator(warmup_s=0.0).run(scenario, until_s=until_s, events=events, **more)


def test_it_is_a_network_model() -> None:
    assert isinstance(PacketSimulator(), NetworkModel)
    assert PacketSimulator().name == "packet"


@pytest.mark.parametrize("arrival", ["poisson", "onoff", "mmpp", "autocorrelated"])
def test_a_seed_gives_the_same_bits_and_another_gives_others(arrival: str) -> None:
    scenario = nsfnet(arrival=arrival, classes="three", scheduler="drr")
    one, again, other = (
        PacketSimulator(seed=seed, max_packets=20_000).run(scenario).metrics for seed in (7, 7, -8)
    )
    assert same(one, again)
    assert not same(one, other)


def test_jobs_change_nothing_but_the_time() -> None:
    scenarios = [nsfnet(load=load) for load in (0.3, 0.6, 0.9)]
    shares: list[float] = []
    alone = PacketSimulator(max_packets=5000, jobs=1, progress=shares.append).predict(scenarios)
    assert shares[-1] == 1.0 and sorted(shares) == shares
    shares.clear()
    together = PacketSimulator(max_packets=5000, jobs=2, progress=shares.append).predict(scenarios)
    assert shares == pytest.approx([1 / 3, 2 / 3, 1])
    assert all(same(a, b) for a, b in zip(alone, together, strict=True))
    assert PacketSimulator().predict([]) == []


def test_a_failed_link_loses_what_is_on_it_and_traffic_finds_its_path() -> None:
    """500 packets a second; the old path for 0.5 s more: 250 lost, and the two on the link."""
    failed = after(square(), FailLink("B->D"))
    done = run(square(), [Event(2.0, failed, convergence_s=0.5)])
    sent = done.metrics.provenance["packets_sent"]
    lost = done.metrics.flow["loss_ratio"][0] * sent
    assert lost == pytest.approx(251, abs=3)
    assert done.metrics.link["throughput_bps"][3] == pytest.approx(4e6 * 3.5 / 6, rel=0.01)
    at_once = run(square(), [Event(2.0, failed)])
    assert 1 <= round(at_once.metrics.flow["loss_ratio"][0] * sent) <= 2


def lost(done: Run) -> float:
    return float(done.metrics.flow["loss_ratio"][0]) * int(done.metrics.provenance["packets_sent"])


@pytest.mark.parametrize("convergence_s", [0.0, 0.1, 1.0, 3.0])
def test_an_event_that_has_nothing_to_do_with_a_failure_does_not_heal_it(
    convergence_s: float,
) -> None:
    """2 s of 500 packets a second are lost, with another event meanwhile as without."""
    failed = after(square(), FailLink("B->D"))
    other = after(failed, ScaleTraffic(1.0), FailLink("C->A"))
    alone = run(square(), [Event(2.0, failed, 2.0)])
    with_it = run(square(), [Event(2.0, failed, 2.0), Event(2.1, other, convergence_s)])
    assert lost(alone) == pytest.approx(1001, abs=3)
    assert lost(with_it) == pytest.approx(1001, abs=3)


def test_what_routers_hear_first_is_not_forgotten() -> None:
    """The repair is known before the failure: routers never leave the path."""
    failed = after(square(), FailLink("B->D"))
    done = run(square(), [Event(2.0, failed, 3.0), Event(3.0, square(), 0.5)])
    assert lost(done) == pytest.approx(501, abs=3)
    assert done.metrics.link["throughput_bps"][3] == 0


def test_new_paths_are_known_flow_by_flow() -> None:
    """A failure that is not known yet, and another path for the flow that is known at once."""
    failed = after(square(), FailLink("B->D"))
    steered = failed.with_(routing=replace(failed.routing, steer={0: (Steer(links=(2, 3)),)}))
    done = run(square(), [Event(2.0, failed, 3.0), Event(3.0, steered)])
    assert lost(done) == pytest.approx(501, abs=3)


def test_a_link_that_comes_back_takes_its_traffic_back() -> None:
    failed = after(square(), FailLink("B->D"))
    done = run(square(), [Event(2.0, failed), Event(4.0, square())], interval_s=2.0)
    by_interval = [i.metrics.link["throughput_bps"][[1, 3]] for i in done.intervals]
    few = 2 * 8000 / 2.0  # packets in the network when the paths change
    assert by_interval[0] == pytest.approx([4e6, 0], rel=0.01, abs=few)
    assert by_interval[1] == pytest.approx([0, 4e6], rel=0.01, abs=few)
    assert by_interval[2] == pytest.approx([4e6, 0], rel=0.01, abs=few)
    assert done.metrics.link["throughput_bps"][0] == pytest.approx(4e6 * 4 / 6, rel=0.01)


def test_no_path_and_a_path_again() -> None:
    gone = after(square(), FailNode("D"))
    done = run(square(), [Event(2.0, gone), Event(4.0, square())], interval_s=2.0)
    loss = [i.metrics.flow["loss_ratio"][0] for i in done.intervals]
    assert loss[0] == 0 and loss[1] > 0.99 and loss[2] == 0
    assert done.metrics.flow["loss_ratio"][0] == pytest.approx(1 / 3, abs=0.01)


def test_traffic_changes_from_its_moment_on() -> None:
    more = after(square(), ScaleTraffic(2.0))
    silent = after(square(), ScaleTraffic(0.0))
    done = run(square(), [Event(2.0, more), Event(4.0, silent)], interval_s=2.0)
    got = [i.metrics.flow["throughput_bps"][0] for i in done.intervals]
    assert got == pytest.approx([4e6, 8e6, 0.0], rel=0.01, abs=2e4)


def test_utilization_follows_a_capacity_that_changes() -> None:
    """4 Mbit/s over 10, then over 5: 0.4 and 0.8, each in its own interval."""
    slower = after(square(), SetCapacity("A->B", 5e6))
    done = run(square(), [Event(2.0, slower)], until_s=4.0, interval_s=2.0)
    assert [i.metrics.link["utilization"][0] for i in done.intervals] == pytest.approx(
        [0.4, 0.8], rel=0.01
    )
    assert done.metrics.link["utilization"][0] == pytest.approx(8e6 / 15e6, rel=0.01)


def test_quantiles_reckon_with_what_the_network_becomes() -> None:
    """Delays under the first network's least are told apart, not lumped together."""
    slow = square(1e5)
    quiet = after(slow, ScaleTraffic(0.01))
    fast = after(quiet, *(SetCapacity(k, 1e7) for k in slow.topology.link_name))
    done = run(quiet, [Event(1.0, fast)], until_s=40.0, interval_s=20.0)
    last = done.intervals[1].metrics.flow
    exact = 2 * (8000 / 1e7 + 1e-3)
    for column in ("owd_mean_s", "owd_p50_s", "owd_p99_s"):
        assert last[column][0] == pytest.approx(exact, rel=1e-3)


def test_intervals_sum_up_to_the_total() -> None:
    scenario = nsfnet(load=0.95)
    done = PacketSimulator(seed=4).run(scenario, until_s=2.0, interval_s=0.3)
    assert [i.end_s for i in done.intervals] == pytest.approx([0.3, 0.6, 0.9, 1.2, 1.5, 1.8, 2.0])
    assert [i.start_s for i in done.intervals] == pytest.approx([0, 0.3, 0.6, 0.9, 1.2, 1.5, 1.8])
    length = np.array([i.end_s - i.start_s for i in done.intervals])
    whole = done.metrics

    def weighed(table: str, column: str) -> np.ndarray:  # type: ignore[type-arg]
        rows = np.array([getattr(i.metrics, table)[column] for i in done.intervals])
        return (np.nan_to_num(rows) * length[:, None]).sum(axis=0) / length.sum()

    for table, column in (
        ("flow", "throughput_bps"),
        ("link", "utilization"),
        ("link", "throughput_bps"),
        ("queue", "occupancy_mean_bits"),
        ("queue", "occupancy_mean_packets"),
    ):
        assert weighed(table, column) == pytest.approx(getattr(whole, table)[column], rel=1e-6)
    most = np.max([i.metrics.queue["occupancy_max_bits"] for i in done.intervals], axis=0)
    assert (most == whole.queue["occupancy_max_bits"]).all()
    alone = PacketSimulator(seed=4).run(scenario, until_s=2.0).metrics
    assert alone.flow["owd_mean_s"] == pytest.approx(whole.flow["owd_mean_s"], rel=1e-9)
    assert alone.flow["owd_p90_s"] == pytest.approx(whole.flow["owd_p90_s"], rel=1e-9)


def test_occupancy_of_an_interval_counts_who_was_there_before() -> None:
    """A queue that nobody joins any more is as long as it was at the beginning."""
    scenario = after(square(), SetBuffer("A->B", buffer_packets=1000), ScaleTraffic(5.0))
    silent = after(scenario, ScaleTraffic(0.0))
    engine = PacketSimulator(warmup_s=0.0, occupancy_counts_service=True)
    done = engine.run(scenario, until_s=2.0, events=[Event(1.0, silent)], interval_s=1.0)
    before, later = (i.metrics.queue["occupancy_max_bits"][0] for i in done.intervals)
    assert later == before > 7e6


def test_why_a_run_stops() -> None:
    scenario = nsfnet(load=0.5)
    precise = PacketSimulator(precision=0.2).run(scenario)
    assert precise.stopped_by.startswith("precision:")
    assert precise.metrics.provenance["precision_reached"] <= 0.2
    spent = PacketSimulator(precision=1e-6, max_packets=5000).run(scenario)
    assert spent.stopped_by == "packet budget: 5000 packets sent"
    assert 5000 <= spent.metrics.provenance["packets_sent"] < 5100
    over = PacketSimulator(precision=1e-6, max_time_s=0.05, warmup_s=0.1).run(scenario)
    assert over.stopped_by == "time limit: 0.05 s simulated"
    assert over.metrics.provenance["simulated_s"] == pytest.approx(0.05)
    assert over.metrics.provenance["warmup_s"] == 0.1
    assert over.metrics.provenance["scenario"] == scenario.fingerprint()


def test_bursts_longer_than_the_run_are_not_called_precise() -> None:
    """Seen for less than a burst, a source looks regular; the run must go on."""
    topology = Topology.build("AB", [Link("A", "B", 1e7)])
    for process in (OnOff(5.0, 5.0), MMPP(50.0, 5.0, 5.0)):
        flow = Flow("A", "B", 4e6, size=Fixed(800.0), arrival=process)
        scenario = Scenario(topology, Traffic.build(topology, [flow]))
        assert memory_s(scenario) == 30.0
        done = PacketSimulator(precision=0.5, max_packets=20_000).run(scenario)
        assert done.stopped_by.startswith("packet budget")


def test_a_source_that_is_silent_for_long_is_waited_for_in_long_strides(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """300 packets take half a second when they come; the first pause lasts a thousand. In strides
    of batches as they come, it would take a hundred thousand of them."""
    topology = Topology.build("AB", [Link("A", "B", 1e7)])
    flow = Flow("A", "B", 5e6, arrival=OnOff(100.0, 1000.0))
    scenario = Scenario(topology, Traffic.build(topology, [flow]))
    strides, advance = Counter[str](), Simulation.advance

    def counted(simulation: Simulation, *to: Any) -> None:
        strides["taken"] += 1
        advance(simulation, *to)

    monkeypatch.setattr(Simulation, "advance", counted)
    runs = [PacketSimulator(max_packets=300, seed=seed).run(scenario) for seed in range(3)]
    assert max(run.metrics.provenance["simulated_s"] for run in runs) > 100
    assert strides["taken"] < 30_000


def test_a_flow_with_a_packet_or_two_is_not_called_precise() -> None:
    topology = Topology.build("AB", [Link("A", "B", 1e7)])
    flows = [Flow("A", "B", 5e6)] + [Flow("A", "B", 50.0) for _ in range(10)]
    scenario = Scenario(topology, Traffic.build(topology, flows))
    done = PacketSimulator(precision=0.05, max_packets=50_000).run(scenario)
    assert done.stopped_by.startswith("packet budget")
    width = done.metrics.flow.high["owd_mean_s"] - done.metrics.flow.low["owd_mean_s"]
    assert not (width[1:] == 0).any()


def test_no_traffic_silent_flows_and_unroutable_flows() -> None:
    topology = Topology.build(
        "ABC", [Link("A", "B", 1e6, scheduler=fifo(4, 1e5)), Link("B", "C", 1e6)]
    )
    flows = [Flow("A", "B", 0.0), Flow("B", "A", 1e5), Flow("A", "C", 3e5)]
    mixed = Scenario(topology, Traffic.build(topology, flows))
    metrics = PacketSimulator(max_packets=2000).run(mixed).metrics
    assert np.isnan(metrics.flow["owd_mean_s"]).tolist() == [True, True, False]
    assert np.isnan(metrics.flow["loss_ratio"][0])
    assert metrics.flow["loss_ratio"][1:].tolist() == [1.0, 0.0]
    assert metrics.flow["throughput_bps"][:2].tolist() == [0.0, 0.0]
    for nothing in (
        Scenario(topology, Traffic.build(topology, [])),
        Scenario(topology, Traffic.build(topology, flows[:1])),
    ):
        idle = PacketSimulator().run(nothing)
        assert idle.stopped_by == "no traffic"
        assert not idle.metrics.link["utilization"].any()
        assert len(idle.metrics.flow) == nothing.traffic.flow_count
    lost = PacketSimulator(max_packets=100).run(
        Scenario(topology, Traffic.build(topology, flows[1:2]))
    )
    assert lost.metrics.flow["loss_ratio"][0] == 1


def test_huge_buffers_and_tenfold_load() -> None:
    """Quantiles reach to the end of a buffer of 20,000 packets."""
    topology = Topology.build("AB", [Link("A", "B", 1e6, scheduler=fifo(20_000))])
    flow = Flow("A", "B", 1e7, size=Fixed(8000.0))
    scenario = Scenario(topology, Traffic.build(topology, [flow]))
    done = PacketSimulator(warmup_s=200.0).run(scenario, until_s=200.0)
    full = 20_001 * 8e-3
    for column in ("owd_mean_s", "owd_p50_s", "owd_p99_s"):
        assert done.metrics.flow[column][0] == pytest.approx(full, rel=0.02)
    assert done.metrics.flow["loss_ratio"][0] == pytest.approx(0.9, abs=0.01)
    assert done.metrics.link["utilization"][0] == pytest.approx(1, abs=1e-6)
    assert done.metrics.queue["occupancy_max_bits"][0] == 20_000 * 8000


def test_a_buffer_of_nothing_is_a_loss_system() -> None:
    """Erlang: of load a, a / (1 + a) is lost where nothing may wait."""
    topology = Topology.build("AB", [Link("A", "B", 1e6, scheduler=fifo(0))])
    flow = Flow("A", "B", 5e5, size=Exponential(8000.0))
    scenario = Scenario(topology, Traffic.build(topology, [flow]))
    flow_metrics = PacketSimulator(max_packets=300_000, precision=0.0).run(scenario).metrics.flow
    assert flow_metrics["loss_ratio"][0] == pytest.approx(1 / 3, rel=0.01)


def test_propagation_of_seconds_and_of_nothing() -> None:
    links = [Link("A", "B", 4e11, 3.0), Link("B", "C", 1e3, 0.0)]
    topology = Topology.build("ABC", links)
    flow = Flow("A", "C", 500.0, size=Fixed(100.0), arrival=CBR())
    scenario = Scenario(topology, Traffic.build(topology, [flow]))
    mean = PacketSimulator(max_packets=1000).run(scenario).metrics.flow["owd_mean_s"][0]
    assert mean == pytest.approx(3.0 + 100 / 4e11 + 0.1, rel=1e-9)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"precision": -0.1}, "precision is -0.1: must be at least 0"),
        ({"precision": math.nan}, "precision is nan"),
        ({"max_packets": 0}, "max_packets is 0: must be above 0"),
        ({"max_time_s": 0.0}, "max_time_s is 0.0"),
        ({"max_time_s": math.nan}, "max_time_s is nan"),
        ({"warmup_s": -1.0}, "warmup_s is -1.0"),
        ({"warmup_s": math.inf}, "warmup_s is inf"),
        ({"jobs": 0}, "jobs is 0"),
        ({"confidence": 1.0}, "confidence is 1.0"),
    ],
)
def test_bad_settings(settings: dict[str, float], words: str) -> None:
    with pytest.raises(InputError, match=words):
        PacketSimulator(**settings)  # type: ignore[arg-type]


def test_times_and_events_that_do_not_fit() -> None:
    scenario, engine = square(), PacketSimulator()
    for arguments, words in (
        ({"events": [Event(1.0, scenario)]}, "need until_s"),
        ({"interval_s": 1.0}, "need until_s"),
        ({"until_s": 0.0}, "both must be above 0"),
        ({"until_s": math.nan}, "both must be above 0"),
        ({"until_s": 1.0, "interval_s": -1.0}, "both must be above 0"),
        ({"until_s": 1.0, "events": [Event(2.0, scenario)]}, "an event is at 2 s"),
        ({"until_s": 1.0, "events": [Event(0.5, scenario, -1.0)]}, "converges after -1 s"),
    ):
        with pytest.raises(InputError, match=words):
            engine.run(scenario, **arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (lambda s: generate("line", nodes=3), "which nodes and links there are"),
        (lambda s: after(s, SetBuffer("A->B", buffer_packets=3)), "delay or scheduler"),
        (lambda s: after(s, AddFlow("A", "B", 1e3)), "which flows there are"),
    ],
)
def test_events_cannot_change_everything(changed, words: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError, match=words):
        run(square(), [Event(1.0, changed(square()))])


def test_restoring_what_was_down_from_the_start() -> None:
    broken = after(square(), FailLink("B->D"), FailLink("C->D"))
    done = run(broken, [Event(3.0, after(broken, RestoreLink("C->D")))])
    assert done.metrics.flow["loss_ratio"][0] == pytest.approx(0.5, abs=0.01)
    assert done.metrics.flow["owd_p50_s"][0] == pytest.approx(2 * (8e-4 + 1e-3), rel=1e-3)


def unsupported_cases() -> list[tuple[Scheduler, Flow, str]]:
    endless = Scheduler(queues=(Queue(math.inf),))
    crumbs = Scheduler("drr", (Queue(quantum_bits=1.0), Queue()))
    slow = Trace(np.array([0.0, 1.0]), stretch=False)
    rare = OnOff(1e-3, 1e-3, starts_with_packet=True)
    return [
        (endless, Flow("A", "B", 2e6), "200% of its capacity and has a queue without limit"),
        (crumbs, Flow("A", "B", 1e3), "DRR quantum below a thousandth"),
        (fifo(), Flow("A", "B", 1e5, arrival=slow), "another rate than its trace"),
        (fifo(), Flow("A", "B", 1e3, arrival=rare), "less than a packet an on period"),
    ]


@pytest.mark.parametrize(("scheduler", "flow", "words"), unsupported_cases())
def test_what_it_cannot_answer(scheduler: Scheduler, flow: Flow, words: str) -> None:
    topology = Topology.build("AB", [Link("A", "B", 1e6, scheduler=scheduler)])
    scenario = Scenario(topology, Traffic.build(topology, [flow]))
    (reason,) = PacketSimulator().unsupported(scenario)
    assert words in reason


def test_flows_over_thousands_of_paths_are_supported() -> None:
    topology = generate("grid", nodes=100).topology
    corner = Flow(topology.node_name[0], topology.node_name[-1], 1e5)
    scenario = Scenario(topology, Traffic.build(topology, [corner]))
    assert PacketSimulator().unsupported(scenario) == []
    assert PacketSimulator().unsupported(nsfnet()) == []


@pytest.mark.slow
def test_300_nodes_and_89_700_flows_fit_in_a_gibibyte() -> None:
    code = (
        "import resource\n"
        "from nettwin.scenario.generate import generate\n"
        "from nettwin.engines.packet import PacketSimulator\n"
        "s = generate('gabriel', nodes=300)\n"
        "PacketSimulator(max_packets=3_000_000, jobs=1).predict([s])\n"
        "print(s.traffic.flow_count, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    flows, kibibytes = map(int, done.stdout.split())
    assert flows == 89_700
    assert kibibytes < 2**20


@pytest.mark.slow
def test_the_second_start_compiles_nothing() -> None:
    """It takes about a second (the benchmark measures it); compiling takes ten or more."""
    code = (
        "from nettwin.scenario.generate import generate\n"
        "from nettwin.engines.packet.simulation import Simulation\n"
        "Simulation(generate('nsfnet'), 1).advance(1.0)\n"
    )
    seconds = []
    for _ in range(4):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", code], check=True)
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds.append(used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime)
    assert min(seconds[1:]) < 2.5
