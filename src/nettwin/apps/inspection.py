"""Inspection: what a network is, before any model is asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from nettwin.model import NetworkModel
from nettwin.scenario.scenario import Scenario


class ClassFacts(NamedTuple):
    """A traffic class as it is offered."""

    name: str
    flows: int
    rate_bps: float
    mean_size_bits: float
    arrivals: str


class LoadedLink(NamedTuple):
    """A link and what is offered to it."""

    name: str
    capacity_bps: float
    load_bps: float
    offered_load: float


@dataclass(frozen=True)
class Inspection:
    """The facts of a scenario that a person wants first; ranges are (least, most)."""

    name: str
    nodes: int
    links: int
    down: tuple[str, ...]
    flows: int
    offered_bps: float
    capacity_bps: tuple[float, float]
    delay_s: tuple[float, float]
    hops_mean: float
    policies: Mapping[str, int]
    classes: tuple[ClassFacts, ...]
    busiest: tuple[LoadedLink, ...]
    overloaded: int
    problems: tuple[str, ...]
    unsupported: Mapping[str, tuple[str, ...]]
    fingerprint: str


def inspect(
    scenario: Scenario, models: Sequence[NetworkModel] = (), *, top: int = 10
) -> Inspection:
    """The facts of a scenario, its routing problems, and what each model says against it."""
    topology, traffic = scenario.topology, scenario.traffic
    offered = scenario.link_offered_load
    busiest = np.argsort(-offered, kind="stable")[:top]
    names = [topology.policy_of(k) for k in range(topology.link_count)]
    down = [topology.node_name[i] for i in np.flatnonzero(~topology.node_up)]
    down += [topology.link_name[k] for k in np.flatnonzero(~topology.link_up)]
    return Inspection(
        name=scenario.name,
        nodes=topology.node_count,
        links=topology.link_count,
        down=tuple(down),
        flows=traffic.flow_count,
        offered_bps=float(traffic.flow_rate_bps.sum()),
        capacity_bps=_range(topology.link_capacity_bps),
        delay_s=_range(topology.link_delay_s),
        hops_mean=_hops(scenario),
        policies={n: names.count(n) for n in dict.fromkeys(names)},
        classes=_classes(scenario),
        busiest=tuple(
            LoadedLink(
                topology.link_name[k],
                float(topology.link_capacity_bps[k]),
                float(scenario.link_load_bps[k]),
                float(offered[k]),
            )
            for k in busiest.tolist()
        ),
        overloaded=int(np.count_nonzero(offered > 1)),
        problems=tuple(scenario.routing_problems()),
        unsupported={model.name: tuple(model.unsupported(scenario)) for model in models},
        fingerprint=scenario.fingerprint(),
    )


def _range(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> tuple[float, float]:
    return (float(values.min()), float(values.max())) if len(values) else (np.nan, np.nan)


def _hops(scenario: Scenario) -> float:
    """Mean hops of a routable flow: what all links carry when every one of them sends 1 bit/s."""
    routable = scenario.flow_status == 0
    if not routable.any():
        return np.nan
    one = scenario.with_(traffic=replace(scenario.traffic, flow_rate_bps=routable.astype(float)))
    return float(one.link_load_bps.sum() / np.count_nonzero(routable))


def _classes(scenario: Scenario) -> tuple[ClassFacts, ...]:
    traffic = scenario.traffic
    out = []
    for k, name in enumerate(traffic.class_name):
        mine = traffic.flow_class == k
        rate, pps = traffic.flow_rate_bps[mine].sum(), traffic.flow_packet_rate_pps[mine].sum()
        kinds = dict.fromkeys(
            str(traffic.arrivals[a]) for a in np.unique(traffic.flow_arrival[mine])
        )
        words = list(kinds)
        shown = ", ".join(words[:2]) + (f" and {len(words) - 2} more" if len(words) > 2 else "")
        out.append(
            ClassFacts(
                name, int(mine.sum()), float(rate), float(rate / pps) if pps else np.nan, shown
            )
        )
    return tuple(out)
