"""Watched: what was measured over time, beside what is expected of it.

Traffic of links, delay and loss of flows are expected by the twin, from what flows offer at the
time. What flows offer no twin knows: it is expected as in the two hours before, at the pace of
the whole network.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from nettwin.apps.history.past import DELAY, LOAD, LOSS, RATE, SENT, Past
from nettwin.apps.timeseries import AT_ONCE
from nettwin.errors import InputError
from nettwin.model import NetworkModel, by_one_engine
from nettwin.scenario.scenario import Scenario

Floats = NDArray[np.float64]
USUAL_S = 7200.0  # before, whose median a flow is expected to go on with
FEWEST = 3  # intervals that tell what is usual
UNIT_BPS = 1.0
ODD = 5.0  # times the usual deviation
REMEMBERED = 100  # intervals that tell the usual deviation


@dataclass(frozen=True)
class Group:
    """A quantity of elements over time; NaN is what was not measured, or not expected.

    `least` is the smallest standard deviation that is believed, in the unit of the quantity, or
    relative to what is expected. With `sequential`, small deviations that last count as well: what
    is expected must not follow them.
    """

    kind: str  # flow, link, target or source
    quantity: str
    element: tuple[str, ...]
    measured: Floats  # [times, elements]
    expected: Floats
    relative: bool
    least: float
    sequential: bool = True

    @property
    def residual(self) -> Floats:
        """What was measured less what is expected; relative to it where the group says so."""
        off = self.measured - self.expected
        if not self.relative:
            return off
        usual = np.nanmedian(self.expected) if np.isfinite(self.expected).any() else 1.0
        return np.asarray(off / np.maximum(self.expected, max(0.02 * usual, 1e-12)))


@dataclass(frozen=True)
class Watched:
    """Groups over the same times, and the network that they are of."""

    times_s: Floats
    interval_s: float
    groups: tuple[Group, ...]
    network: Scenario

    def at(self, times: NDArray[np.intp]) -> Watched:
        """What is watched at some of the times, in their order."""
        groups = tuple(
            replace(g, measured=g.measured[times], expected=g.expected[times]) for g in self.groups
        )
        return replace(self, times_s=self.times_s[times], groups=groups)

    def group(self, kind: str, quantity: str) -> Group | None:
        """A group; None where nothing of it is watched."""
        found = [g for g in self.groups if (g.kind, g.quantity) == (kind, quantity)]
        return found[0] if found else None


def watched_of(
    past: Past, model: NetworkModel, progress: Callable[[float], None] | None = None
) -> Watched:
    """A past beside what one engine predicts of it. Raises InputError where nothing was
    measured."""
    return by_one_engine(model, lambda one: _watched(past, one, progress))


def _watched(past: Past, model: NetworkModel, progress: Callable[[float], None] | None) -> Watched:
    if len(past.times_s) < FEWEST:
        raise InputError(
            f"{len(past.times_s)} intervals were measured: must be at least {FEWEST} to tell what"
            " is usual. Observe for longer."
        )
    names = past.elements
    shape = {kind: (len(past.times_s), len(names[kind])) for kind in ("flow", "link")}
    expected = {
        key: np.full(shape[key.partition("/")[0]], np.nan)
        for key in (f"link/{SENT}", f"flow/{DELAY}", f"flow/{LOSS}", f"flow/{RATE}")
    }
    index = {kind: {name: k for k, name in enumerate(names[kind])} for kind in names}
    network: Scenario | None = None
    states, done = past.scenarios(), 0
    while part := list(islice(states, AT_ONCE)):
        for scenario, metrics in zip(part, model.predict(part), strict=True):
            flows = [index["flow"][name] for name in scenario.flow_names]
            links = [index["link"][name] for name in scenario.topology.link_name]
            capacity = scenario.topology.link_capacity_bps
            expected[f"link/{SENT}"][done, links] = metrics.link["utilization"] * capacity
            expected[f"flow/{DELAY}"][done, flows] = metrics.flow[DELAY]
            expected[f"flow/{LOSS}"][done, flows] = metrics.flow[LOSS]
            expected[f"flow/{RATE}"][done, flows] = scenario.traffic.flow_rate_bps
            network, done = scenario, done + 1
        if progress:
            progress(done / len(past.times_s))
    assert network is not None
    measured = _measured(past, network)
    groups = []
    for key, relative, least in (
        (f"link/{SENT}", True, 0.01),
        (f"flow/{DELAY}", True, 0.01),
        (f"flow/{LOSS}", False, 1e-4),
    ):
        kind, _, quantity = key.partition("/")
        if key in measured:
            groups.append(
                Group(kind, quantity, names[kind], measured[key], expected[key], relative, least)
            )
    if past.demands != "estimated":  # those are made of the links themselves
        rate = measured.get(f"flow/{RATE}", expected[f"flow/{RATE}"])
        groups += offered(names["flow"], rate, past.interval_s, network)
    if not any(np.isfinite(group.measured).any() for group in groups):
        raise InputError("nothing was measured in this time: there is nothing to watch.")
    return Watched(past.times_s, past.interval_s, tuple(groups), network)


def _measured(past: Past, network: Scenario) -> dict[str, Floats]:
    """What was measured, in the order of the past's elements."""
    found = {}
    for key, seen in past.measured.items():
        kind, _, quantity = key.partition("/")
        place = {name: k for k, name in enumerate(past.elements[kind])}
        mine = [k for k, name in enumerate(seen.element) if name in place]
        value = np.full((len(past.times_s), len(place)), np.nan)
        value[:, [place[seen.element[k]] for k in mine]] = seen.value[:, mine]
        if quantity == LOAD:
            capacity = dict(
                zip(network.topology.link_name, network.topology.link_capacity_bps, strict=True)
            )
            scale = np.array([capacity.get(name, np.nan) for name in past.elements["link"]])
            key, value = f"link/{SENT}", value * scale
            if f"link/{SENT}" in found:
                continue
        found[key] = value
    return found


def offered(
    flows: tuple[str, ...], rate: Floats, interval_s: float, network: Scenario
) -> list[Group]:
    """What flows offer, all of each target and all of each source, beside the hours before."""
    topology, traffic = network.topology, network.traffic
    index = {name: f for f, name in enumerate(network.flow_names)}
    mine = np.array([index.get(name, -1) for name in flows])
    groups = [("flow", flows, rate)]
    for kind, ends in (("target", traffic.flow_target), ("source", traffic.flow_source)):
        total = np.zeros((len(rate), topology.node_count))
        known = mine >= 0
        values = np.nan_to_num(rate[:, known])
        np.add.at(total.T, ends[mine[known]], values.T)
        total[np.isnan(rate).all(axis=1)] = np.nan
        groups.append((kind, topology.node_name, total))
    least = 0.01 * float(np.nanmedian(np.nansum(rate, axis=1))) / max(topology.node_count, 1)
    return [
        Group(
            kind,
            RATE,
            names,
            value,
            expected_rate(value, interval_s),
            False,
            max(least, UNIT_BPS),
            False,
        )
        for kind, names, value in groups
    ]


def expected_rate(rate: Floats, interval_s: float) -> Floats:
    """What is expected to be offered: the median of the two hours before (three times at least),
    times how the whole network has changed since. What is odd does not tell what is usual, unless
    it lasts for longer than that. [times, elements]"""
    width = max(FEWEST, round(USUAL_S / interval_s))
    expected, kept = np.full_like(rate, np.nan), rate.copy()
    scale = np.zeros(rate.shape[1])
    lasting = np.zeros(rate.shape[1])
    for t in range(FEWEST, len(rate)):
        usual = _median(kept[max(0, t - width) : t])
        big = usual > 0.2 * np.nanmean(usual) if np.isfinite(usual).any() else usual > 0
        ratio = rate[t] / np.maximum(usual, UNIT_BPS)
        known = big & np.isfinite(ratio)
        pace = float(np.median(ratio[known])) if known.any() else 1.0
        expected[t] = usual * float(np.clip(pace, 0.5, 2.0))
        off = np.abs(np.nan_to_num(rate[t] - expected[t]))
        odd = (off > ODD * scale) & (scale > 0)
        lasting = np.where(odd, lasting + 1, 0)
        kept[t] = np.where(odd & (lasting <= 2 * width), expected[t], rate[t])
        grown = np.minimum(off, ODD * scale) if t > FEWEST + width else off
        scale = scale + (grown - scale) / min(t - FEWEST + 1, REMEMBERED)
    return expected


def _median(values: Floats) -> Floats:
    with np.errstate(all="ignore"):
        known = np.isfinite(values)
        filled = np.where(known.any(axis=0), values, 0.0)
        return np.where(known.any(axis=0), np.nanmedian(filled, axis=0), np.nan)
