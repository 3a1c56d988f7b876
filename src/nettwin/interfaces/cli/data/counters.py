"""What links carried, of a file of counters or of a source of telemetry."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nettwin.errors import InputError
from nettwin.formats.counters import Counters, read_counters
from nettwin.scenario.scenario import Scenario
from nettwin.telemetry.polling import Polled

YAML = (".yaml", ".yml")


def counters_of(
    path: Path, scenario: Scenario, span_s: tuple[float, float], folder: Path | None
) -> Counters:
    """The counters in a file of them; where it is the YAML file of a source, as that tells them in
    a time."""
    if path.suffix.lower() not in YAML:
        return read_counters(path, scenario.topology)
    from nettwin.apps.collection import read_loads
    from nettwin.telemetry.source_file import opened, read_source_file

    file = read_source_file(path)
    with opened(file, folder=folder) as opening:
        if isinstance(opening, Polled):
            raise InputError(
                f"{path} is polled, and tells nothing of the time of the flows. Collect it into a"
                " workspace first: nettwin data collect."
            )
        loads = read_loads(opening, file, scenario, *span_s)
    unknown = np.full((len(loads.time_s), scenario.topology.node_count), np.nan)
    return Counters(loads.time_s, loads.bps, unknown, unknown)
