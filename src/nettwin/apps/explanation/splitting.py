"""Splitting: a flow's mean delay as an exact sum over its hops."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from nettwin.apps.explanation.target import Floats
from nettwin.model import HopSplit
from nettwin.scenario.scenario import Scenario


class HopPart(NamedTuple):
    """One queue on a flow's path and its part in the flow's mean delay and loss.

    Times are means over all packets of the flow that arrive, also those that go elsewhere.
    """

    queue: str
    link: str
    share: float  # of the packets that arrive
    propagation_s: float
    transmission_s: float
    waiting_s: float  # in queueing theory
    correction_s: float  # what the model adds to it
    loss: float  # part of the packets sent that is lost here
    step: int = 0  # how many hops it is from the source, at least

    @property
    def waited_s(self) -> float:
        """Waiting as the model says."""
        return self.waiting_s + self.correction_s

    @property
    def delay_s(self) -> float:
        """The whole part."""
        return self.propagation_s + self.transmission_s + self.waited_s


def hop_weights(scenario: Scenario, split: HopSplit) -> Floats:
    """The part of its flow's arrivals that goes over each hop. [hops]"""
    return np.asarray(split.weight[scenario.paths.hop_path])


def hop_losses(scenario: Scenario, split: HopSplit) -> Floats:
    """The part of what its flow sends that is lost at each hop. [hops]"""
    offset = scenario.paths.link_offset
    ln_pass = np.log1p(-np.minimum(split.loss, 1.0 - 1e-15))
    before = np.cumsum(ln_pass) - ln_pass
    first = np.minimum(offset[:-1], max(len(ln_pass) - 1, 0))
    start = before[first] if len(ln_pass) else np.zeros(len(first))
    coming = np.exp(before - start[scenario.paths.hop_path])
    return np.asarray(scenario.paths.share[scenario.paths.hop_path] * coming * split.loss)


def split_flow(scenario: Scenario, split: HopSplit, flow: int) -> tuple[HopPart, ...]:
    """The parts of a flow's mean delay, in the order of its path; of several paths, those that
    carry most first. They add up to the flow's `owd_mean_s`."""
    paths, topology = scenario.paths, scenario.topology
    first, end = (int(paths.link_offset[paths.flow_offset[f]]) for f in (flow, flow + 1))
    hops = slice(first, end)
    weight, lost = hop_weights(scenario, split)[hops], hop_losses(scenario, split)[hops]
    queues, place = np.unique(scenario.hop_queue[hops], return_inverse=True)
    columns = [
        np.bincount(place, values, len(queues))
        for values in (
            weight,
            weight * split.propagation_s[hops],
            weight * split.transmission_s[hops],
            weight * split.waiting_s[hops],
            weight * split.correction_s[hops],
            lost,
        )
    ]
    steps = np.arange(first, end) - paths.link_offset[paths.hop_path[hops]]
    step = np.full(len(queues), np.inf)
    np.minimum.at(step, place, steps)
    return tuple(
        HopPart._make(
            (
                scenario.queue_names[queues[k]],
                topology.link_name[topology.queues.link[queues[k]]],
                *(float(column[k]) for column in columns),
                int(step[k]),
            )
        )
        for k in np.lexsort((-columns[0], step)).tolist()
    )
