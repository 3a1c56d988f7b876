"""Incidents made by packets: networks with a fault, simulated, measured with noise and gaps."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nettwin.apps.troubleshooting import Fault, Faulty, Incident
from nettwin.apps.troubleshooting.evidence import measures_of
from nettwin.errors import InputError
from nettwin.interfaces import wiring
from nettwin.metrics import Metrics, Table
from nettwin.observation import Observation
from nettwin.scenario.arrivals import OnOff
from nettwin.scenario.generate import generate
from nettwin.scenario.scenario import Scenario

Floats = NDArray[np.float64]
Random = np.random.Generator
TOPOLOGIES = {
    "nsfnet": 14,
    "ring": 8,
    "grid": 12,
    "ladder": 10,
    "tree": 12,
    "dumbbell": 8,
    "full-mesh": 6,
    "fat-tree": 20,
    "waxman": 14,
    "geometric": 12,
    "gabriel": 16,
    "barabasi-albert": 15,
    "star": 8,
}
BEFORE, DURING = 6, 2
FIRST = 1000  # number of those that are reported; lower ones were looked at while it was written
PACKETS = 250_000
NOISE = {"rate_bps": 0.01, "throughput_bps": 0.01, "owd_mean_s": 0.02, "occupancy_mean_bits": 0.05}
MISSING = 0.2
SHOWS = 3.0  # standard deviations of its noise by which some measurement must differ
TRIES = 40
UNKNOWN_KINDS = ("fiber_detour", "slow_node", "clock_offset", "bursts")
HEALTHY_SHARE, UNKNOWN_SHARE, PAIR_SHARE = 0.15, 0.1, 0.08
KNOWN_KINDS = (
    *("link_down", "node_down", "link_degraded", "capacity_loss", "random_loss", "class_loss"),
    *("wrong_metric", "wrong_weights", "wrong_class_map", "small_buffer", "black_hole", "loop"),
    *("surge", "attack", "duplex_mismatch", "ecmp_imbalance", "counter_fault"),
)


@dataclass(frozen=True)
class Made:
    """An incident and the truth: its faults (none: healthy), or a kind that nobody knows."""

    incident: Incident
    faults: tuple[Fault, ...]
    unknown: str
    topology: str

    @property
    def label(self) -> str:
        """The kind, for a table."""
        return self.unknown or " and ".join(f.kind for f in self.faults) or "healthy"


def incidents(count: int, cache: Path | None, say: Callable[[str], None]) -> list[Made]:
    """So many incidents, the same for each number; made once where there is a cache."""
    found = []
    for number in range(FIRST, FIRST + count):
        file = None if cache is None else cache / f"{number:04d}.pickle"
        if file is not None and file.exists():
            found.append(pickle.loads(file.read_bytes()))
            continue
        found.append(make(number))
        if file is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(pickle.dumps(found[-1]))
        if (number - FIRST + 1) % 10 == 0:
            say(f"incident {number - FIRST + 1} of {count} made")
    return found


def make(number: int) -> Made:
    """One incident by its number."""
    random = np.random.default_rng([16, number])
    for _ in range(TRIES):
        made = _tried(number, random)
        if made is not None:
            return made
    raise AssertionError(f"incident {number}: nothing shows after {TRIES} tries")


def network(number: int, random: Random) -> tuple[str, Scenario]:
    """A network to put a fault into."""
    kind = list(TOPOLOGIES)[number % len(TOPOLOGIES)]
    classes = str(random.choice(np.array(["single", "three"])))
    scheduler = "fifo" if classes == "single" else str(random.choice(["sp", "wfq", "drr"]))
    scenario = generate(
        kind,
        nodes=TOPOLOGIES[kind],
        seed=int(random.integers(1, 1000)),
        load=float(random.uniform(0.4, 0.85)),
        classes=classes,
        scheduler=scheduler,
        capacity_bps=float(random.choice(np.array([1e7, 1e8, 1e9]))),
    )
    return kind, scenario


def _tried(number: int, random: Random) -> Made | None:
    topology, plan = network(number, random)
    draw = random.random()
    faults: tuple[Fault, ...] = ()
    unknown = ""
    if draw < HEALTHY_SHARE:
        pass
    elif draw < HEALTHY_SHARE + UNKNOWN_SHARE:
        unknown = UNKNOWN_KINDS[int(random.integers(len(UNKNOWN_KINDS)))]
    else:
        kinds = [KNOWN_KINDS[number % len(KNOWN_KINDS)]]
        if draw > 1 - PAIR_SHARE:
            kinds.append(KNOWN_KINDS[int(random.integers(len(KNOWN_KINDS)))])
        drawn = [drawn_fault(kind, plan, random) for kind in kinds]
        if any(fault is None for fault in drawn):
            return None
        faults = tuple(fault for fault in drawn if fault is not None)
    drift = _Drift(plan, random)
    observed = [
        measured(plan, (), "", drift.rates(), n, random, drift.window()) for n in range(BEFORE)
    ]
    during, true, fine = [], [], []
    for n in range(DURING):
        rates = drift.rates()
        try:
            seen, whole = measured(plan, faults, unknown, rates, 100 + n, random, drift.window())
        except InputError:
            return None
        during.append(seen)
        true.append(whole)
        if faults or unknown:
            fine.append(measured(plan, (), "", rates, 100 + n, random, drift.window())[1])
    if fine:
        parts = [_shows(true, fine)]
        if len(faults) == 2:  # each of them must show beside the other
            for fault in faults:
                alone = [measured(plan, (fault,), "", r, 100, random, 0)[1] for r in drift.last]
                parts.append(_shows(true[: len(alone)], alone))
        if min(parts) < SHOWS:
            return None
    before = tuple(seen for seen, _ in observed)
    return Made(Incident(before, tuple(during)), faults, unknown, topology)


class _Drift:
    """Traffic that wanders from interval to interval, all of it and each flow."""

    def __init__(self, plan: Scenario, random: Random) -> None:
        self.plan, self.random = plan, random
        self.common, self.time, self.last = 0.0, 0, []

    def rates(self) -> Floats:
        self.common = 0.8 * self.common + 0.04 * float(self.random.standard_normal())
        own = 0.05 * self.random.standard_normal(self.plan.traffic.flow_count)
        rates = np.asarray(self.plan.traffic.flow_rate_bps * np.exp(self.common + own))
        self.last = [*self.last[-(DURING - 1) :], rates]
        self.time += 1
        return rates

    def window(self) -> int:
        return self.time


def drawn_fault(kind: str, plan: Scenario, random: Random) -> Fault | None:
    """A fault of a kind somewhere that carries traffic; None where this network cannot have it."""
    topology, traffic = plan.topology, plan.traffic
    loads = plan.link_offered_load
    used = np.flatnonzero(loads > 0.02)
    k = int(random.choice(used))
    link = topology.link_name[k]
    a, b = topology.node_name[topology.link_source[k]], topology.node_name[topology.link_target[k]]
    classes = [traffic.class_name[c] for c in np.unique(traffic.flow_class).tolist()]
    port = topology.schedulers[topology.link_scheduler[k]]
    flow = int(random.integers(traffic.flow_count))
    names = topology.node_name
    source, target = names[traffic.flow_source[flow]], names[traffic.flow_target[flow]]
    on = [int(j) for j in random.permutation(np.flatnonzero(plan.paths.hop_flow == flow))]
    if kind == "link_down":
        return Fault(kind, f"{a}<->{b}")
    if kind == "node_down":
        return Fault(kind, str(random.choice(np.array(names))))
    if kind in ("link_degraded", "capacity_loss"):
        return Fault(kind, link, float(random.uniform(0.2, 0.8)))
    if kind == "random_loss":
        return Fault(kind, link, float(10 ** random.uniform(-2.5, -0.5)))
    if kind == "class_loss":
        if len(classes) < 2:
            return None
        name = str(random.choice(np.array(classes)))
        return Fault(kind, link, float(10 ** random.uniform(-2, 0)), name)
    if kind == "wrong_metric":
        return Fault(kind, link, float(random.choice(np.array([0.1, 0.2, 5.0, 10.0]))))
    if kind == "wrong_weights":
        return Fault(kind, link) if port.policy in ("wfq", "drr") else None
    if kind == "wrong_class_map":
        many = len(port.queues) > 1
        return Fault(kind, link, detail=str(random.choice(np.array(classes)))) if many else None
    if kind == "small_buffer":
        return Fault(kind, link, float(random.choice(np.array([1 / 32, 1 / 16, 1 / 8]))))
    if kind == "black_hole":
        hop = on[0]
        return Fault(kind, names[topology.link_source[plan.paths.links[hop]]], detail=target)
    if kind == "loop":
        toward = plan.paths.links[
            np.flatnonzero(traffic.flow_target[plan.paths.hop_flow] == topology.node(target))
        ]
        back = int(random.choice(toward))  # v -> u is on the path of somebody: u sends it to v
        u, v = int(topology.link_target[back]), int(topology.link_source[back])
        out = topology.links_between(names[v], names[u])
        there = topology.links_between(names[u], names[v])
        if names[u] == target or not len(out) or not len(there):
            return None
        return Fault(kind, topology.link_name[int(there[0])], detail=target)
    if kind == "surge":
        return Fault(kind, f"{source}->{target}", float(random.uniform(1.5, 6.0)))
    if kind == "attack":
        return Fault(kind, target, float(random.uniform(1.5, 6.0)))
    if kind == "duplex_mismatch":
        return Fault(kind, f"{a}<->{b}", float(10 ** random.uniform(-2, -1)))
    if kind == "ecmp_imbalance":
        paths = plan.paths
        split = np.flatnonzero(paths.share[paths.hop_path] < 0.99)
        if not len(split):
            return None
        j = int(paths.links[random.choice(split)])
        node = names[topology.link_source[j]]
        part = float(random.choice(np.array([0.8, 0.9, 1.0])))
        return Fault(kind, node, part, topology.link_name[j])
    assert kind == "counter_fault"
    return Fault(kind, link, float(random.choice(np.array([0.0, 0.1, 0.5, 0.8, 2.0]))))


def measured(
    plan: Scenario,
    faults: tuple[Fault, ...],
    unknown: str,
    rates: Floats,
    seed: int,
    random: Random,
    interval: int,
) -> tuple[Observation, dict[str, Any]]:
    """An interval of a network by packets: as it is measured, and the whole truth of it."""
    carrying = plan.with_(traffic=plan.traffic.with_arrays(flow_rate_bps=rates))
    faulty = Faulty.healthy(carrying).with_faults(faults)
    place = np.random.default_rng([7, plan.topology.link_count, plan.traffic.flow_count])
    scenario = _strange(faulty.scenario, unknown, place)
    engine = wiring.engine("packet", seed=1 + seed, max_packets=PACKETS, precision=0.0, jobs=1)
    metrics = engine.predict([scenario])[0]
    whole: dict[str, Any] = measures_of(replace(faulty, scenario=scenario), metrics)
    if unknown == "clock_offset":
        off = plan.traffic.flow_source == int(place.integers(plan.topology.node_count))
        delay = whole["flow/owd_mean_s"]
        whole["flow/owd_mean_s"] = delay + off * float(np.nanmedian(delay))
    window_s = float(metrics.provenance["simulated_s"])
    sent = whole["flow/rate_bps"] / plan.traffic.flow_mean_size_bits * window_s
    whole["packets"] = sent
    whole["spread"] = (metrics.flow.high["owd_mean_s"] - metrics.flow.low["owd_mean_s"])[
        : len(rates)
    ] / 3.92
    tables: dict[str, dict[str, Floats]] = {"flow": {}, "link": {}, "queue": {}}
    for name in whole:
        kind, _, column = name.partition("/")
        if not column:
            continue
        value = whole[name]
        shown = value * np.exp(NOISE.get(column, 0.0) * random.standard_normal(len(value)))
        shown = np.where(random.random(len(value)) < MISSING, np.nan, shown)
        if column == "loss_ratio" and kind == "flow":  # whole packets are lost
            n = np.maximum(np.nan_to_num(sent), 1).astype(np.int64)
            lost = random.binomial(n, np.clip(np.nan_to_num(value), 0, 1)) / n
            shown = np.where(np.isnan(shown), np.nan, lost)
        tables[kind][column] = shown
    told = Metrics(
        Table(tables["flow"]),
        Table(tables["link"]),
        Table(tables["queue"]),
        method="measured",
        engine="packets",
        provenance={"simulated_s": window_s},
    )
    return Observation(1.8e9 + 300.0 * interval, 300.0, carrying, told), whole


def _strange(scenario: Scenario, unknown: str, random: Random) -> Scenario:
    """The scenario with something that no hypothesis covers."""
    topology = scenario.topology
    if unknown in ("fiber_detour", "slow_node"):
        used = np.flatnonzero(scenario.link_offered_load > 0.05)
        k = int(random.choice(used))
        chosen = np.arange(topology.link_count) == k
        if unknown == "slow_node":
            chosen = topology.link_source == topology.link_source[k]
        delay = topology.link_delay_s + chosen * (2 * topology.link_delay_s.mean() + 1e-3)
        return scenario.with_(topology=topology.with_arrays(link_delay_s=delay))
    if unknown == "bursts":
        bursty = OnOff(on_s=0.02, off_s=0.06)
        traffic = scenario.traffic
        source = int(random.choice(traffic.flow_source))
        index = np.where(traffic.flow_source == source, len(traffic.arrivals), traffic.flow_arrival)
        made = replace(
            traffic.with_arrays(flow_arrival=index), arrivals=(*traffic.arrivals, bursty)
        )
        return scenario.with_(traffic=made)
    return scenario


def _shows(faulty: list[dict[str, Any]], fine: list[dict[str, Any]]) -> float:
    """By how many standard deviations of its noise the clearest measurement differs."""
    count = len(faulty)
    most = 0.0
    for name in fine[0]:
        kind, _, column = name.partition("/")
        if not column:
            continue
        a = np.mean([x[name] for x in faulty], axis=0)
        b = np.mean([x[name] for x in fine], axis=0)
        if column == "loss_ratio" and kind == "flow":
            n = sum(x["packets"] for x in fine)
            sigma = np.sqrt(np.maximum(b, 1 / np.maximum(n, 1)) / np.maximum(n, 1))
        elif column == "owd_mean_s":
            spread = np.mean([x["spread"] for x in fine], axis=0)
            sigma = np.hypot(NOISE[column] * b, np.nan_to_num(spread)) / np.sqrt(count)
        elif column in NOISE:
            least = np.nanmean(b) * 0.02
            sigma = np.hypot(3 * NOISE[column] * b, least) / np.sqrt(count)
            if column == "rate_bps":
                sigma = np.hypot(sigma, 0.06 * b)
        elif column in ("up", "speed_bps"):
            sigma = np.maximum(0.1 * np.abs(b), 1e-3)
        else:
            sigma = np.full(len(b), 3e-3)
        z = np.abs(a - b) / np.maximum(sigma, 1e-15)
        most = max(most, float(np.nanmax(z)) if np.isfinite(z).any() else 0.0)
    return most
