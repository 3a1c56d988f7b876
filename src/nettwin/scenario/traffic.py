"""Traffic: flows with their class, rate, packet sizes and arrival process."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nettwin.errors import UnknownNameError, ValidationIssue
from nettwin.quantity import Quantity, ReadOnly, by_name, frozen, misfits, typed
from nettwin.scenario.arrivals import ArrivalProcess, Poisson
from nettwin.scenario.element_names import numbered
from nettwin.scenario.packet_sizes import Fixed, PacketSize

if TYPE_CHECKING:
    import pandas as pd

    from nettwin.scenario.topology import Topology

FLOW = by_name(
    Quantity("rate_bps", "bit/s", "mean offered rate, all headers counted", 1e6, low=0),
)
BEST_EFFORT = "best-effort"


@dataclass(frozen=True)
class Flow:
    """A flow as people write it. `name` defaults to `source->target`, with the class if it has one
    of its own, numbered where that is taken."""

    source: str
    target: str
    rate_bps: float
    traffic_class: str = BEST_EFFORT
    size: PacketSize = field(default_factory=lambda: Fixed(8000.0))
    arrival: ArrivalProcess = field(default_factory=Poisson)
    name: str = ""


class FlowRow(NamedTuple):
    """A flow of a traffic as plain numbers."""

    source: int  # of nodes
    target: int
    rate_bps: float
    traffic_class: int  # of `class_name`
    size: int  # of `sizes`
    arrival: int  # of `arrivals`


@dataclass(frozen=True)
class Traffic(ReadOnly):
    """Flows between nodes; struct of arrays, read-only.

    Packet sizes and arrival processes are kept once each: flow f has `sizes[flow_size[f]]` and
    `arrivals[flow_arrival[f]]`. `given_names` holds the names of flows that have one of their own.
    """

    class_name: tuple[str, ...]
    flow_source: NDArray[np.int32]  # [flows] node index
    flow_target: NDArray[np.int32]  # [flows] node index
    flow_class: NDArray[np.int32]  # [flows]
    flow_rate_bps: NDArray[np.float64]  # [flows]
    sizes: tuple[PacketSize, ...]
    flow_size: NDArray[np.int32]  # [flows]
    arrivals: tuple[ArrivalProcess, ...]
    flow_arrival: NDArray[np.int32]  # [flows]
    given_names: Mapping[int, str] = field(default_factory=dict)

    @classmethod
    def build(cls, topology: Topology, flows: Iterable[Flow]) -> Traffic:
        """Traffic from flows as people write them; UnknownNameError for a node not there."""
        flow_list = list(flows)
        classes: dict[str, int] = {}
        sizes: dict[PacketSize, int] = {}
        arrivals: dict[ArrivalProcess, int] = {}
        flow_class = [classes.setdefault(f.traffic_class, len(classes)) for f in flow_list]
        flow_size = [sizes.setdefault(f.size, len(sizes)) for f in flow_list]
        flow_arrival = [arrivals.setdefault(f.arrival, len(arrivals)) for f in flow_list]
        return cls(
            class_name=tuple(classes),
            flow_source=frozen([topology.node(f.source) for f in flow_list], np.int32),
            flow_target=frozen([topology.node(f.target) for f in flow_list], np.int32),
            flow_class=frozen(flow_class, np.int32),
            flow_rate_bps=frozen([f.rate_bps for f in flow_list], np.float64),
            sizes=tuple(sizes),
            flow_size=frozen(flow_size, np.int32),
            arrivals=tuple(arrivals),
            flow_arrival=frozen(flow_arrival, np.int32),
            given_names={i: f.name for i, f in enumerate(flow_list) if f.name},
        )

    @classmethod
    def from_matrix(
        cls,
        demand_bps: NDArray[np.float64],
        *,
        traffic_class: str = BEST_EFFORT,
        size: PacketSize | None = None,
        arrival: ArrivalProcess | None = None,
    ) -> Traffic:
        """One flow for each positive off-diagonal entry of a matrix [source, target] in bit/s."""
        demand = np.array(demand_bps, np.float64, copy=True)
        np.fill_diagonal(demand, 0.0)
        source, target = np.nonzero(demand)
        zero = frozen(np.zeros(len(source)), np.int32)
        return cls(
            class_name=(traffic_class,),
            flow_source=frozen(source, np.int32),
            flow_target=frozen(target, np.int32),
            flow_class=zero,
            flow_rate_bps=frozen(demand[source, target], np.float64),
            sizes=(size or Fixed(8000.0),),
            flow_size=zero,
            arrivals=(arrival or Poisson(),),
            flow_arrival=zero,
        )

    def with_arrays(self, **arrays: Any) -> Traffic:
        """A copy with some fields replaced; arrays are copied and made read-only."""
        return replace(self, **typed(self, arrays))

    def keep(self, flows: NDArray[np.intp] | NDArray[np.bool_]) -> Traffic:
        """Only these flows, in this order; a mask or indices."""
        index = np.flatnonzero(flows) if flows.dtype == np.bool_ else flows
        given = self.given_names
        names = {i: given[f] for i, f in enumerate(index.tolist()) if f in given} if given else {}
        return self.with_arrays(
            flow_source=self.flow_source[index],
            flow_target=self.flow_target[index],
            flow_class=self.flow_class[index],
            flow_rate_bps=self.flow_rate_bps[index],
            flow_size=self.flow_size[index],
            flow_arrival=self.flow_arrival[index],
            given_names=names,
        )

    @property
    def flow_count(self) -> int:
        """How many flows."""
        return len(self.flow_rate_bps)

    @cached_property
    def flow_mean_size_bits(self) -> NDArray[np.float64]:
        """Mean packet size of each flow. [flows]"""
        table = np.array([size.mean_bits for size in self.sizes], np.float64)
        return frozen(table[self.flow_size] if len(table) else np.zeros(0), np.float64)

    @cached_property
    def flow_packet_rate_pps(self) -> NDArray[np.float64]:
        """Mean packets a second of each flow. [flows]"""
        return frozen(self.flow_rate_bps / self.flow_mean_size_bits, np.float64)

    def flow_names(self, node_name: Sequence[str]) -> tuple[str, ...]:
        """The name of each flow: its own, or made from its ends and class."""
        several = len(np.unique(self.flow_class)) > 1
        if not several and not self.given_names:
            pairs = zip(self.flow_source.tolist(), self.flow_target.tolist(), strict=True)
            plain = tuple([f"{node_name[a]}->{node_name[b]}" for a, b in pairs])
            if len(set(plain)) == len(plain):
                return plain
        names = (
            f"{node_name[flow.source]}->{node_name[flow.target]}"
            + (f"/{self.class_name[flow.traffic_class]}" if several else "")
            for flow in self.flow_rows()
        )
        both = ((self.given_names.get(i, ""), name) for i, name in enumerate(names))
        return tuple(numbered(both, self.given_names.values()))

    def flow_rows(self) -> Iterator[FlowRow]:
        """The flows, one after another."""
        columns = (
            self.flow_source.tolist(),
            self.flow_target.tolist(),
            self.flow_rate_bps.tolist(),
            self.flow_class.tolist(),
            self.flow_size.tolist(),
            self.flow_arrival.tolist(),
        )
        return map(FlowRow._make, zip(*columns, strict=True))

    def class_index(self, name: str) -> int:
        """The index of a traffic class; UnknownNameError if there is none."""
        if name not in self.class_name:
            raise UnknownNameError("traffic class", name, self.class_name)
        return self.class_name.index(name)

    def matrix(self, node_count: int) -> NDArray[np.float64]:
        """Offered rate in bit/s summed over flows. [source, target]"""
        demand = np.zeros((node_count, node_count))
        np.add.at(demand, (self.flow_source, self.flow_target), self.flow_rate_bps)
        return demand

    def table(self, node_name: Sequence[str]) -> pd.DataFrame:
        """The flows as a table, by name."""
        import pandas as pd

        nodes = np.array(node_name, dtype=object)
        size_words = np.array([str(s) for s in self.sizes], dtype=object)
        arrival_words = np.array([str(a) for a in self.arrivals], dtype=object)
        return pd.DataFrame(
            {
                "source": nodes[self.flow_source],
                "target": nodes[self.flow_target],
                "class": np.array(self.class_name, dtype=object)[self.flow_class],
                "rate_bps": self.flow_rate_bps,
                "size": size_words[self.flow_size],
                "arrival": arrival_words[self.flow_arrival],
            },
            index=pd.Index(self.flow_names(node_name), name="flow"),
        )

    def misfits(self, topology: Topology) -> list[ValidationIssue]:
        """What is wrong with the arrays themselves: lengths, and indices that lead nowhere."""
        columns = [f.name for f in fields(self) if f.name.startswith("flow_")]
        tables = {
            "flow_class": len(self.class_name),
            "flow_size": len(self.sizes),
            "flow_arrival": len(self.arrivals),
        }
        ends = dict.fromkeys(("flow_source", "flow_target"), topology.node_count)
        return misfits(self, dict.fromkeys(columns, self.flow_count), {**ends, **tables})

    def issues(self, topology: Topology) -> list[ValidationIssue]:
        """Everything wrong with the traffic on this topology."""
        found = self.misfits(topology)
        if found:
            return found

        def flow(i: int) -> str:
            names = [topology.node_name[e] for e in (self.flow_source[i], self.flow_target[i])]
            return f"flow {self.given_names.get(i) or '->'.join(names)} (number {i})"

        for i in np.flatnonzero(self.flow_source == self.flow_target):
            found.append(
                ValidationIssue(
                    flow(int(i)),
                    "from a node to itself",
                    "must join two different nodes",
                    "Remove the flow.",
                )
            )
        found += FLOW["rate_bps"].issues(self.flow_rate_bps, flow)
        for name, n in Counter(self.given_names.values()).items():
            if n > 1:
                found.append(
                    ValidationIssue(
                        f"flow {name}",
                        f"listed {n} times",
                        "every named flow needs a name of its own",
                        "Rename the others.",
                    )
                )
        for k, size in enumerate(self.sizes):
            users = np.flatnonzero(self.flow_size == k)
            found += size.issues(flow(int(users[0])) if len(users) else f"unused size {k}")
        for k, arrival in enumerate(self.arrivals):
            users = np.flatnonzero(self.flow_arrival == k)
            found += arrival.issues(flow(int(users[0])) if len(users) else f"unused arrivals {k}")
        return found


def concatenate(first: Traffic, second: Traffic) -> Traffic:
    """The flows of both, the first's before the second's."""
    classes = {name: i for i, name in enumerate(first.class_name)}
    sizes = {size: i for i, size in enumerate(first.sizes)}
    arrivals = {arrival: i for i, arrival in enumerate(first.arrivals)}
    to_class = [classes.setdefault(name, len(classes)) for name in second.class_name]
    to_size = [sizes.setdefault(size, len(sizes)) for size in second.sizes]
    to_arrival = [arrivals.setdefault(a, len(arrivals)) for a in second.arrivals]

    def joined(a: NDArray[Any], b: NDArray[Any], table: Sequence[int]) -> NDArray[Any]:
        return frozen(np.concatenate([a, np.asarray(table, np.int32)[b]]), np.int32)

    shift = first.flow_count
    return Traffic(
        class_name=tuple(classes),
        flow_source=frozen(np.concatenate([first.flow_source, second.flow_source]), np.int32),
        flow_target=frozen(np.concatenate([first.flow_target, second.flow_target]), np.int32),
        flow_class=joined(first.flow_class, second.flow_class, to_class),
        flow_rate_bps=frozen(
            np.concatenate([first.flow_rate_bps, second.flow_rate_bps]), np.float64
        ),
        sizes=tuple(sizes),
        flow_size=joined(first.flow_size, second.flow_size, to_size),
        arrivals=tuple(arrivals),
        flow_arrival=joined(first.flow_arrival, second.flow_arrival, to_arrival),
        given_names={**first.given_names, **{i + shift: n for i, n in second.given_names.items()}},
    )
