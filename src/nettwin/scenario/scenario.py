"""Scenario: topology, traffic and routing, frozen; what enters a NetworkModel."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from nettwin.errors import ScenarioError, UnknownNameError, ValidationIssue
from nettwin.quantity import frozen
from nettwin.scenario.arrivals import arrival_to_dict
from nettwin.scenario.packet_sizes import size_to_dict
from nettwin.scenario.paths import Paths, Status
from nettwin.scenario.routing import Routing
from nettwin.scenario.scheduling import Scheduler
from nettwin.scenario.topology import Topology
from nettwin.scenario.traffic import Traffic

if TYPE_CHECKING:
    import pandas as pd

T = TypeVar("T")
_TOPOLOGY_NUMBERS = (
    *("node_up", "link_source", "link_target", "link_capacity_bps"),
    *("link_delay_s", "link_weight", "link_up"),
)
_TOPOLOGY_ROUTED = ("node_up", "link_source", "link_target", "link_weight", "link_up")
_TRAFFIC_NUMBERS = ("flow_source", "flow_target", "flow_rate_bps")


@dataclass(frozen=True)
class Scenario:
    """A network and what it carries, in steady state over one interval.

    Checked when made: ScenarioError lists everything that is wrong. An unroutable flow is no
    issue (failures make such flows); `routing_problems` lists them. `notes` is what people want to
    remember: a source, a date, the assumptions under which a file was read.
    """

    topology: Topology
    traffic: Traffic
    routing: Routing = field(default_factory=Routing)
    name: str = "network"
    notes: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        issues = self.issues()
        if issues:
            raise ScenarioError(issues)

    def issues(self) -> list[ValidationIssue]:
        """Everything wrong with the parts and with how they fit."""
        topology, traffic = self.topology, self.traffic
        found = topology.issues() + traffic.issues(topology)
        if found and (topology.misfits() or traffic.misfits(topology)):
            return found
        return found + self.routing.issues(topology, traffic)

    def with_(self, **parts: Any) -> Scenario:
        """A copy with some parts replaced; it knows its paths already if they are the same, and
        routes after a failure only the flows that it touches."""
        made = replace(self, **parts)
        before = self if "paths" in vars(self) else vars(self).get("_before")
        if before is not None and _routed_alike(before, made):
            vars(made)["paths"] = before.paths
        elif before is not None:
            vars(made)["_before"] = before
        return made

    @cached_property
    def paths(self) -> Paths:
        """Every flow's paths, resolved once."""
        from nettwin.scenario.pathfinding import resolve
        from nettwin.scenario.rerouting import rerouted

        before = vars(self).pop("_before", None)
        found = rerouted(before, self) if before is not None else None
        return found or resolve(self.routing, self.topology, self.traffic)

    @property
    def knows_paths(self) -> bool:
        """Whether `paths` are found already, or those that only few of them differ from."""
        return bool(vars(self).keys() & {"paths", "_before"})

    def __getstate__(self) -> dict[str, Any]:
        """What is pickled: no other scenario that paths might be taken from."""
        return {name: value for name, value in vars(self).items() if name != "_before"}

    @cached_property
    def link_load_bps(self) -> NDArray[np.float64]:
        """Offered load of each link, nothing lost. [links]

        Exact under ECMP however many paths a flow splits over, also for flows that are steered over
        midpoints.
        """
        from nettwin.scenario.ecmp import steered_loads

        walked = np.ones(self.traffic.flow_count, np.bool_)  # flows whose paths tell
        if self.routing.ecmp and self.routing.next_link is None:
            walked[:] = False
            explicit = [f for f, paths in self.routing.steer.items() if any(w.links for w in paths)]
            walked[explicit] = True
        loads = np.zeros(self.topology.link_count)
        if not walked.any():
            loads += steered_loads(self.topology, self.traffic, self.routing)
        elif not walked.all():
            kept = np.flatnonzero(~walked)
            loads += steered_loads(self.topology, self.traffic.keep(kept), self.routing.keep(kept))
        if walked.any():
            loads += self._walked_loads(walked)
        return frozen(loads, np.float64)

    def _walked_loads(self, walked: NDArray[np.bool_]) -> NDArray[np.float64]:
        """What flows put on the links of their paths; a few are resolved alone. [links]"""
        from nettwin.scenario.pathfinding import resolve

        rate, links = self.traffic.flow_rate_bps, self.topology.link_count
        if walked.all() or "paths" in vars(self):
            return self.paths.link_loads(np.where(walked, rate, 0.0), links)
        chosen = np.flatnonzero(walked)
        traffic = self.traffic.keep(chosen)
        paths = resolve(self.routing.keep(chosen), self.topology, traffic)
        return paths.link_loads(rate[chosen], links)

    @property
    def link_offered_load(self) -> NDArray[np.float64]:
        """Load offered to each link over its capacity, nothing lost; above 1 where the link is
        overloaded. What a link carries is `utilization` in Metrics. [links]"""
        return self.link_load_bps / self.topology.link_capacity_bps

    @cached_property
    def flow_status(self) -> NDArray[np.int8]:
        """What became of each flow's path, a `Status`; needs no paths where all follow the IGP.
        [flows]"""
        if "paths" in vars(self) or self.routing.steer or self.routing.next_link is not None:
            return self.paths.status
        from nettwin.scenario.shortest import shortest_path_distances

        source, target = self.traffic.flow_source, self.traffic.flow_target
        up = self.topology.node_up[source] & self.topology.node_up[target]
        reached = np.isfinite(
            shortest_path_distances(self.topology, target).distance[target, source]
        )
        status = np.where(reached, Status.OK, Status.UNREACHABLE)
        return frozen(np.where(up, status, Status.DOWN), np.int8)

    @cached_property
    def flow_names(self) -> tuple[str, ...]:
        """The name of each flow."""
        return self.traffic.flow_names(self.topology.node_name)

    def flow(self, name: str) -> int:
        """The index of a flow by its name; UnknownNameError if there is none."""
        try:
            return self._flow_index[name]
        except KeyError:
            raise UnknownNameError("flow", name, self.flow_names) from None

    @cached_property
    def _flow_index(self) -> dict[str, int]:
        return {name: i for i, name in enumerate(self.flow_names)}

    def routing_problems(self) -> list[str]:
        """Flows that have no path, or not the one they were given; one sentence each."""
        words = {
            Status.UNREACHABLE: "cannot be reached: no path over elements that are up",
            Status.BLACKHOLE: "falls into a blackhole: a node on its path has no next hop",
            Status.LOOP: "goes in a loop",
            Status.DOWN: "has a source or target that is down",
        }
        names, status = self.flow_names, self.flow_status
        out = [f"flow {names[f]} {words[Status(int(status[f]))]}" for f in np.flatnonzero(status)]
        if not self.routing.steer:
            return out
        return out + [
            f"flow {names[f]} lost its own paths and follows the common routing"
            for f in np.flatnonzero(self.paths.fallback & (self.paths.status == 0))
        ]

    @property
    def nodes(self) -> pd.DataFrame:
        """The nodes as a table, by name."""
        return self.topology.nodes

    @property
    def links(self) -> pd.DataFrame:
        """The links as a table, by name, with the load that is offered to them."""
        table = self.topology.links
        table["load_bps"] = self.link_load_bps
        table["offered_load"] = self.link_offered_load
        return table

    @property
    def flows(self) -> pd.DataFrame:
        """The flows as a table, by name."""
        return self.traffic.table(self.topology.node_name)

    @cached_property
    def queue_names(self) -> tuple[str, ...]:
        """The name of each queue: `A->B`, or `A->B:1` where a port has several."""
        queues, names = self.topology.queues, self.topology.link_name
        several = np.diff(queues.offset) > 1
        return tuple(
            f"{names[k]}:{i - queues.offset[k]}" if several[k] else names[k]
            for i, k in enumerate(queues.link.tolist())
        )

    @cached_property
    def hop_queue(self) -> NDArray[np.int32]:
        """The flat queue that each hop of `paths` waits in. [hops]"""
        from nettwin.scenario.walks import queues_of_hops

        table, paths = self.topology.class_queue(self.traffic.class_name), self.paths
        queues: NDArray[np.int32] = queues_of_hops(
            table, paths.links, paths.link_offset, self.traffic.flow_class[paths.path_flow]
        )
        queues.setflags(write=False)
        return queues

    def fingerprint(self) -> str:
        """A digest of everything that determines the metrics (names and notes left out)."""
        return self._fingerprint

    @cached_property
    def _fingerprint(self) -> str:
        digest = hashlib.sha256()
        topology, traffic = self.topology, self.traffic
        for part, names in ((topology, _TOPOLOGY_NUMBERS), (traffic, _TRAFFIC_NUMBERS)):
            for name in names:
                digest.update(name.encode() + getattr(part, name).tobytes())
        words = {
            "schedulers": _used(topology.link_scheduler, topology.schedulers, Scheduler.to_dict),
            **_words(traffic),
            "ecmp": self.routing.ecmp,
            "steer": sorted(self.routing.steer.items()),
        }
        digest.update(json.dumps(words, sort_keys=True).encode())
        if self.routing.next_link is not None:
            digest.update(self.routing.next_link.tobytes())
        return digest.hexdigest()

    def __repr__(self) -> str:
        return (
            f"Scenario({self.name!r}: {self.topology.node_count} nodes, "
            f"{self.topology.link_count} links, {self.traffic.flow_count} flows)"
        )


def _routed_alike(a: Scenario, b: Scenario) -> bool:
    """Whether two scenarios surely have the same paths."""
    return a.routing is b.routing and all(
        np.array_equal(getattr(x, name), getattr(y, name))
        for x, y, names in (
            (a.topology, b.topology, _TOPOLOGY_ROUTED),
            (a.traffic, b.traffic, ("flow_source", "flow_target")),
        )
        for name in names
    )


def _words(traffic: Traffic) -> dict[str, object]:
    """What the flows' numbers refer to; known once of traffic that variants share."""
    known: dict[str, object] | None = vars(traffic).get("_words")
    if known is None:
        known = vars(traffic)["_words"] = {
            "sizes": _used(traffic.flow_size, traffic.sizes, size_to_dict),
            "arrivals": _used(traffic.flow_arrival, traffic.arrivals, arrival_to_dict),
            "classes": _used(traffic.flow_class, traffic.class_name, str),
        }
    return known


def _used(
    index: NDArray[np.int32], table: Sequence[T], words: Callable[[T], object]
) -> tuple[list[object], str]:
    """The entries of a table that are used, in order of use, and a digest of who uses which: the
    same for tables that differ only in order and in what nobody uses."""
    order: dict[T, int] = {}
    number = np.zeros(len(table), np.int64)
    _, first = np.unique(index, return_index=True)
    for k in index[np.sort(first)].tolist():
        number[k] = order.setdefault(table[k], len(order))
    return [words(entry) for entry in order], hashlib.sha256(number[index].tobytes()).hexdigest()
