"""Polling: sources that tell what is now and keep nothing, read again and again."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Protocol, runtime_checkable

import numpy as np

from nettwin.errors import InputError
from nettwin.telemetry.series import Port, Series
from nettwin.telemetry.source import Source

Samples = Mapping[tuple[Port, str], tuple[float, float]]  # when, and the value


@runtime_checkable
class Polled(Source, Protocol):
    """A source that tells what is now. To `read` is to poll it every `every_s` until the end of
    the span, which must lie ahead; what it told before is gone, unless it was collected."""

    every_s: float

    def poll(self) -> Samples:
        """One sample of each port and quantity, now. Raises SourceError where nothing answers."""


def ticks(every_s: float, until_s: float) -> Iterator[int]:
    """When to poll: now, and every `every_s` as long as `until_s` is not reached; the number of
    each. The times do not drift: after a poll that takes long the wait is shorter."""
    begin, count = time.time(), 0
    while True:
        yield count
        count += 1
        at = begin + count * every_s
        if at >= until_s:
            return
        time.sleep(max(at - time.time(), 0.0))


def read_by_polling(source: Polled, since_s: float, until_s: float) -> Iterator[Series]:
    """The series of all polls from now to the end of a span. Raises InputError where that is
    past."""
    if until_s <= time.time():
        raise InputError(
            "a source that is polled tells what is now, and nothing of the past: the time must end"
            " later than now. Give --for, such as --for 5m."
        )
    found: dict[tuple[Port, str], list[tuple[float, float]]] = {}
    for _ in ticks(source.every_s, until_s):
        for key, pair in source.poll().items():
            if since_s <= pair[0] < until_s:
                found.setdefault(key, []).append(pair)
    for (port, quantity), pairs in found.items():
        both = np.array(pairs, np.float64)
        yield Series(port, quantity, both[:, 0].copy(), both[:, 1].copy())
