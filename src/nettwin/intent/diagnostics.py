"""Findings: what is said of an intent that is held against a network."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nettwin.intent.intent import Expectation, Objective
from nettwin.intent.measures import Kind, Measure
from nettwin.scenario.scenario import Scenario

Place = tuple[str | int, ...]  # of a line in an intent: ("expect", 0)
Mask = NDArray[np.bool_]
SHOWN = 3  # names of a list


class Diagnostic(NamedTuple):
    """One thing about one or more lines.

    An issue is a line that does not fit the network; a contradiction is proven: no configuration
    meets the lines; a warning is what is probably not meant.
    """

    kind: Literal["issue", "contradiction", "warning"]
    places: tuple[Place, ...]
    reason: str
    remedy: str

    def __str__(self) -> str:
        return f"{', '.join(map(spot, self.places))}: {self.reason}. {self.remedy}"


class Selected(NamedTuple):
    """A line and what it selects. `bound` is what its value cannot be better than, in the measure's
    unit, where that is known without looking for a configuration."""

    place: Place
    text: str
    kind: Kind
    selected: int
    names: tuple[str, ...]  # the first
    measure: str = ""
    bound: float | None = None


class Asked(NamedTuple):
    """An objective or expectation with the elements that it is about; `failed`: after failures."""

    place: Place
    line: Objective | Expectation
    mask: Mask
    failed: bool

    @property
    def about(self) -> Measure:
        """The measure's declaration."""
        return self.line.about

    @property
    def limit(self) -> Expectation | None:
        """The line where it is an expectation."""
        return self.line if isinstance(self.line, Expectation) else None


def spot(place: Place) -> str:
    """A place in words: `expect[0]`."""
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in place)
    return "".join(steps).lstrip(".")


def listed(names: Sequence[str], chosen: Iterable[int], most: int = SHOWN) -> str:
    """The first of some names, and how many more there are."""
    indices = list(chosen)
    more = f" and {len(indices) - most} more" if len(indices) > most else ""
    return ", ".join(names[i] for i in indices[:most]) + more


def element_names(scenario: Scenario, kind: Kind) -> Sequence[str]:
    """The names of all elements of a kind."""
    if kind == "flow":
        return scenario.flow_names
    return scenario.topology.link_name if kind == "link" else scenario.queue_names
