"""RouteNet's manner in training: messages between paths and the queues that they cross."""

from __future__ import annotations

import torch
from torch import nn

from nettwin.engines.learned.features import FLOW, HOP_BASE, QUEUE_BASE
from nettwin.engines.learned.routenet import ROOT_SHARE
from nettwin.engines.learned.training.batch import Batch
from nettwin.engines.learned.training.gnn import bend
from nettwin.engines.learned.training.outputs import Outputs, summed
from nettwin.engines.learned.training.paths import Readout, along, gated, known_of, walk


class RouteNet(nn.Module):
    """Paths walk over queues, queues hear from paths (Rusek et al., 2020); the delay is read hop by
    hop as the queue's occupancy (Ferriol-Galmes et al., 2022). No queueing theory.

    A round: a gated unit runs along each path over the states of its queues; each queue hears the
    states in which paths reach it, each by its part of the arrivals, and the other queues of its
    port (that of RouteNet-Fermi through the link), and is updated by a gated unit.
    """

    def __init__(self, *, width: int = 32, rounds: int = 4) -> None:
        super().__init__()
        self.register_buffer("rounds", torch.tensor([float(rounds)]))
        self.enter = nn.Linear(len(QUEUE_BASE), width)
        self.enter2 = nn.Linear(width, width)
        self.of_flow = nn.Linear(len(FLOW), width)
        self.of_flow2 = nn.Linear(width, width)
        self.of_queue = nn.Linear(width, 3 * width)
        self.of_hop = nn.Linear(len(HOP_BASE), 3 * width, bias=False)
        self.of_path = nn.Linear(width, 3 * width)
        self.sibling = nn.Linear(width, width)
        self.of_told = nn.Linear(2 * width, 3 * width)
        self.of_self = nn.Linear(width, 3 * width)
        self.readout = Readout(width)

    def forward(self, batch: Batch) -> Outputs:
        """What the flows of a batch meet."""
        queue, hop = known_of(batch)
        candidate = walk(batch)
        at = batch.hop_queue[candidate.hops]
        share = (hop[:, ROOT_SHARE] ** 2)[candidate.hops, None]
        whole = summed(share, at, len(queue)).clamp(min=1e-9)  # 1 where every flow is in the batch
        load = queue[:, :1]
        h = self.enter2(bend(self.enter(queue)))
        start = self.of_flow2(bend(self.of_flow(batch.flow))).index_select(
            0, batch.path_flow[candidate.order]
        )
        of_hop, paths, after = self.of_hop(hop[candidate.hops]), start, start[:0]
        for _ in range(int(self.rounds)):
            x = self.of_queue(h).index_select(0, at) + of_hop
            before, after, paths = along(candidate, x, paths, self.of_path)
            said = summed(before * share, at, len(h)) / whole
            own = bend(self.sibling(h)) * load
            others = summed(own, batch.port, batch.ports)[batch.port] - own
            h = gated(self.of_told(torch.cat([said, others], 1)), self.of_self(h), h)
        state = start.new_zeros((len(batch.hop_queue), start.shape[1]))
        state = state.index_copy(0, candidate.hops, after)
        found: Outputs = self.readout(
            batch, state, batch.service_s[batch.hop_queue], batch.hop_path
        )
        return found
