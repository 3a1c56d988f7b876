"""What every kind of change must do, on scenarios and changes drawn at random."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nettwin.errors import InputError
from nettwin.scenario.changes import (
    CHANGES,
    Change,
    FailGroup,
    FailLink,
    FailNode,
    apply_all,
    change_from_dict,
    change_to_dict,
    parse_change,
)
from nettwin.scenario.generate import generate
from nettwin.scenario.scenario import Scenario

Attributes = Mapping[str, st.SearchStrategy[Any]]
EXAMPLES = 25


def links(scenario: Scenario) -> st.SearchStrategy[str]:
    """Names of links, of one direction (`A->B`) and of both (`A<->B`)."""
    one = st.sampled_from(scenario.topology.link_name)
    return one | one.map(lambda name: name.replace("->", "<->"))


def nodes(scenario: Scenario) -> st.SearchStrategy[str]:
    """Names of nodes."""
    return st.sampled_from(scenario.topology.node_name)


def flows(scenario: Scenario) -> st.SearchStrategy[str]:
    """Names of flows."""
    return st.sampled_from(scenario.flow_names)


@cache
def networks() -> tuple[Scenario, ...]:
    """Small networks with classes and with shared-risk groups on nodes and links: two that are
    whole, and one of which half is down."""
    found = []
    for kind, scheduler in (("ring", "sp"), ("grid", "wfq")):
        scenario = generate(kind, nodes=6, classes="three", scheduler=scheduler)
        topology = scenario.topology
        topology = topology.with_arrays(
            node_srlg=(("site",), *((),) * (topology.node_count - 1)),
            link_srlg=tuple(("duct",) if k < 2 else () for k in range(topology.link_count)),
        )
        found.append(scenario.with_(topology=topology))
    whole = found[-1].topology
    failures: list[Change] = [FailNode(name) for name in whole.node_name[1::2]]
    failures += [FailLink(name) for name in whole.link_name[2:]]
    failures += [FailGroup(name) for name in whole.srlg_names]
    found.append(apply_all(found[-1], failures))
    return tuple(found)


class ChangeContract:
    """Tests of one kind of change, which is registered in CHANGES or by an entry point.

    Give the fixture `kind`, and `attributes`: what to draw.
    """

    nowhere: ClassVar[Mapping[str, Any]] = {
        **dict.fromkeys(("link", "flow"), "nowhere->here"),
        "bundle": "nowhere<->here",
        **dict.fromkeys(("node", "srlg", "source", "target", "traffic_class"), "nowhere"),
        **dict.fromkeys(("capacity_bps", "rate_bps", "weight", "factor"), 1.0),
        "scheduler": {},
    }  # attributes that name what is not there

    @pytest.fixture
    def kind(self) -> str:
        """The change's name in the registry."""
        raise NotImplementedError("give the fixture `kind`: the name of the change")

    def attributes(self, kind: str, scenario: Scenario) -> Attributes:
        """What to draw for each attribute of the change, on a scenario."""
        raise NotImplementedError("give `attributes`: what to draw for each of them")

    def words(self, change: Change) -> list[str]:
        """The attributes as words of a line, `name=value` each; tables are written as JSON."""
        words = []
        for name, value in change_to_dict(change).items():
            if name != "kind":
                text = json.dumps(value) if isinstance(value, dict) else value
                words.append(f"{name}={'unlimited' if value is None else text}")
        return words

    def _on_drawn(self, kind: str, check: Callable[[Scenario, Change], None]) -> None:
        """Draw networks and changes of them, and check each."""

        @settings(max_examples=EXAMPLES)
        @given(data=st.data())
        def drawn(data: st.DataObject) -> None:
            scenario = networks()[data.draw(st.integers(0, len(networks()) - 1))]
            drawn = data.draw(st.fixed_dictionaries(dict(self.attributes(kind, scenario))))
            check(scenario, change_from_dict({"kind": kind, **drawn}))

        drawn()

    def test_the_original_is_untouched_and_the_result_valid(self, kind: str) -> None:
        """And the same each time; a change that cannot be applied says why, and most can be."""
        done: list[bool] = []  # of each change that could be applied, whether it changed anything
        refused: list[str] = []

        def check(scenario: Scenario, change: Change) -> None:
            before = scenario.fingerprint()
            try:
                after = change.apply(scenario)
            except InputError as error:  # a path that would loop, say
                assert str(error)
                refused.append(str(error))
                return
            finally:
                assert scenario.fingerprint() == before
            done.append(after.fingerprint() != before)
            assert not after.issues()
            assert change.apply(scenario).fingerprint() == after.fingerprint()
            assert after.topology.node_name == scenario.topology.node_name
            assert after.topology.link_name == scenario.topology.link_name

        self._on_drawn(kind, check)
        assert len(done) > len(refused), f"most are refused: {refused[:3]}"
        assert any(done), "it never changes anything"

    def test_json_keeps_it(self, kind: str) -> None:
        """And it is described in one line."""

        def check(_: Scenario, change: Change) -> None:
            copy = change_from_dict(json.loads(json.dumps(change_to_dict(change))))
            assert copy == change
            assert change.describe().strip()
            assert "\n" not in change.describe()

        self._on_drawn(kind, check)

    def test_text_form(self, kind: str) -> None:
        """A change written as a line of words is read back the same."""

        def check(_: Scenario, change: Change) -> None:
            assert parse_change(shlex.join([kind, *self.words(change)])) == change

        self._on_drawn(kind, check)

    def test_unknown_elements_are_told(self, kind: str) -> None:
        """A change of something that is not there names what is not there."""
        known = {n: v for n, v in self.nowhere.items() if n in CHANGES[kind].__match_args__}
        with pytest.raises(InputError, match="nowhere"):
            change_from_dict({"kind": kind, **known}).apply(networks()[0])
