"""The event loop: one event a packet and hop, and one a packet sent.

The queue of events is a tournament of links and nodes: of each link the arrival of the first packet
in its pipe, of each node its next packet to send.
"""

from __future__ import annotations

import numpy as np

from nettwin.engines.packet.compiled import compiled, inlined
from nettwin.engines.packet.layout import EMISSIONS, FREE, HOPS, LIVE, NEVER, RECORDED
from nettwin.engines.packet.ports import LEADS, REFUSED, catch_up, offer
from nettwin.engines.packet.random_numbers import exponential, pick, uniform
from nettwin.engines.packet.sources import draw_size, first_time, next_time
from nettwin.engines.packet.tournament import ONE, key_of, lower, replace

REACHED, PAUSED, POOL_EMPTY = range(3)  # what `advance` answers
ZERO = np.uint64(0)


@inlined
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
    histogram[first + np.uint64(min(max(place, 0), bins - 1))] += np.uint32(1)


@inlined
def _node_time(node, sources, turn):  # type: ignore[no-untyped-def]
    """When the source of leaf `turn` of a node sends next."""
    if turn == 0:
        return node.poisson_next_s
    return sources[node.source_first + turn - ONE].next_s


@compiled
def advance(state, until, budget):  # type: ignore[no-untyped-def]
    """Run to the time `until`, or for `budget` events; says which: REACHED, PAUSED, POOL_EMPTY."""
    links, queues, packets, flows = state.links, state.queues, state.packets, state.flows
    nodes, sources, hops = state.nodes, state.sources, state.hops
    keys, source_keys = state.event_keys, state.source_keys
    rng, counters, histogram = state.rng, state.counters, state.histogram
    alias_chance, alias_other, alias_flow = state.alias_chance, state.alias_other, state.alias_flow
    sizes_bits, sizes_chance, sizes_other = state.sizes_bits, state.sizes_chance, state.sizes_other
    trace_times, trace_bits = state.trace_times, state.trace_bits
    path_hop, path_share = state.path_hop, state.path_share
    link_count = np.uint64(len(links))
    size = np.uint64(len(keys) // 2)
    leaf_bits = size - ONE
    shift, bins = state.bin_shift[0], state.bin_shift[1]
    row = np.uint64(bins)
    free, live, hop_count, emissions = (
        counters[FREE], counters[LIVE], counters[HOPS], counters[EMISSIONS],
    )  # fmt: skip
    last_key = key_of(until, size, leaf_bits)
    answer = PAUSED
    for _ in range(budget):
        key = keys[1]
        if key > last_key:
            answer = REACHED
            break
        leaf = key & leaf_bits
        if leaf < link_count:
            link = links[leaf]
            p = np.uint64(link.pipe_head)
            packet = packets[p]
            now = packet.time
            if link.waiting > 0:
                catch_up(link, queues, packets, now)
            link.pipe_head = packet.next
            replace(keys, ZERO, size, leaf, packets[packet.next].time)
            hop_count += ONE
            f = np.uint64(packet.flow)
            q = np.uint64(packet.queue)
            if q == 0:
                _deliver(flows[f], packet, now, histogram, f * row, bins, shift)
                packet.next = free
                free = p
                live -= ONE
                continue
        else:
            if free == 0:
                answer = POOL_EMPTY
                break
            emissions += ONE
            node = nodes[leaf - link_count]
            base, width = node.tree, node.tree_size
            turn = source_keys[base + ONE] & (width - ONE)
            bits = -1.0
            if turn == 0:
                now = node.poisson_next_s
                first, count = node.alias_first, node.alias_count
                f = np.uint64(alias_flow[first + pick(rng, alias_chance, alias_other, first, count)])
                after = now + node.poisson_gap_s * exponential(rng)
                node.poisson_next_s = after
            else:
                source = sources[node.source_first + turn - ONE]
                now = source.next_s
                f = np.uint64(source.flow)
                if flows[f].size_kind == RECORDED:
                    bits = trace_bits[source.trace_first + source.position]
                after = next_time(rng, source, now, trace_times)
                source.next_s = after
            replace(source_keys, base, width, turn, after)
            turn = source_keys[base + ONE] & (width - ONE)
            replace(keys, ZERO, size, leaf, _node_time(node, sources, turn))
            flow = flows[f]
            flow.sent += 1
            if flow.path_count == 0:
                flow.dropped += 1
                continue
            path = np.uint64(flow.path_first)
            if flow.path_count > 1:
                u = uniform(rng)
                end = path + np.uint64(flow.path_count) - ONE
                while path < end and u >= path_share[path]:
                    path += ONE
            if bits < 0.0:
                bits = draw_size(rng, flow, sizes_bits, sizes_chance, sizes_other)
            p = free
            packet = packets[p]
            free = np.uint64(packet.next)
            live += ONE
            packet.born = now
            packet.bits = bits
            packet.flow = f
            packet.hop = path_hop[path]
            q = np.uint64(hops[packet.hop])
            packet.hop += ONE
        # Read the hop after this one now, so that it is at hand when the packet gets there.
        packet.queue = hops[packet.hop]
        packet.hop += ONE
        port = np.uint64(queues[q].link)
        fate = offer(links[port], queues, packets, q, p, now)
        if fate == LEADS:
            lower(keys, ZERO, size, port, packet.time)
        elif fate == REFUSED:
            flows[f].dropped += 1
            packet.next = free
            free = p
            live -= ONE
    counters[FREE], counters[LIVE], counters[HOPS], counters[EMISSIONS] = (
        free, live, hop_count, emissions,
    )  # fmt: skip
    state.clock[0] = until if answer == REACHED else np.uint64(keys[1] & ~leaf_bits).view(np.float64)
    return answer


@compiled
def start_sources(state, now):  # type: ignore[no-untyped-def]
    """Draw the first packet of every source after `now` and set the nodes' events."""
    size = np.uint64(len(state.event_keys) // 2)
    for n in range(len(state.nodes)):
        node = state.nodes[n]
        base, width = node.tree, node.tree_size
        for k in range(np.uint64(2) * width):
            state.source_keys[base + np.uint64(k)] = np.float64(NEVER).view(np.uint64)
        if node.alias_count > 0:
            node.poisson_next_s = now + node.poisson_gap_s * exponential(state.rng)
            replace(state.source_keys, base, width, ZERO, node.poisson_next_s)
        else:
            node.poisson_next_s = NEVER
        end = len(state.sources)
        if n + 1 < len(state.nodes):
            end = np.int64(state.nodes[n + 1].source_first)
        for s in range(np.int64(node.source_first), end):
            source = state.sources[s]
            source.next_s = first_time(state.rng, source, now, state.trace_times)
            leaf = np.uint64(s) - node.source_first + ONE
            replace(state.source_keys, base, width, leaf, source.next_s)
        turn = state.source_keys[base + ONE] & (width - ONE)
        leaf = np.uint64(len(state.links) + n)
        replace(state.event_keys, ZERO, size, leaf, _node_time(node, state.sources, turn))
