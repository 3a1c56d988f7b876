"""nettwin status: where the loop of a workspace stands."""

from __future__ import annotations

from typing import Any

from rich.text import Text

from nettwin.interfaces.cli import options as o
from nettwin.interfaces.cli import workspaces as w
from nettwin.interfaces.cli.loop import counted
from nettwin.interfaces.cli.output import Output
from nettwin.interfaces.cli.program import command
from nettwin.interfaces.tables import workspace as tables


@command("nettwin status --workspace twin", "nettwin status --workspace twin --json")
def status(workspace: w.WorkspaceOption = w.HERE, json: o.JsonOption = False) -> None:
    """Show where the loop of a workspace stands, and what its network is like now."""
    from nettwin.apps.loop import checks
    from nettwin.apps.loop.state import read_state
    from nettwin.change_plan import judgement_to_dict

    output = Output("status", json)
    place = w.opened(workspace)
    state = read_state(place.state_file)
    times = place.repository.times_s()
    issues = [*place.repository.store.damaged(), *place.audit.issues()]
    facts: dict[str, Any] = {
        "workspace": place.settings.name,
        "network": place.settings.kind,
        "observations": len(times),
        "last": w.moment(float(times[-1])) if len(times) else None,
        "step": state.step,
        "plan": state.plan or None,
        "applied": state.applied,
        "kept": state.kept,
        "rolled_back": state.rolled_back,
        "calibrate": state.calibrate or None,
    }
    judged = None
    if len(times):
        seen = place.repository.observation(float(times[-1]))
        judged = checks.measured(place.intent, seen)
        facts["measured"] = judgement_to_dict(judged)
    output.document({**facts, "issues": issues})
    output.show(tables.status(facts))
    if judged is not None:
        output.show(tables.judged(judged))
    output.note("Damaged", issues, "red")
    output.show(Text(counted(state.applied, state.kept, state.rolled_back), "bold"))
