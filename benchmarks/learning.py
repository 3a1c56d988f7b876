"""How an agent learns: trainings by several recipes, validation over processor time, a chart."""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.benchmark import say
from nettwin.optimize.solvers.reinforcement.link_graph import Weights
from nettwin.optimize.solvers.reinforcement.training.fit import Moment, train
from nettwin.optimize.solvers.reinforcement.training.midpoint_task import MidpointTask
from nettwin.optimize.solvers.reinforcement.training.recipe import AgentRecipe

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 640, 400, 70, 610, 30, 340
LEAST = 0.1  # percent over the reference, where the chart ends
COLORS = ("#b3402a", "#1b6ca8", "#2a8a4a")


class Learned(NamedTuple):
    """A training: its points (processor seconds without validating, the best validation so far),
    and how the agent does on test networks; both as logarithms over the reference."""

    points: tuple[tuple[float, float], ...]
    test: float

    @property
    def end(self) -> float:
        """The validation of the agent that is kept."""
        return self.points[-1][1]

    def until(self, value: float) -> float:
        """Processor seconds until the validation was this good; inf where it never was."""
        return next((s for s, found in self.points if found <= value), math.inf)


class _Timed(MidpointTask):
    validating_s = 0.0

    def validate(self, weights: Weights) -> float:
        begin = time.process_time()
        found = super().validate(weights)
        self.validating_s += time.process_time() - begin
        return found


def learned(recipe: AgentRecipe) -> Learned:
    """Train an agent of midpoints by a recipe."""
    task = _Timed(recipe)
    points: list[tuple[float, float]] = []
    spent_s = 0.0

    def tell(moment: Moment) -> None:
        nonlocal spent_s
        spent_s += float(moment.values["cpu_s"])
        if "validation" in moment.values:
            best = min(float(moment.values["validation"]), points[-1][1] if points else math.inf)
            points.append((spent_s - task.validating_s, best))

    with tempfile.TemporaryDirectory() as folder:
        agent = train(recipe, Path(folder), tell=tell, task=task)
    accuracy = agent.card["accuracy"]
    say(f"{recipe.title}: {points[-1][0]:.0f} s, validation {accuracy['validation']:.4f}")
    return Learned(tuple(points), float(accuracy["test"]))


def percent(apart: float) -> float:
    """A logarithm over the reference as percent over it."""
    return 100 * math.expm1(apart)


def chart(found: Mapping[str, Sequence[Learned]]) -> str:
    """Validation over processor seconds as SVG, a line for each training, colored by recipe."""
    longest = max(one.points[-1][0] for several in found.values() for one in several)
    highest = max(percent(one.points[0][1]) for several in found.values() for one in several)
    marks = [10.0**k for k in range(-1, math.ceil(math.log10(highest)) + 1)]
    span = math.log10(marks[-1] / LEAST)

    def across(second: float) -> float:
        return LEFT + (RIGHT - LEFT) * second / longest

    def up(over: float) -> float:
        return BOTTOM - (BOTTOM - TOP) * math.log10(max(over, LEAST) / LEAST) / span

    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
    ]
    for mark in marks:
        y = up(mark)
        out.append(f'<line x1="{LEFT}" x2="{RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>')
        out.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{mark:g} %</text>')
    step = 10.0 ** math.floor(math.log10(longest))
    step = step if longest / step >= 4 else step / 4
    for k in range(math.floor(longest / step) + 1):
        x = across(k * step)
        out.append(f'<text x="{x:.1f}" y="{BOTTOM + 18}" text-anchor="middle">{k * step:g}</text>')
    words = "processor seconds of training; over the reference, on networks kept apart"
    out.append(f'<text x="{(LEFT + RIGHT) / 2}" y="380" text-anchor="middle">{words}</text>')
    for i, (name, several) in enumerate(found.items()):
        for one in several:
            line = " ".join(f"{across(s):.1f},{up(percent(v)):.1f}" for s, v in one.points)
            style = f'fill="none" stroke="{COLORS[i]}" stroke-width="2"'
            out.append(f'<polyline points="{line}" {style}/>')
        out.append(f'<text x="360" y="{TOP + 10 + 18 * i}" fill="{COLORS[i]}">{name}</text>')
    return "\n".join([*out, "</svg>"]) + "\n"
