"""Examples: what training receives: scenarios with what was recorded of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np

from nettwin.errors import InputError
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

    def __len__(self) -> int:
        """About how many examples there are, for a bar; 0 where that is not known."""

    def __iter__(self) -> Iterator[Example]:
        """The examples, read one after another. Raises FormatError where a file is damaged."""


@dataclass(frozen=True)
class Parts:
    """What each example is for. A part is (modulus, remainder), or None for no such part: examples
    belong to the first whose remainder their number leaves; the others are trained on.

    The number is that of the example's topology, so that no network is in two parts, or (`by`
    sample) its own. Kinds of networks (`family` in a scenario's notes) that are `unseen` are for
    testing altogether.
    """

    test: tuple[int, int] | None = None
    calibration: tuple[int, int] | None = None
    validation: tuple[int, int] | None = None
    by: str = "topology"
    unseen: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.by not in ("topology", "sample"):
            raise InputError(f"by is {self.by!r}: must be topology or sample. Correct it.")

    def of(self, number: int, topology: int, family: str = "") -> str:
        """The part of an example by its number, that of its topology and its kind of network."""
        if family in self.unseen:
            return "test"
        counted = topology if self.by == "topology" else number
        for part, rule in self.rules.items():
            if counted % rule[0] == rule[1]:
                return part
        return "train"

    @property
    def rules(self) -> dict[str, tuple[int, int]]:
        """The parts that there are."""
        every = {"test": self.test, "calibration": self.calibration, "validation": self.validation}
        return {part: rule for part, rule in every.items() if rule is not None}

    def as_table(self) -> dict[str, Any]:
        """As plain JSON types, without what is not there."""
        rules: dict[str, Any] = {part: list(rule) for part, rule in self.rules.items()}
        return rules | ({"unseen": list(self.unseen)} if self.unseen else {})


# Where nothing else is said
USUAL = Parts(test=(5, 0), calibration=(5, 1), validation=(25, 2))


def parts_on_card(card: Mapping[str, Any], name: str) -> Parts:
    """What the samples of a data set were for when a model was trained; the usual where its card
    does not name it."""
    for entry in card.get("data", ()):
        if entry.get("name") == name:
            rules = {part: tuple(rule) for part, rule in entry["parts"].items()}
            return Parts(**rules, by=str(entry.get("by", "sample")))
    return USUAL


FEW_NODES = 8  # graphs of fewer recur in every collection of networks


def topology_number(scenario: Scenario) -> int:
    """A number that networks of the same nodes and links share, whatever their traffic.

    Of small graphs there are few: such networks are the same where their capacities and propagation
    delays are as well.
    """
    topology = scenario.topology
    digest = hashlib.sha256(str(topology.node_count).encode())
    for ends in (topology.link_source, topology.link_target):
        digest.update(np.ascontiguousarray(ends, np.int64).tobytes())
    if topology.node_count < FEW_NODES:
        for values in (topology.link_capacity_bps, topology.link_delay_s):
            digest.update(np.ascontiguousarray(values, np.float64).tobytes())
    return int.from_bytes(digest.digest()[:6], "big")


def family_of(scenario: Scenario) -> str:
    """The kind of network that a scenario was drawn as; nothing where it was not."""
    return str(scenario.notes.get("family", ""))


def tests(example: Example, parts: Parts) -> bool:
    """Whether an example is for testing."""
    scenario = example.scenario
    part = parts.of(example.number, topology_number(scenario), family_of(scenario))
    return part == "test"


def joined(texts: Iterable[str]) -> str:
    """One digest of several texts."""
    digest = hashlib.sha256()
    for text in texts:
        digest.update(text.encode() + b"\0")
    return digest.hexdigest()
