"""Ports: queue weights, and which class goes to which queue, where flows that matter wait."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import numpy as np

from nettwin.optimize.model_guided.levers.move_context import MoveContext
from nettwin.optimize.problem import Changes
from nettwin.scenario.changes import SetScheduler
from nettwin.scenario.scheduling import SCHEDULERS, Scheduler

LINKS, QUEUES = 3, 4  # looked at: hot ports, the first queues of each
Edit = Callable[[Scheduler], Scheduler | None]


def schedulers(context: MoveContext) -> Iterator[Changes]:
    """The class that asks most gets more of a hot port, or an earlier queue; there, and at every
    port alike."""
    traffic = context.scenario.traffic
    asked = np.bincount(traffic.flow_class, context.concern, len(traffic.class_name))
    if not asked.any():
        return
    name = traffic.class_name[int(asked.argmax())]
    others = [other for other in traffic.class_name if other != name]
    allowed = np.flatnonzero(context.problem.links("schedulers"))
    mine = set(allowed.tolist())
    hot = [k for k in context.hot_links(LINKS) if k in mine]
    for edit in _edits(name, others):
        for links in ([k] for k in hot):
            yield from _applied(context, links, edit)
        crossed = allowed[context.hotspot[allowed] > 0]
        for several in (crossed, allowed):
            if len(several) > 1:
                yield from _applied(context, several.tolist(), edit)


def _edits(name: str, others: list[str]) -> Iterator[Edit]:
    for factor in (2.0, 4.0):
        yield partial(_weighted, name=name, factor=factor)
    for queue in range(QUEUES):
        yield partial(_moved, name=name, queue=queue)
    for other in others:
        yield partial(_moved, name=other, queue=-1)


def _weighted(scheduler: Scheduler, name: str, factor: float) -> Scheduler | None:
    policy = SCHEDULERS[scheduler.policy]
    if len(scheduler.queues) < 2 or not (policy.uses_weight or policy.uses_quantum):
        return None
    q = scheduler.queue_of(name)
    old = scheduler.queues[q]
    new = replace(old, weight=old.weight * factor, quantum_bits=old.quantum_bits * factor)
    return replace(scheduler, queues=(*scheduler.queues[:q], new, *scheduler.queues[q + 1 :]))


def _moved(scheduler: Scheduler, name: str, queue: int) -> Scheduler | None:
    queue = queue if queue >= 0 else len(scheduler.queues) - 1
    if queue >= len(scheduler.queues) or scheduler.queue_of(name) == queue:
        return None
    return replace(scheduler, class_queue={**scheduler.class_queue, name: queue})


def _applied(context: MoveContext, links: list[int], edit: Edit) -> Iterator[Changes]:
    topology = context.scenario.topology
    changes = []
    for k in links:
        new = edit(topology.schedulers[topology.link_scheduler[k]])
        if new is not None:
            changes.append(SetScheduler(topology.link_name[k], new.to_dict()))
    if changes:
        yield tuple(changes)
