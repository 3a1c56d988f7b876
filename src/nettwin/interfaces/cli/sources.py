"""Sources: networks as they are named on the command line, read with what is to be assumed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Annotated

from nettwin import units
from nettwin.errors import InputError
from nettwin.formats import ImportDefaults, Reading, read
from nettwin.interfaces.cli import options as o
from nettwin.interfaces.cli import streams
from nettwin.scenario.packet_sizes import Fixed


@dataclass(frozen=True)
class Source:
    """How to read what the command line names: the texts of its options (see `groups`)."""

    index: o.IndexOption = 0
    format: o.FormatOption = None
    capacity: o.CapacityOption = None
    link_delay: o.LinkDelayOption = None
    load: o.LoadOption = None
    packet_size: o.PacketSizeOption = None

    def read(self, network: str) -> Reading:
        """One network. Raises InputError where it cannot be read."""
        source = streams.given(network)
        found = read(source, format=self.format, assume=self.assume(), index=self.index)
        return found if source == network else replace(found, source=streams.named(source))

    def read_each(self, networks: list[str]) -> Iterator[Reading]:
        """Several, one after another."""
        return (self.read(network) for network in networks)

    def assume(self) -> ImportDefaults:
        """What to take where a source is silent. Raises InputError for a wrong unit or number."""
        assume = ImportDefaults()
        if self.capacity is not None:
            capacity = _above_zero("--capacity", self.capacity, units.rate_bps(self.capacity))
            assume = replace(assume, capacity_bps=capacity)
        if self.link_delay is not None:
            delay = units.time_s(self.link_delay)
            if delay < 0:
                raise InputError(f"--link-delay is {self.link_delay}: must be at least 0s.")
            assume = replace(assume, delay_s=delay)
        if self.load is not None:
            none = self.load.strip().lower() == "none"
            load = None if none else _above_zero("--load", self.load, units.share(self.load))
            assume = replace(assume, load=load)
        if self.packet_size is not None:
            bits = units.size_bits(self.packet_size)
            assume = replace(
                assume, size=Fixed(_above_zero("--packet-size", self.packet_size, bits))
            )
        return assume


@dataclass(frozen=True)
class SourceFrom(Source):
    """A source whose format is named by --from, where --to names another."""

    format: Annotated[
        str | None,
        o.given(
            "--from",
            help="The format of NETWORK, if it is not to be detected.",
            complete=o.complete_format,
        ),
    ] = None


def _above_zero(option: str, text: str, value: float) -> float:
    if value <= 0:
        raise InputError(f"{option} is {text}: must be above 0. Give a larger one.")
    return value
