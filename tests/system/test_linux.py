"""The network of Linux routers keeps its contract, and leaves nothing behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nettwin.engines.packet import PacketSimulator
from nettwin.errors import ApplyError, InputError, NetworkError, UnsupportedError
from nettwin.model import NetworkModel
from nettwin.observation import configuration
from nettwin.physical.linux.emulation import Emulation
from nettwin.physical.linux.needs import missing
from nettwin.physical.linux.traffic import first_ports
from nettwin.physical.network import Event, Network, Opening
from nettwin.physical.registry import NETWORKS
from nettwin.scenario.changes import (
    Change,
    FailLink,
    FailNode,
    RestoreNode,
    ScaleTraffic,
    SetBuffer,
    SetPath,
    SetScheduler,
    SetWeight,
)
from nettwin.scenario.generate import generate
from nettwin.scenario.packet_sizes import Fixed
from nettwin.scenario.paths import Status
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.scheduling import Queue, Scheduler
from nettwin.testing import ActuatorContract, NetworkContract
from nettwin.testing.networks import plan_of

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(bool(missing()), reason=missing() or "this machine has all it needs"),
]
SETTINGS = {"interval_s": 3.0, "grace_s": 0.5}
CHANGES: tuple[Change, ...] = (SetPath("N1->N2", ({"via": ["N3"]},)), SetWeight("N2->N3", 7.0))
STRICT = Scheduler("sp", (Queue(buffer_packets=40), Queue(buffer_packets=40)), {"voice": 0})


def ring(**settings: Any) -> Scenario:
    return generate("ring", nodes=4, load=0.5, capacity_bps=1e6, **settings)


def opened(folder: Path, plan: Scenario | None = None) -> Network:
    return NETWORKS["linux"].open(Opening(folder, plan or ring(), SETTINGS))


class TestContract(NetworkContract):
    @pytest.fixture
    def network(self, tmp_path: Path) -> Iterator[Network]:
        network = opened(tmp_path)
        yield network
        network.close()

    @pytest.fixture
    def changes(self) -> Sequence[Change]:
        return CHANGES

    @pytest.fixture
    def line(self) -> str:
        return "N1<->N2"


class TestActuator(ActuatorContract):
    @pytest.fixture
    def actuator(self, tmp_path: Path) -> Iterator[object]:
        network = opened(tmp_path)
        yield network.actuator  # type: ignore[attr-defined]
        network.close()

    @pytest.fixture
    def changes(self) -> Sequence[Change]:
        return (*CHANGES, SetBuffer("N1<->N4", 10))


def test_what_was_set_stays_and_steered_packets_take_their_path(tmp_path: Path) -> None:
    """Opened anew, the routers have what was applied before, and what had failed."""
    network = opened(tmp_path)
    try:
        network.apply(plan_of(SetPath("N1->N2", ({"links": ["N1->N4", "N4->N3", "N3->N2"]},))), "a")
        network.inject(Event(ScaleTraffic(0.0)))
        network.inject(Event(ScaleTraffic(0.0, source="N1")))
        told = configuration(network.configured())
    finally:
        network.close()
    again = opened(tmp_path)
    try:
        assert configuration(again.configured()) == told
        assert again.observe().metrics.link["throughput_bps"].max() == 0
        receipt = again.receipt("a")
        assert receipt is not None
        assert again.undo(receipt).state == "undone"
        assert configuration(again.configured()) != told
    finally:
        again.close()


def test_packets_follow_the_segments_over_the_links_of_a_plan(tmp_path: Path) -> None:
    plan = ring()
    rates = np.where(np.array(plan.flow_names) == "N1->N2", 4e5, 0.0)
    traffic = plan.traffic.with_arrays(flow_rate_bps=rates)
    plan = plan.with_(traffic=replace(traffic, sizes=(Fixed(8000.0),) * len(traffic.sizes)))
    network = opened(tmp_path, plan)
    try:
        network.apply(plan_of(SetPath("N1->N2", ({"via": ["N3"]},))))
        seen = network.observe()
        load = seen.scenario.link_load_bps
        assert (load > 0).sum() >= 3
        carried = seen.metrics.link["throughput_bps"]
        assert carried == pytest.approx(load, rel=0.2, abs=3e4)
        network.inject(Event(FailLink("N1<->N4")))  # one of the two paths to N3 is left, over N2
        network.inject(Event(FailLink("N3<->N4")))
        seen = network.observe()
        assert np.nanmax(seen.metrics.flow["loss_ratio"]) < 0.05
        assert seen.metrics.link["throughput_bps"][seen.scenario.topology.link("N1->N2")] > 2e5
    finally:
        network.close()


def test_a_plan_steers_its_flow_and_none_that_passes_by(tmp_path: Path) -> None:
    """N1->N3 passes N2, to the same target and from the same port as N2->N3, which is steered."""
    plan = SetWeight("N1<->N4", 5.0).apply(ring())
    names = np.array(plan.flow_names)
    first = first_ports(plan)[[plan.flow("N1->N3"), plan.flow("N2->N3")]]
    assert first[0] == first[1]
    rates = np.where((names == "N1->N3") | (names == "N2->N3"), 2e5, 0.0)
    traffic = plan.traffic.with_arrays(flow_rate_bps=rates)
    plan = plan.with_(traffic=replace(traffic, sizes=(Fixed(4000.0),) * len(traffic.sizes)))
    network = opened(tmp_path, plan)
    try:
        network.apply(plan_of(SetPath("N2->N3", ({"links": ["N2->N1", "N1->N4", "N4->N3"]},))))
        seen = network.observe()
        carried = seen.metrics.link["throughput_bps"]
        assert carried == pytest.approx(seen.scenario.link_load_bps, rel=0.1, abs=2e4)
    finally:
        network.close()


def test_priorities_hold_under_overload(tmp_path: Path) -> None:
    plan = ring(classes="three")
    network = opened(tmp_path, plan)
    try:
        for change in (SetScheduler(name, STRICT.to_dict()) for name in plan.topology.link_name):
            network.actuator.make(change)  # type: ignore[attr-defined]
        network.inject(Event(ScaleTraffic(4.0, traffic_class="best-effort")))
        network.observe()
        seen = network.observe()
        voice = seen.scenario.traffic.flow_class == seen.scenario.traffic.class_index("voice")
        loss = seen.metrics.flow["loss_ratio"]
        assert np.nanmax(loss[voice]) == 0
        assert np.nanmax(loss[~voice]) > 0.05
        assert seen.metrics.link["utilization"].max() == pytest.approx(1.0, abs=0.04)
    finally:
        network.close()


def test_what_cannot_be_done_is_refused(tmp_path: Path) -> None:
    network = opened(tmp_path)
    try:
        with pytest.raises(InputError, match="both directions"):
            network.inject(Event(FailLink("N1->N2")))
        with pytest.raises(ApplyError, match=r"whole number"):
            network.apply(plan_of(SetWeight("N1->N2", 1.5)))
        with pytest.raises(ApplyError, match="not wfq"):
            network.apply(plan_of(SetScheduler("N1->N2", {"policy": "wfq"})))
        before = configuration(network.configured())
        network.inject(Event(FailNode("N3")))
        with pytest.raises(ApplyError, match="N3 does not answer"):
            network.apply(plan_of(SetWeight("N1->N2", 4.0), SetWeight("N3->N4", 5.0)))
        seen = network.observe()
        down = seen.scenario.flow_status == Status.DOWN
        assert (seen.metrics.flow["loss_ratio"][down] == 1).all()
        assert np.nanmax(seen.metrics.flow["loss_ratio"][~down]) < 0.05
        network.inject(Event(RestoreNode("N3")))
        assert configuration(network.configured()) == before
    finally:
        network.close()


def test_a_queue_that_is_hidden_shows_only_in_what_is_measured(tmp_path: Path) -> None:
    """Its router tells what it has, so that drift from what was meant is seen."""
    network = opened(tmp_path)
    try:
        before = network.configured()
        network.inject(Event(SetBuffer("N1->N2", 1), told=False))
        now = network.configured()
        assert configuration(now) != configuration(before)
        with pytest.raises(InputError, match="cannot be hidden"):
            network.inject(Event(SetWeight("N1->N2", 3.0), told=False))
    finally:
        network.close()


def test_a_day_under_the_loop(tmp_path: Path) -> None:
    """The demo ends by itself within 8 minutes, and its last line counts plans."""
    command = [sys.executable, "-m", "nettwin", "demo", "loop", "--network", "linux"]
    done = subprocess.run(
        [*command, "-o", str(tmp_path)], capture_output=True, text=True, timeout=480, check=False
    )
    assert done.returncode == 0, done.stderr
    last = done.stdout.strip().splitlines()[-1]
    counts = re.fullmatch(r"(\d+) plans? applied, (\d+) kept, (\d+) rolled back", last)
    assert counts is not None, last
    applied, kept, back = map(int, counts.groups())
    assert applied == kept + back
    assert kept >= 1
    assert (tmp_path / "loop" / "day.svg").exists()
    for event in ("a link fails", "load grows", "a queue is misconfigured"):
        assert event in done.stdout


OWNER = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # background jobs of a shell ignore it
from pathlib import Path
from nettwin.physical.network import Opening
from nettwin.physical.registry import NETWORKS
from nettwin.scenario.generate import generate
plan = generate("ring", nodes=4, load=0.5, capacity_bps=1e6)
network = NETWORKS["linux"].open(Opening(Path(sys.argv[1]), plan, {}))
print("open", network._host.pid, flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_nothing_outlives_the_process_that_opened_it(tmp_path: Path, how: signal.Signals) -> None:
    devices, mounts = os.listdir("/sys/class/net"), Path("/proc/mounts").read_text()
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        stderr=subprocess.DEVNULL,
    )
    assert owner.stdout is not None
    word, pid = owner.stdout.readline().split()
    assert word == "open"
    within = children(int(pid))
    assert len(within) >= 2 * 4 + 1  # zebra and ospfd a router, and the host
    assert os.listdir("/sys/class/net") == devices
    owner.send_signal(how)
    owner.wait(10)
    owner.stdout.close()
    limit = time.monotonic() + 10
    while time.monotonic() < limit and any(map(alive, [int(pid), *within])):
        time.sleep(0.05)
    assert not [one for one in [int(pid), *within] if alive(one)]
    assert os.listdir("/sys/class/net") == devices
    assert Path("/proc/mounts").read_text() == mounts


def children(pid: int) -> list[int]:
    """Every process below one."""
    parent = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent[int(path.parent.name)] = int(path.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    found = [pid]
    for one in found:
        found += [child for child, its in parent.items() if its == one]
    return found[1:]


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def test_a_network_that_ended_says_so(tmp_path: Path) -> None:
    network = opened(tmp_path)
    os.kill(network._host.pid, signal.SIGKILL)  # type: ignore[attr-defined]
    with pytest.raises(NetworkError, match=r"have ended.*Open the network again"):
        network.observe()
    network.close()


def test_the_emulation_finds_the_delays_of_a_fast_network() -> None:
    """Of a network of 1 Gbit/s, in slow motion, with propagation."""
    plan = generate("ring", nodes=4, load=0.6, capacity_bps=1e9)
    model = Emulation(seconds=8.0)
    assert isinstance(model, NetworkModel)
    assert model.unsupported(plan) == []
    (measured,) = model.predict([plan])
    (true,) = PacketSimulator(jobs=1, precision=0.02).predict([plan])
    assert measured.flow["owd_mean_s"] == pytest.approx(true.flow["owd_mean_s"], rel=0.1)
    assert measured.link["utilization"] == pytest.approx(true.link["utilization"], abs=0.06)
    wfq = generate("ring", nodes=4, load=0.6, classes="three", scheduler="wfq")
    assert "not wfq" in model.unsupported(wfq)[0]
    with pytest.raises(UnsupportedError, match="not wfq"):
        model.predict([wfq])
