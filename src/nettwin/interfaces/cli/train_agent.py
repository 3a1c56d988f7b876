"""An agent of nettwin optimize, trained by nettwin train."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from time import monotonic
from typing import Any

from nettwin import units
from nettwin.errors import InputError
from nettwin.interfaces.cli.output import Output
from nettwin.interfaces.progress import Tell, progress


def train_agent(
    output: Output,
    agents: Any,
    recipe: str,
    out: Path,
    seed: int | None,
    models_alone: Mapping[str, Any],
) -> None:
    """Train an agent by a recipe; `models_alone` are options that are about models only."""
    for option, given in models_alone.items():
        if given:
            raise InputError(
                f"{option} is about models: an agent has all that it needs in its recipe, and the"
                " networks that it learns on are synthetic. Leave it out."
            )
    output.say("Generating networks to learn on ...")
    with progress(output.err, "Training") as tell:
        agent, path = agents.train(recipe, out, seed=seed, tell=Watch(output, tell).training)
    output.document({"target": path, "card": dict(agent.card)})
    output.wrote(path)
    output.say(f"`nettwin models install {path}` has nettwin optimize use it.")


class Watch:
    """Tells how a training goes: a bar; at each validation a line with the time that is left."""

    def __init__(self, output: Output, bar: Tell) -> None:
        self.output, self.bar = output, bar
        self.begin: tuple[float, int] | None = None

    def training(self, moment: Any) -> None:
        """An iteration is over."""
        done, every = moment.iteration, moment.iterations
        self.bar(done / every)
        if self.begin is None:
            self.begin = (monotonic(), done)
        if "validation" not in moment.values:
            return
        since, first = self.begin
        left = (monotonic() - since) / max(done - first, 1) * (every - done)
        rest = f", {units.duration(left)} left" if done > first and every > done else ""
        apart = math.expm1(moment.values["validation"])
        self.output.say(
            f"{moment.values['phase']}, iteration {done:,} of {every:,}: on networks kept apart the"
            f" busiest link carries {apart:+.2%} of the reference's load{rest}"
        )
