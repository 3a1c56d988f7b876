"""Engines as commands use them: chosen by name, with a bar on the terminal where they are slow."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from nettwin.interfaces import wiring
from nettwin.interfaces.cli import options as o
from nettwin.interfaces.cli.output import Output
from nettwin.interfaces.progress import progress
from nettwin.model import NetworkModel

COMPILING = "Compiling, once on this machine (half a minute or so) ..."


@dataclass(frozen=True)
class AskedEngine:
    """The engine that a command asks, and its model and seed, as options (see `groups`)."""

    engine: o.EngineOption = "theory"
    model: o.ModelOption = None
    seed: o.SeedOption = 1

    @property
    def settings(self) -> dict[str, Any]:
        """What `wiring.engine` takes beside the name."""
        given = {"seed": self.seed} if self.engine == "packet" else {}
        return given if self.model is None else given | {"model": self.model}


@contextmanager
def working(output: Output, name: str, **settings: Any) -> Iterator[NetworkModel]:
    """An engine, with a bar while it works. Raises what `wiring.engine` raises."""
    warn_of_compiling(output, name)
    if not wiring.choice(name).slow:
        yield wiring.engine(name, **settings)
        return
    with progress(output.err, "Simulating") as tell:
        yield wiring.engine(name, progress=tell, **settings)


def warn_of_compiling(output: Output, *engines: str) -> None:
    """Say so where routing or engines are about to be compiled. Raises UnknownNameError."""
    for name in engines:
        wiring.choice(name)
    if COMPILING not in output.said and wiring.first_start(*engines):
        output.say(COMPILING)
        wiring.compile_beside(*engines)
