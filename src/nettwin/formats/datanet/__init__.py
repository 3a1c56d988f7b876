"""Datanet: the public data sets of recorded OMNeT++ simulations, scenario and metrics together.

archive     where archives lie, and their line-aligned files     graphs      topologies and ports
flows       traffic                                              routings    paths
results     recorded metrics of flows                            links       and of ports
scan        the compiled scanner of long lines
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from nettwin.errors import FormatError, InputError, ScenarioError
from nettwin.formats.datanet.archive import (
    FLOW_RESULTS,
    INPUTS,
    LINKS,
    RESULTS,
    STABILITY,
    TRAFFIC,
    Archive,
    archives,
    looks_like_archive,
)
from nettwin.formats.datanet.flows import read_flows
from nettwin.formats.datanet.graphs import Graph, read_graph, with_bandwidths
from nettwin.formats.datanet.links import read_links
from nettwin.formats.datanet.results import read_results
from nettwin.formats.datanet.routings import Routes, read_routing
from nettwin.formats.format import Format, ImportDefaults, Reading
from nettwin.metrics import Metrics, Table
from nettwin.scenario.scenario import Scenario

ASSUMED = (
    "propagation delay of all links: none",
    "buffers: a queue's limit counts its packet in service as well, as recorded losses show",
)
OCCUPANCIES = (
    "recorded mean occupancies: multiplied by the queue's utilization, less the packet in service;"
    " the largest ones count it"
)
FOLDERS = ("graphs", "routings", "links_bw")  # of the files that `input_files.txt` names
NETWORKS_KEPT = 32  # topologies and routings kept for the simulations that follow
MAX_NAME = 200
LONGEST_DELAY_S = 20.0  # that the recording simulator keeps


@dataclass(frozen=True)
class Datanet(Format):
    """Data sets in the layout of the BNN-UPC network simulator, all versions.

    `drr_round_s`: how long DRR ports take to go round queues that are all busy. The files give
    weights only; the recording simulator gives each queue its share of a second. (Of 66 busy ports
    at 10 to 400 kbit/s, 1 s reproduces shares and occupancies; 0.5 or 2 s miss occupancies by a
    third or more.)
    """

    drr_round_s: float = 1.0
    name: str = field(default="datanet", init=False)
    title: str = field(default="datanet archives (recorded OMNeT++ simulations)", init=False)

    def detects(self, path: Path, head: bytes) -> bool:
        """Whether it is an archive, or a folder with one in it or up to two folders below."""
        if path.is_file():
            return looks_like_archive(head)
        try:
            found = next(archives(path), None)
        except FormatError:
            return False
        return found is not None and (found.root / "graphs").is_dir()

    def read(self, path: Path, assume: ImportDefaults) -> Iterator[Reading]:
        """Every simulation that the recording simulator called settled (`OK`)."""
        networks = lru_cache(NETWORKS_KEPT)(self._network)
        found = False
        for archive in archives(path):
            found = True
            for number in range(len(archive.lines[RESULTS])):
                if _settled(archive, number):
                    yield _reading(archive, number, networks)
        if not found:
            raise FormatError(
                path,
                "",
                "holds no results archive",
                "Give a results*.tar.gz, a folder of them, or one with their unpacked files.",
            )

    def write(self, scenario: Scenario, path: Path) -> None:
        """Not possible: the layout is for recorded simulations."""
        raise InputError("format datanet can only be read. Choose another format.")

    def _network(self, root: Path, names: tuple[str, ...]) -> tuple[Graph, Routes]:
        files = [root / folder / name for folder, name in zip(FOLDERS, names, strict=False)]
        graph = read_graph(files[0], self.drr_round_s)
        if len(files) > 2:
            graph = with_bandwidths(files[2], graph)
        return graph, read_routing(files[1], graph)


Networks = Callable[[Path, tuple[str, ...]], tuple[Graph, Routes]]


def _reading(archive: Archive, number: int, networks: Networks) -> Reading:
    """One simulation of an archive."""
    path, lines, place = archive.path, archive.lines, f"line {number + 1}"
    label, *names = _inputs(archive, number)
    graph, candidates = networks(archive.root, tuple(names))
    nodes = graph.topology.node_count
    flows = read_flows(path, f"{TRAFFIC}, {place}", lines[TRAFFIC][number], nodes)
    traffic = flows.traffic
    try:
        routing = candidates.routing(traffic.flow_source, traffic.flow_target)
        scenario = Scenario(graph.topology, traffic, routing, f"{_stem(path)} {label}")
    except ScenarioError as error:
        shown = "; ".join(str(issue) for issue in error.issues[:3])
        raise FormatError(path, place, shown, "Correct the files it names.") from None
    kind = FLOW_RESULTS if FLOW_RESULTS in lines else RESULTS
    flow, ignored = read_results(path, f"{kind}, {place}", lines[kind][number], flows, nodes)
    link, queue = Table({}), Table({})
    assumed = (*graph.assumptions, *flows.assumptions, *ASSUMED)
    if LINKS in lines:
        assumed += (OCCUPANCIES,)
        link, queue = read_links(path, f"{LINKS}, {place}", lines[LINKS][number], graph, scenario)
    metrics = Metrics(flow, link, queue, "measured", "omnet++", _provenance(archive, number))
    return Reading(scenario, "datanet", f"{path}, {place}", assumed, ignored, metrics)


def _inputs(archive: Archive, number: int) -> list[str]:
    """The id, graph, routing and, where given, bandwidth file of a line; plain file names only."""
    place = f"{INPUTS}, line {number + 1}"
    words = archive.lines[INPUTS][number].decode("utf-8", "replace").strip().split(";")
    if len(words) not in (3, 4):
        raise FormatError(
            archive.path, place, f"has {len(words)} fields", "Give `id;graph;routing[;links_bw]`."
        )
    for folder, name in zip(FOLDERS, words[1:], strict=False):
        if not name or len(name) > MAX_NAME or name.startswith(".") or set(name) & set("/\\\0"):
            raise FormatError(
                archive.path, place, f"names {name[:40]!r}", "Name a file without its folder."
            )
        if not (archive.root / folder / name).is_file():
            raise FormatError(
                archive.path,
                place,
                f"names {folder}/{name}, which is not there",
                f"Put it into {folder} beside the archives.",
            )
    return words


def _settled(archive: Archive, number: int) -> bool:
    """Whether the simulation reached its steady state; assumed where nothing tells."""
    if STABILITY not in archive.lines:
        return True
    return _stability(archive, number)[2] == "OK"


def _stability(archive: Archive, number: int) -> list[str]:
    words = archive.lines[STABILITY][number].decode("utf-8", "replace").strip().split(";")
    if len(words) < 3:
        raise FormatError(
            archive.path,
            f"{STABILITY}, line {number + 1}",
            f"has {len(words)} fields",
            "Give `sim_time;stability;STATUS`.",
        )
    return words


def _provenance(archive: Archive, number: int) -> dict[str, object]:
    """Where a recording comes from, and how long it lasted."""
    out: dict[str, object] = {"archive": archive.path.name, "line": number + 1}
    out["longest_delay_s"] = LONGEST_DELAY_S
    if STABILITY in archive.lines:
        word = _stability(archive, number)[0]
        try:
            seconds = float(word)
        except ValueError:
            seconds = -1.0
        if not 0 < seconds < float("inf"):
            raise FormatError(
                archive.path,
                f"{STABILITY}, line {number + 1}",
                f"sim_time is {word[:40]!r}",
                "Give the seconds that were simulated.",
            )
        out["simulated_s"] = seconds
    return out


def _stem(path: Path) -> str:
    return path.name.removesuffix(".tar.gz")
