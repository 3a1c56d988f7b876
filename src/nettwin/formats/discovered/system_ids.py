"""System IDs: which host of an IS-IS database has which, where it names hosts but neighbors by IDs.

Known host names come first, and LSPs that are called by their IDs. For the others: who has an ID is
told as a neighbor as often as it tells neighbors itself, and by hosts that share subnets with it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence


class Unsettled(Exception):
    """It cannot be told which host has which ID; the text says which."""


Reach = Mapping[str, Sequence[tuple[str, str, str]]]  # of each host: ID, a dot, circuit


def names_of(
    reach: Reach, prefixes: Mapping[str, set[str]], known: Mapping[str, str]
) -> dict[str, str]:
    """The host of each system ID. Raises Unsettled."""
    told = {
        host: Counter(id for id, _, circuit in listed if circuit == "00")
        for host, listed in reach.items()
    }
    every = {id for counts in told.values() for id in counts}
    found = {id: known[id] for id in every if id in known}
    found |= {id: id for id in every if id in reach}
    open_ids = every - found.keys()
    free = [host for host in reach if host not in found.values()]
    by = {id: Counter({h: c[id] for h, c in told.items() if c[id]}) for id in open_ids}
    shared = {
        host: Counter(
            {
                other: common
                for other in reach
                if other != host and (common := len(prefixes[host] & prefixes[other]))
            }
        )
        for host in free
    }
    for id in sorted(open_ids):
        fits = [host for host in free if _fits(by[id], told, shared[host], host, id)]
        if len(fits) > 1:
            could = " or ".join(sorted(fits)[:4])
            raise Unsettled(f"names neighbors by system IDs, and {id} could be {could}")
        if fits:  # others have no LSP
            found[id] = fits[0]
    return found


def _fits(
    by: Counter[str], told: Mapping[str, Counter[str]], shared: Counter[str], host: str, id: str
) -> bool:
    """Whether a host may have an ID: those that tell it are those that it shares subnets with."""
    if host in by or by.total() != told[host].total():
        return False
    return not shared or all(shared[other] >= count for other, count in by.items())
