"""What queueing theory cannot answer truthfully."""

from __future__ import annotations

import numpy as np

from nettwin.model import beyond_every_model
from nettwin.scenario.arrivals import Trace
from nettwin.scenario.scenario import Scenario

HIGHEST_LOAD = 3.0  # offered over capacity; measured up to here


def unsupported(scenario: Scenario) -> list[str]:
    """Why theory should not be trusted with a scenario; empty where it may be."""
    return [
        *beyond_every_model(scenario),
        *_overloaded(scenario),
        *_shallow_buckets(scenario),
        *_traces(scenario),
    ]


def _overloaded(scenario: Scenario) -> list[str]:
    load, names = scenario.link_offered_load, scenario.topology.link_name
    return [
        f"link {names[k]} is offered {load[k]:.0%} of its capacity: the formulas are measured up "
        f"to {HIGHEST_LOAD:.0%}"
        for k in np.flatnonzero(load > HIGHEST_LOAD).tolist()
    ]


def _shallow_buckets(scenario: Scenario) -> list[str]:
    topology = scenario.topology
    burst = np.array([s.burst_bits or np.inf for s in topology.schedulers], np.float64)
    if np.isinf(burst).all():
        return []
    paths, size = scenario.paths, np.array([s.mean_bits for s in scenario.traffic.sizes])
    largest = np.zeros(topology.link_count)
    if len(paths.links):
        flow_bits = size[scenario.traffic.flow_size]
        np.maximum.at(largest, paths.links, flow_bits[paths.hop_flow])
    depth = burst[topology.link_scheduler] if len(burst) else np.zeros(0)
    return [
        f"link {topology.link_name[k]} is shaped with a bucket of {depth[k]:g} bit, less than a "
        f"packet of {largest[k]:g} bit: it never reaches its rate"
        for k in np.flatnonzero(depth < largest).tolist()
    ]


def _traces(scenario: Scenario) -> list[str]:
    traffic = scenario.traffic
    kinds = np.array([isinstance(a, Trace) for a in traffic.arrivals], np.bool_)
    if not kinds.any():
        return []
    return [
        f"flow {scenario.flow_names[f]} is a trace, whose arrivals are taken for Poisson"
        for f in np.flatnonzero(kinds[traffic.flow_arrival]).tolist()
    ]
