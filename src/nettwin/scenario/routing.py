"""Routing: the rules by which flows find their paths.

A Routing is a rule, not a result. IGP weights with ECMP or next-hop tables give every flow a path;
SR midpoints or explicit paths steer single flows. `pathfinding.resolve` makes Paths of it on a
topology; resolving it again after a failure or a new weight gives the new Paths.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nettwin.errors import ValidationIssue
from nettwin.quantity import frozen

if TYPE_CHECKING:
    from nettwin.scenario.topology import Topology
    from nettwin.scenario.traffic import Traffic


class Steer(NamedTuple):
    """One path of a steered flow: SR midpoints (node indices) or links (indices), and its share."""

    midpoints: tuple[int, ...] = ()
    links: tuple[int, ...] = ()
    share: float = 1.0


@dataclass(frozen=True)
class Routing:
    """The rules by which flows are routed.

    Without `next_link`, flows follow shortest paths over IGP weights; with `ecmp` each node splits
    evenly over its next-hop edges (parallel links count each), otherwise the edge with the lowest
    index is taken. With `next_link` they follow destination tables: `next_link[node, target]` is
    the link to take, -1 where there is none.

    `steer` maps flow indices to their own paths, SR midpoints or explicit paths. Like the headend
    of a real network, a flow whose own paths are all broken falls back to the rule for everybody.
    """

    ecmp: bool = True
    next_link: NDArray[np.int32] | None = None  # [nodes, nodes]
    steer: Mapping[int, tuple[Steer, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.next_link is not None:
            object.__setattr__(self, "next_link", frozen(self.next_link, np.int32))
        steer = {int(flow): tuple(paths) for flow, paths in self.steer.items()}
        object.__setattr__(self, "steer", steer)

    def steered(self, flow: int, paths: Sequence[Steer]) -> Routing:
        """A copy in which one flow takes these paths; none gives it back to the common rule."""
        steer = {k: v for k, v in self.steer.items() if k != flow}
        if paths:
            steer[flow] = tuple(paths)
        return replace(self, steer=steer)

    def keep(self, flows: NDArray[np.intp]) -> Routing:
        """The rules of these flows, renumbered in their order."""
        steer = {i: self.steer[f] for i, f in enumerate(flows.tolist()) if f in self.steer}
        return replace(self, steer=steer)

    def issues(self, topology: Topology, traffic: Traffic) -> list[ValidationIssue]:
        """Everything wrong with the rules on this topology and traffic."""
        found: list[ValidationIssue] = []
        n = topology.node_count
        if self.next_link is not None:
            if self.next_link.shape != (n, n):
                return [
                    ValidationIssue(
                        "the next-hop table",
                        f"of shape {self.next_link.shape}",
                        f"must be {n} by {n}",
                        "Give one row a node.",
                    )
                ]
            found += self._table_issues(topology)
        flows = traffic.flow_count
        for flow, paths in self.steer.items():
            if len(paths) == 1 and 0 <= flow < flows and _is_plain(paths[0], n):
                continue  # the usual path, which needs no closer look
            found += _steer_issues(flow, paths, topology, traffic)
        return found

    def _table_issues(self, topology: Topology) -> list[ValidationIssue]:
        assert self.next_link is not None
        rows = np.arange(topology.node_count)[:, None]
        known = (self.next_link >= -1) & (self.next_link < topology.link_count)
        own = (
            known & (topology.link_source[np.where(known, self.next_link, 0)] == rows)
            if topology.link_count
            else known
        )
        bad = np.argwhere(~known | (~own & (self.next_link >= 0)))
        return [
            ValidationIssue(
                f"next hop at node {topology.node_name[u]} toward {topology.node_name[t]}",
                f"link {self.next_link[u, t]}",
                "must be a link that leaves this node, or -1",
                "Correct the table.",
            )
            for u, t in bad
        ]


def _is_plain(path: Steer, nodes: int) -> bool:
    """Whether a path is of one or two midpoints that exist, and the whole share."""
    stops = path.midpoints
    return (
        path.share == 1.0
        and not path.links
        and 0 < len(stops) <= 2
        and 0 <= stops[0] < nodes
        and 0 <= stops[-1] < nodes
    )


def _steer_issues(
    flow: int, paths: Sequence[Steer], topology: Topology, traffic: Traffic
) -> list[ValidationIssue]:
    element = f"path of flow {flow}"
    if not 0 <= flow < traffic.flow_count:
        return [
            ValidationIssue(
                element,
                "given",
                f"must be of a flow 0 to {traffic.flow_count - 1}",
                "Remove the path or add the flow.",
            )
        ]
    found: list[ValidationIssue] = []
    names = topology.node_name
    for path in paths:
        if not 0 < path.share <= 1:
            found.append(
                ValidationIssue(
                    f"share of {element}",
                    path.share,
                    "must be above 0 and at most 1",
                    "Give a share.",
                )
            )
        if path.links and path.midpoints:
            found.append(
                ValidationIssue(
                    element,
                    "both midpoints and links",
                    "must be one of them",
                    "Give midpoints or links.",
                )
            )
        if any(not 0 <= m < topology.node_count for m in path.midpoints):
            found.append(
                ValidationIssue(
                    f"midpoints of {element}",
                    list(path.midpoints),
                    f"must be node indices below {topology.node_count}",
                    "Name nodes of the topology.",
                )
            )
        if any(not 0 <= k < topology.link_count for k in path.links):
            found.append(
                ValidationIssue(
                    f"links of {element}",
                    list(path.links),
                    f"must be link indices below {topology.link_count}",
                    "Name links of the topology.",
                )
            )
        elif path.links:
            ends = [int(traffic.flow_source[flow])]
            ends += [int(topology.link_target[k]) for k in path.links]
            joins = [int(topology.link_source[k]) for k in path.links]
            joins.append(int(traffic.flow_target[flow]))
            for at, begin in zip(ends, joins, strict=True):
                if at != begin:
                    found.append(
                        ValidationIssue(
                            element,
                            f"broken between {names[at]} and {names[begin]}",
                            "must lead from the flow's source to its target",
                            "Give links that join.",
                        )
                    )
                    break
            else:
                if len(set(ends)) < len(ends):
                    found.append(
                        ValidationIssue(
                            element, "a loop", "must not visit a node twice", "Remove the loop."
                        )
                    )
    total = sum(path.share for path in paths)
    if paths and abs(total - 1) > 1e-6:
        found.append(
            ValidationIssue(
                f"shares of {element}",
                f"{total:g} together",
                "must add up to 1",
                "Scale the shares.",
            )
        )
    return found
