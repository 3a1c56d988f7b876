"""Weathermap: a network with every link as a half-arrow, colored by how busy it is."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from unicodedata import east_asian_width

import numpy as np
from numpy.typing import NDArray

from nettwin import units
from nettwin.apps.summary import flagged_links
from nettwin.interfaces.plots.colors import color_bar, color_of, crowded
from nettwin.interfaces.plots.figure import GREY, INK, PALE, PAPER, figure
from nettwin.interfaces.plots.placing import Box, Points, node_positions, place_labels
from nettwin.metrics import Metrics
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.topology import Topology

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ALARM = "#d8302f"
MAX_NUMBERS = 90  # links that still get their percentage written, busy or not
BUSY = 0.7  # utilization from which a link always gets it
NUMBER_PLACES = (0.58, 0.38, 0.74)  # along the arrow, in the order they are tried
MAX_NAMES = 150  # nodes that still all get their name written
NAMED_LINKS = 12  # of the busiest, whose ends are named where not all nodes are
WIDTH_IN = 11.0
MARGIN = 0.08  # around the nodes, in map units


@dataclass(frozen=True)
class _Arrow:
    """A half-arrow: from its node to the middle of the line."""

    outline: Points  # [corners, 2], the tip in their middle


def weathermap(
    scenario: Scenario,
    metrics: Metrics,
    path: Path | str,
    *,
    title: str = "",
    highlight: Collection[str] = (),
) -> None:
    """Draw a network's weather to an SVG, PNG or PDF file.

    Each link is a half-arrow from its source to the middle of the line, colored by its utilization
    and wide by its capacity; links that are down are dashed. `highlight` names links to ring.
    Raises what `figure` raises.
    """
    topology = scenario.topology
    points = node_positions(topology)
    height = float(np.clip(WIDTH_IN * tallness(points), 4.2, 9.5))
    with figure(Path(path), WIDTH_IN, height + 1.35) as drawn:
        box = (0.02, 0.75 / (height + 1.35), 0.96, height / (height + 1.35))
        utilization = metrics.link["utilization"]
        flagged = flagged_links(scenario, metrics)
        draw_map(drawn, box, topology, points, utilization, set(highlight), flagged)
        drawn.text(
            0.03,
            1 - 0.32 / (height + 1.35),
            title or scenario.name,
            fontsize=15,
            fontweight="bold",
            va="center",
        )
        drawn.text(
            0.03,
            1 - 0.58 / (height + 1.35),
            _subtitle(scenario, metrics),
            color=GREY,
            va="center",
        )
        color_bar(drawn, height + 1.35, "utilization toward the arrow's point,")
        drawn.text(
            0.97,
            0.44 / (height + 1.35),
            crowded(utilization),
            fontsize=8,
            color=GREY,
            va="center",
            ha="right",
        )


def tallness(points: Points) -> float:
    """The height of a map of some points over its width."""
    span = np.maximum(np.ptp(points, axis=0), 0.25) + 2 * MARGIN
    return float(span[1] / span[0])


def draw_map(
    drawn: Figure,
    box: Box,
    topology: Topology,
    points: Points,
    utilization: NDArray[np.float64],
    highlight: set[str],
    flagged: NDArray[np.bool_] | None = None,
) -> None:
    """Draw a map into a box of a figure (left, bottom, width, height as shares of it); numbers of
    `flagged` links have a question mark."""
    axes = drawn.add_axes(box)
    width, height = box[2] * drawn.get_figwidth(), box[3] * drawn.get_figheight()
    _frame(axes, points, MARGIN, width / height)
    inch = float(np.ptp(axes.get_xlim())) / width  # map units an inch
    arrows = _arrows(topology, points, inch)
    _draw_lines(axes, topology, points, arrows, utilization, highlight)
    marks = np.zeros(topology.link_count, np.bool_) if flagged is None else flagged
    occupied = _numbers(axes, topology, arrows, utilization, marks, inch)
    _nodes(axes, topology, points, arrows, occupied, inch, _named_nodes(topology, utilization))


def _named_nodes(topology: Topology, utilization: NDArray[np.float64]) -> list[int]:
    """The nodes whose names are written: all, or on a large map the ends of the busiest links."""
    if topology.node_count <= MAX_NAMES:
        return list(range(topology.node_count))
    busy = np.where(topology.link_live, np.nan_to_num(utilization), 0.0)
    hot = [k for k in np.argsort(-busy, kind="stable")[:NAMED_LINKS].tolist() if busy[k] >= BUSY]
    return sorted({int(n) for k in hot for n in (topology.link_source[k], topology.link_target[k])})


def _subtitle(scenario: Scenario, metrics: Metrics) -> str:
    if "loss_ratio" not in metrics.flow:  # links alone were measured
        known = metrics.link["utilization"][np.isfinite(metrics.link["utilization"])]
        busiest = float(known.max(initial=0.0))
        return (
            f"{len(known)} of {scenario.topology.link_count} links measured   ·   utilization up to"
            f" {units.percent(busiest, 0)}"
        )
    totals = metrics.totals(scenario)
    parts = [
        f"{units.rate(totals['offered_bps'])} offered",
        f"mean delay {units.duration(totals['owd_mean_s'])}",
        f"loss {units.percent(totals['loss_ratio'], 2)}",
        f"offered load up to {units.percent(totals['offered_load_max'], 0)}",
        f"{metrics.method} by {metrics.label}" if metrics.engine else metrics.method,
    ]
    if metrics.flagged_count:
        parts.append(f"{metrics.flagged_count:,} of {len(metrics.flow):,} flows flagged (?)")
    return "   ·   ".join(parts)


def _frame(axes: Axes, points: Points, margin: float, aspect: float) -> None:
    low, high = points.min(axis=0) - margin, points.max(axis=0) + margin
    middle, span = (low + high) / 2, high - low
    width = max(span[0], span[1] * aspect)
    axes.set_xlim(middle[0] - width / 2, middle[0] + width / 2)
    axes.set_ylim(middle[1] - width / aspect / 2, middle[1] + width / aspect / 2)
    axes.axis("off")


def lanes(topology: Topology) -> NDArray[np.float64]:
    """How many lines' widths each link's line is beside the straight path; parallel lines part."""
    seen: dict[tuple[int, int, int], int] = {}
    lane = np.zeros(topology.link_count)
    ends = list(zip(topology.link_source.tolist(), topology.link_target.tolist(), strict=True))
    for k, (a, b) in enumerate(ends):
        lane[k] = seen.setdefault((a, b, 0), 0)
        seen[a, b, 0] += 1
    for k, (a, b) in enumerate(ends):
        count = max(seen.get((a, b, 0), 0), seen.get((b, a, 0), 0))
        side = 1 if a < b else -1  # the same side whichever way the link runs
        lane[k] = side * (lane[k] - (count - 1) / 2)
    return lane


def _arrows(topology: Topology, points: Points, inch: float) -> list[_Arrow]:
    capacity = topology.link_capacity_bps
    scale = np.log10(capacity / capacity.min(initial=np.inf)) if len(capacity) else capacity
    crowd = float(np.clip(60 / max(topology.link_count, 1), 0.5, 1.0))
    widths = (0.085 + 0.03 * np.clip(scale, 0, 3)) * inch * crowd
    beside = lanes(topology)
    out = []
    for k in range(topology.link_count):
        a, b = points[topology.link_source[k]], points[topology.link_target[k]]
        length = float(np.linalg.norm(b - a)) or 1e-9
        along = (b - a) / length
        aside = np.array([-along[1], along[0]])
        width = min(widths[k], 0.2 * length)
        shift = aside * beside[k] * widths[k] * 2.2
        start, middle = a + shift, (a + b) / 2 + shift
        head = min(2.0 * width, 0.4 * length / 2)
        neck = middle - along * (head + 0.12 * width)
        tip = middle - along * 0.12 * width
        half, wing = aside * width / 2, aside * width * 0.95
        outline = np.array(
            [start - half, neck - half, neck - wing, tip, neck + wing, neck + half, start + half]
        )
        out.append(_Arrow(outline))
    return out


def _draw_lines(
    axes: Axes,
    topology: Topology,
    points: Points,
    arrows: list[_Arrow],
    utilization: NDArray[np.float64],
    highlight: set[str],
) -> None:
    from matplotlib.patches import Polygon

    for k in np.argsort(np.nan_to_num(utilization), kind="stable").tolist():
        arrow, name = arrows[k], topology.link_name[k]
        if name in highlight:
            axes.add_patch(
                Polygon(
                    arrow.outline,
                    facecolor="none",
                    edgecolor=ALARM,
                    linewidth=6,
                    alpha=0.35,
                    joinstyle="round",
                    zorder=2,
                )
            )
        if not topology.link_live[k]:
            # the outline's ends: middle of its first and last corner, and the tip
            line = np.array([(arrow.outline[0] + arrow.outline[-1]) / 2, arrow.outline[3]])
            (dashes,) = axes.plot(
                *line.T, color=ALARM, linewidth=1.6, linestyle=(0, (2.5, 2)), zorder=3
            )
            dashes.set_gid(f"link-{k}-down")
            continue
        known = np.isfinite(utilization[k])
        axes.add_patch(
            Polygon(
                arrow.outline,
                facecolor=color_of(float(utilization[k])) if known else PALE,
                edgecolor=PAPER,
                linewidth=0.6,
                joinstyle="round",
                zorder=3 + 0.5 * known,
                gid=f"link-{k}",  # the id of its element in an SVG file
            )
        )
    for k in np.flatnonzero(~topology.link_live):
        if arrows[k].outline is not None and topology.link_source[k] < topology.link_target[k]:
            x, y = arrows[k].outline[3]
            axes.plot(
                [x],
                [y],
                marker="X",
                markersize=13,
                color=ALARM,
                markeredgecolor=PAPER,
                markeredgewidth=1.4,
                zorder=7,
            )


def _numbers(
    axes: Axes,
    topology: Topology,
    arrows: list[_Arrow],
    utilization: NDArray[np.float64],
    flagged: NDArray[np.bool_],
    inch: float,
) -> list[Box]:
    """Write the percentages, the busiest first; where they are, for the names to keep away from.

    A number goes where it covers no other, or is left out if the link is not busy; on a crowded map
    only busy links have one.
    """
    shown = topology.link_live & np.isfinite(utilization)
    if topology.link_count > MAX_NUMBERS:
        shown &= utilization >= BUSY
    boxes: list[Box] = []
    for k in np.argsort(-np.nan_to_num(utilization), kind="stable").tolist():
        if not shown[k]:
            continue
        busy = bool(utilization[k] >= BUSY)
        places = [_number_box(arrows[k], along, inch) for along in NUMBER_PLACES]
        free = [box for box in places if not any(_overlap(box, other) for other in boxes)]
        if not free and not busy:
            continue
        box = (free or places)[0]
        axes.text(
            (box[0] + box[2]) / 2,
            (box[1] + box[3]) / 2,
            f"{utilization[k] * 100:.0f}{'?' if flagged[k] else ''}",
            fontsize=6.6,
            ha="center",
            va="center",
            zorder=6,
            fontweight="bold" if busy else "normal",
            bbox={
                "boxstyle": "round,pad=0.18",
                "facecolor": PAPER,
                "linewidth": 0.5,
                "edgecolor": color_of(float(utilization[k])) if busy else PALE,
            },
        )
        boxes.append(box)
    return boxes


def _number_box(arrow: _Arrow, along: float, inch: float) -> Box:
    """Where a number is, at a share of the way from the arrow's start to its tip."""
    start = (arrow.outline[0] + arrow.outline[-1]) / 2
    x, y = (start + along * (arrow.outline[3] - start)).tolist()
    return (x - 0.11 * inch, y - 0.08 * inch, x + 0.11 * inch, y + 0.08 * inch)


def _overlap(one: Box, other: Box) -> bool:
    across = one[0] < other[2] and other[0] < one[2]
    return across and one[1] < other[3] and other[1] < one[3]


def _nodes(
    axes: Axes,
    topology: Topology,
    points: Points,
    arrows: list[_Arrow],
    occupied: list[Box],
    inch: float,
    named: list[int],
) -> None:
    """Draw the nodes, and write the names of some."""
    crowd = float(np.clip(30 / max(topology.node_count, 1), 0.3, 1.0))
    radius = 0.075 * inch * (0.5 + 0.5 * crowd)
    size = 7 + 42 * crowd
    up = topology.node_up
    axes.scatter(
        points[up, 0], points[up, 1], s=size, c=INK, edgecolors=PAPER, linewidths=1.2, zorder=8
    )
    axes.scatter(
        points[~up, 0],
        points[~up, 1],
        s=1.6 * size,
        c=ALARM,
        marker="X",
        edgecolors=PAPER,
        zorder=8,
    )
    if not named:
        return
    names = [topology.node_name[i] for i in named]
    font = 9.0 if topology.node_count <= 30 else 6.5
    sizes = np.array([_text_size(name, font, inch) for name in names])
    dots = [(x - radius, y - radius, x + radius, y + radius) for x, y in points.tolist()]
    lines = [box for arrow in arrows for box in _along(arrow)]
    bounds = (*axes.get_xlim(), *axes.get_ylim())
    frame = (bounds[0], bounds[2], bounds[1], bounds[3])
    places = place_labels(
        points[named], sizes, [*occupied, *occupied, *dots, *lines], 1.25 * radius, frame
    )
    # a plate, not a halo: text with an outline would be drawn as shapes, which cannot be searched
    plate = {"boxstyle": "round,pad=0.1", "facecolor": PAPER, "edgecolor": "none", "alpha": 0.75}
    for name, (left, bottom), (_, height) in zip(names, places, sizes, strict=True):
        axes.text(
            left,
            bottom + height / 2,
            name,
            fontsize=font,
            ha="left",
            va="center",
            fontweight="bold",
            zorder=9,
            bbox=plate,
        )


def _text_size(text: str, font: float, inch: float) -> tuple[float, float]:
    """Width and height of a text in map units, without asking the renderer (which is slow)."""
    wide = sum(
        0.42
        if letter in "iljtfrI.,'|- "
        else 1.1
        if east_asian_width(letter) in "WF"
        else 0.85
        if letter in "mwMWQ"
        else 0.66
        for letter in text
    )
    return wide * font / 72 * inch, 1.25 * font / 72 * inch


def _along(arrow: _Arrow) -> list[Box]:
    """Small boxes along a half-arrow, for labels to keep away from."""
    start, tip = (arrow.outline[0] + arrow.outline[-1]) / 2, arrow.outline[3]
    width = float(np.linalg.norm(arrow.outline[0] - arrow.outline[-1])) / 2
    steps = max(2, int(np.linalg.norm(tip - start) / (2 * width or 1)))
    centers = start + np.linspace(0, 1, min(steps, 40))[:, None] * (tip - start)
    return [(x - width, y - width, x + width, y + width) for x, y in centers.tolist()]
