"""Writing: a scenario as the two files of a REPETITA instance."""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal

import numpy as np

from nettwin.errors import InputError
from nettwin.formats.format import ImportDefaults
from nettwin.formats.repetita.lines import DEMAND_COLUMNS, EDGE_COLUMNS, NODE_COLUMNS
from nettwin.scenario.arrivals import Poisson
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.scheduling import buffer_words
from nettwin.scenario.topology import Topology
from nettwin.scenario.traffic import BEST_EFFORT

_BUFFER = buffer_words(ImportDefaults().scheduler.queues[0])


def check_it_fits(scenario: Scenario) -> None:
    """Raise InputError, telling everything that the format has no place for."""
    topology, traffic, routing = scenario.topology, scenario.traffic, scenario.routing
    default = ImportDefaults()
    used = {topology.schedulers[k] for k in topology.link_scheduler.tolist()}
    latitude, longitude = topology.node_latitude_deg, topology.node_longitude_deg
    misfits = {
        "nodes or links that are down": not (topology.node_up.all() and topology.link_up.all()),
        "shared-risk groups": topology.srlg_names,
        f"schedulers (it means FIFO with queues of {_BUFFER})": used - {default.scheduler},
        "a node at 0, 0 degrees (it means an unknown place)": np.any(
            (latitude == 0) & (longitude == 0)
        ),
        "a node of which only latitude or longitude is known": np.any(
            np.isnan(latitude) != np.isnan(longitude)
        ),
        "traffic classes": set(traffic.class_name) - {BEST_EFFORT},
        f"packet sizes (it means {default.size})": set(traffic.sizes) - {default.size},
        "arrival processes (it means Poisson)": set(traffic.arrivals) - {Poisson()},
        "paths of single flows": routing.steer,
        "next-hop tables": routing.next_link is not None,
        "single-path routing (it means ECMP)": not routing.ecmp,
    }
    found = [what for what, there in misfits.items() if there]
    if found:
        raise InputError(
            f"scenario {scenario.name} does not fit the format repetita, which has no place for "
            f"{'; '.join(found)}. Change the scenario, or write another format."
        )


def graph_text(topology: Topology) -> str:
    """The `.graph` file."""
    places = zip(
        _labels(topology.node_name),
        topology.node_longitude_deg.tolist(),
        topology.node_latitude_deg.tolist(),
        strict=True,
    )
    edges = zip(_labels(topology.link_name), topology.link_rows(), strict=True)
    rows = [f"NODES {topology.node_count}", NODE_COLUMNS]
    rows += [f"{name} {_plain(x)} {_plain(y)}" for name, x, y in places]
    rows += ["", f"EDGES {topology.link_count}", EDGE_COLUMNS]
    rows += [
        f"{name} {link.source} {link.target} {_plain(link.weight)} {_plain(link.capacity_bps, -3)}"
        f" {_plain(link.delay_s, 6)}"
        for name, link in edges
    ]
    return "\n".join(rows) + "\n"


def demands_text(scenario: Scenario) -> str:
    """The `.demands` file."""
    traffic = scenario.traffic
    rows = [f"DEMANDS {traffic.flow_count}", DEMAND_COLUMNS]
    rows += [
        f"demand_{i} {flow.source} {flow.target} {_plain(flow.rate_bps, -3)}"
        for i, flow in enumerate(traffic.flow_rows())
    ]
    return "\n".join(rows) + "\n"


def _labels(names: Sequence[str]) -> list[str]:
    """Names without spaces, which part the columns for most readers of the format."""
    return ["_".join(name.split()) for name in names]


def _plain(value: float, exponent: int = 0) -> str:
    """A number times a power of ten, exactly and without an exponent; unknown is 0."""
    if math.isnan(value):
        return "0.0"
    return f"{Decimal(repr(value)).scaleb(exponent).normalize():f}"
