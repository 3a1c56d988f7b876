"""Records: flow records as arrays, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from nettwin.telemetry.findings import Findings
from nettwin.telemetry.source import Source

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Names = NDArray[np.object_]
Bools = NDArray[np.bool_]
WRAP_S = 2.0**32 / 1e3  # clocks of exporters in milliseconds since they began wrap after 49.7 days
AHEAD_S = 86400.0  # of its arrival: no flow ends so much later


@dataclass(frozen=True)
class FlowRecords:
    """Flow records, a row each; one direction. [records] each

    `sampling` is how many packets stand behind one that was counted, 1 where that is not told.
    Ports of devices and the exporter are empty where they are not told. `egress` are records that
    were made where flows leave their exporter and not where they enter it.
    """

    begin_s: Floats
    end_s: Floats
    exporter: Names
    in_port: Names
    out_port: Names
    source: Names
    target: Names
    protocol: Names
    source_port: Ints
    target_port: Ints
    octets: Ints
    packets: Ints
    sampling: Floats
    egress: Bools

    def __len__(self) -> int:
        return len(self.octets)

    def take(self, rows: Any) -> FlowRecords:
        """Some of the records."""
        return FlowRecords(*(getattr(self, f.name)[rows] for f in fields(self)))

    def keys(self) -> list[str]:
        """What tells flows apart: addresses, protocol and ports, in a line."""
        return [
            f"{source} {target} {protocol} {a} {b}"
            for source, target, protocol, a, b in zip(
                self.source,
                self.target,
                self.protocol,
                self.source_port.tolist(),
                self.target_port.tolist(),
                strict=True,
            )
        ]


@runtime_checkable
class FlowSource(Source, Protocol):
    """A source of flow records."""

    def flows(self, since_s: float, until_s: float) -> FlowRecords:
        """The records of flows that ended in since_s <= time < until_s, as they came. Raises
        SourceError, FormatError."""

    def node_of(self, addresses: Sequence[str]) -> list[str]:
        """The node that each address belongs to; empty where none is told."""


def together(parts: Sequence[FlowRecords]) -> FlowRecords:
    """Records of several places, one after another."""
    if not parts:
        numbers = {"begin_s": float, "end_s": float, "sampling": float, "egress": bool}
        whole = ("source_port", "target_port", "octets", "packets")
        numbers.update(dict.fromkeys(whole, np.int64))  # type: ignore[arg-type]
        return FlowRecords(*(np.zeros(0, numbers.get(f.name, object)) for f in fields(FlowRecords)))
    return FlowRecords(
        *(np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(FlowRecords))
    )


def unwrapped(begin_s: Floats, end_s: Floats, arrived_s: Floats) -> tuple[Floats, Floats, int]:
    """Times of flows that seem to end long after they arrived, put back by as often as their
    exporter's clock wrapped; and how many those were."""
    ahead = end_s - arrived_s
    with np.errstate(invalid="ignore"):
        wrapped = ahead > AHEAD_S
    turns = np.where(wrapped, np.round(np.nan_to_num(ahead) / WRAP_S), 0.0)
    return begin_s - turns * WRAP_S, end_s - turns * WRAP_S, int(np.count_nonzero(turns))


def cleaned(records: FlowRecords, found: Findings) -> FlowRecords:
    """Records without those that came twice, and without those that an exporter made of a flow
    where it left, too; what was found is noted for each exporter."""
    import pandas as pd

    flow = ["exporter", "source", "target", "protocol", "source_port", "target_port"]
    frame = pd.DataFrame({name: getattr(records, name) for name in flow})
    egress = records.egress
    if egress.any() and not egress.all():
        entered = pd.MultiIndex.from_frame(frame[~egress].drop_duplicates())
        both = egress & pd.MultiIndex.from_frame(frame).isin(entered)
        _count(frame["exporter"][both], "flows_both", found)
        records, frame = records.take(~both), frame[~both]
    for name in ("begin_s", "end_s", "octets", "packets", "egress"):
        frame[name] = getattr(records, name)
    twice = frame.duplicated(keep="first").to_numpy()
    _count(frame["exporter"][twice], "flows_again", found)
    return records.take(~twice) if twice.any() else records


def _count(exporters: pd.Series, kind: str, found: Findings) -> None:
    for exporter, count in exporters.value_counts().items():
        found.add(kind, exporter or "records", int(count))
