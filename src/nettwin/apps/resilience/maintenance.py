"""Maintenance: take a node or a link out of service without harm, and bring it back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from nettwin.change_plan import ChangePlan, Evidence
from nettwin.errors import InputError, UnknownNameError
from nettwin.intent import Expectation, Intent, Objective
from nettwin.model import NetworkModel
from nettwin.optimize.problem import Problem, merged
from nettwin.optimize.search import Tell
from nettwin.optimize.stop import Seconds, Stop
from nettwin.scenario.changes import (
    Change,
    FailNode,
    SetPath,
    SetWeight,
    apply_all,
    find_links,
)
from nettwin.scenario.changes.undoing import undone
from nettwin.scenario.routing import Steer
from nettwin.scenario.scenario import Scenario

HIGHEST_METRIC = 65535.0  # of OSPF (RFC 2328, 6987): a link that is only a last resort
USUAL = Seconds(5)


@dataclass(frozen=True)
class Drain:
    """How to take elements out of service, and how to bring them back."""

    elements: tuple[str, ...]
    plan: ChangePlan  # in the order in which to make its changes
    back: tuple[Change, ...]  # undo it, in this order
    transit_before_bps: float  # what crosses the elements now, their own traffic left out
    transit_left_bps: float  # what still crosses them after the plan
    left: tuple[str, ...]  # the flows that do: there is no other path
    own_bps: float  # traffic from or to drained nodes, which stops with them

    @property
    def drained(self) -> bool:
        """Whether nothing crosses the elements any more."""
        return not self.left


def drain(
    scenario: Scenario,
    elements: Sequence[str],
    intent: Intent | None = None,
    model: NetworkModel | None = None,
    *,
    method: str = "auto",
    stop: Stop = USUAL,
    seed: int = 0,
    tell: Tell | None = None,
) -> Drain:
    """The smallest change plan that takes nodes or links out of the paths of all other traffic and
    keeps the intent: their links get the highest metric, flows that are steered over them follow
    the IGP, and where that breaks the intent, as few other changes as possible mend it.

    Without an intent no link may be offered more than its capacity, or more than the busiest link
    is offered now. Raises InputError for a network that is routed by tables, which have no metric,
    and UnknownNameError for an element that there is not."""
    from nettwin.optimize.finishing.order import ordered
    from nettwin.optimize.optimize import optimize

    if scenario.routing.next_link is not None:
        raise InputError(
            "the network is routed by next-hop tables: no metric takes traffic off a link. Give a"
            " network that is routed by IGP weights."
        )
    nodes, links = _elements(scenario, elements)
    wanted = intent or _usual(scenario)
    problem = Problem(scenario, wanted, model)
    out = _cost_out(scenario, nodes, links)
    aside, weights = apply_all(scenario, out), [c for c in out if isinstance(c, SetWeight)]
    changes = out
    reasons: tuple[str, ...] = ()
    judged = problem.judge([out])[0]
    if not judged.met:
        fewest = replace(wanted, minimize=((Objective("changes"),),))
        failed = apply_all(aside, [FailNode(scenario.topology.node_name[n]) for n in nodes])
        for begin in (aside, failed) if nodes else (aside,):
            search = Problem(begin, fewest, problem.model)
            found = optimize(search, method, stop, seed, tell=tell)
            changes = merged(merged(out, found.changes), weights)
            judged = problem.judge([changes])[0]
            reasons = found.reasons
            if judged.met and not _crossing(apply_all(scenario, changes), nodes, links).any():
                break
    steps = ordered(scenario, changes)
    after = apply_all(scenario, steps.changes)
    own = np.isin(scenario.traffic.flow_source, nodes) | np.isin(
        scenario.traffic.flow_target, nodes
    )
    rate = scenario.traffic.flow_rate_bps
    left = _crossing(after, nodes, links)
    engine = ("loads", "exact") if problem.model is None else (problem.model.name, "predicted")
    plan = ChangePlan(
        changes=steps.changes,
        before=problem.before,
        after=judged,
        method=method if changes != out else "cost out",
        seed=seed,
        seconds=0.0,
        evidence=(Evidence(*engine, judged),),
        warnings=steps.warnings,
        reasons=() if judged.met else reasons,
        intent=wanted.name,
        network=scenario.fingerprint(),
    )
    return Drain(
        tuple(elements),
        plan,
        undone(scenario, steps.changes),
        float((rate * _crossing(scenario, nodes, links)).sum()),
        float((rate * left).sum()),
        tuple(scenario.flow_names[f] for f in np.flatnonzero(left > 0).tolist()),
        float(rate[own].sum()),
    )


def _usual(scenario: Scenario) -> Intent:
    most = max(1.0, float(scenario.link_offered_load.max(initial=0.0)))
    return Intent(name="no link overloaded", expect=(Expectation("offered_load", at_most=most),))


def _elements(scenario: Scenario, names: Sequence[str]) -> tuple[list[int], NDArray[np.intp]]:
    """The nodes that are named, and all links of them and of the links that are named."""
    topology = scenario.topology
    nodes: list[int] = []
    links: list[int] = []
    for name in names:
        if name in topology.node_index:
            nodes.append(topology.node(name))
        elif "->" in name or name in topology.link_index:
            links += find_links(topology, name).tolist()
        else:
            raise UnknownNameError("node or link", name, (*topology.node_name, *topology.link_name))
    ends = np.isin(topology.link_source, nodes) | np.isin(topology.link_target, nodes)
    return nodes, np.union1d(np.array(links, np.intp), np.flatnonzero(ends & topology.link_up))


def _cost_out(
    scenario: Scenario, nodes: Sequence[int], links: NDArray[np.intp]
) -> tuple[Change, ...]:
    """The highest metric for links, and the IGP for the flows that are steered over them."""
    topology = scenario.topology
    others = np.delete(topology.link_weight, links)
    metric = max(HIGHEST_METRIC, float(np.ceil(2 * others.sum())) + 1)
    out: list[Change] = [
        SetPath(scenario.flow_names[flow])
        for flow, paths in sorted(scenario.routing.steer.items())
        if any(_goes_over(path, nodes, links) for path in paths)
    ]
    out += [SetWeight(topology.link_name[k], metric) for k in links.tolist()]
    return tuple(out)


def _goes_over(path: Steer, nodes: Sequence[int], links: NDArray[np.intp]) -> bool:
    return bool(set(path.midpoints) & set(nodes)) or bool(np.isin(path.links, links).any())


def _crossing(
    scenario: Scenario, nodes: Sequence[int], links: NDArray[np.intp]
) -> NDArray[np.float64]:
    """The part of each flow that crosses drained links; 0 for traffic of drained nodes. [flows]"""
    paths, traffic = scenario.paths, scenario.traffic
    over = np.zeros(paths.path_count, np.bool_)
    over[paths.hop_path[np.isin(paths.links, links)]] = True
    part = np.bincount(paths.path_flow[over], paths.share[over], traffic.flow_count)
    own = np.isin(traffic.flow_source, nodes) | np.isin(traffic.flow_target, nodes)
    return np.where(own, 0.0, part)
