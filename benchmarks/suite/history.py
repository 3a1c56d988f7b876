"""history: a week of 5-minute traffic matrices through the twin."""

from __future__ import annotations

import argparse
import time

import numpy as np

from benchmarks.benchmark import Figure, Options, Outcome, at_most
from nettwin.apps.timeseries import predict_series
from nettwin.interfaces import wiring
from nettwin.scenario.demands import over_time
from nettwin.scenario.generate import generate

TITLE = "History: a week of 5-minute matrices through the twin"
PROTOCOL = (
    "A random network of 50 nodes with a flow between every two, and a curve over the day with "
    "noise of its own for each pair; `--engine` predicts every interval (theory unless another is "
    "named). Wall time of this machine."
)
NODES, INTERVALS, MOST_S = 50, 2016, 60.0


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--engine", default="theory", help="which predicts")


def run(options: Options) -> Outcome:
    """Measure; `--limit` is the number of intervals, the time is then scaled to the week."""
    count = options.limit or INTERVALS
    scenario = generate("barabasi-albert", nodes=NODES, load=0.6, seed=1)
    base = np.zeros((NODES, NODES))
    traffic = scenario.traffic
    base[traffic.flow_source, traffic.flow_target] = traffic.flow_rate_bps
    draw = np.random.default_rng(0)
    hours = np.arange(INTERVALS)[:count] / 12
    curve = 0.7 + 0.3 * np.sin((hours - 8) / 24 * 2 * np.pi)
    noise = draw.lognormal(0, 0.1, (count, NODES, NODES))
    demand = base * curve[:, None, None] * noise
    engine = wiring.engine(options.extra.get("engine", "theory"))
    engine.predict([scenario])  # compiled
    times_s = hours * 3600
    before = time.perf_counter()
    states = lambda: zip(times_s.tolist(), over_time(scenario, demand), strict=True)  # noqa: E731
    found = predict_series(states, times_s.tolist(), engine)
    seconds = (time.perf_counter() - before) * INTERVALS / count
    assert len(found) == count
    return Outcome(
        (
            at_most("2016 intervals of 50 nodes", seconds, MOST_S, "s"),
            Figure("intervals predicted", count),
        )
    )
