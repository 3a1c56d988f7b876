"""Checkpoint: a network in the middle of its training, in one file, written whole or not at all.

Weights and the state of the optimizer are tensors, the rest is JSON in the metadata. What is random
follows from seed and step alone (see `member`), so that no generator needs to be kept.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn

from nettwin.errors import FormatError, InputError
from nettwin.formats.files import read_bytes, write_bytes
from nettwin.formats.weight_file import metadata

_REMEDY = "Remove it to train from the start, or choose another folder."


@dataclass(frozen=True)
class Progress:
    """How far a training has come, and its losses until then."""

    identity: str  # of everything that decides on the result
    step: int
    first: float = 0.0  # mean of what is watched over the first steps
    recent: tuple[float, ...] = ()


def write_checkpoint(
    path: Path, network: nn.Module, optimizer: torch.optim.Optimizer, progress: Progress
) -> None:
    """Write a checkpoint in one step."""
    tensors = {f"network/{k}": v.detach() for k, v in network.state_dict().items()}
    for number, state in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer/{number}/{k}": torch.as_tensor(v) for k, v in state.items()}
    ready = {name: value.cpu().contiguous().clone() for name, value in tensors.items()}
    write_bytes(path, save(ready, {"nettwin": json.dumps(vars(progress))}))


def read_checkpoint(path: Path, identity: str) -> tuple[dict[str, Tensor], Progress]:
    """The tensors of a checkpoint, and how far it had come.

    Raises FormatError where it is damaged, InputError where it belongs to another training.
    """
    content = read_bytes(path)
    try:
        tensors = load(content)
        said = metadata(content)
        progress = Progress(
            str(said["identity"]),
            int(said["step"]),
            float(said["first"]),
            tuple(float(v) for v in said["recent"]),
        )
    except (SafetensorError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise FormatError(path, "", f"is not a usable checkpoint ({error})", _REMEDY) from None
    if progress.identity != identity:
        raise InputError(
            f"{path} belongs to a training of other data, settings or steps: must be the same to go"
            f" on. {_REMEDY}"
        )
    return tensors, progress


def restore(
    path: Path,
    tensors: Mapping[str, Tensor],
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
) -> None:
    """Put network and optimizer into the state of a checkpoint. Raises FormatError."""
    weights: dict[str, Tensor] = {}
    state: dict[int, dict[str, Any]] = {}
    try:
        for name, value in tensors.items():
            part, _, rest = name.partition("/")
            if part == "network":
                weights[rest] = value
            else:
                number, _, key = rest.partition("/")
                state.setdefault(int(number), {})[key] = value
        network.load_state_dict(weights)
        optimizer.load_state_dict({**optimizer.state_dict(), "state": state})
    except (RuntimeError, ValueError, KeyError) as error:
        reason = str(error).splitlines()[0]
        raise FormatError(path, "", f"does not fit the network ({reason})", _REMEDY) from None
