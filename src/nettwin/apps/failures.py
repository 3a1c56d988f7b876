"""Failures: which single line hurts the network most when it fails."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from nettwin.errors import UnknownNameError
from nettwin.model import NetworkModel
from nettwin.scenario.changes import FailLink, apply_all, find_links
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.topology import Topology

Progress = Callable[[float], None]  # called with the share done, 0 to 1
AT_ONCE = 16  # scenarios given to a model together, between two steps of progress


class Failure(NamedTuple):
    """One failure and what it does to the network as a whole."""

    name: str
    changes: tuple[FailLink, ...]
    lost_share: float  # of the offered traffic
    lost_before: float
    utilization_max: float
    busiest_link: str
    owd_mean_s: float
    owd_mean_before_s: float
    flows_without_way: int


def duplex_links(topology: Topology) -> list[tuple[str, tuple[int, ...]]]:
    """The lines of a network: links joined with the one that leads back, with a name for each."""
    waiting: dict[tuple[int, int], list[int]] = {}
    out: list[tuple[str, tuple[int, ...]]] = []
    ends = zip(topology.link_source.tolist(), topology.link_target.tolist(), strict=True)
    for k, (a, b) in enumerate(ends):
        if waiting.get((b, a)):
            first = waiting[b, a].pop(0)
            number = next(i for i, line in enumerate(out) if line[1] == (first,))
            both = f"{topology.node_name[b]}<->{topology.node_name[a]}"
            alone = len(topology.links_between(topology.node_name[a], topology.node_name[b])) == 1
            name = both if alone else f"{topology.link_name[first]}, {topology.link_name[k]}"
            out[number] = (name, (first, k))
        else:
            waiting.setdefault((a, b), []).append(k)
            out.append((topology.link_name[k], (k,)))
    return out


def single_failures(
    scenario: Scenario, model: NetworkModel, *, progress: Progress | None = None
) -> list[Failure]:
    """Every single line failure (both directions at once), the worst first.

    The worst loses the most traffic; then counts the highest utilization, then the mean delay.
    """
    topology = scenario.topology
    lines = [
        (name, _failing(topology, name, links))
        for name, links in duplex_links(topology)
        if topology.link_live[list(links)].any()
    ]
    now = model.predict([scenario])[0].totals(scenario)
    found: list[Failure] = []
    for start in range(0, len(lines), AT_ONCE):
        part = lines[start : start + AT_ONCE]
        scenarios = [apply_all(scenario, changes) for _, changes in part]
        for (name, changes), failed, metrics in zip(
            part, scenarios, model.predict(scenarios), strict=True
        ):
            totals = metrics.totals(failed)
            busiest = int(np.nanargmax(metrics.link["utilization"]))
            found.append(
                Failure(
                    name,
                    changes,
                    _lost(totals),
                    _lost(now),
                    totals["utilization_max"],
                    topology.link_name[busiest],
                    totals["owd_mean_s"],
                    now["owd_mean_s"],
                    int(totals["flows_without_way"]),
                )
            )
        if progress:
            progress(min(start + AT_ONCE, len(lines)) / len(lines))
    return sorted(
        found,
        key=lambda f: (
            -round(f.lost_share, 5),
            -round(f.utilization_max, 4),
            -np.nan_to_num(f.owd_mean_s),
        ),
    )


def _failing(topology: Topology, name: str, links: tuple[int, ...]) -> tuple[FailLink, ...]:
    """One change where the line's name stands for its links, else one a link."""
    try:
        alone = set(find_links(topology, name).tolist()) == set(links)
    except UnknownNameError:
        alone = False
    return (FailLink(name),) if alone else tuple(FailLink(topology.link_name[k]) for k in links)


def _lost(totals: dict[str, float]) -> float:
    offered, through = totals["offered_bps"], totals["throughput_bps"]
    return max(1 - through / offered, 0.0) if offered else 0.0
