"""Scores: how far a model is off on examples, beside theory and beside the noise of the labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nettwin.engines.learned.answer import Answer
from nettwin.engines.learned.architecture import architecture
from nettwin.engines.learned.model_file import Model
from nettwin.engines.learned.recorded import STARVED
from nettwin.engines.learned.training.prepared import SCORED, Prepared

SURE = 0.5  # weight of a label from which on it is judged by: a standard error of 5 %
Floats = NDArray[np.float64]


def accuracy(
    model: Model, items: Sequence[Prepared], progress: Callable[[float], None] | None = None
) -> dict[str, Any]:
    """Errors of the model, of theory, and the noise of the labels, by metric.

    Labels that are not known to 5 % are left out (of samples that have no other, they count), and
    delays where next to nothing arrives. Delays
    and their variance: mean absolute relative error of a scenario's flows, then the mean (and for
    the mean delay the median) over scenarios. Loss: absolute. The noise is what a perfect model
    would show, known where samples were simulated twice: the mean absolute difference of two
    simulations divided by sqrt(2).
    """
    found: dict[str, list[Floats]] = {"model": [], "theory": [], "noise": []}
    for done, item in enumerate(items, 1):
        labels = _labels(item)
        answer = architecture(model.architecture).answer(item.inputs(), model.members)
        found["model"].append(_errors(_said(answer), labels))
        for name, by, scale in (("theory", "theory", 1.0), ("noise", "second", 2**-0.5)):
            said = item.said(by)
            if said is not None:
                found[name].append(_errors(said, labels) * scale)
        if progress:
            progress(done / len(items))
    return {
        "scenarios": len(items),
        **{name: _summary(each) for name, each in found.items() if each},
    }


def _labels(item: Prepared) -> Floats:
    known = item.labels()
    labels = _columns(known.mean_s, known.percentile_s, known.variance_s2, known.loss)
    unsure = known.weight < SURE
    if not unsure.all():
        labels[unsure] = np.nan
    return labels


def _said(answer: Answer) -> Floats:
    said = _columns(answer.mean_s, answer.percentile_s, answer.variance_s2, answer.loss)
    said[answer.loss >= STARVED, :-1] = np.nan
    return said


def _columns(mean: Any, percentile: Any, variance: Any, loss: Any) -> Floats:
    columns = [mean[:, None], percentile, variance[:, None], loss[:, None]]
    return np.concatenate(columns, axis=1).astype(np.float64)


def _errors(said: Floats, labels: Floats) -> Floats:
    """The mean over flows of each error, SCORED; the last, of loss, is absolute. [6]"""
    with np.errstate(invalid="ignore", divide="ignore"):
        off = np.abs(said / labels - 1)
    off[:, -1] = np.abs(said[:, -1] - labels[:, -1])
    known = np.isfinite(off)
    count = np.where(known.any(axis=0), known.sum(axis=0), np.nan)
    return np.asarray(np.where(known, off, 0.0).sum(axis=0) / count)


def _summary(each: Sequence[Floats]) -> dict[str, float]:
    stacked = np.stack(each)
    found = {}
    for k, name in enumerate(SCORED):
        values = stacked[np.isfinite(stacked[:, k]), k]
        if len(values):
            found[name] = round(float(values.mean()), 6)
            if name == "owd_mean_s":
                found["owd_mean_s_median"] = round(float(np.median(values)), 6)
    return found
