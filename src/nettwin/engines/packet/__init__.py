"""The engine `packet`: a packet-level simulator, compiled by Numba on flat arrays.

engine         PacketSimulator: predict, run, intervals
events         what changes during a run, and what routers know of it
simulation     a network in motion: advance, change, read
stopping       warm-up and when to stop          precision   what is known how well
batches        sums by batch, and their scatter  limits      what it cannot answer
loading        Scenario to arrays                traffic     flows to sources
kernel         the event loop                    ports       admission, policies, transmission
sources        arrivals and sizes                random_numbers, tournament, layout, compiled
statistics     counts, extremes                  histogram   delays and their quantiles
results        counts to Metrics
parallel       many scenarios in processes
"""

from __future__ import annotations

from nettwin.engines.packet.engine import PacketSimulator, Run
from nettwin.engines.packet.events import Event

__all__ = ["Event", "PacketSimulator", "Run"]
