"""Models of earlier versions, which knew fewer features, answer as they did."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nettwin.engines.learned.coverage import outside, ranges_of
from nettwin.engines.learned.features import QUEUE, QUEUE_BURSTS
from nettwin.engines.learned.gnn import answer
from nettwin.engines.learned.inputs import inputs_of
from nettwin.engines.learned.model_file import EARLIER, KIND, read_model
from nettwin.formats.weight_file import write_weights
from nettwin.scenario.generate import generate
from tests.engines.learned.small_model import small_model


def test_a_model_of_earlier_features_answers_as_it_did(tmp_path: Path) -> None:
    model = small_model()
    old = tuple(
        {**w, "enter.weight": w["enter.weight"][:, : -len(QUEUE_BURSTS)]} for w in model.members
    )
    ranges = ranges_of([inputs_of(generate("ring", nodes=5))])
    cut = {**ranges, "queue": ranges["queue"][:, : -len(QUEUE_BURSTS)]}
    parts = {f"{k}/{name}": v for k, weights in enumerate(old) for name, v in weights.items()}
    parts |= {f"range/{name}": v for name, v in cut.items()}
    path = tmp_path / "old.safetensors"
    write_weights(path, KIND._replace(features=EARLIER), model.card, parts)
    read = read_model(path)
    for weights, first in zip(read.members, model.members, strict=True):
        assert weights["enter.weight"].shape == first["enter.weight"].shape
        assert not weights["enter.weight"][:, -len(QUEUE_BURSTS) :].any()
    odd = generate("ring", nodes=5, arrival="onoff", load=0.9, seed=4)
    inputs = inputs_of(odd)
    told = dict(zip(QUEUE, range(len(QUEUE)), strict=True))
    silent = inputs.queue.copy()
    silent[:, [told[name] for name in QUEUE_BURSTS]] = 0.0
    np.testing.assert_allclose(
        answer(inputs, read.members).mean_s,
        answer(inputs._replace(queue=silent), read.members).mean_s,
    )
    found = [one for one in outside(read.ranges, inputs) if one.kind == "queue"]
    columns = [k for one in found for k in one.excess.any(axis=0).nonzero()[0]]
    assert not {QUEUE[k] for k in columns} & set(QUEUE_BURSTS)
