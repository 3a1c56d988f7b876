"""From a scenario's traffic to sources: rates, phases and tables."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nettwin.engines.packet import layout
from nettwin.engines.packet.layout import records
from nettwin.engines.packet.random_numbers import alias_table
from nettwin.engines.packet.tournament import empty_tree, tree_size
from nettwin.scenario.arrivals import (
    CBR,
    MMPP,
    ArrivalProcess,
    Autocorrelated,
    OnOff,
    Poisson,
    Trace,
)
from nettwin.scenario.scenario import Scenario

FEWEST_PACKETS_A_CYCLE = 1e-3  # sparser bursts are Poisson for all that can be seen


class Sources(NamedTuple):
    """The part of the state that makes packets."""

    nodes: NDArray[Any]  # [nodes] NODE
    sources: NDArray[Any]  # [sources] SOURCE
    source_keys: NDArray[np.uint64]
    alias: NDArray[Any]  # [Poisson flows, by node] ALIAS
    trace_times: NDArray[np.float64]
    trace_bits: NDArray[np.float64]


def load_sources(scenario: Scenario, rng: np.random.Generator) -> Sources:
    """Sources by node: the Poisson flows summed up, and one source for every other flow."""
    traffic, node_count = scenario.traffic, scenario.topology.node_count
    rate = traffic.flow_packet_rate_pps
    plain = np.array([_is_poisson(a) for a in traffic.arrivals], bool)[traffic.flow_arrival]
    sends = rate > 0
    poisson = np.flatnonzero(sends & plain)
    poisson = poisson[np.argsort(traffic.flow_source[poisson], kind="stable")]
    special = np.flatnonzero(sends & ~plain)
    special = special[np.argsort(traffic.flow_source[special], kind="stable")]

    traces = _Traces(traffic.arrivals)
    sources = records(layout.SOURCE, len(special))
    for row, f in zip(sources, special.tolist(), strict=True):
        row["flow"] = f
        process = traffic.arrivals[traffic.flow_arrival[f]]
        _set_source(
            row,
            process,
            float(rate[f]),
            traces,
            rng,
            float(traffic.flow_rate_bps[f]),
            float(traffic.flow_mean_size_bits[f]),
        )

    nodes = records(layout.NODE, node_count)
    bounds = np.arange(node_count + 1)
    first_poisson = np.searchsorted(traffic.flow_source[poisson], bounds)
    first_special = np.searchsorted(traffic.flow_source[special], bounds)
    nodes["alias_first"], nodes["alias_count"] = first_poisson[:-1], np.diff(first_poisson)
    nodes["source_first"] = first_special[:-1]
    widths = [tree_size(1 + int(n)) for n in np.diff(first_special)]
    nodes["tree_size"] = widths
    nodes["tree"] = 2 * (np.cumsum(widths) - widths)
    alias = records(layout.ALIAS, len(poisson))
    alias["flow"] = poisson
    for n in range(node_count):
        span = slice(int(first_poisson[n]), int(first_poisson[n + 1]))
        if span.stop > span.start:
            rates = rate[poisson[span]]
            nodes["poisson_gap_s"][n] = 1.0 / rates.sum()
            alias["chance"][span], other = alias_table(rates)
            alias["other"][span] = poisson[span][other.astype(np.intp)]
    return Sources(nodes, sources, empty_tree(sum(widths)), alias, traces.times, traces.bits)


def _is_poisson(process: ArrivalProcess) -> bool:
    return isinstance(process, Poisson) and not process.longest_gap


class _Traces:
    """Every trace once: times from its first packet, sizes, and where it begins."""

    def __init__(self, arrivals: tuple[ArrivalProcess, ...]) -> None:
        self.first: dict[Trace, int] = {}
        traces = [a for a in arrivals if isinstance(a, Trace)]
        times, bits, at = [np.zeros(1)], [np.zeros(1)], 1
        for trace in traces:
            self.first[trace] = at
            at += len(trace.times_s)
            times.append(trace.times_s - trace.times_s[0])
            bits.append(trace.sizes_bits if trace.sizes_bits.size else np.zeros(len(trace.times_s)))
        self.times, self.bits = np.concatenate(times), np.concatenate(bits)
        self.origin_s = min((t.times_s[0] for t in traces if not t.stretch), default=0.0)


def _set_source(
    row: Any,
    process: ArrivalProcess,
    pps: float,
    traces: _Traces,
    rng: np.random.Generator,
    rate_bps: float,
    mean_bits: float,
) -> None:
    gap = 1.0 / pps
    row["gap_s"] = gap
    if isinstance(process, CBR):
        row["kind"] = layout.CBR
    elif isinstance(process, Poisson):
        cut = process.longest_gap
        row["kind"], row["memory"] = layout.TRUNCATED, cut
        # mean of the cut exponential; its series where the closed form cancels
        mean = 1.0 - cut / math.expm1(min(cut, 700.0)) if cut > 1e-4 else cut / 2 - cut**2 / 12
        row["gap_s"] = gap / mean
    elif isinstance(process, OnOff):
        _set_bursts(row, process, gap)
    elif isinstance(process, MMPP):
        cycle = process.high_s + process.low_s
        row["kind"], row["high_s"], row["low_s"] = layout.MMPP, process.high_s, process.low_s
        row["gap_low_s"] = gap * (process.rate_ratio * process.high_s + process.low_s) / cycle
        row["gap_s"] = row["gap_low_s"] / process.rate_ratio
        if cycle < FEWEST_PACKETS_A_CYCLE * gap:
            _set_memoryless(row, gap)
    elif isinstance(process, Autocorrelated):
        row["kind"], row["memory"] = layout.AUTOCORRELATED, process.correlation
    elif isinstance(process, Trace):
        scale = process.rate_bps(mean_bits) / rate_bps if process.stretch else 1.0
        row["kind"], row["gap_s"] = layout.TRACE, scale
        row["trace_first"], row["trace_count"] = traces.first[process], len(process.times_s)
        row["period"] = process.period_s * scale
        row["origin"] = (
            -rng.random() * row["period"]
            if process.stretch
            else process.times_s[0] - traces.origin_s
        )
    else:
        raise TypeError(f"no rule to make packets of {process}")


def _set_memoryless(row: Any, gap: float) -> None:
    row["kind"], row["gap_s"], row["memory"] = layout.TRUNCATED, gap, 700.0


def _set_bursts(row: Any, process: OnOff, gap: float) -> None:
    """Gaps inside on periods that give the flow its rate; `packets`: mean number a cycle."""
    on, off = process.on_s, process.off_s
    packets = (on + off) / gap
    row["kind"], row["high_s"], row["low_s"] = layout.ONOFF, on, off
    row["regular"], row["leads"] = process.regular, process.starts_with_packet
    if process.starts_with_packet:
        if packets <= 1.0:  # one packet an on period is the least: longer pauses keep the rate
            row["low_s"], row["gap_s"] = gap - on, 1e300
        elif process.regular:
            row["gap_s"] = -on * math.log1p(-1.0 / packets)
        else:
            row["gap_s"] = on / (packets - 1.0)
    elif packets < FEWEST_PACKETS_A_CYCLE:
        _set_memoryless(row, gap)
    else:
        row["gap_s"] = on * math.log1p(1.0 / packets) if process.regular else on / packets
