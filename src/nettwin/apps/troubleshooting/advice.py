"""Advice: what to measure next, what to change, what would have prevented it; in plain words.

All sentences are made of the numbers of a Diagnosis.
"""

from __future__ import annotations

from dataclasses import replace
from time import perf_counter
from typing import NamedTuple

import numpy as np

from nettwin import units
from nettwin.apps.troubleshooting.diagnosis import ODD, Diagnosis, Hypothesis, between
from nettwin.apps.troubleshooting.faults import KINDS, Fault
from nettwin.apps.troubleshooting.incident import DELAY, LOSS, MEASURES, QUEUED, RATE, SENT, SPEED
from nettwin.change_plan import ChangePlan
from nettwin.intent import Expectation, Intent, State, judge
from nettwin.metrics import Metrics, Table
from nettwin.model import NetworkModel
from nettwin.scenario.changes import (
    Change,
    RateLimit,
    RestoreLink,
    RestoreNode,
    SetScheduler,
    SetWeight,
    apply_all,
)
from nettwin.scenario.link_names import find_links
from nettwin.scenario.scenario import Scenario

SHOWN = 4  # measurements named for a cause, and against it
CLEAR, FITTING = 3.0, 2.5  # standard deviations: odd; explained
DRAINED = 1000.0  # times the metric of a link that is to carry nothing
TOLD = 0.5  # standard deviations apart, below which a measurement tells nothing
KEPT = Intent(name="repair", expect=(Expectation("loss", at_most=1e-3),))
NOUNS = {
    DELAY: "delay of flow",
    LOSS: "loss of flow",
    RATE: "offered rate of flow",
    SENT: "traffic on link",
    "link/loss_ratio": "drops at port",
    "link/up": "state of link",
    SPEED: "speed of port",
    QUEUED: "queue",
    "queue/loss_ratio": "drops in queue",
}


class Clue(NamedTuple):
    """A measurement beside what is expected without a fault, and with the cause."""

    measure: str
    element: str
    measured: float
    healthy: float
    expected: float
    z_healthy: float
    z: float

    def words(self) -> str:
        """The clue as a sentence."""
        name = NOUNS[self.measure]
        values = [shown(self.measure, v) for v in (self.measured, self.healthy, self.expected)]
        return (
            f"{name} {self.element}: {values[0]}; without a fault {values[1]}, with this one"
            f" {values[2]}"
        )


class Next(NamedTuple):
    """A measurement that would tell two causes apart, by so many standard deviations."""

    measure: str
    element: str
    first: float  # what is expected if the first cause is right
    second: float
    apart: float
    missing: bool  # whether it was not measured

    def words(self) -> str:
        """What to measure, and what each cause would show."""
        verb = "measure" if self.missing else "measure again, for longer,"
        one, other = shown(self.measure, self.first), shown(self.measure, self.second)
        return f"{verb} the {NOUNS[self.measure]} {self.element}: {one} or {other}"


def shown(measure: str, value: float) -> str:
    """A value of a measure with its unit."""
    if not np.isfinite(value):
        return "nothing"
    if measure == DELAY:
        return units.duration(value)
    if measure in (SENT, RATE, SPEED):
        return units.rate(value)
    if measure == QUEUED:
        return units.size(value)
    if measure == "link/up":
        return "up" if value > 0.5 else "down"
    return units.percent(value, 2)


def names(diagnosis: Diagnosis, measure: str) -> tuple[str, ...]:
    """The elements of a measure."""
    network = diagnosis.evidence.network
    kind = measure.partition("/")[0]
    if kind == "flow":
        return network.flow_names
    return network.topology.link_name if kind == "link" else network.queue_names


def clues(diagnosis: Diagnosis, hypothesis: Hypothesis) -> tuple[list[Clue], list[Clue]]:
    """What speaks for a cause, the clearest first: odd without a fault, and explained by it; and
    what speaks against it: not as it would be."""
    for_it, against = [], []
    for measure in MEASURES:
        z = hypothesis.residuals[measure][0]
        before = diagnosis.healthy.residuals[measure][0]
        places = np.flatnonzero((np.abs(np.nan_to_num(before)) > CLEAR) | (np.abs(z) > CLEAR))
        for i in places.tolist():
            clue = Clue(
                measure,
                names(diagnosis, measure)[i],
                float(diagnosis.evidence.measured[measure][i]),
                float(diagnosis.healthy.predicted[measure][i]),
                float(hypothesis.predicted[measure][i]),
                float(before[i]),
                float(z[i]),
            )
            if abs(z[i]) > ODD:
                against.append(clue)
            elif abs(before[i]) > CLEAR and abs(z[i]) < FITTING:
                for_it.append(clue)
    for_it.sort(key=lambda clue: -abs(clue.z_healthy))
    against.sort(key=lambda clue: -abs(clue.z))
    return for_it, against


def next_measurements(diagnosis: Diagnosis, most: int = 3) -> list[Next]:
    """What tells the first two causes apart best; those first that were not measured."""
    first = set(diagnosis.best.faults)
    rivals = [
        c.best
        for n, c in enumerate(diagnosis.causes)
        if not c.best.unknown and (n == 0 or not first or not first <= set(c.best.faults))
    ][:2]
    if len(rivals) < 2:
        return []
    evidence = diagnosis.evidence
    found = []
    for measure in MEASURES:
        apart = between(evidence, measure, *rivals)
        for i in np.argsort(-apart, kind="stable")[:most].tolist():
            if apart[i] > TOLD:
                found.append(
                    Next(
                        measure,
                        names(diagnosis, measure)[i],
                        float(rivals[0].predicted[measure][i]),
                        float(rivals[1].predicted[measure][i]),
                        float(apart[i]),
                        not np.isfinite(evidence.measured[measure][i]),
                    )
                )
    found.sort(key=lambda one: (not (one.missing and one.apart > CLEAR), -one.apart))
    return found[:most]


def repairs(fault: Fault, network: Scenario) -> tuple[Change, ...]:
    """Changes that make good a fault, or keep traffic off it until it is repaired; none where no
    change of the configuration does."""
    topology = network.topology
    if fault.kind == "link_down":
        return (RestoreLink(fault.place),)
    if fault.kind == "node_down":
        return (RestoreNode(fault.place),)
    if fault.kind == "surge":
        return _limits(network, *fault.place.split("->", 1))
    if fault.kind == "attack":
        return _limits(network, "", fault.place)
    if fault.kind in ("black_hole", "loop", "ecmp_imbalance", "counter_fault"):
        return ()
    made: list[Change] = []
    for k in find_links(topology, fault.place).tolist():
        name = topology.link_name[k]
        if fault.kind == "wrong_metric":
            made.append(SetWeight(name, float(topology.link_weight[k])))
        elif fault.kind in ("wrong_weights", "wrong_class_map", "small_buffer"):
            port = topology.schedulers[topology.link_scheduler[k]]
            made.append(SetScheduler(name, port.to_dict()))
        else:
            made.append(SetWeight(name, float(topology.link_weight[k]) * DRAINED))
    return tuple(made)


def _limits(network: Scenario, source: str, target: str) -> tuple[Change, ...]:
    topology, traffic = network.topology, network.traffic
    chosen = traffic.flow_target == topology.node(target)
    if source:
        chosen &= traffic.flow_source == topology.node(source)
    rates = traffic.flow_rate_bps
    return tuple(
        RateLimit(network.flow_names[f], float(rates[f])) for f in np.flatnonzero(chosen).tolist()
    )


BY_HAND = {
    "black_hole": "correct the route to {fault.detail} at {fault.place}",
    "loop": "correct the route to {fault.detail} where {fault.place} begins",
    "ecmp_imbalance": "give {fault.place} another hash seed",
    "counter_fault": "read the counter of {fault.place} from the other end; restart its agent",
    "link_down": "repair {fault.place}",
    "node_down": "repair {fault.place}",
    "random_loss": "keep traffic off {fault.place}, clean or replace its optics and cable",
    "class_loss": "look at the filters and policers of {fault.place}; keep traffic off it",
    "capacity_loss": "keep traffic off {fault.place} until it is repaired",
    "link_degraded": "keep traffic off {fault.place} until it is repaired",
    "duplex_mismatch": "set duplex alike on both ends of {fault.place}",
}


def by_hand(hypothesis: Hypothesis) -> list[str]:
    """What people do that no change plan does."""
    return [BY_HAND[f.kind].format(fault=f) for f in hypothesis.faults if f.kind in BY_HAND]


def repair_plan(diagnosis: Diagnosis, model: NetworkModel) -> ChangePlan | None:
    """The repair of the first cause as a change plan, with what the twin predicts before and
    after it; None where no change of the configuration helps."""
    begin = perf_counter()
    best, evidence = diagnosis.best, diagnosis.evidence
    network = evidence.network
    usual = network.with_(traffic=network.traffic.with_arrays(flow_rate_bps=evidence.usual_bps))
    changes = tuple(c for fault in best.faults for c in repairs(fault, usual))
    if not changes:
        return None
    drains = [c for c in changes if isinstance(c, SetWeight)]
    left = [f for f in best.faults if not _undone(f)]
    start = replace(evidence, network=apply_all(network, drains))
    faulty, factor = start.start(left)
    metrics = model.predict([faulty.scenario])[0]
    after = evidence.predicted(faulty, factor, metrics)
    judged = [
        judge(KEPT, State(usual, _as_metrics(values, model.name)))
        for values in (best.predicted, after)
    ]
    return ChangePlan(
        changes=changes,
        before=judged[0],
        after=judged[1],
        method="troubleshoot",
        seed=0,
        seconds=perf_counter() - begin,
        intent=KEPT.name,
        network=network.fingerprint(),
        notes={"cause": best.name},
    )


def _undone(fault: Fault) -> bool:
    """Whether its repair takes a fault away, rather than keeping traffic off it."""
    kept = ("random_loss", "class_loss", "capacity_loss", "link_degraded", "duplex_mismatch")
    none = ("black_hole", "loop", "ecmp_imbalance", "counter_fault")
    return fault.kind not in (*kept, *none)


def _as_metrics(values: object, engine: str) -> Metrics:
    table: dict[str, np.ndarray] = values  # type: ignore[assignment]
    flow = {"owd_mean_s": table[DELAY], "loss_ratio": np.nan_to_num(table[LOSS])}
    link = {"throughput_bps": table[SENT], "loss_ratio": table["link/loss_ratio"]}
    return Metrics(Table(flow), Table(link), Table({}), method="predicted", engine=engine)


def hardening(hypothesis: Hypothesis) -> list[str]:
    """What would have prevented the faults, or shown them earlier."""
    return [KINDS[f.kind].hardening for f in hypothesis.faults]


def paragraph(diagnosis: Diagnosis) -> list[str]:
    """The answer in plain words."""
    first = diagnosis.causes[0]
    best, said = first.best, []
    share = f"{first.probability:.0%}" if first.probability < 0.995 else "more than 99 %"
    if best.unknown:
        said.append(
            "Something is wrong that none of the known faults explains"
            f" (probability {share.replace('%', ' %').replace('  ', ' ')})."
        )
    elif not best.faults:
        said.append(f"Nothing is wrong, as far as was measured (probability {_percent(share)}).")
    else:
        said.append(f"Most probably {best.name} (probability {_percent(share)}).")
        count = len(best.faults)
        others = [
            h.name
            for h in first.hypotheses[1:]
            if _named(h) != _named(best) and len(h.faults) <= count
        ]
        if others:
            said.append(
                "No measurement tells apart from it: " + "; ".join(dict.fromkeys(others)) + "."
            )
    for_it, against = clues(diagnosis, best)
    if best.faults and for_it:
        said.append(f"It explains {len(for_it)} odd measurements, such as {for_it[0].words()}.")
    if against and not best.unknown:
        said.append(f"It does not explain {len(against)}, such as {against[0].words()}.")
    elif best.unknown and against:
        said.append(f"{len(against)} measurements are odd, such as {against[0].words()}.")
    if len(diagnosis.causes) > 1 and diagnosis.causes[1].probability >= 0.01:
        second = diagnosis.causes[1]
        said.append(f"Next: {second.best.name} ({_percent(f'{second.probability:.0%}')}).")
    missing = [n for n, part in diagnosis.coverage.items() if part == 0]
    if missing:
        said.append(
            "Not measured at all, so not known: " + ", ".join(NOUNS[n] for n in missing) + "."
        )
    if not diagnosis.evidence.incident.before:
        said.append(
            "Nothing was measured before the incident: the twin's own errors are not known, and"
            " small faults do not show."
        )
    return said


def _percent(share: str) -> str:
    return share if " %" in share else share.replace("%", " %")


def _named(h: Hypothesis) -> tuple[tuple[str, str, str], ...]:
    return tuple((f.kind, f.place, f.detail) for f in h.faults)
