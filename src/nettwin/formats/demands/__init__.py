"""Traffic matrices over time: from npz and CSV files, and the scenarios that they make.

npz: an array `demand_bps` (or `demand_kbps`, `demand_mbps`, `demand_gbps`, `demand`) of shape
[times, nodes, nodes] or [nodes, nodes]; where known, `time` (seconds, or numpy's datetime64) and
`node` (names). CSV, long: columns `time`, `source`, `target` and a rate whose name tells its unit
(`rate_mbps`, `demand [Mbit/s]`). CSV, wide: `time` and a column for each pair, `A->B`, in bit/s or
with a unit (`A->B [Mbit/s]`). Times in CSV are seconds or ISO 8601.

matrices    what a file holds, and the checks that it must pass       writing     npz and CSV
arrays      npz            tables      CSV
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from nettwin.errors import FormatError
from nettwin.formats.demands.arrays import read_npz
from nettwin.formats.demands.matrices import checked
from nettwin.formats.demands.tables import read_csv
from nettwin.formats.demands.writing import write_demands
from nettwin.formats.files import read_head
from nettwin.formats.format import DemandSeries
from nettwin.scenario.demands import over_time
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.topology import Topology

__all__ = ["matched", "read_demands", "scenarios_over_time", "write_demands"]


def read_demands(
    path: str | Path, *, topology: Topology | None = None, interval_s: float = 1.0
) -> DemandSeries:
    """The traffic matrices in an npz or CSV file, told apart by content. Raises FormatError.

    With a topology they are put into the order of its nodes: by name where the file has names, by
    number otherwise. `interval_s` parts matrices whose times are not told.
    """
    file = Path(path)
    packed = read_head(file)[:2] == b"PK"
    found = read_npz(file) if packed else read_csv(file)
    series = checked(file, found, interval_s)
    return series if topology is None else matched(series, topology, file)


def scenarios_over_time(
    scenario: Scenario, series: DemandSeries
) -> Iterator[tuple[float, Scenario]]:
    """The time and the scenario with the demands of each matrix; see `over_time` for the flows.

    Raises FormatError where the series' nodes are not those of the scenario.
    """
    fitting = matched(series, scenario.topology, "the demands")
    yield from zip(fitting.times_s.tolist(), over_time(scenario, fitting.demand_bps), strict=True)


def matched(series: DemandSeries, topology: Topology, source: object) -> DemandSeries:
    """The series in the order of a topology's nodes; `source` is what errors call it."""
    count, names = topology.node_count, topology.node_name
    if series.node_name == names:
        return series
    given = series.demand_bps.shape[1]
    if not series.node_name:
        if given != count:
            raise FormatError(
                source,
                "the nodes",
                f"are {given} without names where the network has {count}",
                "Give a matrix over the nodes of the network, or name the nodes.",
            )
        assumed = f"nodes of the demands: numbered like the network's, {names[0]} to {names[-1]}"
        return replace(series, node_name=names, assumptions=(*series.assumptions, assumed))
    strange = [name for name in series.node_name if name not in topology.node_index]
    if strange:
        shown = ", ".join(strange[:5])
        raise FormatError(
            source,
            f"node {shown}",
            f"is not in the network, whose nodes are {', '.join(names[:8])}",
            "Rename it, or give the network it belongs to.",
        )
    place = np.array([topology.node(name) for name in series.node_name], np.intp)
    demand = np.zeros((len(series.times_s), count, count))
    demand[:, place[:, None], place] = series.demand_bps
    listed = series.listed
    if listed is not None:
        listed = np.zeros((count, count), np.bool_)
        listed[place[:, None], place] = series.listed
    assumptions = series.assumptions
    if given < count:
        assumptions += (f"demands of {count - given} of {count} nodes: none, as none are given",)
    return replace(
        series, demand_bps=demand, node_name=names, assumptions=assumptions, listed=listed
    )
