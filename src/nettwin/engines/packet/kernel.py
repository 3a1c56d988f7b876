"""The event loop: one event a packet and hop, and one a packet sent.

The queue of events is a tournament of links and nodes: of each link the arrival of the first packet
in its pipe, of each node its next packet to send.
"""

from __future__ import annotations

import numpy as np

from nettwin.engines.packet.compiled import compiled, inlined
from nettwin.engines.packet.histogram import BINS_AN_OCTAVE, LAST_BIN, PAGE, PAGES_A_FLOW, ROW
from nettwin.engines.packet.layout import (
    DOWN,
    EMISSIONS,
    FREE,
    HOPS,
    LIVE,
    NEVER,
    PAGES,
    RECORDED,
    SHAPED,
)
from nettwin.engines.packet.ports import LEADS, REFUSED, catch_up, offer
from nettwin.engines.packet.random_numbers import exponential, uniform
from nettwin.engines.packet.sources import draw_size, first_time, next_time
from nettwin.engines.packet.tournament import ONE, key_of, lower, replace

REACHED, PAUSED, POOL_EMPTY, PAGES_EMPTY = range(4)  # what `advance` answers
ZERO = np.uint64(0)
BINS = np.uint64(ROW)
MANTISSA = (1 << 52) - 1
EXPONENT_OF_1 = 1023


@inlined
def _bin_of(units):  # type: ignore[no-untyped-def]
    """The bin of a delay, in units above the base: by exponent, and a parabola of the mantissa."""
    bits = np.float64(units + 1.0).view(np.int64)
    octave = (bits >> 52) - EXPONENT_OF_1
    part = np.int64((bits & MANTISSA) | (EXPONENT_OF_1 << 52)).view(np.float64) - 1.0
    return np.int64((octave + part * (4.0 - part) * (1.0 / 3.0)) * BINS_AN_OCTAVE)


@compiled
def _count_far(histograms, page_of, f, place, used):  # type: ignore[no-untyped-def]
    """Count a delay beyond a flow's row; how many pages are given out now."""
    far = min(place, LAST_BIN) - ROW
    entry = f * PAGES_A_FLOW + far // PAGE
    if page_of[entry] == 0:
        page_of[entry] = used
        used += 1
    histograms[np.int64(page_of[entry]) * PAGE + far % PAGE] += np.uint32(1)
    return used


@inlined
def _deliver(flow, packet, now):  # type: ignore[no-untyped-def]
    """Take in a packet that reached its target; the bin of its delay."""
    above = now - packet.born - flow.base_s
    flow.delivered += 1
    flow.sum += above
    flow.sum2 += above * above
    flow.min = min(flow.min, above)
    flow.max = max(flow.max, above)
    flow.bits += packet.bits
    return max(_bin_of(above * flow.units_per_s), 0)


@inlined
def _node_time(node, sources, turn):  # type: ignore[no-untyped-def]
    """When the source of leaf `turn` of a node sends next."""
    if turn == 0:
        return node.poisson_next_s
    return sources[node.source_first + turn - ONE].next_s


@compiled
def advance(state, until, budget):  # type: ignore[no-untyped-def]
    """Run to the time `until`, or for `budget` events; says which: REACHED, PAUSED, or what
    there must be more of before it goes on: POOL_EMPTY, PAGES_EMPTY."""
    links, queues, packets, flows = state.links, state.queues, state.packets, state.flows
    nodes, sources, hops = state.nodes, state.sources, state.hops
    keys, source_keys = state.event_keys, state.source_keys
    rng, counters, histogram, alias = state.rng, state.counters, state.histogram, state.alias
    sizes_bits, sizes_chance, sizes_other = state.sizes_bits, state.sizes_chance, state.sizes_other
    trace_times, trace_bits = state.trace_times, state.trace_bits
    path_hop, path_share = state.path_hop, state.path_share
    link_count = np.uint64(len(links))
    size = np.uint64(len(keys) // 2)
    leaf_bits = size - ONE
    page_limit = len(state.pages) // PAGE
    free, live, hop_count, emissions = (
        counters[FREE],
        counters[LIVE],
        counters[HOPS],
        counters[EMISSIONS],
    )
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
                place = _deliver(flows[f], packet, now)
                packet.next = free
                free = p
                live -= ONE
                if place < ROW:
                    histogram[f * BINS + np.uint64(place)] += np.uint32(1)
                    continue
                used = np.int64(counters[PAGES])
                used = _count_far(state.pages, state.page_of, np.int64(f), place, used)
                counters[PAGES] = np.uint64(used)
                if used == page_limit:
                    answer = PAGES_EMPTY
                    break
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
                u = uniform(rng) * node.alias_count
                k = np.uint64(u)
                entry = alias[node.alias_first + k]
                f = np.uint64(entry.flow if u - k < entry.chance else entry.other)
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
            hop = np.uint64(flow.first_hop)
            if flow.path_count > 1:
                u = uniform(rng)
                path = np.uint64(flow.path_first)
                end = path + np.uint64(flow.path_count) - ONE
                while path < end and u >= path_share[path]:
                    path += ONE
                hop = np.uint64(path_hop[path])
            if bits < 0.0:
                bits = draw_size(rng, flow, sizes_bits, sizes_chance, sizes_other)
            p = free
            packet = packets[p]
            free = np.uint64(packet.next)
            live += ONE
            packet.born = now
            packet.bits = bits
            packet.flow = f
            q = np.uint64(hops[hop])
            packet.hop = hop + ONE
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
        free,
        live,
        hop_count,
        emissions,
    )
    state.clock[0] = (
        until if answer == REACHED else np.uint64(keys[1] & ~leaf_bits).view(np.float64)
    )
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


@inlined
def _unsent(link, over):  # type: ignore[no-untyped-def]
    """Bits of the packet in service that are sent after now, which is `over` before its end."""
    if link.mode & SHAPED:
        return link.serving_bits
    return min(over / link.seconds_per_bit, link.serving_bits)  # the rate may have changed since


@compiled
def settle(state, now, work):  # type: ignore[no-untyped-def]
    """Make the choices due by `now`, and tell of each queue what is under way then.

    `work` [1 + queues, 4] receives: packet seconds and bit seconds waited so far by packets that
    still wait; bits sent only after `now` of what `served_bits` counts, and their packet's bits
    times these bits.
    """
    links, queues, packets = state.links, state.queues, state.packets
    work[:] = 0.0
    for k in range(len(links)):
        link = links[k]
        catch_up(link, queues, packets, now)
        over = link.free_at - now
        if over > 0.0:
            q = link.serving
            if link.mode & SHAPED:
                work[q, 0] -= over
                work[q, 1] -= over * link.serving_bits
            work[q, 2] = _unsent(link, over)
            work[q, 3] = work[q, 2] * link.serving_bits
    for q in range(1, len(queues)):
        p = np.uint64(queues[q].head)
        for _ in range(queues[q].count):
            wait = now - packets[p].time
            work[q, 0] += wait
            work[q, 1] += wait * packets[p].bits
            p = np.uint64(packets[p].next)


@inlined
def _lose(state, p):  # type: ignore[no-untyped-def]
    """Drop a chain of packets."""
    while p > 0:
        packet = state.packets[p]
        following = np.uint64(packet.next)
        state.flows[packet.flow].dropped += 1
        packet.next = state.counters[FREE]
        state.counters[FREE] = p
        state.counters[LIVE] -= ONE
        p = following


@compiled
def fail_link(state, k, now):  # type: ignore[no-untyped-def]
    """Take a link down: what waits there, is being sent or is on the wire is lost."""
    links, queues, packets = state.links, state.queues, state.packets
    link = links[k]
    catch_up(link, queues, packets, now)
    over = link.free_at - now
    if over > 0.0:
        queue = queues[link.serving]
        late = _unsent(link, over)
        queue.served_bits -= late
        queue.served_bits2 -= late * link.serving_bits
        if link.mode & SHAPED:
            queue.wait -= over
            queue.wait_bits -= over * link.serving_bits
    _lose(state, np.uint64(link.pipe_head))
    first = np.uint64(link.first_queue)
    for q in range(first, first + np.uint64(link.queue_count)):
        queue = queues[q]
        p = np.uint64(queue.head)
        for _ in range(queue.count):
            queue.wait += now - packets[p].time
            queue.wait_bits += (now - packets[p].time) * packets[p].bits
            p = np.uint64(packets[p].next)
        if queue.count > 0:
            _lose(state, np.uint64(queue.head))
        queue.drops += np.int64(queue.count)
        queue.count, queue.bits, queue.mark, queue.fluid = 0, 0.0, 0.0, 0
    link.pipe_head, link.waiting, link.active_head, link.credited = 0, 0, 0, 0
    link.free_at = now
    link.mode |= DOWN
    size = np.uint64(len(state.event_keys) // 2)
    replace(state.event_keys, ZERO, size, np.uint64(k), NEVER)
