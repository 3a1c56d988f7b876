"""Warnings: lines of an intent that are allowed but probably not meant."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from nettwin import units
from nettwin.intent.diagnostics import Asked, Diagnostic, Mask, Place
from nettwin.intent.intent import Intent, Lever, Objective
from nettwin.scenario.scenario import Scenario

STEERS = ("segments", "paths", "weights")  # levers that move load from link to link
ALONE = ("segments", "paths", "rates")  # levers of single flows


class Moved(NamedTuple):
    """A lever and the flows or links that it moves."""

    place: Place
    lever: Lever
    mask: Mask


def warnings(
    intent: Intent, scenario: Scenario, asked: Sequence[Asked], levers: Sequence[Moved]
) -> list[Diagnostic]:
    """What to warn of; nothing of it is wrong for sure."""
    found = [*_repeated(asked), *_unpriced(intent, asked)]
    for each in levers:
        reason = _idle(each, scenario) or _without_effect(each, intent, scenario, asked)
        if reason:
            remedy = "Remove it, or ask for something that it can move."
            found.append(Diagnostic("warning", (each.place,), reason, remedy))
    return found + list(_untouched(asked, levers))


def _repeated(asked: Sequence[Asked]) -> Iterator[Diagnostic]:
    """Lines that say the same, or less than another."""
    seen: dict[tuple[object, ...], Asked] = {}
    for each in asked:
        key = _meaning(each)
        first = seen.setdefault(key, each)
        if first is each:
            continue
        limit, other = each.limit, first.limit
        reason = "both lines say the same"
        if limit and other and limit.limit != other.limit:
            tighter = min if limit.at_most is not None else max
            value = tighter(limit, other, key=lambda e: e.limit).describe()
            reason = f"only the tighter of the two lines counts: {value}"
        elif not limit and each.line != first.line:
            continue
        yield Diagnostic("warning", (first.place, each.place), reason, "Remove one of them.")


def _meaning(each: Asked) -> tuple[object, ...]:
    line = each.line
    common = line.measure, line.select, each.failed
    if isinstance(line, Objective):
        level = each.place[1] if len(each.place) == 3 and not each.failed else "one"
        return ("objective", *common, line.reduce, level)
    usual = "max" if line.at_most is not None else "min"
    return ("expectation", *common, line.sense, line.reduce or usual)


def _unpriced(intent: Intent, asked: Sequence[Asked]) -> Iterator[Diagnostic]:
    """Costs that are always 0."""
    grown = intent.lever("capacities") and intent.prices.capacity_gbps > 0
    places = tuple(each.place for each in asked if each.line.measure == "cost")
    if places and not grown and not intent.prices.change:
        reason = "cost is always 0: no lever that is allowed has a price"
        remedy = "Give change.prices, or allow the lever capacities."
        yield Diagnostic("warning", places, reason, remedy)


def _idle(each: Moved, scenario: Scenario) -> str:
    """Why a lever cannot move anything; empty where it can."""
    lever, topology = each.lever, scenario.topology
    if lever.kind == "capacities":
        capacity = topology.link_capacity_bps[each.mask]
        if (capacity + lever.step_bps > lever.at_most_bps).all():
            most, step = units.rate(lever.at_most_bps), units.rate(lever.step_bps)
            return f"no link that it selects can grow by {step} and stay within {most}"
    if lever.kind == "rates" and lever.at_least >= 1:
        return "flows keep all of their rate: it limits none"
    if lever.kind == "schedulers":
        used = np.unique(topology.link_scheduler[each.mask]).tolist()
        if all(len(topology.schedulers[k].queues) < 2 for k in used):
            return "all links that it selects have a single queue"
    if lever.kind == "weights" and scenario.routing.next_link is not None:
        return "the network is routed by next-hop tables, which weights do not change"
    return ""


def _without_effect(each: Moved, intent: Intent, scenario: Scenario, asked: Sequence[Asked]) -> str:
    """Why a lever can move none of the lines; empty where it can."""
    lever = each.lever
    lines = [a for a in asked if a.about.kind != "plan"]
    if lever.kind in STEERS and (lines or intent.avoid):
        return ""
    if lever.kind == "schedulers":
        lines = [a for a in lines if a.about.name != "offered_load"]
    if lever.kind in ("schedulers", "capacities"):
        lines = [a for a in lines if a.about.kind == "flow" or _overlap(a, each.mask, scenario)]
    return "" if lines else f"{lever.kind} moves nothing that a line asks about"


def _overlap(each: Asked, links: Mask, scenario: Scenario) -> bool:
    """Whether links, or queues of them, are among what a line is about."""
    mask = links[scenario.topology.queues.link] if each.about.kind == "queue" else links
    return bool((mask & each.mask).any())


def _untouched(asked: Sequence[Asked], levers: Sequence[Moved]) -> Iterator[Diagnostic]:
    """Lines on flows that no lever moves themselves."""
    if not levers or any(moved.lever.kind not in ALONE for moved in levers):
        return
    touched = np.any([moved.mask for moved in levers], axis=0)
    for each in asked:
        if each.about.kind == "flow" and not (each.mask & touched).any():
            reason = (
                f"{each.line.describe()}: no lever moves any of these flows, only others around"
                " them"
            )
            remedy = "Let a lever select them."
            yield Diagnostic("warning", (each.place,), reason, remedy)
