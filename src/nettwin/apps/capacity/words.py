"""Words: a capacity plan in plain words, made of its numbers."""

from __future__ import annotations

import numpy as np

from nettwin import units
from nettwin.apps.capacity.case import CapacityCase
from nettwin.apps.capacity.runout import RunOut, RunOuts
from nettwin.apps.capacity.upgrade import Upgrade

FAR = "not within {years:g} years"


def when(found: RunOuts, years: float) -> str:
    """A time of running out for people: a date, or years where the case has no beginning."""
    if np.isinf(years):
        return FAR.format(years=found.horizon_years)
    if years == 0:
        return "now"
    if not found.case.begin_s:
        return f"in {years:.1f} years"
    return units.moment(found.date_s(years))[:10]


def of_growth(case: CapacityCase) -> str:
    """How traffic grows, group by group."""
    parts = []
    for group in case.groups:
        if group.each:
            grown = float(case.factors(float(case.years[-1]))[case.groups.index(group)])
            parts.append(f"{group.name} to {grown:.2f} times by the end")
            continue
        g = group.growth
        between = f" ({g.low:.0%} to {g.high:.0%})" if g.low < g.high else ""
        parts.append(f"{group.name} by {g.yearly:.0%}{between} a year")
    return "Traffic grows: " + "; ".join(parts) + "."


def of_run_outs(found: RunOuts) -> str:
    """What runs out first, and how much does at all."""
    links = [one for one in found.found if one.kind == "link"]
    out = [one for one in links if np.isfinite(one.years)]
    words = [of_growth(found.case)]
    if not out:
        words.append(
            f"No link is offered more than {found.case.limit:.0%} after any failure within"
            f" {found.horizon_years:g} years."
        )
    else:
        first = out[0]
        over = [one for one in out if one.years == 0]
        within = [one for one in out if one.years <= found.case.years[-1]]
        if over:
            words.append(f"{len(over)} of {len(links)} links are too small already.")
        words.append(
            f"{len(within)} of {len(links)} links run out within the plan; the first is"
            f" {first.element}: {_of(found, first)}."
        )
    for one in (one for one in found.found if one.kind == "intent"):
        words.append(f"'{one.element}': {_of(found, one)}.")
    if found.exempt:
        flows = len({flow for some in found.exempt.values() for flow in some})
        words.append(
            f"Failures that leave flows without any path: {len(found.exempt)}, flows: {flows}; no"
            " capacity helps those, and they are left out."
        )
    return " ".join(words)


def _of(found: RunOuts, one: RunOut) -> str:
    if np.isinf(one.years):
        early = f", at the earliest {when(found, one.early)}" if np.isfinite(one.early) else ""
        return f"{FAR.format(years=found.horizon_years)}{early}"
    between = ""
    if one.early != one.late:
        ends = [when(found, years).removeprefix("in ") for years in (one.early, one.late)]
        between = f" (interval: {ends[0]} to {ends[1]})"
    return f"{when(found, one.years)}{between}, when {one.cause} fails"


def of_upgrade(found: Upgrade) -> str:
    """What the cheapest plan buys and costs, beside what people do."""
    best, case = found.best, found.case
    if not best.bought:
        words = ["Nothing needs to be bought."]
    else:
        lines = len({one.line for one in best.bought})
        new = sum(one.built for one in best.bought)
        words = [
            f"The cheapest plan upgrades {lines} of {len(best.ground.lines.name)} lines"
            f"{f' and builds {new} of them' if new else ''} for {best.cost:.6g}"
            f"{' (discounted)' if case.discount else ''}."
        ]
        new_links = " and these new links" if case.candidates else ""
        proof = f"{best.gap:.1%}" if np.isfinite(best.gap) else "an unknown part"
        words.append(
            f"With the network's own routing{new_links}, at most {proof} of that could be saved."
            if best.gap > 5e-4
            else f"With the network's own routing{new_links}, nothing costs less."
        )
        if case.candidates:
            words.append(
                "Every way to build the candidates was looked at."
                if found.every_build
                else "Ways to build the candidates were improved one at a time: a better one may"
                " exist."
            )
    for rule in found.rules:
        if rule.cost > 0:
            words.append(
                f"The {rule.method} costs {rule.cost:.6g}, so that"
                f" {found.saving(rule.method):.0%} are saved."
            )
    if not best.fits:
        short = best.short_bps.max(axis=0) > 0
        first = case.period_name(int(np.argmax(short)))
        words.append(f"The budget does not suffice: capacity is missing from {first} on.")
    missed = [check for check in found.checked if not check.met]
    if found.checked:
        words.append(
            f"{found.engine or 'The check'} finds every expectation met in every period after every"
            f" failure{f', after {found.repairs} repairs' if found.repairs else ''}."
            if not missed
            else f"{len(missed)} checks are missed where capacity does not help, first"
            f" '{missed[0].expectation}' in {case.period_name(missed[0].period)} when"
            f" {missed[0].cause} fails."
        )
    if found.exempt:
        flows = len({flow for some in found.exempt.values() for flow in some})
        words.append(f"Flows that have no path after some failure, and are exempt: {flows}.")
    return " ".join(words)
