"""Explanations: of one flow, of a queue or a link, of a whole network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from nettwin.apps.explanation.causes import Causes, find_causes
from nettwin.apps.explanation.critical import Critical, critical_hops, critical_queues
from nettwin.apps.explanation.splitting import HopPart, split_flow
from nettwin.apps.explanation.target import flow_target, link_target, queue_target
from nettwin.apps.summary import worst_queues
from nettwin.metrics import Metrics
from nettwin.model import Explainable, HopSplit, NetworkModel, settled
from nettwin.scenario.scenario import Scenario

Progress = Callable[[float], None]  # called with the share done, 0 to 1
MAX_LINKS = 3  # of a network, whose causes are searched
FEW_FLOWS = 5  # tried at each of them
FLAGGED = "{} is flagged: {} expects its delay to be off"
NOT_BY_HOPS = (
    "the engine {} does not go by hops: its delays are not split, what is said of causes rests on"
    " predicting again"
)


@dataclass(frozen=True)
class FlowExplanation:
    """Where a flow's delay arises, and which flows cause it.

    `parts` add up to the flow's mean delay; `needed` are the fewest of them that keep it within
    DELAY_KEPT. Both are empty for a model that does not go by hops. `worst` has the causes at the
    queue of several in which the flow waits longest, `causes` those of its delay from end to end.
    """

    scenario: Scenario
    metrics: Metrics
    flow: int
    causes: Causes
    parts: tuple[HopPart, ...] = ()
    needed: tuple[HopPart, ...] = ()
    worst: Causes | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class PortExplanation:
    """Who makes the delay and the loss of a queue or a link."""

    scenario: Scenario
    metrics: Metrics
    causes: Causes
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class NetworkExplanation:
    """The queues that a network's answer rests on, and the causes at the links of the first of them
    (where none decides, at those that fare worst)."""

    scenario: Scenario
    metrics: Metrics
    critical: Critical | None  # None for a model that does not go by hops
    causes: tuple[Causes, ...]
    notes: tuple[str, ...] = ()


Explanation = FlowExplanation | PortExplanation | NetworkExplanation


def explain_flow(
    scenario: Scenario,
    model: NetworkModel,
    names: Sequence[str],
    *,
    top: int = 10,
    factor: float = 0.0,
    progress: Progress | None = None,
) -> FlowExplanation:
    """Why a flow is as slow as it is; of several names, that of the slowest flow.

    `top` flows are tried as causes, their rates multiplied by `factor` (0: removed).
    """
    tell, model = progress or (lambda _: None), settled(model, [scenario])
    targets = [flow_target(scenario, name) for name in names]
    before, split = model.predict([scenario])[0], split_of(scenario, model)
    target = max(targets, key=lambda t: np.nan_to_num(t.delay_s(before), nan=np.inf))
    notes = [] if split else [NOT_BY_HOPS.format(model.name)]
    if len(names) > 1:
        others = ", ".join(name for name in names if name != target.name)
        notes.append(f"{target.name} is the slowest of {len(names)} flows; the others are {others}")
    if before.flagged is not None and before.flagged[target.index]:
        notes.append(FLAGGED.format(target.name, model.name))
    parts = split_flow(scenario, split, target.index) if split else ()
    causes = find_causes(
        scenario,
        model,
        target,
        top=top,
        factor=factor,
        before=before,
        progress=lambda part: tell(0.7 * part),
    )
    worst = max(parts, key=lambda part: (part.waited_s, part.loss), default=None)
    at_worst = None
    if worst is not None and worst.waited_s > 0 and len(parts) > 1:
        at_worst = find_causes(
            scenario,
            model,
            queue_target(scenario, worst.queue),
            top=FEW_FLOWS,
            factor=factor,
            before=before,
            progress=lambda part: tell(0.7 + 0.3 * part),
        )
    return FlowExplanation(
        scenario,
        before,
        target.index,
        causes,
        parts,
        critical_hops(parts),
        at_worst,
        tuple(notes),
    )


def explain_port(
    scenario: Scenario,
    model: NetworkModel,
    *,
    queue: str = "",
    link: str = "",
    top: int = 10,
    factor: float = 0.0,
    progress: Progress | None = None,
) -> PortExplanation:
    """Who makes the delay and the loss of a queue, or of a link with all its queues."""
    target = queue_target(scenario, queue) if queue else link_target(scenario, link)
    model = settled(model, [scenario])
    before = model.predict([scenario])[0]
    causes = find_causes(
        scenario, model, target, top=top, factor=factor, before=before, progress=progress
    )
    return PortExplanation(scenario, before, causes)


def explain_network(
    scenario: Scenario,
    model: NetworkModel,
    *,
    factor: float = 0.0,
    progress: Progress | None = None,
) -> NetworkExplanation:
    """The queues that decide what a network does, and who fills the first of them."""
    tell, model = progress or (lambda _: None), settled(model, [scenario])
    before, split = model.predict([scenario])[0], split_of(scenario, model)
    critical = critical_queues(scenario, split) if split else None
    links = [queue.link for queue in critical.queues] if critical else []
    if not links:
        used = set(scenario.hop_queue.tolist())
        port, link_name = scenario.topology.queues.link, scenario.topology.link_name
        links = [link_name[port[q]] for q in worst_queues(before).tolist() if q in used]
    names = list(dict.fromkeys(links))[:MAX_LINKS]
    causes = []
    for i, name in enumerate(names):
        causes.append(
            find_causes(
                scenario,
                model,
                link_target(scenario, name),
                top=FEW_FLOWS,
                factor=factor,
                before=before,
                progress=lambda part, i=i: tell((i + part) / len(names)),  # type: ignore[misc]
            )
        )
    notes = () if split else (NOT_BY_HOPS.format(model.name),)
    return NetworkExplanation(scenario, before, critical, tuple(causes), notes)


def split_of(scenario: Scenario, model: NetworkModel) -> HopSplit | None:
    """What makes up a model's delays hop by hop; None where it does not go by hops."""
    return model.hops(scenario) if isinstance(model, Explainable) else None
