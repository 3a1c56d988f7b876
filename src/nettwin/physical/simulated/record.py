"""Record: what a simulated network keeps on disk, so that it outlives the process that runs it.

A process that dies takes the packets with it that were under way, as a power cut would; nothing
else. What is done to the network is on the disk before it is answered.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nettwin.errors import FormatError, NettwinError
from nettwin.formats.files import read_text, write_text
from nettwin.physical.network import Event
from nettwin.scenario.changes import (
    Change,
    FailLink,
    FailNode,
    RestoreLink,
    RestoreNode,
    SetCapacity,
    SetPath,
    SetScheduler,
    SetWeight,
    change_from_dict,
    change_to_dict,
)

SCHEMA = "nettwin-simulated-1"
# later ones of a kind and a target take the place of earlier ones; a failure and its repair are one
VALUES = (SetPath, SetWeight, SetScheduler, SetCapacity)
STATES = {FailLink: "link", RestoreLink: "link", FailNode: "node", RestoreNode: "node"}
Counter = NDArray[np.uint64]


@dataclass(frozen=True)
class Counters:
    """64-bit counters that only grow, as routers keep them."""

    octets: Counter  # [links] sent, layer 2 counted
    packets: Counter  # [links] sent
    drops: Counter  # [links]
    flow_octets: Counter  # [flows] offered, without layer 2
    flow_packets: Counter  # [flows] offered
    flow_lost: Counter  # [flows]

    @classmethod
    def zero(cls, links: int, flows: int) -> Counters:
        """All at zero."""
        sizes = (links, links, links, flows, flows, flows)
        return cls(*(np.zeros(size, np.uint64) for size in sizes))


NAMES = tuple(Counters.__dataclass_fields__)


@dataclass(frozen=True)
class Record:
    """The network's time, what happened to it, and its counters."""

    time_s: float
    counters: Counters
    happened: tuple[Event, ...] = ()
    intervals: int = 0
    seed: int = field(default=1)

    def with_event(self, event: Event) -> Record:
        """The record after another event, without those that it replaces."""
        mine = _target(event)
        kept = [one for one in self.happened if mine is None or _target(one) != mine]
        return replace(self, happened=(*kept, event))


def _target(event: Event) -> tuple[Any, ...] | None:
    """What an event sets; None where it adds to what was before."""
    change: Change = event.change
    name = next(iter(vars(change).values()), "")
    if isinstance(change, VALUES):
        return change.kind, name, event.told
    state = STATES.get(type(change))
    return (state, name, event.told) if state else None


def write_record(path: Path, record: Record) -> None:
    """Put a record on the disk."""
    data = {
        "schema": SCHEMA,
        "time_s": record.time_s,
        "intervals": record.intervals,
        "seed": record.seed,
        "happened": [{"told": e.told, **change_to_dict(e.change)} for e in record.happened],
        "counters": {name: getattr(record.counters, name).tolist() for name in NAMES},
    }
    write_text(path, json.dumps(data) + "\n", durable=True)


def read_record(path: Path) -> Record:
    """The record in a file. Raises FormatError."""
    try:
        data = json.loads(read_text(path))
        if data["schema"] != SCHEMA:
            raise ValueError(f"its schema is {data['schema']}, must be {SCHEMA}")
        happened = tuple(
            Event(
                change_from_dict({k: v for k, v in one.items() if k != "told"}), bool(one["told"])
            )
            for one in data["happened"]
        )
        counters = {name: np.array(data["counters"][name], np.uint64) for name in NAMES}
        return Record(
            time_s=float(data["time_s"]),
            counters=Counters(**counters),
            happened=happened,
            intervals=int(data["intervals"]),
            seed=int(data["seed"]),
        )
    except (ValueError, KeyError, TypeError, OverflowError, NettwinError) as error:
        reason = f"is not a record of a simulated network ({error})"
        raise FormatError(path, "", reason, "Restore it, or begin a new workspace.") from None
