"""From a problem to its SegmentRoutingProblem, and from midpoints back to changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nettwin.intent import Expectation, Objective
from nettwin.optimize.problem import Changes, Problem
from nettwin.optimize.problems.segment_flows import SegmentFlows
from nettwin.optimize.problems.segment_routing import NONE, SegmentRoutingProblem
from nettwin.scenario.changes import SetPath, apply_all
from nettwin.scenario.scenario import Scenario

UNLIMITED = 1e30  # times its capacity is what a link may carry that nobody asks about


def segment_routing_problem(
    problem: Problem, scenario: Scenario, most_midpoints: int = 1, level: float = 1.0
) -> SegmentRoutingProblem:
    """What may be steered in a scenario (the problem's own, perhaps changed), as arrays.

    Links in an objective count with their capacity, links that must stay under a limit with
    `level` times that limit's share of it: where the objective reaches `level`, all limits hold.
    """
    topology, traffic = scenario.topology, scenario.traffic
    states = [scenario, *(apply_all(scenario, failing) for _, failing in problem.failures)]
    start, plain = _start(scenario, most_midpoints)
    live = topology.node_up[traffic.flow_source] & topology.node_up[traffic.flow_target]
    carried = plain & live & (traffic.flow_source != traffic.flow_target)
    given, rule = problem.scenario, scenario.routing
    alike = rule.next_link is given.routing.next_link and rule.ecmp == given.routing.ecmp
    if len(states) == 1 and scenario.topology is given.topology and alike:
        segments = problem.plain_segments  # midpoints alone change no segment
    else:
        segments = SegmentFlows.of([state.topology for state in states], scenario.routing)
    group, excluded = _excluded_segments(problem, scenario, segments)
    most, limit = problem.intent.most_changes, limits_s(problem, scenario)
    delay = np.zeros((segments.nodes, segments.nodes))
    if np.isfinite(limit).any():
        delay = segments.longest(topology.link_delay_s)
    return SegmentRoutingProblem(
        segments=segments,
        source=traffic.flow_source,
        target=traffic.flow_target,
        rate_bps=np.where(carried, traffic.flow_rate_bps, 0.0),
        movable=carried & problem.flows("segments") & (traffic.flow_rate_bps > 0),
        start=np.where(carried[:, None], start, NONE).astype(np.int32),
        capacity_bps=limits_bps(problem, scenario, level),
        fixed_bps=np.concatenate([fixed_load_bps(state, ~carried & live) for state in states]),
        segment_delay_s=delay,
        limit_s=limit,
        excluded=excluded,
        group=group,
        most_changes=-1 if most is None else most,
    )


def steered(
    scenario: Scenario, segment_problem: SegmentRoutingProblem, midpoints: NDArray[np.int32]
) -> Changes:
    """The changes that make flows take these midpoints [flows, most_midpoints]."""
    names, nodes = scenario.flow_names, scenario.topology.node_name
    moved = np.flatnonzero((midpoints != segment_problem.start).any(axis=1))
    rows, whose = np.unique(midpoints[moved], axis=0, return_inverse=True)
    paths: list[tuple[dict[str, Any], ...]] = []  # shared by the flows that take them
    for row in rows.tolist():
        via = [nodes[m] for m in row if m != NONE]
        paths.append(({"via": via, "share": 1.0},) if via else ())
    ends = zip(moved.tolist(), whose.reshape(-1).tolist(), strict=True)
    return tuple([SetPath(names[f], paths[k]) for f, k in ends])


def _start(scenario: Scenario, most: int) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    """Today's midpoints, and which flows have nothing else than midpoints."""
    flows = scenario.traffic.flow_count
    start = np.full((flows, most), NONE, np.int32)
    plain = np.ones(flows, np.bool_)
    for flow, paths in scenario.routing.steer.items():
        if len(paths) == 1 and not paths[0].links and len(paths[0].midpoints) <= most:
            start[flow, : len(paths[0].midpoints)] = paths[0].midpoints
        elif paths:
            plain[flow] = False
    return start, plain


def fixed_load_bps(state: Scenario, fixed: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The load of flows that stay as they are, in one state. [links]"""
    chosen = np.flatnonzero(fixed)
    if not len(chosen):
        return np.zeros(state.topology.link_count)
    traffic, routing = state.traffic.keep(chosen), state.routing.keep(chosen)
    return replace(state, traffic=traffic, routing=routing).link_load_bps


def limits_bps(problem: Problem, scenario: Scenario, level: float) -> NDArray[np.float64]:
    """What links may carry, state after state: see `segment_routing_problem`. [states * links]"""
    intent, capacity = problem.intent, scenario.topology.link_capacity_bps
    objectives = [o for entry in intent.minimize for o in entry]
    shares = [_share(scenario, objectives, intent.expect, level)]
    if intent.survive:
        after = _share(scenario, intent.survive.minimize, intent.survive.expect, level)
        shares += [after] * len(problem.failures)
    share = np.concatenate(shares)
    if np.isinf(share).all():  # nobody asks: even loads are a good beginning for delays
        share = np.ones_like(share)
    return np.tile(capacity, len(shares)) * np.minimum(share, UNLIMITED)


def _share(
    scenario: Scenario,
    objectives: Sequence[Objective],
    expectations: Sequence[Expectation],
    level: float,
) -> NDArray[np.float64]:
    """The share of its capacity that each link may carry; inf where nobody asks. [links]"""
    share = np.full(scenario.topology.link_count, np.inf)
    for o in objectives:
        if o.measure == "offered_load":
            share[o.select.select(scenario, "link")] = 1.0
    for e in expectations:
        if e.measure == "offered_load" and e.at_most is not None and not e.reduce:
            chosen = e.select.select(scenario, "link")
            share[chosen] = np.minimum(share[chosen], max(e.at_most, 1e-9) / max(level, 1e-9))
    return share


def limits_s(problem: Problem, scenario: Scenario) -> NDArray[np.float64]:
    """What a flow's propagation may take, as its delay may take no less. [flows]"""
    limit = np.full(scenario.traffic.flow_count, np.inf)
    for e in problem.intent.expect:
        of_delay = e.measure.startswith("delay") and e.measure != "delay_variation"
        if of_delay and e.at_most is not None and not e.reduce:
            chosen = e.select.select(scenario, "flow")
            limit[chosen] = np.minimum(limit[chosen], e.at_most)
    return limit


def _excluded_segments(
    problem: Problem, scenario: Scenario, segments: SegmentFlows
) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    """Groups of flows with the same links to avoid, and the segments that cross them."""
    group, links = excluded_links(problem, scenario)
    if not len(links):
        return group, np.zeros((0, 0, 0), np.bool_)
    tables = []
    for row in links:
        price = np.zeros(segments.states * len(row))
        price[: len(row)] = row
        tables.append(segments.cost(price) > 0)
    return group, np.stack(tables)


def excluded_links(
    problem: Problem, scenario: Scenario
) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    """Groups of flows with the same links to avoid [flows], and those links [groups, links]; both
    empty where nothing is to be avoided."""
    avoid = problem.intent.avoid
    flows, links = scenario.traffic.flow_count, scenario.topology.link_count
    if not avoid:
        return np.zeros(0, np.int32), np.zeros((0, links), np.bool_)
    member = np.stack([a.flows.select(scenario, "flow") for a in avoid])  # [rules, flows]
    crossed = np.stack([a.links.select(scenario, "link") for a in avoid])  # [rules, links]
    kinds, group = np.unique(member, axis=1, return_inverse=True)  # [rules, groups]
    excluded = np.stack([crossed[kind].any(axis=0) for kind in kinds.T])  # [groups, links]
    return group.reshape(flows).astype(np.int32), excluded
