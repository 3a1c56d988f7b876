"""Packet-size distributions of flows; sizes in bits, all headers counted."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Protocol

from nettwin.errors import ValidationIssue
from nettwin.quantity import Quantity
from nettwin.scenario.kinds import of_kind

SIZE_BITS = Quantity("size", "bit", "size of a packet, all headers counted", 8000.0, above=0)


class PacketSize(Protocol):
    """A packet-size distribution: a frozen dataclass with its first two moments and its range."""

    kind: ClassVar[str]

    @property
    def mean_bits(self) -> float:
        """Mean size."""

    @property
    def second_moment_bits2(self) -> float:
        """Mean of the squared size."""

    @property
    def min_bits(self) -> float:
        """Smallest size."""

    @property
    def max_bits(self) -> float:
        """Largest size; infinite where there is none."""

    def quantile_bits(self, part: float) -> float:
        """The size that this part of the packets, 0 to 1, does not exceed."""

    def issues(self, element: str) -> list[ValidationIssue]:
        """What is wrong with the parameters."""


@dataclass(frozen=True)
class Fixed:
    """Every packet has the same size."""

    bits: float
    kind: ClassVar[str] = "fixed"

    @property
    def mean_bits(self) -> float:
        return self.bits

    @property
    def second_moment_bits2(self) -> float:
        return self.bits**2

    @property
    def min_bits(self) -> float:
        return self.bits

    @property
    def max_bits(self) -> float:
        return self.bits

    def quantile_bits(self, part: float) -> float:
        return self.bits

    def issues(self, element: str) -> list[ValidationIssue]:
        return SIZE_BITS.check(self.bits, f"packet of {element}")

    def __str__(self) -> str:
        return f"{self.bits / 8:g} B"


@dataclass(frozen=True)
class Uniform:
    """Sizes are uniform between two bounds."""

    low_bits: float
    high_bits: float
    kind: ClassVar[str] = "uniform"

    @property
    def mean_bits(self) -> float:
        return (self.low_bits + self.high_bits) / 2

    @property
    def second_moment_bits2(self) -> float:
        return self.mean_bits**2 + (self.high_bits - self.low_bits) ** 2 / 12

    @property
    def min_bits(self) -> float:
        return self.low_bits

    @property
    def max_bits(self) -> float:
        return self.high_bits

    def quantile_bits(self, part: float) -> float:
        return self.low_bits + part * (self.high_bits - self.low_bits)

    def issues(self, element: str) -> list[ValidationIssue]:
        return _range_faults(self.low_bits, self.high_bits, element)

    def __str__(self) -> str:
        return f"{self.low_bits / 8:g} to {self.high_bits / 8:g} B"


@dataclass(frozen=True)
class Binomial:
    """One of two sizes, mixed so that the mean is `average_bits`."""

    average_bits: float
    small_bits: float
    large_bits: float
    kind: ClassVar[str] = "binomial"

    @property
    def small_probability(self) -> float:
        """The probability of the small size."""
        span = self.large_bits - self.small_bits
        return (self.large_bits - self.average_bits) / span if span else 1.0

    @property
    def mean_bits(self) -> float:
        return self.average_bits

    @property
    def second_moment_bits2(self) -> float:
        p = self.small_probability
        return p * self.small_bits**2 + (1 - p) * self.large_bits**2

    @property
    def min_bits(self) -> float:
        return self.small_bits

    @property
    def max_bits(self) -> float:
        return self.large_bits

    def quantile_bits(self, part: float) -> float:
        return self.small_bits if part <= self.small_probability else self.large_bits

    def issues(self, element: str) -> list[ValidationIssue]:
        found = _range_faults(self.small_bits, self.large_bits, element)
        if not self.small_bits <= self.average_bits <= self.large_bits:
            found.append(
                ValidationIssue(
                    f"average packet of {element}",
                    f"{self.average_bits:g} bit",
                    f"must be {self.small_bits:g} to {self.large_bits:g}",
                    "Give an average between the two sizes.",
                )
            )
        return found

    def __str__(self) -> str:
        return f"{self.small_bits / 8:g} or {self.large_bits / 8:g} B"


@dataclass(frozen=True)
class Discrete:
    """Sizes with their probabilities (they are normalized)."""

    sizes_bits: tuple[float, ...]
    probabilities: tuple[float, ...]
    kind: ClassVar[str] = "discrete"

    def __post_init__(self) -> None:
        object.__setattr__(self, "sizes_bits", tuple(float(b) for b in self.sizes_bits))
        object.__setattr__(self, "probabilities", tuple(float(p) for p in self.probabilities))

    def _moment(self, power: int) -> float:
        total = math.fsum(self.probabilities)
        pairs = zip(self.sizes_bits, self.probabilities, strict=True)
        return math.fsum(p * b**power for b, p in pairs) / total

    @property
    def mean_bits(self) -> float:
        return self._moment(1)

    @property
    def second_moment_bits2(self) -> float:
        return self._moment(2)

    @property
    def min_bits(self) -> float:
        return min(self.sizes_bits)

    @property
    def max_bits(self) -> float:
        return max(self.sizes_bits)

    def quantile_bits(self, part: float) -> float:
        total, below = math.fsum(self.probabilities), 0.0
        for bits, p in sorted(zip(self.sizes_bits, self.probabilities, strict=True)):
            below += p / total
            if part <= below:
                return bits
        return max(self.sizes_bits)

    def issues(self, element: str) -> list[ValidationIssue]:
        if not self.sizes_bits or len(self.sizes_bits) != len(self.probabilities):
            lengths = f"{len(self.sizes_bits)} sizes, {len(self.probabilities)} probabilities"
            return [
                ValidationIssue(
                    f"packet sizes of {element}",
                    lengths,
                    "must be as many, at least one",
                    "Give one probability a size.",
                )
            ]
        found = [f for b in self.sizes_bits for f in SIZE_BITS.check(b, f"packet of {element}")]
        weights = self.probabilities
        if not all(math.isfinite(p) and p >= 0 for p in weights) or math.fsum(weights) <= 0:
            found.append(
                ValidationIssue(
                    f"probabilities of {element}",
                    list(weights),
                    "must not be negative and not all be 0",
                    "Give shares of packets.",
                )
            )
        return found

    def __str__(self) -> str:
        return f"{len(self.sizes_bits)} sizes, mean {self.mean_bits / 8:g} B"


@dataclass(frozen=True)
class Exponential:
    """Exponential sizes: what M/M/1 assumes, no real network has them."""

    average_bits: float
    kind: ClassVar[str] = "exponential"

    @property
    def mean_bits(self) -> float:
        return self.average_bits

    @property
    def second_moment_bits2(self) -> float:
        return 2 * self.average_bits**2

    @property
    def min_bits(self) -> float:
        return 0.0

    @property
    def max_bits(self) -> float:
        return math.inf

    def quantile_bits(self, part: float) -> float:
        return -self.average_bits * math.log1p(-part) if part < 1 else math.inf

    def issues(self, element: str) -> list[ValidationIssue]:
        return SIZE_BITS.check(self.average_bits, f"average packet of {element}")

    def __str__(self) -> str:
        return f"exponential, mean {self.average_bits / 8:g} B"


PACKET_SIZES: dict[str, type[Any]] = {
    cls.kind: cls for cls in (Fixed, Uniform, Binomial, Discrete, Exponential)
}


def size_to_dict(size: PacketSize) -> dict[str, Any]:
    """A size distribution as plain JSON types."""
    data = {k: list(v) if isinstance(v, tuple) else float(v) for k, v in asdict(size).items()}  # type: ignore[call-overload]
    return {"kind": size.kind, **data}


def size_from_dict(data: Mapping[str, Any]) -> PacketSize:
    """The inverse of `size_to_dict`; TypeError on attributes that the kind does not have."""
    size: PacketSize = of_kind(data, PACKET_SIZES, Fixed.kind, "packet-size distribution", tuple)
    return size


def scaled(size: PacketSize, factor: float) -> PacketSize:
    """The distribution of sizes that are all so many times as large."""
    data = size_to_dict(size)
    for name, value in data.items():
        if name.endswith("bits") and isinstance(value, list | tuple):
            data[name] = [each * factor for each in value]
        elif name.endswith("bits"):
            data[name] = value * factor
    return size_from_dict(data)


def _range_faults(low_bits: float, high_bits: float, element: str) -> list[ValidationIssue]:
    found = SIZE_BITS.check(low_bits, f"smallest packet of {element}")
    found += SIZE_BITS.check(high_bits, f"largest packet of {element}")
    if low_bits > high_bits:
        found.append(
            ValidationIssue(
                f"packet sizes of {element}",
                f"{low_bits:g} to {high_bits:g} bit",
                "the first must not exceed the second",
                "Swap them.",
            )
        )
    return found
