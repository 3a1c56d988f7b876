"""Random scenarios for round trips: odd names, several classes, links down, every part."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from hypothesis import strategies as st

from nettwin.scenario.arrivals import CBR, MMPP, Autocorrelated, OnOff, Poisson, Trace
from nettwin.scenario.packet_sizes import Binomial, Discrete, Exponential, Fixed, Uniform
from nettwin.scenario.routing import Routing, Steer
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.scheduling import Queue, Scheduler
from nettwin.scenario.topology import Link, Node, Topology
from nettwin.scenario.traffic import Flow, Traffic

ODD = [
    "no",
    "on",
    "1",
    "007",
    "1e5",
    "null",
    "true",
    "~",
    "a: b",
    "- x",
    "#c",
    "'q'",
    '"d"',
    "é→日",
]
ODD += [
    "A->B",
    "[x]",
    "{y}",
    "a,b",
    "a;b",
    "tab\there",
    "two\nlines",
    "\U0001f600",
    "C:\\x",
    "=1+1",
]
NAMES = st.one_of(
    st.sampled_from(ODD),
    st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=8),
).filter(lambda name: name == name.strip())
POSITIVE = st.floats(1e-3, 1e12)
FACTORS = st.floats(1e-6, 1e6)


@st.composite
def schedulers(draw: st.DrawFn, classes: list[str]) -> Scheduler:
    policy = draw(st.sampled_from(["fifo", "sp", "wfq", "drr"]))
    count = 1 if policy == "fifo" else draw(st.integers(1, 3))
    limits = st.one_of(st.just(math.inf), st.floats(0, 1e9))
    queues = tuple(
        Queue(draw(limits), draw(limits), draw(FACTORS), draw(FACTORS)) for _ in range(count)
    )
    table = {name: draw(st.integers(0, count - 1)) for name in draw(st.permutations(classes))}
    return Scheduler(policy, queues, table, draw(st.none() | POSITIVE), draw(st.booleans()))


SIZES = st.one_of(
    POSITIVE.map(Fixed),
    POSITIVE.map(Exponential),
    st.tuples(POSITIVE, POSITIVE).map(lambda two: Uniform(*sorted(two))),
    st.tuples(POSITIVE, POSITIVE).map(lambda two: Binomial(min(two), *sorted(two))),
    st.lists(st.tuples(POSITIVE, FACTORS), min_size=1, max_size=3).map(
        lambda pairs: Discrete(*zip(*pairs, strict=True))
    ),
)
ARRIVALS: st.SearchStrategy[Any] = st.one_of(
    st.builds(Poisson, st.floats(0, 100)),
    st.just(CBR()),
    st.builds(OnOff, FACTORS, st.floats(0, 9), st.booleans(), st.booleans()),
    st.builds(MMPP, st.floats(1, 100), FACTORS, FACTORS),
    st.builds(Autocorrelated, st.floats(0, 0.999)),
    st.lists(st.floats(0, 1e9), min_size=2, max_size=4, unique=True).map(
        lambda times: Trace(np.array(sorted(times)))
    ),
)


@st.composite
def topologies(draw: st.DrawFn, classes: list[str], *, full: bool = True) -> Topology:
    """A topology in which every node can have several links; `full`: with everything there is."""
    names = draw(st.lists(NAMES, min_size=2, max_size=5, unique=True))
    degrees = st.just(math.nan) | st.floats(-90, 90)
    groups = st.lists(NAMES, max_size=2).map(tuple) if full else st.just(())
    nodes = [
        Node(name, draw(degrees), draw(degrees), draw(groups), draw(st.booleans()) or not full)
        for name in names
    ]
    ends = st.tuples(st.sampled_from(names), st.sampled_from(names)).filter(lambda e: e[0] != e[1])
    policies = draw(st.lists(schedulers(classes), min_size=1, max_size=3))
    links = [
        Link(
            *draw(ends),
            draw(POSITIVE),
            draw(st.just(0.0) | FACTORS),
            draw(FACTORS),
            draw(st.sampled_from(policies)) if full else Scheduler(),
            draw(groups),
            f"{draw(NAMES)}{i}" if draw(st.booleans()) else "",
            draw(st.booleans()),
        )
        for i in range(draw(st.integers(1, 5)))
    ]
    return Topology.build(nodes, links, duplex=draw(st.booleans()))


@st.composite
def flows(draw: st.DrawFn, topology: Topology, classes: list[str]) -> Traffic:
    ends = st.tuples(st.sampled_from(topology.node_name), st.sampled_from(topology.node_name))
    pairs = draw(st.lists(ends.filter(lambda e: e[0] != e[1]), max_size=6))
    made = [
        Flow(
            *pair,
            draw(st.floats(0, 1e12)),
            draw(st.sampled_from(classes)),
            draw(SIZES),
            draw(ARRIVALS),
            f"{draw(NAMES)} {i}" if draw(st.booleans()) else "",
        )
        for i, pair in enumerate(pairs)
    ]
    return Traffic.build(topology, made)


@st.composite
def routings(draw: st.DrawFn, topology: Topology, traffic: Traffic) -> Routing:
    steer: dict[int, tuple[Steer, ...]] = {}
    for flow in range(traffic.flow_count):
        ends = (int(traffic.flow_source[flow]), int(traffic.flow_target[flow]))
        direct = [
            Steer(links=(k,))
            for k in range(topology.link_count)
            if (int(topology.link_source[k]), int(topology.link_target[k])) == ends
        ]
        points = st.lists(st.integers(0, topology.node_count - 1), min_size=1, max_size=3)
        path = draw(st.none() | st.sampled_from([*direct, Steer(tuple(draw(points)))]))
        if path and draw(st.booleans()):
            share = draw(st.floats(0.01, 0.99))
            steer[flow] = (path._replace(share=share), Steer(share=1 - share))
        elif path:
            steer[flow] = (path,)
    table = None
    if draw(st.booleans()):
        table = np.full((topology.node_count,) * 2, -1, np.int32)
        for k in draw(st.sets(st.integers(0, topology.link_count - 1))):
            table[topology.link_source[k], topology.link_target[k]] = k
    return Routing(draw(st.booleans()), table, steer)


@st.composite
def scenarios(draw: st.DrawFn) -> Scenario:
    """A scenario with anything that one can hold."""
    classes = draw(st.lists(NAMES, min_size=1, max_size=3, unique=True))
    topology = draw(topologies(classes))
    traffic = draw(flows(topology, classes))
    routing = draw(routings(topology, traffic))
    notes = draw(st.dictionaries(NAMES, st.text(st.characters(exclude_categories=("Cs",)))))
    return Scenario(topology, traffic, routing, draw(NAMES), notes)


@st.composite
def common_scenarios(draw: st.DrawFn, *, full: bool = False) -> Scenario:
    """A scenario with ECMP on IGP weights and nothing steered; `full`: any scheduler and group."""
    classes = draw(st.lists(NAMES, min_size=1, max_size=3, unique=True))
    topology = draw(topologies(classes, full=full))
    return Scenario(topology, draw(flows(topology, classes)), name=draw(NAMES))


def same(first: Scenario, second: Scenario) -> None:
    """Both are equal in all that determines metrics, and in their names."""
    assert second.topology.node_name == first.topology.node_name
    assert second.topology.link_name == first.topology.link_name
    assert second.topology.node_srlg == first.topology.node_srlg
    assert second.topology.link_srlg == first.topology.link_srlg
    assert second.flow_names == first.flow_names
    assert second.fingerprint() == first.fingerprint()
