"""Past: the networks of a time, what their flows offered, and what was measured of them.

What flows offered is measured too, or given as matrices; where only links were counted, demands are
estimated from the counters of the interval before, so that no interval predicts itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from nettwin.apps.demands.estimation import estimate_demands
from nettwin.errors import InputError
from nettwin.formats.counters import Counters
from nettwin.formats.format import DemandSeries
from nettwin.repository.repository import Repository
from nettwin.scenario.demands import over_time
from nettwin.scenario.scenario import Scenario

RATE, LOAD, SENT, DELAY = "rate_bps", "utilization", "throughput_bps", "owd_mean_s"
LOSS = "loss_ratio"
WANTED = {"flow": (RATE, DELAY, LOSS), "link": (LOAD, SENT)}
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Measured:
    """Values of elements over time; NaN is what was not measured."""

    element: tuple[str, ...]
    value: Floats  # [times, elements]


@dataclass(frozen=True)
class Past:
    """The intervals that end at `times_s`. `scenarios()` gives the network of each with what its
    flows offered; `measured` is by kind and quantity (`link/utilization`)."""

    times_s: Floats
    interval_s: float
    scenarios: Callable[[], Iterator[Scenario]]
    elements: Mapping[str, tuple[str, ...]]  # names of links and flows at any of the times
    measured: Mapping[str, Measured] = field(default_factory=dict)
    demands: str = ""  # where they are from
    notes: tuple[str, ...] = ()


def past_of_repository(
    repository: Repository,
    since_s: float | None = None,
    until_s: float | None = None,
    *,
    corrected: Callable[[Scenario], Scenario] = lambda scenario: scenario,
) -> Past:
    """What the history holds of a time. `corrected` makes the twin's network of each that was told.
    Raises InputError where nothing was measured then."""
    times = repository.times_s()
    keep = np.ones(len(times), np.bool_)
    keep &= True if since_s is None else times >= since_s
    keep &= True if until_s is None else times <= until_s
    times = times[keep]
    if len(times) < 2:
        raise InputError(
            f"{len(times)} intervals were measured then: must be at least 2. Collect more, or give"
            " another --since."
        )
    networks = repository.networks(times)
    elements = {
        "link": _union(one.topology.link_name for _, one in networks),
        "flow": _union(one.flow_names for _, one in networks),
    }
    values = _values(repository, times, elements)
    offered = values.pop(f"flow/{RATE}", None)
    sent = values.pop(f"link/{SENT}", None)
    step_s = float(np.median(np.diff(times)))
    measured = {
        key: Measured(elements[key.partition("/")[0]], value) for key, value in values.items()
    }
    if offered is not None:
        place = {name: k for k, name in enumerate(elements["flow"])}

        def known() -> Iterator[Scenario]:
            for rows, network in networks:
                mine = [place[name] for name in network.flow_names]
                for row in offered[rows][:, mine]:
                    rate = np.where(np.isnan(row), network.traffic.flow_rate_bps, row)
                    traffic = network.traffic.with_arrays(flow_rate_bps=rate)
                    yield corrected(network.with_(traffic=traffic))

        return Past(times, step_s, known, elements, measured, "measured")
    if sent is None:
        raise InputError("neither flows nor links were measured then. Collect some first.")
    notes = ["demands are estimated from link counters of the interval before"]
    demand = [_estimated(one, times[rows], sent[rows], elements, notes) for rows, one in networks]

    def estimated() -> Iterator[Scenario]:
        for (_, network), mine in zip(networks, demand, strict=True):
            before: Scenario | None = None
            for scenario in map(corrected, over_time(network, mine)):
                yield before or scenario  # of its own counters where the network is a new one
                before = scenario

    pairs = _union(_pairs_of(one, mine) for (_, one), mine in zip(networks, demand, strict=True))
    return Past(
        times, step_s, estimated, {**elements, "flow": pairs}, measured, "estimated", tuple(notes)
    )


def past_of_files(
    scenario: Scenario, series: DemandSeries, counters: Counters | None = None
) -> Past:
    """Matrices over time on one network (over its nodes, see `formats.demands.matched`), and what
    its links counted at the same times."""
    times = series.times_s
    if len(times) < 2:
        raise InputError("one matrix is no series over time: must be at least 2. Give more.")
    step_s = float(np.median(np.diff(times)))
    measured: dict[str, Measured] = {}
    if counters is not None:
        value = np.full((len(times), scenario.topology.link_count), np.nan)
        place = np.abs(counters.times_s[None, :] - times[:, None]).argmin(axis=1)
        near = np.abs(counters.times_s[place] - times) <= step_s / 2
        if not near.any():
            raise InputError(
                f"the counters are of other times: {counters.times_s[0]:.10g} to"
                f" {counters.times_s[-1]:.10g} s, the matrices {times[0]:.10g} to"
                f" {times[-1]:.10g} s. Give counters of the same time."
            )
        load = counters.link_bps[place[near]] / scenario.topology.link_capacity_bps
        value[near] = np.minimum(load, 1.0)
        measured[f"link/{LOAD}"] = Measured(scenario.topology.link_name, value)
    first = next(over_time(scenario, series.demand_bps))
    elements = {"link": scenario.topology.link_name, "flow": tuple(first.flow_names)}
    return Past(
        times, step_s, lambda: over_time(scenario, series.demand_bps), elements, measured, "given"
    )


def _values(
    repository: Repository, times_s: Floats, elements: Mapping[str, Sequence[str]]
) -> dict[str, Floats]:
    """What was measured, by kind and quantity [times, elements]; what never was is not there."""
    found: dict[str, Floats] = {}
    for kind, quantities in WANTED.items():
        for quantity in quantities:
            value = repository.values(kind, elements[kind], quantity, times_s)
            if np.isfinite(value).any():
                found[f"{kind}/{quantity}"] = value
    return found


def _estimated(
    network: Scenario,
    times_s: Floats,
    sent_bps: Floats,
    elements: Mapping[str, tuple[str, ...]],
    notes: list[str],
) -> Floats:
    """Demands that explain what links sent. [times, nodes, nodes]"""
    place = {name: k for k, name in enumerate(elements["link"])}
    mine = [place[name] for name in network.topology.link_name]
    none = np.full((len(times_s), network.topology.node_count), np.nan)
    counters = Counters(times_s, sent_bps[:, mine], none, none)
    found = estimate_demands(network, counters)
    notes += [words for words in (*found.assumptions, *found.findings) if words not in notes]
    return found.demand_bps


def _pairs_of(network: Scenario, demand: Floats) -> tuple[str, ...]:
    return tuple(next(over_time(network, demand)).flow_names)


def _union(names: object) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for some in names for name in some))  # type: ignore[attr-defined]
