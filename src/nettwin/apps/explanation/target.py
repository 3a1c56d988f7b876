"""Target: what an explanation is of: a flow, a queue or a link."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nettwin.errors import InputError, UnknownNameError
from nettwin.metrics import Metrics
from nettwin.scenario.link_names import find_bundle
from nettwin.scenario.scenario import Scenario

Floats = NDArray[np.float64]
Places = NDArray[np.intp]


@dataclass(frozen=True)
class Target:
    """A flow, a queue or a link, and the queues that its packets wait in."""

    kind: str  # flow, queue or link
    name: str
    index: int
    queues: Places
    weight: Floats  # [queues] of each queue's delay in that of the target
    least_s: Floats  # [queues] what an empty queue takes: transmission

    def delay_s(self, metrics: Metrics) -> float:
        """The mean delay: from end to end of a flow, else in the queues."""
        if self.kind == "flow":
            return float(metrics.flow["owd_mean_s"][self.index])
        return float(self.weight @ self.queue_delays_s(metrics))

    def loss(self, metrics: Metrics) -> float:
        """The part of the packets that is lost there."""
        table = {"flow": metrics.flow, "queue": metrics.queue, "link": metrics.link}[self.kind]
        return float(table["loss_ratio"][self.index])

    def queue_delays_s(self, metrics: Metrics) -> Floats:
        """The mean delay in each of the queues; that of an empty one where nothing comes."""
        delay = metrics.queue["delay_mean_s"][self.queues]
        return np.where(np.isfinite(delay), delay, self.least_s)


def flow_target(scenario: Scenario, name: str) -> Target:
    """A flow by its name. Raises InputError where it has no path."""
    flow = scenario.flow(name)
    paths = scenario.paths
    first, end = (int(paths.link_offset[paths.flow_offset[f]]) for f in (flow, flow + 1))
    if first == end:
        raise InputError(f"flow {name} has no path: there is no delay to explain. Name another.")
    share = paths.share[paths.hop_path[first:end]]
    queues, place = np.unique(scenario.hop_queue[first:end], return_inverse=True)
    weight = np.bincount(place, share).astype(np.float64)
    return _target(scenario, "flow", name, flow, queues.astype(np.intp), weight)


def queue_target(scenario: Scenario, name: str) -> Target:
    """A queue by its name. Raises InputError where no flow crosses it."""
    if name not in scenario.queue_names:
        raise UnknownNameError("queue", name, scenario.queue_names)
    queue = scenario.queue_names.index(name)
    if not (scenario.hop_queue == queue).any():
        raise InputError(f"no flow goes through queue {name}: nothing waits there. Name another.")
    return _target(scenario, "queue", name, queue, np.array([queue]), np.ones(1))


def link_target(scenario: Scenario, name: str) -> Target:
    """A link by its name, all queues of its port. Raises InputError where no flow crosses it."""
    found = find_bundle(scenario.topology, name)
    if len(found) > 1:
        names = ", ".join(scenario.topology.link_name[k] for k in found)
        raise InputError(f"{name} is {len(found)} links. Name one of {names}.")
    link = int(found[0])
    offered = queue_packets_pps(scenario)
    mine = np.flatnonzero((scenario.topology.queues.link == link) & (offered > 0))
    if not len(mine):
        raise InputError(f"no flow goes over link {name}: nothing waits there. Name another.")
    weight = offered[mine] / offered[mine].sum()
    return _target(scenario, "link", scenario.topology.link_name[link], link, mine, weight)


def flows_between(scenario: Scenario, source: str, target: str) -> list[str]:
    """The names of the flows from one node to another. Raises InputError where there are none."""
    topology, traffic = scenario.topology, scenario.traffic
    ends = topology.node(source), topology.node(target)
    found = np.flatnonzero((traffic.flow_source == ends[0]) & (traffic.flow_target == ends[1]))
    if not len(found):
        raise InputError(f"no flow goes from {source} to {target}. nettwin inspect lists flows.")
    return [scenario.flow_names[f] for f in found]


def hop_rates_bps(scenario: Scenario) -> Floats:
    """What each flow sends over each of its hops, nothing lost. [hops]"""
    paths = scenario.paths
    sent = scenario.traffic.flow_rate_bps[paths.path_flow] * paths.share
    return np.asarray(sent[paths.hop_path])


def queue_packets_pps(scenario: Scenario) -> Floats:
    """Packets a second that are offered to each queue, nothing lost. [queues]"""
    bits = scenario.traffic.flow_mean_size_bits[scenario.paths.hop_flow]
    pps = hop_rates_bps(scenario) / bits
    queues = len(scenario.topology.queues.link)
    return np.bincount(scenario.hop_queue, pps, queues).astype(np.float64)


def _target(
    scenario: Scenario, kind: str, name: str, index: int, queues: Places, weight: Floats
) -> Target:
    topology = scenario.topology
    count = len(topology.queues.link)
    bits = np.bincount(scenario.hop_queue, hop_rates_bps(scenario), count)[queues]
    packets = queue_packets_pps(scenario)[queues]
    size = np.divide(bits, packets, out=np.zeros(len(queues)), where=packets > 0)
    least = size / topology.link_capacity_bps[topology.queues.link[queues]]
    return Target(kind, name, index, queues, weight, least)
