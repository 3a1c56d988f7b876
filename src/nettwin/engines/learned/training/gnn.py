"""The queue-graph network in training: queueing theory, corrected by messages between queues."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from nettwin.engines.learned.features import EDGE, FLOW, HOP, QUEUE, SHAPE
from nettwin.engines.learned.gnn import HEAD, MAX_LOGIT, MOST
from nettwin.engines.learned.training.batch import Batch
from nettwin.engines.learned.training.outputs import (
    Outputs,
    along_paths,
    limited,
    percentiles,
    summed,
)


def bend(x: Tensor) -> Tensor:
    """The activation: x times a rational sigmoid, 0.5 + 0.5 x / (1 + |x|), which needs no exp."""
    return x * (0.5 + 0.5 * x / (1.0 + x.abs()))


class QueueGraph(nn.Module):
    """Queues exchange messages; each hop's waiting, variability and loss are corrected.

    A queue hears from the queues that its packets come from, each weighted by its part of the
    arrivals, and from the others of its port, weighted by their load. The last layer is zero at the
    start: untrained, the network is the theory.
    """

    def __init__(self, *, width: int = 32, hidden: int = 24, rounds: int = 2) -> None:
        super().__init__()
        self.register_buffer("rounds", torch.tensor([float(rounds)]))
        self.enter = nn.Linear(len(QUEUE), width)
        self.enter2 = nn.Linear(width, width)
        self.message = nn.Linear(width + len(EDGE), width)
        self.sibling = nn.Linear(width, width)
        self.mix = nn.Linear(4 * width, width)
        self.update = nn.Linear(width, width)
        self.at_queue = nn.Linear(width, width)
        self.of_flow = nn.Linear(len(FLOW), width, bias=False)
        self.of_hop = nn.Linear(len(HOP), width, bias=False)
        self.inner = nn.Linear(width, hidden)
        self.correct = nn.Linear(hidden, 3)
        self.head = nn.Linear(hidden + len(SHAPE) + 2, HEAD)
        self.tail = nn.Linear(HEAD, 4)
        for last in (self.correct, self.tail):
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)

    def states(self, batch: Batch) -> Tensor:
        """What is known of each queue after the messages. [queues, width]"""
        load = batch.queue[:, :1]
        h = self.enter2(bend(self.enter(batch.queue)))
        for _ in range(int(self.rounds)):
            said = bend(self.message(torch.cat([h[batch.edge_source], batch.edge], 1)))
            upstream = summed(said * batch.edge[:, :1], batch.edge_target, len(h))
            own = bend(self.sibling(h)) * load
            others = summed(own, batch.port, batch.ports)[batch.port] - own
            h = h + self.update(bend(self.mix(torch.cat([h, upstream, others, own], 1))))
        return h

    def forward(self, batch: Batch) -> Outputs:
        """What the flows of a batch meet."""
        at = self.at_queue(self.states(batch))
        flow = self.of_flow(batch.flow)[batch.path_flow]
        u = bend(at[batch.hop_queue] + flow[batch.hop_path] + self.of_hop(batch.hop))
        inner = bend(self.inner(u))
        moved = self.correct(inner)
        waiting = batch.waiting_s * torch.exp(limited(moved[:, 0], MOST))
        cv2 = batch.waiting_cv2 * torch.exp(limited(moved[:, 1], MOST))
        logit = batch.loss_logit + limited(moved[:, 2], MAX_LOGIT)
        flows = along_paths(batch, waiting, cv2 * waiting**2, nn.functional.logsigmoid(-logit))
        # what the flow meets, by its part of the waiting
        part = waiting / summed(waiting, batch.hop_path, len(batch.path_flow))[batch.hop_path]
        part = part * flows.weight[batch.hop_path]
        met = summed(inner * part[:, None], batch.path_flow[batch.hop_path], len(batch.flow))
        deviation = torch.sqrt(flows.variance_s2)
        ln_cv = torch.log(deviation / flows.mean_s).clamp(-8, 3)
        told = torch.stack([ln_cv, torch.sqrt(1e-4 - torch.expm1(flows.ln_passing))], 1).detach()
        out = self.tail(bend(self.head(torch.cat([met, batch.shape, told], 1))))
        levels = percentiles(flows.mean_s, deviation, batch.shape[:, :3], out[:, :3])
        return Outputs(
            flows.mean_s,
            flows.variance_s2,
            flows.ln_passing,
            levels,
            limited(out[:, 3], 5.0) - 4.0,
        )
