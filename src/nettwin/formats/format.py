"""Format: the contract of everything that reads or writes network files; Reading: what was read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from nettwin.metrics import Metrics
from nettwin.scenario.packet_sizes import Fixed, PacketSize
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.scheduling import Scheduler


@dataclass(frozen=True)
class ImportDefaults:
    """What to take where a source is silent. Whatever is used appears in `Reading.assumptions`.

    `load`: peak link utilization of the synthetic gravity traffic of a source without any;
    None leaves the network without traffic.
    """

    capacity_bps: float = 10e9
    delay_s: float = 0.0
    weight: float = 1.0
    scheduler: Scheduler = field(default_factory=Scheduler)
    size: PacketSize = field(default_factory=lambda: Fixed(8000.0))
    load: float | None = 0.6


@dataclass(frozen=True)
class Reading:
    """A scenario read from a source, with everything assumed and everything ignored, and the
    metrics that the source recorded for it, if any."""

    scenario: Scenario
    format: str
    source: str
    assumptions: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    metrics: Metrics | None = None


@dataclass(frozen=True)
class DemandSeries:
    """Traffic matrices over time, as read: `demand_bps` [times, sources, targets].

    `node_name` is empty where the source numbers its nodes; `listed` [nodes, nodes] are the pairs
    that a table names, None for a whole matrix.
    """

    times_s: NDArray[np.float64]  # [times], seconds since the first or since 1970
    demand_bps: NDArray[np.float64]  # [times, nodes, nodes]
    node_name: tuple[str, ...]
    assumptions: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    listed: NDArray[np.bool_] | None = None


class Format(Protocol):
    """A file format. One module a format, an instance in `FORMATS`."""

    name: str
    title: str
    suffixes: tuple[str, ...] = ()  # longest first; a new file with one of them gets this format
    prefix: str = ""  # of sources that are no files, such as `topohub:`
    writes: bool = False

    def detects(self, path: Path, head: bytes) -> bool:
        """Whether the content looks like this format; `head` is the file's first 64 KiB (empty for
        a folder)."""

    def read(self, path: Path, assume: ImportDefaults) -> Iterator[Reading]:
        """The scenarios in the source, one or many, read lazily. Raises FormatError.

        For a source with a `prefix` the path is what follows it.
        """

    def write(self, scenario: Scenario, path: Path) -> None:
        """Write a scenario; only where `writes`. Reading it back gives what the format can hold; an
        InputError tells what it cannot."""
