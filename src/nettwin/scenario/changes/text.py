"""Changes as plain data and as lines of text."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, Field, asdict, fields
from typing import Any

from nettwin.errors import ChangeError, InputError, UnknownNameError
from nettwin.scenario.changes.change import Change
from nettwin.scenario.changes.flows import SetPath
from nettwin.scenario.changes.registry import CHANGES
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

    Words fill the attributes in their order; `name=value` fills any. A way of `set_path` is written
    `via=NODE,NODE` or `links=LINK,LINK`. Raises UnknownNameError or ChangeError.
    """
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise ChangeError(f"change {text!r} cannot be read: {error}. Close the quote.") from None
    if not words or words[0] not in CHANGES:
        raise UnknownNameError("change", words[0] if words else "", CHANGES)
    names = [f.name for f in fields(CHANGES[words[0]])]
    data: dict[str, Any] = {"kind": words[0]}
    place = iter(names)
    for word in words[1:]:
        name, equals, value = word.partition("=")
        if words[0] == SetPath.kind and equals and name in ("via", "links"):
            data.setdefault("ways", []).append({name: value.split(",")})
            continue
        if not equals or name not in names:
            name, value = next(place, ""), word
            if not name:
                raise ChangeError(
                    f"change {text!r} has too many words: {words[0]} takes "
                    f"{', '.join(names)}. Remove {word!r}."
                )
        data[name] = value
    return change_from_dict(data)


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
            if value is None and "None" in declared:
                return None
            if isinstance(value, bool):
                raise TypeError("must be a number")
            if isinstance(value, str) and attribute.name.endswith("_bps"):
                return rate_bps(value)
            return float(value)
        if declared == "int":
            return int(value)
        if declared.startswith("tuple"):
            if not isinstance(value, Sequence) or not all(isinstance(v, Mapping) for v in value):
                raise TypeError("must be a list of ways")
            return tuple(dict(v) for v in value)
        if not isinstance(value, Mapping):
            raise TypeError("must be a table of attributes")
        return dict(value)
    except InputError as error:
        raise ChangeError(f"{attribute.name} of {kind}: {error}") from None
    except (TypeError, ValueError, OverflowError) as error:
        raise ChangeError(
            f"{attribute.name} of {kind} is {value!r}: {error}. "
            f"Give {'a number' if 'float' in declared else declared}."
        ) from None
