"""Checkpoint: an agent in the middle of its training, in one file, written whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load, save

from nettwin.errors import FormatError, InputError
from nettwin.formats.files import read_bytes, write_bytes
from nettwin.formats.weight_file import metadata
from nettwin.optimize.solvers.reinforcement.link_graph import Weights
from nettwin.optimize.solvers.reinforcement.training.networks import LinkNetwork

CHECKPOINT = "checkpoint.safetensors"
_REMEDY = "Remove it to train from the start, or choose another folder."


def write_checkpoint(
    path: Path,
    identity: str,
    network: LinkNetwork,
    optimizer: torch.optim.Optimizer,
    iteration: int,
    best: float,
    weights: Weights,
) -> None:
    """Write a checkpoint in one step; `weights` are the best so far."""
    tensors = {f"network/{k}": v.detach() for k, v in network.state_dict().items()}
    for number, state in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer/{number}/{k}": torch.as_tensor(v) for k, v in state.items()}
    tensors |= {f"best/{k}": torch.from_numpy(np.array(v)) for k, v in weights.items()}
    ready = {name: value.contiguous().clone() for name, value in tensors.items()}
    said = {"identity": identity, "iteration": iteration, "best": best}
    write_bytes(path, save(ready, {"nettwin": json.dumps(said)}))


def read_checkpoint(
    path: Path, identity: str, network: LinkNetwork, optimizer: torch.optim.Optimizer
) -> tuple[int, float, dict[str, NDArray[np.float32]]]:
    """Put network and optimizer into the state of a checkpoint; the iteration, and the validation
    and weights of the best so far.

    Raises FormatError where it is damaged, InputError where it belongs to another training.
    """
    content = read_bytes(path)
    try:
        tensors = load(content)
        said = metadata(content)
        same = said["identity"] == identity
        iteration, best = int(said["iteration"]), float(said["best"])
        if same:
            weights = _restored(tensors, network, optimizer)
    except (SafetensorError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise FormatError(path, "", f"is not a usable checkpoint ({error})", _REMEDY) from None
    except RuntimeError as error:
        reason = str(error).splitlines()[0]
        raise FormatError(path, "", f"does not fit the network ({reason})", _REMEDY) from None
    if not same:
        raise InputError(f"{path} belongs to a training by another recipe. {_REMEDY}")
    return iteration, best, weights


def _restored(
    tensors: dict[str, torch.Tensor], network: LinkNetwork, optimizer: torch.optim.Optimizer
) -> dict[str, NDArray[np.float32]]:
    state: dict[int, dict[str, Any]] = {}
    parts: dict[str, dict[str, torch.Tensor]] = {"network": {}, "best": {}}
    for name, value in tensors.items():
        part, _, rest = name.partition("/")
        if part == "optimizer":
            number, _, key = rest.partition("/")
            state.setdefault(int(number), {})[key] = value
        else:
            parts[part][rest] = value
    network.load_state_dict(parts["network"])
    optimizer.load_state_dict({**optimizer.state_dict(), "state": state})
    return {name: value.numpy() for name, value in parts["best"].items()}
