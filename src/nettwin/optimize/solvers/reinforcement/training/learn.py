"""Learn: a network from the steps of one iteration, by a teacher's wishes or by what was gained."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from nettwin.optimize.solvers.reinforcement.training.networks import LinkNetwork
from nettwin.optimize.solvers.reinforcement.training.recipe import Practice
from nettwin.optimize.solvers.reinforcement.training.steps import CUT, Step, Task, advantages

LONGEST_GRADIENT = 0.5


def imitate(
    task: Task,
    network: LinkNetwork,
    optimizer: torch.optim.Optimizer,
    steps: list[Step],
    epochs: int,
    minibatch: int,
    random: np.random.Generator,
) -> dict[str, float]:
    """Bring the policy nearer to the wishes; the mean cross-entropy above the teacher's own."""
    losses = []
    for batch in _minibatches(np.arange(len(steps)), epochs, minibatch, random):
        part = [steps[k] for k in batch]
        logits, _ = task.forward(network, part)
        wish = np.zeros(logits.shape, np.float32)
        for row, step in zip(wish, part, strict=True):
            if step.wish is not None:
                row[: len(step.wish)] = step.wish
        wished = torch.from_numpy(wish)
        log = torch.log_softmax(logits, 1)
        loss = -(wished * log).sum(1).mean()
        least = -(wished * torch.log(wished + 1e-9)).sum(1).mean()
        _follow(network, optimizer, loss)
        losses.append(float(loss.detach() - least))
    return {"loss": float(np.mean(losses))}


def practice(
    task: Task,
    network: LinkNetwork,
    optimizer: torch.optim.Optimizer,
    steps: list[Step],
    how: Practice,
    minibatch: int,
    random: np.random.Generator,
    values_only: bool = False,
) -> dict[str, float]:
    """Proximal policy optimization on the steps; with `values_only` the policy stays as it is."""
    values = values_of(task, network, steps, minibatch)
    gained = advantages(steps, values, how.discount, how.trace)
    learned = np.flatnonzero([step.ended != CUT for step in steps])
    deviation = float(gained[learned].std()) + 1e-6
    mean = float(gained[learned].mean())
    losses, entropies = [], []
    for batch in _minibatches(learned, how.epochs, minibatch, random):
        part = [steps[k] for k in batch]
        logits, value = task.forward(network, part)
        log = torch.log_softmax(logits, 1)
        action = torch.tensor([step.action for step in part])
        old = torch.tensor([step.log_probability for step in part], dtype=torch.float32)
        ratio = torch.exp(log.gather(1, action[:, None])[:, 0] - old)
        advantage = torch.from_numpy((gained[batch] - mean) / deviation)
        goal = torch.from_numpy(gained[batch] + values[batch])
        clipped = ratio.clamp(1 - how.clip, 1 + how.clip)
        policy = -torch.minimum(ratio * advantage, clipped * advantage).mean()
        entropy = -(log.exp() * log).sum(1).mean()
        missed = nn.functional.smooth_l1_loss(value, goal)
        loss = 0.5 * missed if values_only else policy + 0.5 * missed - how.entropy * entropy
        _follow(network, optimizer, loss)
        losses.append(float(missed.detach()))
        entropies.append(float(entropy.detach()))
    return {"loss": float(np.mean(losses)), "entropy": float(np.mean(entropies))}


def values_of(
    task: Task, network: LinkNetwork, steps: list[Step], minibatch: int
) -> NDArray[np.float32]:
    """The network's values of steps. [steps]"""
    found = []
    with torch.no_grad():
        for k in range(0, len(steps), minibatch):
            found.append(task.forward(network, steps[k : k + minibatch])[1].numpy())
    return np.concatenate(found)


def _follow(network: nn.Module, optimizer: torch.optim.Optimizer, loss: torch.Tensor) -> None:
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(network.parameters(), LONGEST_GRADIENT)
    optimizer.step()


def _minibatches(
    which: NDArray[np.int64], epochs: int, size: int, random: np.random.Generator
) -> Iterator[NDArray[np.int64]]:
    for _ in range(epochs):
        order = random.permutation(which)
        for k in range(0, len(order), size):
            yield order[k : k + size]
