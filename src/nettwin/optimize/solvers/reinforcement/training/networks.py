"""Networks: the agents' policies for PyTorch, with a value for training; sums as in inference.

Several decisions, of networks of different size, stand side by side in one batch.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from nettwin.optimize.solvers.reinforcement.link_graph import FEATURES, Weights
from nettwin.optimize.solvers.reinforcement.midpoint_policy import EXTRAS, MAX_APART, UNMASKED


class Links(NamedTuple):
    """Link graphs side by side."""

    features: Tensor  # [links, features]
    source: Tensor  # [links]
    target: Tensor  # [links]
    into: Tensor  # [nodes]
    out: Tensor  # [nodes]
    graph: Tensor  # [links], which decision a link belongs to
    graphs: int


class Options(NamedTuple):
    """The candidates of decisions side by side; candidate c of decision b is at b * most + c."""

    mask: Tensor  # [decisions, most]
    extras: Tensor  # [decisions, most, EXTRAS]
    candidate: Tensor  # [entries]
    link: Tensor  # [entries]
    part: Tensor  # [entries]
    over: Tensor  # [entries]


class LinkNetwork(nn.Module):
    """Message passing over links, and a value of the whole graph."""

    def __init__(self, width: int, rounds: int, seed: int) -> None:
        super().__init__()
        random = torch.Generator().manual_seed(seed)
        self.random = random
        self.enter_weight = self.drawn(len(FEATURES), width)
        self.enter_bias = nn.Parameter(torch.zeros(width))
        self.rounds_weight = nn.Parameter(
            torch.stack([self.drawn(3 * width, width).detach() for _ in range(rounds)])
        )
        self.rounds_bias = nn.Parameter(torch.zeros(rounds, width))
        self.value_first = self.drawn(2 * width, width)
        self.value_bias = nn.Parameter(torch.zeros(width))
        self.value_last = self.drawn(width, 1)

    def drawn(self, rows: int, columns: int, scale: float = 1.0) -> nn.Parameter:
        """Random weights of a linear map [rows, columns]."""
        return nn.Parameter(torch.randn(rows, columns, generator=self.random) * (scale / rows**0.5))

    def hidden(self, links: Links) -> Tensor:
        """What message passing makes of the features. [links, width]"""
        h = torch.relu(links.features @ self.enter_weight + self.enter_bias)
        for weight, bias in zip(self.rounds_weight, self.rounds_bias, strict=True):
            before = torch.zeros(len(links.into), h.shape[1]).index_add(0, links.target, h)
            after = torch.zeros(len(links.out), h.shape[1]).index_add(0, links.source, h)
            before, after = before * links.into[:, None], after * links.out[:, None]
            heard = torch.cat([h, before[links.source], after[links.target]], 1)
            h = h + torch.relu(heard @ weight + bias)
        return h

    def value(self, h: Tensor, links: Links) -> Tensor:
        """What is still to be gained, of each graph. [graphs]"""
        shape = (links.graphs, h.shape[1])
        count = torch.bincount(links.graph, minlength=links.graphs).clamp(min=1)
        mean = torch.zeros(shape).index_add(0, links.graph, h) / count[:, None]
        place = links.graph[:, None].expand_as(h)
        most = torch.zeros(shape).scatter_reduce(0, place, h, "amax", include_self=True)
        pooled = torch.cat([mean, most], 1)
        hidden = torch.relu(pooled @ self.value_first + self.value_bias)
        return (hidden @ self.value_last)[:, 0]

    def exported(self) -> dict[str, np.ndarray]:
        """The weights as inference names them; the value is left out."""
        return {
            name.replace("_weight", ".weight").replace("_bias", ".bias"): np.array(
                value.detach().numpy()
            )
            for name, value in self.named_parameters()
            if not name.startswith("value_")
        }

    def load(self, weights: Weights) -> None:
        """Take over exported weights."""
        for name, value in self.named_parameters():
            known = name.replace("_weight", ".weight").replace("_bias", ".bias")
            if known in weights:
                value.data.copy_(torch.from_numpy(np.array(weights[known])))


class MidpointNetwork(LinkNetwork):
    """See `midpoint_policy.MidpointPolicy`."""

    def __init__(
        self, width: int = 16, rounds: int = 2, channels: int = 4, hidden: int = 16, seed: int = 1
    ) -> None:
        super().__init__(width, rounds, seed)
        self.price_weight = self.drawn(width, channels, 0.1)
        self.price_bias = nn.Parameter(torch.zeros(channels))
        self.steep = nn.Parameter(torch.linspace(1.0, 4.0, channels))
        self.first_weight = self.drawn(channels + EXTRAS, hidden, 2.0)
        self.first_bias = nn.Parameter(torch.zeros(hidden))
        self.last_weight = nn.Parameter(self.drawn(hidden, 1).detach()[:, 0])

    def forward(self, links: Links, options: Options) -> tuple[Tensor, Tensor]:
        """Logits [decisions, most] and values [decisions]."""
        h = self.hidden(links)
        price = nn.functional.softplus(h @ self.price_weight + self.price_bias)
        growth = torch.exp(options.over[:, None] * torch.exp(self.steep))
        paid = options.part[:, None] * price[options.link] * growth
        shape = options.mask.shape
        cost = torch.zeros(shape.numel(), price.shape[1]).index_add(0, options.candidate, paid)
        cost = cost.reshape(*shape, -1)
        shown = options.mask[:, :, None]
        log = torch.log(cost + 1e-30)
        least = torch.where(shown, log, torch.inf).amin(1, keepdim=True)
        apart = torch.where(shown, (log - least).clamp(max=MAX_APART), 0.0)
        x = torch.cat([apart, options.extras], 2)
        logits = torch.relu(x @ self.first_weight + self.first_bias) @ self.last_weight
        return logits.masked_fill(~options.mask, UNMASKED), self.value(h, links)


class WeightNetwork(LinkNetwork):
    """See `weight_policy.WeightPolicy`."""

    def __init__(self, width: int = 16, rounds: int = 2, hidden: int = 16, seed: int = 1) -> None:
        super().__init__(width, rounds, seed)
        self.first_weight = self.drawn(width, hidden)
        self.first_bias = nn.Parameter(torch.zeros(hidden))
        self.last_weight = nn.Parameter(self.drawn(hidden, 1, 0.1).detach()[:, 0])

    def forward(self, links: Links, mask: Tensor, place: Tensor) -> tuple[Tensor, Tensor]:
        """Logits [graphs, most] and values [graphs]; link e is at `place[e]` of all logits."""
        h = self.hidden(links)
        each = torch.relu(h @ self.first_weight + self.first_bias) @ self.last_weight
        logits = torch.zeros(mask.numel()).index_copy(0, place, each).reshape(mask.shape)
        return logits.masked_fill(~mask, UNMASKED), self.value(h, links)
