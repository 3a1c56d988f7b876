"""Arrival processes of flows: when packets come, apart from how many (the flow's rate says that).

Every process is scale-free: it is stretched so that the flow's mean packet rate is its rate divided
by its mean packet size.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from nettwin.errors import ValidationIssue
from nettwin.quantity import Quantity, by_name, frozen
from nettwin.scenario.kinds import of_kind


class ArrivalProcess(Protocol):
    """An arrival process: a frozen dataclass of scale-free parameters."""

    kind: ClassVar[str]

    def issues(self, element: str) -> list[ValidationIssue]:
        """What is wrong with the parameters."""


class _Checked:
    """Checks each parameter against the quantities that the class declares."""

    quantities: ClassVar[Mapping[str, Quantity]] = {}

    def issues(self, element: str) -> list[ValidationIssue]:
        return [
            issue
            for quantity in self.quantities.values()
            for issue in quantity.check(getattr(self, quantity.name), f"arrivals of {element}")
        ]


@dataclass(frozen=True)
class Poisson(_Checked):
    """Independent exponential gaps; with `longest_gap` they are cut at that many mean gaps.

    The cut distribution is a truncated exponential: mean and rate then differ from the nominal
    ones, and the flow's rate is what counts.
    """

    longest_gap: float = 0.0
    kind: ClassVar[str] = "poisson"
    quantities: ClassVar = by_name(
        Quantity("longest_gap", "mean gaps", "longest gap; 0: no limit", 0.0, low=0)
    )

    def __str__(self) -> str:
        return "Poisson" + (f", gaps <= {self.longest_gap:g} means" if self.longest_gap else "")


@dataclass(frozen=True)
class CBR(_Checked):
    """Equal gaps, with a random phase for each flow."""

    kind: ClassVar[str] = "cbr"

    def __str__(self) -> str:
        return "CBR"


@dataclass(frozen=True)
class OnOff(_Checked):
    """Bursts: exponential on and off periods; Poisson or, with `regular`, equal gaps while on.

    With `starts_with_packet` each on period begins with a packet (the simulator of the public
    datanet sets does so); otherwise the first gap is drawn like every other.
    """

    on_s: float
    off_s: float
    regular: bool = False
    starts_with_packet: bool = False
    kind: ClassVar[str] = "onoff"
    quantities: ClassVar = by_name(
        Quantity("on_s", "s", "mean length of an on period", 1.0, above=0),
        Quantity("off_s", "s", "mean length of an off period", 1.0, low=0),
    )

    def __str__(self) -> str:
        return f"on-off {self.on_s:g} s on, {self.off_s:g} s off"


@dataclass(frozen=True)
class MMPP(_Checked):
    """Two-state Markov-modulated Poisson: the high state's rate is `rate_ratio` times the low's."""

    rate_ratio: float
    high_s: float
    low_s: float
    kind: ClassVar[str] = "mmpp"
    quantities: ClassVar = by_name(
        Quantity("rate_ratio", "", "rate in the high state over rate in the low one", 10.0, low=1),
        Quantity("high_s", "s", "mean length of a high period", 1.0, above=0),
        Quantity("low_s", "s", "mean length of a low period", 1.0, above=0),
    )

    def __str__(self) -> str:
        return f"MMPP x{self.rate_ratio:g}, {self.high_s:g} s high, {self.low_s:g} s low"


@dataclass(frozen=True)
class Autocorrelated(_Checked):
    """Exponential gaps that remember: a Gaussian-copula AR(1) of the given lag-1 correlation."""

    correlation: float
    kind: ClassVar[str] = "autocorrelated"
    quantities: ClassVar = by_name(
        Quantity(
            "correlation",
            "",
            "lag-1 correlation of the underlying Gaussian",
            0.5,
            low=0,
            high=0.999,
        )
    )

    def __str__(self) -> str:
        return f"autocorrelated {self.correlation:g}"


@dataclass(frozen=True, eq=False)
class Trace:
    """Recorded time stamps, repeated for ever; with `sizes_bits` the recorded sizes as well.

    Played as recorded when `stretch` is false: the flow's rate should then be the trace's own
    (`rate_bps()`); otherwise time is stretched so that the flow has its rate.
    """

    times_s: NDArray[np.float64]  # [packets], ascending
    sizes_bits: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))  # [packets] or [0]
    stretch: bool = True
    kind: ClassVar[str] = "trace"

    def __post_init__(self) -> None:
        object.__setattr__(self, "times_s", frozen(self.times_s, np.float64))
        object.__setattr__(self, "sizes_bits", frozen(self.sizes_bits, np.float64))
        digest = hashlib.sha256(self.times_s.tobytes() + b"|" + self.sizes_bits.tobytes())
        object.__setattr__(self, "_digest", digest.hexdigest() + str(self.stretch))

    _digest: str = field(init=False, repr=False, default="")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Trace) and self._digest == other._digest

    def __hash__(self) -> int:
        return hash(self._digest)

    @property
    def period_s(self) -> float:
        """After how long the trace begins again: its span and one mean gap."""
        span = float(self.times_s[-1] - self.times_s[0])
        return span * len(self.times_s) / (len(self.times_s) - 1)

    def rate_bps(self, mean_size_bits: float) -> float:
        """The rate of the trace as recorded, for packets of this mean size if it has no sizes."""
        bits = self.sizes_bits.sum() if self.sizes_bits.size else mean_size_bits * len(self.times_s)
        return float(bits / self.period_s)

    def issues(self, element: str) -> list[ValidationIssue]:
        times = self.times_s
        if (
            times.ndim != 1
            or len(times) < 2
            or not np.all(np.isfinite(times))
            or np.any(np.diff(times) < 0)
            or times[-1] <= times[0]
        ):
            return [
                ValidationIssue(
                    f"trace of {element}",
                    f"{times.size} time stamps",
                    "must be at least 2 finite ones in ascending order",
                    "Sort the trace and remove bad lines.",
                )
            ]
        if self.sizes_bits.shape not in ((0,), times.shape) or np.any(~(self.sizes_bits > 0)):
            return [
                ValidationIssue(
                    f"trace sizes of {element}",
                    f"{self.sizes_bits.size} sizes",
                    f"must be none or {len(times)}, each above 0 bit",
                    "Give one size a time stamp.",
                )
            ]
        return []

    def __str__(self) -> str:
        return f"trace of {len(self.times_s)} packets"


ARRIVALS: dict[str, type[Any]] = {
    cls.kind: cls for cls in (Poisson, CBR, OnOff, MMPP, Autocorrelated, Trace)
}


def arrival_to_dict(arrival: ArrivalProcess) -> dict[str, Any]:
    """An arrival process as plain JSON types; parameters at their default are left out."""
    out: dict[str, Any] = {"kind": arrival.kind}
    for f in fields(arrival):  # type: ignore[arg-type]
        value = getattr(arrival, f.name)
        if not f.init or (not isinstance(value, np.ndarray) and value == f.default):
            continue
        if isinstance(value, np.ndarray):
            if value.size:
                out[f.name] = value.tolist()
        else:
            out[f.name] = value if isinstance(value, bool) else float(value)
    return out


def arrival_from_dict(data: Mapping[str, Any]) -> ArrivalProcess:
    """The inverse of `arrival_to_dict`; TypeError on parameters that the kind does not have."""
    arrival: ArrivalProcess = of_kind(
        data, ARRIVALS, Poisson.kind, "arrival process", lambda values: np.asarray(values, float)
    )
    return arrival
