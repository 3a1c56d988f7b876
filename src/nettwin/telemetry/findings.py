"""Findings: what is wrong with telemetry, and what was done about it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

Severity = Literal["error", "warning", "corrected"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "corrected")  # worst first


class Kind(NamedTuple):
    """A kind of finding: how bad it is, what it is, and what is done about it."""

    severity: Severity
    found: str
    done: str


KINDS: Mapping[str, Kind] = {
    "silent": Kind("error", "links without any samples", "their load is not known"),
    "unmatched": Kind(
        "warning", "ports with traffic that are no link of the network", "left out, or map them"
    ),
    "reset": Kind("warning", "counters that began anew", "the interval is not known"),
    "restart": Kind("warning", "restarts of a device", "its counters' interval is not known"),
    "too_slow": Kind(
        "error",
        "32-bit counters that wrap faster than they are read",
        "not used; read 64-bit counters (ifHCOutOctets), or read more often",
    ),
    "above_speed": Kind("error", "rates above the speed of the port", "the interval is not known"),
    "ends_disagree": Kind(
        "error", "links whose two ends count differently", "the sending end is believed"
    ),
    "probe_unmatched": Kind(
        "warning", "probes of hosts that are no nodes of the network", "left out, or name devices"
    ),
    "probe_negative": Kind(
        "warning", "probes with a delay below 0, as clocks differ", "left out; set the clocks"
    ),
    "flows_disagree": Kind(
        "error", "links whose flows and counters differ", "the counters are believed"
    ),
    "flows_over": Kind("error", "more flows than a port can carry", "the counters are believed"),
    "flows_twice": Kind("error", "exporters that count flows twice", "their flows were halved"),
    "flows_sampled": Kind(
        "warning",
        "exporters that sample, at a rate that is not told",
        "the rate was estimated from the counters",
    ),
    "flows_scaled": Kind(
        "warning",
        "flows that their collector had multiplied by the sampling rate already",
        "not multiplied again",
    ),
    "flows_off": Kind(
        "warning", "exporters whose flows are off by one factor", "scaled to the counters"
    ),
    "flows_unknown": Kind(
        "warning", "flows between addresses that no prefix has", "left out, or name prefixes"
    ),
    "clock": Kind("warning", "devices whose clock is off", "their times were shifted"),
    "gap": Kind("warning", "times without samples", "not known where long, else the mean"),
    "garbage": Kind("warning", "values that are not numbers", "left out"),
    "conflict": Kind("warning", "two values for one time", "the later one was kept"),
    "speed_zero": Kind("warning", "ports whose speed reads 0", "the network's capacity was used"),
    "speed_differs": Kind(
        "warning", "ports with another speed than the network has", "the network's was used"
    ),
    "idle": Kind(
        "corrected",
        "ports without traffic, or for management, that are no link of the network",
        "left out",
    ),
    "back": Kind("corrected", "counters that went back for one sample", "that sample was left out"),
    "wrap": Kind("corrected", "counters that wrapped", "counted on"),
    "repeat": Kind("corrected", "counters read before they were updated", "spread evenly"),
    "late": Kind("corrected", "samples that came late", "put in their order"),
    "flows_both": Kind(
        "corrected",
        "flows that an exporter tells both where they enter and where they leave",
        "counted once",
    ),
    "flows_again": Kind("corrected", "flow records that came twice", "one was kept"),
    "duplicate": Kind("corrected", "samples that came twice", "one was kept"),
}


@dataclass(frozen=True)
class Finding:
    """Something of a kind that was found `count` times at a place; `detail` has the numbers."""

    kind: str
    where: str
    count: int = 1
    detail: str = ""

    @property
    def severity(self) -> Severity:
        """How bad it is."""
        return KINDS[self.kind].severity


@dataclass
class Findings:
    """What was found, gathered."""

    found: list[Finding] = field(default_factory=list)

    def add(self, kind: str, where: object, count: int = 1, detail: str = "") -> None:
        """Note something that was found; nothing where the count is 0."""
        if count:
            self.found.append(Finding(kind, str(where), int(count), detail))

    def counts(self, where: object, counts: Mapping[str, int]) -> None:
        """Note counts of several kinds at one place."""
        for kind, count in counts.items():
            self.add(kind, where, count)

    def worst_first(self) -> list[Finding]:
        """All findings: the worst kinds first, then those found most often."""
        order = list(KINDS)
        return sorted(
            self.found,
            key=lambda f: (SEVERITIES.index(f.severity), order.index(f.kind), -f.count, f.where),
        )


def summary(findings: Iterable[Finding]) -> list[tuple[str, int, int]]:
    """Of each kind that was found, the worst first: its name, at how many places, how often."""
    places: dict[str, int] = {}
    times: dict[str, int] = {}
    for finding in findings:
        places[finding.kind] = places.get(finding.kind, 0) + 1
        times[finding.kind] = times.get(finding.kind, 0) + finding.count
    order = sorted(KINDS, key=lambda name: SEVERITIES.index(KINDS[name].severity))
    return [(name, places[name], times[name]) for name in order if name in places]
