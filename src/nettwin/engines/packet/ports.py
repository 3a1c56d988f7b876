"""Output ports: admission, the choice of the next packet, and transmission.

Decisions are lazy. A port that became free at c must choose among what had arrived by c; that can
wait until something else happens to the port, because nobody sees the choice before: `catch_up`
makes all choices due. So a packet costs one event a hop under every policy. Chosen packets stand in
the link's pipe, which is in order of arrival at the far end: propagation delay is constant.
"""

from __future__ import annotations

import numpy as np

from nettwin.engines.packet.compiled import inlined
from nettwin.engines.packet.layout import COUNTS_SERVICE, DOWN, DRR, LSF, SHAPED, SP, WFQ
from nettwin.engines.packet.tournament import ONE

REFUSED, WAITS, FOLLOWS, LEADS = range(4)  # what `offer` answers


@inlined
def transmit(link, queue, packets, p, packet, start):  # type: ignore[no-untyped-def]
    """Begin service of a packet at `start`; says whether it leads the pipe or follows others."""
    bits = packet.bits
    service = bits * link.seconds_per_bit
    if link.mode & SHAPED:
        # A token bucket, as a theoretical arrival time (ITU-T I.371): conforming packets leave
        # without serialization; `bucket_full_at` is when the bucket would be full again.
        done = max(start, link.bucket_full_at - (link.burst_bits - bits) * link.seconds_per_bit)
        link.bucket_full_at = max(link.bucket_full_at, done) + service
        queue.wait += done - start  # it waits for tokens
        queue.wait_bits += (done - start) * bits
    else:
        done = start + service
    queue.served_bits += bits
    queue.served_bits2 += bits * bits
    link.free_at = done
    link.serving_bits = bits
    packet.time = done + link.delay_s
    packet.next = 0
    tail = link.pipe_tail
    link.pipe_tail = p
    if link.pipe_head == 0:
        link.pipe_head = p
        return LEADS
    packets[tail].next = p
    return FOLLOWS


@inlined
def _urgent(link, queues):  # type: ignore[no-untyped-def]
    """Strict priority: the first queue that holds a packet."""
    q = np.uint64(link.first_queue)
    while queues[q].count == 0:
        q += ONE
    return q


@inlined
def _least_mark(link, queues, packets):  # type: ignore[no-untyped-def]
    """WFQ: the queue whose first packet finishes first in the fluid reference."""
    best, chosen = np.inf, np.uint64(link.first_queue)
    for q in range(np.uint64(link.first_queue), link.first_queue + np.uint64(link.queue_count)):
        if queues[q].count > 0:
            mark = packets[queues[q].head].mark
            if mark < best:
                best, chosen = mark, q
    return chosen


@inlined
def _least_served(link, queues):  # type: ignore[no-untyped-def]
    """LSF: of the queues that hold packets, the one that has sent least for its weight."""
    best, chosen = np.inf, np.uint64(link.first_queue)
    for q in range(np.uint64(link.first_queue), link.first_queue + np.uint64(link.queue_count)):
        if queues[q].count > 0:
            sent = queues[q].served_bits / queues[q].share
            if sent < best:
                best, chosen = sent, q
    return chosen


@inlined
def _in_turn(link, queues, packets):  # type: ignore[no-untyped-def]
    """Deficit round robin with the active list of Shreedhar and Varghese."""
    while True:
        q = np.uint64(link.active_head)
        queue = queues[q]
        if link.credited == 0:
            queue.mark += queue.share
            link.credited = 1
        bits = packets[queue.head].bits
        if bits <= queue.mark:
            queue.mark -= bits
            if queue.count == 1:  # its last packet: it leaves the list and loses its allowance
                queue.mark = 0.0
                link.active_head = queue.next_active
                link.credited = 0
            return q
        link.credited = 0
        if queue.next_active > 0:
            link.active_head = queue.next_active
            queues[link.active_tail].next_active = q
            link.active_tail = q
            queue.next_active = 0


@inlined
def catch_up(link, queues, packets, now):  # type: ignore[no-untyped-def]
    """Make every choice that the port had to make up to `now`, then nothing is due."""
    while link.waiting > 0 and link.free_at <= now:
        policy = link.policy
        q = np.uint64(link.first_queue)
        if policy == SP:
            q = _urgent(link, queues)
        elif policy == WFQ:
            q = _least_mark(link, queues, packets)
        elif policy == LSF:
            q = _least_served(link, queues)
        elif policy == DRR:
            q = _in_turn(link, queues, packets)
        queue = queues[q]
        p = np.uint64(queue.head)
        packet = packets[p]
        queue.head = packet.next
        queue.count -= 1
        queue.bits -= packet.bits
        link.waiting -= 1
        link.serving = q
        start = link.free_at
        wait = start - packet.time
        queue.wait += wait
        queue.wait_bits += wait * packet.bits
        transmit(link, queue, packets, p, packet, start)


@inlined
def _fluid_to(link, queues, now):  # type: ignore[no-untyped-def]
    """Bring the virtual time of generalized processor sharing to `now` (Parekh, Gallager, 1993)."""
    left = now - link.virtual_at
    link.virtual_at = now
    first, end = np.uint64(link.first_queue), link.first_queue + np.uint64(link.queue_count)
    while True:
        weight, mark, q = 0.0, np.inf, np.uint64(0)
        for j in range(first, end):
            if queues[j].fluid:
                weight += queues[j].share
                if queues[j].mark < mark:
                    mark, q = queues[j].mark, j
        if q == 0:
            return
        pace = weight * link.seconds_per_bit  # seconds of real time a unit of virtual time
        need = (mark - link.virtual) * pace
        if need > left:
            link.virtual += left / pace
            return
        left -= need
        link.virtual = mark
        queues[q].fluid = 0


@inlined
def _tag(link, queues, queue, packet, idle, now):  # type: ignore[no-untyped-def]
    """WFQ: give an admitted packet its finish tag."""
    if idle:
        link.virtual, link.virtual_at = 0.0, now
        for q in range(np.uint64(link.first_queue), link.first_queue + np.uint64(link.queue_count)):
            queues[q].fluid = 0
    else:
        _fluid_to(link, queues, now)
    start = queue.mark if queue.fluid else link.virtual
    queue.mark = start + packet.bits / queue.share
    queue.fluid = 1
    packet.mark = queue.mark


@inlined
def offer(link, queues, packets, q, p, now):  # type: ignore[no-untyped-def]
    """A packet arrives at queue `q` of a port: REFUSED, WAITS, or in service (FOLLOWS, LEADS)."""
    if link.waiting > 0:
        catch_up(link, queues, packets, now)
    queue = queues[q]
    packet = packets[p]
    queue.arrivals += 1
    bits = packet.bits
    # An empty pipe is an idle port even if free_at is a hair ahead: the order of events is exact
    # only to the bits of their keys, and nothing would wake a packet that waited here.
    idle = link.waiting == 0 and (link.free_at <= now or link.pipe_head == 0)
    count, held = queue.count, queue.bits
    if link.mode & COUNTS_SERVICE:
        if not idle and link.serving == q:
            count, held = count + 1, held + link.serving_bits
        fits = count < queue.limit_packets and held + bits <= queue.limit_bits
    else:
        fits = idle or (count < queue.limit_packets and held + bits <= queue.limit_bits)
    if not fits or link.mode & DOWN:
        queue.drops += 1
        return REFUSED
    if link.policy == WFQ:
        _tag(link, queues, queue, packet, idle, now)
    if idle:
        link.serving = q
        queue.max_bits_system = max(queue.max_bits_system, bits)
        return transmit(link, queue, packets, p, packet, max(now, link.free_at))
    packet.time = now
    packet.next = 0
    if queue.count == 0:
        queue.head = p
        if link.policy == DRR:
            _activate(link, queues, queue, q)
    else:
        packets[queue.tail].next = p
    queue.tail = p
    queue.count += 1
    queue.bits += bits
    link.waiting += 1
    queue.max_packets = max(queue.max_packets, np.int64(queue.count))
    queue.max_bits = max(queue.max_bits, queue.bits)
    system = queue.bits + (link.serving_bits if link.serving == q else 0.0)
    queue.max_bits_system = max(queue.max_bits_system, system)
    return WAITS


@inlined
def _activate(link, queues, queue, q):  # type: ignore[no-untyped-def]
    """DRR: put a queue at the end of the active list."""
    queue.next_active = 0
    queue.mark = 0.0
    if link.active_head == 0:
        link.active_head = q
        link.credited = 0
    else:
        queues[link.active_tail].next_active = q
    link.active_tail = q
