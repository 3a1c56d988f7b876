"""Every registered kind of change keeps the contract, which nothing keeps by doing nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest
from hypothesis import strategies as st

from nettwin.errors import ChangeError
from nettwin.scenario.changes import CHANGES, Change, SetPath, change_to_dict
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.scheduling import drr, fifo, strict_priority, wfq
from nettwin.testing import ChangeContract, flows, links, nodes
from nettwin.testing.changes import Attributes

SCHEDULERS = [
    fifo(8.0),
    strict_priority(["voice", "video", "best-effort"]),
    wfq({"voice": 4.0, "best-effort": 1.0}),
    drr({"video": 24000.0, "best-effort": 12000.0}),
]
BUFFER = st.none() | st.integers(0, 1000).map(float)
RATE = st.integers(1, 10**9).map(float)


def paths(scenario: Scenario) -> st.SearchStrategy[list[dict[str, Any]]]:
    """One or two paths over midpoints."""
    via = st.lists(nodes(scenario), min_size=1, max_size=2, unique=True)
    return st.lists(via.map(lambda names: {"via": names}), max_size=2)


# For each kind: the attributes to draw on a scenario
DRAW: dict[str, Callable[[Scenario], Attributes]] = {
    "fail_link": lambda s: {"link": links(s)},
    "restore_link": lambda s: {"link": links(s)},
    "fail_bundle": lambda s: {"bundle": links(s)},
    "restore_bundle": lambda s: {"bundle": links(s)},
    "fail_node": lambda s: {"node": nodes(s)},
    "restore_node": lambda s: {"node": nodes(s)},
    "fail_srlg": lambda s: {"srlg": st.sampled_from(s.topology.srlg_names)},
    "restore_srlg": lambda s: {"srlg": st.sampled_from(s.topology.srlg_names)},
    "set_capacity": lambda s: {"link": links(s), "capacity_bps": RATE},
    "set_weight": lambda s: {"link": links(s), "weight": st.floats(1e-3, 1e6)},
    "set_scheduler": lambda s: {
        "link": links(s),
        "scheduler": st.sampled_from(SCHEDULERS).map(lambda scheduler: scheduler.to_dict()),
    },
    "set_buffer": lambda s: {"link": links(s), "buffer_packets": BUFFER, "buffer_bits": BUFFER},
    "set_path": lambda s: {"flow": flows(s), "paths": paths(s)},
    "scale_traffic": lambda s: {
        "factor": st.floats(0, 10),
        "traffic_class": st.sampled_from(["", *s.traffic.class_name]),
        "source": st.just("") | nodes(s),
    },
    "add_flow": lambda s: {
        "source": st.sampled_from(s.topology.node_name[::2]),
        "target": st.sampled_from(s.topology.node_name[1::2]),
        "rate_bps": RATE,
        "traffic_class": st.sampled_from(s.traffic.class_name),
        "arrival": st.sampled_from([{"kind": "cbr"}, {"kind": "onoff", "on_s": 1.0, "off_s": 2.0}]),
    },
    "remove_flow": lambda s: {"flow": flows(s)},
    "rate_limit": lambda s: {"flow": flows(s), "rate_bps": RATE},
}


class TestChanges(ChangeContract):
    @pytest.fixture(params=CHANGES)
    def kind(self, request: pytest.FixtureRequest) -> str:
        return str(request.param)

    def attributes(self, kind: str, scenario: Scenario) -> Attributes:
        return DRAW[kind](scenario)

    def words(self, change: Change) -> list[str]:
        if isinstance(change, SetPath):
            return [
                f"flow={change.flow}",
                *(f"via={','.join(path['via'])}" for path in change.paths),
            ]
        return super().words(change)


def test_every_kind_is_drawn() -> None:
    assert set(DRAW) == set(CHANGES)


@dataclass(frozen=True)
class Idle:
    link: str
    kind: ClassVar[str] = "idle"

    def apply(self, scenario: Scenario) -> Scenario:
        return scenario

    def describe(self) -> str:
        return "nothing happens"


class Refusing(Idle):
    def apply(self, scenario: Scenario) -> Scenario:
        raise ChangeError(f"{self.link} is nowhere to be changed. Leave it.")


class OfLinks(ChangeContract):
    def attributes(self, kind: str, scenario: Scenario) -> Attributes:
        return {"link": links(scenario)}


@pytest.mark.parametrize(("change", "told"), [(Idle, "never changes"), (Refusing, "most are")])
def test_nothing_keeps_the_contract_by_doing_nothing(
    monkeypatch: pytest.MonkeyPatch, change: type[Any], told: str
) -> None:
    monkeypatch.setitem(CHANGES, "idle", change)
    assert change_to_dict(change("A->B")) == {"kind": "idle", "link": "A->B"}
    with pytest.raises(AssertionError, match=told):
        OfLinks().test_the_original_is_untouched_and_the_result_valid("idle")
