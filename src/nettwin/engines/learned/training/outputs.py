"""Outputs: what a network in training says of each flow; how hops become flows; what is wrong."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from nettwin.engines.learned.training.batch import Batch


class Outputs(NamedTuple):
    """What is predicted of each flow. [flows]"""

    mean_s: Tensor
    variance_s2: Tensor
    ln_passing: Tensor  # of the part that arrives
    percentile_s: Tensor  # [flows, 3]
    ln_scale: Tensor  # of the error of ln(mean_s), Laplace


class Paths(NamedTuple):
    """Hops summed along paths, and paths mixed to flows."""

    weight: Tensor  # [paths] part of what arrives of the flow
    mean_s: Tensor  # [flows]
    variance_s2: Tensor  # [flows]
    ln_passing: Tensor  # [flows]


def summed(values: Tensor, index: Tensor, count: int) -> Tensor:
    """Values added up by index. [count, ...]"""
    zero = torch.zeros((count, *values.shape[1:]), dtype=values.dtype, device=values.device)
    return zero.index_add(0, index, values)


def along_paths(batch: Batch, waiting_s: Tensor, variance_s2: Tensor, ln_pass: Tensor) -> Paths:
    """Flows from what they meet hop by hop, [hops] each; in double precision, because the delays
    of a flow's paths may differ by little."""
    waiting_s, variance_s2, ln_pass = waiting_s.double(), variance_s2.double(), ln_pass.double()
    paths, flows = len(batch.path_flow), len(batch.flow)
    hop_path, path_flow = batch.hop_path, batch.path_flow
    mean = batch.path_fixed_s + summed(waiting_s, hop_path, paths)
    variance = batch.path_fixed_s2 + summed(variance_s2, hop_path, paths)
    passing = batch.path_share * torch.exp(summed(ln_pass, hop_path, paths))
    arriving = summed(passing, path_flow, flows)
    weight = passing / arriving[path_flow].clamp(min=1e-12)
    flow_mean = summed(weight * mean, path_flow, flows).clamp(min=1e-15)  # without a path: 0
    between = (mean - flow_mean[path_flow]) ** 2
    flow_variance = summed(weight * (variance + between), path_flow, flows).clamp(min=1e-30)
    passed = torch.log(arriving.clamp(min=1e-12))
    return Paths(*(found.float() for found in (weight, flow_mean, flow_variance, passed)))


def limited(x: Tensor, most: float) -> Tensor:
    """x for small x, within `most` of 0: x / sqrt(1 + (x / most)^2)."""
    return x / torch.sqrt(1.0 + (x / most) ** 2)


def percentiles(mean_s: Tensor, deviation_s: Tensor, z: Tensor, moved: Tensor) -> Tensor:
    """p50, p90 and p99, in this order whatever is learned. [flows, 3]

    In standard deviations from the mean: theory's `z` [flows, 3], the 90th moved, and the
    distances of the others to it stretched, by what is learned, `moved` [flows, 3].
    """
    middle = z[:, 1] + limited(moved[:, 1], 2.0)
    stretch = torch.exp(limited(moved, 2.0))
    low = middle - (z[:, 1] - z[:, 0]).clamp(min=1e-3) * stretch[:, 0]
    high = middle + (z[:, 2] - z[:, 1]).clamp(min=1e-3) * stretch[:, 2]
    at = torch.stack([low, middle, high], dim=1)
    return mean_s[:, None] + deviation_s[:, None] * at


def errors(found: Outputs, batch: Batch) -> dict[str, Tensor]:
    """The parts of what training minimizes, each a mean over the flows whose label is known.

    `judged` weighs the error of the mean by how large an error the network expects: flows that
    are easy are learned finely, and hard ones do not drown them.
    """
    mean = _ln_error(found.mean_s, batch.mean_s, 1e-15)
    variance = _ln_error(found.variance_s2, batch.variance_s2, 1e-30)
    level = _ln_error(found.percentile_s, batch.percentile_s, 1e-12)
    distance = mean.abs()
    judged = (distance * torch.exp(-found.ln_scale.detach())).clamp(max=MAX_JUDGED)
    laplace = found.ln_scale + distance.detach() * torch.exp(-found.ln_scale)
    known = torch.isfinite(batch.mean_s)
    counts = batch.weight * batch.share
    return {
        "mean": _mean(_smooth(mean, 0.02), known, counts),
        "judged": _mean(judged, known, counts),
        "variance": _mean(_smooth(variance, 0.1), torch.isfinite(batch.variance_s2), counts),
        "loss": _divergence(found.ln_passing, batch.loss, batch.share),
        "percentiles": _mean(
            _smooth(level, 0.02), torch.isfinite(batch.percentile_s), counts[:, None]
        ),
        "scale": _mean(laplace, known, batch.share),
    }


MAX_JUDGED = 4.0  # expected errors, from which on a flow is not pulled harder
PARTS = {
    "mean": 1.0,
    "judged": 0.02,
    "variance": 0.05,
    "loss": 1.0,
    "percentiles": 0.3,
    "scale": 0.02,
}


def total(parts: dict[str, Tensor]) -> Tensor:
    """What training minimizes."""
    return torch.stack([PARTS[name] * value for name, value in parts.items()]).sum()


def _ln_error(found: Tensor, label: Tensor, least: float) -> Tensor:
    """The logarithm of found over label; 0 where the label is not known. What is found and is no
    number stays none, so that it is noticed."""
    known = torch.isfinite(label)
    ratio = torch.log(found.clamp(min=least)) - torch.log(torch.where(known, label, 1.0))
    return torch.where(known, ratio, 0.0)


def _smooth(error: Tensor, beta: float) -> Tensor:
    """Huber's loss over beta."""
    return functional.smooth_l1_loss(error, torch.zeros_like(error), beta=beta, reduction="none")


def _mean(values: Tensor, known: Tensor, weight: Tensor) -> Tensor:
    weight = torch.where(known, weight.expand_as(values), 0.0)
    return (torch.where(known, values, 0.0) * weight).sum() / weight.sum().clamp(min=1e-6)


def _divergence(ln_passing: Tensor, loss: Tensor, share: Tensor) -> Tensor:
    """Kullback-Leibler divergence of the part lost, recorded from predicted; mean of flows."""
    known = torch.isfinite(loss)
    target = torch.where(known, loss, 0.0).clamp(0.0, 1.0)
    passing = ln_passing.clamp(-13.8, -1e-6)
    ln_loss = torch.log(-torch.expm1(passing))
    cross = -(target * ln_loss + (1 - target) * passing)
    own = torch.xlogy(target, target) + torch.xlogy(1 - target, 1 - target)
    return _mean(cross + own, known, share)
