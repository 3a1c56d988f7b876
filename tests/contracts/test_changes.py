"""What every kind of change must do, on scenarios and changes drawn at random."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nettwin.errors import InputError
from nettwin.scenario.changes import (
    CHANGES,
    Change,
    change_from_dict,
    change_to_dict,
    parse_change,
)
from nettwin.scenario.generate import generate
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.scheduling import drr, fifo, strict_priority, wfq

FEW = settings(max_examples=25)
SCHEDULERS = [
    fifo(8.0),
    strict_priority(["voice", "video", "best-effort"]),
    wfq({"voice": 4.0, "best-effort": 1.0}),
    drr({"video": 24000.0, "best-effort": 12000.0}),
]


@cache
def networks() -> tuple[Scenario, ...]:
    """Two small networks with classes, and with shared-risk groups on nodes and links."""
    found = []
    for kind, scheduler in (("ring", "sp"), ("grid", "wfq")):
        scenario = generate(kind, nodes=6, classes="three", scheduler=scheduler)
        topology = scenario.topology
        topology = topology.with_arrays(
            node_srlg=(("site",), *((),) * (topology.node_count - 1)),
            link_srlg=tuple(("duct",) if k < 2 else () for k in range(topology.link_count)),
        )
        found.append(scenario.with_(topology=topology))
    return tuple(found)


def links(scenario: Scenario) -> st.SearchStrategy[str]:
    one = st.sampled_from(scenario.topology.link_name)
    return one | one.map(lambda name: name.replace("->", "<->"))


def nodes(scenario: Scenario) -> st.SearchStrategy[str]:
    return st.sampled_from(scenario.topology.node_name)


def flows(scenario: Scenario) -> st.SearchStrategy[str]:
    return st.sampled_from(scenario.flow_names)


def pairs(scenario: Scenario) -> st.SearchStrategy[dict[str, Any]]:
    two = st.lists(nodes(scenario), min_size=2, max_size=2, unique=True)
    return two.map(lambda ends: {"source": ends[0], "target": ends[1]})


def ways(scenario: Scenario) -> st.SearchStrategy[list[dict[str, Any]]]:
    """One or two ways over midpoints."""
    via = st.lists(nodes(scenario), min_size=1, max_size=2, unique=True)
    return st.lists(via.map(lambda names: {"via": names}), max_size=2)


BUFFER = st.none() | st.integers(0, 1000).map(float)
RATE = st.integers(1, 10**9).map(float)
# For each kind: the attributes to draw on a scenario
DRAW: dict[str, Callable[[Scenario], dict[str, st.SearchStrategy[Any]]]] = {
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
    "set_path": lambda s: {"flow": flows(s), "ways": ways(s)},
    "scale_traffic": lambda s: {
        "factor": st.floats(0, 10),
        "traffic_class": st.sampled_from(["", *s.traffic.class_name]),
        "source": st.just("") | nodes(s),
    },
    "add_flow": lambda s: {
        "ends": pairs(s),
        "rate_bps": RATE,
        "traffic_class": st.sampled_from(s.traffic.class_name),
        "arrival": st.sampled_from([{"kind": "cbr"}, {"kind": "onoff", "on_s": 1.0, "off_s": 2.0}]),
    },
    "remove_flow": lambda s: {"flow": flows(s)},
    "rate_limit": lambda s: {"flow": flows(s), "rate_bps": RATE},
}


def drawn(kind: str, data: st.DataObject) -> tuple[Scenario, Change]:
    scenario = networks()[data.draw(st.integers(0, len(networks()) - 1))]
    attributes = data.draw(st.fixed_dictionaries(DRAW[kind](scenario)))
    attributes |= attributes.pop("ends", {})
    return scenario, change_from_dict({"kind": kind, **attributes})


def test_every_kind_is_drawn() -> None:
    assert set(DRAW) == set(CHANGES)


@pytest.mark.parametrize("kind", CHANGES)
@FEW
@given(data=st.data())
def test_contract(kind: str, data: st.DataObject) -> None:
    """The original is untouched, the result valid and the same each time, JSON keeps it."""
    scenario, change = drawn(kind, data)
    before = scenario.fingerprint()
    try:
        after = change.apply(scenario)
    except InputError as error:  # a path that would loop, say
        assert str(error)
        after = None
    assert scenario.fingerprint() == before
    copy = change_from_dict(json.loads(json.dumps(change_to_dict(change))))
    assert copy == change
    assert change.describe().strip() and "\n" not in change.describe()
    if after is not None:
        assert not after.faults()
        assert copy.apply(scenario).fingerprint() == after.fingerprint()
        assert after.topology.node_name == scenario.topology.node_name
        assert after.topology.link_name == scenario.topology.link_name


@pytest.mark.parametrize("kind", CHANGES)
@FEW
@given(data=st.data())
def test_text_form(kind: str, data: st.DataObject) -> None:
    """A change written as a line of words is read back the same; tables are written as JSON."""
    _, change = drawn(kind, data)
    words = [kind]
    for name, value in change_to_dict(change).items():
        if name == "ways":
            words += [f"via={','.join(way['via'])}" for way in value]
        elif name != "kind":
            text = json.dumps(value) if isinstance(value, dict) else value
            words.append(f"{name}={'unlimited' if value is None else text}")
    assert parse_change(shlex.join(words)) == change


@pytest.mark.parametrize("kind", CHANGES)
def test_unknown_elements_are_told(kind: str) -> None:
    """A change of something that is not there names what is not there."""
    scenario = networks()[0]
    attributes: dict[str, Any] = {
        "link": "nowhere->here",
        "bundle": "nowhere<->here",
        "node": "nowhere",
        "srlg": "nowhere",
        "flow": "nowhere->here",
        "source": "nowhere",
        "target": "nowhere",
        "traffic_class": "nowhere",
        "capacity_bps": 1.0,
        "rate_bps": 1.0,
        "weight": 1.0,
        "factor": 1.0,
        "scheduler": {},
    }
    known = {name: attributes[name] for name in CHANGES[kind].__match_args__ if name in attributes}
    with pytest.raises(InputError, match="nowhere"):
        change_from_dict({"kind": kind, **known}).apply(scenario)
