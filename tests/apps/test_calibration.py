"""Calibration finds what is hidden within its intervals, though the twin itself is wrong."""

from __future__ import annotations

import numpy as np
import pytest

from nettwin.apps.calibration.corrections import Corrections
from nettwin.apps.calibration.estimate import calibrate
from nettwin.engines.theory import Theory
from nettwin.metrics import Metrics, Table
from nettwin.observation import Observation
from nettwin.scenario.changes import ScaleTraffic
from nettwin.scenario.generate import generate
from nettwin.scenario.scenario import Scenario

EXACT = 0.002  # half the interval of what is measured, relatively


def seen(told: Scenario, hidden: Corrections, voice: float) -> Observation:
    """What is measured of a network with hidden values, in which voice waits `voice` times what
    theory says, and the class after it so much less."""
    truth = hidden.corrected(told)
    split, paths = Theory().hops(truth), truth.paths
    assert split is not None
    rate = truth.traffic.flow_rate_bps[paths.hop_flow] * split.weight[paths.hop_path]
    kind = truth.traffic.flow_class[paths.hop_flow]
    waits, links = split.waiting_s + split.correction_s, truth.topology.link_count
    work = [np.bincount(paths.links, (kind == c) * rate * waits, links) for c in (0, 2)]
    less = 1 - (voice - 1) * work[0] / np.maximum(work[1], 1e-30)  # as the queues work as much
    factor = np.select([kind == 0, kind == 2], [voice, less[paths.links]], 1.0)
    hop = split.propagation_s + split.transmission_s + factor * waits
    delay = np.bincount(paths.hop_flow, hop * split.weight[paths.hop_path], len(truth.flow_names))
    carried = truth.link_load_bps
    used = {"utilization": carried / told.topology.link_capacity_bps}
    metrics = Metrics(
        flow=Table(
            {"owd_mean_s": delay, "loss_ratio": delay * 0, "throughput_bps": delay * 0},
            {"owd_mean_s": delay * (1 - EXACT)},
            {"owd_mean_s": delay * (1 + EXACT)},
        ),
        link=Table(
            {**used, "throughput_bps": carried},
            {"utilization": used["utilization"] * (1 - EXACT)},
            {"utilization": used["utilization"] * (1 + EXACT)},
        ),
        queue=Table({}),
        method="measured",
        engine="test",
    )
    return Observation(0.0, 1.0, told, metrics)


@pytest.mark.parametrize("voice", [1.0, 1.6])
def test_hidden_values_lie_in_their_intervals(voice: float) -> None:
    """Nine of ten, also where the twin takes one class to wait too little, always."""
    plan = generate("ring", nodes=6, load=0.9, classes="three", scheduler="wfq", capacity_bps=5e7)
    random = np.random.default_rng(3)
    names = plan.topology.link_name
    capacity, delay = (1 + random.uniform(-0.05, 0.05, (2, len(names)))).tolist()
    hidden = Corrections(
        overhead=1.04,
        capacity=dict(zip(names, capacity, strict=True)),
        delay=dict(zip(names, delay, strict=True)),
    )
    told = [ScaleTraffic(float(f)).apply(plan) for f in np.linspace(0.4, 1.0, 12)]
    found = calibrate([seen(one, hidden, voice) for one in told], Theory()).corrections
    inside = []
    for kind, values in (("capacity", hidden.capacity), ("delay", hidden.delay)):
        for name, value in values.items():
            low, high = found.bounds[f"{kind}/{name}"]
            inside.append(low <= value <= high)
    assert np.mean(inside) >= 0.9
    low, high = found.bounds["overhead"]
    assert low <= 1.04 <= high
    assert high - low < 0.01
