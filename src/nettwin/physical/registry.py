"""Registries of live networks and actuators: nettwin's own, and those of other packages."""

from __future__ import annotations

from typing import Any

from nettwin.physical.actuator import ActuatorChoice
from nettwin.physical.network import NetworkChoice
from nettwin.registry import Registry, first_line


def _adopted_network(name: str, loaded: Any) -> NetworkChoice:
    """A network that another package adds: a NetworkChoice, or what opens a Network."""
    if isinstance(loaded, NetworkChoice):
        if loaded.name != name:
            raise ValueError(f"its name is {loaded.name!r}, must be {name!r}")
        return loaded
    if not callable(loaded):
        raise TypeError(f"{loaded!r} must be a NetworkChoice, or open a network from an Opening")
    return NetworkChoice(name, first_line(loaded) or "a network of another package", loaded)


NETWORKS: Registry[NetworkChoice] = Registry(
    "network",
    "nettwin.networks",
    {
        "simulated": "nettwin.physical.simulated:SIMULATED",
        "linux": "nettwin.physical.linux:LINUX",
    },
    _adopted_network,
)


def _adopted_actuator(name: str, loaded: Any) -> ActuatorChoice:
    """An actuator that another package adds: an ActuatorChoice, or what makes an Actuator."""
    if isinstance(loaded, ActuatorChoice):
        if loaded.name != name:
            raise ValueError(f"its name is {loaded.name!r}, must be {name!r}")
        return loaded
    if not callable(loaded):
        raise TypeError(f"{loaded!r} must be an ActuatorChoice, or make one of a scenario")
    return ActuatorChoice(name, first_line(loaded) or "an actuator of another package", loaded)


ACTUATORS: Registry[ActuatorChoice] = Registry(
    "actuator",
    "nettwin.actuators",
    {
        "dry_run": "nettwin.physical.dry_run:DRY_RUN",
        "ios_xr": "nettwin.physical.vendor_text:IOS_XR",
        "junos": "nettwin.physical.vendor_text:JUNOS",
    },
    _adopted_actuator,
)
