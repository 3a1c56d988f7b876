"""Series: samples of one quantity at one port, as a source gives them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Port(NamedTuple):
    """A port by the names that a source has for its device and itself. Of a probe between nodes the
    second name is the target's."""

    device: str
    interface: str

    def __str__(self) -> str:
        return f"{self.device} {self.interface}"


@dataclass(frozen=True)
class Series:
    """Samples in the order in which they came: `time_s` in seconds since 1970 by the clock that
    the source goes by, `value` in the unit of the quantity. [samples] each

    Values are 64-bit floats: a counter above 2^53 is good to a few octets.
    """

    port: Port
    quantity: str
    time_s: Floats
    value: Floats

    def __len__(self) -> int:
        return len(self.time_s)
