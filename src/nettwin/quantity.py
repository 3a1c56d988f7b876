"""Quantity: the one declaration of a number that nettwin knows.

Name, unit, meaning, default and range stand here once; validation, JSON schemas, tables and the
documentation are made from it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nettwin.errors import ValidationIssue


@dataclass(frozen=True, slots=True)
class Quantity:
    """A named number: its unit, what it means, its default and the range it may have.

    `above` is an exclusive lower bound, `low` and `high` are inclusive; `optional` allows NaN
    (unknown).
    """

    name: str
    unit: str
    meaning: str
    default: float | None = None
    low: float = -math.inf
    high: float = math.inf
    above: float = -math.inf
    optional: bool = False
    infinite: bool = False

    @property
    def allowed(self) -> str:
        """The range in words."""
        parts = []
        if self.above > -math.inf:
            parts.append(f"above {self.above:g}")
        if self.low > -math.inf:
            parts.append(f"at least {self.low:g}")
        if self.high < math.inf:
            parts.append(f"at most {self.high:g}")
        unit = f" {self.unit}" if self.unit else ""
        finite = "" if self.infinite else "finite"
        return "must be " + (" and ".join(parts) or finite or "a number") + unit

    def valid(self, values: NDArray[np.float64] | float) -> NDArray[np.bool_]:
        """Whether each value is in range; same shape as `values`."""
        x = np.asarray(values, dtype=np.float64)
        with np.errstate(invalid="ignore"):
            good = (x >= self.low) & (x <= self.high) & (x > self.above)
        if not self.infinite:
            good &= np.isfinite(x)
        return good | np.isnan(x) if self.optional else good

    def issues(
        self, values: NDArray[np.float64], element: Callable[[int], str], remedy: str = ""
    ) -> list[ValidationIssue]:
        """A issue for each value out of range; `element(i)` names the i-th element."""
        good = self.valid(values)
        if good.all():
            return []
        bad = np.flatnonzero(~good)
        cure = remedy or f"Give {self.name} ({self.meaning})."
        return [
            ValidationIssue(
                f"{self.name} of {element(int(i))}", f"{values[i]:g}", self.allowed, cure
            )
            for i in bad
        ]

    def check(self, value: float, element: str) -> list[ValidationIssue]:
        """What is wrong with one number: an issue, or none."""
        if self.above < value < math.inf and self.low <= value <= self.high:
            return []  # at once, as most are good
        return self.issues(np.asarray([value], dtype=np.float64), lambda _: element)

    def schema(self) -> dict[str, object]:
        """The quantity as a JSON schema."""
        unit = f" [{self.unit}]" if self.unit else ""
        out: dict[str, object] = {"type": "number", "description": self.meaning + unit}
        if self.above > -math.inf:
            out["exclusiveMinimum"] = self.above
        if self.low > -math.inf:
            out["minimum"] = self.low
        if self.high < math.inf:
            out["maximum"] = self.high
        if self.default is not None and math.isfinite(self.default):
            out["default"] = self.default
        return out


def by_name(*quantities: Quantity) -> dict[str, Quantity]:
    """A table of quantities by name."""
    return {quantity.name: quantity for quantity in quantities}


def misfits(
    part: object, rows: Mapping[str, int], index: Mapping[str, int]
) -> list[ValidationIssue]:
    """A issue for each array of a part that has not its number of rows, or points nowhere.

    `rows` gives the length of each field by name, `index` how many things an index may choose from.
    """
    found = []
    for name, count in rows.items():
        shape = np.shape(getattr(part, name))
        if shape != (count,):
            cure = "Give one entry an element."
            found.append(
                ValidationIssue(
                    f"the array {name}", f"of shape {shape}", f"must be ({count},)", cure
                )
            )
    for name, count in index.items():
        values = np.asarray(getattr(part, name))
        for i in np.flatnonzero((values < 0) | (values >= count)).tolist():
            allowed = f"must be an index from 0 to {count - 1}"
            found.append(
                ValidationIssue(
                    f"{name} of element {i}", int(values[i]), allowed, "Correct the array."
                )
            )
    return found


class ReadOnly:
    """A frozen dataclass whose arrays nobody can write to, not even after it was unpickled."""

    def __post_init__(self) -> None:
        self._freeze()

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._freeze()

    def _freeze(self) -> None:
        for name, value in list(vars(self).items()):
            if isinstance(value, np.ndarray) and value.flags.writeable:
                self.__dict__[name] = frozen(value, value.dtype)


def typed(part: object, values: Mapping[str, Any]) -> dict[str, Any]:
    """Values for fields of a part; what replaces an array becomes one of its type."""
    old = {name: getattr(part, name) for name in values}
    return {
        name: frozen(value, old[name].dtype) if isinstance(old[name], np.ndarray) else value
        for name, value in values.items()
    }


def frozen(values: object, dtype: Any) -> NDArray[Any]:
    """A read-only contiguous copy of `values`; what frozen types keep inside."""
    array = np.array(values, dtype=dtype, order="C", copy=True)
    array.setflags(write=False)
    return array
