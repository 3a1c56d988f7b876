"""Routes: the routing that a network file tells, once its links have their names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from nettwin.formats.native.checks import Checks
from nettwin.formats.native.document import Place
from nettwin.formats.native.fields import SHARE
from nettwin.formats.native.parts import RawFields
from nettwin.scenario.routing import Routing, Steer
from nettwin.scenario.topology import Topology


class Routes(NamedTuple):
    """Reads routes over the links of a topology."""

    checks: Checks
    topology: Topology

    def routing(
        self, ecmp: bool, raw: RawFields, paths: Mapping[int, Sequence[tuple[RawFields, Place]]]
    ) -> Routing:
        """The routing of the section `routing`, and of the paths that flows have by number."""
        checks, topology = self.checks, self.topology
        steer = {
            flow: tuple(self._steer(path, place) for path, place in several)
            for flow, several in paths.items()
        }
        table = None
        if "next_hops" in raw:
            value, place = raw["next_hops"]
            n = topology.node_count
            table = np.full((n, n), -1, np.int32)
            for source, row in checks.table(value, place).items():
                where = (*place, source)
                if source not in topology.node_index:
                    checks.unknown(where, "node", source, topology.node_name)
                    continue
                for target, link in checks.table(row, where).items():
                    if target not in topology.node_index:
                        checks.unknown((*where, target), "node", target, topology.node_name)
                    elif (k := self._link(link, (*where, target))) is not None:
                        table[topology.node_index[source], topology.node_index[target]] = k
        return Routing(ecmp, table, steer)

    def _link(self, value: Any, place: Place) -> int | None:
        topology = self.topology
        name = self.checks.text(value, place)
        if name not in topology.link_index:
            self.checks.unknown(place, "link", name, topology.link_name)
            return None
        return topology.link_index[name]

    def _steer(self, path: RawFields, place: Place) -> Steer:
        checks, topology = self.checks, self.topology
        midpoints, links = [], []
        if "via" in path and "path" in path:
            checks.issue(place, "has via and path: must have one of them", "Remove one.")
        if "via" in path:
            for name in checks.names(*path["via"]):
                if name in topology.node_index:
                    midpoints.append(topology.node_index[name])
                else:
                    checks.unknown(path["via"][1], "node", name, topology.node_name)
        if "path" in path:
            for name in checks.names(*path["path"]):
                if (k := self._link(name, path["path"][1])) is not None:
                    links.append(k)
        share = checks.number(*path["share"], SHARE) if "share" in path else 1.0
        return Steer(tuple(midpoints), tuple(links), share)
