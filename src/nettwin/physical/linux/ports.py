"""Ports: schedulers as queueing disciplines of Linux, set and read back.

A port is an HTB with a small bucket at the link's capacity, which is the accurate shaper of
Linux: a packet leaves as soon as the one before it has been paid for, when a plain link would begin
to send it. The delay leaves out the packet's own serialization, which the receiver adds. One class
below it for each queue: with priorities of its own (strict priority) or with quanta (deficit round
robin). What no filter knows (routing, neighbor discovery) passes unshaped.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from nettwin.physical.linux.addresses import tos
from nettwin.physical.linux.namespaces import Namespace
from nettwin.physical.linux.tables import Tables
from nettwin.scenario.scheduling import Queue, Scheduler, room_bits

# What a bucket holds: less than a timer of the kernel is late. Packets that find it full leave so
# much too early, 64 bytes of a link of 10 Mbit/s.
BURST_S = 50e-6
ROOT, WHOLE, FIRST_LEAF = 0x10000, 0x10001, 0x10010
MIN_RATE_BPS = 64  # of a class that has only what the others leave
QUANTUM_BYTES = 1514
MAX_QUEUES = 8  # priorities that HTB has
ETH_IP, ETH_IPV6 = 0x0800, 0x86DD
NO_LIMIT = 1_000_000  # packets
POLICIES = ("fifo", "sp", "drr")


@dataclass(frozen=True)
class Leaf:
    """A queue as the kernel has it."""

    priority: int
    quantum_bytes: int
    discipline: str  # pfifo or bfifo
    limit: int  # packets or bytes


@dataclass(frozen=True)
class Port:
    """A port as the kernel has it; `class_queue[c]` is the queue of traffic class c."""

    capacity_bps: int
    leaves: tuple[Leaf, ...]
    class_queue: tuple[int, ...]


def refusal(scheduler: Scheduler) -> str:
    """Why a scheduler cannot be had on these ports; empty where it can."""
    if scheduler.policy not in POLICIES:
        return f"ports of Linux have {', '.join(POLICIES)}, not {scheduler.policy}"
    if len(scheduler.queues) > MAX_QUEUES:
        return f"ports of Linux have at most {MAX_QUEUES} queues, not {len(scheduler.queues)}"
    if scheduler.burst_bits is not None:
        return "ports of Linux stand for plain links here: leave burst_bits out"
    if scheduler.buffer_counts_service:
        return "buffers of Linux do not count the packet in transmission"
    for queue in scheduler.queues:
        if math.isfinite(queue.buffer_packets) and (
            math.isfinite(queue.buffer_bits) or math.isfinite(queue.buffer_s)
        ):
            return "a queue of Linux is limited in packets or in bits, not in both"
        if scheduler.policy == "drr" and queue.quantum_bits % 8:
            return f"a quantum is whole bytes, not {queue.quantum_bits:g} bit"
    return ""


def port_of(scheduler: Scheduler, capacity_bps: float, classes: tuple[str, ...]) -> Port:
    """What the kernel is told for a scheduler."""
    several = len(scheduler.queues) > 1
    leaves = []
    for i, queue in enumerate(scheduler.queues):
        quantum = round(queue.quantum_bits / 8) if scheduler.policy == "drr" else QUANTUM_BYTES
        priority = i if several and scheduler.policy == "sp" else 0
        if math.isfinite(queue.buffer_packets):
            leaves.append(Leaf(priority, quantum, "pfifo", int(queue.buffer_packets)))
            continue
        bits = _room_bits(queue, capacity_bps)
        leaves.append(
            Leaf(priority, quantum, "bfifo", round(bits / 8))
            if math.isfinite(bits)
            else Leaf(priority, quantum, "pfifo", NO_LIMIT)
        )
    return Port(round(capacity_bps), tuple(leaves), tuple(map(scheduler.queue_of, classes)))


def scheduler_of(port: Port, classes: tuple[str, ...]) -> Scheduler:
    """The scheduler that a port works as, where nobody remembers which one was meant."""
    queues = tuple(
        Queue(
            **(
                {"buffer_packets": math.inf if leaf.limit == NO_LIMIT else float(leaf.limit)}
                if leaf.discipline == "pfifo"
                else {"buffer_bits": 8.0 * leaf.limit}
            ),
            quantum_bits=8.0 * leaf.quantum_bytes,
        )
        for leaf in port.leaves
    )
    several = len(queues) > 1
    strict = len({leaf.priority for leaf in port.leaves}) > 1
    policy = ("sp" if strict else "drr") if several else "fifo"
    mapped = dict(zip(classes, port.class_queue, strict=True)) if several else {}
    return Scheduler(policy, queues, mapped)


def set_port(namespace: Namespace, device: str, port: Port) -> None:
    """Make a port anew; packets that wait in it are lost."""
    tc, index = namespace.netlink.tc, namespace.index(device)
    if any(q.get_attr("TCA_KIND") == "htb" for q in namespace.netlink.get_qdiscs(index)):
        tc("del", "htb", index, handle=ROOT, root=True)
    tc("add", "htb", index, handle=ROOT, default=0)
    rate = f"{port.capacity_bps}bit"
    burst_bytes = max(round(port.capacity_bps * BURST_S / 8), 1)
    shared: dict[str, Any] = {"burst": burst_bytes, "cburst": burst_bytes}
    several = len(port.leaves) > 1
    if several:
        tc("add-class", "htb", index, WHOLE, parent=ROOT, rate=rate, ceil=rate, **shared)
    for i, leaf in enumerate(port.leaves):
        tc(
            "add-class",
            "htb",
            index,
            FIRST_LEAF + i,
            parent=WHOLE if several else ROOT,
            rate=f"{MIN_RATE_BPS}bit" if several else rate,
            ceil=rate,
            prio=leaf.priority,
            quantum=leaf.quantum_bytes,
            **shared,
        )
        tc(
            "add",
            leaf.discipline,
            index,
            handle=(0x100 + i) << 16,
            parent=FIRST_LEAF + i,
            limit=leaf.limit,
        )
    for c, queue in enumerate(port.class_queue):
        for protocol, key in (
            (ETH_IP, f"0x{tos(c):04x}/0x00fc+0"),
            (ETH_IPV6, f"0x{c + 1:04x}/0x00ff+38"),  # the last byte of the segment
        ):
            tc(
                "add-filter",
                "u32",
                index,
                parent=ROOT,
                prio=1 + c if protocol == ETH_IP else 1 + len(port.class_queue) + c,
                protocol=protocol,
                target=FIRST_LEAF + queue,
                keys=[key],
            )


def read_ports(namespace: Namespace, devices: Sequence[str], classes: int) -> list[Port | None]:
    """The ports of a router as the kernel has them; None for one that is not shaped."""
    disciplines = namespace.tables.disciplines()
    return [
        _port(namespace.tables, namespace.index(device), disciplines, classes) for device in devices
    ]


def _port(
    tables: Tables, index: int, disciplines: dict[tuple[int, int], tuple[str, int]], classes: int
) -> Port | None:
    capacity = 0
    leaves: dict[int, Leaf] = {}
    for one in tables.classes(index):
        capacity = max(capacity, 8 * one.ceiling_bytes)
        if one.handle >= FIRST_LEAF and (index, one.handle) in disciplines:
            kind, limit = disciplines[index, one.handle]
            leaves[one.handle] = Leaf(one.priority, one.quantum_bytes, kind, limit)
    if not leaves:
        return None
    queue_of = dict.fromkeys(range(classes), -1)
    for found in tables.filters(index, ROOT):
        if found.preference <= classes:
            queue_of[found.preference - 1] = found.target - FIRST_LEAF
    ordered = tuple(leaves[handle] for handle in sorted(leaves))
    return Port(capacity, ordered, tuple(queue_of[c] for c in range(classes)))


def counters(namespace: Namespace, device: str) -> list[tuple[int, int, int]]:
    """Bytes and packets sent, and packets dropped, of each queue of a port since it was made."""
    found = namespace.tables.classes(namespace.index(device))
    return [
        (one.bytes, one.packets, one.drops) for one in sorted(found) if one.handle >= FIRST_LEAF
    ]


def _room_bits(queue: Queue, capacity_bps: float) -> float:
    import numpy as np

    one = np.array([queue.buffer_bits]), np.array([queue.buffer_s]), np.array([capacity_bps])
    return float(room_bits(*one)[0])
