"""Estimation: from counters and routing to demands with intervals, and what each link leaves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nettwin import units
from nettwin.apps.demands.bayes import Problem, Solution
from nettwin.apps.demands.conservation import MAX_LINES, balanced
from nettwin.apps.demands.equations import Equations, Floats, equations_of
from nettwin.apps.demands.methods import DEFAULT, method
from nettwin.errors import InputError
from nettwin.formats.counters import Counters
from nettwin.formats.format import DemandSeries
from nettwin.scenario.scenario import Scenario

CONFIDENCE = 0.9
# standard deviations that hold 90 % of demands (docs/decisions.md tells on which days)
WIDTH, WIDTH_EARLIER = 1.645, 1.2
RESIDUAL = 0.05  # of a link's traffic, from which it is told


@dataclass(frozen=True)
class DemandEstimate:
    """The demands of each pair of nodes in each interval, with intervals of 90 %, and what the
    counters are by them.

    `measured_bps` is NaN where a counter is missing. `filled` names missing counters that the
    balances of nodes tell, `findings` contradictions, one sentence each.
    """

    method: str
    times_s: Floats  # [times]
    demand_bps: Floats  # [times, nodes, nodes], as the next two
    low_bps: Floats
    high_bps: Floats
    counter: tuple[str, ...]
    measured_bps: Floats  # [times, counters]
    explained_bps: Floats
    noise: float  # of the counters: standard deviation over value
    filled: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = ()
    confidence: float = CONFIDENCE

    @property
    def residual_bps(self) -> Floats:
        """What was counted less what the demands explain; NaN where it is missing."""
        return self.measured_bps - self.explained_bps


def estimate_demands(
    scenario: Scenario,
    counters: Counters,
    *,
    method_name: str = DEFAULT,
    known: DemandSeries | None = None,
    earlier: DemandSeries | None = None,
    peers: Sequence[str] = (),
) -> DemandEstimate:
    """The demands that explain counters, under the routing of a scenario.

    `known` demands are fixed (of the pairs that it lists); `earlier` matrices, measured on another
    day, are the prior; between `peers` no demands go in the gravity model. Both series must be over
    the nodes of the scenario (`formats.demands.matched`). Raises InputError for what does not fit.
    """
    chosen = method(method_name)
    equations = equations_of(scenario, counters)
    _check(equations)
    balance = balanced(equations)
    assumptions = []
    nodes = tuple(scenario.topology.node(name) for name in peers)
    fixed, pairs = _fixed(equations, known)
    offset = equations.counted(fixed)
    totals = _with_totals(equations, balance.measured_bps)
    open_ = totals.with_measured(np.maximum(totals.measured_bps - offset, 0.0)).only(~pairs)
    if np.isnan(_node_part(open_)).any():
        assumptions.append(
            "traffic that enters and leaves at nodes without a counter of it: as the smoothest"
            " demands would have it that explain the links"
        )
    none = np.zeros((len(counters.times_s), 0))
    history = None if earlier is None else equations.of_pairs(earlier.demand_bps)[:, ~pairs]
    problem = Problem(
        open_, balance.noise, history, None if earlier is None else earlier.times_s, nodes
    )
    solution = chosen.solve(problem) if open_.pair_count else Solution(none, none)
    width = WIDTH if earlier is None else WIDTH_EARLIER
    demand, low, high = (fixed.copy() for _ in range(3))
    demand[:, ~pairs] = solution.demand_bps
    low[:, ~pairs] = np.maximum(solution.demand_bps - width * solution.deviation_bps, 0.0)
    high[:, ~pairs] = solution.demand_bps + width * solution.deviation_bps
    explained = equations.counted(demand)
    return DemandEstimate(
        chosen.name,
        counters.times_s,
        equations.of_nodes(demand),
        equations.of_nodes(low),
        equations.of_nodes(high),
        tuple(equations.names),
        equations.measured_bps,
        explained,
        balance.noise,
        tuple(balance.filled),
        (*balance.findings, *_unexplained(equations, explained, balance.noise)),
        (*assumptions, *_unrouted(equations)),
    )


def _check(equations: Equations) -> None:
    if not equations.pair_count:
        raise InputError(
            "no pair of nodes has a path in the network: there are no demands to estimate. Check"
            " which links are up."
        )
    if not np.isfinite(equations.measured_bps).any():
        raise InputError("no counter has a value. Give counters of the network's links.")


def _node_part(equations: Equations) -> Floats:
    _, entering, leaving = equations.parts(equations.measured_bps)
    return np.concatenate([entering, leaving], axis=1)


def _with_totals(equations: Equations, filled: Floats) -> Equations:
    """Counters of nodes as balances fill them in: gravity needs them. Links stay as counted, as
    the equations hold the balances themselves."""
    measured = equations.measured_bps.copy()
    links = equations.scenario.topology.link_count
    measured[:, links:] = filled[:, links:]
    return equations.with_measured(measured)


def _fixed(equations: Equations, known: DemandSeries | None) -> tuple[Floats, NDArray[np.bool_]]:
    """The demands that are known in each interval [times, pairs], and of which pairs [pairs].

    Raises InputError where none is known at the time of an interval.
    """
    times = equations.times_s
    none = np.zeros((len(times), equations.pair_count))
    if known is None:
        return none, np.zeros(equations.pair_count, np.bool_)
    some = np.asarray(known.demand_bps.any(axis=0), np.bool_)
    pairs = (some if known.listed is None else known.listed)[equations.source, equations.target]
    place = np.zeros(len(times), np.intp)
    if len(known.times_s) > 1:
        gap = np.abs(known.times_s[None, :] - times[:, None])
        place = gap.argmin(axis=1)
        step = float(np.median(np.diff(known.times_s)))
        off = gap[np.arange(len(times)), place] > step / 2 * 1.001
        if off.any():
            raise InputError(
                f"the known demands do not overlap with the counters: at {times[off][0]:.10g} s"
                f" none is known; they are from {known.times_s[0]:.10g} to"
                f" {known.times_s[-1]:.10g} s. Give known demands of the counters' time."
            )
    none[:, pairs] = equations.of_pairs(known.demand_bps)[place][:, pairs]
    return none, pairs


def _unexplained(equations: Equations, explained: Floats, noise: float) -> list[str]:
    """Links whose counters no demands explain."""
    measured = equations.measured_bps
    known = ~np.isnan(measured)
    gap = np.where(known, np.abs(measured - explained), 0.0).sum(axis=0)
    size = np.where(known, np.maximum(measured, explained), 0.0).sum(axis=0)
    count = np.maximum(known.sum(axis=0), 1)
    part = np.divide(gap, size, out=np.zeros_like(gap), where=size > 0)
    # what is small beside the network's traffic is rounding
    part[size / count < 1e-6 * np.nanmax(measured, initial=0.0)] = 0.0
    worst = np.argsort(-part)[:MAX_LINES]
    names = equations.names
    sums = np.where(known, measured, 0.0).sum(axis=0) / count
    told = np.where(known, explained, 0.0).sum(axis=0) / count
    return [
        f"{names[k]}: {units.rate(sums[k])} was counted on average where demands explain"
        f" {units.rate(told[k])}. Check this counter, and whether the network file routes traffic"
        " as the network does."
        for k in worst
        if part[k] > max(RESIDUAL, 4 * noise)
    ]


def _unrouted(equations: Equations) -> list[str]:
    nodes = equations.scenario.topology.node_count
    without = nodes * (nodes - 1) - equations.pair_count
    return [f"demands of {without} pairs without a path: 0 bit/s"] if without else []
