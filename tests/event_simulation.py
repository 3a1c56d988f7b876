"""A plain event simulation in Python alone: what the packet simulator must agree with.

It shares nothing with the engine but the Scenario: a heap of events, a list a queue, and textbook
rules of the schedulers. Slow (some 200,000 packet-hops a second) and short on purpose.
"""

from __future__ import annotations

import heapq
import itertools
import math
import random
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from nettwin.scenario.arrivals import CBR, MMPP, ArrivalProcess, OnOff, Poisson, Trace
from nettwin.scenario.packet_sizes import Discrete, Exponential, Fixed, PacketSize, Uniform
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.scheduling import Scheduler


@dataclass
class Packet:
    """A packet in the network; `tag` is its finish time in the fluid reference of WFQ."""

    flow: int
    born: float
    bits: float
    hops: tuple[int, ...]  # links
    at: int = 0
    tag: float = 0.0


@dataclass(frozen=True)
class Seen:
    """What was seen of packets sent after the warm-up; of links in the time after it."""

    delays_s: list[NDArray[np.float64]]  # [flows] of each packet delivered
    sent: NDArray[np.int64]  # [flows]
    lost: NDArray[np.int64]  # [flows]
    utilization: NDArray[np.float64]  # [links]

    @property
    def loss_ratio(self) -> NDArray[np.float64]:
        """Lost packets over those whose fate is known. [flows]"""
        return self.lost / (self.lost + np.array([len(d) for d in self.delays_s]))


@dataclass
class Port:
    """An output port: its queues and the rule that chooses among them."""

    scheduler: Scheduler
    capacity_bps: float
    queues: list[deque[Packet]] = field(default_factory=list)
    busy: bool = False
    sending: int = 0  # queue of the packet in service
    sending_bits: float = 0.0
    carried_bits: float = 0.0  # after the warm-up
    sent_bits: list[float] = field(default_factory=list)  # of each queue
    # WFQ: virtual time, when it was that, and each queue's last finish tag
    virtual: float = 0.0
    virtual_at: float = 0.0
    tags: list[float] = field(default_factory=list)
    # DRR
    turns: deque[int] = field(default_factory=deque)
    deficit: list[float] = field(default_factory=list)
    fresh: bool = True  # the first in turn has not had its quantum yet

    def __post_init__(self) -> None:
        count = len(self.scheduler.queues)
        self.queues = [deque() for _ in range(count)]
        self.sent_bits, self.tags, self.deficit = [0.0] * count, [0.0] * count, [0.0] * count

    def admits(self, q: int, bits: float) -> bool:
        """Whether a packet may join queue `q`."""
        waiting = [p.bits for p in self.queues[q]]
        if self.scheduler.buffer_counts_service and self.busy and self.sending == q:
            waiting.append(self.sending_bits)
        elif not self.scheduler.buffer_counts_service and not self.busy:
            return True
        queue = self.scheduler.queues[q]
        return len(waiting) + 1 <= queue.buffer_packets and sum(waiting) + bits <= queue.buffer_bits

    def join(self, q: int, packet: Packet, now: float) -> None:
        """Put an admitted packet into its queue."""
        if self.scheduler.policy == "wfq":
            self._tag(q, packet, now)
        if self.scheduler.policy == "drr" and not self.queues[q]:
            if not self.turns:
                self.fresh = True
            self.turns.append(q)
            self.deficit[q] = 0.0
        self.queues[q].append(packet)

    def _tag(self, q: int, packet: Packet, now: float) -> None:
        weight = [queue.weight for queue in self.scheduler.queues]
        if not self.busy:
            self.virtual, self.tags = 0.0, [0.0] * len(weight)
        else:
            left = now - self.virtual_at
            while left > 0:
                backlogged = [k for k, tag in enumerate(self.tags) if tag > self.virtual]
                if not backlogged:
                    break
                pace = self.capacity_bps / sum(weight[k] for k in backlogged)
                step = min(left, (min(self.tags[k] for k in backlogged) - self.virtual) / pace)
                ends = min(self.tags[k] for k in backlogged)
                self.virtual = ends if step < left else self.virtual + step * pace
                left -= step
        self.virtual_at = now
        packet.tag = self.tags[q] = max(self.virtual, self.tags[q]) + packet.bits / weight[q]

    def take(self) -> tuple[int, Packet]:
        """The packet that is sent next, from which queue."""
        held = [q for q, queue in enumerate(self.queues) if queue]
        policy = self.scheduler.policy
        if policy == "wfq":
            q = min(held, key=lambda k: self.queues[k][0].tag)
        elif policy == "lsf":
            q = min(held, key=lambda k: self.sent_bits[k] / self.scheduler.queues[k].weight)
        elif policy == "drr":
            q = self._in_turn()
        else:
            q = held[0]
        packet = self.queues[q].popleft()
        self.sent_bits[q] += packet.bits
        self.sending, self.sending_bits = q, packet.bits
        return q, packet

    def _in_turn(self) -> int:
        while True:
            q = self.turns[0]
            if self.fresh:
                self.deficit[q] += self.scheduler.queues[q].quantum_bits
                self.fresh = False
            bits = self.queues[q][0].bits
            if bits <= self.deficit[q]:
                self.deficit[q] -= bits
                if len(self.queues[q]) == 1:
                    self.turns.popleft()
                    self.fresh = True
                return q
            self.turns.rotate(-1)
            self.fresh = True


def simulate(scenario: Scenario, until_s: float, *, warmup_s: float = 0.0, seed: int = 1) -> Seen:
    """Simulate from an empty network to `until_s`, and until all packets have arrived."""
    topology, traffic = scenario.topology, scenario.traffic
    ports = [
        Port(topology.schedulers[k], float(capacity))
        for k, capacity in zip(topology.link_scheduler, topology.link_capacity_bps, strict=True)
    ]
    queue_of = [[p.scheduler.queue_of(name) for name in traffic.class_name] for p in ports]
    delay = topology.link_delay_s.tolist()
    classes = traffic.flow_class.tolist()
    paths = [_paths(scenario, f) for f in range(traffic.flow_count)]
    draws = random.Random(seed)
    sources = [
        packets_of(scenario, f, random.Random(seed * 1_000_003 + f))
        for f in range(traffic.flow_count)
    ]
    order = itertools.count()
    events: list[tuple[float, int, int, Packet | None]] = []  # time, order, port or -1 - flow

    delays: list[list[float]] = [[] for _ in paths]
    sent, lost = np.zeros(len(paths), np.int64), np.zeros(len(paths), np.int64)

    def begin(k: int, now: float) -> None:
        port = ports[k]
        _, packet = port.take()
        done = now + packet.bits / port.capacity_bps
        inside = min(done, until_s) - max(now, warmup_s)
        port.carried_bits += max(inside, 0.0) * port.capacity_bps
        heapq.heappush(events, (done, next(order), k, packet))

    def arrive(packet: Packet, now: float) -> None:
        if packet.at == len(packet.hops):
            if packet.born >= warmup_s:
                delays[packet.flow].append(now - packet.born)
            return
        k = packet.hops[packet.at]
        port, q = ports[k], queue_of[k][classes[packet.flow]]
        if not port.admits(q, packet.bits):
            lost[packet.flow] += packet.born >= warmup_s
            return
        packet.at += 1
        port.join(q, packet, now)
        if not port.busy:
            port.busy = True
            begin(k, now)

    def send(f: int) -> None:
        time, bits = next(sources[f], (math.inf, 0.0))
        if time < until_s:
            shares, candidates = paths[f]
            hops = draws.choices(candidates, shares)[0] if len(candidates) > 1 else candidates[0]
            packet = Packet(f, time, bits, hops)
            heapq.heappush(events, (time, next(order), -1 - f, packet))

    for f, (_, found) in enumerate(paths):
        if found:
            send(f)
    ports_count = len(ports)
    while events:
        now, _, what, packet = heapq.heappop(events)
        assert packet is not None
        if what >= ports_count:  # at the far end of a link
            arrive(packet, now)
        elif what >= 0:  # sent whole
            port = ports[what]
            heapq.heappush(events, (now + delay[what], next(order), ports_count, packet))
            port.busy = any(port.queues)
            if port.busy:
                begin(what, now)
        else:
            sent[packet.flow] += now >= warmup_s
            send(packet.flow)
            arrive(packet, now)
    room = (until_s - warmup_s) * topology.link_capacity_bps
    carried = np.array([port.carried_bits for port in ports])
    return Seen([np.array(d) for d in delays], sent, lost, carried / room)


def _paths(scenario: Scenario, f: int) -> tuple[list[float], list[tuple[int, ...]]]:
    """A flow's shares and paths."""
    found = scenario.paths
    mine = range(int(found.flow_offset[f]), int(found.flow_offset[f + 1]))
    hops = [
        tuple(found.links[found.link_offset[p] : found.link_offset[p + 1]].tolist()) for p in mine
    ]
    return [float(found.share[p]) for p in mine], hops


def packets_of(scenario: Scenario, f: int, draws: random.Random) -> Iterator[tuple[float, float]]:
    """Times and sizes of a flow's packets, for ever."""
    traffic = scenario.traffic
    rate = float(traffic.flow_packet_rate_pps[f])
    if rate == 0:
        return
    arrival = traffic.arrivals[traffic.flow_arrival[f]]
    size = traffic.sizes[traffic.flow_size[f]]
    if isinstance(arrival, Trace):
        assert not arrival.stretch and len(arrival.sizes_bits)
        yield from zip(arrival.times_s.tolist(), arrival.sizes_bits.tolist(), strict=True)
        return
    for time in _times(arrival, 1.0 / rate, draws):
        yield time, _size(size, draws)


def _times(arrival: ArrivalProcess, gap: float, draws: random.Random) -> Iterator[float]:
    if isinstance(arrival, CBR):
        phase = draws.random() * gap
        yield from (phase + k * gap for k in itertools.count())
    elif isinstance(arrival, Poisson):
        yield from _modulated([(math.inf, gap)], 0, draws)
    elif isinstance(arrival, OnOff):
        assert not arrival.starts_with_packet and not arrival.regular
        on, off = arrival.on_s, arrival.off_s
        first = draws.random() * (on + off) >= on
        yield from _modulated([(on, gap * on / (on + off)), (off, math.inf)], first, draws)
    elif isinstance(arrival, MMPP):
        high, low, ratio = arrival.high_s, arrival.low_s, arrival.rate_ratio
        slow = gap * (ratio * high + low) / (high + low)
        first = draws.random() * (high + low) >= high
        yield from _modulated([(high, slow / ratio), (low, slow)], first, draws)
    else:
        raise TypeError(f"no rule to make packets of {arrival}")


def _modulated(
    states: list[tuple[float, float]], state: int, draws: random.Random
) -> Iterator[float]:
    """Poisson packets whose gap depends on a state, which lasts exponentially long."""
    now = 0.0
    while True:
        lasts, gap = states[state]
        end = now + (draws.expovariate(1.0 / lasts) if lasts < math.inf else math.inf)
        while gap < math.inf:
            now += draws.expovariate(1.0 / gap)
            if now > end:
                break
            yield now
        now, state = end, (state + 1) % len(states)


def _size(size: PacketSize, draws: random.Random) -> float:
    if isinstance(size, Fixed):
        return size.bits
    if isinstance(size, Exponential):
        return draws.expovariate(1.0 / size.average_bits)
    if isinstance(size, Uniform):
        return draws.uniform(size.low_bits, size.high_bits)
    if isinstance(size, Discrete):
        return draws.choices(size.sizes_bits, size.probabilities)[0]
    raise TypeError(f"no rule to draw packet sizes of {size}")
