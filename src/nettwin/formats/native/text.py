"""Text: a network file's plain data as commented YAML or as JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from nettwin.errors import InputError

_COMMENTS = {
    "nettwin": "A network: its nodes and links, and the flows over them.\n"
    "A bare number is in bit/s, seconds or degrees; text has its unit: 10G, 5ms, 1500B.\n"
    "What every key means: docs/formats_native.md; its schema: docs/native.schema.json.",
    "notes": "What people want to remember.",
    "defaults": "What links and flows have that do not say otherwise. duplex: each link stands\n"
    "for two, one in each direction.",
    "schedulers": "How ports choose the next packet: policy, queues, which class goes to which\n"
    "queue (from 0; a class not named goes to the last one).",
    "sizes": "Packet sizes, all headers counted.",
    "arrivals": "When packets come.",
    "nodes": "A name, or a mapping of name, latitude, longitude (degrees), srlg (shared-risk\n"
    "groups) and up (false: down).",
    "links": "[source, target, capacity, delay, IGP weight]; more (scheduler, srlg, up, name,\n"
    "duplex) in a mapping at the end.",
    "classes": "Traffic classes, with the size and arrival of their flows where not the default.",
    "flows": "[source, target, rate, class]; more (size, arrival, name, via: [nodes],\n"
    "path: [links], paths) in a mapping at the end.",
    "routing": "ecmp: split evenly over all shortest paths by IGP weight, or take one of them.",
}
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./+>-]*(?: [A-Za-z0-9_./+>-]+)*")
_MEASURE = re.compile(r"[0-9]+(?:\.[0-9]+)?[A-Za-z]+")
_RESERVED = {"null", "true", "false", "yes", "no", "on", "off", "y", "n", "nan", "inf"}
_LONG_KEY = 200


def yaml_text(data: Mapping[str, Any]) -> str:
    """A network file's data as YAML with comments for people."""
    lines: list[str] = []
    for key, value in data.items():
        if key in _COMMENTS:
            lines += ["", *(f"# {line}" for line in _COMMENTS[key].split("\n"))]
        lines += _block(key, value)
    return "\n".join(lines).lstrip("\n") + "\n"


def _block(key: str, value: Any) -> list[str]:
    if isinstance(value, list) and value:
        return [f"{key}:", *(f"  - {_flow(item)}" for item in value)]
    if isinstance(value, dict) and value and max(map(len, value)) <= _LONG_KEY:
        lines = [f"{key}:"]
        for name, item in value.items():
            if key == "routing" and isinstance(item, dict):
                lines.append(f"  {name}:")
                lines += [f"    {line}" for line in _lines_of(item)]
            else:
                lines.append(f"  {_word(name)}: {_flow(item)}")
        return lines
    return [f"{key}: {_flow(value)}"]


def _lines_of(table: Mapping[str, Any]) -> list[str]:
    if any(len(name) > _LONG_KEY for name in table):
        return [_flow(table)]
    return [f"{_word(name)}: {_flow(item)}" for name, item in table.items()]


def _flow(value: Any) -> str:
    """A value in YAML's flow style, on one line."""
    if isinstance(value, str):
        return _word(value)
    if isinstance(value, list):
        return f"[{', '.join(map(_flow, value))}]"
    if isinstance(value, dict):
        pairs = (
            f"{'? ' if len(k) > _LONG_KEY else ''}{_word(k)}: {_flow(v)}" for k, v in value.items()
        )
        return "{" + ", ".join(pairs) + "}"
    if isinstance(value, bool):
        return "true" if value else "false"
    return "null" if value is None else repr(value)


def _word(text: str) -> str:
    """Text as it stands where no reader of YAML could take it for something else, else quoted."""
    short = len(text) < 100 and text.lower() not in _RESERVED
    if short and (_PLAIN.fullmatch(text) or _MEASURE.fullmatch(text)):
        return text
    return '"' + "".join(map(_quoted, text)) + '"'


def _quoted(ch: str) -> str:
    if ch in '"\\':
        return f"\\{ch}"
    if (ch.isprintable() and ch != "\ufeff") or "\ud800" <= ch <= "\udfff":
        return ch
    code = ord(ch)
    if code > 0xFFFF:
        return f"\\U{code:08x}"
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def json_text(data: Mapping[str, Any]) -> str:
    """A network file's data as JSON, one entry a line."""
    encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode
    parts = []
    for key, value in data.items():
        if isinstance(value, list) and value:
            text = "[\n    " + ",\n    ".join(map(encode, value)) + "\n  ]"
        elif isinstance(value, dict) and value:
            pairs = (f"{encode(k)}: {encode(v)}" for k, v in value.items())
            text = "{\n    " + ",\n    ".join(pairs) + "\n  }"
        else:
            text = encode(value)
        parts.append(f"  {encode(key)}: {text}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def encodable(text: str) -> str:
    """The text itself. Raises InputError where a name holds half a character."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        near = text[max(0, error.start - 20) : error.start]
        raise InputError(
            f"a name holds half a character after {near!r} (a surrogate code point), which no file"
            " can hold. Rename it."
        ) from None
    return text
