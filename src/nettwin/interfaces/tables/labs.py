"""Labs: what there is, what is measured, and how it went."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from rich.table import Table
from rich.text import Text

from nettwin import units
from nettwin.apps.labs import words
from nettwin.apps.labs.lab import Lab
from nettwin.apps.labs.practice import Practice, Seen
from nettwin.apps.labs.trial import Tried
from nettwin.interfaces.tables import style


def labs(found: Sequence[Lab]) -> Table:
    """The labs, the easiest first."""
    rows = [
        (one.name, one.title, "*" * one.level, f"{one.minutes:g} min", f"{len(one.variants)}")
        for one in sorted(found, key=lambda lab: (lab.level, lab.name))
    ]
    return style.table("Labs", "<lab | <<what it is about | <level | time | variants", rows=rows)


def goals(found: Seen) -> Table:
    """Every goal, and whether it is met."""
    rows = [
        (
            line.text,
            words.value_of(line),
            line.worst,
            Text("met", style.CALM) if line.met else Text("missed", style.ALARM),
        )
        for line in found.judgement.lines
    ]
    return style.table("Goals", "<<goal | measured | <worst | <", rows=rows)


def links(practice: Practice, found: Seen, top: int) -> Table:
    """The fullest links and those that drop most, as the network tells of them."""
    sees, topology = practice.lab.sees, found.told.topology
    drops, configured = "drops" in sees, "configuration" in sees
    carried, loss = found.carried, np.nan_to_num(found.metrics.link["loss_ratio"])
    rank = carried + (10 * loss if drops else 0.0)
    order = np.argsort(-np.nan_to_num(rank), kind="stable")
    rows = []
    for k in order[:top].tolist():
        row: list[str | Text] = [
            topology.link_name[k],
            units.rate(float(topology.link_capacity_bps[k])),
            style.load(float(carried[k])) if topology.link_live[k] else Text("down", style.ALARM),
        ]
        row += [style.loss(float(loss[k]))] if drops else []
        row += [f"{topology.link_weight[k]:g}", _scheduler(found, k)] if configured else []
        rows.append(row)
    return style.table(
        "Links, as they tell",
        "<link | capacity | carries",
        "drops" if drops else None,
        "weight | <scheduler" if configured else None,
        rows=rows,
        of=topology.link_count,
    )


def _scheduler(found: Seen, link: int) -> str:
    topology = found.told.topology
    scheduler = topology.schedulers[topology.link_scheduler[link]]
    names = found.told.traffic.class_name
    parts = [f"{name}: queue {scheduler.queue_of(name)}" for name in names]
    if len(scheduler.queues) < 2:
        return str(scheduler.policy)
    weights = "/".join(f"{queue.weight:g}" for queue in scheduler.queues)
    return f"{scheduler.policy} {weights} ({', '.join(parts)})"


def flows(found: Seen, top: int) -> Table:
    """The flows that lose most, then those that are slowest."""
    scenario, table = found.told, found.metrics.flow
    loss = np.where(found.truth.paths.status == 0, np.nan_to_num(table["loss_ratio"]), 1.0)
    delay = np.nan_to_num(table["owd_mean_s"])
    order = np.lexsort((-delay, -np.round(loss, 3)))
    traffic = scenario.traffic
    rows = [
        (
            scenario.flow_names[f],
            traffic.class_name[traffic.flow_class[f]],
            units.rate(float(traffic.flow_rate_bps[f])),
            units.duration(float(delay[f])),
            style.loss(float(loss[f])),
        )
        for f in order[:top].tolist()
    ]
    return style.table(
        "Flows, the worst first",
        "<flow | <class | sends | mean delay | lost",
        rows=rows,
        of=traffic.flow_count,
    )


def tried(of: Lab, found: Sequence[Tried]) -> Table:
    """How the ways to leave a lab went."""
    rows = [
        (
            f"{one.variant + 1}",
            one.what,
            f"{one.points:.0f}",
            "passed" if one.passed else "failed",
            Text("as it must", style.CALM) if one.right else Text("must not", style.ALARM),
            "; ".join(one.missed),
        )
        for one in found
    ]
    return style.table(
        f"{of.name}: tried", "variant | <<what is done | points | <went | < | <<missed", rows=rows
    )
