"""Vendor text: changes as lines of configuration for IOS-XR and Junos routers.

The templates follow the vendors' documentation of SR policies and IGP metrics. They were never
tried on a device: read what they write before anybody enters it. SR midpoints are written as IPv4
addresses that the operator fills in: `{LOOPBACK_OF_n}` stands for the loopback of a router.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from functools import partial
from pathlib import Path

from nettwin.formats.files import write_text
from nettwin.physical.actuator import ActuatorChoice
from nettwin.physical.devices import devices_of
from nettwin.scenario.changes import Change, SetPath, SetWeight, find_links
from nettwin.scenario.scenario import Scenario

NEVER_TRIED = "never tried on a device; read it before it is entered"
Template = Callable[[Change, Scenario], list[str]]


class VendorText:
    """Writes a file ROUTER.cfg for each router, and changes nothing."""

    def __init__(
        self, name: str, template: Template, comment: str, scenario: Scenario, folder: Path
    ) -> None:
        self.name, self._template, self._comment = name, template, comment
        self._scenario, self._folder = scenario, folder
        self._lines: dict[str, list[str]] = {}

    def refuses(self, change: Change) -> str:
        """Why there is no template for a change."""
        if isinstance(change, SetWeight):
            return ""
        if isinstance(change, SetPath):
            several = len(change.paths) > 1
            explicit = any(path.get("links") for path in change.paths)
            if not several and not explicit:
                return ""
            return f"{change.describe()}: {self.name} has a template for one path by midpoints"
        return f"{change.describe()}: {self.name} has no template for {change.kind}"

    def configured(self, devices: Collection[str] = ()) -> Scenario:
        return self._scenario

    def make(self, change: Change) -> None:
        for device in devices_of(change, self._scenario):
            head = f"{self._comment} {self.name}, {NEVER_TRIED}"
            lines = self._lines.setdefault(device, [head])
            lines += [
                f"{self._comment} {change.describe()}",
                *self._template(change, self._scenario),
            ]
            write_text(self._folder / f"{device}.cfg", "\n".join(lines) + "\n")
        self._scenario = change.apply(self._scenario)

    def settle(self) -> None:
        """Nothing moves."""


def _word(text: str) -> str:
    """A name as routers take it."""
    return re.sub(r"[^A-Za-z0-9]+", "-", text).strip("-")


def _loopback(node: str) -> str:
    return "{LOOPBACK_OF_" + _word(node) + "}"


def _path(change: SetPath, scenario: Scenario) -> tuple[str, str, list[str]]:
    """A flow's policy name, its target, and the midpoints; none where it follows the IGP."""
    target = scenario.topology.node_name[
        int(scenario.traffic.flow_target[scenario.flow(change.flow)])
    ]
    via = [str(node) for path in change.paths for node in path.get("via", ())]
    return f"NETTWIN-{_word(change.flow)}", target, via


def _interfaces(change: SetWeight, scenario: Scenario) -> list[str]:
    return [
        _word(scenario.topology.link_name[k]) for k in find_links(scenario.topology, change.link)
    ]


def ios_xr(change: Change, scenario: Scenario) -> list[str]:
    """A change as IOS-XR configuration: segment-routing policies, IS-IS metrics."""
    if isinstance(change, SetWeight):
        return [
            line
            for name in _interfaces(change, scenario)
            for line in (
                "router isis CORE",
                f" interface {{INTERFACE_{name}}}",
                "  address-family ipv4 unicast",
                f"   metric {change.weight:.0f}",
                "!",
            )
        ]
    assert isinstance(change, SetPath)
    policy, target, via = _path(change, scenario)
    if not via:
        return ["segment-routing", " traffic-eng", f"  no policy {policy}", "!"]
    hops = [*via, target]
    return [
        "segment-routing",
        " traffic-eng",
        f"  segment-list {policy}",
        *(f"   index {10 * (i + 1)} address ipv4 {_loopback(node)}" for i, node in enumerate(hops)),
        f"  policy {policy}",
        f"   color 100 end-point ipv4 {_loopback(target)}",
        "   candidate-paths",
        "    preference 100",
        f"     explicit segment-list {policy}",
        "!",
    ]


def junos(change: Change, scenario: Scenario) -> list[str]:
    """A change as Junos configuration in set form: source-routing paths, IS-IS metrics."""
    if isinstance(change, SetWeight):
        return [
            f"set protocols isis interface {{INTERFACE_{name}}} level 2 metric {change.weight:.0f}"
            for name in _interfaces(change, scenario)
        ]
    assert isinstance(change, SetPath)
    policy, target, via = _path(change, scenario)
    head = "protocols source-packet-routing"
    if not via:
        return [
            f"delete {head} source-routing-path {policy}",
            f"delete {head} segment-list {policy}",
        ]
    return [
        *(
            f"set {head} segment-list {policy} hop{i + 1} ip-address {_loopback(node)}"
            for i, node in enumerate([*via, target])
        ),
        f"set {head} source-routing-path {policy} to {_loopback(target)}",
        f"set {head} source-routing-path {policy} primary {policy}",
    ]


def _choice(name: str, title: str, template: Template, comment: str) -> ActuatorChoice:
    return ActuatorChoice(
        name, f"{title}; {NEVER_TRIED}", partial(VendorText, name, template, comment)
    )


IOS_XR = _choice("ios_xr", "configuration for Cisco IOS-XR as text", ios_xr, "!")
JUNOS = _choice("junos", "configuration for Juniper Junos as text", junos, "#")
