"""Undoing: the changes that take others back."""

from __future__ import annotations

from collections.abc import Sequence

from nettwin.errors import InputError
from nettwin.scenario.changes.change import Change
from nettwin.scenario.changes.flows import SetPath
from nettwin.scenario.changes.links import SetBuffer, SetCapacity, SetScheduler, SetWeight
from nettwin.scenario.link_names import find_links
from nettwin.scenario.scenario import Scenario


def undone(scenario: Scenario, changes: Sequence[Change]) -> tuple[Change, ...]:
    """Changes that undo others that were made to a scenario, the last first. Raises InputError for
    a kind that cannot be undone."""
    out: list[Change] = []
    now = scenario
    for change in changes:
        out = [*_inverse(now, change), *out]
        now = change.apply(now)
    return tuple(out)


def _inverse(now: Scenario, change: Change) -> list[Change]:
    topology = now.topology
    match change:
        case SetWeight() | SetCapacity() | SetScheduler() | SetBuffer():
            links = find_links(topology, change.link).tolist()
            names = [topology.link_name[k] for k in links]
            if isinstance(change, SetWeight):
                weights = topology.link_weight
                return [SetWeight(n, float(weights[k])) for n, k in zip(names, links, strict=True)]
            if isinstance(change, SetCapacity):
                bps = topology.link_capacity_bps
                return [SetCapacity(n, float(bps[k])) for n, k in zip(names, links, strict=True)]
            return [
                SetScheduler(n, topology.schedulers[topology.link_scheduler[k]].to_dict())
                for n, k in zip(names, links, strict=True)
            ]
        case SetPath():
            return [SetPath(change.flow, _candidates(now, now.flow(change.flow)))]
    raise InputError(
        f"{change.kind} cannot be undone: must be set_weight, set_path, set_capacity, set_buffer or"
        " set_scheduler. Allow other levers."
    )


def _candidates(scenario: Scenario, flow: int) -> tuple[dict[str, object], ...]:
    """How a flow is steered now, as SetPath says it."""
    topology = scenario.topology
    out: list[dict[str, object]] = []
    for path in scenario.routing.steer.get(flow, ()):
        if path.links:
            out.append({"links": [topology.link_name[k] for k in path.links], "share": path.share})
        else:
            via = [topology.node_name[k] for k in path.midpoints]
            out.append({"via": via, "share": path.share})
    return tuple(out)
