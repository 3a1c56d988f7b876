"""Sessions: changes are tried on a copy, undone, kept on disk, and made into a plan."""

from __future__ import annotations

from pathlib import Path

import pytest

from nettwin.apps.sessions import Session, Sessions
from nettwin.engines.theory import Theory
from nettwin.errors import FormatError, InputError, UnknownNameError
from nettwin.formats.intent import intent_from
from nettwin.formats.native.document import Document
from nettwin.scenario.changes import FailLink, parse_change
from nettwin.scenario.generate import generate
from nettwin.scenario.scenario import Scenario

INTENT = """\
intent: no link full
expect:
  - {measure: offered_load, at_most: 90 %}
change:
  with: [segments]
"""


@pytest.fixture
def network() -> Scenario:
    return generate("ring", nodes=4, load=0.5)


@pytest.fixture
def kept(tmp_path: Path) -> Sessions:
    return Sessions(tmp_path / "sessions", wall=lambda: 1e9)


def first_link(network: Scenario) -> str:
    return network.topology.link_name[0].replace("->", "<->")


def test_a_session_changes_its_copy_alone_and_outlives_the_process(
    network: Scenario, kept: Sessions
) -> None:
    session = kept.begin(network, "a test", "ada")
    failed = kept.keep(session.with_change(FailLink(first_link(network))))
    again = Sessions(kept.folder).get(session.id)
    assert again.changes == failed.changes
    assert again.owner == "ada" and again.base == "a test" and again.began_s == 1e9
    assert again.scenario.topology.link_up.sum() == network.topology.link_count - 2
    assert network.topology.link_up.all()
    assert again.network.fingerprint() == network.fingerprint()


def test_undo_and_redo_go_back_and_forth(network: Scenario, kept: Sessions) -> None:
    session = kept.begin(network, "a test", "ada")
    one = session.with_change(FailLink(first_link(network)))
    two = one.with_change(parse_change("scale_traffic 2"))
    assert two.without_last().changes == one.changes
    assert two.without_last().again() == two
    assert two.without_last().without_last().again().again().changes == two.changes
    assert two.without(0).changes == two.changes[1:]
    # what is changed anew cannot be redone over
    with pytest.raises(InputError, match="nothing was undone"):
        two.without_last().with_change(parse_change("scale_traffic 3")).again()
    with pytest.raises(InputError, match="nothing to undo"):
        session.without_last()
    with pytest.raises(InputError, match="has no change 2"):
        two.without(2)


def test_a_change_that_does_not_fit_leaves_the_session(network: Scenario, kept: Sessions) -> None:
    session = kept.begin(network, "a test", "ada")
    with pytest.raises(InputError, match="nowhere"):
        session.with_change(FailLink("nowhere<->else"))
    assert kept.get(session.id).changes == ()


def test_a_plan_has_what_routers_are_told_and_not_what_only_happens(
    network: Scenario, kept: Sessions
) -> None:
    intent = intent_from(Document(Path("intent"), INTENT))
    a, b = network.topology.node_name[0], network.topology.node_name[2]
    name = next(n for n in network.flow_names if n.startswith(f"{a}->{b}"))
    step = parse_change(f"set_path {name} via={network.topology.node_name[3]}")
    session = kept.begin(network, "a test", "ada").with_change(FailLink(first_link(network)), step)
    plan = session.plan(intent, Theory())
    assert plan.changes == (step,)
    assert session.supposed == (FailLink(first_link(network)),)
    assert plan.network == network.fingerprint()
    assert [evidence.engine for evidence in plan.evidence] == ["theory"]
    only_fails = kept.begin(network, "a test", "ada").with_change(FailLink(first_link(network)))
    with pytest.raises(InputError, match="no change that routers can be told"):
        only_fails.plan(intent, None)


def test_a_discarded_session_is_gone_and_can_be_kept_again(
    network: Scenario, kept: Sessions
) -> None:
    session = kept.begin(network, "a test", "ada")
    gone = kept.discard(session.id)
    with pytest.raises(UnknownNameError):
        kept.get(session.id)
    assert kept.keep(gone) == gone
    assert [one.id for one in kept.all()] == [session.id]


@pytest.mark.parametrize("id", ["../../etc/passwd", "0123456789/..", "", "zzzzzzzzzz", "0" * 11])
def test_no_id_leads_out_of_the_folder(kept: Sessions, id: str) -> None:
    with pytest.raises(UnknownNameError):
        kept.get(id)


def test_a_garbled_file_is_said(network: Scenario, kept: Sessions) -> None:
    session: Session = kept.begin(network, "a test", "ada")
    path = kept.folder / f"{session.id}.json"
    path.write_text(path.read_text()[: len(path.read_text()) // 2])
    with pytest.raises(FormatError, match="is not a session"):
        kept.get(session.id)


def test_a_session_cannot_grow_without_end(network: Scenario, kept: Sessions) -> None:
    session = kept.begin(network, "a test", "ada")
    with pytest.raises(InputError, match="may have 1000"):
        session.with_change(*[parse_change("scale_traffic 1")] * 1001)
