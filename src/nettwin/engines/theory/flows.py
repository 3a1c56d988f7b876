"""What flows meet on their paths: delay, its variance and loss, summed hop by hop."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nettwin.compiled import compiled
from nettwin.engines.theory.network import tables
from nettwin.engines.theory.queueing import size_loss
from nettwin.engines.theory.solution import QueueSolution
from nettwin.engines.theory.variability import own_periodic_excess
from nettwin.scenario.scenario import Scenario

Floats = NDArray[np.float64]
STARVED = 1.0 - 1e-9  # loss from which on nothing is said to arrive


class HopTable(NamedTuple):
    """What a packet meets in each queue; arrays are [queues]."""

    waiting_s: Floats
    resting_s: Floats
    modulation_bits2: Floats
    variance_s2: Floats
    elasticity: Floats
    load_pps_bits: Floats  # bits offered a second
    memory_s: Floats
    loss: Floats
    size_bias: Floats
    packet_bits: Floats
    second_per_bit: Floats  # of transmission; 0 at a shaped port
    delay_s: Floats  # propagation behind the port


class FlowSums(NamedTuple):
    """Sums along the paths of each flow, mixed by share; arrays are [flows]. NaN: nothing comes."""

    floor_s: Floats  # propagation and the smallest packet's transmission, averaged over paths
    mean_s: Floats
    variance_s2: Floats
    loss: Floats
    queue_waiting_s: Floats  # [queues] mean over the packets that come; 0 where none do


def hop_table(scenario: Scenario, state: QueueSolution) -> HopTable:
    """The queues as a packet meets them."""
    topology = scenario.topology
    port = topology.queues.link
    shaped = np.array([s.burst_bits is not None for s in topology.schedulers], np.bool_)
    per_bit = np.where(shaped[topology.link_scheduler], 0.0, 1.0 / topology.link_capacity_bps)
    return HopTable(
        state.waiting_s,
        state.resting_s,
        state.modulation_bits2,
        state.waiting_variance_s2,
        state.waiting_elasticity,
        state.load * topology.link_capacity_bps[port],
        state.memory_s,
        state.packet_loss,
        state.size_bias,
        state.packet_bits,
        per_bit[port],
        topology.link_delay_s[port],
    )


def flow_sums(scenario: Scenario, state: QueueSolution) -> FlowSums:
    """Every flow's delay and loss from the state of the queues."""
    flows, paths, _ = tables(scenario)
    smallest = np.array([size.min_bits for size in scenario.traffic.sizes], np.float64)
    least = smallest[scenario.traffic.flow_size] if len(smallest) else np.zeros(0)
    return FlowSums(*_along_paths(flows, paths, hop_table(scenario, state), least))


@compiled
def _along_paths(flows: Any, paths: Any, hops: Any, least_bits: Any) -> Any:
    """Floor, mean and variance of the delay, and loss of each flow."""
    count = flows.mean_bits.size
    floor, mean, square = np.zeros(count), np.zeros(count), np.zeros(count)
    arriving = np.zeros(count)
    met, waited = np.zeros(hops.loss.size), np.zeros(hops.loss.size)
    for p in range(paths.flow.size):
        f = paths.flow[p]
        bits = flows.mean_bits[f]
        size_variance = max(flows.second_bits2[f] - bits * bits, 0.0)
        packets = flows.packets_pps[f] * paths.share[p]
        passing, wait, variance, per_bit, propagation = 1.0, 0.0, 0.0, 0.0, 0.0
        for h in range(paths.offset[p], paths.offset[p + 1]):
            q = paths.queue[h]
            waiting = hops.resting_s[q]
            own = packets * passing * bits / max(hops.load_pps_bits[q], 1e-300)
            if flows.rate_variance[f] > 0.0 and hops.modulation_bits2[q] > 0.0:
                swing = flows.rate_variance[f] * (packets * passing * bits) ** 2
                seen = min(swing / hops.modulation_bits2[q], 1.0) / max(own, 1e-300)
                waiting *= (hops.waiting_s[q] / max(waiting, 1e-300)) ** min(seen, 2.0)
            factor = 1.0
            if flows.period_s[f] > 0.0:
                excess = own_periodic_excess(flows.period_s[f] / paths.share[p], hops.memory_s[q])
                mine = min(own / flows.duty[f], 1.0)
                factor = np.exp(hops.elasticity[q] * mine * excess)
            wait += waiting * factor
            variance += hops.variance_s2[q] * factor * factor
            met[q] += packets * passing
            waited[q] += packets * passing * waiting * factor
            per_bit += hops.second_per_bit[q]
            propagation += hops.delay_s[q]
            passing *= 1.0 - size_loss(bits, hops.loss[q], hops.size_bias[q], hops.packet_bits[q])
        delay = propagation + wait + bits * per_bit
        weight = paths.share[p] * passing
        arriving[f] += weight
        floor[f] += weight * (propagation + least_bits[f] * per_bit)
        mean[f] += weight * delay
        square[f] += weight * (delay * delay + variance + size_variance * per_bit * per_bit)
    for f in range(count):
        if arriving[f] > 1.0 - STARVED:
            floor[f] /= arriving[f]
            mean[f] /= arriving[f]
            square[f] = max(square[f] / arriving[f] - mean[f] * mean[f], 0.0)
        else:
            floor[f] = mean[f] = square[f] = np.nan
    for q in range(met.size):
        waited[q] /= max(met[q], 1e-300)
    return floor, mean, square, 1.0 - arriving, waited
