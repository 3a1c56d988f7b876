"""Exporter: counters of routers over HTTP as snmp_exporter gives them (module if_mib), so that a
Prometheus watches a simulated network like any other.

Each interface has the labels `instance` (its router), `ifIndex` and `ifName`. Octets and packets
are 64-bit counters that only grow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nettwin.errors import NettwinError, NetworkError
from nettwin.scenario.changes.singles import duplex_links
from nettwin.scenario.topology import Topology

Values = NDArray[np.uint64]
PATH = "/metrics"
NAMES: Mapping[str, tuple[str, str]] = {
    "ifHCInOctets": ("counter", "octets received"),
    "ifHCOutOctets": ("counter", "octets sent"),
    "ifHCOutUcastPkts": ("counter", "packets sent"),
    "ifOutDiscards": ("counter", "packets refused by full queues"),
    "ifHighSpeed": ("gauge", "speed in Mbit/s"),
    "ifOperStatus": ("gauge", "1 up, 2 down"),
}


class Ports(NamedTuple):
    """The counters of the ports of a network: what each link sent, and refused. [links]"""

    topology: Topology
    octets: Values
    packets: Values
    drops: Values


def text_of(ports: Ports) -> str:
    """All counters in Prometheus' text format."""
    topology = ports.topology
    back = {a: b for _, pair in duplex_links(topology) if len(pair) == 2 for a, b in _both(pair)}
    lines = []
    live = topology.link_live
    speed = topology.link_capacity_bps / 1e6
    values: dict[str, Callable[[int], object]] = {
        "ifHCInOctets": lambda k: int(ports.octets[back[k]]) if k in back else 0,
        "ifHCOutOctets": lambda k: int(ports.octets[k]),
        "ifHCOutUcastPkts": lambda k: int(ports.packets[k]),
        "ifOutDiscards": lambda k: int(ports.drops[k]),
        "ifHighSpeed": lambda k: f"{speed[k]:.10g}",
        "ifOperStatus": lambda k: 1 if live[k] else 2,
    }
    labels = [_labels(topology, k) for k in range(topology.link_count)]
    for name, (kind, meaning) in NAMES.items():
        lines += [f"# HELP {name} {meaning}", f"# TYPE {name} {kind}"]
        lines += [f"{name}{{{label}}} {values[name](k)}" for k, label in enumerate(labels)]
    return "\n".join(lines) + "\n"


def _both(pair: Iterable[int]) -> list[tuple[int, int]]:
    a, b = pair
    return [(a, b), (b, a)]


def _labels(topology: Topology, k: int) -> str:
    source = topology.node_name[int(topology.link_source[k])]
    mine = np.flatnonzero(topology.link_source == topology.link_source[k])
    index = int(np.searchsorted(mine, k)) + 1
    name = topology.link_name[k]
    return f'instance="{_quoted(source)}",ifIndex="{index}",ifName="{_quoted(name)}"'


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def server(ports: Callable[[], Ports], port: int, host: str = "127.0.0.1") -> ThreadingHTTPServer:
    """A server of /metrics that asks for the counters at each request; run its `serve_forever`.

    Raises NetworkError where the port is in use.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path.partition("?")[0] != PATH:
                self.send_error(404, f"only {PATH} is here")
                return
            try:
                content = text_of(ports()).encode()
            except NettwinError as error:
                self.send_error(503, str(error))
                return
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing is logged of each request."""

    try:
        return ThreadingHTTPServer((host, port), Handler)
    except OSError as error:
        raise NetworkError(f"port {port} cannot be used: {error.strerror}. Give another.") from None
