"""Practicing: the network that labs are practiced on, by command and at a server."""

from __future__ import annotations

from nettwin.interfaces import wiring
from nettwin.model import NetworkModel

MAX_PACKETS, PRECISION = 400_000, 0.05  # of a measurement: seconds


def network_model(seed: int) -> NetworkModel:
    """Simulated packets; what a learner changes is measured anew, by the same packets."""
    return wiring.engine(
        "packet",
        seed=seed + 1,
        precision=PRECISION,
        max_packets=MAX_PACKETS,
        percentiles=True,
        jobs=1,
    )
