"""nettwin data: telemetry of a network: what a source tells, and the history of it.

One module a command; each adds itself to `group`.
"""

from __future__ import annotations

from nettwin.interfaces.cli.data import (
    check,
    collect,
    demands,
    flows,
    links,
    map,
    snapshot,
    sources,
    topology,
)
from nettwin.interfaces.cli.data.group import group

__all__ = [
    "check",
    "collect",
    "demands",
    "flows",
    "group",
    "links",
    "map",
    "snapshot",
    "sources",
    "topology",
]
