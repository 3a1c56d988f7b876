"""REPETITA: traffic-engineering instances, a `.graph` and the `.demands` beside it.

`X.0000.demands`, `X.0001.demands`... or `X.demands` belong to `X.graph`; rates are in kbit/s and
delays in µs. What the format has no place for (sizes, arrivals, schedulers, classes) is assumed.

lines     lines of columns, and errors that tell where        graph    reading a graph
writing   a scenario as both files                            demands  reading a set of demands
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from nettwin.errors import FormatError, InputError
from nettwin.formats.files import read_head, write_text
from nettwin.formats.format import Format, ImportDefaults, Reading
from nettwin.formats.repetita.demands import with_demands
from nettwin.formats.repetita.graph import read_graph, with_delay_note
from nettwin.formats.repetita.writing import check_it_fits, demands_text, graph_text
from nettwin.scenario.scenario import Scenario

__all__ = ["Repetita"]

_GRAPH = re.compile(rb"\s*NODES\s+\S+\s*\n", re.IGNORECASE)
_DEMANDS = re.compile(rb"\s*DEMANDS\s+\S+\s*\n", re.IGNORECASE)


class Repetita(Format):
    """REPETITA, the format of traffic-engineering instances (Gay, Schaus and Vissicchio, 2017)."""

    name = "repetita"
    title = "REPETITA graph and demands"
    suffixes = (".demands", ".graph")
    writes = True

    def detects(self, path: Path, head: bytes) -> bool:
        if path.is_dir():
            return any(_GRAPH.match(read_head(graph)) for graph in _graphs(path))
        return bool(_GRAPH.match(head) or _DEMANDS.match(head))

    def read(self, path: Path, assume: ImportDefaults) -> Iterator[Reading]:
        if path.is_dir():
            instances = [(graph, _demand_sets(graph)) for graph in _graphs(path)]
        elif _DEMANDS.match(read_head(path)):
            instances = [(_graph_of(path), [path])]
        else:
            instances = [(path, _demand_sets(path))]
        if not instances:
            raise FormatError(path, "the folder", "holds no .graph file", "Give another folder.")
        for graph, demand_sets in instances:
            yield from _instance(graph, demand_sets, assume)

    def write(self, scenario: Scenario, path: Path) -> None:
        check_it_fits(scenario)
        if not path.name.lower().endswith(self.suffixes):
            raise InputError(
                f"{path} has another suffix: must be {' or '.join(self.suffixes)}, as both files"
                " are written. Rename it."
            )
        is_graph = path.suffix.lower() == ".graph"
        demands = path.with_suffix(".0000.demands") if is_graph else path
        write_text(_graph_path(demands), graph_text(scenario.topology))
        write_text(demands, demands_text(scenario))


def _graphs(folder: Path) -> list[Path]:
    """The graphs in a folder and in the folders inside it."""
    found = [*folder.glob("*.graph"), *folder.glob("*/*.graph")]
    return sorted(graph for graph in found if graph.is_file())


def _demand_sets(graph: Path) -> list[Path]:
    beside = graph.parent.iterdir() if graph.parent.is_dir() else ()
    own = [p for p in beside if p.suffix == ".demands" and _graph_path(p).stem == graph.stem]
    return sorted(own)


def _graph_path(demands: Path) -> Path:
    return demands.with_name(re.sub(r"\.\d+$", "", demands.stem) + ".graph")


def _graph_of(demands: Path) -> Path:
    graph = _graph_path(demands)
    if not graph.is_file():
        raise FormatError(
            demands,
            "its graph",
            f"is not beside it as {graph.name}",
            "Put the .graph file into the same folder.",
        )
    return graph


def _instance(
    graph: Path, demand_sets: Sequence[Path], assume: ImportDefaults
) -> Iterator[Reading]:
    partial = read_graph(graph)
    if not demand_sets:
        yield with_delay_note(partial.reading(assume))
        return
    partial.flows = []  # the flows come after, as arrays: there can be very many
    bare = with_delay_note(partial.reading(assume))
    for path in demand_sets:
        yield with_demands(bare, path, assume)
