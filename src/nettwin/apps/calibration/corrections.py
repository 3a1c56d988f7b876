"""Corrections: how a network differs from what is told of it, as far as the twin knows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from nettwin.errors import FormatError
from nettwin.formats.files import read_text, write_text
from nettwin.scenario.arrivals import ArrivalProcess, Autocorrelated, Poisson
from nettwin.scenario.packet_sizes import scaled
from nettwin.scenario.scenario import Scenario

SCHEMA = "nettwin-twin-1"
Bounds = tuple[float, float]


@dataclass(frozen=True)
class Corrections:
    """Factors on what is told, by the name of the link where it is one's own.

    `capacity` and `delay` multiply a link's rate and its base delay, `overhead` the size of every
    packet (layer 2, which flows do not count). Gaps between packets of a Poisson flow resemble
    each other by `correlation`. `bounds` holds the 95 % interval of each: `overhead`,
    `capacity/LINK`, `delay/LINK`, `correlation`.
    """

    overhead: float = 1.0
    correlation: float = 0.0
    capacity: Mapping[str, float] = field(default_factory=dict)
    delay: Mapping[str, float] = field(default_factory=dict)
    bounds: Mapping[str, Bounds] = field(default_factory=dict)

    def corrected(self, scenario: Scenario) -> Scenario:
        """What the twin takes the network for that tells of itself what the scenario says."""
        topology, traffic = scenario.topology, scenario.traffic

        def factors(known: Mapping[str, float]) -> np.ndarray[Any, np.dtype[np.float64]]:
            return np.array([known.get(name, 1.0) for name in topology.link_name])

        if not (self.capacity or self.delay) and self.overhead == 1 and not self.correlation:
            return scenario
        return scenario.with_(
            topology=topology.with_arrays(
                link_capacity_bps=topology.link_capacity_bps * factors(self.capacity),
                link_delay_s=topology.link_delay_s * factors(self.delay),
            ),
            traffic=replace(
                traffic.with_arrays(flow_rate_bps=traffic.flow_rate_bps * self.overhead),
                sizes=tuple(scaled(size, self.overhead) for size in traffic.sizes),
                arrivals=tuple(map(self._bursty, traffic.arrivals)),
            ),
        )

    def _bursty(self, arrival: ArrivalProcess) -> ArrivalProcess:
        plain = isinstance(arrival, Poisson) and not arrival.longest_gap
        return Autocorrelated(self.correlation) if plain and self.correlation > 0 else arrival


def write_corrections(path: Path, corrections: Corrections) -> None:
    """Put corrections on the disk."""
    data = {"schema": SCHEMA, **asdict(corrections)}
    write_text(path, json.dumps(data, indent=1) + "\n", durable=True)


def read_corrections(path: Path) -> Corrections:
    """The corrections in a file, none where it is not there. Raises FormatError."""
    if not path.exists():
        return Corrections()
    try:
        data = json.loads(read_text(path))
        if data.pop("schema") != SCHEMA:
            raise ValueError("of another schema")
        data["bounds"] = {name: (low, high) for name, (low, high) in data["bounds"].items()}
        return Corrections(**data)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        reason = f"holds no corrections ({error})"
        raise FormatError(path, "", reason, "Remove it and calibrate anew.") from None
