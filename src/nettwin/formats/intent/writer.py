"""Writer: an intent as plain data, which reads back to an equal intent."""

from __future__ import annotations

import math
from typing import Any

from nettwin.errors import InputError
from nettwin.formats.intent.fields import ELEMENT_WORDS, FLOW_WORDS, LEVER_LIMITS, MAX_BARE
from nettwin.formats.native.checks import UNLIMITED
from nettwin.formats.native.writer import with_unit
from nettwin.intent import Avoid, Expectation, Intent, Lever, Objective, Prices, Selector, Survive
from nettwin.intent.selector import WORDS

Data = dict[str, Any]

_SCALES = {
    "s": {"s": 1.0, "ms": 1e-3, "us": 1e-6},
    "bit/s": {"T": 1e12, "G": 1e9, "M": 1e6, "k": 1e3},
    "bit": {"GB": 8e9, "MB": 8e6, "kB": 8e3, "B": 8.0},
}


def intent_data(intent: Intent) -> Data:
    """An intent as an intent file's plain data. Raises InputError where a file cannot hold it."""
    data: Data = {"intent": intent.name}
    data["minimize"] = [_level(level) for level in intent.minimize]
    if intent.expect:
        data["expect"] = [_expectation(e) for e in intent.expect]
    if intent.survive:
        data["survive"] = _survive(intent.survive)
    if intent.avoid:
        data["avoid"] = [_avoid(a) for a in intent.avoid]
    change: Data = {}
    if intent.most_changes is not None:
        change["at_most"] = intent.most_changes
    change["with"] = [_lever(lever) for lever in intent.levers]
    if intent.prices != Prices():
        prices = intent.prices
        change["prices"] = {"capacity_gbps": prices.capacity_gbps, "change": prices.change}
    return data | {"change": change}


def _level(level: tuple[Objective, ...]) -> Any:
    entries = [_objective(o) for o in level]
    return entries[0] if len(entries) == 1 and level[0].weight == 1 else entries


def _objective(o: Objective) -> Any:
    data: Data = {"measure": o.measure} | _selector(o.select)
    if o.reduce != o.about.worst:
        data["reduce"] = o.reduce
    if o.failures != "worst":
        data["failures"] = o.failures
    if o.weight != 1:
        data["weight"] = o.weight
    return o.measure if len(data) == 1 else data


def _expectation(e: Expectation) -> Data:
    data: Data = {"measure": e.measure} | _selector(e.select)
    if e.reduce:
        data["reduce"] = e.reduce
    side = "at_most" if e.at_most is not None else "at_least"
    return data | {side: _value(e.about.unit, e.limit)}


def _survive(survive: Survive) -> Data:
    data: Data = {"any": list(survive.kinds)}
    if survive.expect or not survive.minimize:
        data["expect"] = [_expectation(e) for e in survive.expect]
    if survive.minimize:
        if any(o.weight != 1 for o in survive.minimize):
            raise InputError(
                "an objective after a failure has a weight: must have none, for each stands alone."
                " Leave it out."
            )
        data["minimize"] = [_objective(o) for o in survive.minimize]
    return data


def _avoid(avoid: Avoid) -> Data:
    flows, links = _selector(avoid.flows), _selector(avoid.links)
    if set(flows) - set(FLOW_WORDS) or set(links) - set(ELEMENT_WORDS):
        raise InputError(
            f"{avoid.describe()}: flows must be selected by {', '.join(FLOW_WORDS)} and what they"
            f" avoid by {', '.join(ELEMENT_WORDS)}. Select them so."
        )
    return flows | links


def _lever(lever: Lever) -> Any:
    data: Data = {"lever": lever.kind} | _selector(lever.select)
    default = Lever(lever.kind)
    values = {
        "step": ("bit/s", lever.step_bps, default.step_bps),
        "at_most": ("bit/s", lever.at_most_bps, default.at_most_bps),
        "at_least": ("share", lever.at_least, default.at_least),
        "midpoints": ("", lever.midpoints, default.midpoints),
    }
    for name in LEVER_LIMITS[lever.kind]:
        unit, value, usual = values[name]
        if value != usual:
            data[name] = _value(unit, value) if unit else value
    return lever.kind if len(data) == 1 else data


def _selector(select: Selector) -> Data:
    return {
        WORDS.get(name, name): names[0] if len(names) == 1 else list(names)
        for name, names in select.given.items()
    }


def _value(unit: str, value: float) -> str | int | float:
    """A value with its unit, where that gives exactly this number."""
    if math.isinf(value):
        return UNLIMITED
    if unit == "share":
        text = f"{value * 100:.12g}"
        if float(text) / 100 == value or value > MAX_BARE["share"][0]:
            return f"{text}%"
        return value
    short = with_unit(value, _SCALES.get(unit, {}))
    return f"{short!r}s" if unit == "s" and not isinstance(short, str) and short > 1 else short
