"""Pathing: the part of a problem that is about load, where flows may take explicit paths."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from nettwin.quantity import ReadOnly
from nettwin.scenario.routing import Routing
from nettwin.scenario.topology import Topology

Paths = dict[int, tuple[int, ...]]  # flow -> links, of flows that have an explicit path


@dataclass(frozen=True)
class Pathing(ReadOnly):
    """Flows that may be moved, and what limits them.

    `capacity_bps` is what a link may carry: its capacity times the limit on its utilization, so
    that a utilization of 1 is the limit. `fixed_bps` is load of all other flows. `start` holds the
    explicit paths of today; flows that are not in it go where `rule` leads. `limit_s` is the
    propagation that a flow may take in all.
    """

    topology: Topology
    source: NDArray[np.int32]  # [flows]
    target: NDArray[np.int32]  # [flows]
    rate_bps: NDArray[np.float64]  # [flows]
    capacity_bps: NDArray[np.float64]  # [links]
    fixed_bps: NDArray[np.float64]  # [links]
    limit_s: NDArray[np.float64]  # [flows], inf: none
    start: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    rule: Routing = field(default_factory=Routing)
    most_changes: int = -1  # flows that may differ from `start`; -1: any number
