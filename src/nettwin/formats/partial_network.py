"""PartialNetwork: a network as a source tells it; stated defaults fill its gaps.

What a source does not say is NaN or None here. `reading` fills it from `ImportDefaults` and lists,
in words, every assumption made and everything ignored, so that no reader guesses on its own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from nettwin import units
from nettwin.errors import FormatError, NettwinError, ScenarioError, UnknownNameError
from nettwin.formats.format import ImportDefaults, Reading
from nettwin.scenario.arrivals import ArrivalProcess, Poisson
from nettwin.scenario.generate import MAX_NODES, fiber_delay_s, gravity_demand
from nettwin.scenario.packet_sizes import PacketSize
from nettwin.scenario.routing import Routing
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.scheduling import Scheduler, buffer_words
from nettwin.scenario.topology import Link, Node, Topology
from nettwin.scenario.traffic import BEST_EFFORT, Flow, Traffic


@dataclass
class PartialLink:
    """A directed link, or with `duplex` one in each direction."""

    source: str
    target: str
    capacity_bps: float = math.nan
    delay_s: float = math.nan
    weight: float = math.nan
    scheduler: Scheduler | None = None
    srlg: tuple[str, ...] = ()
    name: str = ""
    up: bool = True
    duplex: bool = False


@dataclass
class PartialFlow:
    """A flow; sizes and arrivals that are not said are None."""

    source: str
    target: str
    rate_bps: float
    traffic_class: str = BEST_EFFORT
    size: PacketSize | None = None
    arrival: ArrivalProcess | None = None
    name: str = ""


@dataclass
class PartialNetwork:
    """What was found in a source, before it is filled.

    `flows` None: the source cannot say anything about traffic, which is then synthetic (gravity);
    an empty list: it says that there is none. `traffic`, where given, makes it instead. `routing`
    makes the routing from the finished topology and traffic; None is ECMP on the weights.
    """

    format: str
    source: str
    name: str = "network"
    nodes: list[Node] = field(default_factory=list)
    links: list[PartialLink] = field(default_factory=list)
    flows: list[PartialFlow] | None = None
    routing: Callable[[Topology, Traffic], Routing] | None = None
    traffic: Callable[[Topology], Traffic] | None = None
    assumptions: list[str] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)

    def assume(self, text: str) -> None:
        """Note an assumption, once."""
        if text not in self.assumptions:
            self.assumptions.append(text)

    def ignore(self, text: str) -> None:
        """Note something that is left out, once."""
        if text not in self.ignored:
            self.ignored.append(text)

    def reading(self, assume: ImportDefaults) -> Reading:
        """The finished scenario. Raises FormatError where it cannot be one."""
        try:
            topology = self._topology(assume)
            traffic = self._traffic(topology, assume)
            routing = self.routing(topology, traffic) if self.routing else Routing()
            scenario = Scenario(topology, traffic, routing, name=self.name or "network")
        except FormatError:
            raise
        except ScenarioError as error:
            issues = "; ".join(str(issue) for issue in error.issues[:5])
            more = f" (and {len(error.issues) - 5} more)" if len(error.issues) > 5 else ""
            raise FormatError(
                self.source, "the network it describes", issues + more, "Correct the file."
            ) from None
        except UnknownNameError as error:
            raise FormatError(
                self.source, f"{error.kind} {error.name}", str(error), "Correct the name."
            ) from None
        except NettwinError as error:
            raise FormatError(self.source, "", str(error), "Correct the file.") from None
        return Reading(
            scenario, self.format, self.source, tuple(self.assumptions), tuple(self.ignored)
        )

    def _topology(self, assume: ImportDefaults) -> Topology:
        links: list[Link] = []
        for partial in self.links:
            link = Link(
                partial.source,
                partial.target,
                partial.capacity_bps,
                partial.delay_s,
                partial.weight,
                partial.scheduler or assume.scheduler,
                partial.srlg,
                partial.name,
                partial.up,
            )
            links.append(link)
            if partial.duplex:
                back = f"{partial.name} reverse" if partial.name else ""
                links.append(
                    Link(
                        partial.target,
                        partial.source,
                        partial.capacity_bps,
                        partial.delay_s,
                        partial.weight,
                        link.scheduler,
                        partial.srlg,
                        back,
                        partial.up,
                    )
                )
        topology = Topology.build(self.nodes, links)
        silent = sum((1 + d.duplex) for d in self.links if d.scheduler is None)
        if silent:
            self.assume(
                f"scheduler of {_many(silent, len(links), 'link')}: {_scheduler(assume.scheduler)}"
            )
        capacity, weight = assume.capacity_bps, assume.weight
        topology = self._filled(
            topology, "link_capacity_bps", capacity, "capacity", units.rate(capacity)
        )
        topology = self._filled(topology, "link_weight", weight, "IGP weight", f"{weight:g}")
        return self._delays(topology, assume)

    def _filled(
        self, topology: Topology, column: str, value: float, noun: str, shown: str
    ) -> Topology:
        """The topology with one value for every link of which nothing is said."""
        told = getattr(topology, column)
        silent = np.isnan(told)
        if not silent.any():
            return topology
        self.assume(f"{noun} of {_many(int(silent.sum()), len(told), 'link')}: {shown}")
        return topology.with_arrays(**{column: np.where(silent, value, told)})

    def _delays(self, topology: Topology, assume: ImportDefaults) -> Topology:
        delay = topology.link_delay_s
        silent = np.isnan(delay)
        if not silent.any():
            return topology
        fiber = fiber_delay_s(topology)
        placed = silent & np.isfinite(fiber)
        bare = silent & ~placed
        if placed.any():
            count = _many(int(placed.sum()), len(delay), "link")
            self.assume(
                f"propagation delay of {count}: great circle between the coordinates at two thirds"
                " of the speed of light"
            )
        if bare.any():
            count = _many(int(bare.sum()), len(delay), "link")
            self.assume(f"propagation delay of {count}: {units.duration(assume.delay_s)}")
        filled = np.where(placed, fiber, np.where(bare, assume.delay_s, delay))
        return topology.with_arrays(link_delay_s=filled)

    def _traffic(self, topology: Topology, assume: ImportDefaults) -> Traffic:
        if self.traffic is not None:
            return self.traffic(topology)
        if self.flows is None:
            return self._made_up(topology, assume)
        self.assume_of_flows(
            sum(f.size is None for f in self.flows),
            sum(f.arrival is None for f in self.flows),
            len(self.flows),
            assume,
        )
        poisson = Poisson()
        return Traffic.build(
            topology,
            (
                Flow(
                    f.source,
                    f.target,
                    f.rate_bps,
                    f.traffic_class,
                    f.size or assume.size,
                    f.arrival or poisson,
                    f.name,
                )
                for f in self.flows
            ),
        )

    def assume_of_flows(
        self, sizes: int, arrivals: int, flows: int, assume: ImportDefaults
    ) -> None:
        """Note of how many of the flows packet sizes and arrivals are assumed."""
        if sizes:
            self.assume(f"packet sizes of {_many(sizes, flows, 'flow')}: {assume.size}")
        if arrivals:
            self.assume(f"arrivals of {_many(arrivals, flows, 'flow')}: Poisson")

    def _made_up(self, topology: Topology, assume: ImportDefaults) -> Traffic:
        if assume.load is None:
            self.assume("traffic: none")
            return Traffic.build(topology, [])
        if topology.node_count > MAX_NODES:
            self.assume(f"traffic: none, as synthetic traffic is for at most {MAX_NODES:,} nodes")
            return Traffic.build(topology, [])
        mass = np.bincount(
            topology.link_source, topology.link_capacity_bps, topology.node_count
        ).astype(np.float64)
        traffic = Traffic.from_matrix(gravity_demand(mass), size=assume.size)
        peak = float(Scenario(topology, traffic).link_offered_load.max(initial=0.0))
        if not peak:
            self.assume("traffic: none, as no two nodes are joined")
            return Traffic.build(topology, [])
        self.assume(
            f"traffic: synthetic, a Poisson flow of {assume.size} packets between all nodes in"
            " proportion to the capacities at both ends, scaled so that the busiest link is"
            f" offered {units.percent(assume.load, 0)}"
        )
        return traffic.with_arrays(flow_rate_bps=traffic.flow_rate_bps * (assume.load / peak))


def unique_names(
    labels: Sequence[str], remember: Callable[[str], None], kind: str = "node"
) -> list[str]:
    """Names from labels that may be empty or repeat; changes are remembered in words."""
    taken: set[str] = set()
    names: list[str] = []
    changed = 0
    counts: dict[str, int] = {}
    for i, label in enumerate(labels):
        base = " ".join(label.split()) or f"{kind}{i}"
        name = base
        while name in taken:
            counts[base] = counts.get(base, 1) + 1
            name = f"{base}#{counts[base]}"
        changed += name != label
        taken.add(name)
        names.append(name)
    if changed:
        remember(
            f"names of {_many(changed, len(labels), kind)}: made, as labels were empty or twice"
        )
    return names


def _many(part: int, whole: int, noun: str) -> str:
    if part == whole:
        return f"all {whole} {noun}s" if whole != 1 else f"the {noun}"
    return f"{part} of {whole} {noun}s"


def _scheduler(scheduler: Scheduler) -> str:
    return f"{scheduler.policy} with queues of {buffer_words(scheduler.queues[0])}"
