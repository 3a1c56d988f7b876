"""What flows meet on their paths: delay, its variance and loss, summed hop by hop."""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nettwin.engines.theory.bursts import behind, burst_of, own_loss, two_rates
from nettwin.engines.theory.guarantees import guarantees
from nettwin.engines.theory.inputs import input_table
from nettwin.engines.theory.kept import Kept
from nettwin.engines.theory.loops import njit_nogil
from nettwin.engines.theory.parallel import parallel_for
from nettwin.engines.theory.queueing import size_loss
from nettwin.engines.theory.rows import SLOW, SLOWLY, SWING
from nettwin.engines.theory.solution import QueueSolution
from nettwin.engines.theory.states import FEW
from nettwin.engines.theory.tables import tables
from nettwin.engines.theory.variability import own_periodic_excess
from nettwin.scenario.scenario import Scenario

Floats = NDArray[np.float64]
HOP_S = 2e-8  # to look at one hop
STARVED = 1.0 - 1e-9  # loss from which on nothing is said to arrive


class HopTable(NamedTuple):
    """What a packet meets in each queue; arrays are [queues]."""

    waiting_s: Floats
    resting_s: Floats
    modulation_bits2: Floats
    bursts: Floats  # `burst_of` of all flows
    variance_s2: Floats
    elasticity: Floats
    load_bps: Floats  # bits offered a second
    memory_s: Floats
    loss: Floats
    resting_loss: Floats
    carried_bps: Floats  # bits accepted a second
    capacity_bps: Floats  # of the port
    size_bias: Floats
    packet_bits: Floats
    second_per_bit: Floats  # of transmission; 0 at a shaped port
    fluid: NDArray[np.bool_]  # whether few sources modulate the port
    most_s: Floats  # that a packet can wait; infinite where nothing bounds it
    delay_s: Floats  # propagation behind the port


class PathDelays(NamedTuple):
    """What arrives over each path and how its delay is distributed; arrays are [paths]."""

    arriving: Floats  # part of the flow's packets that arrive over this path
    floor_s: Floats  # propagation and the smallest packet's transmission
    mean_s: Floats
    variance_s2: Floats
    third_s3: Floats  # third central moment
    ceiling_s: Floats  # no delay is above it; infinite where nothing bounds it


class HopDelays(NamedTuple):
    """What a flow's packets meet at each hop; arrays are [hops]."""

    waiting_s: Floats
    variance_s2: Floats  # of the waiting
    loss: Floats


class FlowSums(NamedTuple):
    """Sums along the paths of each flow, mixed by share; arrays are [flows]. NaN: nothing comes."""

    mean_s: Floats
    variance_s2: Floats
    loss: Floats
    queue_waiting_s: Floats  # [queues] mean over the packets that come; 0 where none do
    queue_offered_pps: Floats  # [queues]
    queue_lost_pps: Floats  # [queues]
    queue_carried_bps: Floats  # [queues]
    paths: PathDelays


_kept: Kept[HopTable] = Kept()


def hop_table(scenario: Scenario, state: QueueSolution) -> HopTable:
    """The queues of a scenario as a packet meets them, from its solution; kept as that lives."""
    return _kept.of(state, partial(_hop_table, scenario, state))


def _hop_table(scenario: Scenario, state: QueueSolution) -> HopTable:
    topology = scenario.topology
    port = topology.queues.link
    shaped = np.array([s.burst_bits is not None for s in topology.schedulers], np.bool_)
    per_bit = np.where(shaped[topology.link_scheduler], 0.0, 1.0 / topology.link_capacity_bps)
    carried = state.load * (1.0 - state.loss) * topology.link_capacity_bps[port]
    waiting, resting, most = state.waiting_s, state.resting_s, np.full(len(port), np.inf)
    if state.formulas.bounded:
        sure = guarantees(tables(scenario).queues, input_table(scenario))
        most = sure.wait_s
        mean = np.minimum(most, sure.holds_bits / np.maximum(carried, 1e-300))  # Little's law
        waiting, resting = np.minimum(waiting, mean), np.minimum(resting, most)
    return HopTable(
        waiting,
        resting,
        state.modulation_bits2,
        state.warm_start.state[SWING],
        state.waiting_variance_s2,
        state.waiting_elasticity,
        state.load * topology.link_capacity_bps[port],
        state.memory_s,
        state.packet_loss,
        state.packet_loss * state.resting_loss / np.maximum(state.loss, 1e-300),
        carried,
        topology.link_capacity_bps[port],
        state.size_bias,
        state.packet_bits,
        per_bit[port],
        _of_few(scenario, state),
        most,
        topology.link_delay_s[port],
    )


def _of_few(scenario: Scenario, state: QueueSolution) -> NDArray[np.bool_]:
    """Queues of ports that few sources modulate. [queues]"""
    port, links = scenario.topology.queues.link, scenario.topology.link_count
    few = (state.warm_start.state[SLOW] > FEW) & (state.warm_start.state[SLOWLY] == 1.0)
    return np.asarray(np.bincount(port[few], minlength=links)[port] > 0)


def hop_delays(scenario: Scenario, state: QueueSolution) -> HopDelays:
    """What each flow's packets meet at each hop, from the state of the queues."""
    flows, paths, _ = tables(scenario)
    out = HopDelays(*(np.empty(len(paths.queue)) for _ in HopDelays._fields))
    fill = partial(
        _each_hop,
        flows=flows,
        paths=paths,
        hops=hop_table(scenario, state),
        bursts=state.formulas.bursts,
        out=out,
    )
    parallel_for(fill, paths.offset, HOP_S)
    if state.formulas.bounded and len(paths.queue):
        _keep_within_capacity(flows, paths, tables(scenario).queues, out.loss)
    return out


def flow_sums(scenario: Scenario, state: QueueSolution, each: HopDelays) -> FlowSums:
    """Every flow's delay and loss from what it meets at each hop."""
    flows, paths, _ = tables(scenario)
    sizes = [(size.min_bits, size.max_bits) for size in scenario.traffic.sizes]
    least, most = np.array(sizes, np.float64).reshape(-1, 2)[scenario.traffic.flow_size].T
    found = _along_paths(flows, paths, hop_table(scenario, state), each, least, most)
    mean, variance, loss, waiting, offered, lost, carried, *candidates = found
    return FlowSums(mean, variance, loss, waiting, offered, lost, carried, PathDelays(*candidates))


@njit_nogil
def _each_hop(
    begin: int, stop: int, flows: Any, paths: Any, hops: Any, bursts: bool, out: Any
) -> None:
    """Fill HopDelays for a range of paths."""
    waiting, variance, loss = out.waiting_s, out.variance_s2, out.loss
    for p in range(begin, stop):
        f = paths.flow[p]
        bits = flows.mean_bits[f]
        offered, passing = flows.packets_pps[f] * paths.share[p] * bits, 1.0
        if flows.rate_variance[f] <= 0.0 and flows.period_s[f] <= 0.0:
            for h in range(paths.offset[p], paths.offset[p + 1]):  # as anybody meets the queue
                q = paths.queue[h]
                wait, spread, lost = hops.resting_s[q], hops.variance_s2[q], hops.loss[q]
                if bursts and hops.fluid[q] and hops.modulation_bits2[q] > 0.0:
                    lost = min(max(hops.resting_loss[q], 0.0), 1.0)
                most = hops.most_s[q]
                wait = min(wait, most)
                if most < np.inf:
                    spread = min(spread, wait * (most - wait))
                waiting[h], variance[h] = wait, spread
                loss[h] = size_loss(bits, lost, hops.size_bias[q], hops.packet_bits[q])
            continue
        low, high, part = 0.0, 0.0, flows.high_part[f]
        if bursts and flows.rate_variance[f] > 0.0:
            low, high = two_rates(offered, flows.rate_variance[f], part)
        swing, period = flows.rate_variance[f], flows.period_s[f] / paths.share[p]
        for h in range(paths.offset[p], paths.offset[p + 1]):
            q = paths.queue[h]
            wait, spread = hops.resting_s[q], hops.variance_s2[q]
            share = 0.0
            if bursts and hops.fluid[q] and hops.modulation_bits2[q] > 0.0:
                share = burst_of(low, high, part, hops.capacity_bps[q], hops.load_bps[q])
                share /= max(hops.bursts[q], 1e-300)
            elif swing > 0.0 and hops.modulation_bits2[q] > 0.0:
                own, whole = offered * passing, hops.modulation_bits2[q]
                seen = seen_swing(swing, own, whole, hops.load_bps[q])
                wait *= (hops.waiting_s[q] / max(wait, 1e-300)) ** seen
            if period > 0.0:
                own = offered * passing / max(hops.load_bps[q], 1e-300)
                excess = own_periodic_excess(period, hops.memory_s[q])
                factor = np.exp(hops.elasticity[q] * min(own / flows.duty[f], 1.0) * excess)
                wait, spread = wait * factor, spread * factor * factor
            lost, rest = hops.loss[q], 0.0
            if bursts and hops.fluid[q] and hops.modulation_bits2[q] > 0.0:
                own, rest = offered * passing, hops.resting_loss[q]
                lost = own_loss(lost, rest, share, 1.0, own, hops.load_bps[q])
            loss[h] = size_loss(bits, lost, hops.size_bias[q], hops.packet_bits[q])
            if share > 0.0:
                kept = offered * passing * (1.0 - loss[h])
                seen = share * hops.carried_bps[q] / max(kept, 1e-300)
                wait = max(wait + (hops.waiting_s[q] - wait) * seen, 0.0)
            if bursts and high > low:
                others = max(hops.load_bps[q] - offered * passing, 0.0)
                low, high, part, _ = behind(
                    low, high, part, rest, 1.0 - loss[h], hops.capacity_bps[q], others
                )
            wait = min(wait, hops.most_s[q])
            if hops.most_s[q] < np.inf:
                spread = min(spread, wait * (hops.most_s[q] - wait))
            waiting[h], variance[h] = wait, spread
            passing *= 1.0 - loss[h]


@njit_nogil
def _keep_within_capacity(flows: Any, paths: Any, ports: Any, loss: Any) -> None:
    """Raise the losses [hops] of links over which more would go than they can carry."""
    part = np.zeros(ports.capacity_bps.size)
    for again in range(2):
        for p in range(paths.flow.size):
            f = paths.flow[p]
            bits = flows.packets_pps[f] * paths.share[p] * flows.mean_bits[f]
            for h in range(paths.offset[p], paths.offset[p + 1]):
                k = ports.port[paths.queue[h]]
                if again:
                    loss[h] = 1.0 - (1.0 - loss[h]) * min(1.0 / max(part[k], 1e-300), 1.0)
                else:
                    bits *= 1.0 - loss[h]
                    part[k] += bits / ports.capacity_bps[k]
        if part.max() <= 1.0:
            return


@njit_nogil
def _along_paths(
    flows: Any, paths: Any, hops: Any, each: Any, least_bits: Any, most_bits: Any
) -> Any:
    """The columns of FlowSums. Hops are independent, each waiting time like a gamma variable."""
    count, queues = flows.mean_bits.size, hops.loss.size
    origin, arriving, sums = np.full(count, np.nan), np.zeros(count), np.zeros((2, count))
    candidates = paths.flow.size
    weight, floor, mean = np.zeros(candidates), np.zeros(candidates), np.zeros(candidates)
    variance, third = np.zeros(candidates), np.zeros(candidates)
    met, lost, waited = np.zeros(queues), np.zeros(queues), np.zeros(queues)
    carried, ceiling = np.zeros(queues), np.zeros(candidates)
    for p in range(paths.flow.size):
        f = paths.flow[p]
        bits = flows.mean_bits[f]
        packets = flows.packets_pps[f] * paths.share[p]
        passing, delay, per_bit, fastest = 1.0, 0.0, 0.0, 0.0
        for h in range(paths.offset[p], paths.offset[p + 1]):
            q = paths.queue[h]
            wait, spread = each.waiting_s[h], each.variance_s2[h]
            delay += wait + hops.delay_s[q]
            variance[p] += spread
            third[p] += 2.0 * spread * spread / wait if wait > 0.0 else 0.0
            met[q] += packets * passing
            lost[q] += packets * passing * each.loss[h]
            waited[q] += packets * passing * wait
            per_bit += hops.second_per_bit[q]
            fastest += hops.delay_s[q]
            ceiling[p] += hops.delay_s[q] + hops.most_s[q]
            passing *= 1.0 - each.loss[h]
            carried[q] += packets * passing * bits
        delay += bits * per_bit
        variance[p] += max(flows.second_bits2[f] - bits * bits, 0.0) * per_bit * per_bit
        weight[p], mean[p] = paths.share[p] * passing, delay
        floor[p] = fastest + least_bits[f] * per_bit
        ceiling[p] += most_bits[f] * per_bit if per_bit > 0.0 else 0.0
        if np.isnan(origin[f]):
            origin[f] = delay
        shift = delay - origin[f]
        arriving[f] += weight[p]
        sums[0, f] += weight[p] * shift
        sums[1, f] += weight[p] * (shift * shift + variance[p])
    for f in range(count):
        if arriving[f] <= 1.0 - STARVED:
            origin[f] = sums[1, f] = np.nan
            continue
        sums[0, f] /= arriving[f]
        sums[1, f] /= arriving[f]
        origin[f] += sums[0, f]
        sums[1, f] = max(sums[1, f] - sums[0, f] ** 2, 0.0)
    for q in range(queues):
        waited[q] /= max(met[q], 1e-300)
    loss = 1.0 - arriving
    queues_of = waited, met, lost, carried
    return (origin, sums[1], loss, *queues_of, weight, floor, mean, variance, third, ceiling)


@njit_nogil
def seen_swing(swing: float, own_bps: float, modulation_bits2: float, load_bps: float) -> float:
    """How much of a queue's modulation the packets of a flow see, which come when it sends: its
    part in the variance of the load over that in the load."""
    part = min(swing * own_bps * own_bps / modulation_bits2, 1.0)
    own = own_bps / max(load_bps, 1e-300)
    return min(part / max(own, 1e-300), 2.0)
