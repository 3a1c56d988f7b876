"""Change: a pure edit Scenario -> Scenario, written as JSON, YAML or a line of text.

`CHANGES` holds every kind. A link is named as in the topology (`A->B`); `A<->B` means both
directions, `A<->B#2` those of one of several parallel links (`scenario.link_names`). Elements that
fail keep their place, so that the metrics of before and after line up.

change      the contract                 text       plain data and lines of text
words       what some kinds take in a line of text
failures    down and up again            links      capacity, weight, scheduler, buffers
flows       paths, rates, more and fewer  registry   every kind by its name
singles     every failure of one element alone
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from nettwin.scenario.changes.change import Change
from nettwin.scenario.changes.failures import (
    FailBundle,
    FailGroup,
    FailLink,
    FailNode,
    RestoreBundle,
    RestoreGroup,
    RestoreLink,
    RestoreNode,
)
from nettwin.scenario.changes.flows import (
    AddFlow,
    RateLimit,
    RemoveFlow,
    ScaleTraffic,
    SetPath,
    set_paths,
)
from nettwin.scenario.changes.links import SetBuffer, SetCapacity, SetScheduler, SetWeight
from nettwin.scenario.changes.registry import CHANGES
from nettwin.scenario.changes.text import change_from_dict, change_to_dict, parse_change, takes
from nettwin.scenario.link_names import find_links
from nettwin.scenario.scenario import Scenario

__all__ = [
    "CHANGES",
    "AddFlow",
    "Change",
    "FailBundle",
    "FailGroup",
    "FailLink",
    "FailNode",
    "RateLimit",
    "RemoveFlow",
    "RestoreBundle",
    "RestoreGroup",
    "RestoreLink",
    "RestoreNode",
    "ScaleTraffic",
    "SetBuffer",
    "SetCapacity",
    "SetPath",
    "SetScheduler",
    "SetWeight",
    "apply_all",
    "change_from_dict",
    "change_to_dict",
    "find_links",
    "parse_change",
    "takes",
]


def apply_all(scenario: Scenario, changes: Iterable[Change]) -> Scenario:
    """The scenario after all changes, in order."""
    for kind, run in groupby(changes, type):
        if kind is SetPath:  # thousands at once, where a network is optimized
            scenario = set_paths(scenario, [c for c in run if isinstance(c, SetPath)])
            continue
        for change in run:
            scenario = change.apply(scenario)
    return scenario
