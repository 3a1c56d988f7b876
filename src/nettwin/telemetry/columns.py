"""Columns: where a source keeps each quantity, and in which unit: `bandwidth [kbit/s]`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from nettwin.errors import InputError, UnknownNameError
from nettwin.telemetry.quantities import QUANTITIES

_UNIT = re.compile(r"(.*?)\s*\[([^\]]*)\]\s*")
_PREFIXES = {"": 1.0, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}
UNITS: Mapping[str, Mapping[str, float]] = {
    "octet": {
        **{f"{p}{word}": f for p, f in _PREFIXES.items() for word in ("B", "octet", "byte")},
        **{f"{p}bit": f / 8 for p, f in _PREFIXES.items()},
    },
    "bit/s": {
        **{f"{p}{word}": f for p, f in _PREFIXES.items() for word in ("bit/s", "bps", "b/s")},
        **{f"{p}{word}": f * 8 for p, f in _PREFIXES.items() for word in ("B/s", "octet/s")},
    },
    "packet": {f"{p}packet": f for p, f in _PREFIXES.items()},
    "s": {"s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9},
    "": {"": 1.0, "%": 0.01},
}
UP_WORDS = frozenset(("1", "up", "true", "im-state-up", "if-oper-state-ready", "connected", "yes"))


class Column(NamedTuple):
    """What a source calls a quantity, and the factor that makes its unit that of the quantity."""

    name: str
    factor: float = 1.0


def columns_of(quantities: Mapping[str, Any]) -> dict[str, Column]:
    """The columns of quantities, from `quantity: name` or `quantity: name [unit]`.

    Raises UnknownNameError for what is no quantity, InputError for a unit that it cannot have.
    """
    found = {}
    for quantity, text in quantities.items():
        if quantity not in QUANTITIES:
            raise UnknownNameError("quantity", quantity, QUANTITIES)
        if not isinstance(text, str) or not text.strip():
            raise InputError(f"{quantity} is {text!r}: must be the name of a column. Write it.")
        match = _UNIT.fullmatch(text)
        name, unit = (match[1], match[2]) if match else (text.strip(), None)
        allowed = UNITS[QUANTITIES[quantity].unit]
        if unit is not None and unit.rstrip("s") not in allowed and unit not in allowed:
            known = ", ".join(filter(None, allowed))
            raise InputError(f"{quantity} has the unit {unit!r}: must be one of {known}. Mend it.")
        factor = 1.0 if unit is None else allowed.get(unit, allowed.get(unit.rstrip("s"), 1.0))
        found[quantity] = Column(name, factor)
    return found
