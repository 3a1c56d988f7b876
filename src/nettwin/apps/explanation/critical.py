"""Critical: the smallest set of queues that keeps an answer, all others being masked.

After Metis (Meng et al., SIGCOMM 2020), which searches the smallest part of a hypergraph that
leaves a network's output as it is. Here the hypergraph is that of flows and the queues they cross,
and to mask a queue is to let nobody wait and nothing be lost in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nettwin.apps.explanation.splitting import HopPart, hop_losses, hop_weights
from nettwin.apps.explanation.target import Floats
from nettwin.model import HopSplit
from nettwin.scenario.scenario import Scenario

DELAY_KEPT = 0.1  # part of a flow's mean delay that may be missing
LOSS_KEPT = 0.01  # part of a flow's packets whose loss may be missing
FLOWS_KEPT = 0.95  # part of the flows of which that must hold


class CriticalQueue(NamedTuple):
    """A queue that is needed for the answer."""

    queue: str
    link: str
    flows: int  # that cross it
    waiting_s: float  # mean over the packets of those flows
    waiting_share: float  # of all waiting in the network, by packets
    loss_share: float  # of all packets lost in the network
    kept: float  # part of the flows that is as predicted with it and the queues before it


@dataclass(frozen=True)
class Critical:
    """The queues that are needed, the most important first, and how well they keep the answer."""

    queues: tuple[CriticalQueue, ...]
    used: int  # queues that any flow crosses
    flows: int  # that arrive
    kept: float  # part of the flows whose delay and loss are kept
    kept_by_none: float  # the same if every queue is masked
    waiting_kept: float  # part of all waiting, by packets


class _Pairs(NamedTuple):
    """What each queue adds to each row: a flow's delay, or its loss. Arrays are [pairs]."""

    row: NDArray[np.intp]  # flow, or flow + flows for its loss
    queue: NDArray[np.intp]
    amount: Floats  # in units of what may be missing


def critical_queues(scenario: Scenario, split: HopSplit) -> Critical:
    """The queues that keep the mean delay of FLOWS_KEPT of all flows within DELAY_KEPT and their
    loss within LOSS_KEPT.

    Greedy: each time the queue that takes away most of what is missing beyond that; afterwards
    those without which it still holds are left out, so that no queue of the answer can be spared.
    """
    paths, flows = scenario.paths, scenario.traffic.flow_count
    count = len(scenario.topology.queues.link)
    weight, lost = hop_weights(scenario, split), hop_losses(scenario, split)
    waited = weight * (split.waiting_s + split.correction_s)
    fixed = weight * (split.propagation_s + split.transmission_s)
    delay = _summed(paths.hop_flow, waited + fixed, flows)
    arrives = np.bincount(paths.path_flow, split.weight, flows) > 0
    pairs = _pairs(paths.hop_flow, scenario.hop_queue, waited, lost, delay, arrives, count)
    chosen = _greedy(pairs, arrives, count)
    chosen = _spared(pairs, arrives, chosen, count)
    packets = scenario.traffic.flow_packet_rate_pps[paths.hop_flow]
    through = np.bincount(scenario.hop_queue, packets * weight, count)
    waits = np.bincount(scenario.hop_queue, packets * waited, count)
    losses = np.bincount(scenario.hop_queue, packets * lost, count)
    crossing = np.bincount(
        np.unique(scenario.hop_queue.astype(np.int64) * max(flows, 1) + paths.hop_flow)
        // max(flows, 1),
        minlength=count,
    )
    names, links = scenario.queue_names, scenario.topology.queues.link
    found = [
        CriticalQueue(
            names[q],
            scenario.topology.link_name[links[q]],
            int(crossing[q]),
            float(waits[q] / max(through[q], 1e-300)),
            float(waits[q] / max(waits.sum(), 1e-300)),
            float(losses[q] / max(losses.sum(), 1e-300)),
            _kept(pairs, arrives, chosen[: i + 1], count),
        )
        for i, q in enumerate(chosen)
    ]
    return Critical(
        tuple(found),
        int(np.count_nonzero(crossing)),
        int(arrives.sum()),
        _kept(pairs, arrives, chosen, count),
        _kept(pairs, arrives, [], count),
        float(waits[chosen].sum() / max(waits.sum(), 1e-300)),
    )


def critical_hops(parts: tuple[HopPart, ...]) -> tuple[HopPart, ...]:
    """The fewest queues of a flow's way that keep its mean delay within DELAY_KEPT."""
    delay = sum(part.delay_s for part in parts)
    missing = sum(part.waited_s for part in parts)
    chosen = []
    for part in sorted(parts, key=lambda p: -p.waited_s):
        if missing <= DELAY_KEPT * delay:
            break
        chosen.append(part)
        missing -= part.waited_s
    return tuple(chosen)


def _pairs(
    hop_flow: NDArray[np.int32],
    hop_queue: NDArray[np.int32],
    waited: Floats,
    lost: Floats,
    delay: Floats,
    arrives: NDArray[np.bool_],
    count: int,
) -> _Pairs:
    flows = len(arrives)
    known = arrives[hop_flow]
    key = hop_flow.astype(np.int64)[known] * count + hop_queue[known]
    cells, place = np.unique(key, return_inverse=True)
    flow, queue = cells // count, cells % count
    amounts = [
        np.bincount(place, waited[known]) / (DELAY_KEPT * np.maximum(delay[flow], 1e-300)),
        np.bincount(place, lost[known]) / LOSS_KEPT,
    ]
    row = np.concatenate([flow, flow + flows])
    amount = np.concatenate(amounts)
    some = amount > 0
    return _Pairs(row[some], np.concatenate([queue, queue])[some], amount[some])


def _missing(pairs: _Pairs, chosen: NDArray[np.bool_], rows: int) -> Floats:
    """What the masked queues take from each row. [rows]"""
    masked = ~chosen[pairs.queue]
    return _summed(pairs.row[masked], pairs.amount[masked], rows)


def _summed(place: NDArray[Any], values: Floats, count: int) -> Floats:
    return np.bincount(place, values, count).astype(np.float64)


def _share_kept(missing: Floats, arrives: NDArray[np.bool_]) -> float:
    late, lost = missing.reshape(2, -1) > 1.0 + 1e-9
    good = ~(late | lost)
    return float(good[arrives].mean()) if arrives.any() else 1.0


def _kept(pairs: _Pairs, arrives: NDArray[np.bool_], chosen: list[int], count: int) -> float:
    mask = np.zeros(count, np.bool_)
    mask[chosen] = True
    return _share_kept(_missing(pairs, mask, 2 * len(arrives)), arrives)


def _greedy(pairs: _Pairs, arrives: NDArray[np.bool_], count: int) -> list[int]:
    rows = 2 * len(arrives)
    mask = np.zeros(count, np.bool_)
    chosen: list[int] = []
    missing = _missing(pairs, mask, rows)
    while _share_kept(missing, arrives) < FLOWS_KEPT:
        excess = np.maximum(missing - 1.0, 0.0)
        gain = np.bincount(pairs.queue, np.minimum(excess[pairs.row], pairs.amount), count)
        gain[mask] = -1.0
        best = int(gain.argmax())
        mask[best] = True
        chosen.append(best)
        missing = _missing(pairs, mask, rows)
    return chosen


def _spared(pairs: _Pairs, arrives: NDArray[np.bool_], chosen: list[int], count: int) -> list[int]:
    """The chosen queues without those that can be left out, the last tried first."""
    for queue in reversed(chosen):
        fewer = [q for q in chosen if q != queue]
        if _kept(pairs, arrives, fewer, count) >= FLOWS_KEPT:
            chosen = fewer
    return chosen
