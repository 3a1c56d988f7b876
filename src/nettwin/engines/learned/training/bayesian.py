"""The gnn with uncertain weights: Bayes by backprop (Blundell et al., ICML 2015)."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.func import functional_call

from nettwin.engines.learned.training.batch import Batch
from nettwin.engines.learned.training.gnn import QueueGraph
from nettwin.engines.learned.training.outputs import Outputs

FIRST_DEVIATION = 0.003  # of a weight before training
ANNEALED = 0.3  # share of the steps over which the prior comes in


class Bayesian(nn.Module):
    """A QueueGraph each of whose weights is a normal variable of its own mean and deviation.

    In training the weights are drawn at every step, once for the whole batch: drawn for each row
    (local reparameterization), their effects would cancel along a path, which those of a network
    drawn once do not. What is minimized beside the error is the divergence from the prior, a normal
    variable of deviation `prior` around 0, for each of `observations`; flows that share a queue
    share its error, so that queues, not flows, are counted. `unit` is the error that weighs as much
    as one nat. The trained network answers as `members` networks drawn from it.
    """

    def __init__(
        self,
        *,
        width: int = 32,
        hidden: int = 24,
        rounds: int = 2,
        members: int = 8,
        prior: float = 0.2,
        observations: float = 3e5,
        unit: float = 0.02,
    ) -> None:
        super().__init__()
        self.prior, self.weight_of_nat, self.members = prior, unit / observations, members
        self.center = QueueGraph(width=width, hidden=hidden, rounds=rounds)
        first = math.log(FIRST_DEVIATION)
        self.ln_deviation = nn.ParameterDict(
            {_key(name): torch.full_like(p, first) for name, p in self.center.named_parameters()}
        )

    def forward(self, batch: Batch) -> Outputs:
        """What the flows of a batch meet; weights are drawn in training, else they are means."""
        weights = self.drawn() if self.training else dict(self.center.named_parameters())
        found: Outputs = functional_call(self.center, weights, (batch,))
        return found

    def drawn(self) -> dict[str, Tensor]:
        """Weights of one network."""
        return {
            name: mean + torch.exp(self.ln_deviation[_key(name)]) * torch.randn_like(mean)
            for name, mean in self.center.named_parameters()
        }

    def penalty(self, done: float) -> Tensor:
        """What is minimized beside the error, at a share `done` of the training."""
        parts = []
        for name, mean in self.center.named_parameters():
            ln_ratio = self.ln_deviation[_key(name)] - math.log(self.prior)
            square = (mean / self.prior) ** 2
            parts.append((0.5 * (torch.exp(2 * ln_ratio) + square - 1) - ln_ratio).sum())
        return self.weight_of_nat * min(done / ANNEALED, 1.0) * torch.stack(parts).sum()

    def exported(self) -> list[dict[str, Tensor]]:
        """The networks that a model file holds: drawn from what was learned."""
        kept = dict(self.center.named_buffers())
        return [{**self.drawn(), **kept} for _ in range(self.members)]


def _key(name: str) -> str:
    """A parameter's name without dots, which a ParameterDict does not take."""
    return name.replace(".", "/")
