"""Batch: the inputs and the labels of one scenario as tensors, and a sample of its flows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nettwin.engines.learned.inputs import Inputs, by_hop
from nettwin.engines.learned.recorded import recorded
from nettwin.metrics import Metrics

Singles = NDArray[np.float32]
PERCENTILES = ("owd_p50_s", "owd_p90_s", "owd_p99_s")
NOISE = 0.05  # relative standard error of a label at which it counts half


class Batch(NamedTuple):
    """One scenario to learn from, or some of its flows. Labels that are not known are NaN."""

    queue: Tensor  # [queues, QUEUE]
    edge: Tensor  # [edges, EDGE]
    edge_source: Tensor
    edge_target: Tensor
    port: Tensor  # [queues]
    ports: int
    flow: Tensor  # [flows, FLOW]
    shape: Tensor  # [flows, SHAPES]
    hop: Tensor  # [hops, HOP]
    hop_queue: Tensor  # [hops]
    hop_path: Tensor  # [hops]
    path_flow: Tensor  # [paths]
    path_share: Tensor  # [paths]
    path_fixed_s: Tensor  # [paths]
    path_fixed_s2: Tensor  # [paths]
    waiting_s: Tensor  # [hops]
    waiting_cv2: Tensor  # [hops]
    loss_logit: Tensor  # [hops]
    service_s: Tensor  # [queues]
    mean_s: Tensor  # [flows] labels
    variance_s2: Tensor  # [flows]
    loss: Tensor  # [flows]
    percentile_s: Tensor  # [flows, 3]
    weight: Tensor  # [flows] how surely the labels are known, at most 1
    share: Tensor  # [flows] what a flow counts beside those of other scenarios


class Labels(NamedTuple):
    """What was simulated or measured of a scenario; NaN where it is not known or says nothing."""

    mean_s: Singles  # [flows]
    variance_s2: Singles  # [flows]
    loss: Singles  # [flows]
    percentile_s: Singles  # [flows, 3]
    weight: Singles  # [flows] how surely they are known, at most 1


def labels_of(metrics: Metrics) -> Labels:
    """What can be learned from metrics."""
    flow, known = metrics.flow, recorded(metrics)
    weight = np.ones(len(flow))
    if "owd_mean_s" in flow.low:
        with np.errstate(invalid="ignore", divide="ignore"):
            noise = (flow.high["owd_mean_s"] - flow.low["owd_mean_s"]) / 4 / flow["owd_mean_s"]
        weight = 1 / (1 + (np.nan_to_num(noise, nan=1.0, posinf=1.0) / NOISE) ** 2)
    columns = (
        known["owd_mean_s"],
        known["pdv_s2"],
        known["loss_ratio"],
        np.stack([known[name] for name in PERCENTILES], axis=1),
        weight,
    )
    return Labels(*(column.astype(np.float32) for column in columns))


def batch_of(inputs: Inputs, labels: Labels) -> Batch:
    """A scenario's inputs with what was simulated or measured of it."""

    def real(values: NDArray[np.generic]) -> Tensor:
        return torch.from_numpy(np.array(values, np.float32))

    def whole(values: NDArray[np.generic]) -> Tensor:
        return torch.from_numpy(np.array(values, np.int64))

    def double(values: NDArray[np.generic]) -> Tensor:
        return torch.from_numpy(np.array(values, np.float64))

    inputs, ports = by_hop(inputs), len(inputs.port_offset) - 1
    return Batch(
        queue=real(inputs.queue),
        edge=real(inputs.edge),
        edge_source=whole(inputs.edge_source),
        edge_target=whole(inputs.edge_target),
        port=whole(np.repeat(np.arange(ports), np.diff(inputs.port_offset))),
        ports=ports,
        flow=real(inputs.flow),
        shape=real(inputs.shape),
        hop=real(inputs.hop),
        hop_queue=whole(inputs.hop_queue),
        hop_path=whole(np.repeat(np.arange(len(inputs.path_flow)), np.diff(inputs.path_offset))),
        path_flow=whole(inputs.path_flow),
        path_share=double(inputs.path_share),
        path_fixed_s=double(inputs.path_fixed_s),
        path_fixed_s2=double(inputs.path_fixed_s2),
        waiting_s=real(inputs.waiting_s),
        waiting_cv2=real(inputs.waiting_cv2),
        loss_logit=real(inputs.loss_logit),
        service_s=real(inputs.service_s),
        **{name: real(values) for name, values in labels._asdict().items()},
        share=_shares(len(labels.mean_s)),
    )


def _shares(flows: int) -> Tensor:
    """What each of so many flows of a scenario counts: all of them as the root of their number, so
    that neither small nor large networks are drowned. [flows]"""
    return torch.full((flows,), max(flows, 1) ** -0.5)


def together(batches: Sequence[Batch]) -> Batch:
    """Several scenarios as one, side by side."""
    if len(batches) == 1:
        return batches[0]
    begin: dict[str, list[int]] = {"queue": [0], "flow": [0], "path": [0], "port": [0]}
    for batch in batches:
        sizes = len(batch.queue), len(batch.flow), len(batch.path_flow), batch.ports
        for offsets, size in zip(begin.values(), sizes, strict=True):
            offsets.append(offsets[-1] + size)
    into = {
        **dict.fromkeys(("edge_source", "edge_target", "hop_queue"), "queue"),
        "hop_path": "path",
        "path_flow": "flow",
        "port": "port",
    }
    joined = {
        name: torch.cat(
            [
                getattr(batch, name) + (begin[into[name]][k] if name in into else 0)
                for k, batch in enumerate(batches)
            ]
        )
        for name in Batch._fields
        if name != "ports"
    }
    return Batch(**joined, ports=begin["port"][-1])


def some_flows(batch: Batch, most: int, random: np.random.Generator) -> Batch:
    """The batch with at most so many of its flows, drawn at random; all queues stay."""
    count = len(batch.flow)
    if count <= most:
        return batch
    kept = torch.from_numpy(np.sort(random.choice(count, most, replace=False)))
    place = torch.full((count,), -1)
    place[kept] = torch.arange(most)
    path_flow = place[batch.path_flow]
    paths = torch.nonzero(path_flow >= 0)[:, 0]
    place = torch.full((len(path_flow),), -1)
    place[paths] = torch.arange(len(paths))
    hop_path = place[batch.hop_path]
    hops = torch.nonzero(hop_path >= 0)[:, 0]
    by_flow = ("flow", "shape", "mean_s", "variance_s2", "loss", "percentile_s", "weight", "share")
    batch = batch._replace(share=_shares(most)[:1].expand(count))
    by_path = ("path_share", "path_fixed_s", "path_fixed_s2")
    by_hop = ("hop", "hop_queue", "waiting_s", "waiting_cv2", "loss_logit")
    return batch._replace(
        path_flow=path_flow[paths],
        hop_path=hop_path[hops],
        **{name: getattr(batch, name)[kept] for name in by_flow},
        **{name: getattr(batch, name)[paths] for name in by_path},
        **{name: getattr(batch, name)[hops] for name in by_hop},
    )


def moved(batch: Batch, device: torch.device) -> Batch:
    """The batch on another device."""
    if batch.queue.device == device:
        return batch
    there = {k: v.to(device) for k, v in batch._asdict().items() if isinstance(v, Tensor)}
    return batch._replace(**there)
