"""Wiring: which engine a name stands for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from nettwin.errors import InputError, UnknownNameError
from nettwin.model import NetworkModel


@dataclass(frozen=True)
class EngineChoice:
    """An engine as people choose it: its name, what it is, and how it is made."""

    name: str
    title: str
    make: Callable[..., NetworkModel]


def _theory(**settings: Any) -> NetworkModel:
    from nettwin.engines.theory import Theory

    return Theory(**settings)


def _packet(**settings: Any) -> NetworkModel:
    from nettwin.engines.packet import PacketSimulator

    return PacketSimulator(**settings)


ENGINES: dict[str, EngineChoice] = {
    choice.name: choice
    for choice in (
        EngineChoice("theory", "queueing theory: milliseconds, approximate", _theory),
        EngineChoice("packet", "packet simulation: seconds, with confidence intervals", _packet),
    )
}


def engine(name: str, **settings: Any) -> NetworkModel:
    """A network model by name, with its settings. Raises UnknownNameError and InputError."""
    if name not in ENGINES:
        raise UnknownNameError("engine", name, ENGINES)
    try:
        return ENGINES[name].make(**settings)
    except TypeError as error:
        raise InputError(f"engine {name} cannot be made: {error}. Correct its settings.") from None
