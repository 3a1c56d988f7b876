"""Walks: the earliest and the latest that packets of each flow come to each queue.

What came to a queue in some time left its source in that time and the difference between the two:
its burst has grown by the rate times that (Cruz, 1991). A flow that splits may send everything over
one of its paths for a while, so it counts in full on each, and once where its paths meet again.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from nettwin.compiled import compiled

LISTED = 8  # of this many paths on, a flow may have paths that are not listed: all that its links
# can be joined to count (scenario/splits.py)
SHORTEN = 1.0 - 1e-6  # of the least transmission times: keeps bursts strictly growing, and so the
# bounds unique (see delay_bounds)


@compiled
def walk(
    flow_offset: Any,
    link_offset: Any,
    links: Any,
    hop_queue: Any,
    link_source: Any,
    link_target: Any,
    link_delay_s: Any,
    least_s_per_bit: Any,
    rate: Any,
    burst: Any,
    smallest: Any,
    nodes: int,
    queue_delay: Any,
) -> Any:
    """Rate and burst that come to each queue [queues], and the latest arrival of each flow's
    packets at its target [flows], where `queue_delay` is what each queue takes at most."""
    queues = queue_delay.size
    queue_rate, queue_burst = np.zeros(queues), np.zeros(queues)
    arrived = np.zeros(rate.size)
    seen, on_path = np.full(queues, -1, np.int64), np.full(queues, -1, np.int64)
    late, early = np.zeros(queues), np.zeros(queues)
    node_seen = np.full(nodes, -1, np.int64)
    node_late, node_early = np.zeros(nodes), np.zeros(nodes)
    mine = np.empty(queues, np.int64)
    for f in range(rate.size):
        begin, end = flow_offset[f], flow_offset[f + 1]
        if rate[f] <= 0.0 or begin == end:
            continue
        count = 0
        if end - begin < LISTED:
            for p in range(begin, end):
                latest, earliest = 0.0, 0.0
                for h in range(link_offset[p], link_offset[p + 1]):
                    q, e = hop_queue[h], links[h]
                    if on_path[q] == p:  # a path that comes by again brings every packet again
                        queue_rate[q] += rate[f]
                        queue_burst[q] += burst[f] + rate[f] * (latest - earliest)
                    elif seen[q] == f:
                        late[q], early[q] = max(late[q], latest), min(early[q], earliest)
                    else:
                        late[q], early[q] = latest, earliest
                        mine[count] = q
                        count += 1
                    seen[q], on_path[q] = f, p
                    latest += queue_delay[q] + link_delay_s[e]
                    earliest += smallest[f] * least_s_per_bit[e] * SHORTEN + link_delay_s[e]
                arrived[f] = max(arrived[f], latest)
        else:
            begins = link_source[links[link_offset[begin]]]
            target = link_target[links[link_offset[begin + 1] - 1]]
            node_seen[begins], node_late[begins], node_early[begins] = f, 0.0, 0.0
            changed, turn = True, 0
            while changed and turn <= nodes:
                changed = False
                turn += 1
                for h in range(link_offset[begin], link_offset[end]):
                    q, e = hop_queue[h], links[h]
                    u, v = link_source[e], link_target[e]
                    latest = node_late[u] + queue_delay[q] + link_delay_s[e]
                    earliest = node_early[u] + smallest[f] * least_s_per_bit[e] * SHORTEN
                    earliest += link_delay_s[e]
                    if node_seen[v] != f:
                        node_seen[v], node_late[v], node_early[v] = f, latest, earliest
                        changed = True
                    if latest > node_late[v]:
                        node_late[v] = latest
                        changed = True
                    if earliest < node_early[v]:
                        node_early[v] = earliest
                        changed = True
            for h in range(link_offset[begin], link_offset[end]):
                q, u = hop_queue[h], link_source[links[h]]
                if seen[q] != f:
                    seen[q] = f
                    late[q], early[q] = node_late[u], node_early[u]
                    if changed:  # a cycle: it never ends
                        late[q] = np.inf
                    mine[count] = q
                    count += 1
            arrived[f] = np.inf if changed else node_late[target]
        for k in range(count):
            q = mine[k]
            queue_rate[q] += rate[f]
            queue_burst[q] += burst[f] + rate[f] * (late[q] - early[q])
    return queue_rate, queue_burst, arrived
