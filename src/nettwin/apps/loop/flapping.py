"""Flapping: a link that goes up and down must not make the network go up and down."""

from __future__ import annotations

from collections.abc import Mapping

from nettwin.apps.loop.state import LoopState
from nettwin.scenario.changes import FailLink, apply_all
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.topology import Topology


def watched(
    state: LoopState, topology: Topology, time_s: float, window_s: float
) -> tuple[LoopState, list[str]]:
    """The state after a look at which links are down; and one sentence for each that changed."""
    names = topology.link_name
    down = {names[k] for k, up in enumerate(topology.link_live.tolist()) if not up}
    before = down if state.was_down is None else set(state.was_down)
    lately = {
        name: [at for at in times if at > time_s - window_s]
        for name, times in state.changed.items()
    }
    turned = sorted(down ^ before)
    for name in turned:
        lately.setdefault(name, []).append(time_s)
    kept = {name: times for name, times in lately.items() if times}
    words = [f"link {name} went {'down' if name in down else 'up'}" for name in turned]
    return state.with_(changed=kept, was_down=tuple(sorted(down))), words


def flapping(changed: Mapping[str, list[float]], flaps: int) -> list[str]:
    """The links that changed too often lately, and count as down until they are quiet."""
    return sorted(name for name, times in changed.items() if len(times) >= flaps > 0)


def damped(scenario: Scenario, links: list[str]) -> Scenario:
    """The scenario with flapping links down."""
    return apply_all(scenario, [FailLink(name) for name in links]) if links else scenario
