"""What of the network of Linux routers needs neither root nor FRR."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nettwin.engines.packet import PacketSimulator
from nettwin.errors import FormatError, InputError, NetworkError
from nettwin.physical.linux import addresses, frr, ports, runs
from nettwin.physical.linux.devices import cost_of, shortest_links
from nettwin.physical.linux.emulation import restored, slowed, slowness
from nettwin.physical.linux.history import History
from nettwin.physical.linux.measuring import _loss_bounds, metrics_of
from nettwin.physical.linux.network import Linux, as_emulated, check, lacking
from nettwin.physical.linux.schedule import Schedule
from nettwin.physical.linux.traffic import (
    AHEAD,
    _kept,
    first_ports,
    ports_apart,
    spread,
    summary,
)
from nettwin.scenario.changes import FailLink, SetPath, SetWeight
from nettwin.scenario.generate import generate
from nettwin.scenario.packet_sizes import Fixed
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.scheduling import Queue, Scheduler, drr, fifo, strict_priority, wfq
from nettwin.scenario.topology import Link, Topology
from nettwin.scenario.traffic import Flow, Traffic


def test_addresses_of_cables_meet_and_are_all_different() -> None:
    topology = generate("grid", nodes=9).topology
    reverse = addresses.reverses(topology)
    assert (reverse[reverse] == np.arange(topology.link_count)).all()
    assert (topology.link_source == topology.link_target[reverse]).all()
    mine = [addresses.ends(k, int(r)) for k, r in enumerate(reverse)]
    for k, r in enumerate(reverse.tolist()):
        assert mine[k][0] == mine[r][1]
        assert mine[k][2] == mine[r][3]
    assert len({a for four in mine for a in four[::2]}) == 2 * topology.link_count
    for node in (0, 249, 250, 61000):
        assert addresses.node_of(addresses.loopback(node)) == node
    assert addresses.node_of("10.0.0.1") is None


def test_a_link_without_a_reverse_is_no_cable() -> None:
    topology = Topology.build("AB", [Link("A", "B")])
    with pytest.raises(InputError, match=r"A->B has no link in the other direction"):
        addresses.reverses(topology)


def test_segments_lead_from_link_to_link() -> None:
    assert addresses.segments([3, 10, 7], 1) == ["fc00:3:a::2", "fc00:a:7::2", "fc00:7:ffff::2"]


@pytest.mark.parametrize(
    "scheduler",
    [
        fifo(32),
        fifo(buffer_bits=80000),
        strict_priority(["a", "b"], 20),
        drr({"a": 12000, "b": 24000}, 20),
        Scheduler(queues=(Queue(buffer_packets=np.inf),)),
    ],
)
def test_a_port_tells_the_scheduler_that_it_was_made_of(scheduler: Scheduler) -> None:
    """Whoever did not set it reads the same policy, order, buffers and classes from the kernel."""
    classes = ("a", "b")
    assert ports.refusal(scheduler) == ""
    port = ports.port_of(scheduler, 2e6, classes)
    found = ports.scheduler_of(port, classes)
    assert ports.port_of(found, 2e6, classes) == port
    assert found.policy == scheduler.policy


def test_what_ports_cannot_do_is_said() -> None:
    assert "not wfq" in ports.refusal(wfq({"a": 1, "b": 2}))
    assert "burst_bits" in ports.refusal(replace(fifo(3), burst_bits=512.0))
    both = Scheduler(queues=(Queue(buffer_packets=3, buffer_bits=8000),))
    assert "not in both" in ports.refusal(both)
    assert "whole bytes" in ports.refusal(drr({"a": 12001, "b": 8}, 3))
    assert "at most 8" in ports.refusal(strict_priority([*"abcdefghi"], 3))


@pytest.mark.parametrize("weight", [0.5, 0, 65536])
def test_weights_that_are_no_costs(weight: float) -> None:
    with pytest.raises(NetworkError, match="whole number from 1 to 65535"):
        cost_of(weight)


def test_shortest_links_are_those_that_flows_take() -> None:
    """Loads of the links on shortest paths are those of the routing, after a failure too."""
    plan = generate("nsfnet", load=0.5)
    plan = FailLink(plan.topology.link_name[0]).apply(plan)
    on = shortest_links(plan)
    paths, target = plan.paths, plan.traffic.flow_target
    assert on[target[paths.hop_flow], paths.links].all()
    used = {(int(t), int(k)) for t, k in zip(target[paths.hop_flow], paths.links, strict=True)}
    assert used == {(int(t), int(k)) for t, k in zip(*np.nonzero(on), strict=True)}


@pytest.mark.parametrize("arrival", ["poisson", "cbr", "onoff", "autocorrelated"])
def test_a_schedule_has_the_rates_of_its_flows(arrival: str) -> None:
    plan = as_emulated(generate("ring", nodes=4, load=0.5, capacity_bps=1e6, arrival=arrival))
    schedule = Schedule(plan, seed=4)
    parts = [schedule.until(end) for end in (150.0, 150.1, 400.0)]
    times, flows, bits = (np.concatenate(column) for column in zip(*parts, strict=True))
    assert (np.diff(times) >= 0).all()
    assert times[-1] < 400
    sent = np.bincount(flows, bits, plan.traffic.flow_count) / 400
    assert sent.sum() == pytest.approx(plan.traffic.flow_rate_bps.sum(), rel=0.08)
    assert np.corrcoef(sent, plan.traffic.flow_rate_bps)[0, 1] > 0.97


def test_ports_are_dealt_out_to_paths() -> None:
    share, overhead, spans = spread([(0.7, 80), (0.3, 96)])
    assert spans == [(0, 7), (8, 15)]
    assert share[7] == pytest.approx(0.7)
    assert share[-1] == pytest.approx(1.0)
    assert overhead.tolist() == [80] * 8 + [96] * 8
    plan = generate("ring", nodes=4)
    first = first_ports(plan)
    pairs = set(zip(plan.traffic.flow_source.tolist(), first.tolist(), strict=True))
    assert len(pairs) == plan.traffic.flow_count


@pytest.mark.parametrize(("most", "apart"), [(10**6, 1), (20_000, 4), (4000, 16), (10, 16)])
def test_sockets_are_no_more_than_may_be_open(
    monkeypatch: pytest.MonkeyPatch, most: int, apart: int
) -> None:
    monkeypatch.setattr("resource.getrlimit", lambda what: (most, most))
    assert ports_apart(2500) == apart
    assert ports_apart(10) == (1 if most > 1000 else 16)


def test_what_is_measured_is_what_came_in() -> None:
    """Two flows: one of three packets of 1, 2 and 3 ms, one whose packets are all lost."""
    plan = as_emulated(generate("line", nodes=2, capacity_bps=1e6))
    received = np.array(
        [[0, 0, 2_000_000, 99], [5, 0, 1_000_000, 99], [9, 0, 3_000_000, 99]], np.int64
    )
    flows = summary(np.array([0, 1, 0, 1, 0]), received, 2)
    seen = {
        "begin_s": 10.0,
        "end_s": 12.0,
        "flows": flows,
        "batch_count": np.array([[1, 1, 1, 0], [0, 0, 0, 0]]),
        "batch_delay": np.array([[2e-3, 1e-3, 3e-3, 0], [0, 0, 0, 0]]),
        "queues": np.array([[125000, 3, 0], [0, 0, 2]]),
        "late_s": 0.0,
    }
    metrics = metrics_of(plan, seen, "linux")
    assert metrics.method == "measured"
    assert metrics.flow["owd_mean_s"][0] == pytest.approx(2e-3)
    assert metrics.flow["owd_p50_s"][0] == pytest.approx(2e-3)
    assert metrics.flow["pdv_s2"][0] == pytest.approx(2e-6 / 3)
    assert np.isnan(metrics.flow["owd_mean_s"][1])
    assert metrics.flow["loss_ratio"].tolist() == [0, 1]
    assert metrics.link["throughput_bps"].tolist() == [500000, 0]
    assert metrics.link["utilization"].tolist() == [0.5, 0]
    assert metrics.link["loss_ratio"].tolist() == [0, 1]


def test_bounds_of_loss_are_wide_where_few_packets_were_sent() -> None:
    """By Clopper and Pearson: 1 of 1 lost, 0 of 10, 5 of 10, none sent."""
    low, high = _loss_bounds(np.array([1, 0, 5, 0]), np.array([1, 10, 10, 0]))
    assert low[:3] == pytest.approx([0.025, 0.0, 0.1871], abs=1e-4)
    assert high[:3] == pytest.approx([1.0, 0.3085, 0.8129], abs=1e-4)
    assert np.isnan(low[3])


def test_a_ring_that_is_written_while_it_is_read() -> None:
    """The oldest rows may be new ones by now; that they are is not taken for a loss of others."""
    size, written = 3 * AHEAD, 4 * AHEAD  # the ring has rows AHEAD .. 4 * AHEAD
    log = np.zeros((size, 2), np.int64)
    log[:, 0] = np.arange(size) + np.where(np.arange(size) < AHEAD, size, 0)
    log[AHEAD : AHEAD + 10, 0] += size  # the next ten were written since
    begin = 2 * AHEAD + 100
    rows = _kept(log, written, begin)
    assert (rows[:, 0] >= begin).sum() == written - begin + 10
    with pytest.raises(NetworkError, match="more packets were sent than are remembered"):
        _kept(log, written, AHEAD + 50)


def test_what_cables_leave_out_is_the_delay_of_an_empty_network() -> None:
    """A flow over two links, of 1 and of 2 Mbit/s, with 3 and 4 ms: 8000 bit take 12 ms more."""
    links = [Link("A", "B", 1e6, 3e-3), Link("B", "C", 2e6, 4e-3)]
    topology = Topology.build("ABC", links, duplex=True)
    plan = Scenario(topology, Traffic.build(topology, [Flow("A", "C", 1e5)]))
    seconds_per_bit, seconds = lacking(plan)
    assert seconds_per_bit[0] * 8000 == pytest.approx(12e-3)
    assert seconds[0] == pytest.approx(7e-3)


def test_networks_that_cannot_be_had_are_refused() -> None:
    plan = as_emulated(generate("ring", nodes=4))
    check(plan)
    traffic = plan.traffic
    with pytest.raises(NetworkError, match="packets of 10000 B"):
        check(plan.with_(traffic=replace(traffic, sizes=(Fixed(80000.0),) * len(traffic.sizes))))
    with pytest.raises(NetworkError, match="is no OSPF cost"):
        check(SetWeight(plan.topology.link_name[0], 1.5).apply(plan))
    with pytest.raises(InputError, match="interval_s is 0: must be a number above 0"):
        Linux.of({"interval_s": 0})


def test_history_keeps_the_last_value_of_a_target(tmp_path: Path) -> None:
    path = tmp_path / "linux.json"
    assert History(path).changes == ()
    changes = (SetWeight("A->B", 2.0), SetPath("f", ({"via": ["C"]},)), FailLink("A<->B"))
    for change in (*changes[:2], SetWeight("A->B", 3.0), changes[2]):
        History(path).add(change)
    assert History(path).changes == (changes[1], SetWeight("A->B", 3.0), changes[2])
    path.write_text("{}")
    with pytest.raises(FormatError, match="not a record of a linux network"):
        History(path)


def test_clean_ends_what_a_dead_run_left_and_nothing_else(tmp_path: Path) -> None:
    """A left-over process of a dead owner; one whose number was given to another since; one in
    use; a file that is not a record."""
    sleeping = [sys.executable, "-c", "import time; time.sleep(60)"]
    left, other, used = (subprocess.Popen(sleeping) for _ in range(3))
    try:
        dead = subprocess.Popen([sys.executable, "-c", ""])
        dead.wait()

        def record(host: subprocess.Popen[bytes], began: int, owner: list[int]) -> None:
            data = {"boot": runs.boot(), "host": [host.pid, began], "owner": owner}
            (tmp_path / f"{host.pid}.json").write_text(json.dumps(data))

        record(left, runs.start_time(left.pid), [dead.pid, 5])
        record(other, runs.start_time(other.pid) - 1, [dead.pid, 5])
        me = [os.getpid(), runs.start_time(os.getpid())]
        record(used, runs.start_time(used.pid), me)
        (tmp_path / "bad.json").write_text("[]")
        said = " ".join(runs.clean(tmp_path))
        assert left.wait(5) == -9
        assert other.poll() is None
        assert used.poll() is None
        for words in ("were ended", "had ended", "in use", "not a record of a run"):
            assert words in said
        assert {p.name for p in tmp_path.iterdir()} == {"bad.json", f"{used.pid}.json"}
    finally:
        for process in (left, other, used):
            process.kill()
            process.wait()


def test_ospf_is_told_of_every_device() -> None:
    text = frr.configuration("r1", "10.255.0.2", {"e0": 10, "e5": 3}, 16)
    assert text.count("ip ospf network point-to-point") == 2
    assert "interface e5" in text
    assert " ip ospf cost 3" in text
    assert " maximum-paths 16" in text


def test_slow_motion_changes_no_queue() -> None:
    """The simulator finds the same delays, times the factor, and they are restored."""
    plan = generate("ring", nodes=4, load=0.7, capacity_bps=1e9, arrival="onoff")
    slow = slowed(plan, 1000.0)
    assert slowness(plan) > 10
    assert slowness(slowed(plan, slowness(plan))) == pytest.approx(1)
    fast, dilated = (
        PacketSimulator(jobs=1, precision=0.0, max_packets=30_000).predict([one])[0]
        for one in (plan, slow)
    )
    back = restored(replace(dilated, provenance={"interval_s": 1.0}), plan, 1000.0, "emulation")
    for column in ("owd_mean_s", "pdv_s2", "throughput_bps", "loss_ratio"):
        assert back.flow[column] == pytest.approx(fast.flow[column], rel=1e-6, nan_ok=True), column
    assert back.link["utilization"] == pytest.approx(fast.link["utilization"], rel=1e-6)
    assert back.queue["delay_mean_s"] == pytest.approx(fast.queue["delay_mean_s"], nan_ok=True)
