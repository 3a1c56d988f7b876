"""Schedule: when each flow sends packets of which size, as the packet simulator would.

Sources and sizes are those of the engine `packet`; here every flow is a source of its own, as each
has its own sockets.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from nettwin.engines.packet.compiled import compiled
from nettwin.engines.packet.layout import RECORDED, State
from nettwin.engines.packet.loading import load
from nettwin.engines.packet.sources import draw_size, first_time, next_time
from nettwin.scenario.arrivals import Poisson
from nettwin.scenario.scenario import Scenario

ALL_GAPS = 700.0  # exponential gaps that are cut so many means long are not cut


class Schedule:
    """The packets of a scenario's flows from time 0 on, drawn as far as they are needed."""

    def __init__(self, scenario: Scenario, seed: int) -> None:
        traffic = scenario.traffic
        arrivals = tuple(
            Poisson(ALL_GAPS) if isinstance(a, Poisson) and not a.longest_gap else a
            for a in traffic.arrivals
        )
        own = scenario.with_(traffic=replace(traffic, arrivals=arrivals))
        self._state: State = load(own, seed)
        start(self._state)

    def until(
        self, time_s: float
    ) -> tuple[NDArray[np.float64], NDArray[np.int32], NDArray[np.float64]]:
        """Times in s, flows and bits of the packets before a time that were not given yet."""
        parts = []
        while True:
            times, flows, bits = np.empty(4096), np.empty(4096, np.int32), np.empty(4096)
            count = draw(self._state, time_s, times, flows, bits)
            parts.append((times[:count], flows[:count], bits[:count]))
            if count < len(times):
                break
        times, flows, bits = (np.concatenate(column) for column in zip(*parts, strict=True))
        order = np.argsort(times, kind="stable")
        return times[order], flows[order], bits[order]


@compiled
def start(state):  # type: ignore[no-untyped-def]
    """Put every source into its stationary state."""
    for s in range(len(state.sources)):
        source = state.sources[s]
        source.next_s = first_time(state.rng, source, 0.0, state.trace_times)


@compiled
def draw(state, until, times, flows, bits):  # type: ignore[no-untyped-def]
    """Write packets that come before `until`, source by source, as many as there is room for."""
    count = 0
    for s in range(len(state.sources)):
        source = state.sources[s]
        while source.next_s < until:
            if count == len(times):
                return count
            f = np.uint64(source.flow)
            flow = state.flows[f]
            if flow.size_kind == RECORDED:
                size = state.trace_bits[source.trace_first + source.position]
            else:
                size = draw_size(
                    state.rng, flow, state.sizes_bits, state.sizes_chance, state.sizes_other
                )
            times[count], flows[count], bits[count] = source.next_s, source.flow, size
            count += 1
            source.next_s = next_time(state.rng, source, source.next_s, state.trace_times)
    return count
