"""Schema: the JSON schema of network files, made from the fields that reading uses.

For editors, which complete and check a network file while it is written. Reading does not use it:
its own messages name the line and the remedy.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING
from dataclasses import fields as dataclass_fields
from typing import Any

from nettwin.formats.native.checks import UNLIMITED
from nettwin.formats.native.fields import ELEMENTS, VERSION, Element, Field
from nettwin.quantity import Quantity
from nettwin.scenario.arrivals import ARRIVALS
from nettwin.scenario.packet_sizes import PACKET_SIZES, SIZE_BITS
from nettwin.scenario.scheduling import SCHEDULERS

Schema = dict[str, Any]

_NUMBER_TEXT = r"^\s*[+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?\s*"
_UNITS = {
    "bit/s": r"[kKMGT]?(bit/s|bps|b/s|bit)?\s*$",
    "s": r"(s|ms|us|µs|ns|min|h)\s*$",
    "bit": r"[kKMG]?(B|bytes?|bits?|b)\s*$",
    "share": r"%\s*$",
}
_NAME: Schema = {"type": ["string", "integer"]}


def native_schema() -> Schema:
    """The JSON schema (draft 2020-12) of a network file."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "nettwin network file",
        **_mapping(ELEMENTS["network"]),
        "$defs": {
            "scheduler": _mapping(ELEMENTS["scheduler"]),
            "size": _choice(PACKET_SIZES, "fixed"),
            "arrival": _choice(ARRIVALS, "poisson"),
            **{name: _entry(ELEMENTS[name]) for name in ("node", "link", "flow")},
            **{name: _mapping(ELEMENTS[name]) for name in ("class", "path", "queue", "defaults")},
            "routing": _mapping(ELEMENTS["routing"]),
        },
    }


def _mapping(element: Element) -> Schema:
    out: Schema = {
        "type": "object",
        "properties": {field.name: _value(field) for field in element.fields.values()},
        "additionalProperties": False,
    }
    if required := [field.name for field in element.fields.values() if field.required]:
        out["required"] = required
    return out


def _entry(element: Element) -> Schema:
    """A mapping, or a row with a mapping of the other fields at its end."""
    whole = _mapping(element)
    rest = {**whole}
    rest.pop("required", None)
    row = [_value(element.fields[name]) for name in element.row]
    least = sum(element.fields[name].required for name in element.row)
    places = [
        {"anyOf": [schema, {"type": "null"}] + ([rest] if i >= least else [])}
        if i >= least
        else schema
        for i, schema in enumerate(row)
    ]
    rows: Schema = {
        "type": "array",
        "prefixItems": places,
        "items": rest,
        "minItems": least,
        "maxItems": len(row) + 1,
    }
    forms = [whole, rows] + ([_NAME] if element.row[0] == "name" else [])
    return {"description": element.title, "anyOf": forms}


def _value(field: Field) -> Schema:
    return field_schema(field, _KINDS, number_schema)


def field_schema(
    field: Field, kinds: Mapping[str, Schema], number: Callable[[Quantity], Schema]
) -> Schema:
    """The schema of what a field holds: a number, one of some kinds, or what is defined apart."""
    if field.quantity is not None:
        return number(field.quantity)
    if field.kind in kinds:
        return {"description": field.meaning, **kinds[field.kind]}
    return {"description": field.meaning, "$ref": f"#/$defs/{field.kind}"}


def number_schema(quantity: Quantity) -> Schema:
    """A number of a quantity, or text with its unit."""
    number = quantity.schema()
    words = number.pop("description")
    forms: list[Schema] = [number]
    if quantity.unit in _UNITS:
        forms.append({"type": "string", "pattern": _NUMBER_TEXT + _UNITS[quantity.unit]})
    if quantity.infinite:
        forms.append({"enum": [UNLIMITED, None]})
    return {"description": words, "anyOf": forms} if len(forms) > 1 else quantity.schema()


def _list_of(item: Schema) -> Schema:
    return {"type": ["array", "null"], "items": item}


def _table_of(item: Schema) -> Schema:
    return {"type": ["object", "null"], "additionalProperties": item}


def _or_text(name: str) -> Schema:
    return {"anyOf": [{"type": "string"}, {"$ref": f"#/$defs/{name}"}]}


_KINDS: dict[str, Schema] = {
    "version": {"const": VERSION},
    "text": _NAME,
    "name": _NAME,
    "names": {"anyOf": [_NAME, {"type": "array", "items": _NAME}]},
    "flag": {"type": "boolean"},
    "notes": _table_of(_NAME),
    "policy": {"enum": list(SCHEDULERS)},
    "queues": _list_of({"$ref": "#/$defs/queue"}),
    "class_queue": _table_of({"type": "integer", "minimum": 0}),
    "scheduler": _or_text("scheduler"),
    "size": _or_text("size"),
    "arrival": _or_text("arrival"),
    "schedulers": _table_of(_or_text("scheduler")),
    "sizes": _table_of(_or_text("size")),
    "arrivals": _table_of(_or_text("arrival")),
    "paths": _list_of({"$ref": "#/$defs/path"}),
    "nodes": _list_of({"$ref": "#/$defs/node"}),
    "links": _list_of({"$ref": "#/$defs/link"}),
    "flows": _list_of({"$ref": "#/$defs/flow"}),
    "classes": {
        "anyOf": [
            {"type": "array", "items": _NAME},
            _table_of({"anyOf": [{"$ref": "#/$defs/class"}, {"type": "null"}]}),
        ]
    },
    "next_hops": _table_of(_table_of(_NAME)),
}


def _choice(registry: dict[str, type[Any]], default: str) -> Schema:
    """One of the kinds of a registry with its parameters."""
    return {"anyOf": [_kind(name, cls, name == default) for name, cls in registry.items()]}


def _kind(name: str, cls: type[Any], is_default: bool) -> Schema:
    declared = getattr(cls, "quantities", {})
    properties: Schema = {"kind": {"const": name}}
    required = [] if is_default else ["kind"]
    for field in dataclass_fields(cls):
        if not field.init:
            continue
        kind = str(field.type)
        if kind == "bool":
            properties[field.name] = {"type": "boolean"}
        elif kind == "float":
            properties[field.name] = number_schema(declared.get(field.name, SIZE_BITS))
        elif field.name.endswith("_bits"):
            properties[field.name] = _list_of(number_schema(SIZE_BITS))
        else:
            properties[field.name] = _list_of({"type": "number"})
        if field.default is MISSING and field.default_factory is MISSING:
            required.append(field.name)
    if name == "trace":
        required.remove("times_s")
        properties["file"] = {
            "type": "string",
            "description": "CSV or pcap beside the network file",
        }
    doc = (cls.__doc__ or name).split("\n")[0]
    out: Schema = {
        "description": doc,
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
    }
    return out | ({"required": required} if required else {})
