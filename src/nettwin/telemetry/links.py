"""Links: the load of each link on a regular grid of time, from series of its ports."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nettwin.errors import InputError
from nettwin.formats.interface_names import is_management
from nettwin.scenario.changes.singles import duplex_links
from nettwin.scenario.topology import Topology
from nettwin.telemetry.clocks import Ends, clock_offsets
from nettwin.telemetry.counters import Totals, counter_totals, fallen, gauge_totals
from nettwin.telemetry.findings import Findings
from nettwin.telemetry.ports import Matched, Names, match_ports
from nettwin.telemetry.series import Port, Series

Floats = NDArray[np.float64]
MAX_INTERVALS = 2_000_000
COUNTERS = {"out_octets": 8.0, "in_octets": 8.0, "out_drops": 1.0}  # bits, or packets, a count
GAUGES = ("out_bps", "in_bps")
DISAGREE = 0.05  # of the octets that the two ends of a link count
RESTARTED = 0.5  # of the counters of a device that fall at one time: it began anew


class TooFewSamples(InputError):
    """Samples that span no interval yet."""


@dataclass(frozen=True)
class LinkLoads:
    """What links carried: `bps` is the mean over the interval that ends at each of `time_s`
    [intervals, links], NaN where it is not known; `up` [intervals, links] is 1, 0 or NaN."""

    time_s: Floats
    interval_s: float
    bps: Floats
    up: Floats
    drops_pps: Floats
    findings: Findings
    matched: Matched
    speed_bps: Floats  # [links], NaN where it is not told


def link_loads(
    series: Iterable[Series],
    topology: Topology,
    names: Names,
    *,
    interval_s: float = 0.0,
    since_s: float = -np.inf,
    until_s: float = np.inf,
) -> LinkLoads:
    """The load of each link from what its ports count: what its port sends, and where that is not
    known what the port at its other end receives.

    An interval of 0 is the usual time between two samples. Raises InputError where no sample is of
    the network, or there are too many intervals.
    """
    found = Findings()
    by_kind = _together(series)
    matched = match_ports((port for port, _ in by_kind), topology, names)
    busy = {port for (port, _), one in by_kind.items() if _carries(one)}
    for one in matched.unmatched:
        busy_one = one.port in busy and not is_management(one.port.interface)
        kind = "unmatched" if busy_one else "idle"
        found.add(kind, one.port, 1, _near(one.why, one.near))
    known = {key: one for key, one in by_kind.items() if key[0] in matched.link_of}
    if not known:
        raise InputError(_nothing(by_kind, matched))
    speed = _speeds(known, matched, topology, found)
    most = np.where(speed > 0, speed, topology.link_capacity_bps)
    counted = _counted(known, matched, topology, most, found)
    if offsets := clock_offsets(_ends(counted, matched, topology)):
        for device, ahead_s in offsets.items():
            found.add("clock", device, 1, f"{ahead_s:+.3g} s")
        known = {key: _shifted(one, offsets.get(key[0].device, 0.0)) for key, one in known.items()}
        counted = _counted(known, matched, topology, most, Findings())
    edges = _edges(
        [*counted.sent.values(), *counted.received.values()], interval_s, since_s, until_s
    )
    unknown = np.full(len(edges) - 1, np.nan)
    bps = np.empty((len(edges) - 1, topology.link_count))
    drops = np.empty_like(bps)
    for link, name in enumerate(topology.link_name):
        sent, received, dropped = (
            side[link].rates(edges) if link in side else unknown for side in counted
        )
        bps[:, link] = np.where(np.isnan(sent), received, sent)
        drops[:, link] = dropped
        _compare(sent, received, name, found)
    up = _states(known, matched, topology.link_count, edges)
    silent = topology.link_live & np.isnan(bps).all(axis=0) & ~(up == 0).all(axis=0)
    if silent.any():
        which = [topology.link_name[k] for k in np.flatnonzero(silent)]
        words = ", ".join(which[:3]) + (" ..." if len(which) > 3 else "")
        found.add("silent", words, len(which))
    return LinkLoads(
        edges[1:],
        float(edges[1] - edges[0]),
        bps,
        up,
        drops,
        found,
        matched,
        np.where(speed > 0, speed, np.nan),
    )


def _ends(counted: _Counted, matched: Matched, topology: Topology) -> list[Ends]:
    """The links of which both ends are counted, with the devices as the source names them."""
    device = {}
    for port, link in matched.link_of.items():
        device[int(topology.link_source[link])] = port.device
    return [
        Ends(sender, receiver, sent, counted.received[link])
        for link, sent in counted.sent.items()
        if link in counted.received
        and (sender := device.get(int(topology.link_source[link])))
        and (receiver := device.get(int(topology.link_target[link])))
    ]


def _shifted(one: Series, ahead_s: float) -> Series:
    """A series of a device whose clock is ahead, in the time of the others."""
    return replace(one, time_s=one.time_s - ahead_s) if ahead_s else one


class _Counted(NamedTuple):
    """Totals by link: bits that its port sent, bits that its far end received, packets dropped."""

    sent: dict[int, Totals]
    received: dict[int, Totals]
    drops: dict[int, Totals]


def _together(series: Iterable[Series]) -> dict[tuple[Port, str], Series]:
    """The series of each port and quantity, those that came in parts put together."""
    parts: dict[tuple[Port, str], list[Series]] = {}
    for one in series:
        parts.setdefault((one.port, one.quantity), []).append(one)
    return {
        (port, quantity): Series(
            port,
            quantity,
            np.concatenate([one.time_s for one in mine]),
            np.concatenate([one.value for one in mine]),
        )
        for (port, quantity), mine in parts.items()
    }


def _counted(
    known: Mapping[tuple[Port, str], Series],
    matched: Matched,
    topology: Topology,
    most_bps: Floats,
    found: Findings,
) -> _Counted:
    """What ports counted; counters of octets are believed before rates that a device averages."""
    restarts = _restarts(known)
    back = _back(topology)
    counted = _Counted({}, {}, {})
    for (port, quantity), one in sorted(known.items(), key=lambda item: item[0][1] in GAUGES):
        link = matched.link_of[port]
        at = {"most_per_s": float(most_bps[link])}
        if quantity in GAUGES:
            totals = gauge_totals(one.time_s, one.value, **at)
        elif quantity in COUNTERS:
            restarts_s = restarts.get(port.device)
            totals = counter_totals(
                one.time_s, one.value, **at, restarts_s=restarts_s, bits=COUNTERS[quantity]
            )
        else:
            continue
        found.counts(f"{port} {quantity}", totals.counts)
        if quantity == "out_drops":
            counted.drops[link] = totals
        elif quantity.startswith("out"):
            counted.sent.setdefault(link, totals)
        elif link in back:
            counted.received.setdefault(back[link], totals)
    return counted


def _carries(one: Series) -> bool:
    """Whether a series tells of traffic."""
    if one.quantity in GAUGES:
        return bool((one.value > 0).any())
    return one.quantity in COUNTERS and bool(np.ptp(one.value) > 0 if len(one) else False)


def _near(why: str, near: tuple[str, ...]) -> str:
    return f"{why}; near: {', '.join(near)}" if near else why


def _nothing(by_kind: Mapping[tuple[Port, str], Series], matched: Matched) -> str:
    if not by_kind:
        return "the source has no samples of that time. Give another --since and --until."
    first = matched.unmatched[0] if matched.unmatched else None
    words = f", such as {first.port}: {_near(first.why, first.near)}" if first else ""
    return (
        f"none of {len({p for p, _ in by_kind})} ports is a link of the network{words}."
        " Map them: nettwin data map."
    )


def _back(topology: Topology) -> dict[int, int]:
    """The link in the other direction of each that has one."""
    both = (pair for _, pair in duplex_links(topology) if len(pair) == 2)
    return {a: b for pair in both for a, b in (pair, pair[::-1])}


def _restarts(known: Mapping[tuple[Port, str], Series]) -> dict[str, Floats]:
    """The times at which at least half of the busy counters of a device, and more than one, fell
    together: the device began anew."""
    falls: dict[str, list[Floats]] = {}
    busy: dict[str, int] = {}
    for (port, quantity), one in known.items():
        if quantity.endswith("octets"):
            busy[port.device] = busy.get(port.device, 0) + bool(one.value.max(initial=0.0) > 0)
            falls.setdefault(port.device, []).append(fallen(one.time_s, one.value))
    found = {}
    for device, times in falls.items():
        at, count = np.unique(np.concatenate(times), return_counts=True)
        together = at[(count > 1) & (count >= RESTARTED * busy[device])]
        if len(together):
            found[device] = together
    return found


def _speeds(
    known: Mapping[tuple[Port, str], Series],
    matched: Matched,
    topology: Topology,
    found: Findings,
) -> Floats:
    """The speed of each link's port as it is told last; 0 where it is not known. [links]"""
    speed = np.zeros(topology.link_count)
    for (port, quantity), one in known.items():
        if quantity != "speed_bps" or not len(one):
            continue
        link = matched.link_of[port]
        speed[link] = one.value[int(np.argmax(one.time_s))]
        planned = topology.link_capacity_bps[link]
        if not speed[link] > 0:
            speed[link] = 0.0
            found.add("speed_zero", port)
        elif abs(speed[link] / planned - 1) > 0.01:
            found.add("speed_differs", port, 1, f"{speed[link]:.4g} and {planned:.4g} bit/s")
    return speed


def _states(
    known: Mapping[tuple[Port, str], Series], matched: Matched, links: int, edges: Floats
) -> Floats:
    """Whether each link was up at the end of each interval: the last that was told by then."""
    up = np.full((len(edges) - 1, links), np.nan)
    for (port, quantity), one in known.items():
        if quantity != "up" or not len(one):
            continue
        order = np.argsort(one.time_s, kind="stable")
        times, values = one.time_s[order], one.value[order] == 1
        place = np.searchsorted(times, edges[1:], side="right") - 1
        link = matched.link_of[port]
        up[:, link] = np.where(place >= 0, values[np.maximum(place, 0)], np.nan)
    return up


def _edges(totals: list[Totals], interval_s: float, since_s: float, until_s: float) -> Floats:
    """The edges of the intervals: whole multiples of the interval, inside what was sampled."""
    sampled = [one.time_s for one in totals if len(one.time_s) > 1]
    if not sampled:
        raise TooFewSamples(
            "no port has two samples of octets or rates in that time. Give a longer time."
        )
    if not interval_s:
        steps = [float(np.median(np.diff(times))) for times in sampled]
        interval_s = float(np.median(steps))
        interval_s = float(f"{interval_s:.2g}") if interval_s < 10 else float(round(interval_s))
    begin = max(min(float(times[0]) for times in sampled), since_s)
    end = min(max(float(times[-1]) for times in sampled), until_s)
    first, last = int(np.ceil(begin / interval_s - 1e-9)), int(np.floor(end / interval_s + 1e-9))
    if last <= first:
        raise TooFewSamples(
            f"the samples span less than one interval of {interval_s:g} s. Give a longer time, or a"
            " shorter interval."
        )
    if last - first > MAX_INTERVALS:
        raise InputError(
            f"that would be {last - first:,} intervals: must be at most {MAX_INTERVALS:,}. Give a"
            " longer interval, or a shorter time."
        )
    return np.asarray(np.arange(first, last + 1) * interval_s, np.float64)


def _compare(sent: Floats, received: Floats, link: str, found: Findings) -> None:
    both = np.isfinite(sent) & np.isfinite(received)
    if np.count_nonzero(both) < 3:
        return
    one, other = float(sent[both].sum()), float(received[both].sum())
    largest = max(one, other)
    if largest > 0 and abs(one - other) > DISAGREE * largest:
        words = f"{one / both.sum():.3g} sent, {other / both.sum():.3g} bit/s received"
        found.add("ends_disagree", link, int(both.sum()), words)
