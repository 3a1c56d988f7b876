"""Limits: what no delay of a flow is below or above, whatever a model says.

No packet is faster than propagation and its transmission, and none waits longer than the buffers
and the policy allow (`theory.guarantees`; nothing bounds the low classes of strict priority). Where
a model says more of a hop, its waiting is cut there, and the flows that meet it are summed up
again. A variable between two bounds has at most the variance (most - mean) (mean - least): Bhatia
and Davis, 2000.
"""

from __future__ import annotations

from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from nettwin.engines.learned.answer import Answer
from nettwin.engines.learned.inputs import Inputs, by_hop
from nettwin.engines.learned.trust import sum_up
from nettwin.engines.theory.flows import HopDelays, hop_table
from nettwin.engines.theory.guarantees import guarantees
from nettwin.engines.theory.inputs import input_table
from nettwin.engines.theory.loops import njit_nogil
from nettwin.engines.theory.solution import QueueSolution
from nettwin.engines.theory.tables import tables
from nettwin.scenario.scenario import Scenario

Floats = NDArray[np.float64]
ROUNDING = 1e-9  # relative, by which a bound may be exceeded


class Limits(NamedTuple):
    """Bounds of delays; infinite where nothing bounds them."""

    least_s: Floats  # [flows]
    most_s: Floats  # [flows]
    wait_s: Floats  # [queues] from entering a queue to the start of transmission, at most


def limits_of(scenario: Scenario, state: QueueSolution) -> Limits:
    """The bounds of a scenario; `state` is theory's solution of its queues."""
    _, paths, ports = tables(scenario)
    hops = hop_table(scenario, state)
    wait_s = guarantees(ports, input_table(scenario)).wait_s
    sizes = scenario.traffic.sizes
    ends = np.array([[s.min_bits, s.max_bits] for s in sizes], np.float64).reshape(-1, 2)
    bits = ends[scenario.traffic.flow_size] if len(ends) else np.zeros((0, 2))
    offset = scenario.paths.flow_offset
    least, most = _by_flow(bits, offset, paths, hops.second_per_bit, hops.delay_s, wait_s)
    return Limits(least, most, wait_s)


def within(limits: Limits, inputs: Inputs, answer: Answer) -> Answer:
    """What a model says, its delays within their limits."""
    if answer.each is not None:
        answer = _hops_within(limits, inputs, answer, answer.each)
    least, most = limits.least_s, limits.most_s
    mean = np.clip(answer.mean_s, least, most)  # NaN, nothing arrives: stays
    with np.errstate(invalid="ignore"):
        room = np.where(np.isfinite(most), (most - mean) * (mean - least), np.inf)
    levels = np.clip(answer.percentile_s, least[:, None], most[:, None])
    return answer._replace(
        mean_s=mean,
        variance_s2=np.minimum(answer.variance_s2, np.maximum(room, 0.0)),
        percentile_s=np.maximum.accumulate(levels, axis=1),
    )


def _hops_within(limits: Limits, inputs: Inputs, answer: Answer, each: HopDelays) -> Answer:
    if len(each.waiting_s) != len(inputs.hop_queue):  # a model that goes along paths
        inputs = by_hop(inputs)
    if not _any_over(each.waiting_s, inputs.hop_queue, limits.wait_s * (1 + ROUNDING)):
        return answer
    most = limits.wait_s[inputs.hop_queue]
    over = each.waiting_s > most * (1 + ROUNDING)
    waiting = np.minimum(each.waiting_s, most)
    kept = each._replace(
        waiting_s=waiting, variance_s2=np.where(over, 0.0, each.variance_s2)
    )  # all of its packets would wait as long as can be
    rows = np.diff(inputs.row_offset)
    flows = np.unique(np.repeat(np.arange(len(rows)), rows)[over])
    return cast(Answer, sum_up(flows, inputs, answer, kept))


@njit_nogil
def _any_over(waiting_s: Any, queue: Any, most_s: Any) -> Any:
    """Whether a row waits longer than its queue allows; arrays of all rows are not made for it."""
    over = 0
    for k in range(queue.size):
        over += waiting_s[k] > most_s[queue[k]]
    return over > 0


@njit_nogil
def _by_flow(
    bits: Any, flow_offset: Any, paths: Any, second_per_bit: Any, delay_s: Any, wait_s: Any
) -> Any:
    """How long the smallest packet takes over the fastest path, and the largest over the slowest
    with all the waiting that can be; 0 without a path. `bits` [flows, 2]. [flows] each"""
    offset, queue = paths.offset, paths.queue
    least, most = np.zeros(len(bits)), np.zeros(len(bits))
    for f in range(len(bits)):
        for p in range(flow_offset[f], flow_offset[f + 1]):
            per_bit, delay, waits = 0.0, 0.0, 0.0
            for h in range(offset[p], offset[p + 1]):
                per_bit += second_per_bit[queue[h]]
                delay += delay_s[queue[h]]
                waits += wait_s[queue[h]]
            fastest = delay + bits[f, 0] * per_bit
            least[f] = fastest if p == flow_offset[f] else min(least[f], fastest)
            most[f] = max(most[f], delay + bits[f, 1] * per_bit + waits)
    return least, most
