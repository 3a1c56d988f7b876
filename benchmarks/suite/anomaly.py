"""anomaly: replayed traffic matrices with injected anomalies: alarms, places, false alarms."""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.benchmark import Figure, Options, Outcome, Skipped, at_least, at_most, say
from nettwin.apps.anomalies import Trouble, Watched, watch, watched_of
from nettwin.apps.history.past import LOSS, RATE, SENT, Measured, Past
from nettwin.errors import NettwinError
from nettwin.formats import read
from nettwin.formats.demands import read_demands
from nettwin.interfaces import wiring
from nettwin.physical.simulated.load import DailyCurve
from nettwin.scenario.demands import over_time
from nettwin.scenario.generate import generate
from nettwin.scenario.scenario import Scenario

TITLE = "Anomalies found in replayed traffic"
PROTOCOL = (
    "DIR holds NAME.npz and a network file NAME.* as for matrix_estimation. Matrices are replayed "
    "as a fluid over the network's paths. Measured are offered rates of flows (2 % noise), traffic "
    "of links (1 %), loss of flows (2,000 probes an interval, one in 10,000 lost anyway); 2 % of "
    "all is missing. The first third (3 days at most) tells what is usual. Into the rest go, at "
    "random times 3 hours apart: surges of a flow (2 to 5 times), DDoS (each flow to a target adds "
    "a share of 1 to 4 times the target's traffic), loss on a link (5 to 40 %), misrouting at a "
    "node, black holes, wrong counters (0, 0.5, 0.8, 1.3), each for 1 hour, and slow drift (loss "
    "on a link that grows to 5 to 15 % over 6 hours). One false alarm a day is asked. An incident "
    "counts if it overlaps the event, or 3 intervals after it; further ones of the same event are "
    "no false alarms. Place: the flow, target, node or link (either direction). Baselines see the "
    "same series, and have the best threshold and number of components, chosen after the fact: "
    "z-score of each series, deviation from the median of the time of day over its MAD (seasonal "
    "hybrid ESD), and squared prediction error outside of the principal subspace of links (PCA). "
    "Real traffic has anomalies of its own, which count as false alarms of all. Clean days: 30 on "
    "NSFNET, a daily curve with wandering flows, after 14 days. The detector was made with other "
    "draws (another seed) on Abilene and GEANT in view: the networks are not blind, the events are."
)
KINDS = ("surge", "ddos", "degradation", "misrouting", "black hole", "counter fault", "slow drift")
SEED, REPEATS = 2027, 3
TRIES = 30  # to find a place where an event can be
PROBES, USUAL_LOSS = 2000, 1e-4
CLEAN_DAYS, LEARNED_DAYS = 30, 14
DAY_S, HOUR_S = 86400.0, 3600.0
GAP_S = 1800.0
Floats = NDArray[np.float64]


class Event(NamedTuple):
    """Something that was injected, from one interval to before another."""

    kind: str
    first: int
    end: int
    places: tuple[str, ...]  # any of them is right


@dataclass(frozen=True)
class Replay:
    """A time as it is measured, and what was injected."""

    past: Past
    usual: int
    events: tuple[Event, ...]
    network: Scenario


def arguments(parser: argparse.ArgumentParser) -> None:
    """How often."""
    parser.add_argument("--repeats", type=int, default=REPEATS, help="draws of events a network")
    parser.add_argument("--clean-days", type=int, default=CLEAN_DAYS, help="generated clean days")


def run(options: Options) -> Outcome:
    """Measure; `--limit` is the number of draws of each network."""
    if options.data is None:
        raise Skipped("give a folder with NAME.npz and NAME.* with --data")
    files = sorted(options.data.glob("*.npz"))
    if not files:
        raise Skipped(f"{options.data} holds no NAME.npz")
    model = wiring.engine("theory")
    tally: dict[str, Tally] = defaultdict(Tally)
    delays: list[float] = []
    places: list[bool] = []
    rows: dict[str, list[tuple[bool, bool]]] = defaultdict(list)
    for file in files:
        for repeat in range(options.limit or options.extra.get("repeats") or REPEATS):
            replay = replayed(file, repeat)
            watched = watched_of(replay.past, model)
            found = watch(watched, replay.usual)
            hits = matched(found.troubles, replay, watched)
            tally["nettwin"].add(hits, found.troubles)
            for event, trouble in zip(replay.events, hits.first, strict=True):
                right = trouble is not None and _right(trouble, event)
                rows[event.kind].append((trouble is not None, right))
                if trouble is not None:
                    begin = watched.times_s[event.first] - watched.interval_s
                    delays.append(max(trouble.detected_s - begin, 0.0))
                    places.append(right)
            for name, worst in baselines(watched, replay.usual):
                tally[name].candidates(worst, replay, watched)
            say(f"{file.stem} {repeat}: {tally['nettwin']}")
    scores = {name: one.f1() for name, one in tally.items()}
    best = max((v for k, v in scores.items() if k != "nettwin"), default=float("nan"))
    mine = scores["nettwin"]
    rate = false_rate(int(options.extra.get("clean_days") or CLEAN_DAYS))
    figures = (
        Figure("F1", mine),
        Figure("best baseline F1", best),
        at_most("F1 loss over best baseline", (1 - mine) / max(1 - best, 1e-9), 0.5),
        at_least("place right", float(np.mean(places)) if places else float("nan"), 0.9),
        _between("false alarms over asked", rate, 0.5, 2.0),
        Figure("median delay to detect", float(np.median(delays)) if delays else np.nan, "s"),
    )
    table = ["| kind | events | found | place right |", "|---|---|---|---|"]
    for kind in KINDS:
        mine_rows = rows[kind]
        if mine_rows:
            table.append(
                f"| {kind} | {len(mine_rows)} | {np.mean([r[0] for r in mine_rows]):.2f} |"
                f" {np.mean([r[1] for r in mine_rows]):.2f} |"
            )
    others = ", ".join(f"{name} {value:.3f}" for name, value in sorted(scores.items()))
    return Outcome(figures, ("\n".join(table), f"F1: {others}"))


def replayed(file: Path, repeat: int) -> Replay:
    """The matrices of a file with events. Raises Skipped where they do not fit a network."""
    others = [p for p in sorted(file.parent.glob(f"{file.stem}.*")) if p.suffix != ".npz"]
    if len(others) != 1:
        raise Skipped(f"{file}: needs one network file {file.stem}.*, there are {len(others)}")
    try:
        scenario = read(str(others[0])).scenario
        series = read_demands(file, topology=scenario.topology)
    except NettwinError as reason:
        raise Skipped(str(reason)) from None
    states = list(over_time(scenario, series.demand_bps))
    rates = np.array([s.traffic.flow_rate_bps for s in states])
    step_s = float(np.median(np.diff(series.times_s)))
    usual = min(round(3 * DAY_S / step_s), len(rates) // 3)
    random = np.random.default_rng([SEED, repeat])
    return made(states[0], rates, series.times_s, step_s, usual, random)


def made(
    network: Scenario,
    rates: Floats,
    times_s: Floats,
    step_s: float,
    usual: int,
    random: np.random.Generator,
    *,
    events: bool = True,
) -> Replay:
    """What is measured of flows that offer `rates` [times, flows], with events or clean."""
    paths, topology = network.paths, network.topology
    share = np.zeros((topology.link_count, len(paths.status)))
    np.add.at(share, (paths.links, paths.hop_flow), paths.share[paths.hop_path])
    rates = rates.copy()
    sent = rates @ share.T
    loss = np.zeros_like(rates)
    counter = np.ones_like(sent)
    drawn: list[Event] = []
    if events:
        for kind, first, end in _times(len(rates), usual, step_s, random):
            for _ in range(TRIES):
                event = _inject(
                    kind, first, end, network, share, rates, sent, loss, counter, random
                )
                if event is not None:
                    drawn.append(event)
                    break
    shown = {
        f"flow/{RATE}": rates * np.exp(0.02 * random.standard_normal(rates.shape)),
        f"link/{SENT}": sent * counter * np.exp(0.01 * random.standard_normal(sent.shape)),
        f"flow/{LOSS}": random.binomial(PROBES, np.clip(loss + USUAL_LOSS, 0, 1)) / PROBES,
    }
    for value in shown.values():
        value[random.random(value.shape) < 0.02] = np.nan
    told = _filled(shown[f"flow/{RATE}"])

    def states() -> Iterator[Scenario]:
        for rate in told:
            yield network.with_(traffic=network.traffic.with_arrays(flow_rate_bps=rate))

    names = {"flow": network.flow_names, "link": topology.link_name}
    measured = {k: Measured(names[k.partition("/")[0]], v) for k, v in shown.items()}
    past = Past(times_s, step_s, states, names, measured, "measured")
    return Replay(past, usual, tuple(drawn), network)


def _filled(rate: Floats) -> Floats:
    """Rates with the last one known where one is missing."""
    out = rate.copy()
    for t in range(len(out)):
        gap = np.isnan(out[t])
        out[t, gap] = out[t - 1, gap] if t else 0.0
    return out


def _times(
    count: int, usual: int, step_s: float, random: np.random.Generator
) -> Iterator[tuple[str, int, int]]:
    hour = round(HOUR_S / step_s)
    at = usual + hour
    kinds = list(random.permutation(np.array(KINDS)))
    while True:
        if not kinds:
            kinds = list(random.permutation(np.array(KINDS)))
        kind = str(kinds.pop())
        length = hour * (6 if kind == "slow drift" else 1)
        at += int(random.integers(3 * hour, 6 * hour))
        if at + length + hour >= count:
            return
        yield kind, at, at + length
        at += length


def _inject(
    kind: str,
    first: int,
    end: int,
    network: Scenario,
    share: Floats,
    rates: Floats,
    sent: Floats,
    loss: Floats,
    counter: Floats,
    random: np.random.Generator,
) -> Event | None:
    """Put an event into what flows and links do; None where this network cannot have it."""
    topology, traffic, paths = network.topology, network.traffic, network.paths
    names, span = topology.node_name, slice(first, end)
    load = sent[span].mean(axis=0)
    offered = rates[span].mean(axis=0)
    big = np.argsort(-offered)[: max(len(offered) // 5, 3)]
    busy = np.argsort(-load)[: max(len(load) // 2, 3)]
    k, f = int(random.choice(busy)), int(random.choice(big))
    source, target = int(traffic.flow_source[f]), int(traffic.flow_target[f])
    link = topology.link_name[k]
    both = (link, f"{names[topology.link_target[k]]}->{names[topology.link_source[k]]}")
    if kind == "surge":
        more = rates[span, f] * float(random.uniform(1, 4))
        rates[span, f] += more
        sent[span] += more[:, None] * share[:, f]
        return Event(kind, first, end, (network.flow_names[f],))
    if kind == "ddos":
        flows = np.flatnonzero(traffic.flow_target == target)
        more = rates[span][:, flows].sum(axis=1) * float(random.uniform(1, 4)) / len(flows)
        rates[span, flows] += more[:, None]
        sent[span] += more[:, None] * share[:, flows].sum(axis=1)
        return Event(kind, first, end, (names[target],))
    if kind == "counter fault":
        counter[span, k] *= float(random.choice(np.array([0.0, 0.5, 0.8, 1.3])))
        return Event(kind, first, end, (link,))
    hops = np.flatnonzero(paths.links == k)
    part = np.full(end - first, float(random.uniform(0.05, 0.4)))
    if kind == "slow drift":
        part = np.linspace(0, float(random.uniform(0.05, 0.15)), end - first)
    where = both
    if kind in ("black hole", "misrouting"):
        ends = paths.hop_flow == f
        u = int(random.choice(topology.link_source[paths.links[ends]]))
        hops = np.flatnonzero(
            (topology.link_source[paths.links] == u)
            & (traffic.flow_target[paths.hop_flow] == target)
        )
        part = np.ones(end - first)
        where = (names[u],)
        if kind == "misrouting":
            return _misroute(u, target, hops, span, network, share, rates, sent, where)
    for hop in hops.tolist():
        flow, path = int(paths.hop_flow[hop]), int(paths.hop_path[hop])
        gone = rates[span, flow] * paths.share[path] * part
        loss[span, flow] += paths.share[path] * part
        for j in paths.links[hop : paths.link_offset[path + 1]].tolist():
            sent[span, j] -= gone
    del source
    return Event(kind, first, end, where)


def _misroute(
    u: int,
    target: int,
    hops: NDArray[np.intp],
    span: slice,
    network: Scenario,
    share: Floats,
    rates: Floats,
    sent: Floats,
    where: tuple[str, ...],
) -> Event | None:
    """A node sends what goes to a target to a neighbor whose own path there avoids the node."""
    topology, traffic, paths = network.topology, network.traffic, network.paths
    used = set(paths.links[hops].tolist())
    for k in np.flatnonzero(topology.link_source == u).tolist():
        v = int(topology.link_target[k])
        rest = np.flatnonzero((traffic.flow_source == v) & (traffic.flow_target == target))
        if k in used or v == target or not len(rest):
            continue
        onward = share[:, rest[0]]
        if onward[topology.link_source == u].any():
            continue
        for hop in hops.tolist():
            flow, path = int(paths.hop_flow[hop]), int(paths.hop_path[hop])
            moved = rates[span, flow] * paths.share[path]
            for j in paths.links[hop : paths.link_offset[path + 1]].tolist():
                sent[span, j] -= moved
            sent[span, k] += moved
            sent[span] += moved[:, None] * onward
        return Event("misrouting", span.start, span.stop, where)
    return None


class Hits(NamedTuple):
    """The first incident of each event, and incidents of no event."""

    first: list[Trouble | None]
    false: int


def matched(troubles: tuple[Trouble, ...], replay: Replay, watched: Watched) -> Hits:
    """Which incident is of which event."""
    spans = [(t.begin_s, t.end_s) for t in troubles]
    used, first = _overlaps(spans, replay, watched)
    return Hits([None if i is None else troubles[i] for i in first], len(troubles) - len(used))


def _overlaps(
    spans: list[tuple[float, float]], replay: Replay, watched: Watched
) -> tuple[set[int], list[int | None]]:
    step = watched.interval_s
    used: set[int] = set()
    first: list[int | None] = []
    for event in replay.events:
        begin = watched.times_s[event.first] - step
        end = watched.times_s[min(event.end + 3, len(watched.times_s)) - 1]
        mine = [i for i, (a, b) in enumerate(spans) if a < end and b > begin]
        used |= set(mine)
        first.append(mine[0] if mine else None)
    return used, first


def _right(trouble: Trouble, event: Event) -> bool:
    return trouble.place in event.places


class Tally:
    """Hits, misses and false alarms of a method; of a baseline, for each of many thresholds."""

    def __init__(self) -> None:
        self.hit = self.missed = self.false = 0
        self.kept: list[tuple[list[Floats], Replay, Watched]] = []

    def add(self, hits: Hits, troubles: tuple[Trouble, ...]) -> None:
        found = sum(t is not None for t in hits.first)
        self.hit, self.missed = self.hit + found, self.missed + len(hits.first) - found
        self.false += hits.false

    def candidates(self, worst: list[Floats], replay: Replay, watched: Watched) -> None:
        self.kept.append((worst, replay, watched))

    def f1(self) -> float:
        if not self.kept:
            return 2 * self.hit / max(2 * self.hit + self.missed + self.false, 1)
        best = 0.0
        for number in range(len(self.kept[0][0])):
            for quantile in np.linspace(0.5, 0.9995, 60):
                hit = missed = false = 0
                for scores, replay, watched in self.kept:
                    worst = scores[min(number, len(scores) - 1)]
                    level = np.quantile(worst[replay.usual :], quantile)
                    at = np.flatnonzero(worst > level)
                    at = at[at >= replay.usual]
                    gap = max(round(GAP_S / watched.interval_s), 1)
                    parts = np.split(at, np.flatnonzero(np.diff(at) > gap) + 1) if len(at) else []
                    step = watched.interval_s
                    spans = [
                        (float(watched.times_s[p[0]] - step), float(watched.times_s[p[-1]]))
                        for p in parts
                    ]
                    used, first = _overlaps(spans, replay, watched)
                    found = sum(i is not None for i in first)
                    hit, missed = hit + found, missed + len(first) - found
                    false += len(spans) - len(used)
                best = max(best, 2 * hit / max(2 * hit + missed + false, 1))
        return best

    def __str__(self) -> str:
        return f"{self.hit} found, {self.missed} missed, {self.false} false"


def baselines(watched: Watched, usual: int) -> Iterator[tuple[str, list[Floats]]]:
    """Scores over time of what people do without a twin; several where there is a choice."""
    parts = [g.measured for g in watched.groups if g.kind in ("flow", "link")]
    series = np.concatenate(parts, axis=1)
    filled = np.where(np.isfinite(series), series, np.nanmedian(series[:usual], axis=0))
    mean, spread = filled[:usual].mean(axis=0), filled[:usual].std(axis=0)
    least = 1e-3 * np.maximum(np.abs(mean), 1e-9) + 1e-12
    yield "z-score", [np.abs((filled - mean) / np.maximum(spread, least)).max(axis=1)]
    day = max(round(DAY_S / watched.interval_s), 1)
    phase = np.arange(len(filled)) % day
    season = np.array(
        [
            np.median(filled[:usual][phase[:usual] == p], axis=0)
            if (phase[:usual] == p).any()
            else mean
            for p in range(day)
        ]
    )
    off = filled - season[phase]
    mad = 1.4826 * np.median(np.abs(off[:usual] - np.median(off[:usual], axis=0)), axis=0)
    wide = np.maximum(np.maximum(mad, 0.1 * off[:usual].std(axis=0)), least)
    yield "seasonal ESD", [np.abs(off / wide).max(axis=1)]
    link = watched.group("link", SENT)
    assert link is not None
    traffic = np.where(
        np.isfinite(link.measured), link.measured, np.nanmedian(link.measured[:usual], axis=0)
    )
    center = traffic[:usual].mean(axis=0)
    _, _, basis = np.linalg.svd(traffic[:usual] - center, full_matrices=False)
    errors = []
    for count in range(1, min(16, len(basis))):
        inside = (traffic - center) @ basis[:count].T @ basis[:count]
        errors.append((((traffic - center) - inside) ** 2).sum(axis=1))
    yield "PCA subspace", errors


def false_rate(days: int) -> float:
    """False alarms a day over one asked, on clean days."""
    network = generate("nsfnet", load=0.6)
    step_s = 900.0
    curve = DailyCurve(network.traffic.flow_count, seed=5)
    count = round((days + LEARNED_DAYS) * DAY_S / step_s)
    times = 1767225600.0 + step_s * np.arange(1, count + 1)
    planned = network.traffic.flow_rate_bps
    rates = np.array([planned * curve.factor(float(t)) for t in times])
    usual = round(LEARNED_DAYS * DAY_S / step_s)
    random = np.random.default_rng([SEED, 99])
    replay = made(network, rates, times, step_s, usual, random, events=False)
    found = watch(watched_of(replay.past, wiring.engine("theory")), usual)
    return len(found.troubles) / days


def _between(name: str, value: float, low: float, high: float) -> Figure:
    return Figure(name, value, "", high, bool(low <= value <= high), "<=")
