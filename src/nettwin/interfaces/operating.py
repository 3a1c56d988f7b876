"""Operating: the loop of a workspace, with the engines that its settings name."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from nettwin import units
from nettwin.interfaces import wiring
from nettwin.model import NetworkModel
from nettwin.scenario.scenario import Scenario

if TYPE_CHECKING:
    from nettwin.apps.loop.loop import Loop, Told
    from nettwin.intent import Judgement
    from nettwin.physical.network import Network
    from nettwin.workspace.settings import LoopSettings
    from nettwin.workspace.workspace import Workspace

NONE = "none"
SIMULATOR, EMULATION = "packet", "emulation"
# of a verification: it has to be done before the network has become another one
VERIFIER = {"precision": 0.05, "max_packets": 400_000}


def corrected(workspace: Workspace) -> Callable[[Scenario], Scenario]:
    """The twin's scenario of what a network tells, with the corrections of the workspace."""
    from nettwin.apps.calibration.corrections import read_corrections

    return read_corrections(workspace.twin_file).corrected


def model_of(settings: LoopSettings) -> NetworkModel:
    """The engine that predicts."""
    return wiring.engine(settings.engine)


def verifier_of(settings: LoopSettings) -> NetworkModel | None:
    """The engine that looks at plans; None where none shall."""
    if settings.verify == NONE:
        return None
    if settings.verify == EMULATION:
        return wiring.emulation()
    own: dict[str, Any] = dict(VERIFIER) if settings.verify == SIMULATOR else {}
    return wiring.engine(settings.verify, **own)


def status_document(workspace: Workspace, measured: Judgement | None = None) -> dict[str, Any]:
    """Where the loop of a workspace stands, and how what was measured last meets the intent (where
    that is not known already); as `nettwin status --json` tells it."""
    from nettwin.apps.loop import checks
    from nettwin.apps.loop.state import read_state
    from nettwin.change_plan import judgement_to_dict

    state = read_state(workspace.state_file)
    times = workspace.repository.times_s()
    facts: dict[str, Any] = {
        "workspace": workspace.settings.name,
        "network": workspace.settings.kind,
        "observations": len(times),
        "last": units.moment(float(times[-1])) if len(times) else None,
        "last_s": float(times[-1]) if len(times) else None,
        "step": state.step,
        "plan": state.plan or None,
        "applied": state.applied,
        "kept": state.kept,
        "rolled_back": state.rolled_back,
        "calibrate": state.calibrate or None,
    }
    if measured is None and len(times) and workspace.settings.intents:
        seen = workspace.repository.observation(float(times[-1]))
        measured = checks.measured(workspace.intent, seen)
    if measured is not None:
        facts["measured"] = judgement_to_dict(measured)
    issues = [*workspace.repository.store.damaged(), *workspace.audit.issues()]
    return {**facts, "issues": issues}


def warm_up(workspace: Workspace) -> None:
    """Compile what searches for plans, before a failure waits for it."""
    from nettwin.optimize.optimize import warm_up as compiled

    compiled(workspace.settings.loop.method, workspace.intent)


def loop_of(
    workspace: Workspace,
    network: Network,
    tell: Callable[[Told], None],
    at_step: Callable[[str], None] = lambda step: None,
    *,
    warm: bool = True,
) -> Loop:
    """The loop of a workspace that this process writes to. Unless it is `warm`, searches compile
    when the first plan is wanted, or `warm_up` is called."""
    from nettwin.apps.loop.loop import Loop, Parts

    settings = workspace.settings
    if warm:
        warm_up(workspace)
    return Loop(
        Parts(
            network=network,
            intent=workspace.intent,
            model=model_of(settings.loop),
            verifier=verifier_of(settings.loop),
            repository=workspace.repository,
            audit=workspace.audit,
            approvals=workspace.approvals,
            state_file=workspace.state_file,
            settings=settings.loop,
            policy=settings.policy,
            corrected=corrected(workspace),
            tell=tell,
            at_step=at_step,
        )
    )
