"""Signs of larger errors: they are learned where there is enough to learn from, and make intervals
narrow where it is easy."""

from __future__ import annotations

import numpy as np
import pytest

from nettwin.engines.learned.calibration import Compared, quantiles
from nettwin.engines.learned.coverage import JUST_BEYOND, WIDER, flows_beyond, ranges_of
from nettwin.engines.learned.engine import Learned
from nettwin.engines.learned.features import QUEUE
from nettwin.engines.learned.gnn import answer
from nettwin.engines.learned.inputs import inputs_of
from nettwin.engines.learned.intervals import QUANTITIES, Known, bounds
from nettwin.engines.learned.model_file import Model
from nettwin.engines.learned.signs import OF_FLOW, SIGNS, fitted, signs_of
from nettwin.scenario.generate import generate
from tests.engines.learned.small_model import small_model

BURSTY = SIGNS.index("modulated")


def simulations(count: int, seed: int) -> list[Compared]:
    """Flows whose errors are five times as large where their queue is bursty, unknown to the
    networks."""
    random, found = np.random.default_rng(seed), []
    for _ in range(count):
        flows = int(random.integers(5, 40))
        bursty = float(random.random() < 0.5)
        signs = np.zeros((flows, len(SIGNS)))
        signs[:, 0], signs[:, BURSTY] = 1.0, bursty
        mean = np.exp(random.normal(0, 1, flows))
        truth = mean * np.exp(0.01 * (1 + 4 * bursty) * random.standard_normal(flows))
        delays = [name for name in QUANTITIES if name.startswith("owd")]
        predicted = {**dict.fromkeys(delays, mean), "pdv_s2": mean, "loss_ratio": mean * 0}
        told = {**dict.fromkeys(delays, truth), "pdv_s2": truth, "loss_ratio": mean * 0}
        parts = {name: np.zeros(flows) for name in (*delays, "pdv_s2")}
        scale = np.full(flows, 0.01)
        found.append(Compared(Known(np.full(flows, 0.6), predicted, scale, parts, signs), told))
    return found


def test_intervals_are_narrow_where_it_is_easy_and_hold_where_it_is_not() -> None:
    arrays = quantiles(simulations(400, seed=1))
    shares: dict[float, list[float]] = {0.0: [], 1.0: []}
    widths: dict[float, list[float]] = {0.0: [], 1.0: []}
    for known, truth, _ in simulations(300, seed=2):
        assert known.signs is not None
        low, high = bounds(arrays, known)["owd_mean_s"]
        kind = float(known.signs[0, BURSTY])
        value = truth["owd_mean_s"]
        shares[kind].append(float(((value >= low) & (value <= high)).mean()))
        widths[kind].append(float(np.log(high / low).mean()))
    for kind in shares:  # one class of load: without the sign both kinds would have one width
        assert np.mean(shares[kind]) == pytest.approx(0.9, abs=0.03)
    assert np.mean(widths[1.0]) == pytest.approx(5 * np.mean(widths[0.0]), rel=0.25)


def test_the_noise_of_recordings_is_no_error_of_the_model() -> None:
    """Told of it, the intervals hold the truth as often as asked, and are narrower."""

    def noisy(seed: int, told: bool) -> list[Compared]:
        random = np.random.default_rng(seed)
        found = []
        for known, truth, _ in simulations(500, seed):
            of_noise = {name: np.full(len(known.load), 0.015) for name in truth if name != "pdv_s2"}
            recorded = {
                name: values * np.exp(0.015 * random.standard_normal(len(values)))
                for name, values in truth.items()
            }
            found.append(Compared(known, recorded, of_noise if told else {}))
        return found

    widths, shares = [], []
    for told in (False, True):
        arrays = quantiles(noisy(5, told))
        width, share = [], []
        for known, truth, _ in simulations(300, seed=6):
            low, high = bounds(arrays, known)["owd_mean_s"]
            width.append(float(np.log(high / low).mean()))
            value = truth["owd_mean_s"]
            share.append(float(((value >= low) & (value <= high)).mean()))
        widths.append(np.mean(width))
        shares.append(np.mean(share))
    assert widths[1] < 0.9 * widths[0]
    assert shares[1] == pytest.approx(0.9, abs=0.03)
    assert shares[0] > shares[1] + 0.02


def test_few_simulations_teach_no_signs() -> None:
    random = np.random.default_rng(3)
    signs = np.zeros((40, len(SIGNS)))
    signs[:, 0], signs[:, BURSTY] = 1.0, np.arange(40) % 2
    weights = fitted(random.normal(0, 1, 40), signs, np.arange(40) // 10)
    assert np.abs(weights[1:]).max() < 0.2


def test_signs_are_of_the_busiest_queue_and_bounded() -> None:
    scenario = generate("line", nodes=4, load=0.9, arrival="onoff", classes="three", scheduler="sp")
    inputs = inputs_of(scenario)
    said = answer(inputs, small_model().members)
    found = signs_of(inputs, said)
    assert np.isfinite(found).all()
    assert np.abs(found).max() <= 5.0
    arrives = said.mean_s > 0
    assert (found[arrives, 0] == 1).all()
    assert (found[arrives, BURSTY] > 0).all()
    loads = inputs.queue[:, QUEUE.index("effective_load")]
    for f in np.flatnonzero(arrives)[:5]:
        mine = inputs.hop_queue[inputs.row_offset[f] : inputs.row_offset[f + 1]]
        assert found[f, OF_FLOW.index("load")] == pytest.approx(min(loads[mine].max(), 2.0))


def test_what_lies_just_beyond_the_range_has_wider_intervals_and_no_flag() -> None:
    scenario = generate("ring", nodes=5, load=0.6)
    inputs = inputs_of(scenario)
    ranges = ranges_of([inputs])
    column = QUEUE.index("load")
    calibration = quantiles(simulations(60, seed=4))
    calibration |= {
        "doubt": np.array([1e3], np.float32),
        "spread": np.array([1e3], np.float32),
    }
    plain = small_model()

    def told(most: float) -> tuple[float, np.ndarray, list[str]]:
        own = {k: v.copy() for k, v in ranges.items()}
        own["queue"][1, column] = most
        engine = Learned(Model(plain.members, plain.card, calibration, own))
        flow = engine.predict([scenario])[0]
        ratio = np.log(flow.flow.high["owd_mean_s"] / flow.flow.low["owd_mean_s"])
        assert flow.flagged is not None
        beyond = flows_beyond(own, inputs)
        return float(beyond.max()), np.stack([ratio, flow.flagged]), engine.unsupported(scenario)

    highest = float(ranges["queue"][1, column])
    none, within, silent = told(highest)
    little, near, quiet = told(highest - 0.2)
    much, far, said = told(highest - 1.0)
    assert none == 0
    assert 0 < little < JUST_BEYOND < much
    assert silent == quiet == []
    assert not near[1].any()
    assert far[1].any()
    assert "load" in said[0]
    ratios = near[0] / within[0]
    assert ratios.max() == pytest.approx(1 + WIDER * little, rel=1e-6)
    assert ratios.min() >= 1 - 1e-9
