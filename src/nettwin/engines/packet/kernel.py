"""The event loop: one event a packet and hop, and one a packet sent.

The queue of events is a tournament of links and nodes: of each link the arrival of the first packet
in its pipe, of each node its next packet to send.
"""

from __future__ import annotations

import numpy as np

from nettwin.engines.packet.compiled import compiled
from nettwin.engines.packet.layout import (
    EMISSIONS,
    FREE,
    HOPS,
    LIVE,
    NEVER,
    RECORDED,
)
from nettwin.engines.packet.ports import LEADS, REFUSED, catch_up, offer
from nettwin.engines.packet.random_numbers import exponential, pick, uniform
from nettwin.engines.packet.sources import draw_size, first_time, next_time
from nettwin.engines.packet.tournament import lower, replace

REACHED, PAUSED, POOL_EMPTY = range(3)  # what `advance` answers


@compiled
def _deliver(flow, packet, now, histogram, first, bins, shift):  # type: ignore[no-untyped-def]
    """Count a packet that reached its target."""
    above = now - packet.born - flow.base_s
    flow.delivered += 1
    flow.sum += above
    flow.sum2 += above * above
    flow.min = min(flow.min, above)
    flow.max = max(flow.max, above)
    flow.bits += packet.bits
    # The upper bits of a positive float grow with it and are linear inside each power of 2.
    place = (np.float64(above).view(np.int64) >> shift) - flow.bin_low
    histogram[first + min(max(place, 0), bins - 1)] += np.uint32(1)


@compiled
def advance(state, until, budget):  # type: ignore[no-untyped-def]
    """Run to the time `until`, or for `budget` events; says which: REACHED, PAUSED, POOL_EMPTY."""
    links, queues, packets, flows = state.links, state.queues, state.packets, state.flows
    nodes, sources, hops = state.nodes, state.sources, state.hops
    times, leaves = state.event_times, state.event_leaves
    source_times, source_leaves = state.source_times, state.source_leaves
    rng, counters, histogram = state.rng, state.counters, state.histogram
    link_count = len(links)
    size = len(times) // 2
    shift, bins = state.bin_shift[0], state.bin_shift[1]
    free, live, hop_count, emissions = (
        counters[FREE], counters[LIVE], counters[HOPS], counters[EMISSIONS],
    )  # fmt: skip
    answer = PAUSED
    for _ in range(budget):
        now = times[1]
        if now > until:
            answer = REACHED
            break
        leaf = leaves[1]
        if leaf < link_count:
            link = links[leaf]
            if link.waiting > 0:
                catch_up(link, queues, packets, now)
            p = np.int64(link.pipe_head)
            packet = packets[p]
            link.pipe_head = packet.next
            replace(times, leaves, 0, size, leaf, packets[packet.next].time)
            hop_count += 1
            f = np.int64(packet.flow)
            q = np.int64(packet.queue)
            if q < 0:
                _deliver(flows[f], packet, now, histogram, f * bins, bins, shift)
                packet.next = free
                free = p
                live -= 1
                continue
        else:
            if free == 0:
                answer = POOL_EMPTY
                break
            emissions += 1
            node = nodes[leaf - link_count]
            base = node.tree
            turn = source_leaves[base + 1]
            bits = -1.0
            if turn == 0:
                k = node.alias_first + pick(
                    rng, state.alias_chance, state.alias_other, node.alias_first, node.alias_count
                )
                f = np.int64(state.alias_flow[k])
                after = now + node.poisson_gap_s * exponential(rng)
            else:
                source = sources[node.source_first + turn - 1]
                f = np.int64(source.flow)
                if flows[f].size_kind == RECORDED:
                    bits = state.trace_bits[source.trace_first + source.position]
                after = next_time(rng, source, now, state.trace_times)
            replace(source_times, source_leaves, base, node.tree_size, turn, after)
            replace(times, leaves, 0, size, leaf, source_times[base + 1])
            flow = flows[f]
            flow.sent += 1
            if flow.path_count == 0:
                flow.dropped += 1
                continue
            path = np.int64(flow.path_first)
            if flow.path_count > 1:
                u = uniform(rng)
                last = path + flow.path_count - 1
                while path < last and u >= state.path_share[path]:
                    path += 1
            if bits < 0.0:
                bits = draw_size(rng, flow, state.sizes_bits, state.sizes_chance, state.sizes_other)
            p = free
            packet = packets[p]
            free = np.int64(packet.next)
            live += 1
            packet.born = now
            packet.bits = bits
            packet.flow = f
            packet.hop = state.path_hop[path]
            q = np.int64(hops[packet.hop])
            packet.hop += 1
        # Read the hop after this one now, so that it is at hand when the packet gets there.
        packet.queue = hops[packet.hop]
        packet.hop += 1
        l = np.int64(queues[q].link)
        fate = offer(links[l], queues, packets, q, p, now)
        if fate == LEADS:
            lower(times, leaves, 0, size, l, packet.time)
        elif fate == REFUSED:
            flows[f].dropped += 1
            packet.next = free
            free = p
            live -= 1
    counters[FREE], counters[LIVE], counters[HOPS], counters[EMISSIONS] = (
        free, live, hop_count, emissions,
    )  # fmt: skip
    if answer == REACHED:
        state.clock[0] = until
    else:
        state.clock[0] = times[1]
    return answer


@compiled
def start_sources(state, now):  # type: ignore[no-untyped-def]
    """Draw the first packet of every source after `now` and set the nodes' events."""
    size = len(state.event_times) // 2
    for n in range(len(state.nodes)):
        node = state.nodes[n]
        base, width = node.tree, node.tree_size
        for k in range(width):
            state.source_times[base + width + k] = NEVER
            state.source_leaves[base + width + k] = k
        for k in range(width - 1, 0, -1):
            state.source_times[base + k] = NEVER
            state.source_leaves[base + k] = state.source_leaves[base + 2 * k]
        if node.alias_count > 0:
            first = now + node.poisson_gap_s * exponential(state.rng)
            replace(state.source_times, state.source_leaves, base, width, 0, first)
        end = state.nodes[n + 1].source_first if n + 1 < len(state.nodes) else len(state.sources)
        for s in range(node.source_first, end):
            first = first_time(state.rng, state.sources[s], now, state.trace_times)
            leaf = s - node.source_first + 1
            replace(state.source_times, state.source_leaves, base, width, leaf, first)
        replace(state.event_times, state.event_leaves, 0, size, len(state.links) + n,
                state.source_times[base + 1])  # fmt: skip
