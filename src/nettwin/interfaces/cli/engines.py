"""Engines as commands use them: chosen by name, with a bar on the terminal where they are slow."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from nettwin.errors import InputError
from nettwin.formats import Reading
from nettwin.interfaces import wiring
from nettwin.interfaces.cli import options as o
from nettwin.interfaces.cli.output import Output
from nettwin.interfaces.cli.sources import Source
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
def working_at(
    output: Output,
    server: str | None,
    token: str | None,
    source: Source,
    name: str,
    **settings: Any,
) -> Iterator[tuple[NetworkModel, Callable[[str], Reading]]]:
    """An engine, here or at a server, and what reads networks for it. Raises InputError,
    ServerError."""
    if server is None:
        with working(output, name, **settings) as answering:
            yield answering, source.read
        return
    from nettwin.interfaces.cli import remote

    if settings:
        given = ", ".join(f"--{one}" for one in settings)
        raise InputError(f"{given} cannot be given with --server: it has its own. Leave it out.")
    with remote.client_of(server, token) as client:
        yield remote.Remote(client, name), partial(remote.reading, client, source)


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
