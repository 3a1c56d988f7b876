"""Collection: telemetry of a source into the history of a network."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nettwin.errors import InputError
from nettwin.repository.repository import Repository
from nettwin.scenario.scenario import Scenario
from nettwin.telemetry.links import LinkLoads, link_loads
from nettwin.telemetry.source import Source
from nettwin.telemetry.source_file import SourceFile

MARGIN_S = 600.0  # read before the first interval, so that its counters have a beginning


@dataclass(frozen=True)
class Collected:
    """What was read of a source, and how many rows of the history it became."""

    loads: LinkLoads
    rows: int = 0
    intervals: int = 0


def read_loads(
    source: Source, file: SourceFile, scenario: Scenario, since_s: float, until_s: float
) -> LinkLoads:
    """The loads of the network's links in a time, as a source tells them. Raises SourceError,
    FormatError, InputError."""
    margin = max(MARGIN_S, 3 * file.interval_s)
    series = source.read(since_s - margin, until_s)
    return link_loads(
        series,
        scenario.topology,
        file.names,
        interval_s=file.interval_s,
        since_s=since_s,
        until_s=until_s,
    )


def collect(
    source: Source,
    file: SourceFile,
    scenario: Scenario,
    repository: Repository,
    since_s: float,
    until_s: float,
) -> Collected:
    """Read a source and keep what it tells: the rate, the utilization and the state of each link.

    What was kept before of the same intervals is replaced. The rows are on the disk when this
    returns.
    """
    loads = read_loads(source, file, scenario, since_s, until_s)
    return landed(loads, scenario, repository)


def landed(loads: LinkLoads, scenario: Scenario, repository: Repository) -> Collected:
    """Loads in the history. Raises InputError where nothing is known of any link."""
    known = np.isfinite(loads.bps).any(axis=1)
    if not known.any():
        raise InputError("nothing is known of any link in that time. See nettwin data check.")
    capacity = scenario.topology.link_capacity_bps
    rows = repository.measured_links(
        scenario,
        loads.time_s[known],
        loads.interval_s,
        {
            "throughput_bps": loads.bps[known],
            "utilization": np.minimum(loads.bps[known] / capacity, 1.0),
        },
        loads.up[known],
    )
    return Collected(loads, rows, int(known.sum()))
