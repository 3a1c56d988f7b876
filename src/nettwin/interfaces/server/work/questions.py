"""Questions: what the network does, after changes, after every failure, and why."""

from __future__ import annotations

from time import perf_counter
from typing import Any

from nettwin.apps.explanation.explanation import (
    Explanation,
    explain_flow,
    explain_network,
    explain_port,
)
from nettwin.apps.explanation.target import flows_between
from nettwin.apps.resilience.resilience import PREDICTED_PAIRS, resilience
from nettwin.apps.whatif import what_if
from nettwin.errors import InputError
from nettwin.interfaces import documents
from nettwin.interfaces.documents import questions
from nettwin.interfaces.server.jobs.kinds import Work
from nettwin.interfaces.server.work import asked
from nettwin.interfaces.server.work.intents import intent_of
from nettwin.scenario.changes import apply_all, change_to_dict

HALF = 0.5


def predict(work: Work) -> dict[str, Any]:
    """As `nettwin predict --json`."""
    of, model = asked.network(work), asked.engine(work)
    notes = asked.notes(of, [model])
    begin = perf_counter()
    metrics = model.predict([of.scenario])[0]
    seconds = perf_counter() - begin
    notes["warnings"] += questions.doubts(metrics)
    told = asked.answer(work, of.scenario, metrics, seconds)
    return documents.headed("predict", {"answers": [{"network": asked.about(of), **notes, **told}]})


def whatif(work: Work) -> dict[str, Any]:
    """As `nettwin whatif --json`."""
    of, model = asked.network(work), asked.engine(work)
    changes = asked.changes(work.arguments["changes"])
    if not changes:
        raise InputError('nothing changes: give changes such as "fail_link A<->B".')
    notes = asked.notes(of, [model])
    found = what_if(of.scenario, changes, model)
    notes["warnings_after"] = questions.issues(found.scenario_after, [model])
    notes["warnings_after"] += questions.doubts(found.before, found.after)
    content = questions.whatif(found)
    if (parts := work.arguments.get("parts")) is not None:
        for side in ("before", "after"):
            content[side] = asked.trimmed(content[side], parts)
    return documents.headed("whatif", {"network": asked.about(of), **notes, **content})


def failures(work: Work) -> dict[str, Any]:
    """As `nettwin failures --json`; a cancelled one tells what it has looked at."""
    of = asked.network(work)
    happened = asked.changes(work.arguments.get("happened", ()))
    scenario = apply_all(of.scenario, happened)
    model = None if work.arguments.get("loads") else asked.engine(work)
    wanted = intent_of(work, required=False)
    notes = asked.notes(of._replace(scenario=scenario), [model] if model else [])

    def tell(share: float) -> None:
        if work.stopped():
            raise KeyboardInterrupt  # as by Ctrl-C: what is done by then is the answer
        work.tell(share, {})

    found = resilience(
        scenario,
        model,
        work.arguments.get("kinds", ["link"]),
        intent=wanted,
        most_pairs=int(work.arguments.get("pairs", PREDICTED_PAIRS)),
        progress=tell,
    )
    if found.metrics is not None:
        notes["warnings"] += questions.doubts(found.metrics)
    notes["warnings"] += list(found.warnings)
    return documents.headed(
        "failures",
        {
            "network": asked.about(of, scenario),
            "happened": [change_to_dict(change) for change in happened],
            **notes,
            "resilience": questions.failures(found),
        },
    )


def explain(work: Work) -> dict[str, Any]:
    """As `nettwin explain --json`."""
    of, model = asked.network(work), asked.engine(work)
    notes = asked.notes(of, [model])
    found = _explained(work, of, model)
    notes["warnings"] += questions.doubts(found.metrics)
    content = {"network": asked.about(of), **notes, **documents.engine(found.metrics)}
    return documents.headed("explain", content | questions.explanation(found))


def _explained(work: Work, of: Any, model: Any) -> Explanation:
    given = {k: work.arguments.get(k) for k in ("flow", "queue", "link")}
    named = [k for k, v in given.items() if v]
    if len(named) > 1:
        raise InputError(f"{' and '.join(named)} cannot be explained at once. Give one of them.")
    factor = HALF if work.arguments.get("halve") else 0.0
    top, tell = int(work.arguments.get("top", 10)), asked.telling(work)
    if flow := given["flow"]:
        names = [flow] if isinstance(flow, str) else flows_between(of.scenario, *flow)
        return explain_flow(of.scenario, model, names, top=top, factor=factor, progress=tell)
    if named:
        return explain_port(
            of.scenario,
            model,
            queue=given["queue"] or "",
            link=given["link"] or "",
            top=top,
            factor=factor,
            progress=tell,
        )
    return explain_network(of.scenario, model, factor=factor, progress=tell)
