"""Examples: what training receives: scenarios with what was recorded of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from nettwin.metrics import Metrics
from nettwin.scenario.scenario import Scenario


class Example(NamedTuple):
    """A scenario, its recorded metrics and, where it was recorded twice, the others."""

    number: int
    scenario: Scenario
    metrics: Metrics
    second: Metrics | None = None


class Source(Protocol):
    """A data set as training sees it."""

    @property
    def name(self) -> str:
        """What people call it; the recipe's name where it was generated."""

    @property
    def digest(self) -> str:
        """Names its content: another content, another digest."""

    @property
    def generated(self) -> bool:
        """Whether every sample was drawn by itself, so that its number decides on its part."""

    def __len__(self) -> int:
        """About how many examples there are, for a bar; 0 where that is not known."""

    def __iter__(self) -> Iterator[Example]:
        """The examples, read one after another. Raises FormatError where a file is damaged."""


@dataclass(frozen=True)
class Parts:
    """What each example is for: those whose number leaves a remainder. The first that fits counts;
    the others are trained on. A part is (modulus, remainder), or None for no such part."""

    test: tuple[int, int] | None = None
    calibration: tuple[int, int] | None = None
    validation: tuple[int, int] | None = None

    def of(self, number: int) -> str:
        """The part of an example by its number (or that of its topology)."""
        for part in ("test", "calibration", "validation"):
            rule = getattr(self, part)
            if rule is not None and number % rule[0] == rule[1]:
                return part
        return "train"


# Where nothing else is said
USUAL = Parts(test=(5, 0), calibration=(5, 1), validation=(25, 2))


def topology_number(scenario: Scenario) -> int:
    """A number that networks of the same nodes and links share, whatever their traffic."""
    topology = scenario.topology
    digest = hashlib.sha256(str(topology.node_count).encode())
    for ends in (topology.link_source, topology.link_target):
        digest.update(np.ascontiguousarray(ends, np.int64).tobytes())
    return int.from_bytes(digest.digest()[:6], "big")


def joined(texts: Iterable[str]) -> str:
    """One digest of several texts."""
    digest = hashlib.sha256()
    for text in texts:
        digest.update(text.encode() + b"\0")
    return digest.hexdigest()
