"""Buffers: packets, bits or time, and the usual one of a queue that is given none."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nettwin.engines.packet.engine import PacketSimulator
from nettwin.engines.theory.engine import Theory
from nettwin.errors import InputError
from nettwin.formats import read, write
from nettwin.scenario.changes import SetCapacity, parse_change
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.scheduling import Queue, Scheduler, buffers_of, fifo, wfq
from nettwin.scenario.topology import Link, Topology
from nettwin.scenario.traffic import Flow, Traffic


def line(capacity_bps: float, scheduler: Scheduler | None = None, load: float = 0.9) -> Scenario:
    link = Link("A", "B", capacity_bps, scheduler=scheduler or Scheduler())
    topology = Topology.build("AB", [link])
    return Scenario(topology, Traffic.build(topology, [Flow("A", "B", load * capacity_bps)]))


def room(scenario: Scenario) -> tuple[float, float]:
    queues = scenario.topology.queues
    return float(queues.buffer_packets[0]), float(queues.buffer_bits[0])


@pytest.mark.parametrize(
    ("capacity_bps", "bits"),
    [(400e9, 4e9), (10e9, 1e8), (100e6, 1e6), (38.4e6, 384e3), (10e6, 384e3), (64e3, 384e3)],
)
def test_the_usual_buffer_follows_the_rate_and_holds_some_packets(
    capacity_bps: float, bits: float
) -> None:
    assert room(line(capacity_bps)) == (math.inf, pytest.approx(bits))


@pytest.mark.parametrize("capacity_bps", [64e3, 1e9, 10e9, 400e9])
def test_the_usual_buffer_invents_no_loss(capacity_bps: float) -> None:
    """Of Poisson packets at 90 %; 32 places would lose 0.4 %."""
    (answer,) = Theory().predict([line(capacity_bps)])
    assert answer.link["loss_ratio"][0] < (1e-3 if capacity_bps < 1e6 else 1e-12)


def test_time_becomes_bits_at_the_rate_of_the_link() -> None:
    scenario = line(1e9, fifo(buffer_s=0.005))
    assert room(scenario) == (math.inf, 5e6)
    assert room(SetCapacity("A->B", 1e8).apply(scenario)) == (math.inf, 5e5)
    both = line(1e9, fifo(100, 1e6, 0.005))
    assert room(both) == (100.0, 1e6)


def test_engines_hold_what_the_time_allows() -> None:
    """An overloaded port whose queue is 2 ms long delays by 2 ms, whatever its rate."""
    scenario = line(1e8, fifo(buffer_s=0.002), load=1.5)
    for model in (Theory(), PacketSimulator(max_packets=300_000)):
        (answer,) = model.predict([scenario])
        assert answer.flow["owd_mean_s"][0] == pytest.approx(0.00208, rel=0.1)


@pytest.mark.parametrize(
    ("text", "packets", "bits"),
    [
        ("64", 64.0, math.inf),
        ("64kB", math.inf, 512e3),
        ("10ms", math.inf, 1e6),
        ("250us", math.inf, 25e3),
        ("unlimited", math.inf, math.inf),
    ],
)
def test_buffers_in_words(text: str, packets: float, bits: float) -> None:
    assert room(line(1e8, Scheduler("fifo", (Queue(**buffers_of(text)),)))) == (packets, bits)
    changed = parse_change(f"set_buffer A->B {text}").apply(line(1e8))
    assert room(changed) == (packets, pytest.approx(bits))


@pytest.mark.parametrize("text", ["-1", "ten", "10 parsecs", "", "nan", "-5ms"])
def test_bad_buffers_are_refused(text: str) -> None:
    with pytest.raises(InputError, match="must be packets, a size, a time or unlimited"):
        buffers_of(text)


def test_a_buffer_said_beside_the_usual_one_replaces_it() -> None:
    assert replace(Queue(), weight=3.0) == Queue(weight=3.0)
    assert replace(Queue(), buffer_packets=5.0) == Queue(5.0)
    assert replace(Queue(5.0), buffer_s=0.1) == Queue(5.0, buffer_s=0.1)
    assert Queue() != Queue(math.inf)


@pytest.mark.parametrize("name", ["x.yaml", "x.json"])
@pytest.mark.parametrize(
    "queue",
    [Queue(), Queue(math.inf), Queue(7.0), Queue(buffer_bits=8e3), Queue(buffer_s=0.025)],
)
def test_buffers_come_back_as_given(queue: Queue, name: str, tmp_path: Path) -> None:
    scheduler = Scheduler("wfq", (queue, replace(queue, weight=2.0)), {"a": 0})
    assert Scheduler.from_dict(scheduler.to_dict()) == scheduler
    scenario = line(1e9, scheduler)
    write(scenario, tmp_path / name)
    assert read(tmp_path / name).scenario.topology.schedulers == (scheduler,)


def test_plans_take_times_and_name_what_they_assume(tmp_path: Path) -> None:
    text = (
        "nettwin: 1\nnodes: [A, B]\nschedulers:\n"
        "  deep: {queues: [{buffer_s: 20ms}]}\n"
        "links:\n  - [A, B, 10G, 1ms, 1, {scheduler: deep}]\n  - [B, A, 10G, 1ms, 1]\nflows: []\n"
    )
    (tmp_path / "x.yaml").write_text(text)
    reading = read(tmp_path / "x.yaml")
    assert reading.scenario.topology.queues.buffer_bits.tolist() == [2e8, 1e8]
    (assumed,) = reading.assumptions
    assert "10.00 ms at the link's rate, or 32 packets of 1500 B" in assumed


def test_shared_schedulers_give_each_link_its_own_room() -> None:
    port = wfq({"a": 1.0, "b": 2.0}, buffer_s=0.01)
    links = [Link("A", "B", 1e9, scheduler=port), Link("B", "A", 1e6, scheduler=port)]
    queues = Topology.build("AB", links).queues
    assert queues.buffer_bits == pytest.approx(np.array([1e7, 1e7, 1e4, 1e4]))
