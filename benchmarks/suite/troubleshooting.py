"""troubleshooting: causes of incidents that were made by packets."""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import defaultdict
from pathlib import Path

import numpy as np

from benchmarks.benchmark import Figure, Options, Outcome, at_least, at_most, say
from benchmarks.incidents import DURING, Made, incidents
from nettwin.apps.troubleshooting import Diagnosis, Fault, Hypothesis, diagnose
from nettwin.apps.troubleshooting.diagnosis import alike, hypothesis_of
from nettwin.interfaces import wiring
from nettwin.model import NetworkModel

TITLE = "Causes of incidents"
PROTOCOL = (
    "Incidents are simulated packet by packet on 13 kinds of networks of 6 to 20 nodes (one or "
    "three classes; FIFO, SP, WFQ, DRR; 10 Mbit/s to 1 Gbit/s; loads 0.4 to 0.85): 6 intervals "
    f"before, {DURING} during. Rates wander (4 % all, 5 % each flow), counters have 1 % of noise, "
    "delays 2 %, queues 5 %; 20 % of the values of each interval are missing. A fault is kept if "
    "some measurement differs by 3 standard deviations of its noise. 15 % are healthy, 10 % of a "
    "kind that no hypothesis covers, 8 % pairs. The explaining engine is theory; it never made an "
    "incident. Right is a cause of the same kind and place, or one that no measurement, those "
    "missing included, tells apart from it. top-1 and top-3 are over incidents with known kinds; "
    "detection is fault or none, unknown kinds included. At 50 nodes: wall time of one incident."
)


def arguments(parser: argparse.ArgumentParser) -> None:
    """How many, and where they are kept."""
    parser.add_argument("--samples", type=int, default=400, help="incidents (default 400)")
    parser.add_argument("--cache", type=Path, help="keep incidents in this folder, outside of git")
    parser.add_argument("--engine", default="theory", help="the engine that explains")


def run(options: Options) -> Outcome:
    """Measure; `--limit` is a number of samples as well."""
    count = options.limit or options.extra.get("samples") or 400
    cache = options.extra.get("cache") or Path(tempfile.gettempdir()) / "nettwin-incidents"
    model = wiring.engine(options.extra.get("engine") or "theory")
    made = incidents(count, cache, say)
    rows: dict[str, list[tuple[bool, bool, bool, bool]]] = defaultdict(list)
    for number, one in enumerate(made):
        found = diagnose(one.incident, model)
        verdict = judged(one, found, model)
        key = one.label if len(one.faults) < 2 else "pair"
        rows[key if not one.unknown else f"unknown: {one.unknown}"].append(verdict)
        if not verdict[0]:
            say(
                f"{number} {one.topology}: {_words(one)}; found {found.best.name}"
                f" ({found.causes[0].probability:.2f})"
            )
    return Outcome(_figures(rows, model), (_table(rows), f"{count} incidents"))


def judged(one: Made, found: Diagnosis, model: NetworkModel) -> tuple[bool, bool, bool, bool]:
    """Whether the first cause is right, one of the first three is, its element is right, and
    whether a fault was seen."""
    seen = found.best.kind != "healthy"
    if one.unknown:
        return found.best.unknown, any(c.best.unknown for c in found.causes[:3]), False, seen
    if not one.faults:
        return not seen, any(c.best.kind == "healthy" for c in found.causes[:3]), True, seen
    truth = hypothesis_of(found.evidence, one.faults, model)
    right = [
        any(_is(h, one.faults) for h in cause.hypotheses)
        or alike(found.evidence, cause.best, truth)
        for cause in found.causes[:3]
    ]
    wanted = {e for fault in one.faults for e in elements(fault)}
    named = {e for h in found.causes[0].hypotheses for f in h.faults for e in elements(f)}
    first = {e for f in found.best.faults for e in elements(f)}
    place = right[0] or bool(first & wanted) or (len(named) <= 3 and bool(named & wanted))
    return right[0], any(right), place, seen


def elements(fault: Fault) -> set[str]:
    """What a fault is at: a link by both its names, or a node, or a pair."""
    if fault.kind == "loop":
        return {fault.place.partition("->")[0]}
    a, arrow, b = fault.place.replace("<->", "->").partition("->")
    return {f"{a}-{b}", f"{b}-{a}"} if arrow else {a}


def _is(h: Hypothesis, faults: tuple[Fault, ...]) -> bool:
    return not h.unknown and sorted(map(_key, h.faults)) == sorted(map(_key, faults))


def _key(fault: Fault) -> tuple[str, str, str]:
    place, detail = fault.place, fault.detail
    if fault.kind in ("link_down", "duplex_mismatch"):
        place = "<->".join(sorted(place.replace("<->", "->").split("->")))
    if fault.kind == "loop":
        place = place.partition("->")[0]
    return fault.kind, place, detail


def _figures(
    rows: dict[str, list[tuple[bool, bool, bool, bool]]], model: NetworkModel
) -> tuple[Figure, ...]:
    def share(values: list[bool]) -> float:
        return float(np.mean(values)) if values else float("nan")

    known = [v for k, vs in rows.items() if k != "healthy" and not k.startswith("un") for v in vs]
    unknown = [v for k, vs in rows.items() if k.startswith("unknown") for v in vs]
    healthy = rows.get("healthy", [])
    hit = sum(v[3] for v in known + unknown)
    false, missed = sum(v[3] for v in healthy), len(known + unknown) - hit
    return (
        at_least("top-1", share([v[0] for v in known]), 0.90),
        at_least("top-3", share([v[1] for v in known]), 0.97),
        at_least("detection F1", 2 * hit / max(2 * hit + false + missed, 1), 0.97),
        at_least("right element", share([v[2] for v in known]), 0.95),
        at_least("healthy called healthy", share([v[0] for v in healthy]), 0.97),
        at_least("unknown called unknown", share([v[0] for v in unknown]), 0.7),
        at_most("seconds at 50 nodes", seconds_at(50, model), 5.0, "s"),
    )


def seconds_at(nodes: int, model: NetworkModel) -> float:
    """Wall time of one diagnosis of a network of so many nodes, the engine compiled."""
    from benchmarks.incidents import measured
    from nettwin.apps.troubleshooting import Incident
    from nettwin.scenario.generate import generate

    plan = generate("gabriel", nodes=nodes, load=0.6, capacity_bps=1e9)
    random = np.random.default_rng(1)
    link = plan.topology.link_name[int(np.argmax(plan.link_offered_load))]
    rates = plan.traffic.flow_rate_bps
    before = [measured(plan, (), "", rates, n, random, n)[0] for n in range(6)]
    fault = (Fault("capacity_loss", link, 0.5),)
    during = [measured(plan, fault, "", rates, 10, random, 10)[0]]
    incident = Incident(tuple(before), tuple(during))
    diagnose(incident, model)
    begin = time.perf_counter()
    diagnose(incident, model)
    return time.perf_counter() - begin


def _table(rows: dict[str, list[tuple[bool, bool, bool, bool]]]) -> str:
    lines = ["| kind | incidents | top-1 | top-3 | right element |", "|---|---|---|---|---|"]
    for kind, found in sorted(rows.items()):
        numbers = " | ".join(f"{np.mean([v[i] for v in found]):.2f}" for i in range(3))
        lines.append(f"| {kind} | {len(found)} | {numbers} |")
    return "\n".join(lines)


def _words(one: Made) -> str:
    return one.unknown or " and ".join(fault.describe() for fault in one.faults) or "healthy"
