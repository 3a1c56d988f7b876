"""Traffic sources: when the next packet of a source comes and how large it is.

The Poisson flows of a node are one source: the sum of Poisson processes is Poisson, and the flow of
each packet is drawn in proportion to the rates. Every other flow is a source of its own.
"""

from __future__ import annotations

import math

import numpy as np

from nettwin.engines.packet.compiled import inlined
from nettwin.engines.packet.layout import (
    AUTOCORRELATED,
    CBR,
    DISCRETE,
    EXPONENTIAL,
    FIXED,
    MMPP,
    NEVER,
    ONOFF,
    TRACE,
    TWO_POINT,
    UNIFORM,
)
from nettwin.engines.packet.random_numbers import exponential, normal, pick, uniform
from nettwin.engines.packet.tournament import ONE


@inlined
def draw_size(rng, flow, sizes_bits, chance, other):  # type: ignore[no-untyped-def]
    """The size in bits of a flow's next packet."""
    kind = flow.size_kind
    if kind == FIXED:
        return flow.size_a
    if kind == TWO_POINT:
        return flow.size_a if uniform(rng) < flow.size_p else flow.size_b
    if kind == UNIFORM:
        return flow.size_a + (flow.size_b - flow.size_a) * uniform(rng)
    if kind == DISCRETE:
        first = np.uint64(flow.size_p)
        return sizes_bits[first + pick(rng, chance, other, first, np.uint64(flow.size_count))]
    if kind == EXPONENTIAL:
        return flow.size_a * exponential(rng)
    return flow.size_a


@inlined
def _next_in_bursts(rng, source, now):  # type: ignore[no-untyped-def]
    """On-off: exponential periods; the gap is redrawn or begun anew in each on period."""
    while True:
        gap = source.gap_s if source.regular else source.gap_s * exponential(rng)
        if now + gap <= source.phase_end:
            return now + gap
        now = source.phase_end + source.low_s * exponential(rng)
        source.phase_end = now + source.high_s * exponential(rng)
        if source.leads:
            return now


@inlined
def _next_modulated(rng, source, now):  # type: ignore[no-untyped-def]
    """MMPP: exponential gaps whose mean depends on the state, which changes of its own."""
    while True:
        gap = (source.gap_s if source.high else source.gap_low_s) * exponential(rng)
        if now + gap <= source.phase_end:
            return now + gap
        now = source.phase_end
        source.high = 1 - source.high
        source.phase_end = now + (source.high_s if source.high else source.low_s) * exponential(rng)


@inlined
def _next_remembering(rng, source, now):  # type: ignore[no-untyped-def]
    """Exponential gaps through a Gaussian AR(1) copula."""
    rho = source.memory
    source.gauss = rho * source.gauss + math.sqrt(1.0 - rho * rho) * normal(rng)
    return now - source.gap_s * math.log(
        max(0.5 * math.erfc(source.gauss / math.sqrt(2.0)), 1e-300)
    )


@inlined
def next_time(rng, source, now, trace_times):  # type: ignore[no-untyped-def]
    """When a source that is not Poisson sends after `now`."""
    kind = source.kind
    if kind == CBR:
        return now + source.gap_s
    if kind == ONOFF:
        return _next_in_bursts(rng, source, now)
    if kind == MMPP:
        return _next_modulated(rng, source, now)
    if kind == AUTOCORRELATED:
        return _next_remembering(rng, source, now)
    if kind == TRACE:
        source.position += ONE
        if source.position == source.trace_count:
            source.position = 0
            source.origin += source.period
        return source.origin + source.gap_s * trace_times[source.trace_first + source.position]
    # TRUNCATED: an exponential of mean gap_s, given that it is at most `memory` means long
    return now - source.gap_s * math.log1p(uniform(rng) * math.expm1(-source.memory))


@inlined
def _rest_of_truncated(rng, cut):  # type: ignore[no-untyped-def]
    """What is left, at any moment, of an exponential gap that is at most `cut` means long."""
    while True:  # by rejection: the rest has the density of the gaps that are longer
        if cut < 1.0:
            rest = cut * uniform(rng)
            if uniform(rng) * math.expm1(cut) <= math.expm1(cut - rest):
                return rest
        else:
            rest = -math.log1p(uniform(rng) * math.expm1(-cut))
            if uniform(rng) >= math.exp(rest - cut):
                return rest


@inlined
def _gauss_of(gap):  # type: ignore[no-untyped-def]
    """The normal variate that `_next_remembering` makes a gap of, in means, from."""
    low, high = -40.0, 40.0
    while high - low > 1e-9:
        middle = 0.5 * (low + high)
        if 0.5 * math.erfc(middle / math.sqrt(2.0)) > math.exp(-gap):
            low = middle
        else:
            high = middle
    return low


@inlined
def first_time(rng, source, now, trace_times):  # type: ignore[no-untyped-def]
    """When a source sends first after `now`; puts it into its stationary state."""
    kind = source.kind
    if kind == CBR:
        return now + source.gap_s * uniform(rng)
    if kind == ONOFF:
        on = uniform(rng) * (source.high_s + source.low_s) < source.high_s
        if on:
            source.phase_end = now + source.high_s * exponential(rng)
            if source.regular:
                first = now + source.gap_s * uniform(rng)
                if first <= source.phase_end:
                    return first
            return _next_in_bursts(rng, source, now)
        now += source.low_s * exponential(rng)
        source.phase_end = now + source.high_s * exponential(rng)
        return now if source.leads else _next_in_bursts(rng, source, now)
    if kind == MMPP:
        source.high = 1 if uniform(rng) * (source.high_s + source.low_s) < source.high_s else 0
        source.phase_end = now + (source.high_s if source.high else source.low_s) * exponential(rng)
        return _next_modulated(rng, source, now)
    if kind == AUTOCORRELATED:
        # a moment falls into a gap in proportion to its length, and anywhere in it
        gap = exponential(rng) + exponential(rng)
        source.gauss = _gauss_of(gap)
        return now + source.gap_s * gap * uniform(rng)
    if kind == TRACE:
        time = source.origin + source.gap_s * trace_times[source.trace_first + source.position]
        while time < now and time < NEVER:
            time = next_time(rng, source, now, trace_times)
        return time
    return now + source.gap_s * _rest_of_truncated(rng, source.memory)
