"""Paths: the paths that the flows of a scenario take, as flat arrays.

Made by `pathfinding.resolve` from the rules of a Routing.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nettwin.quantity import ReadOnly


class Status(IntEnum):
    """What became of a flow's path."""

    OK = 0
    UNREACHABLE = 1  # no path in the graph of elements that are up
    BLACKHOLE = 2  # a node on the path has no next hop
    LOOP = 3  # next hops lead back to a node already visited
    DOWN = 4  # its source or target is down


@dataclass(frozen=True)
class Paths(ReadOnly):
    """The paths of every flow, flat; of a flow that splits over very many, some that load every
    link as all of them do.

    Paths of flow f are `flow_offset[f]:flow_offset[f + 1]`; links of path p are
    `links[link_offset[p]:link_offset[p + 1]]`; `share[p]` is the part of the flow that takes p.
    """

    flow_offset: NDArray[np.int64]  # [flows + 1]
    share: NDArray[np.float64]  # [paths], summing to 1 a flow that has any
    link_offset: NDArray[np.int64]  # [paths + 1]
    links: NDArray[np.int32]  # [hops]
    status: NDArray[np.int8]  # [flows] a Status
    fallback: NDArray[np.bool_]  # [flows] whose own paths are all broken

    @property
    def path_count(self) -> int:
        """How many paths."""
        return len(self.share)

    @cached_property
    def path_flow(self) -> NDArray[np.int32]:
        """The flow of each path. [paths]"""
        flows = np.arange(len(self.status), dtype=np.int32)
        return np.repeat(flows, np.diff(self.flow_offset))

    @cached_property
    def hop_path(self) -> NDArray[np.int32]:
        """The path of each hop. [hops]"""
        return np.repeat(np.arange(self.path_count, dtype=np.int32), np.diff(self.link_offset))

    @property
    def hop_flow(self) -> NDArray[np.int32]:
        """The flow of each hop. [hops]"""
        return self.path_flow[self.hop_path]

    def of(self, flow: int) -> list[tuple[float, list[int]]]:
        """The (share, links) of each path of a flow."""
        span = range(int(self.flow_offset[flow]), int(self.flow_offset[flow + 1]))
        return [
            (
                float(self.share[p]),
                self.links[self.link_offset[p] : self.link_offset[p + 1]].tolist(),
            )
            for p in span
        ]

    def link_loads(self, rate: NDArray[np.float64], link_count: int) -> NDArray[Any]:
        """Sum over flows of `rate` [flows] times the share that crosses each link. [links]"""
        from nettwin.scenario.walks import loads_of_paths

        found: NDArray[Any] = loads_of_paths(
            self.flow_offset,
            self.share,
            self.link_offset,
            self.links,
            np.asarray(rate, np.float64),
            link_count,
        )
        return found
