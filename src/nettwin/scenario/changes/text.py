"""Changes as plain data and as lines of text."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, Field, asdict, fields
from typing import Any

from nettwin.errors import ChangeError, InputError, UnknownNameError
from nettwin.scenario.changes.change import Change
from nettwin.scenario.changes.registry import CHANGES
from nettwin.scenario.changes.words import TAKES, size_or_bits, take
from nettwin.units import rate_bps


def change_to_dict(change: Change) -> dict[str, Any]:
    """A change as plain JSON types."""
    data = asdict(change)  # type: ignore[call-overload]
    plain = {k: list(v) if isinstance(v, tuple) else v for k, v in data.items()}
    return {"kind": change.kind, **plain}


def change_from_dict(data: Mapping[str, Any]) -> Change:
    """The inverse of `change_to_dict`; UnknownNameError or ChangeError on anything else."""
    attributes = {str(k): v for k, v in data.items()}
    kind = str(attributes.pop("kind", ""))
    if kind not in CHANGES:
        raise UnknownNameError("change", kind, CHANGES)
    known = {f.name: f for f in fields(CHANGES[kind])}
    for name in attributes:
        if name not in known:
            raise UnknownNameError(f"attribute of {kind}", name, known)
    missing = [f.name for f in known.values() if _required(f) and f.name not in attributes]
    if missing:
        raise ChangeError(
            f"{kind} lacks {', '.join(missing)}: it needs "
            f"{', '.join(f.name for f in known.values() if _required(f))}. "
            "Add what is missing."
        )
    ready = {name: _typed(kind, known[name], value) for name, value in attributes.items()}
    change: Change = CHANGES[kind](**ready)
    return change


def parse_change(text: str) -> Change:
    """A change from a line such as `fail_link A<->B` or `scale_traffic 1.5 traffic_class=voice`.

    Words fill the attributes in their order; `name=value` fills any. Paths, schedulers and buffers
    have forms of their own (`words`); a table may be given as JSON. A name that holds spaces is
    put in quotes. Raises UnknownNameError or ChangeError.
    """
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise ChangeError(f"change {text!r} cannot be read: {error}. Close the quote.") from None
    if not words or words[0] not in CHANGES:
        raise UnknownNameError("change", words[0] if words else "", CHANGES)
    names = [f.name for f in fields(CHANGES[words[0]])]
    data: dict[str, Any] = {"kind": words[0]}
    bare: dict[str, str] = {}  # words that fill attributes by their place
    place = iter(names)
    for word in words[1:]:
        if take(word, data):
            continue
        name, equals, value = word.partition("=")
        if not equals or name not in names:
            name, value = next((n for n in place if n not in data), ""), word
            if not name:
                raise ChangeError(
                    f"change {text!r} has too many words: {words[0]} takes {takes(words[0])}. "
                    f"Remove {word!r}; where it is part of a name, quote the name, "
                    f"such as {_quoted(words)}."
                )
            bare[name] = value
        data[name] = value
    try:
        return change_from_dict(data)
    except ChangeError as error:
        spaced = any(value[:1].isalpha() for name, value in bare.items() if name in _numbers(words))
        hint = " Where a name holds spaces, quote the name." if spaced else ""
        raise ChangeError(f"{error}{hint}") from None


def takes(kind: str) -> str:
    """What a line of a kind of change takes, in words."""
    return TAKES.get(kind) or " ".join(f.name for f in fields(CHANGES[kind]))


def _numbers(words: Sequence[str]) -> list[str]:
    """The attributes of a change that are numbers."""
    return [f.name for f in fields(CHANGES[words[0]]) if str(f.type).startswith(("float", "int"))]


def _quoted(words: Sequence[str]) -> str:
    """The line with its first name in quotes: all words up to the one with the arrow, if any."""
    arrow = next((i for i, word in enumerate(words) if "->" in word), len(words) - 1)
    name = " ".join(words[1 : max(arrow, 1) + 1])
    return " ".join([words[0], shlex.quote(name)])


def _required(attribute: Field[Any]) -> bool:
    return attribute.default is MISSING and attribute.default_factory is MISSING


def _typed(kind: str, attribute: Field[Any], value: Any) -> Any:
    """The value in the attribute's type; text becomes a number where one is due, a rate also with
    its unit (`20G`)."""
    declared = getattr(attribute.type, "__name__", str(attribute.type))
    try:
        if declared == "str":
            if not isinstance(value, str | int):
                raise TypeError("must be a name")
            return str(value)
        if declared.startswith("float"):
            if value in (None, "unlimited") and "None" in declared:
                return None
            if isinstance(value, bool):
                raise TypeError("must be a number")
            if isinstance(value, str) and attribute.name.endswith("_bps"):
                return rate_bps(value)
            if isinstance(value, str) and attribute.name.endswith("_bits"):
                return size_or_bits(value)
            return float(value)
        if declared == "int":
            return _whole(value)
        if declared.startswith("tuple"):
            value = _from_json(value)
            if not isinstance(value, Sequence) or not all(isinstance(v, Mapping) for v in value):
                raise TypeError(
                    "must be a list of paths, in a line via=NODE,NODE or links=LINK,LINK"
                )
            return tuple(dict(v) for v in value)
        value = _from_json(value)
        if not isinstance(value, Mapping):
            raise TypeError("must be a table of attributes")
        return dict(value)
    except InputError as error:
        raise ChangeError(f"{attribute.name} of {kind}: {error}") from None
    except (TypeError, ValueError, OverflowError) as error:
        cure = "Give a number." if "float" in declared else "Correct it."
        raise ChangeError(f"{attribute.name} of {kind} is {value!r}: {error}. {cure}") from None


def _whole(value: Any) -> int:
    """An integer; ValueError for anything else, also for a number with a fraction."""
    try:
        if isinstance(value, str) or (not isinstance(value, bool) and int(value) == value):
            return int(value)
    except (TypeError, ValueError, OverflowError):
        pass
    raise ValueError("must be a whole number")


def _from_json(value: Any) -> Any:
    """What a text says as JSON, anything else as it is."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value
