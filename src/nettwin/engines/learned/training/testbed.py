"""Training of the network over ports and flows on measured delays (see `learned.testbed`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from nettwin.engines.learned.testbed.forward import (
    HOPS_SCALE,
    LN_LONGEST,
    LN_SHORTEST,
    MAX_LATENCY,
    MOST,
    PORT_SCALE,
)
from nettwin.engines.learned.testbed.inputs import (
    FLOW,
    HOP,
    PORT,
    BurstInputs,
    latency_s,
    with_latency,
)

Floats = NDArray[np.float64]
STEEPEST = 20.0  # times too long from which on the loss grows with the logarithm
ROBUST = 0.1  # flows off by more do not count in the second fit of latencies


@dataclass(frozen=True)
class Settings:
    """How long and how fast to train. One core needs about a second an epoch of 500 scenarios."""

    width: int = 32
    rounds: int = 2
    epochs: int = 12
    batch: int = 12
    rate: float = 3e-3
    decay: float = 1e-3
    seed: int = 0


class BurstNetwork(nn.Module):
    """Ports and flows exchange messages over hops; each hop's waiting is corrected.

    The last layers are zero at the start: untrained, the network is latency plus first guesses.
    """

    def __init__(self, *, width: int = 32, rounds: int = 2) -> None:
        super().__init__()
        self.enter_port = _layers(len(PORT), width, width)
        self.enter_flow = _layers(len(FLOW), width, width)
        self.enter_hop = nn.Linear(len(HOP), width)
        self.of_port = nn.ModuleList(nn.Linear(width, width) for _ in range(rounds))
        self.of_flow = nn.ModuleList(nn.Linear(width, width) for _ in range(rounds))
        self.upstream = nn.ModuleList(nn.Linear(width, width) for _ in range(rounds))
        self.port_cell = nn.GRUCell(2 * width, width)
        self.flow_cell = nn.GRUCell(width, width)
        self.read_port = nn.Linear(width, width)
        self.read_flow = nn.Linear(width, width)
        self.read_hop = nn.Linear(len(HOP), width)
        self.correct = _layers(width, width, 1)
        self.latency_correction = _layers(width, 16, 1)
        for last in (self.correct[-1], self.latency_correction[-1]):
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)

    def forward(self, b: Batch) -> Tensor:
        """The mean delay of each flow. [flows]"""
        at, of, ports, flows = b.hop_port, b.hop_flow, len(b.port), len(b.flow)
        h, f, e = self.enter_port(b.port), self.enter_flow(b.flow), self.enter_hop(b.hop)
        for of_port, of_flow, upstream in zip(
            self.of_port, self.of_flow, self.upstream, strict=True
        ):
            above = upstream(h)[at][b.hop_before] * b.later
            said = nn.functional.silu(e + of_port(h)[at] + of_flow(f)[of] + above)
            heard = [_summed(said * b.share, at, ports), _summed(said, at, ports) / PORT_SCALE]
            h = self.port_cell(torch.cat(heard, 1), h)
            f = self.flow_cell(_summed(said, of, flows) / HOPS_SCALE, f)
        u = nn.functional.silu(self.read_port(h)[at] + self.read_flow(f)[of] + self.read_hop(b.hop))
        ln_wait = b.guess_ln_s + MOST * torch.tanh(self.correct(u)[:, 0] / MOST)
        waiting = torch.exp(ln_wait.clamp(LN_SHORTEST, LN_LONGEST))
        bend = MAX_LATENCY * torch.tanh(self.latency_correction(f)[:, 0])
        return (b.latency_s * torch.exp(bend)).index_add(0, of, waiting)


@dataclass(frozen=True)
class Batch:
    """Some scenarios as one graph, features scaled."""

    port: Tensor
    hop: Tensor
    flow: Tensor
    hop_flow: Tensor
    hop_port: Tensor
    hop_before: Tensor
    later: Tensor  # [hops, 1] 0 for the first hop of a flow
    share: Tensor  # [hops, 1]
    guess_ln_s: Tensor
    latency_s: Tensor
    measured_s: Tensor


@dataclass(frozen=True)
class Scales:
    """Mean and spread of the features, by kind."""

    mean: dict[str, NDArray[np.float32]]
    scale: dict[str, NDArray[np.float32]]

    @classmethod
    def of(cls, inputs: Sequence[BurstInputs]) -> Scales:
        """Those of some inputs."""
        mean, scale = {}, {}
        for kind in ("port", "hop", "flow"):
            values = np.concatenate([getattr(i, kind) for i in inputs])
            mean[kind] = values.mean(0).astype(np.float32)
            scale[kind] = (values.std(0) + 1e-3).astype(np.float32)
        return cls(mean, scale)


def fitted_latency(inputs: Sequence[BurstInputs], measured_s: Sequence[Floats]) -> Floats:
    """Coefficients of the latency: relative least squares over flows that nothing can hold up."""
    terms = np.concatenate([i.latency[i.calm] for i in inputs])
    delay = np.concatenate([d[i.calm] for i, d in zip(inputs, measured_s, strict=True)])
    found = relative_least_squares(terms, delay)
    near = np.abs(terms @ found / delay - 1) < ROBUST
    return relative_least_squares(terms[near], delay[near])


def relative_least_squares(terms: Floats, values: Floats) -> Floats:
    """Coefficients that make the relative error of `terms @ coefficients` smallest."""
    found = np.linalg.lstsq(terms / values[:, None], np.ones(len(values)), rcond=None)[0]
    return np.asarray(found, np.float64)


def train_testbed(
    inputs: Sequence[BurstInputs],
    measured_s: Sequence[Floats],
    settings: Settings | None = None,
    tell: Callable[[int, float], None] | None = None,
) -> dict[str, NDArray[np.float32]]:
    """Weights for `testbed.forward.delays`, trained to a small relative error of the delay.

    `tell` hears of each epoch its number and its mean loss. Deterministic for a seed.
    """
    settings = settings or Settings()
    coefficients = fitted_latency(inputs, measured_s)
    latency = [latency_s(i, coefficients) for i in inputs]
    ready = [with_latency(i, base) for i, base in zip(inputs, latency, strict=True)]
    scales = Scales.of(ready[:: max(1, len(ready) // 1000)])
    torch.manual_seed(settings.seed)
    rng = np.random.default_rng(settings.seed)
    network = BurstNetwork(width=settings.width, rounds=settings.rounds)
    steps = max(1, len(ready) // settings.batch)
    optimizer = torch.optim.AdamW(
        network.parameters(), lr=settings.rate, weight_decay=settings.decay
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, settings.rate, total_steps=max(1, steps * settings.epochs), pct_start=0.1
    )
    for epoch in range(settings.epochs):
        order, total = rng.permutation(len(ready)), 0.0
        for chosen in np.array_split(order, steps):
            batch = _batch([(ready[k], latency[k], measured_s[k]) for k in chosen], scales)
            loss = _loss(network(batch), batch.measured_s, epoch / (0.3 * settings.epochs))
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            total += loss.item()
        if tell:
            tell(epoch + 1, total / steps)
    weights = {name: values.detach().numpy() for name, values in network.named_parameters()}
    weights["latency"] = coefficients.astype(np.float32)
    for kind in scales.mean:
        weights[f"{kind}_mean"], weights[f"{kind}_scale"] = scales.mean[kind], scales.scale[kind]
    return weights


def _loss(predicted: Tensor, measured: Tensor, progress: float) -> Tensor:
    """Relative error; of its logarithm first, as that leads out of any beginning."""
    ratio = predicted / measured
    ln = torch.log(ratio)
    steep = STEEPEST - 1 + STEEPEST * (ln - float(np.log(STEEPEST)))
    relative = torch.where(ratio > STEEPEST, steep, (ratio - 1).abs())
    part = min(1.0, progress)
    return (part * relative + (1 - part) * ln.abs()).mean()


def _batch(parts: Sequence[tuple[BurstInputs, Floats, Floats]], scales: Scales) -> Batch:
    inputs = [part[0] for part in parts]
    joined = {
        f.name: np.concatenate([getattr(i, f.name) for i in inputs])
        for f in fields(BurstInputs)
        if f.name not in ("latency", "calm")
    }
    for name, of in (("hop_flow", "flow"), ("hop_port", "port"), ("hop_before", "hop")):
        shift = np.cumsum([0] + [len(getattr(i, of)) for i in inputs[:-1]])
        joined[name] = joined[name] + np.repeat(shift, [len(i.hop) for i in inputs])
    share = joined["hop"][:, :1]
    for kind in scales.mean:
        joined[kind] = (joined[kind] - scales.mean[kind]) / scales.scale[kind]
    later = (joined["hop_before"] != np.arange(len(share))).astype(np.float32)[:, None]
    tensors = {name: torch.from_numpy(values) for name, values in joined.items()}
    base, measured = (
        torch.from_numpy(np.concatenate([part[k] for part in parts]).astype(np.float32))
        for k in (1, 2)
    )
    return Batch(
        **tensors,
        later=torch.from_numpy(later),
        share=torch.from_numpy(share),
        latency_s=base,
        measured_s=measured,
    )


def _layers(inputs: int, hidden: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(inputs, hidden), nn.SiLU(), nn.Linear(hidden, outputs))


def _summed(values: Tensor, to: Tensor, count: int) -> Tensor:
    return values.new_zeros(count, values.shape[1]).index_add(0, to, values)
