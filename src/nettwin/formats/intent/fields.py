"""Fields of an intent: every key that an intent may have, declared once.

Reading, the refusal of unknown keys and the JSON schema are made from these tables, together with
MEASURES, LEVERS and SURVIVABLE of `nettwin.intent`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from nettwin.formats.native.fields import Element, Field
from nettwin.intent import LEVERS, Measure
from nettwin.intent.selector import FIELDS, WORDS
from nettwin.quantity import Quantity

REDUCES = ("max", "min", "mean", "total")
OVERS = ("worst", "mean")
# a bare number above these could as well be meant in ms or in %
MAX_BARE: Mapping[str, tuple[float, str]] = {"s": (1.0, "ms"), "share": (2.0, "%")}
LEVER_LIMITS: Mapping[str, tuple[str, ...]] = {
    name: {
        "segments": ("midpoints",),
        "capacities": ("step", "at_most"),
        "rates": ("at_least",),
    }.get(name, ())
    for name in LEVERS
}
SELECTORS = {WORDS.get(name, name): name for name in FIELDS["flow"] + FIELDS["link"]}
ELEMENT_WORDS, FLOW_WORDS = ("link", "node", "srlg"), ("from", "to", "class", "flow")  # of avoid

STEP = Quantity("step", "bit/s", "what a capacity grows by", 10e9, above=0)
GROWTH = Quantity("at_most", "bit/s", "what a capacity may grow to", above=0, infinite=True)
KEPT = Quantity("at_least", "share", "share of its offered rate that a flow keeps", 0.5, 0, 1)
MIDPOINTS = Quantity("midpoints", "", "how many midpoints a flow may have", 2, low=1, high=3)
CHANGES = Quantity("at_most", "", "how many changes there may be", low=0)
WEIGHT = Quantity("weight", "", "factor in the weighted sum", 1.0, above=0)
PRICES = {
    "capacity_gbps": Quantity("capacity_gbps", "", "price of each added Gbit/s", 1.0, low=0),
    "change": Quantity("change", "", "price of each change", 0.0, low=0),
}
_LIMITS = {
    "s": Quantity("limit", "s", "a time", low=0),
    "share": Quantity("limit", "share", "a share", low=0, high=100),
    "bit/s": Quantity("limit", "bit/s", "a rate", low=0),
    "bit": Quantity("limit", "bit", "a size", low=0),
    "number": Quantity("limit", "", "a number", low=0),
}
_SELECTOR_MEANS = {
    "from": "nodes where it begins",
    "to": "nodes where it ends",
    "class": "traffic classes",
    "flow": "flows by name",
    "link": "links by name, such as A->B; A<->B is both directions, parallel links too",
    "node": "nodes; for flows that they cross, for links at either end",
    "srlg": "shared-risk groups",
}


def limit(measure: Measure) -> Quantity:
    """The quantity of a limit on a measure."""
    known = _LIMITS[measure.unit]
    return replace(known, high=min(known.high, measure.high))


def _element(title: str, *fields: Field) -> Element:
    return Element(title, {field.name: field for field in fields})


def _number(quantity: Quantity) -> Field:
    return Field(quantity.name, "number", quantity.meaning, quantity)


_SELECT = tuple(Field(word, "names", _SELECTOR_MEANS[word]) for word in SELECTORS)
_MEASURE = Field("measure", "measure", "what is asked about", required=True)
_REDUCE = Field("reduce", "reduce", "how the selected elements become one number")
ELEMENTS: dict[str, Element] = {
    "objective": _element(
        "an objective",
        _MEASURE,
        *_SELECT,
        _REDUCE,
        Field("failures", "over", "how what is found after each failure becomes one number"),
        _number(WEIGHT),
    ),
    "expectation": _element(
        "an expectation",
        _MEASURE,
        *_SELECT,
        _REDUCE,
        Field("at_most", "limit", "the limit; a number in SI units, or text with its unit"),
        Field("at_least", "limit", "the limit, where more is better"),
    ),
    "survive": _element(
        "failures to survive",
        Field("any", "survivable", "kinds of element of which any one may fail"),
        Field("expect", "expectations_after", "what must hold after each failure"),
        Field(
            "minimize",
            "objectives",
            "what shall be low after failures, the first first",
        ),
    ),
    "avoid": _element("flows and what they must not cross", *_SELECT),
    "lever": _element(
        "something that may be changed",
        Field("lever", "lever", "what may be changed", required=True),
        *_SELECT,
        _number(STEP),
        _number(GROWTH),
        _number(KEPT),
        Field("midpoints", "few", MIDPOINTS.meaning),
    ),
    "prices": _element("what changes cost", *map(_number, PRICES.values())),
    "change": _element(
        "what may be changed",
        Field("at_most", "count", CHANGES.meaning),
        Field("with", "levers", "levers that may be used"),
        Field("prices", "prices", "what changes cost"),
    ),
    "intent": _element(
        "an intent",
        Field("intent", "name", "its name"),
        Field("minimize", "levels", "what shall be low, the first before the second"),
        Field("expect", "expectations", "what must hold"),
        Field("survive", "survive", "what must hold when any one element fails"),
        Field("avoid", "avoids", "what flows must not cross"),
        Field("change", "change", "what may be changed"),
    ),
}
# What people write instead: offered where it is not known
SYNONYMS: Mapping[str, str] = {
    "latency": "delay",
    "latency_p99": "delay_p99",
    "latency_p90": "delay_p90",
    "p99": "delay_p99",
    "p90": "delay_p90",
    "p50": "delay_p50",
    "jitter": "delay_variation",
    "packet_loss": "loss",
    "drops": "loss",
    "load": "offered_load",
    "mlu": "offered_load",
    "congestion": "offered_load",
    "bandwidth": "throughput",
    "rate": "throughput",
    "buffer": "queue_occupancy",
    "price": "cost",
    "source": "from",
    "src": "from",
    "target": "to",
    "destination": "to",
    "dst": "to",
    "traffic_class": "class",
    "edge": "link",
    "router": "node",
    "group": "srlg",
    "max": "at_most",
    "below": "at_most",
    "under": "at_most",
    "<=": "at_most",
    "min": "at_least",
    "above": "at_least",
    ">=": "at_least",
    "aggregate": "reduce",
    "average": "mean",
    "avg": "mean",
    "sum": "total",
    "name": "intent",
    "objective": "minimize",
    "objectives": "minimize",
    "minimise": "minimize",
    "constraints": "expect",
    "limits": "expect",
    "failures": "survive",
    "exclude": "avoid",
    "levers": "with",
    "sr": "segments",
    "midpoints": "segments",
    "igp": "weights",
    "metrics": "weights",
    "queues": "schedulers",
    "admission": "rates",
}
