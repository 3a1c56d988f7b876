"""Registries of live networks and actuators: nettwin's own, and those of other packages."""

from __future__ import annotations

from nettwin.physical.actuator import ActuatorChoice
from nettwin.physical.network import NetworkChoice
from nettwin.registry import Registry, adopt_choice

NETWORKS: Registry[NetworkChoice] = Registry(
    "network",
    "nettwin.networks",
    {
        "simulated": "nettwin.physical.simulated:SIMULATED",
        "linux": "nettwin.physical.linux:LINUX",
    },
    adopt_choice(NetworkChoice, "a network", "a NetworkChoice, or open a network from an Opening"),
)


ACTUATORS: Registry[ActuatorChoice] = Registry(
    "actuator",
    "nettwin.actuators",
    {
        "dry_run": "nettwin.physical.dry_run:DRY_RUN",
        "ios_xr": "nettwin.physical.vendor_text:IOS_XR",
        "junos": "nettwin.physical.vendor_text:JUNOS",
    },
    adopt_choice(ActuatorChoice, "an actuator", "an ActuatorChoice, or make one of a scenario"),
)
