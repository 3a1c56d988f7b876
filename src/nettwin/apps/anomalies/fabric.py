"""Fabric: what is wrong in a network of which ports are all that is known: no flows, no routing.

What a device sends is what it receives, less what it drops; what it sends it splits over its ports
as it did before. A device that does not report is seen through its neighbors. Watched are ports
that fall silent, devices that send less of what they receive, devices that split otherwise, and
what devices drop. Samples are looked at as they come, and later ones never.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nettwin.telemetry.mdt import Port, Recording

Floats = NDArray[np.float64]
BEFORE = 12  # samples that tell what is usual
LATEST = 2  # samples in a row that must be odd
CONFIRMED = 3  # samples that name the element
SILENT, BUSY_BPS = 0.02, 1e6  # of the usual, below which a port is silent; what it carried before
FAR = 8.0  # standard deviations of what is usual
MATERIAL = {"sink": 0.03, "split": 0.03, "drops": 0.0}  # shares of traffic that matter
LEAST = {"sink": 0.004, "split": 0.004}  # standard deviations
SMALL = 0.01  # of the traffic of the busiest device, below which a device tells nothing
CANDIDATES = 3


class Candidate(NamedTuple):
    """An element, what is wrong with it, how sure (standard deviations) and how much (a share)."""

    element: str
    what: str
    sure: float
    share: float


class Found(NamedTuple):
    """When something was seen, and what may be the cause, the most probable first."""

    time_s: float
    kind: str
    candidates: tuple[Candidate, ...]


@dataclass(frozen=True)
class Rates:
    """What each port sent and received in the sample that was known at each time [times]."""

    times_s: Floats
    step_s: float
    sent: dict[Port, Floats]
    received: dict[Port, Floats]
    recording: Recording


def rates_of(recording: Recording) -> Rates:
    """Rates from counters, at the times of samples; a counter that begins anew gives none."""
    stamps = [c.times_s for c in recording.ports.values() if len(c.times_s) > 2]
    step = float(np.median(np.concatenate([np.diff(t) for t in stamps])))
    begin, end = min(t[0] for t in stamps), max(t[-1] for t in stamps)
    times = np.arange(begin + step, end + step / 2, step)
    sent: dict[Port, Floats] = {}
    received: dict[Port, Floats] = {}
    for port, counts in recording.ports.items():
        last = np.searchsorted(counts.times_s, times, side="right") - 1
        good = (last >= 1) & (times - counts.times_s[np.maximum(last, 0)] < 3 * step)
        at = np.maximum(last, 1)
        if len(counts.times_s) < 3:
            continue
        passed = counts.times_s[at] - counts.times_s[at - 1]
        for made, octets in ((sent, counts.sent_octets), (received, counts.received_octets)):
            more = octets[at] - octets[at - 1]
            with np.errstate(divide="ignore", invalid="ignore"):
                rate = more * 8 / passed
            made[port] = np.where(good & (more >= 0) & (passed > 0), rate, np.nan)
    return Rates(times, step, sent, received, recording)


def devices_of(rates: Rates) -> dict[str, tuple[dict[str, Floats], dict[str, Floats]]]:
    """What each device receives and sends by port; of one that does not report, what its neighbors
    send to it and receive from it. Only ports with a known neighbor carry between devices; those of
    a device that reports all count."""
    reporting = {port.device for port in rates.sent}
    into: dict[str, dict[str, Floats]] = defaultdict(dict)
    out: dict[str, dict[str, Floats]] = defaultdict(dict)
    for port in rates.sent:
        if not _physical(port.name):
            continue
        into[port.device][port.name] = rates.received[port]
        out[port.device][port.name] = rates.sent[port]
        there = rates.recording.neighbor.get(port)
        if there is not None and there.device not in reporting:
            into[there.device][there.name] = rates.sent[port]
            out[there.device][there.name] = rates.received[port]
    return {name: (into[name], out[name]) for name in into}


def _physical(name: str) -> bool:
    """Whether packets are counted once there: not of a bundle, subinterface, loopback or tunnel."""
    virtual = ("bundle", "loopback", "null", "tunnel", "bvi", "mgmt", "nve")
    return not name.lower().startswith(virtual) and "." not in name


def find(recording: Recording) -> list[Found]:
    """What was seen in a recording, in order; what follows from the first is not told again."""
    rates = rates_of(recording)
    devices = devices_of(rates)
    found: list[Found] = []
    streak = 0
    quiet_until = -1
    for t in range(BEFORE, len(rates.times_s)):
        if t < quiet_until:
            continue
        dead = _silent(rates, t)
        odd = dead or _odd(rates, devices, t, 1)
        streak = streak + 1 if odd else 0
        if dead or streak >= LATEST:
            first = t if dead else t - LATEST + 1
            last = min(first + CONFIRMED - 1, len(rates.times_s) - 1)
            found.append(_named(rates, devices, first, last, float(rates.times_s[t])))
            quiet_until, streak = t + BEFORE, 0
    return found


def _named(
    rates: Rates,
    devices: dict[str, tuple[dict[str, Floats], dict[str, Floats]]],
    first: int,
    last: int,
    known_s: float,
) -> Found:
    dead = _silent(rates, last) or _silent(rates, first)
    if dead:
        return Found(known_s, "port silent", tuple(dead[:CANDIDATES]))
    candidates = _odd(rates, devices, last, last - first + 1)
    kind = candidates[0].what if candidates else "odd"
    return Found(known_s, kind, tuple(candidates[:CANDIDATES]))


def _silent(rates: Rates, t: int) -> list[Candidate]:
    """Ports that fell silent, or went down, in the last sample; both ends of a link as one."""
    found: dict[frozenset[Port], Candidate] = {}
    for port in rates.sent:
        if not _physical(port.name):
            continue
        usual, now = 0.0, 0.0
        for side in (rates.sent, rates.received):
            past = side[port][t - BEFORE : t - 1]
            if np.isfinite(past).sum() < BEFORE // 2 or not np.isfinite(side[port][t]):
                break
            usual += float(np.nanmedian(past))
            now += float(side[port][t])
        else:
            if usual < BUSY_BPS or now > SILENT * usual:
                continue
            there = rates.recording.neighbor.get(port)
            ends = frozenset([port] if there is None else [port, there])
            words = " - ".join(f"{p.device} {p.name}" for p in sorted(ends))
            if ends not in found or found[ends].share < usual:
                found[ends] = Candidate(words, "port silent", 50.0, usual)
    return sorted(found.values(), key=lambda one: -one.share)


def _odd(
    rates: Rates,
    devices: dict[str, tuple[dict[str, Floats], dict[str, Floats]]],
    t: int,
    width: int,
) -> list[Candidate]:
    """Devices that are odd in the last `width` samples until one, the oddest first."""
    first = t - width + 1
    past = slice(max(first - BEFORE, 0), first)
    now = slice(first, t + 1)
    busiest = max(float(np.nanmax(_sum(i)[past], initial=0.0)) for i, _ in devices.values())
    found: list[Candidate] = []
    for device, (into, out) in devices.items():
        total_in, total_out = _sum(into), _sum(out)
        if not np.nanmedian(total_in[past]) > SMALL * busiest:
            continue
        if np.nanmedian(total_out[past]) > 0:
            with np.errstate(divide="ignore", invalid="ignore"):
                ratio = np.log(total_out / total_in)
            found += _beyond(device, "sink", ratio[past], ratio[now], -1.0)
        if len(out) > 2 and np.nanmedian(total_out[past]) > SMALL * busiest:
            shares = np.array(list(out.values())) / total_out
            usual = np.nanmedian(shares[:, past], axis=1, keepdims=True)
            distance = 0.5 * np.nansum(np.abs(shares - usual), axis=0)
            distance[~np.isfinite(total_out)] = np.nan
            found += _beyond(device, "split", distance[past], distance[now], 1.0)
    for device, (times, total) in rates.recording.drops.items():
        found += _dropping(rates, device, times, total, past, now)
    # how much it is of what could be, not how quiet it was before, says what is the cause
    return sorted(found, key=lambda one: -one.share * min(one.sure, 3 * FAR))


def _beyond(device: str, what: str, past: Floats, now: Floats, sign: float) -> list[Candidate]:
    """A device whose number moved to one side by more than it does usually."""
    past, now = past[np.isfinite(past)], now[np.isfinite(now)]
    if len(past) < BEFORE // 2 or not len(now):
        return []
    center = float(np.median(past))
    sigma = max(1.4826 * float(np.median(np.abs(past - center))), LEAST[what])
    moved = sign * (float(np.median(now)) - center)
    if moved < MATERIAL[what] or moved < FAR * sigma:
        return []
    return [Candidate(device, what, moved / sigma, moved)]


def _dropping(
    rates: Rates, device: str, times: Floats, total: Floats, past: slice, now: slice
) -> list[Candidate]:
    """A device that begins to drop packets for want of a route or an adjacency."""
    if len(times) < BEFORE // 2:
        return []
    at = np.interp(rates.times_s, times, np.nan_to_num(total))
    speed = np.diff(at, prepend=at[0]) / rates.step_s
    usual, latest = speed[past], float(np.median(speed[now]))
    if len(usual) < BEFORE // 2:
        return []
    sigma = max(float(usual.std()), 1.0, 0.1 * float(np.abs(usual).max()))
    sure = (latest - float(np.median(usual))) / sigma
    return [Candidate(device, "drops", sure, 0.1)] if sure > 3 * FAR and latest > 100 else []


def _sum(ports: dict[str, Floats]) -> Floats:
    """All ports together at each time; NaN where nothing is known."""
    values = np.array(list(ports.values()))
    total = np.nansum(values, axis=0)
    return np.where(np.isfinite(values).any(axis=0), total, np.nan)
