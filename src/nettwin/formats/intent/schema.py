"""Schema: the JSON schema of intents, made from the fields and from what can be asked and changed.

For editors and other programs. Reading does not use it: its own messages name line and remedy.
"""

from __future__ import annotations

from typing import Any

from nettwin.formats.intent.fields import (
    ELEMENT_WORDS,
    ELEMENTS,
    LEVER_LIMITS,
    MAX_BARE,
    MIDPOINTS,
    OVERS,
    REDUCES,
    SELECTORS,
    limit,
)
from nettwin.formats.intent.reader import LONGEST_NAME, MAX_ENTRIES, MAX_NAMES
from nettwin.formats.native.fields import Field
from nettwin.formats.native.schema import field_schema, number_schema
from nettwin.intent import LEVER_OF, LEVERS, SURVIVABLE
from nettwin.intent.measures import NAMED
from nettwin.intent.selector import FIELDS
from nettwin.quantity import Quantity

Schema = dict[str, Any]

_NAME: Schema = {
    "anyOf": [
        {"type": "string", "pattern": r"\S", "maxLength": LONGEST_NAME},
        {"type": "integer"},
    ]
}
_NAMES: Schema = {
    "anyOf": [
        _NAME,
        {"type": "array", "items": _NAME, "minItems": 1, "maxItems": MAX_NAMES},
    ]
}
_LOW = [name for name, measure in NAMED.items() if measure.worst != "min"]
_OF_NETWORK = [name for name, measure in NAMED.items() if measure.kind != "plan"]


def intent_schema() -> Schema:
    """The JSON schema (draft 2020-12) of an intent."""
    asks = [{"required": [key]} for key in ("minimize", "expect", "survive", "avoid")]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "nettwin intent",
        **_mapping("intent"),
        "anyOf": asks,
        "$defs": {
            "names": _NAMES,
            "limit": {
                "anyOf": [{"type": "number", "minimum": 0}, {"type": "string"}],
            },
            "objective": _asked("objective", _LOW),
            "expectation": _asked("expectation", list(NAMED)),
            "survive": _mapping("survive")
            | {"anyOf": [{"required": ["expect"]}, {"required": ["minimize"]}]},
            "avoid": _mapping("avoid")
            | {"anyOf": [{"required": [word]} for word in ELEMENT_WORDS]},
            "lever": _lever(),
            "change": _mapping("change"),
            "prices": _mapping("prices"),
        },
    }


def _mapping(element: str) -> Schema:
    fields = ELEMENTS[element].fields.values()
    required = [field.name for field in fields if field.required]
    return {
        "description": ELEMENTS[element].title,
        "type": "object",
        "properties": {field.name: _value(field) for field in fields},
        "additionalProperties": False,
    } | ({"required": required} if required else {})


def _value(field: Field) -> Schema:
    return field_schema(field, _KINDS, _number)


def _number(quantity: Quantity) -> Schema:
    """A number of a quantity; one that could be mistaken carries its unit."""
    made = number_schema(quantity)
    most = MAX_BARE.get(quantity.unit, (quantity.high, ""))[0]
    if "anyOf" in made and most < quantity.high:
        made["anyOf"][0]["maximum"] = most
    return made


def _asked(element: str, measures: list[str]) -> Schema:
    """An objective or an expectation: what goes with a measure is by its kind and unit."""
    whole = _mapping(element)
    rules: list[Schema] = []
    for kind in FIELDS:
        other = {word: False for word, name in SELECTORS.items() if name not in FIELDS[kind]}
        if kind == "plan":
            other["reduce"] = False
        mine = [name for name in measures if NAMED[name].kind == kind]
        rules.append(_rule("measure", mine, other))
    if element == "expectation":
        sides = ("at_most", "at_least")
        whole["oneOf"] = [{"required": [side]} for side in sides]
        for quantity in dict.fromkeys(limit(m) for m in NAMED.values()):
            mine = [name for name in measures if limit(NAMED[name]) == quantity]
            rules.append(_rule("measure", mine, dict.fromkeys(sides, _number(quantity))))
    whole["properties"]["measure"] = {"description": "what is asked about", "enum": measures}
    return whole | {"allOf": rules}


def _lever() -> Schema:
    rules = []
    for name in LEVERS:
        fields = FIELDS[LEVER_OF[name]]
        other = [word for word, field in SELECTORS.items() if field not in fields]
        limits = {word for words in LEVER_LIMITS.values() for word in words}
        other += sorted(limits - set(LEVER_LIMITS[name]))
        rules.append(_rule("lever", [name], dict.fromkeys(other, False)))
    return _mapping("lever") | {"allOf": rules}


def _rule(key: str, names: list[str], properties: dict[str, Any]) -> Schema:
    """Where a key is one of some names, its neighbors are these."""
    when = {"properties": {key: {"enum": names}}, "required": [key]}
    return {"if": when, "then": {"properties": properties}}


def _described(table: dict[str, str]) -> Schema:
    return {"anyOf": [{"const": name, "description": words} for name, words in table.items()]}


def _list_of(*items: Schema, alone: Schema | None = None) -> Schema:
    item = items[0] if len(items) == 1 else {"anyOf": list(items)}
    several = {"type": "array", "items": item, "maxItems": MAX_ENTRIES}
    return {"anyOf": [several, alone]} if alone else several


_LOW_NAME: Schema = {"enum": _LOW}
_OBJECTIVE: Schema = {"$ref": "#/$defs/objective"}
_EXPECTATION: Schema = {"$ref": "#/$defs/expectation"}
_LEVER_NAME = _described(dict(LEVERS))
_SURVIVABLE = _described(dict(SURVIVABLE))
_AFTER: Schema = {"properties": {"measure": {"enum": _OF_NETWORK}}}
_NOW: Schema = {"allOf": [_OBJECTIVE, {"properties": {"failures": False}}]}
_ALONE: Schema = {"allOf": [_OBJECTIVE, {"properties": {"weight": False, "failures": False}}]}
_SUM = _list_of(_LOW_NAME, _NOW) | {"minItems": 1}
_FAILED: Schema = {"allOf": [_OBJECTIVE, {"properties": {"weight": False}}]}
_KINDS: dict[str, Schema] = {
    "name": _NAME,
    "names": {"$ref": "#/$defs/names"},
    "measure": {"enum": list(NAMED)},
    "reduce": {"enum": list(REDUCES)},
    "limit": {"$ref": "#/$defs/limit"},
    "lever": _LEVER_NAME,
    "levels": _list_of(_LOW_NAME, _ALONE, _SUM, alone=_LOW_NAME),
    "over": {"enum": list(OVERS)},
    "objectives": _list_of(_LOW_NAME, _FAILED, alone=_LOW_NAME),
    "expectations": _list_of(_EXPECTATION),
    "expectations_after": _list_of({"allOf": [_EXPECTATION, _AFTER]}),
    "count": {"type": "integer", "minimum": 0},
    "few": {"type": "integer", "minimum": int(MIDPOINTS.low), "maximum": int(MIDPOINTS.high)},
    "avoids": _list_of({"$ref": "#/$defs/avoid"}),
    "levers": _list_of(_LEVER_NAME, {"$ref": "#/$defs/lever"}, alone=_LEVER_NAME),
    "survivable": {"anyOf": [_SURVIVABLE, _list_of(_SURVIVABLE) | {"minItems": 1}]},
}
