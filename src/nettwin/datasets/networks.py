"""Networks: the real topologies that a recipe may draw, and those that are kept for judging."""

from __future__ import annotations

from functools import lru_cache

from nettwin.errors import MissingExtraError, NettwinError
from nettwin.scenario.topology import Topology

FOLDERS = ("topozoo/", "sndlib/")
# Networks of the public data sets that models are judged on: never trained on
HELD_OUT = ("nsf", "geant", "gbn")


@lru_cache(maxsize=4)
def real_networks(least: int = 5, most: int = 60) -> dict[str, Topology]:
    """The real networks of `least` to `most` nodes in the topohub package, without HELD_OUT.

    Empty where the extra `topohub` is not installed.
    """
    from nettwin.formats import ImportDefaults, read
    from nettwin.formats.topohub import names

    try:
        known = [name for name in names() if name.startswith(FOLDERS)]
    except MissingExtraError:
        return {}
    found = {}
    for name in known:
        if any(word in name.lower() for word in HELD_OUT):
            continue
        try:
            topology = read(f"topohub:{name}", assume=ImportDefaults(load=None)).scenario.topology
        except NettwinError:
            continue
        if least <= topology.node_count <= most:
            found[name] = topology
    return found
