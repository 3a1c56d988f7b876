"""Paths in training: what the networks without theory share, walks along paths and the readout."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from nettwin.engines.learned.features import FLOW, HOP_BASE, QUEUE_BASE
from nettwin.engines.learned.paths import (
    EXPONENTIAL_Z,
    HEAD,
    HIDDEN,
    MAX_CV2,
    MAX_LOGIT,
    MAX_OCCUPANCY,
    MIN_S,
    USUAL_LOGIT,
)
from nettwin.engines.learned.training.batch import Batch
from nettwin.engines.learned.training.gnn import bend
from nettwin.engines.learned.training.outputs import (
    Outputs,
    along_paths,
    limited,
    percentiles,
    summed,
)


def known_of(batch: Batch) -> tuple[Tensor, Tensor]:
    """What is known without theory of each queue and each hop. [queues, ...], [hops, ...]"""
    return batch.queue[:, : len(QUEUE_BASE)], batch.hop[:, : len(HOP_BASE)]


def gated(x: Tensor, hidden: Tensor, state: Tensor) -> Tensor:
    """The next state of a gated recurrent unit (Cho et al., 2014), from what the input `x` and
    the state, `hidden`, say to its gates. [rows, 3 width] each"""
    reset_x, keep_x, new_x = x.chunk(3, 1)
    reset_h, keep_h, new_h = hidden.chunk(3, 1)
    keep = torch.sigmoid(keep_x + keep_h)
    new = torch.tanh(new_x + torch.sigmoid(reset_x + reset_h) * new_h)
    return new + keep * (state - new)


class Walk(NamedTuple):
    """Paths in step, longest first: at each step the hops of those that are that long."""

    order: Tensor  # [paths]
    hops: Tensor  # [hops] all steps together
    going: list[int]  # [steps + 1] paths that a step moves; the last is 0


def walk(batch: Batch) -> Walk:
    """How to go along the paths of a batch."""
    length = torch.bincount(batch.hop_path, minlength=len(batch.path_flow))
    start = torch.cumsum(length, 0) - length
    order = torch.argsort(length, descending=True, stable=True)
    length, start = length[order], start[order]
    most = int(length[0]) if len(length) else 0
    going = [int((length > k).sum()) for k in range(most + 1)]
    hops = [start[:count] + k for k, count in enumerate(going)]
    return Walk(order, torch.cat(hops), going)


def along(path: Walk, x: Tensor, state: Tensor, unit: nn.Linear) -> tuple[Tensor, Tensor, Tensor]:
    """A gated unit runs along every path. `x` [hops, 3 width] is what the hops say to its gates, in
    the order of `path.hops`, `state` [paths, width] in that of the walk. Gives the states before
    and after each hop, ordered as `x`, and the last [paths, width]."""
    moving, still = state.split([path.going[0], len(state) - path.going[0]])
    before, after, ended = [moving[:0]], [moving[:0]], [still]
    for said, going in zip(x.split(path.going), path.going[1:], strict=False):
        new = gated(said, unit(moving), moving)
        before.append(moving)
        after.append(new)
        moving, still = new.split([going, len(new) - going])
        ended.append(still)
    return torch.cat(before), torch.cat(after), torch.cat(ended[::-1])


class Readout(nn.Module):
    """From the states of items, the hops of a path or the path itself, to its flows.

    An item waits its occupancy, in packets, times the mean transmission time of a packet (the
    readout of RouteNet-Fermi), so that what is learned has no scale.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.inner = nn.Linear(width, HIDDEN)
        self.correct = nn.Linear(HIDDEN, 3)
        self.head = nn.Linear(HIDDEN + len(FLOW) + 2, HEAD)
        self.tail = nn.Linear(HEAD, 4)
        for last in (self.correct, self.tail):
            nn.init.zeros_(last.bias)

    def forward(self, batch: Batch, state: Tensor, service_s: Tensor, path: Tensor) -> Outputs:
        """What the flows meet. `state` [items, width], `service_s` and `path` [items]"""
        inner = bend(self.inner(state))
        said = self.correct(inner)
        waiting = service_s * torch.exp(limited(said[:, 0], MAX_OCCUPANCY))
        waiting = waiting + MIN_S
        cv2 = torch.exp(limited(said[:, 1], MAX_CV2))
        logit = USUAL_LOGIT + limited(said[:, 2], MAX_LOGIT)
        items = batch._replace(hop_path=path)
        flows = along_paths(items, waiting, cv2 * waiting**2, nn.functional.logsigmoid(-logit))
        part = waiting / summed(waiting, path, len(batch.path_flow))[path] * flows.weight[path]
        met = summed(inner * part[:, None], batch.path_flow[path], len(batch.flow))
        deviation = torch.sqrt(flows.variance_s2)
        ln_cv = torch.log(deviation / flows.mean_s).clamp(-8, 3)
        told = torch.stack([ln_cv, torch.sqrt(1e-4 - torch.expm1(flows.ln_passing))], 1).detach()
        out = self.tail(bend(self.head(torch.cat([met, batch.flow, told], 1))))
        z = out.new_tensor(EXPONENTIAL_Z).expand(len(out), 3)
        levels = percentiles(flows.mean_s, deviation, z, out[:, :3])
        ln_scale = limited(out[:, 3], 5.0) - 3.0
        return Outputs(flows.mean_s, flows.variance_s2, flows.ln_passing, levels, ln_scale)
