"""TopoHub: networks by name from the topohub package, such as `topohub:sndlib/germany50`."""

from __future__ import annotations

import importlib.resources
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nettwin.errors import FormatError, InputError, MissingExtraError, UnknownNameError
from nettwin.formats.format import Format, ImportDefaults, Reading
from nettwin.formats.partial_network import PartialFlow, PartialLink, PartialNetwork, unique_names
from nettwin.formats.sndlib import with_overload_told
from nettwin.scenario.generate import LIGHT_IN_FIBER_M_PER_S
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.topology import NODE, Node


class TopoHub(Format):
    """A network of the topohub package by its name; the package needs no connection."""

    name = "topohub"
    title = "networks of the topohub package, by name"
    prefix = "topohub:"

    def detects(self, path: Path, head: bytes) -> bool:
        return False

    def read(self, path: Path, assume: ImportDefaults) -> Iterator[Reading]:
        name = path.as_posix()
        source = f"{self.prefix}{name}"
        data = _load(name, source)
        try:
            partial = _draft(data, name, source)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            reason = f"has another form than expected ({type(error).__name__}: {error})"
            raise FormatError(source, "", reason, "Install topohub 1.5.") from None
        yield with_overload_told(partial.reading(assume))

    def write(self, scenario: Scenario, path: Path) -> None:
        raise InputError(f"format {self.name} can only be read. Name another format.")


def names() -> list[str]:
    """The names of all networks in the package. Raises MissingExtraError without the package."""
    folder = _folder()
    return sorted(p.relative_to(folder).with_suffix("").as_posix() for p in folder.rglob("*.json"))


def _folder() -> Path:
    try:
        package = importlib.resources.files("topohub")
    except ModuleNotFoundError:
        raise MissingExtraError("reading topohub: names", "topohub") from None
    return Path(str(package)) / "data"


def _load(name: str, source: str) -> dict[str, Any]:
    known = names()
    if name not in known:
        reason = str(UnknownNameError("network of topohub", name, known))
        raise FormatError(source, "", reason, "Give one of the names that topohub has.")
    try:
        data = json.loads((_folder() / f"{name}.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        reason = f"cannot be read ({error})"
        raise FormatError(source, "", reason, "Install topohub again.") from None
    if not isinstance(data, dict):
        raise FormatError(source, "", "is not a network", "Install topohub again.")
    return data


def _draft(data: dict[str, Any], name: str, source: str) -> PartialNetwork:
    partial = PartialNetwork("topohub", source, name=name.replace("/", "-"))
    nodes, edges = data["nodes"], data["edges"]
    labels = unique_names([str(n.get("name") or n["id"]) for n in nodes], partial.assume)
    by_id = {str(n["id"]): label for n, label in zip(nodes, labels, strict=True)}
    position = {str(n["id"]): (float(n["pos"][0]), float(n["pos"][1])) for n in nodes}
    spans = [(position[str(e["source"])], position[str(e["target"])], e["dist"]) for e in edges]
    planar = _is_planar(spans)
    on_earth = not planar and all(
        NODE["longitude_deg"].valid(x) and NODE["latitude_deg"].valid(y)
        for x, y in position.values()
    )
    partial.nodes = [
        Node(label, at[1], at[0]) if on_earth else Node(label)
        for label, at in zip(labels, position.values(), strict=True)
    ]
    delay_s = _delays(partial, spans, trusted=planar or on_earth)
    partial.links = [
        PartialLink(by_id[str(e["source"])], by_id[str(e["target"])], delay_s=delay, duplex=True)
        for e, delay in zip(edges, delay_s, strict=True)
    ]
    if not on_earth:
        partial.ignore("positions of nodes: places in a drawing, not on Earth")
    _add_flows(partial, data["graph"].get("demands") or {}, by_id)
    partial.ignore("utilizations under ECMP that topohub gives, and its statistics")
    if any("type" in item for item in (*nodes, *edges)):
        partial.ignore("types of nodes and links")
    return partial


def _is_planar(spans: list[tuple[tuple[float, float], tuple[float, float], float]]) -> bool:
    """Whether positions are kilometres on a plane: every length is the straight distance."""
    return bool(spans) and all(
        math.isclose(math.dist(a, b), km, rel_tol=0.01, abs_tol=0.05) for a, b, km in spans
    )


def _delays(
    partial: PartialNetwork,
    spans: list[tuple[tuple[float, float], tuple[float, float], float]],
    *,
    trusted: bool,
) -> list[float]:
    if not trusted:
        # topohub takes any position for degrees when it works out lengths
        partial.ignore("lengths of links: worked out from positions that are not on Earth")
        return [math.nan] * len(spans)
    partial.assume("propagation delay: length of the link at two thirds of the speed of light")
    return [float(km) * 1e3 / LIGHT_IN_FIBER_M_PER_S for *_, km in spans]


def _add_flows(
    partial: PartialNetwork, demands: dict[str, dict[str, float]], by_id: dict[str, str]
) -> None:
    flows = [
        PartialFlow(by_id[source], by_id[target], float(value) * 1e6)
        for source, row in demands.items()
        for target, value in row.items()
        if value > 0 and source != target
    ]
    if not flows:
        return
    partial.flows = flows
    partial.assume("unit of demands: Mbit/s, as topohub names none")
    partial.assume("demands: each from its source to its target only, as written")
