"""Contradictions: lines of an intent that no configuration of a network can meet, proven."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nettwin import units
from nettwin.intent.bounds import Floats, Ground, around, delay_floor_s, without
from nettwin.intent.diagnostics import Asked, Diagnostic, Mask, Place, listed
from nettwin.intent.intent import Avoid, Intent, shown
from nettwin.intent.judgement import State, judge
from nettwin.intent.measures import MEASURES
from nettwin.scenario.topology import Topology

TOLERANCE = 1e-9


class Avoided(NamedTuple):
    """A rule of what to avoid, with the flows and links that it selects."""

    place: Place
    rule: Avoid
    flows: Mask
    links: Mask


def contradictions(
    intent: Intent, ground: Ground, asked: Sequence[Asked], avoided: Sequence[Avoided]
) -> list[Diagnostic]:
    """What the network as it stands, without failures, cannot give."""
    now = [a for a in asked if a.limit and not a.failed]
    found = [*opposites(asked), *_no_path(ground, avoided)]
    for each in now:
        if each.about.kind == "flow":
            found += _beyond(each, ground, avoided)
    found += overfull(now, ground, ground.topology, ground.rate_bps)
    return [*found, *_frozen(intent, ground, now, avoided)]


# one line against another


def opposites(asked: Sequence[Asked]) -> Iterator[Diagnostic]:
    """Pairs of lines that ask for more than the other allows."""
    limits = [(a, a.limit) for a in asked if a.limit]
    lower = [(a, e) for a, e in limits if e.at_most is None]
    upper = [(a, e) for a, e in limits if e.at_most is not None]
    for (a, low), (b, high) in product(lower, upper):
        if a.failed != b.failed or low.measure != high.measure or low.limit <= high.limit:
            continue
        if not _meet(a.mask, low.reduce or "min", b.mask, high.reduce or "max"):
            continue
        few, many = shown(low.about, low.limit), shown(high.about, high.limit)
        yield Diagnostic(
            "contradiction",
            (a.place, b.place),
            f"{low.measure}{low.select.of()} must be at least {few} by the first"
            f" and at most {many} by the second",
            f"Lower the first to {many}, raise the second to {few}, or select other elements.",
        )


def _meet(a: Mask, at_least: str, b: Mask, at_most: str) -> bool:
    """Whether a lower limit on what `a` becomes is about values that `b`'s upper limit bounds."""
    if not len(a):  # of the plan
        return True
    if at_least == "min" and at_most == "max":
        return bool((a & b).any())
    if at_most == "max" and at_least in ("mean", "max"):
        return not (a & ~b).any()
    if at_least == "min" and at_most in ("mean", "min"):
        return not (b & ~a).any()
    return at_least == at_most and np.array_equal(a, b)


# paths


def _no_path(ground: Ground, avoided: Sequence[Avoided]) -> Iterator[Diagnostic]:
    """Rules that leave flows no path, alone or together."""
    names = ground.scenario.flow_names
    reached = np.isfinite(ground.floor_s)
    left = reached & ~np.isfinite(ground.avoiding_s)
    for place, rule, flows, links in avoided:
        mine = left & flows
        if not mine.any():
            continue
        topology = without(ground.topology, links)
        alone = mine & ~np.isfinite(delay_floor_s(ground.scenario, topology, ground.capacity_bps))
        if not alone.any():
            continue
        left &= ~alone
        ends = alone & _shut(ground, links)
        where = (
            f"begin or end where every link is excluded: {listed(names, np.flatnonzero(ends))}"
            if ends.any()
            else f"have no other path: {listed(names, np.flatnonzero(alone))}"
        )
        remedy = (
            "Select other flows, or exclude less: node selects every link at either side of it."
        )
        reason = f"{rule.describe()}: {_counted(int(alone.sum()))} {where}"
        yield Diagnostic("contradiction", (place,), reason, remedy)
    if left.any():
        places = tuple(place for place, _, flows, _ in avoided if (flows & left).any())
        reason = f"together they leave no path to {listed(names, np.flatnonzero(left))}"
        yield Diagnostic("contradiction", places, reason, "Drop one of them for these flows.")


def _shut(ground: Ground, links: Mask) -> Mask:
    """Flows whose source or target has no live link but the given ones. [flows]"""
    topology = ground.topology
    free, n = topology.link_live & ~links, topology.node_count
    leaving = np.bincount(topology.link_source[free], minlength=n)
    entering = np.bincount(topology.link_target[free], minlength=n)
    source, target = ground.ends
    shut: Mask = (leaving[source] == 0) | (entering[target] == 0)
    return shut


def _counted(flows: int) -> str:
    return "1 flow would" if flows == 1 else f"{flows} flows would"


# limits against what the graph allows


def _beyond(each: Asked, ground: Ground, avoided: Sequence[Avoided]) -> Iterator[Diagnostic]:
    """A limit on flows that the network cannot keep, without or with what they must avoid."""
    limit = each.limit
    assert limit is not None
    upper = limit.at_most is not None
    trials: list[tuple[Floats, tuple[Place, ...], str]] = [(ground.floor_s, (), "")]
    if upper and avoided:
        floor = np.where(np.isfinite(ground.avoiding_s), ground.avoiding_s, ground.floor_s)
        longer = each.mask & (floor > ground.floor_s)
        rules = tuple(place for place, _, flows, _ in avoided if (flows & longer).any())
        trials.append((floor, rules, " over paths without what must be avoided"))
    for floor, rules, words in trials:
        values = (ground.least if upper else ground.most)(each.about, floor)
        bad, worst = _missed(each, values, ground)
        if not len(bad):
            continue
        which = listed(ground.scenario.flow_names, bad)
        who = f"the {limit.reduce} over {which}" if limit.reduce else which
        value = shown(each.about, worst)
        reason = f"cannot be {'under' if upper else 'above'} {value}{words}"
        cure = f"Raise the limit to {value} or more" if upper else f"Lower the limit to {value}"
        remedy = f"{cure}, or select other flows."
        if np.isinf(worst) or not np.isfinite(floor[bad]).any():
            reason, remedy = "no path in this network", "Select flows that have a path."
            who = f"{which}: there is"
        text = f"{limit.describe()}: {who} {reason}"
        yield Diagnostic("contradiction", (each.place, *rules), text, remedy)
        return


def _missed(each: Asked, values: Floats, ground: Ground) -> tuple[NDArray[np.intp], float]:
    """The flows for which a limit cannot hold, and the value that is farthest from it."""
    limit = each.limit
    assert limit is not None
    chosen = np.flatnonzero(each.mask)
    mine, upper = values[chosen], limit.at_most is not None
    worst = (np.nanmax if upper else np.nanmin)(mine) if not np.isnan(mine).all() else np.nan
    if limit.reduce:
        worst = ground.whole(values, limit.reduce, chosen, not upper)
        mine = np.full(len(mine), worst)
    bad = (1 if upper else -1) * (mine - limit.limit) > TOLERANCE * abs(limit.limit)  # not for NaN
    return chosen[bad], float(worst)


def overfull(
    asked: Sequence[Asked], ground: Ground, topology: Topology, rate_bps: Floats, when: str = ""
) -> Iterator[Diagnostic]:
    """Limits on the links around a node that together are less than what must cross them."""
    share = np.full(topology.link_count, np.inf)
    owner = np.full(len(share), -1)
    for k, each in enumerate(asked):
        limit = each.limit
        bounds_all = limit and limit.at_most is not None and limit.reduce in (None, "max")
        if limit and bounds_all and limit.measure == "offered_load":
            lower = each.mask & (limit.limit < share)
            share[lower], owner[lower] = limit.limit, k
    live, n = topology.link_live, topology.node_count
    room = np.where(share > 0, share, 0.0) * np.where(share > 0, ground.capacity_bps, 0.0)
    for side in around(topology, ground.ends, rate_bps):
        allowed = np.bincount(side.at[live], room[live], n)
        full = np.bincount(side.at[live], ground.capacity_bps[live], n)
        excess = side.demand_bps - allowed * (1 + TOLERANCE)
        told: set[tuple[Place, ...]] = set()
        for node in np.argsort(-excess)[: np.count_nonzero(excess > 0)].tolist():
            owners = sorted(set(owner[live & (side.at == node)].tolist()))
            places = tuple(asked[k].place for k in owners if k >= 0)
            if places in told or not places:
                continue
            told.add(places)
            verb, path = ("sends", "leave") if side.leaving else ("receives", "enter")
            demand = side.demand_bps[node]
            reason = (
                f"{when}{topology.node_name[node]} {verb} {units.rate(demand)}, and the links that"
                f" {path} it may carry {units.rate(allowed[node])} of {units.rate(full[node])}"
            )
            needed = units.percent(demand / full[node])
            remedy = f"Raise the limit to {needed}, or allow the lever capacities or rates there."
            yield Diagnostic("contradiction", places, reason, remedy)


# nothing may change


def _frozen(
    intent: Intent, ground: Ground, now: Sequence[Asked], avoided: Sequence[Avoided]
) -> Iterator[Diagnostic]:
    """What the network does not meet today, where nothing may be changed."""
    if intent.most_changes != 0 and intent.levers:
        return
    why: Place = ("change", "at_most") if intent.most_changes == 0 else ("change", "with")
    known = [a for a in now if not a.about.predicted and a.about.kind != "plan"]
    lines = tuple(a.limit for a in known if a.limit)
    today = replace(
        intent,
        minimize=(),
        expect=lines,
        survive=None,
        avoid=tuple(rule for _, rule, _, _ in avoided),
        most_changes=None,
    )
    places = [a.place for a in known] + [place for place, _, _, _ in avoided]
    judged = judge(today, State(ground.scenario)).lines
    for place, line in zip(places, judged, strict=True):
        if not line.met:
            about = MEASURES.get(line.measure)  # a rule to avoid something is about a share
            value = shown(about, line.value) if about else units.percent(line.value)
            reason = (
                f"nothing may change, and {line.text} is missed today: {line.worst} has {value}"
            )
            remedy = "Allow a change, or loosen the line."
            yield Diagnostic("contradiction", (place, why), reason, remedy)
