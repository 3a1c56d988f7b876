"""Demands over time: one network and its flows at the rates of traffic matrix after matrix."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from nettwin.errors import InputError
from nettwin.quantity import frozen
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.traffic import Traffic, concatenate


def over_time(scenario: Scenario, demand_bps: NDArray[np.float64]) -> Iterator[Scenario]:
    """The scenario at each matrix of `demand_bps` [times, nodes, nodes], bit/s, diagonal ignored.

    Flows keep their class, sizes, arrivals and paths, and are the same at all times, so that rows
    of metrics line up: the flows of a pair share its demand as they share its traffic now, and are
    silent (0 bit/s) without any. A pair that has demand at some time but no flow gets one, like the
    flow of the highest rate in the scenario. Raises InputError where shapes do not fit.
    """
    demand = np.asarray(demand_bps, np.float64)
    nodes = scenario.topology.node_count
    if demand.ndim != 3 or demand.shape[1:] != (nodes, nodes):
        raise InputError(
            f"the demands have shape {demand.shape}: must be (times, {nodes}, {nodes}), as the "
            "scenario has so many nodes. Give a matrix [source, target] for each time."
        )
    traffic = _with_flows_for(scenario.traffic, np.asarray(demand.any(axis=0), np.bool_), nodes)
    pair = traffic.flow_source.astype(np.int64) * nodes + traffic.flow_target
    share = _shares(traffic.flow_rate_bps, pair, nodes)
    for matrix in demand:
        rate = frozen(matrix.reshape(-1)[pair] * share, np.float64)
        yield scenario.with_(traffic=traffic.with_arrays(flow_rate_bps=rate))


def _with_flows_for(traffic: Traffic, wanted: NDArray[np.bool_], nodes: int) -> Traffic:
    """The traffic with a flow at rate 0 added for each pair that is wanted and has none."""
    missing = wanted.copy()
    missing[traffic.flow_source, traffic.flow_target] = False
    np.fill_diagonal(missing, False)
    if not missing.any():
        return traffic
    new = Traffic.from_matrix(missing.astype(np.float64))
    if traffic.flow_count:
        model = int(np.argmax(traffic.flow_rate_bps))
        new = Traffic.from_matrix(
            missing.astype(np.float64),
            traffic_class=traffic.class_name[traffic.flow_class[model]],
            size=traffic.sizes[traffic.flow_size[model]],
            arrival=traffic.arrivals[traffic.flow_arrival[model]],
        )
    return concatenate(traffic, new.with_arrays(flow_rate_bps=np.zeros(new.flow_count)))


def _shares(
    rate_bps: NDArray[np.float64], pair: NDArray[np.int64], nodes: int
) -> NDArray[np.float64]:
    """Each flow's share of its pair's demand; equal ones where all are silent now. [flows]"""
    whole = np.bincount(pair, rate_bps, nodes**2)[pair]
    count = np.bincount(pair, minlength=nodes**2)[pair]
    return np.divide(rate_bps, whole, out=1.0 / count, where=whole > 0)
