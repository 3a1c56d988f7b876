"""The simulator's memory: one record a link, queue, packet, flow, node and source.

Records fill whole cache lines, so that an event touches few of them. Indices are unsigned, which
spares the compiled code the test for a negative one; packet 0 and queue 0 stand for "none" (packet
0 arrives never).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

FIFO, SP, WFQ, DRR, LSF = range(5)
POISSON, CBR, ONOFF, MMPP, AUTOCORRELATED, TRACE, TRUNCATED = range(7)
FIXED, UNIFORM, TWO_POINT, DISCRETE, EXPONENTIAL, RECORDED = range(6)

LINE_BYTES = 64
NEVER = np.inf
UNLIMITED_PACKETS = np.int64(1) << 62


def _record(itemsize: int, **fields: str) -> np.dtype[np.void]:
    return np.dtype({"names": list(fields), "formats": list(fields.values()), "itemsize": itemsize})


SHAPED, DOWN, COUNTS_SERVICE = 1, 2, 4  # bits of a link's mode

LINK = _record(
    128,
    seconds_per_bit="f8",
    delay_s="f8",
    free_at="f8",  # when the packet in service is done
    serving_bits="f8",
    serving="u4",  # queue of the packet in service
    pipe_head="u4",  # packets in service or on the wire, in order
    pipe_tail="u4",
    waiting="u4",  # packets in all its queues
    policy="u4",
    first_queue="u4",
    mode="u4",
    queue_count="u4",
    # DRR: queues that hold packets, in turn, and whether the first has had its quantum
    active_head="u4",
    active_tail="u4",
    credited="i4",
    # WFQ: the fluid reference
    virtual="f8",
    virtual_at="f8",
    # token bucket
    burst_bits="f8",
    bucket_full_at="f8",
)
QUEUE = _record(
    192,
    link="u4",
    head="u4",
    tail="u4",
    count="u4",
    limit_packets="i8",
    limit_bits="f8",
    bits="f8",
    arrivals="i8",
    drops="i8",
    max_packets="i8",
    served_bits="f8",  # next line of the cache
    served_bits2="f8",
    max_bits="f8",
    max_bits_system="f8",  # with the packet in service
    wait="f8",  # packets times seconds of waiting, of packets served
    wait_bits="f8",  # bits times seconds of waiting, of packets served
    share="f8",  # WFQ or LSF weight, DRR quantum in bits
    mark="f8",  # WFQ: finish tag of the last packet; DRR: deficit in bits
    next_active="u4",
    fluid="i4",  # WFQ: backlogged in the fluid reference
)
PACKET = _record(
    64,
    born="f8",
    bits="f8",
    time="f8",  # while waiting: since when; then: arrival at the far end
    mark="f8",  # WFQ finish tag
    flow="u4",
    hop="u4",  # where in `hops` the queue after the next one stands
    queue="u4",  # next queue, 0: at its target
    next="u4",
)
FLOW = _record(
    128,
    base_s="f8",  # delay of its smallest packet in an empty network
    delivered="i8",
    sum="f8",  # of delay above base_s
    sum2="f8",
    min="f8",
    max="f8",
    bits="f8",
    units_per_s="f8",  # one over the unit of its histogram
    sent="i8",
    dropped="i8",
    path_count="u4",
    path_first="u4",
    first_hop="u4",  # where its path begins in `hops`, if it is the only one
    size_kind="i4",
    size_count="i4",
    size_a="f8",
    size_b="f8",
    size_p="f8",
)
NODE = _record(
    64,
    tree="u8",
    tree_size="u8",
    source_first="u8",  # source of leaf 1; leaf 0 is the sum of the Poisson flows
    poisson_gap_s="f8",
    poisson_next_s="f8",
    alias_first="u8",
    alias_count="u8",
)
SOURCE = _record(
    128,
    flow="u4",
    kind="i4",
    high="i4",
    leads="i4",  # each on period begins with a packet
    regular="i4",
    position="u4",
    trace_first="u8",
    trace_count="u8",
    gap_s="f8",
    gap_low_s="f8",
    high_s="f8",
    low_s="f8",
    phase_end="f8",
    memory="f8",
    gauss="f8",
    next_s="f8",
    origin="f8",
    period="f8",
)

ALIAS = _record(16, chance="f8", flow="u4", other="u4")

# Places in `State.counters`
FREE, LIVE, HOPS, EMISSIONS, PAGES = range(5)


class State(NamedTuple):
    """Everything the compiled code works on; arrays only."""

    links: NDArray[Any]  # [links] LINK
    queues: NDArray[Any]  # [1 + queues] QUEUE
    packets: NDArray[Any]  # [1 + pool] PACKET
    flows: NDArray[Any]  # [flows] FLOW
    nodes: NDArray[Any]  # [nodes] NODE
    sources: NDArray[Any]  # [sources] SOURCE
    event_keys: NDArray[np.uint64]  # tournament of links, then nodes
    source_keys: NDArray[np.uint64]  # one tournament a node
    alias: NDArray[Any]  # [Poisson flows, by node] ALIAS
    hops: NDArray[np.uint32]  # queues of every path, each ended by 0
    path_hop: NDArray[np.uint32]  # [paths] where in `hops` a path begins
    path_share: NDArray[np.float64]  # [paths] cumulative inside a flow
    sizes_bits: NDArray[np.float64]  # alias tables of discrete sizes
    sizes_chance: NDArray[np.float64]
    sizes_other: NDArray[np.uint64]
    trace_times: NDArray[np.float64]
    trace_bits: NDArray[np.float64]
    histogram: NDArray[np.uint32]  # [flows * ROW]
    pages: NDArray[np.uint32]  # [pages * PAGE] of the histograms; page 0 is nobody's
    page_of: NDArray[np.uint32]  # [flows * PAGES_A_FLOW] 0: none
    counters: NDArray[np.uint64]  # [5]
    clock: NDArray[np.float64]  # [1] s
    rng: NDArray[np.uint64]  # [4]


def records(dtype: np.dtype[np.void], count: int) -> NDArray[Any]:
    """Zeroed records that begin at a cache line."""
    raw = np.zeros(count * dtype.itemsize + LINE_BYTES, np.uint8)
    skip = -raw.ctypes.data % LINE_BYTES
    return raw[skip : skip + count * dtype.itemsize].view(dtype)


def packet_pool(count: int) -> NDArray[Any]:
    """A pool of free packets; the first is the sentinel."""
    pool = records(PACKET, count)
    pool["next"][1:-1] = np.arange(2, count)
    pool["time"][0] = NEVER
    return pool


def grown(state: State) -> State:
    """A copy of the state with room for twice the packets."""
    old = len(state.packets)
    pool = records(PACKET, 2 * old)
    pool[:old] = state.packets
    pool["next"][old:-1] = np.arange(old + 1, 2 * old)
    pool["next"][-1] = state.counters[FREE]
    state.counters[FREE] = old
    return state._replace(packets=pool)
