"""The classical baselines in training: a perceptron and a recurrent network for each path alone."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from nettwin.engines.learned.classical import MAX_LN_WAY, SUMMARY
from nettwin.engines.learned.features import FLOW, HOP_BASE, QUEUE_BASE
from nettwin.engines.learned.training.batch import Batch
from nettwin.engines.learned.training.gnn import bend
from nettwin.engines.learned.training.outputs import Outputs, summed
from nettwin.engines.learned.training.paths import Readout, along, known_of, walk

SEEN = len(QUEUE_BASE) + len(HOP_BASE) + 1  # of each hop


class Perceptron(nn.Module):
    """A multilayer perceptron over what is known of a flow and, summed up, of its path."""

    def __init__(self, *, width: int = 64) -> None:
        super().__init__()
        self.enter = nn.Linear(SUMMARY, width)
        self.enter2 = nn.Linear(width, width)
        self.readout = Readout(width)

    def forward(self, batch: Batch) -> Outputs:
        """What the flows of a batch meet."""
        seen, service_s = seen_of(batch)
        state = bend(self.enter2(bend(self.enter(_summary(batch, seen, service_s)))))
        found: Outputs = self.readout(batch, state, service_s, _alone(batch))
        return found


class Recurrent(nn.Module):
    """A gated recurrent network along the hops of each path; its last state gives the delay."""

    def __init__(self, *, width: int = 48) -> None:
        super().__init__()
        self.of_flow = nn.Linear(len(FLOW) + 1, width)
        self.of_seen = nn.Linear(SEEN, 3 * width)
        self.of_path = nn.Linear(width, 3 * width)
        self.readout = Readout(width)

    def forward(self, batch: Batch) -> Outputs:
        """What the flows of a batch meet."""
        seen, service_s = seen_of(batch)
        path = walk(batch)
        flow = torch.cat([batch.flow[batch.path_flow], _ln_path(batch, service_s)[:, None]], 1)
        start = bend(self.of_flow(flow))[path.order]
        *_, last = along(path, self.of_seen(seen[path.hops]), start, self.of_path)
        state: Tensor = torch.zeros_like(last).index_copy(0, path.order, last)
        found: Outputs = self.readout(batch, state, service_s, _alone(batch))
        return found


def _alone(batch: Batch) -> Tensor:
    """Paths that are one item each."""
    return torch.arange(len(batch.path_flow), device=batch.path_flow.device)


def seen_of(batch: Batch) -> tuple[Tensor, Tensor]:
    """What a path alone sees of each hop [hops, SEEN], and the mean transmission times of a packet
    in its queues, added up [paths]. The last column is the hop's part in that sum."""
    queue, hop = known_of(batch)
    service_s = batch.service_s[batch.hop_queue]
    whole = summed(service_s, batch.hop_path, len(batch.path_flow)).clamp(min=1e-30)
    part = service_s / whole[batch.hop_path]
    return torch.cat([queue[batch.hop_queue], hop, part[:, None]], 1), whole


def _ln_path(batch: Batch, service_s: Tensor) -> Tensor:
    """How a path's transmission compares with its whole fixed delay. [paths]"""
    ratio = service_s / batch.path_fixed_s.float().clamp(min=1e-30)
    return torch.log(ratio.clamp(min=1e-9)).clamp(-MAX_LN_WAY, MAX_LN_WAY)


def _summary(batch: Batch, seen: Tensor, service_s: Tensor) -> Tensor:
    """A path in one row: its flow, its length, and its hops' mean, their mean weighted by
    transmission time, and their largest. [paths, SUMMARY]"""
    paths = len(batch.path_flow)
    count = torch.bincount(batch.hop_path, minlength=paths).float()
    mean = summed(seen, batch.hop_path, paths) / count.clamp(min=1)[:, None]
    weighted = summed(seen * seen[:, -1:], batch.hop_path, paths)
    place = batch.hop_path[:, None].expand_as(seen)
    most = torch.zeros_like(mean).scatter_reduce(0, place, seen, "amax", include_self=False)
    candidate = [torch.log1p(count), _ln_path(batch, service_s)]
    return torch.cat(
        [batch.flow[batch.path_flow], torch.stack(candidate, 1), mean, weighted, most], 1
    )
