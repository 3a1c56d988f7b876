"""Arrival curves: a flow sends at most burst + rate t bits in any t seconds (a token bucket).

Packets come whole: a packet counts at the moment when its last bit has arrived. Cruz, A calculus
for network delay, IEEE Trans. Information Theory 37, 1991.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nettwin.scenario.arrivals import CBR, ArrivalProcess, OnOff, Trace
from nettwin.scenario.packet_sizes import PacketSize
from nettwin.scenario.traffic import Traffic

Floats = NDArray[np.float64]


class ArrivalCurves(NamedTuple):
    """What each flow sends at most. Arrays are [flows]."""

    rate_bps: Floats  # 0: it sends nothing
    burst_bits: Floats  # infinite where nothing limits how much may come at once
    largest_bits: Floats  # packet; infinite where the sizes have no largest
    smallest_bits: Floats


def arrival_curves(traffic: Traffic) -> ArrivalCurves:
    """The arrival curves of all flows.

    Finite are CBR, on-off with equal gaps that does not begin each burst with a packet, and traces;
    Poisson, MMPP and the others may send any number of packets in any time.
    """
    count = traffic.flow_count
    curves = ArrivalCurves(*(np.zeros(count) for _ in ArrivalCurves._fields))
    kinds = np.stack([traffic.flow_size, traffic.flow_arrival], axis=1)
    pairs, which = np.unique(kinds, axis=0, return_inverse=True)
    for k, (s, a) in enumerate(pairs.tolist()):
        mine = np.flatnonzero(which.ravel() == k)
        size, arrival = traffic.sizes[s], traffic.arrivals[a]
        rate, burst = _curve(arrival, size, traffic.flow_rate_bps[mine])
        low, high = size.min_bits, size.max_bits
        if isinstance(arrival, Trace) and arrival.sizes_bits.size:
            low, high = float(arrival.sizes_bits.min()), float(arrival.sizes_bits.max())
        sends = traffic.flow_rate_bps[mine] > 0
        for column, values in zip(curves, (rate, burst, high, low), strict=True):
            column[mine] = np.where(sends, values, 0.0)
    return curves


def _curve(
    arrival: ArrivalProcess, size: PacketSize, rate_bps: Floats
) -> tuple[Floats, Floats | float]:
    """Rate and burst of flows of one kind, by their mean rates. [flows]"""
    largest = size.max_bits
    if not math.isfinite(largest):
        return rate_bps, math.inf
    most = rate_bps * (largest / size.mean_bits)  # if every packet were of the largest size
    if isinstance(arrival, CBR):
        return most, largest
    if isinstance(arrival, OnOff) and arrival.regular and not arrival.starts_with_packet:
        packets = (arrival.on_s + arrival.off_s) * rate_bps / size.mean_bits  # of a cycle, mean
        with np.errstate(divide="ignore"):
            # the gap that gives the mean rate, where each burst begins with a gap
            gap_s = arrival.on_s * np.log1p(1.0 / packets)
        return largest / gap_s, np.where(packets >= 1.0, largest, math.inf)
    if isinstance(arrival, Trace):
        bits = arrival.sizes_bits if arrival.sizes_bits.size else None
        sizes = np.full(arrival.times_s.size, largest) if bits is None else bits
        own = float(sizes.sum()) / arrival.period_s
        stretched = rate_bps * (own / arrival.rate_bps(size.mean_bits))
        rate = stretched if arrival.stretch else np.full(len(rate_bps), own)
        return rate, _burst_of_trace(arrival, sizes)
    return most, math.inf


def _burst_of_trace(trace: Trace, sizes_bits: Floats) -> float:
    """The least burst with which a trace, repeated for ever, keeps to its mean rate."""
    period, total = trace.period_s, float(sizes_bits.sum())
    times = np.concatenate([trace.times_s, trace.times_s + period])
    come = np.cumsum(np.concatenate([sizes_bits, sizes_bits])) - total / period * times
    before = come - np.concatenate([sizes_bits, sizes_bits])
    return float((come - np.minimum.accumulate(before)).max())
