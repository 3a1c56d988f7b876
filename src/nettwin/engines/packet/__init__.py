"""The engine `packet`: a packet-level simulator, compiled by Numba on flat arrays.

engine         PacketSimulator: predict, run, events, intervals
simulation     a network in motion: advance, change, read
stopping       warm-up and when to stop          limits      what it cannot answer
loading        Scenario to arrays                traffic     flows to sources
kernel         the event loop                    ports       admission, policies, transmission
sources        arrivals and sizes                random_numbers, tournament, layout, compiled
statistics     counts, batch means, quantiles    results     counts to Metrics
parallel       many scenarios in processes
"""

from __future__ import annotations

from nettwin.engines.packet.engine import Event, PacketSimulator, Run

__all__ = ["Event", "PacketSimulator", "Run"]
