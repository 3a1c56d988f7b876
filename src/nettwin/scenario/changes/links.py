"""Changes of links: capacity, weight, scheduler, buffers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from nettwin.errors import ChangeError
from nettwin.scenario.changes.change import check_value, with_links
from nettwin.scenario.link_names import find_links
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.scheduling import BUFFERS, QUEUE, USUAL, Queue, Scheduler
from nettwin.scenario.topology import LINK

_UNITS = ("packets", "bit", "s")  # of BUFFERS


@dataclass(frozen=True)
class SetCapacity:
    """Give a link another capacity."""

    link: str
    capacity_bps: float
    kind: ClassVar[str] = "set_capacity"

    def apply(self, scenario: Scenario) -> Scenario:
        check_value(LINK["capacity_bps"], self.capacity_bps, f"link {self.link}")
        return with_links(scenario, "link_capacity_bps", self.link, self.capacity_bps)

    def describe(self) -> str:
        return f"capacity of {self.link} becomes {self.capacity_bps / 1e6:g} Mbit/s"


@dataclass(frozen=True)
class SetWeight:
    """Give a link another IGP weight."""

    link: str
    weight: float
    kind: ClassVar[str] = "set_weight"

    def apply(self, scenario: Scenario) -> Scenario:
        check_value(LINK["weight"], self.weight, f"link {self.link}")
        return with_links(scenario, "link_weight", self.link, self.weight)

    def describe(self) -> str:
        return f"weight of {self.link} becomes {self.weight:g}"


@dataclass(frozen=True)
class SetScheduler:
    """Give a link another scheduler and its classes from the first queue on."""

    link: str
    scheduler: Mapping[str, Any]
    kind: ClassVar[str] = "set_scheduler"

    def apply(self, scenario: Scenario) -> Scenario:
        try:
            scheduler = Scheduler.from_dict(self.scheduler)
        except (TypeError, ValueError, OverflowError) as error:
            raise ChangeError(
                f"scheduler of link {self.link} cannot be read: {error}. "
                "Give policy, queues and class_queue."
            ) from None
        issues = scheduler.issues(f"link {self.link}")
        if issues:
            raise ChangeError("; ".join(map(str, issues)))
        return _with_schedulers(
            scenario, {int(k): scheduler for k in find_links(scenario.topology, self.link)}
        )

    def describe(self) -> str:
        return f"scheduler of {self.link} becomes {self.scheduler.get('policy', 'fifo')}"


@dataclass(frozen=True)
class SetBuffer:
    """Give the queues of a link another buffer; `queue` -1 means all of them.

    A buffer that is None has no limit of its kind; one that is not given stays as it is.
    """

    link: str
    buffer_packets: float | None = -1.0
    buffer_bits: float | None = -1.0
    queue: int = -1
    buffer_s: float | None = -1.0
    kind: ClassVar[str] = "set_buffer"

    def __post_init__(self) -> None:
        if all(getattr(self, name) == -1 for name in BUFFERS):
            raise ChangeError(
                f"set_buffer {self.link} has no buffer: must give {' or '.join(BUFFERS)}."
                " Add one, such as 64, or unlimited."
            )

    def apply(self, scenario: Scenario) -> Scenario:
        new: dict[int, Scheduler] = {}
        for k in find_links(scenario.topology, self.link).tolist():
            old = scenario.topology.schedulers[scenario.topology.link_scheduler[k]]
            if not -1 <= self.queue < len(old.queues):
                raise ChangeError(
                    f"queue of link {self.link} is {self.queue}: must be 0 to "
                    f"{len(old.queues) - 1}, or -1 for all. Name one."
                )
            edit: dict[str, float] = {}
            for name in BUFFERS:
                value = getattr(self, name)
                if value != -1:
                    edit[name] = np.inf if value is None else float(value)
                    check_value(QUEUE[name], edit[name], f"link {self.link}")
            queues = tuple(
                replace(q, **(_all_said(q) | edit)) if self.queue in (-1, i) else q
                for i, q in enumerate(old.queues)
            )
            new[k] = replace(old, queues=queues)
        return _with_schedulers(scenario, new)

    def describe(self) -> str:
        said = [(getattr(self, name), unit) for name, unit in zip(BUFFERS, _UNITS, strict=True)]
        if all(value is None for value, _ in said):
            return f"buffer of {self.link} becomes unlimited"
        sizes = [
            f"{value:g} {unit}" if value is not None else f"unlimited {unit}"
            for value, unit in said
            if value != -1
        ]
        return f"buffer of {self.link} becomes {', '.join(sizes)}"


def _all_said(queue: Queue) -> dict[str, float]:
    """That a queue has no usual buffer any more, where it had."""
    return {"buffer_s": np.inf} if queue.buffer_s == USUAL else {}


def _with_schedulers(scenario: Scenario, new: Mapping[int, Scheduler]) -> Scenario:
    topology = scenario.topology
    schedulers = list(topology.schedulers)
    index = topology.link_scheduler.copy()
    for k, scheduler in new.items():
        if scheduler not in schedulers:
            schedulers.append(scheduler)
        index[k] = schedulers.index(scheduler)
    return scenario.with_(
        topology=topology.with_arrays(link_scheduler=index, schedulers=tuple(schedulers))
    )
