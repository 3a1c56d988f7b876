"""Engines as commands use them: chosen by name, with a bar on the terminal where they are slow."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from nettwin.interfaces import wiring
from nettwin.interfaces.cli.output import Output
from nettwin.interfaces.progress import progress
from nettwin.model import NetworkModel

COMPILING = "Compiling the simulator, once on this machine (some 15 seconds) ..."


@contextmanager
def working(output: Output, name: str, **settings: Any) -> Iterator[NetworkModel]:
    """An engine, with a bar while it works. Raises what `wiring.engine` raises."""
    plain = wiring.engine(name, **settings)
    if not wiring.ENGINES[name].slow:
        yield plain
        return
    warn_of_compiling(output, name)
    with progress(output.err, "Simulating") as tell:
        yield wiring.engine(name, progress=tell, **settings)


def warn_of_compiling(output: Output, name: str) -> None:
    """Say so where an engine is about to be compiled."""
    if wiring.first_start(name):
        output.say(COMPILING)
