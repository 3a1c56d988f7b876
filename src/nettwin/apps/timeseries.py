"""Time series: what a network does as its demands change; and when it is worst."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import islice

import numpy as np

from nettwin.metrics import Interval
from nettwin.model import NetworkModel, by_one_engine
from nettwin.scenario.scenario import Scenario

Progress = Callable[[float], None]  # called with the share done, 0 to 1
AT_ONCE = 16  # scenarios given to a model together, between two steps of progress


def predict_series(
    moments: Callable[[], Iterable[tuple[float, Scenario]]],
    times_s: Sequence[float],
    model: NetworkModel,
    *,
    progress: Progress | None = None,
) -> tuple[Interval, ...]:
    """The metrics of a scenario at each time, by one engine for all.

    An interval lasts until the next time, the last one as long as the one before it; they count
    from the first time.

    `moments()` gives the time and the scenario at each of `times_s`, in order.
    """
    return by_one_engine(model, lambda one: _series(moments(), times_s, one, progress))


def _series(
    moments: Iterable[tuple[float, Scenario]],
    times_s: Sequence[float],
    model: NetworkModel,
    progress: Progress | None,
) -> tuple[Interval, ...]:
    step_s = times_s[-1] - times_s[-2] if len(times_s) > 1 else 0.0
    ends_s = [*times_s[1:], times_s[-1] + step_s]
    found: list[Interval] = []
    stream = iter(moments)
    while part := list(islice(stream, AT_ONCE)):
        answers = model.predict([scenario for _, scenario in part])
        for (start_s, scenario), metrics in zip(part, answers, strict=True):
            end_s = ends_s[len(found)]
            found.append(Interval(start_s - times_s[0], end_s - times_s[0], metrics, scenario))
        if progress:
            progress(len(found) / len(times_s))
    return tuple(found)


def worst_intervals(intervals: Sequence[Interval]) -> list[int]:
    """Indices of intervals, the worst first: by the traffic that is lost, then the highest
    offered load."""

    def badness(interval: Interval) -> tuple[float, float]:
        loss = float(np.nan_to_num(interval.metrics.totals(interval.scenario)["loss_ratio"]))
        return round(loss, 3), float(interval.scenario.link_offered_load.max(initial=0.0))

    scores = [badness(interval) for interval in intervals]
    return sorted(range(len(intervals)), key=lambda i: scores[i], reverse=True)
