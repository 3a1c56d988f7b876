"""Ports: what telemetry tells of a topology: the speeds and states of ports."""

from __future__ import annotations

import numpy as np

from nettwin.formats.format import Reading
from nettwin.scenario.scenario import Scenario
from nettwin.telemetry.links import LinkLoads


def told_by_ports(scenario: Scenario, loads: LinkLoads, source: str) -> Reading:
    """A network with the capacities that its ports have, and the links that are up; what is not
    told stays as it is."""
    topology = scenario.topology
    speed = np.where(loads.speed_bps > 0, loads.speed_bps, topology.link_capacity_bps)
    up = topology.link_up.copy()
    for link in range(topology.link_count):
        known = loads.up[np.isfinite(loads.up[:, link]), link]
        if len(known):
            up[link] = known[-1] == 1
    now = topology.with_arrays(link_capacity_bps=speed, link_up=up)
    return Reading(scenario.with_(topology=now), "telemetry", source)
