"""Words: an explanation in short sentences, the most important first."""

from __future__ import annotations

import math

from nettwin import units
from nettwin.apps.explanation.causes import Cause, Causes
from nettwin.apps.explanation.critical import DELAY_KEPT, FLOWS_KEPT, LOSS_KEPT
from nettwin.apps.explanation.explanation import (
    Explanation,
    FlowExplanation,
    NetworkExplanation,
    PortExplanation,
)

WORTH = 0.05  # part of a delay that is worth a word
NEARLY_ALL = 0.8  # part of the load from which on an aggregate explains nothing
LOSS_WORTH = 1e-4  # loss that is


def in_words(found: Explanation) -> list[str]:
    """The explanation, a sentence each."""
    match found:
        case FlowExplanation():
            return _flow(found)
        case PortExplanation():
            return _port(found.causes)
        case NetworkExplanation():
            return _network(found)


def _flow(found: FlowExplanation) -> list[str]:
    scenario, causes = found.scenario, found.causes
    traffic, name = scenario.traffic, causes.target.name
    rate = units.rate(float(traffic.flow_rate_bps[found.flow]))
    if not math.isfinite(causes.delay_s):
        return [f"Nothing of flow {name} ({rate}) arrives.", *_who(causes)]
    delay = units.duration(causes.delay_s)
    out = [f"Flow {name} ({rate}) takes {delay} from end to end on average."]
    out += _where(found)
    waiting = sum(part.waited_s for part in found.parts)
    if found.parts and waiting < WORTH * causes.delay_s and causes.measure == "delay":
        return out
    if found.worst is not None:
        out += _who(found.worst)
        out += _who(causes)[:1]
    else:
        out += _who(causes)
    return out + _needed(found)


def _where(found: FlowExplanation) -> list[str]:
    """Where the delay is made."""
    parts, delay = found.parts, found.causes.delay_s
    if not parts:
        return []
    kinds = {
        "waiting": sum(p.waited_s for p in parts),
        "propagation": sum(p.propagation_s for p in parts),
        "transmission": sum(p.transmission_s for p in parts),
    }
    ordered = sorted(kinds.items(), key=lambda kind: -kind[1])
    told = ", ".join(f"{_of(value, delay)} {kind}" for kind, value in ordered)
    out = [f"It is made of {told}."]
    worst = max(parts, key=lambda part: part.waited_s)
    if worst.waited_s >= WORTH * delay:
        out.insert(
            0,
            f"Of {units.duration(delay)}, {_of(worst.waited_s, delay)} is waiting at"
            f" {worst.queue}.",
        )
    if kinds["waiting"] < WORTH * delay:
        out.append("Hardly anything is waiting: less traffic would not make it faster.")
    correction = sum(part.correction_s for part in parts)
    if any(part.correction_s for part in parts):
        largest = max(parts, key=lambda part: abs(part.correction_s))
        out.append(
            f"Queueing theory alone says {units.duration(delay - correction)}; the model makes it"
            f" {_signed(correction)}, most at {largest.queue} ({_signed(largest.correction_s)})."
        )
    lost = max(parts, key=lambda part: part.loss)
    if found.causes.loss >= LOSS_WORTH:
        out.append(
            f"{units.percent(found.causes.loss, 2)} of its packets are lost, most at {lost.queue}"
            f" ({units.percent(lost.loss, 2)})."
        )
    return out


def _needed(found: FlowExplanation) -> list[str]:
    if len(found.parts) < 2:
        return []
    kept = units.percent(DELAY_KEPT, 0)
    if not found.needed:
        return [f"Without waiting anywhere the delay would be within {kept} of it."]
    names = ", ".join(part.queue for part in found.needed)
    decide = "decides" if len(found.needed) == 1 else "decide"
    return [
        f"{len(found.needed)} of its {len(found.parts)} queues {decide}: waiting there alone keeps"
        f" the delay within {kept} ({names})."
    ]


def _port(causes: Causes) -> list[str]:
    target = causes.target
    took = f"Packets take {units.duration(causes.delay_s)} at {target.kind} {target.name}"
    lost = f" and {units.percent(causes.loss, 2)} are lost" if causes.loss >= LOSS_WORTH else ""
    flows = f"{causes.flows} flows go" if causes.flows != 1 else "1 flow goes"
    return [f"{took}{lost}; {flows} through its port.", *_who(causes)]


def _who(causes: Causes) -> list[str]:
    """Who makes the delay or the loss: the flow with the largest effect, and aggregates."""
    flows = causes.of("flow")
    whole = causes.loss if causes.measure == "loss" else causes.delay_s
    what = f"the {causes.measure} at {causes.target.name}"
    if causes.target.kind == "flow":
        what = f"the {causes.measure} of {causes.target.name}"
    if not flows or not whole > 0:
        return []
    first = flows[0]
    part = causes.effect(first) / whole
    who = "its own traffic" if first.name == causes.target.name else f"flow {first.name}"
    out = []
    if part >= WORTH:
        extent = "Most of" if part > 0.5 else "The largest part of"
        out.append(
            f"{extent} {what} is caused by {who}"
            f" ({units.rate(first.rate_bps)}, {units.percent(first.share, 0)} of the load):"
            f" {_without(causes, first)}."
        )
    else:
        out.append(
            f"No single flow of {causes.flows} makes {what}: the largest effect is that of {who}"
            f" ({_without(causes, first)})."
        )
    for cause in causes.found:
        told = cause.kind != "flow" and cause.share <= NEARLY_ALL
        if told and causes.effect(cause) / whole >= max(part, WORTH):
            out.append(f"{_aggregate(cause)}: {_without(causes, cause)}.")
            break
    return out


def _aggregate(cause: Cause) -> str:
    words = {"class": "class", "source": "traffic from", "target": "traffic to"}[cause.kind]
    flows = f"{cause.flows} flows" if cause.flows > 1 else "1 flow"
    return (
        f"Of several flows together, {words} {cause.name} ({flows}, {units.rate(cause.rate_bps)},"
        f" {units.percent(cause.share, 0)} of the load) matters most"
    )


def _without(causes: Causes, cause: Cause) -> str:
    """What the target would have without a cause."""
    how = "without it" if causes.factor == 0 else f"with {units.percent(causes.factor, 0)} of it"
    if causes.measure == "loss":
        after, before = units.percent(cause.loss, 2), units.percent(causes.loss, 2)
        change = units.change(causes.loss, cause.loss)
    else:
        after, before = units.duration(cause.delay_s), units.duration(causes.delay_s)
        change = units.change(causes.delay_s, cause.delay_s)
    return f"{how} {after} instead of {before} ({change})"


def _network(found: NetworkExplanation) -> list[str]:
    critical, out = found.critical, []
    if critical is not None:
        delay, loss = units.percent(DELAY_KEPT, 0), f"{LOSS_KEPT * 100:.0f} point"
        kept = f"within {delay} of its delay and {loss} of its loss"
        if critical.queues:
            none = units.percent(critical.kept_by_none, 0)
            decide = "decides" if len(critical.queues) == 1 else "decide"
            out.append(
                f"{len(critical.queues)} of {critical.used} queues {decide}: if packets waited and"
                f" were lost there alone, {units.percent(critical.kept, 0)} of the flows would"
                f" each stay {kept}; with no queue at all, {none} would."
            )
            out.append(f"They hold {units.percent(critical.waiting_kept, 0)} of all waiting.")
        else:
            out.append(
                f"No queue decides: without any waiting and loss {units.percent(FLOWS_KEPT, 0)}"
                f" of the flows would each stay {kept}. The longest waiting is at these:"
            )
    for causes in found.causes:
        out.append(" ".join([*_port(causes)[:1], *_who(causes)[:1]]))
    return out


def _of(part: float, whole: float) -> str:
    return f"{units.duration(part)} ({units.percent(part / whole, 0)})"


def _signed(seconds: float) -> str:
    return f"{units.duration(abs(seconds))} {'more' if seconds >= 0 else 'less'}"
