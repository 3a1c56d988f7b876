"""Capacity: what capacity planning answers, as JSON."""

from __future__ import annotations

from typing import Any

from nettwin.apps.capacity import words
from nettwin.apps.capacity.case import CapacityCase
from nettwin.apps.capacity.purchase import Purchases
from nettwin.apps.capacity.runout import RunOuts
from nettwin.apps.capacity.upgrade import Upgrade
from nettwin.units import finite_or_none


def case(of: CapacityCase) -> dict[str, Any]:
    """What was planned for."""
    return {
        "name": of.name,
        "begin_s": of.begin_s or None,
        "periods": [of.period_name(k) for k in range(of.periods)],
        "limit": of.limit,
        "survive": list(of.survive),
        "groups": [
            {"group": g.name, **g.growth._asdict(), "each": list(g.each)} for g in of.groups
        ],
        "modules": [vars(module) for module in of.modules],
        "candidates": [one.name for one in of.candidates],
        "budget": list(of.budget) or None,
        "discount": of.discount,
        "assumed": list(of.assumed),
    }


def run_outs(found: RunOuts) -> dict[str, Any]:
    """When links and intents run out; null: not within the horizon."""
    return {
        "case": case(found.case),
        "words": words.of_run_outs(found),
        "horizon_years": found.horizon_years,
        "engine": found.engine or None,
        "run_outs": [
            {
                **one._asdict(),
                "years": finite_or_none(one.years),
                "early": finite_or_none(one.early),
                "late": finite_or_none(one.late),
                "now": finite_or_none(one.now),
                "date": words.when(found, one.years),
            }
            for one in found.found
        ],
        "exempt": found.exempt,
    }


def purchases(of: Purchases) -> dict[str, Any]:
    """What one method buys."""
    name = of.ground.case.period_name
    return {
        "method": of.method,
        "cost": of.cost,
        "bound": finite_or_none(of.bound),
        "gap": finite_or_none(of.gap),
        "fits": of.fits,
        "paid": {name(k): float(paid) for k, paid in enumerate(of.paid)},
        "bought": [
            {
                "period": name(one.period),
                "line": one.line,
                "modules": dict(one.modules),
                "added_bps": one.added_bps,
                "cost": one.cost,
                "built": one.built,
            }
            for one in of.bought
        ],
        "short": [
            {"line": of.ground.lines.name[k], "period": name(p), "bps": float(of.short_bps[k, p])}
            for k, p in zip(*of.short_bps.nonzero(), strict=True)
        ],
    }


def upgrade(found: Upgrade) -> dict[str, Any]:
    """The cheapest plan, and what people do."""
    return {
        "case": case(found.case),
        "words": words.of_upgrade(found),
        "met": found.met,
        "engine": found.engine or None,
        "seconds": found.seconds,
        "every_build": found.every_build,
        "best": purchases(found.best),
        "rules": [purchases(rule) for rule in found.rules],
        "saving": {rule.method: finite_or_none(found.saving(rule.method)) for rule in found.rules},
        "checked": [
            {
                **check._asdict(),
                "period": found.case.period_name(check.period),
                "value": finite_or_none(check.value),
            }
            for check in found.checked
        ],
        "repairs": found.repairs,
        "exempt": found.exempt,
    }
