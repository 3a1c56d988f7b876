"""Scheduler: how an output port chooses the next packet, and what its queues can hold."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nettwin.errors import InputError, ValidationIssue
from nettwin.quantity import Quantity, by_name
from nettwin.units import duration, size, size_bits, time_s


@dataclass(frozen=True, slots=True)
class Policy:
    """A scheduling policy: its name, what it does, and which queue attributes it looks at."""

    name: str
    title: str
    meaning: str
    uses_weight: bool = False
    uses_quantum: bool = False
    single_queue: bool = False


SCHEDULERS: dict[str, Policy] = {
    policy.name: policy
    for policy in (
        Policy("fifo", "FIFO", "one queue, first in first out", single_queue=True),
        Policy(
            "sp",
            "strict priority",
            "the first queue that holds a packet is served, queue 0"
            " before queue 1; a packet in transmission is not interrupted",
        ),
        Policy(
            "wfq",
            "weighted fair queueing",
            "queues share the port in proportion to their"
            " weights, packet by packet (finish-time order)",
            uses_weight=True,
        ),
        Policy(
            "lsf",
            "least served first",
            "the queue that has sent the fewest bits for its weight since the start is served:"
            " shares as under wfq in the long run, and whoever asks for less than its share goes"
            " first at all times (the WFQ of the simulator of the public datanet sets)",
            uses_weight=True,
        ),
        Policy(
            "drr",
            "deficit round robin",
            "queues are visited in turn and send up to a quantum"
            " of bits each visit (Shreedhar and Varghese, 1996)",
            uses_quantum=True,
        ),
    )
}

QUEUE = by_name(
    Quantity(
        "buffer_packets",
        "packets",
        "packets that may wait, the one in transmission not counted",
        math.inf,
        low=0,
        infinite=True,
    ),
    Quantity(
        "buffer_bits",
        "bit",
        "bits that may wait, the packet in transmission not counted",
        math.inf,
        low=0,
        infinite=True,
    ),
    Quantity(
        "buffer_s",
        "s",
        "time in which the link sends what may wait, the packet in transmission not counted; a"
        " queue without any buffer said: 10 ms, but room for 32 packets of 1500 bytes",
        low=0,
        infinite=True,
    ),
    Quantity(
        "weight",
        "",
        "share of the port under WFQ and LSF, relative to the other queues",
        1.0,
        above=0,
    ),
    Quantity(
        "quantum_bits",
        "bit",
        "bits added to the queue's allowance at each visit of DRR",
        12000.0,
        above=0,
    ),
)
BUFFERS = ("buffer_packets", "buffer_bits", "buffer_s")
# What routers do that are told nothing: Cisco NCS 540 and 5500 keep 10 ms a queue (Modular QoS
# Command Reference, queue-limit, release 6.0), Cisco 10000 never less than 32 packets (Quality of
# Service Configuration Guide, OL-7433-09). 10 ms are the round-trip time of 250 ms over the square
# root of 625 flows that fill a link: Appenzeller, Keslassy and McKeown, Sizing router buffers,
# SIGCOMM 2004.
USUAL_BUFFER_S, USUAL_PACKETS, USUAL_PACKET_BITS = 0.010, 32, 12000.0
USUAL = -1.0  # a `buffer_s` that was not said
BURST_BITS = Quantity("burst_bits", "bit", "depth of the token bucket of a shaped port", above=0)


@dataclass(frozen=True, slots=True)
class Queue:
    """One queue of a port. A packet is refused when any of its buffers would overflow.

    A buffer that is not given has no limit, but a queue that is given none has the usual one:
    USUAL_BUFFER_S at the rate of its link, or room for USUAL_PACKETS where that is more. Its
    `buffer_s` is then USUAL.
    """

    buffer_packets: float = None  # type: ignore[assignment]  # a number when made
    buffer_bits: float = None  # type: ignore[assignment]
    weight: float = 1.0
    quantum_bits: float = 12000.0
    buffer_s: float = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        said = [getattr(self, name) for name in BUFFERS]
        silent = all(value is None for value in said)
        limits = [math.inf if value is None else value for value in said]
        if silent:
            limits[2] = USUAL
        elif limits[2] == USUAL and min(limits[:2]) < math.inf:
            limits[2] = math.inf
        for name, value in zip(BUFFERS, limits, strict=True):
            object.__setattr__(self, name, value)

    def buffers(self) -> dict[str, float]:
        """The buffers to give to make an equal queue; none where it has the usual one."""
        if self.buffer_s == USUAL:
            return {}
        finite = {n: getattr(self, n) for n in BUFFERS if math.isfinite(getattr(self, n))}
        return finite or {"buffer_packets": math.inf}


@dataclass(frozen=True)
class Scheduler:
    """An output port's policy, its queues and which traffic class goes to which queue.

    A class that `class_queue` does not name goes to the last queue. With `burst_bits` the port is
    shaped by a token bucket of the link's capacity: a packet leaves as soon as the bucket holds
    its bits, so that its delay leaves out its own serialization (as behind Linux tbf or htb).
    Buffers hold packets that wait; with `buffer_counts_service` a queue's packet in transmission
    takes room there as well.
    """

    policy: str = "fifo"
    queues: tuple[Queue, ...] = (Queue(),)
    class_queue: Mapping[str, int] = field(default_factory=dict)
    burst_bits: float | None = None
    buffer_counts_service: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "queues", tuple(self.queues))
        object.__setattr__(self, "class_queue", dict(self.class_queue))

    def __hash__(self) -> int:
        classes = frozenset(self.class_queue.items())
        return hash(
            (self.policy, self.queues, classes, self.burst_bits, self.buffer_counts_service)
        )

    def queue_of(self, traffic_class: str) -> int:
        """The index of the queue that a traffic class goes to."""
        return self.class_queue.get(traffic_class, len(self.queues) - 1)

    def issues(self, element: str) -> list[ValidationIssue]:
        """Everything wrong with this scheduler; `element` names whose it is."""
        found: list[ValidationIssue] = []
        policy = SCHEDULERS.get(self.policy)
        if policy is None:
            known = ", ".join(SCHEDULERS)
            found.append(
                ValidationIssue(
                    f"policy of {element}",
                    self.policy,
                    f"must be one of {known}",
                    "Name a known policy.",
                )
            )
        elif policy.single_queue and len(self.queues) != 1:
            found.append(
                ValidationIssue(
                    f"queues of {element}",
                    len(self.queues),
                    f"{self.policy} has exactly 1 queue",
                    "Choose sp, wfq or drr.",
                )
            )
        if not self.queues:
            found.append(
                ValidationIssue(f"queues of {element}", 0, "must be at least 1", "Add a queue.")
            )
        for i, queue in enumerate(self.queues):
            for quantity in QUEUE.values():
                if quantity.name == "buffer_s" and queue.buffer_s == USUAL:
                    continue
                found += quantity.check(getattr(queue, quantity.name), f"queue {i} of {element}")
        for name, index in self.class_queue.items():
            if not 0 <= index < len(self.queues):
                found.append(
                    ValidationIssue(
                        f"queue of class {name} at {element}",
                        index,
                        f"must be 0 to {len(self.queues) - 1}",
                        "Map the class to a queue that exists.",
                    )
                )
        if self.burst_bits is not None:
            found += BURST_BITS.check(self.burst_bits, element)
        return found

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON types; attributes that have their default are left out."""
        default = Queue()
        queues = [
            q.buffers()
            | {
                n: getattr(q, n)
                for n in ("weight", "quantum_bits")
                if getattr(q, n) != getattr(default, n)
            }
            for q in self.queues
        ]
        for queue in queues:  # JSON has no infinity: null is "no limit"
            for name, value in queue.items():
                queue[name] = None if math.isinf(value) else float(value)
        out: dict[str, Any] = {"policy": self.policy, "queues": queues}
        if self.class_queue:
            out["class_queue"] = dict(self.class_queue)
        if self.burst_bits is not None:
            out["burst_bits"] = float(self.burst_bits)
        if self.buffer_counts_service:
            out["buffer_counts_service"] = True
        return out

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Scheduler:
        """The inverse of `to_dict`; raises TypeError or ValueError on data of another shape."""
        queues = tuple(
            Queue(**{k: math.inf if v is None else float(v) for k, v in dict(q).items()})
            for q in data.get("queues", [{}])
        )
        classes = {str(k): _queue_number(v) for k, v in dict(data.get("class_queue", {})).items()}
        burst = data.get("burst_bits")
        return cls(
            str(data.get("policy", "fifo")),
            queues,
            classes,
            None if burst is None else float(burst),
            bool(data.get("buffer_counts_service", False)),
        )


def room_bits(
    buffer_bits: NDArray[np.float64], buffer_s: NDArray[np.float64], capacity_bps: NDArray[Any]
) -> NDArray[np.float64]:
    """The bits that may wait in queues, by their buffers and the capacity of their links."""
    of_time = np.full(len(buffer_s), np.inf)
    np.multiply(buffer_s, capacity_bps, out=of_time, where=np.isfinite(buffer_s))
    usual = np.maximum(USUAL_BUFFER_S * capacity_bps, USUAL_PACKETS * USUAL_PACKET_BITS)
    return np.asarray(np.where(buffer_s == USUAL, usual, np.minimum(buffer_bits, of_time)))


def _queue_number(value: Any) -> int:
    """A queue's number; ValueError or TypeError for what has a fraction or is none."""
    number = int(value)
    if isinstance(value, bool) or number != float(value):
        raise ValueError(f"queue {value!r} is not a whole number")
    return number


def buffers_of(text: str) -> dict[str, float]:
    """The attributes of a Queue from `64` (packets), `64kB`, `10ms` or `unlimited`; InputError on
    anything else."""
    if text == "unlimited":
        return dict.fromkeys(BUFFERS, math.inf)
    for name, reader in (
        ("buffer_packets", float),
        ("buffer_s", time_s),
        ("buffer_bits", size_bits),
    ):
        try:
            value = reader(text)
        except (InputError, ValueError):
            continue
        if value >= 0:
            return {name: value}
    raise InputError(
        f"the buffer is {text!r}: must be packets, a size, a time or unlimited."
        " Write 64, 64kB, 10ms or unlimited."
    )


def buffer_words(queue: Queue) -> str:
    """What a queue can hold, in words."""
    if queue.buffer_s == USUAL:
        return (
            f"{duration(USUAL_BUFFER_S)} at the link's rate, or {USUAL_PACKETS} packets of 1500 B"
            " where that is more"
        )
    words = [
        word
        for value, word in (
            (queue.buffer_packets, f"{queue.buffer_packets:g} packets"),
            (queue.buffer_bits, size(queue.buffer_bits)),
            (queue.buffer_s, duration(queue.buffer_s)),
        )
        if math.isfinite(value)
    ]
    return " and ".join(words) or "no limit"


def fifo(
    buffer_packets: float | None = None,
    buffer_bits: float | None = None,
    buffer_s: float | None = None,
) -> Scheduler:
    """A FIFO port; without any buffer the usual one (see Queue)."""
    return Scheduler("fifo", (_queue(buffer_packets, buffer_bits, buffer_s),))


def strict_priority(
    classes: Sequence[str], buffer_packets: float | None = None, buffer_s: float | None = None
) -> Scheduler:
    """A strict-priority port with one queue a class, the most urgent first."""
    queue = _queue(buffer_packets, None, buffer_s)
    return _one_queue_a_class("sp", classes, [queue for _ in classes])


def wfq(
    weights: Mapping[str, float],
    buffer_packets: float | None = None,
    buffer_s: float | None = None,
) -> Scheduler:
    """A weighted-fair port with one queue a class; `weights` by class."""
    queue = _queue(buffer_packets, None, buffer_s)
    return _one_queue_a_class(
        "wfq", list(weights), [replace(queue, weight=w) for w in weights.values()]
    )


def drr(
    quanta_bits: Mapping[str, float],
    buffer_packets: float | None = None,
    buffer_s: float | None = None,
) -> Scheduler:
    """A deficit-round-robin port with one queue a class; `quanta_bits` by class."""
    queue = _queue(buffer_packets, None, buffer_s)
    return _one_queue_a_class(
        "drr",
        list(quanta_bits),
        [replace(queue, quantum_bits=q) for q in quanta_bits.values()],
    )


def _queue(packets: float | None, bits: float | None, seconds: float | None) -> Queue:
    said = {"buffer_packets": packets, "buffer_bits": bits, "buffer_s": seconds}
    return Queue(**{name: value for name, value in said.items() if value is not None})


def _one_queue_a_class(policy: str, classes: Sequence[str], queues: list[Queue]) -> Scheduler:
    return Scheduler(policy, tuple(queues), {name: i for i, name in enumerate(classes)})
