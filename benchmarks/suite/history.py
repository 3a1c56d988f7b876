"""history: a week of 5-minute traffic matrices through the twin, against what was measured."""

from __future__ import annotations

import argparse
import time
from dataclasses import replace

import numpy as np

from benchmarks.benchmark import Figure, Options, Outcome, at_most
from nettwin.apps.history import Past, past_of_files, predict_past, rows, unusual
from nettwin.apps.history.past import Measured
from nettwin.formats.format import DemandSeries
from nettwin.interfaces import wiring
from nettwin.scenario.demands import over_time
from nettwin.scenario.generate import generate

TITLE = "History: a week of 5-minute matrices through the twin"
PROTOCOL = (
    "What `nettwin history predict` does, without reading files: a random network of 50 nodes with "
    "a flow between every two, a curve over the day with noise of its own for each pair; every "
    "interval predicted (`--engine`, theory unless another is named), intervals of 90 % from how "
    "far off it was the day before, 95th percentiles, busy hours and what is unusual. Measured are "
    "the loads that other noise of 5 % makes, and delays 5 % around a constant. Wall time of this "
    "machine."
)
NODES, INTERVALS, MOST_S = 50, 2016, 60.0
NOISE = 0.05


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--engine", default="theory", help="which predicts")


def run(options: Options) -> Outcome:
    """Measure; `--limit` is the number of intervals, the time is then scaled to the week."""
    count = options.limit or INTERVALS
    past = _week(count)
    engine = wiring.engine(options.extra.get("engine", "theory"))
    engine.predict([next(past.scenarios())])  # compiled
    before = time.perf_counter()
    found = predict_past(past, engine)
    for track in found.tracks:
        rows(found, track)
        unusual(found, track)
    seconds = (time.perf_counter() - before) * INTERVALS / count
    assert found.flow is not None and np.isfinite(found.flow.predicted).all()
    return Outcome(
        (
            at_most("2016 intervals of 50 nodes", seconds, MOST_S, "s"),
            Figure("intervals predicted", count),
            Figure("loads within their intervals of 90 %", found.link.coverage),
        )
    )


def _week(count: int) -> Past:
    """Matrices, and what was measured of links and flows then."""
    scenario = generate("barabasi-albert", nodes=NODES, load=0.6, seed=1)
    base = np.zeros((NODES, NODES))
    traffic = scenario.traffic
    base[traffic.flow_source, traffic.flow_target] = traffic.flow_rate_bps
    draw = np.random.default_rng(0)
    hours = np.arange(count) / 12
    curve = 0.7 + 0.3 * np.sin((hours - 8) / 24 * 2 * np.pi)
    demand = base * curve[:, None, None] * draw.lognormal(0, 0.1, (count, NODES, NODES))
    series = DemandSeries(hours * 3600, demand, scenario.topology.node_name)
    past = past_of_files(scenario, series)
    other = demand * draw.lognormal(0, NOISE, demand.shape)
    load = np.array([one.link_offered_load for one in over_time(scenario, other)])
    delay = 0.01 * draw.lognormal(0, NOISE, (count, len(past.elements["flow"])))
    measured = {
        "link/utilization": Measured(past.elements["link"], np.minimum(load, 1.0)),
        "flow/owd_mean_s": Measured(past.elements["flow"], delay),
    }
    return replace(past, measured=measured)
