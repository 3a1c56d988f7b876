"""Parts: the schedulers, packet sizes and arrival processes of a network file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING
from dataclasses import fields as dataclass_fields
from pathlib import Path
from typing import Any, Generic, TypeVar

from nettwin.errors import FormatError
from nettwin.formats.native.checks import Checks
from nettwin.formats.native.document import Place
from nettwin.formats.native.fields import ELEMENTS
from nettwin.formats.traces import read_trace
from nettwin.quantity import Quantity
from nettwin.scenario.arrivals import ARRIVALS, ArrivalProcess, Trace, arrival_from_dict
from nettwin.scenario.packet_sizes import PACKET_SIZES, SIZE_BITS, PacketSize, size_from_dict
from nettwin.scenario.scheduling import BURST_BITS, QUEUE, SCHEDULERS, Queue, Scheduler

T = TypeVar("T")
RawFields = Mapping[str, tuple[Any, Place]]

_PROBABILITY = Quantity("probability", "", "share of the packets of a size", low=0)
_SECONDS = Quantity("time", "s", "time stamp of a packet")


class InternTable(Generic[T]):
    """The schedulers, sizes or arrivals of a network file in the order of the file: those with a
    name and those that are written where they are used, equal ones once."""

    def __init__(self) -> None:
        self.items: list[T] = []
        self.named: dict[str, int] = {}
        self._index: dict[T, int] = {}

    def add(self, item: T) -> int:
        """The index of an item, put on the shelf if it is not there."""
        if item not in self._index:
            self._index[item] = len(self.items)
            self.items.append(item)
        return self._index[item]

    def add_named(self, name: str, item: T) -> None:
        """Put an item on the shelf under a name, even where an equal one is there."""
        self.named[name] = len(self.items)
        self._index.setdefault(item, len(self.items))
        self.items.append(item)


class Parts:
    """Reads the parts, by name or written in full, into their intern tables."""

    def __init__(self, checks: Checks, folder: Path) -> None:
        self.checks, self.folder = checks, folder
        self.schedulers: InternTable[Scheduler] = InternTable()
        self.sizes: InternTable[PacketSize] = InternTable()
        self.arrivals: InternTable[ArrivalProcess] = InternTable()

    def read(self, raw: RawFields) -> None:
        """The sections of named parts."""
        self._section(raw, "schedulers", self.schedulers, self._scheduler)
        self._section(raw, "sizes", self.sizes, self._size)
        self._section(raw, "arrivals", self.arrivals, self._arrival)

    def scheduler(self, raw: RawFields) -> int | None:
        """The index of the scheduler that an element says; None where it says nothing."""
        return self._interned(self.schedulers, raw, "scheduler", self._scheduler)

    def size(self, raw: RawFields) -> int | None:
        """The index of the packet size that an element says; None where it says nothing."""
        return self._interned(self.sizes, raw, "size", self._size)

    def arrival(self, raw: RawFields) -> int | None:
        """The index of the arrival process that an element says; None where it says nothing."""
        return self._interned(self.arrivals, raw, "arrival", self._arrival)

    def _section(
        self,
        raw: RawFields,
        key: str,
        interned: InternTable[T],
        make: Callable[[Any, Place], T | None],
    ) -> None:
        value, place = raw.get(key, ({}, (key,)))
        for name, item in self.checks.table(value, place).items():
            self.checks.text(name, (*place, name))
            if (made := make(item, (*place, name))) is not None:
                interned.add_named(name, made)

    def _interned(
        self,
        interned: InternTable[T],
        raw: RawFields,
        key: str,
        make: Callable[[Any, Place], T | None],
    ) -> int | None:
        if key not in raw:
            return None
        value, place = raw[key]
        if isinstance(value, str) and value in interned.named:
            return interned.named[value]
        item = make(value, place)
        return None if item is None else interned.add(item)

    def _scheduler(self, value: Any, place: Place) -> Scheduler | None:
        checks = self.checks
        if isinstance(value, str):
            policy = SCHEDULERS.get(value)
            if policy is not None and policy.single_queue:
                return Scheduler(value)
            checks.unknown(place, "scheduler", value, [*self.schedulers.named, "fifo"])
            return None
        before = len(checks.issues)
        raw = checks.entry(value, place, ELEMENTS["scheduler"])
        policy_name = "fifo"
        if "policy" in raw:
            policy_name = checks.one_of(*raw["policy"], "policy", SCHEDULERS)
        queues = [Queue()]
        if "queues" in raw:
            rows, where = raw["queues"]
            queues = [
                self._queue(row, (*where, i)) for i, row in enumerate(checks.listing(rows, where))
            ]
        classes: dict[str, int] = {}
        if "class_queue" in raw:
            table, where = raw["class_queue"]
            for name, index in checks.table(table, where).items():
                if isinstance(index, bool) or not isinstance(index, int):
                    checks.issue((*where, name), "is not a whole number", "Give a queue, from 0.")
                else:
                    classes[checks.text(name, (*where, name))] = index
        burst = None
        if "burst_bits" in raw:
            burst = checks.number(*raw["burst_bits"], BURST_BITS)
        counts = "buffer_counts_service" in raw and checks.flag(*raw["buffer_counts_service"])
        scheduler = Scheduler(policy_name, tuple(queues), classes, burst, counts)
        if len(checks.issues) == before:
            checks.noted(place, scheduler.issues("the scheduler"))
        return scheduler

    def _queue(self, row: Any, place: Place) -> Queue:
        raw = self.checks.entry(row, place, ELEMENTS["queue"])
        return Queue(**{name: self.checks.number(*raw[name], QUEUE[name]) for name in raw})

    def _size(self, value: Any, place: Place) -> PacketSize | None:
        checks = self.checks
        if not isinstance(value, dict):
            if isinstance(value, str) and not value[:1].isdigit():
                checks.unknown(place, "packet size", value, self.sizes.named)
                return None
            if not isinstance(value, str):
                reason = "is not a packet size: bits or bytes must be said"
                checks.issue(place, reason, "Write 1500B or 12000bit.")
                return None
            return size_from_dict({"bits": checks.number(value, place, SIZE_BITS)})
        data = self._parameters(value, place, PACKET_SIZES, "fixed", "packet-size distribution")
        if data is None:
            return None
        size = size_from_dict(data)
        checks.noted(place, size.issues("the flow"))
        return size

    def _arrival(self, value: Any, place: Place) -> ArrivalProcess | None:
        checks = self.checks
        if isinstance(value, str):
            if value not in ("poisson", "cbr"):
                known = [*self.arrivals.named, "poisson", "cbr"]
                checks.unknown(place, "arrival process", value, known)
                return None
            return arrival_from_dict({"kind": value})
        table = dict(checks.table(value, place))
        file = table.pop("file", None) if table.get("kind") == "trace" else None
        if file is not None:
            return self._trace_file(file, table, place)
        data = self._parameters(table, place, ARRIVALS, "poisson", "arrival process")
        if data is None:
            return None
        arrival = arrival_from_dict(data)
        checks.noted(place, arrival.issues("the flow"))
        return arrival

    def _parameters(
        self,
        value: Any,
        place: Place,
        registry: Mapping[str, type[Any]],
        default_kind: str,
        what: str,
    ) -> dict[str, Any] | None:
        """The parameters of a distribution or process, checked; None where they are faulty."""
        checks = self.checks
        before = len(checks.issues)
        table = dict(checks.table(value, place))
        kind = checks.text(table.pop("kind", default_kind), (*place, "kind"))
        if kind not in registry:
            checks.unknown((*place, "kind"), what, kind, registry)
            return None
        known = {f.name: f for f in dataclass_fields(registry[kind]) if f.init}
        declared = getattr(registry[kind], "quantities", {})
        data: dict[str, Any] = {"kind": kind}
        for key, item in table.items():
            where = (*place, key)
            if key not in known:
                checks.unknown(where, f"parameter of {kind}", key, known)
            elif str(known[key].type) == "bool":
                data[key] = checks.flag(item, where)
            elif str(known[key].type) == "float":
                data[key] = checks.number(item, where, declared.get(key, SIZE_BITS))
            else:
                quantity = {"probabilities": _PROBABILITY, "times_s": _SECONDS}.get(key, SIZE_BITS)
                rows = checks.listing(item, where)
                data[key] = [checks.number(x, (*where, i), quantity) for i, x in enumerate(rows)]
        for name in _required(registry[kind]):
            if name not in data and name not in table:
                checks.issue(place, f"{kind} has no {name}", f"Add {name}.")
        return data if len(checks.issues) == before else None

    def _trace_file(self, file: Any, table: dict[str, Any], place: Place) -> Trace | None:
        checks = self.checks
        name = checks.name(file, (*place, "file"))
        stretch = True
        for key, value in table.items():
            if key == "stretch":
                stretch = checks.flag(value, (*place, key))
            elif key != "kind":
                checks.unknown((*place, key), "parameter of a trace file", key, ["stretch"])
        folder = self.folder
        try:
            target = (folder / name).resolve()
        except (OSError, ValueError, RuntimeError):
            target = Path("/")
        if (
            not target.is_relative_to(folder)
            or Path(name).is_absolute()
            or ".." in Path(name).parts
        ):
            reason = f"is {name!r}: must be a file in the folder of the network file, or below it"
            checks.issue((*place, "file"), reason, "Move the trace there and give its name.")
            return None
        try:
            return read_trace(target, stretch=stretch)
        except FormatError as error:
            where = f"{error.place}: " if error.place else ""
            checks.issue((*place, "file"), f"{name}, {where}{error.reason}", error.remedy)
            return None


def _required(cls: type[Any]) -> list[str]:
    return [
        f.name
        for f in dataclass_fields(cls)
        if f.init and f.default is MISSING and f.default_factory is MISSING
    ]
