"""Member: one network of an ensemble, trained step by step, from a checkpoint where there is one.

A network is a torch module: a batch in, Outputs out. It may have a method `penalty(done)`, which is
minimized beside the errors (`done` is the share of the steps), and `exported()`, the weights of the
networks that a model file holds in its place.

What is random in a step follows from the seed and the number of the step, so that a training that
was stopped and continued ends with the same bits as one that was not.
"""

from __future__ import annotations

import json
import logging
import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from nettwin.engines.learned.architecture import architecture
from nettwin.engines.learned.training.batch import moved, some_flows, together
from nettwin.engines.learned.training.checkpoint import (
    Progress,
    read_checkpoint,
    restore,
    write_checkpoint,
)
from nettwin.engines.learned.training.examples import joined
from nettwin.engines.learned.training.outputs import PARTS, Outputs, errors, total
from nettwin.engines.learned.training.prepared import Prepared
from nettwin.engines.learned.training.recipe import TrainingSchedule, as_table
from nettwin.errors import InputError
from nettwin.formats.weight_file import Weights
from nettwin.training.curves import Curves

CHECKPOINT = "checkpoint.safetensors"
WATCHED = ("mean", "variance", "loss", "percentiles")  # never below 0
WINDOW = 200  # steps that are compared with the first ones
WORST = 3.0  # times the loss of the first steps, from which on training goes astray
CURVE_EVERY = 50
ORDER, FLOWS, NETWORK = 1, 2, 3  # what a random number is for
LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Training:
    """Everything that decides on the weights of a network, except its seed."""

    architecture: str
    settings: Mapping[str, Any]
    schedule: TrainingSchedule
    train: tuple[Prepared, ...]
    validation: tuple[Prepared, ...] = ()
    replayed: tuple[Prepared, ...] = ()  # every other step sees one of these
    device: str = "cpu"
    threads: int = 1
    start: tuple[Weights, ...] = field(default=(), repr=False)  # of each member, to go on from

    def identity(self, seed: int) -> str:
        """Names all that; another identity, other weights."""
        every = (*self.train, *self.replayed, *self.validation)
        texts = [self.architecture, json.dumps(dict(self.settings), sort_keys=True), str(seed)]
        texts += [json.dumps(as_table(replace(self.schedule, seeds=(seed,))), sort_keys=True)]
        texts += [f"{item.name} {Path(item.path).parent.name}" for item in every]
        for weights in self.start:
            texts += [f"{k} {v.tobytes().hex()}" for k, v in sorted(weights.items())]
        return joined([*texts, str(len(self.train)), str(len(self.replayed))])


@dataclass(frozen=True)
class Moment:
    """Where the training of a member is: told now and then."""

    seed: int
    step: int
    steps: int
    members: int = 1
    validation: float = math.nan  # mean relative error of mean delays, where just measured


Tell = Callable[[Moment], None]


def one_cycle(step: int, schedule: TrainingSchedule) -> tuple[float, float]:
    """Learning rate and momentum of a step: up to the highest rate, down to nothing, by cosines."""
    rise = schedule.rise * schedule.steps - 1
    low, high, end = schedule.rate / 25, schedule.rate, schedule.rate / 25 / 1e4

    def between(a: float, b: float, share: float) -> float:
        return b + (a - b) / 2 * (1 + math.cos(math.pi * share))

    if step < rise:
        share = step / rise
        return between(low, high, share), between(0.95, 0.85, share)
    share = (step - rise) / max(schedule.steps - 1 - rise, 1)
    return between(high, end, share), between(0.85, 0.95, share)


def train_member(
    training: Training, seed: int, folder: Path, tell: Tell | None = None
) -> list[Weights]:
    """Train one network, or go on with it; the weights of the networks that it gives.

    Raises InputError where training goes astray: it names the step and the example.
    """
    torch.set_num_threads(training.threads)
    device = torch.device(training.device)
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # CUDA repeats its sums with it
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.manual_seed(seed)
    schedule = training.schedule
    network = _network(training, seed).to(device)
    optimizer = torch.optim.AdamW(network.parameters(), schedule.rate, weight_decay=schedule.decay)
    progress = Progress(training.identity(seed), 0)
    path = folder / CHECKPOINT
    if path.exists():
        tensors, progress = read_checkpoint(path, progress.identity)
        restore(path, tensors, network, optimizer)
    LOG.info("network %d: begins at step %d of %d", seed, progress.step, schedule.steps)
    deck = _Deck(training, seed)
    watch = _Watch(progress)
    with Curves(folder, progress.step) as curves:
        for step in range(progress.step, schedule.steps):
            items = deck.at(step)
            parts = _step(training, network, optimizer, items, seed, step)
            watch.see(step, _names(items), parts)
            done = step + 1
            if done % CURVE_EVERY == 0 or done == schedule.steps:
                curves.add(done, {"rate": one_cycle(step, schedule)[0], **parts})
                if tell:
                    tell(Moment(seed, done, schedule.steps, len(schedule.seeds)))
            if done % schedule.validate_every == 0 or done == schedule.steps:
                found = validate(network, training.validation, device)
                curves.add(done, {f"validation/{k}": v for k, v in found.items()})
                LOG.info(
                    "network %d: step %d of %d, validation %s", seed, done, schedule.steps, found
                )
                if tell and found:
                    tell(Moment(seed, done, schedule.steps, len(schedule.seeds), found["owd_mean"]))
            if done % schedule.checkpoint_every == 0 or done == schedule.steps:
                curves.flush()
                write_checkpoint(path, network, optimizer, watch.progress(done))
    torch.manual_seed(seed)
    given = network.exported() if hasattr(network, "exported") else [network.state_dict()]
    return [{k: v.detach().cpu().float().numpy() for k, v in one.items()} for one in given]


def _network(training: Training, seed: int) -> nn.Module:
    network = cast(nn.Module, architecture(training.architecture).network(**training.settings))
    if training.start:
        at = training.schedule.seeds.index(seed) % len(training.start)
        weights = {k: torch.from_numpy(np.array(v)) for k, v in training.start[at].items()}
        try:
            network.load_state_dict(weights)
        except RuntimeError as error:
            reason = str(error).splitlines()[-1].strip()
            raise InputError(
                f"the model's weights do not fit its architecture: {reason} Install it again."
            ) from None
    return network


def _step(
    training: Training,
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    items: Sequence[Prepared],
    seed: int,
    step: int,
) -> dict[str, float]:
    """Learn from some examples; the parts of their loss."""
    schedule = training.schedule
    random = np.random.default_rng([seed, step, FLOWS])
    torch.manual_seed(int(np.random.default_rng([seed, step, NETWORK]).integers(2**62)))
    batch = together([some_flows(item.batch(), schedule.flows, random) for item in items])
    batch = moved(batch, torch.device(training.device))
    rate, momentum = one_cycle(step, schedule)
    for group in optimizer.param_groups:
        group["lr"], group["betas"] = rate, (momentum, group["betas"][1])
    found = errors(cast(Outputs, network(batch)), batch)
    loss = total(found)
    if hasattr(network, "penalty"):
        found["penalty"] = network.penalty(step / schedule.steps)
        loss = loss + found["penalty"]
    optimizer.zero_grad()
    loss.backward()
    size = torch.nn.utils.clip_grad_norm_(network.parameters(), schedule.clip)
    if not bool(torch.isfinite(loss)) or not bool(torch.isfinite(size)):
        raise _astray(
            step, _names(items), f"the loss is {float(loss.detach()):g}, its slope {size:g}"
        )
    optimizer.step()
    return {name: float(value.detach()) for name, value in found.items()}


def _names(items: Sequence[Prepared]) -> str:
    return ", ".join(item.name for item in items)


def _astray(step: int, name: str, reason: str) -> InputError:
    return InputError(
        f"training went astray at step {step + 1}, on sample {name}: {reason}. Lower the schedule's"
        " rate, or look at that sample; the last checkpoint is kept."
    )


class _Deck:
    """The examples of each step: all of them in a new order, again and again."""

    def __init__(self, training: Training, seed: int) -> None:
        self.training, self.seed = training, seed
        self.orders: dict[tuple[int, int], np.ndarray[Any, Any]] = {}

    def at(self, step: int) -> list[Prepared]:
        items, pile = self.training.train, 0
        if self.training.replayed:
            step, pile = divmod(step, 2)
            items = self.training.replayed if pile else items
        count = self.training.schedule.scenarios
        return [self._of(items, step * count + k, pile) for k in range(count)]

    def _of(self, items: Sequence[Prepared], number: int, pile: int) -> Prepared:
        turn, place = divmod(number, len(items))
        if (pile, turn) not in self.orders:
            self.orders = {key: order for key, order in self.orders.items() if key[0] != pile}
            random = np.random.default_rng([self.seed, turn, ORDER, pile])
            self.orders[pile, turn] = random.permutation(len(items))
        return items[int(self.orders[pile, turn][place])]


class _Watch:
    """Compares the last steps with the first, and calls out when training goes astray."""

    def __init__(self, progress: Progress) -> None:
        self.identity, self.first = progress.identity, progress.first
        self.recent = list(progress.recent)

    def see(self, step: int, name: str, parts: Mapping[str, float]) -> None:
        self.recent = [*self.recent[1 - WINDOW :], sum(PARTS[k] * parts[k] for k in WATCHED)]
        mean = sum(self.recent) / len(self.recent)
        if step + 1 == WINDOW:
            self.first = mean
        elif step >= 2 * WINDOW and mean > WORST * self.first:
            raise _astray(
                step,
                name,
                f"over {WINDOW} steps the loss is {mean / self.first:.1f}"
                " times that of the first steps",
            )

    def progress(self, step: int) -> Progress:
        return Progress(self.identity, step, self.first, tuple(self.recent))


@torch.no_grad()
def validate(
    network: nn.Module, items: Sequence[Prepared], device: torch.device
) -> dict[str, float]:
    """The error of a network: of delays relative, of loss absolute, means of scenarios' means."""
    found: dict[str, list[float]] = {"owd_mean": [], "owd_p90": [], "loss": []}
    network.eval()
    for item in items:
        batch = moved(item.batch(), device)
        said = cast(Outputs, network(batch))
        off: dict[str, Tensor] = {
            "owd_mean": (said.mean_s / batch.mean_s - 1).abs(),
            "owd_p90": (said.percentile_s[:, 1] / batch.percentile_s[:, 1] - 1).abs(),
            "loss": (-torch.expm1(said.ln_passing) - batch.loss).abs(),
        }
        for name, values in off.items():
            known = values[torch.isfinite(values)]
            if len(known):
                found[name].append(float(known.mean()))
    network.train()
    return {name: float(np.mean(each)) for name, each in found.items() if each}
