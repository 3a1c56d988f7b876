"""Topology: nodes and directed links, as arrays inside and as tables for people."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nettwin.errors import UnknownNameError, ValidationIssue
from nettwin.quantity import Quantity, ReadOnly, by_name, frozen, misfits, typed
from nettwin.scenario.element_names import numbered
from nettwin.scenario.scheduling import Scheduler, room_bits

if TYPE_CHECKING:
    import pandas as pd

NODE = by_name(
    Quantity("latitude_deg", "deg", "latitude of the site", math.nan, -90, 90, optional=True),
    Quantity("longitude_deg", "deg", "longitude of the site", math.nan, -180, 180, optional=True),
)
LINK = by_name(
    Quantity("capacity_bps", "bit/s", "rate at which the port sends", 1e9, above=0),
    Quantity("delay_s", "s", "propagation delay", 0.0, low=0),
    Quantity("weight", "", "IGP metric of the link", 1.0, above=0),
)


@dataclass(frozen=True, slots=True)
class Node:
    """A node as people write it."""

    name: str
    latitude_deg: float = math.nan
    longitude_deg: float = math.nan
    srlg: tuple[str, ...] = ()
    up: bool = True


@dataclass(frozen=True, slots=True)
class Link:
    """A directed link, the output port of its source, as people write it.

    `name` defaults to `source->target`, with `#2`, `#3`... for parallel links.
    """

    source: str
    target: str
    capacity_bps: float = 1e9
    delay_s: float = 0.0
    weight: float = 1.0
    scheduler: Scheduler = field(default_factory=Scheduler)
    srlg: tuple[str, ...] = ()
    name: str = ""
    up: bool = True


class Queues(NamedTuple):
    """Every queue of every link, flat. Queues of link l are `offset[l]:offset[l + 1]`."""

    offset: NDArray[np.int32]  # [links + 1]
    link: NDArray[np.int32]  # [queues]
    buffer_packets: NDArray[np.float64]  # [queues], inf: no limit
    buffer_bits: NDArray[np.float64]  # [queues], inf: no limit
    weight: NDArray[np.float64]  # [queues]
    quantum_bits: NDArray[np.float64]  # [queues]


class LinkRow(NamedTuple):
    """A link of a topology as plain numbers."""

    name: str
    source: int  # of nodes
    target: int
    capacity_bps: float
    delay_s: float
    weight: float
    scheduler: int  # of `schedulers`
    srlg: tuple[str, ...]
    up: bool


@dataclass(frozen=True)
class Topology(ReadOnly):
    """Nodes and directed links; struct of arrays, read-only.

    An element that is down keeps its place, so that tables before and after a failure line up.
    Schedulers are kept once each: link l has `schedulers[link_scheduler[l]]`.
    """

    node_name: tuple[str, ...]
    node_latitude_deg: NDArray[np.float64]  # [nodes]
    node_longitude_deg: NDArray[np.float64]  # [nodes]
    node_srlg: tuple[tuple[str, ...], ...]
    node_up: NDArray[np.bool_]  # [nodes]
    link_name: tuple[str, ...]
    link_source: NDArray[np.int32]  # [links]
    link_target: NDArray[np.int32]  # [links]
    link_capacity_bps: NDArray[np.float64]  # [links]
    link_delay_s: NDArray[np.float64]  # [links]
    link_weight: NDArray[np.float64]  # [links]
    link_srlg: tuple[tuple[str, ...], ...]
    link_up: NDArray[np.bool_]  # [links]
    schedulers: tuple[Scheduler, ...]
    link_scheduler: NDArray[np.int32]  # [links]

    @classmethod
    def build(
        cls, nodes: Iterable[Node | str], links: Iterable[Link], *, duplex: bool = False
    ) -> Topology:
        """A topology from nodes and links as people write them.

        With `duplex` each link stands for two, one in each direction. Raises UnknownNameError
        where a link ends at a node that is not listed.
        """
        node_list = [Node(n) if isinstance(n, str) else n for n in nodes]
        link_list = list(links)
        if duplex:
            link_list = [half for link in link_list for half in (link, _reverse(link))]
        index = {node.name: i for i, node in enumerate(node_list)}
        for link in link_list:
            for end in (link.source, link.target):
                if end not in index:
                    raise UnknownNameError("node", end, index)
        schedulers: dict[Scheduler, int] = {}
        link_scheduler = [schedulers.setdefault(k.scheduler, len(schedulers)) for k in link_list]
        return cls(
            node_name=tuple(node.name for node in node_list),
            node_latitude_deg=_floats(node.latitude_deg for node in node_list),
            node_longitude_deg=_floats(node.longitude_deg for node in node_list),
            node_srlg=tuple(tuple(node.srlg) for node in node_list),
            node_up=frozen([node.up for node in node_list], np.bool_),
            link_name=_link_names(link_list),
            link_source=frozen([index[link.source] for link in link_list], np.int32),
            link_target=frozen([index[link.target] for link in link_list], np.int32),
            link_capacity_bps=_floats(link.capacity_bps for link in link_list),
            link_delay_s=_floats(link.delay_s for link in link_list),
            link_weight=_floats(link.weight for link in link_list),
            link_srlg=tuple(tuple(link.srlg) for link in link_list),
            link_up=frozen([link.up for link in link_list], np.bool_),
            schedulers=tuple(schedulers),
            link_scheduler=frozen(link_scheduler, np.int32),
        )

    def with_arrays(self, **arrays: Any) -> Topology:
        """A copy with some arrays replaced (copied and made read-only)."""
        return replace(self, **typed(self, arrays))

    def link_rows(self) -> Iterator[LinkRow]:
        """The links, one after another."""
        columns = (
            self.link_name,
            self.link_source.tolist(),
            self.link_target.tolist(),
            self.link_capacity_bps.tolist(),
            self.link_delay_s.tolist(),
            self.link_weight.tolist(),
            self.link_scheduler.tolist(),
            self.link_srlg,
            self.link_up.tolist(),
        )
        return map(LinkRow._make, zip(*columns, strict=True))

    @property
    def node_count(self) -> int:
        """How many nodes."""
        return len(self.node_name)

    @property
    def link_count(self) -> int:
        """How many directed links."""
        return len(self.link_name)

    @cached_property
    def node_index(self) -> dict[str, int]:
        """Node name to index."""
        return {name: i for i, name in enumerate(self.node_name)}

    @cached_property
    def link_index(self) -> dict[str, int]:
        """Link name to index."""
        return {name: i for i, name in enumerate(self.link_name)}

    @cached_property
    def link_live(self) -> NDArray[np.bool_]:
        """Whether each link can carry traffic: it and both its ends are up. [links]"""
        live = self.link_up & self.node_up[self.link_source] & self.node_up[self.link_target]
        return frozen(live, np.bool_)

    @cached_property
    def queues(self) -> Queues:
        """Every queue of every link, flat."""
        sizes = np.array([len(s.queues) for s in self.schedulers], np.int64)
        counts = sizes[self.link_scheduler]
        offset = np.concatenate([[0], np.cumsum(counts)])
        begin = (np.cumsum(sizes) - sizes)[self.link_scheduler]  # in the queues of all schedulers
        which = np.arange(offset[-1]) + np.repeat(begin - offset[:-1], counts)
        known = [q for s in self.schedulers for q in s.queues]
        bits = room_bits(
            _floats(q.buffer_bits for q in known)[which],
            _floats(q.buffer_s for q in known)[which],
            np.repeat(self.link_capacity_bps, counts),
        )
        return Queues(
            offset=frozen(offset, np.int32),
            link=frozen(np.repeat(np.arange(self.link_count), counts), np.int32),
            buffer_packets=frozen(_floats(q.buffer_packets for q in known)[which], np.float64),
            buffer_bits=frozen(bits, np.float64),
            weight=frozen(_floats(q.weight for q in known)[which], np.float64),
            quantum_bits=frozen(_floats(q.quantum_bits for q in known)[which], np.float64),
        )

    def class_queue(self, classes: Sequence[str]) -> NDArray[np.int32]:
        """The flat queue index that each class goes to at each link. [links, classes]"""
        table = np.array(
            [[s.queue_of(name) for name in classes] for s in self.schedulers], np.int32
        ).reshape(len(self.schedulers), len(classes))
        return np.ascontiguousarray(table[self.link_scheduler] + self.queues.offset[:-1, None])

    def node(self, name: str) -> int:
        """The index of a node; UnknownNameError with near names if there is none."""
        try:
            return self.node_index[name]
        except KeyError:
            raise UnknownNameError("node", name, self.node_name) from None

    def link(self, name: str) -> int:
        """The index of a link by its name (`A->B`); UnknownNameError if there is none."""
        try:
            return self.link_index[name]
        except KeyError:
            raise UnknownNameError("link", name, self.link_name) from None

    def links_between(self, source: str, target: str) -> NDArray[np.intp]:
        """Indices of the links from one node to another, parallel ones included."""
        here = (self.link_source == self.node(source)) & (self.link_target == self.node(target))
        return np.flatnonzero(here)

    def srlg_members(self, srlg: str) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Indices of the nodes and of the links in a shared-risk group."""
        nodes = np.flatnonzero([srlg in groups for groups in self.node_srlg])
        links = np.flatnonzero([srlg in groups for groups in self.link_srlg])
        if not len(nodes) and not len(links):
            raise UnknownNameError("shared-risk group", srlg, self.srlg_names)
        return nodes, links

    @cached_property
    def srlg_names(self) -> tuple[str, ...]:
        """Every shared-risk group that an element names, sorted."""
        return tuple(sorted({g for groups in (*self.node_srlg, *self.link_srlg) for g in groups}))

    @property
    def nodes(self) -> pd.DataFrame:
        """The nodes as a table, by name."""
        import pandas as pd

        return pd.DataFrame(
            {
                "latitude_deg": self.node_latitude_deg,
                "longitude_deg": self.node_longitude_deg,
                "srlg": [",".join(groups) for groups in self.node_srlg],
                "up": self.node_up,
            },
            index=pd.Index(self.node_name, name="node"),
        )

    @property
    def links(self) -> pd.DataFrame:
        """The links as a table, by name."""
        import pandas as pd

        names = np.array(self.node_name, dtype=object)
        return pd.DataFrame(
            {
                "source": names[self.link_source],
                "target": names[self.link_target],
                "capacity_bps": self.link_capacity_bps,
                "delay_s": self.link_delay_s,
                "weight": self.link_weight,
                "policy": [self.schedulers[k].policy for k in self.link_scheduler],
                "srlg": [",".join(groups) for groups in self.link_srlg],
                "up": self.link_up,
            },
            index=pd.Index(self.link_name, name="link"),
        )

    def misfits(self) -> list[ValidationIssue]:
        """What is wrong with the arrays themselves: lengths, and indices that lead nowhere."""
        nodes, links = len(self.node_name), len(self.link_name)
        rows = {f.name: nodes if f.name.startswith("node") else links for f in fields(self)}
        del rows["schedulers"], rows["node_srlg"], rows["link_srlg"]
        index = {"link_source": nodes, "link_target": nodes}
        return misfits(self, rows, {**index, "link_scheduler": len(self.schedulers)})

    def issues(self) -> list[ValidationIssue]:
        """Everything wrong with the topology."""
        found = self.misfits()
        if found:
            return found
        if not self.node_name:
            found.append(
                ValidationIssue(
                    "the list of nodes", "empty", "must name at least 1 node", "Add a node."
                )
            )
        found += _repeated("node", self.node_name) + _repeated("link", self.link_name)
        for i, name in enumerate(self.node_name):
            if not name or name != name.strip():
                found.append(
                    ValidationIssue(
                        f"name of node {i}",
                        repr(name),
                        "must not be empty nor begin or end with a space",
                        "Rename the node.",
                    )
                )
        for quantity in NODE.values():
            values = getattr(self, f"node_{quantity.name}")
            found += quantity.issues(values, lambda i: f"node {self.node_name[i]}")
        for quantity in LINK.values():
            values = getattr(self, f"link_{quantity.name}")
            found += quantity.issues(values, lambda i: f"link {self.link_name[i]}")
        for i in np.flatnonzero(self.link_source == self.link_target).tolist():
            found.append(
                ValidationIssue(
                    f"link {self.link_name[i]}",
                    "a loop to its own node",
                    "must join two different nodes",
                    "Remove the link.",
                )
            )
        for k, scheduler in enumerate(self.schedulers):
            users = np.flatnonzero(self.link_scheduler == k)
            user = f"link {self.link_name[users[0]]}" if len(users) else f"unused scheduler {k}"
            found += scheduler.issues(user)
        return found

    def policy_of(self, link: int) -> str:
        """The scheduling policy's name of a link; one of SCHEDULERS."""
        return str(self.schedulers[self.link_scheduler[link]].policy)


def _reverse(link: Link) -> Link:
    return replace(
        link,
        source=link.target,
        target=link.source,
        name=f"{link.name} reverse" if link.name else "",
    )


def _floats(values: Iterable[float]) -> NDArray[np.float64]:
    return frozen(list(values), np.float64)


def _link_names(links: Sequence[Link]) -> tuple[str, ...]:
    """Given names, or `A->B`, numbered where that is taken."""
    ends = ((link.name, f"{link.source}->{link.target}") for link in links)
    return tuple(numbered(ends, (link.name for link in links if link.name)))


def _repeated(kind: str, names: Sequence[str]) -> list[ValidationIssue]:
    return [
        ValidationIssue(
            f"{kind} {name}",
            f"listed {n} times",
            f"every {kind} needs a name of its own",
            f"Rename or remove the other {kind}s of that name.",
        )
        for name, n in Counter(names).items()
        if n > 1
    ]
