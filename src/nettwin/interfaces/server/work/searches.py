"""Searches: plans looked for, with the best so far and the bound told live."""

from __future__ import annotations

import math
from typing import Any

from nettwin.apps.planning import find_plan
from nettwin.change_plan import plan_to_dict
from nettwin.errors import InputError
from nettwin.formats.intent import intent_data
from nettwin.intent.check import check
from nettwin.interfaces import documents, wiring
from nettwin.interfaces.documents import questions
from nettwin.interfaces.server.jobs.kinds import Work
from nettwin.interfaces.server.work import asked
from nettwin.interfaces.server.work.intents import intent_of
from nettwin.optimize.search import Progress
from nettwin.optimize.stop import AnyOf, Cancel, Gap, Seconds, Stop
from nettwin.scenario.changes import apply_all, change_to_dict

SIMULATOR = "packet"


def optimize(work: Work) -> dict[str, Any]:
    """As `nettwin optimize --json`; a cancelled one gives the best plan so far."""
    given = work.arguments
    of, wanted = asked.network(work), intent_of(work)
    assert wanted is not None
    happened = asked.changes(given.get("happened", ()))
    scenario = apply_all(of.scenario, happened)
    method, seconds = str(given.get("method", "auto")), float(given.get("seconds", 5.0))
    wiring.optimizer(method)
    found = check(wanted, scenario)
    if not found.sound:
        issues = [str(one) for one in found.diagnostics if one.kind != "warning"]
        raise InputError(f"the intent {wanted.name} cannot be met: {'; '.join(issues)}")
    predictor = asked.engine(work) if wanted.predicted else None
    cancel = Cancel()
    rules: list[Stop] = [Seconds(seconds), cancel]
    if given.get("gap") is not None:
        rules.append(Gap(float(given["gap"])))

    def tell(progress: Progress) -> None:
        if work.stopped():
            cancel.cancel()
        standing = progress.standing
        told = {
            "stage": progress.stage,
            "of": progress.of,
            "best": standing.best if math.isfinite(standing.best) else None,
            "bound": standing.bound if math.isfinite(standing.bound) else None,
            "seconds": round(standing.seconds, 3),
        }
        work.tell(min(standing.seconds / seconds, 1.0) if seconds else None, told)

    verifies = given.get("verify")
    verifies = wanted.predicted if verifies is None else bool(verifies)
    seed = int(given.get("seed", 1))
    verifier = wiring.engine(SIMULATOR, seed=seed) if verifies else None
    plan = find_plan(
        scenario,
        wanted,
        predictor,
        method=method,
        stop=AnyOf(tuple(rules)),
        seed=seed,
        verifier=verifier,
        tell=tell,
    )
    notes = asked.notes(of._replace(scenario=scenario), [predictor] if predictor else [])
    notes["warnings"] += [str(one) for one in found.diagnostics]
    if predictor is not None:
        after = apply_all(scenario, plan.changes)
        notes["warnings"] += questions.doubts(*predictor.predict([scenario, after]))
    return documents.headed(
        "optimize",
        {
            "network": asked.about(of, scenario),
            "happened": [change_to_dict(change) for change in happened],
            **notes,
            "engine": predictor.name if predictor else None,
            "intent": intent_data(wanted),
            "plan": plan_to_dict(plan),
        },
    )
