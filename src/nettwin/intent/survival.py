"""Survival: what an intent asks for after failures that some failure makes impossible."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nettwin.intent.bounds import Ground, always_routed, delay_floor_s, joined
from nettwin.intent.contradictions import TOLERANCE, overfull
from nettwin.intent.diagnostics import Asked, Diagnostic, Mask, Place, listed
from nettwin.intent.intent import Intent, shown
from nettwin.scenario.changes import apply_all
from nettwin.scenario.changes.singles import single_failures
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.topology import Topology


class Failed(NamedTuple):
    """A failure: the topology after it, and the flows whose ends it leaves without a path."""

    name: str
    topology: Topology
    lost: NDArray[np.intp]

    def reached(self, ground: Ground) -> Mask:
        """Which flows have both ends and a path. [flows]"""
        source, target = ground.ends
        found: Mask = self.topology.node_up[source] & self.topology.node_up[target]
        found[self.lost] = False
        return found


def survival(intent: Intent, ground: Ground, asked: Sequence[Asked]) -> list[Diagnostic]:
    """Lines that a failure breaks whatever the levers do; each is told with its first failures."""
    mine = [a for a in asked if a.failed]
    if not intent.survive or not mine:
        return []
    after = list(failures(intent, ground))
    found = [finding for each in mine for finding in _cut_off(each, ground, after)]
    told = {finding.places for finding in found}
    for each in mine:
        if each.about.name.startswith("delay") and each.limit and (each.place,) not in told:
            found += _too_far(each, ground, after)
    return found + _overfull(mine, ground, after)


def failures(intent: Intent, ground: Ground) -> Iterator[Failed]:
    """Every failure that is to be survived."""
    scenario = ground.scenario
    empty = Scenario(ground.topology, scenario.traffic.keep(np.zeros(0, np.intp)))
    source, target = ground.ends
    for kind in intent.survive.kinds if intent.survive else ():
        for name, changes in single_failures(ground.topology, kind):
            topology = apply_all(empty, changes).topology
            both = topology.node_up[source] & topology.node_up[target]
            lost = np.flatnonzero(both & ~joined(topology, source, target))
            yield Failed(f"{kind} {name}", topology, lost)


def _cut_off(each: Asked, ground: Ground, after: Sequence[Failed]) -> Iterator[Diagnostic]:
    """Flows that a failure leaves without a path, where the line is about their packets."""
    if not _broken_by_loss(each):
        return
    flows = each.mask & np.isfinite(ground.floor_s) & ~ground.silent
    causes, lost = [], np.zeros(len(flows), np.bool_)
    for failed in after:
        gone = failed.lost[flows[failed.lost]]
        if len(gone):
            lost[gone] = True
            causes.append(failed.name)
    if not causes:
        return
    names = ground.scenario.flow_names
    reason = (
        f"{each.line.describe()} after a failure: {listed(causes, range(len(causes)))} leaves no"
        f" path to {listed(names, np.flatnonzero(lost))}"
    )
    remedy = "Select flows that have two paths, or leave this kind of failure out."
    yield Diagnostic("contradiction" if each.limit else "warning", (each.place,), reason, remedy)


def _broken_by_loss(each: Asked) -> bool:
    """Whether a line is missed for sure where one of its flows has no path."""
    about, limit, how = each.about, each.limit, each.line.reduce
    if about.kind != "flow":
        return False
    endless = about.unit == "s" and how != "min"  # no end of delay, of a mean of it too
    if limit and limit.at_most is None:
        return about.name == "throughput" and how in (None, "min") and limit.limit > 0
    if limit and limit.limit >= about.high:
        return False
    return endless or (about.name == "loss" and how in (None, "max"))


def _too_far(each: Asked, ground: Ground, after: Sequence[Failed]) -> Iterator[Diagnostic]:
    """A limit on delay under what is left of the paths after a failure."""
    limit = each.limit
    if not limit or limit.at_most is None or limit.reduce not in (None, "max"):
        return
    worst, name, flow = limit.limit * (1 + TOLERANCE), "", -1
    for failed in after:
        floor = delay_floor_s(ground.scenario, failed.topology, ground.capacity_bps)
        values = ground.least(each.about, floor)
        values = np.where(each.mask & failed.reached(ground), values, np.nan)
        if not np.isnan(values).all() and np.nanmax(values) > worst:
            flow = int(np.nanargmax(values))
            worst, name = float(values[flow]), failed.name
    if name:
        value = shown(each.about, worst)
        which = ground.scenario.flow_names[flow]
        reason = f"{limit.describe()}: after {name} fails, {which} cannot be under {value}"
        remedy = f"Raise the limit to {value} or more, or select other flows."
        yield Diagnostic("contradiction", (each.place,), reason, remedy)


def _overfull(asked: Sequence[Asked], ground: Ground, after: Sequence[Failed]) -> list[Diagnostic]:
    """Limits on the links around a node that do not suffice after a failure; the first a line."""
    found: dict[tuple[Place, ...], Diagnostic] = {}
    if not any(a.limit and a.about.name == "offered_load" for a in asked):
        return []
    for failed in after:
        sure = failed.reached(ground) & always_routed(ground.scenario, failed.topology)
        rate = np.where(sure, ground.rate_bps, 0.0)
        when = f"after {failed.name} fails, "
        for finding in overfull(asked, ground, failed.topology, rate, when):
            found.setdefault(finding.places, finding)
    return list(found.values())
