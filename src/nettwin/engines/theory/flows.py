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
SURELY_CARRIED = 0.999  # of a link: loads are known to the tolerance of the fixed point
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


class DelaysByKind(NamedTuple):
    """What packets meet at hops, written down once for hops that are alike.

    Flows that send at any time, Poisson or of short memory, meet in a queue the same if their
    packets are of the same size: such hops are of kind `queue * sizes + size`. Kinds from `shared`
    on belong to one hop each, in their order.
    """

    kind: NDArray[np.int32]  # [hops]
    each: HopDelays  # arrays are [kinds]
    third_s3: Floats  # [kinds] third central moment of the waiting
    shared: int
    sizes: int

    def at_hops(self) -> HopDelays:
        """What is met at each hop. [hops]"""
        return HopDelays(*(values[self.kind] for values in self.each))


class FlowSums(NamedTuple):
    """Sums along the paths of each flow, mixed by share; arrays are [flows]. NaN: nothing comes."""

    mean_s: Floats
    variance_s2: Floats
    loss: Floats
    paths: PathDelays


class QueueSums(NamedTuple):
    """Sums over the flows that come to each queue; arrays are [queues]."""

    waiting_s: Floats  # mean over the packets that come; 0 where none do
    offered_pps: Floats
    lost_pps: Floats
    carried_bps: Floats


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


def hop_delays(scenario: Scenario, state: QueueSolution) -> DelaysByKind:
    """What each flow's packets meet at each hop, from the state of the queues."""
    flows, paths, ports = tables(scenario)
    hops, sizes = len(paths.queue), scenario.traffic.sizes
    plain = (flows.rate_variance <= 0.0) & (flows.period_s <= 0.0)
    # where more kinds than hops would be shared, none is
    shared = len(ports.port) * len(sizes) if len(ports.port) * len(sizes) <= hops else 0
    alone = 0 if shared and plain[paths.flow].all() else hops
    columns = (np.empty(shared + alone) for _ in range(4))
    *each, third = columns
    out = DelaysByKind(np.empty(hops, np.int32), HopDelays(*each), third, shared, len(sizes))
    met, bursts = hop_table(scenario, state), state.formulas.bursts
    bits = np.array([size.mean_bits for size in sizes], np.float64)
    if shared:
        _each_queue(bits, met, bursts, out)
    fill = partial(
        _each_hop,
        flows=flows,
        paths=paths,
        plain=plain,
        flow_size=scenario.traffic.flow_size,
        hops=met,
        bursts=bursts,
        out=out,
    )
    parallel_for(fill, paths.offset, HOP_S)
    if state.formulas.bounded and _near_capacity(scenario, state):
        _keep_within_capacity(flows, paths, ports, out)
    return out


def _near_capacity(scenario: Scenario, state: QueueSolution) -> bool:
    """Whether a link may be offered more than it can carry; elsewhere no loss need be raised."""
    port, links = scenario.topology.queues.link, scenario.topology.link_count
    load = np.bincount(port, state.load, links)
    return bool(load.max(initial=0.0) > SURELY_CARRIED)


def flow_sums(scenario: Scenario, state: QueueSolution, each: DelaysByKind) -> FlowSums:
    """Every flow's delay and loss from what it meets at each hop."""
    flows, paths, _ = tables(scenario)
    sizes = [(size.min_bits, size.max_bits) for size in scenario.traffic.sizes]
    least, most = np.array(sizes, np.float64).reshape(-1, 2)[scenario.traffic.flow_size].T
    offset = np.asarray(scenario.paths.flow_offset)
    count = len(offset) - 1
    found = PathDelays(*(np.empty(len(paths.flow)) for _ in PathDelays._fields))
    out = FlowSums(np.empty(count), np.empty(count), np.empty(count), found)
    fill = partial(
        _along_paths,
        flow_offset=offset,
        flows=flows,
        paths=paths,
        hops=hop_table(scenario, state),
        each=each,
        least_bits=least,
        most_bits=most,
        out=out,
    )
    parallel_for(fill, np.asarray(paths.offset)[offset], HOP_S)
    return out


def queue_sums(scenario: Scenario, each: DelaysByKind) -> QueueSums:
    """What comes to each queue, waits and is lost there, from what flows meet at each hop."""
    flows, paths, ports = tables(scenario)
    return QueueSums(*_at_queues(flows, paths, each, len(ports.port)))


@njit_nogil
def _each_queue(size_bits: Any, hops: Any, bursts: bool, out: Any) -> None:
    """Fill the kinds of DelaysByKind that are shared: what anybody meets in each queue."""
    for q in range(hops.loss.size):
        for k in range(size_bits.size):
            _as_anybody(q, size_bits[k], hops, bursts, q * size_bits.size + k, out)


@njit_nogil
def _as_anybody(q: int, bits: float, hops: Any, bursts: bool, kind: int, out: Any) -> None:
    """Fill what packets that come at any time meet in a queue."""
    wait, spread, lost = hops.resting_s[q], hops.variance_s2[q], hops.loss[q]
    if bursts and hops.fluid[q] and hops.modulation_bits2[q] > 0.0:
        lost = min(max(hops.resting_loss[q], 0.0), 1.0)
    most = hops.most_s[q]
    wait = min(wait, most)
    if most < np.inf:
        spread = min(spread, wait * (most - wait))
    out.each.waiting_s[kind], out.each.variance_s2[kind] = wait, spread
    out.each.loss[kind] = size_loss(bits, lost, hops.size_bias[q], hops.packet_bits[q])
    out.third_s3[kind] = 2.0 * spread * spread / wait if wait > 0.0 else 0.0


@njit_nogil
def _each_hop(
    begin: int,
    stop: int,
    flows: Any,
    paths: Any,
    plain: Any,
    flow_size: Any,
    hops: Any,
    bursts: bool,
    out: Any,
) -> None:
    """Fill the kind of each hop, and those that are a hop's own, for a range of paths."""
    waiting, variance, loss = out.each.waiting_s, out.each.variance_s2, out.each.loss
    path_offset, path_queue, path_flow, kinds = paths.offset, paths.queue, paths.flow, out.kind
    shared, sizes, third = out.shared, out.sizes, out.third_s3
    for p in range(begin, stop):
        f = path_flow[p]
        if plain[f] and shared > 0:
            size = flow_size[f]
            for h in range(path_offset[p], path_offset[p + 1]):
                kinds[h] = path_queue[h] * sizes + size
            continue
        bits = flows.mean_bits[f]
        if plain[f]:
            for h in range(path_offset[p], path_offset[p + 1]):
                kinds[h] = h
                _as_anybody(path_queue[h], bits, hops, bursts, h, out)
            continue
        offered, passing = flows.packets_pps[f] * paths.share[p] * bits, 1.0
        low, high, part = 0.0, 0.0, flows.high_part[f]
        if bursts and flows.rate_variance[f] > 0.0:
            low, high = two_rates(offered, flows.rate_variance[f], part)
        swing, period = flows.rate_variance[f], flows.period_s[f] / paths.share[p]
        for h in range(path_offset[p], path_offset[p + 1]):
            q, kind = path_queue[h], shared + h
            kinds[h] = kind
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
            lost = size_loss(bits, lost, hops.size_bias[q], hops.packet_bits[q])
            loss[kind] = lost
            if share > 0.0:
                kept = offered * passing * (1.0 - lost)
                seen = share * hops.carried_bps[q] / max(kept, 1e-300)
                wait = max(wait + (hops.waiting_s[q] - wait) * seen, 0.0)
            if bursts and high > low:
                others = max(hops.load_bps[q] - offered * passing, 0.0)
                low, high, part, _ = behind(
                    low, high, part, rest, 1.0 - lost, hops.capacity_bps[q], others
                )
            wait = min(wait, hops.most_s[q])
            if hops.most_s[q] < np.inf:
                spread = min(spread, wait * (hops.most_s[q] - wait))
            waiting[kind], variance[kind] = wait, spread
            third[kind] = 2.0 * spread * spread / wait if wait > 0.0 else 0.0
            passing *= 1.0 - lost


@njit_nogil
def _keep_within_capacity(flows: Any, paths: Any, ports: Any, met: Any) -> None:
    """Raise the losses of links over which more would go than they can carry."""
    part, loss = np.zeros(ports.capacity_bps.size), met.each.loss
    for p in range(paths.flow.size):
        f = paths.flow[p]
        bits = flows.packets_pps[f] * paths.share[p] * flows.mean_bits[f]
        for h in range(paths.offset[p], paths.offset[p + 1]):
            k = ports.port[paths.queue[h]]
            bits *= 1.0 - loss[met.kind[h]]
            part[k] += bits / ports.capacity_bps[k]
    if part.max() <= 1.0:
        return
    for k in range(part.size):
        part[k] = min(1.0 / max(part[k], 1e-300), 1.0)
    for kind in range(met.shared):
        loss[kind] = 1.0 - (1.0 - loss[kind]) * part[ports.port[kind // met.sizes]]
    for h in range(met.kind.size):
        kind = met.kind[h]
        if kind >= met.shared:
            loss[kind] = 1.0 - (1.0 - loss[kind]) * part[ports.port[paths.queue[h]]]


@njit_nogil
def _along_paths(
    begin: int,
    stop: int,
    flow_offset: Any,
    flows: Any,
    paths: Any,
    hops: Any,
    each: Any,
    least_bits: Any,
    most_bits: Any,
    out: Any,
) -> None:
    """Fill FlowSums for a range of flows. Hops are independent, each waiting time like a gamma
    variable. Paths are summed around the mean of the first, so that little is lost."""
    path_offset, path_queue, path_share = paths.offset, paths.queue, paths.share
    wait_s, variance_s2, loss_ratio = each.each.waiting_s, each.each.variance_s2, each.each.loss
    kinds, kind_third_s3 = each.kind, each.third_s3
    second_per_bit, delay_s, most_s = hops.second_per_bit, hops.delay_s, hops.most_s
    arriving, floor_s, mean_s = out.paths.arriving, out.paths.floor_s, out.paths.mean_s
    path_variance_s2, third_s3 = out.paths.variance_s2, out.paths.third_s3
    ceiling_s = out.paths.ceiling_s
    for f in range(begin, stop):
        bits = flows.mean_bits[f]
        spread_bits2 = max(flows.second_bits2[f] - bits * bits, 0.0)
        least, most = least_bits[f], most_bits[f]
        origin, whole, shifts, squares = np.nan, 0.0, 0.0, 0.0
        for p in range(flow_offset[f], flow_offset[f + 1]):
            passing, delay, per_bit, fastest = 1.0, 0.0, 0.0, 0.0
            variance, third, ceiling = 0.0, 0.0, 0.0
            for h in range(path_offset[p], path_offset[p + 1]):
                q, kind = path_queue[h], kinds[h]
                delay += wait_s[kind] + delay_s[q]
                variance += variance_s2[kind]
                third += kind_third_s3[kind]
                per_bit += second_per_bit[q]
                fastest += delay_s[q]
                ceiling += delay_s[q] + most_s[q]
                passing *= 1.0 - loss_ratio[kind]
            delay += bits * per_bit
            variance += spread_bits2 * per_bit * per_bit
            weight = path_share[p] * passing
            arriving[p], floor_s[p], mean_s[p] = weight, fastest + least * per_bit, delay
            path_variance_s2[p], third_s3[p] = variance, third
            ceiling_s[p] = ceiling + (most * per_bit if per_bit > 0.0 else 0.0)
            if np.isnan(origin):
                origin = delay
            shift = delay - origin
            whole += weight
            shifts += weight * shift
            squares += weight * (shift * shift + variance)
        out.loss[f] = 1.0 - whole
        out.mean_s[f] = out.variance_s2[f] = np.nan
        if whole > 1.0 - STARVED:
            shifts /= whole
            out.mean_s[f] = origin + shifts
            out.variance_s2[f] = max(squares / whole - shifts**2, 0.0)


@njit_nogil
def _at_queues(flows: Any, paths: Any, each: Any, queues: int) -> Any:
    """The columns of QueueSums."""
    path_offset, path_queue = paths.offset, paths.queue
    wait_s, loss_ratio, kinds = each.each.waiting_s, each.each.loss, each.kind
    sums = np.zeros((queues, 4))
    for p in range(paths.flow.size):
        f = paths.flow[p]
        bits, packets = flows.mean_bits[f], flows.packets_pps[f] * paths.share[p]
        passing = 1.0
        for h in range(path_offset[p], path_offset[p + 1]):
            q, kind, come = path_queue[h], kinds[h], packets * passing
            passing *= 1.0 - loss_ratio[kind]
            sums[q, 0] += come * wait_s[kind]
            sums[q, 1] += come
            sums[q, 2] += come * loss_ratio[kind]
            sums[q, 3] += packets * passing * bits
    for q in range(queues):
        sums[q, 0] /= max(sums[q, 1], 1e-300)
    return sums[:, 0].copy(), sums[:, 1].copy(), sums[:, 2].copy(), sums[:, 3].copy()


@njit_nogil
def seen_swing(swing: float, own_bps: float, modulation_bits2: float, load_bps: float) -> float:
    """How much of a queue's modulation the packets of a flow see, which come when it sends: its
    part in the variance of the load over that in the load."""
    part = min(swing * own_bps * own_bps / modulation_bits2, 1.0)
    own = own_bps / max(load_bps, 1e-300)
    return min(part / max(own, 1e-300), 2.0)
