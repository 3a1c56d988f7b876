"""Collection: telemetry of a source into the history of a network."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nettwin.apps.measured_delays import landed_delays
from nettwin.errors import InputError
from nettwin.repository.repository import Repository
from nettwin.scenario.scenario import Scenario
from nettwin.telemetry.findings import Findings
from nettwin.telemetry.links import LinkLoads, link_loads
from nettwin.telemetry.probes import QUANTITIES, PathDelays, path_delays
from nettwin.telemetry.source import Source
from nettwin.telemetry.source_file import SourceFile

MARGIN_S = 600.0  # read before the first interval, so that its counters have a beginning


@dataclass(frozen=True)
class Telemetry:
    """What a source tells of a network: the loads of links, delays between nodes, or both."""

    loads: LinkLoads | None = None
    delays: PathDelays | None = None

    @property
    def parts(self) -> tuple[LinkLoads | PathDelays, ...]:
        """Those that are there."""
        return tuple(one for one in (self.loads, self.delays) if one is not None)

    @property
    def findings(self) -> Findings:
        """What is wrong with them."""
        return Findings([one for part in self.parts for one in part.findings.found])


@dataclass(frozen=True)
class Collected:
    """What was read of a source, and how many rows of the history it became."""

    told: Telemetry
    rows: int = 0
    intervals: int = 0


def read_telemetry(
    source: Source,
    file: SourceFile,
    scenario: Scenario,
    since_s: float,
    until_s: float,
    *,
    usual_s: float = 0.0,
) -> Telemetry:
    """What a source tells of a network in a time; probes by intervals of `usual_s` where the file
    names none. Raises SourceError, FormatError, InputError."""
    margin = max(MARGIN_S, 3 * file.interval_s)
    series = list(source.read(since_s - margin, until_s))
    probes = [one for one in series if one.quantity in QUANTITIES]
    ports = [one for one in series if one.quantity not in QUANTITIES]
    span = {"since_s": since_s, "until_s": until_s}
    delays = None
    if probes:
        interval_s = file.interval_s or usual_s
        delays = path_delays(probes, scenario, file.names, interval_s=interval_s, **span)
    if probes and not ports:
        return Telemetry(None, delays)
    loads = link_loads(ports, scenario.topology, file.names, interval_s=file.interval_s, **span)
    return Telemetry(loads, delays)


def read_loads(
    source: Source, file: SourceFile, scenario: Scenario, since_s: float, until_s: float
) -> LinkLoads:
    """The loads of links alone. Raises InputError where a source tells nothing of links, too."""
    loads = read_telemetry(source, file, scenario, since_s, until_s).loads
    if loads is None:
        raise InputError("the source tells nothing of links. Give one that counts octets.")
    return loads


def collect(
    source: Source,
    file: SourceFile,
    scenario: Scenario,
    repository: Repository,
    since_s: float,
    until_s: float,
) -> Collected:
    """Read a source and keep what it tells: the rate, the utilization and the state of each link,
    the delay and loss between nodes.

    What was kept before of the same intervals is replaced. The rows are on the disk when this
    returns.
    """
    usual_s = repository.interval_s()
    told = read_telemetry(source, file, scenario, since_s, until_s, usual_s=usual_s)
    rows = 0
    if told.delays is not None:
        rows += landed_delays(told.delays, scenario, repository, file.traffic_class)
    if told.loads is not None:
        rows += landed(told.loads, scenario, repository)
    return Collected(told, rows, max(len(part.time_s) for part in told.parts))


def landed(loads: LinkLoads, scenario: Scenario, repository: Repository) -> int:
    """Keep loads in the history; the number of rows. Raises InputError where nothing is known of
    any link."""
    known = np.isfinite(loads.bps).any(axis=1)
    if not known.any():
        raise InputError("nothing is known of any link in that time. See nettwin data check.")
    capacity = scenario.topology.link_capacity_bps
    return repository.measured_links(
        scenario,
        loads.time_s[known],
        loads.interval_s,
        {
            "throughput_bps": loads.bps[known],
            "utilization": np.minimum(loads.bps[known] / capacity, 1.0),
        },
        loads.up[known],
    )
