"""Critical: the smallest set of queues that keeps an answer, all others being masked.

After Metis (Meng et al., SIGCOMM 2020), which searches the smallest part of a hypergraph that
leaves a network's output as it is. Here the hypergraph is that of flows and the queues they cross,
and to mask a queue is to let nobody wait and nothing be lost in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from typing import NamedTuple

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
    delay = np.bincount(paths.hop_flow, waited + fixed, flows).astype(np.float64)
    arrives = np.bincount(paths.path_flow, split.weight, flows) > 0
    cover = _Cover(paths.hop_flow, scenario.hop_queue, waited, lost, delay, arrives, count)
    by_none = cover.kept
    chosen = _greedy(cover, count)
    chosen = _spared(cover, chosen)
    kept = cover.kept
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
    found = [  # each after those before it
        CriticalQueue(
            names[q],
            scenario.topology.link_name[links[q]],
            int(crossing[q]),
            float(waits[q] / max(through[q], 1e-300)),
            float(waits[q] / max(waits.sum(), 1e-300)),
            float(losses[q] / max(losses.sum(), 1e-300)),
            step,
        )
        for q, step in zip(chosen, cover.steps(chosen), strict=True)
    ]
    return Critical(
        tuple(found),
        int(np.count_nonzero(crossing)),
        int(arrives.sum()),
        kept,
        by_none,
        float(waits[chosen].sum() / max(waits.sum(), 1e-300)),
    )


def critical_hops(parts: tuple[HopPart, ...]) -> tuple[HopPart, ...]:
    """The fewest queues of a flow's path that keep its mean delay within DELAY_KEPT."""
    delay = sum(part.delay_s for part in parts)
    missing = sum(part.waited_s for part in parts)
    chosen = []
    for part in sorted(parts, key=lambda p: -p.waited_s):
        if missing <= DELAY_KEPT * delay:
            break
        chosen.append(part)
        missing -= part.waited_s
    return tuple(chosen)


class _Cover:
    """What the masked queues take from each row: a flow's delay, or (in the second half) its loss,
    in units of what may be missing."""

    def __init__(
        self,
        hop_flow: NDArray[np.int32],
        hop_queue: NDArray[np.int32],
        waited: Floats,
        lost: Floats,
        delay: Floats,
        arrives: NDArray[np.bool_],
        count: int,
    ) -> None:
        self.flows, self.known = len(arrives), max(int(arrives.sum()), 1)
        here = arrives[hop_flow]
        key = hop_queue.astype(np.int64)[here] * max(self.flows, 1) + hop_flow[here]
        cells, place = np.unique(key, return_inverse=True)
        queue, flow = np.divmod(cells, max(self.flows, 1))
        late = np.bincount(place, waited[here]) / (DELAY_KEPT * np.maximum(delay[flow], 1e-300))
        amount = np.concatenate([late, np.bincount(place, lost[here]) / LOSS_KEPT])
        some = np.flatnonzero(amount > 0)
        some = some[np.argsort(np.concatenate([queue, queue])[some], kind="stable")]
        self.row = np.concatenate([flow, flow + self.flows])[some]
        self.amount = amount[some]
        self.begin = np.searchsorted(
            np.concatenate([queue, queue])[some], np.arange(count + 1), "left"
        )
        self.missing = np.bincount(self.row, self.amount, 2 * self.flows).astype(np.float64)
        self.bad = np.zeros(self.flows, np.bool_)
        self._judge(np.arange(self.flows))

    @property
    def kept(self) -> float:
        """The part of the flows that arrive from which no more is missing than may be."""
        return 1.0 - float(np.count_nonzero(self.bad)) / self.known

    def gain(self, queue: int) -> float:
        """How much of what is missing beyond that one queue takes away."""
        pairs = self._pairs(queue)
        excess = np.maximum(self.missing[self.row[pairs]] - 1.0, 0.0)
        return float(np.minimum(excess, self.amount[pairs]).sum())

    def let_wait(self, queue: int, sign: float = 1.0) -> None:
        """Unmask a queue, or with sign -1 mask it again."""
        pairs = self._pairs(queue)
        self.missing[self.row[pairs]] -= sign * self.amount[pairs]  # no row twice
        self._judge(self.row[pairs] % max(self.flows, 1))

    def steps(self, chosen: list[int]) -> list[float]:
        """What is kept with the first of the chosen queues, the first two, and so on."""
        for queue in chosen:
            self.let_wait(queue, -1.0)
        out = []
        for queue in chosen:
            self.let_wait(queue)
            out.append(self.kept)
        return out

    def _pairs(self, queue: int) -> slice:
        return slice(int(self.begin[queue]), int(self.begin[queue + 1]))

    def _judge(self, flows: NDArray[np.intp]) -> None:
        most = 1.0 + 1e-9
        late, lossy = self.missing[flows] > most, self.missing[flows + self.flows] > most
        self.bad[flows] = late | lossy


def _greedy(cover: _Cover, count: int) -> list[int]:
    """Queues in the order in which they are unmasked. Gains only shrink while others are chosen,
    so that a gain is computed again only where it may be the largest."""
    heap = [(-cover.gain(queue), queue) for queue in range(count)]
    heapify(heap)
    chosen: list[int] = []
    while cover.kept < FLOWS_KEPT:
        _, queue = heappop(heap)
        now = (-cover.gain(queue), queue)
        if heap and now > heap[0]:
            heappush(heap, now)
            continue
        cover.let_wait(queue)
        chosen.append(queue)
    return chosen


def _spared(cover: _Cover, chosen: list[int]) -> list[int]:
    """The chosen queues without those that can be left out, the last tried first."""
    needed = []
    for queue in reversed(chosen):
        cover.let_wait(queue, -1.0)
        if cover.kept < FLOWS_KEPT:
            cover.let_wait(queue)
            needed.append(queue)
    return needed[::-1]
