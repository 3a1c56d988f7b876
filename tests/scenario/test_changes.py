"""Changes: originals stay untouched, results are valid, JSON and text round trips."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nettwin.errors import ChangeError, InputError, UnknownNameError
from nettwin.scenario.changes import (
    CHANGES,
    AddFlow,
    FailLink,
    FailNode,
    RemoveFlow,
    RestoreLink,
    ScaleTraffic,
    SetBuffer,
    SetPath,
    SetWeight,
    apply_all,
    change_from_dict,
    change_to_dict,
    parse_change,
)
from nettwin.scenario.paths import Status
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.scheduling import Scheduler, drr, strict_priority, wfq
from nettwin.scenario.topology import Link, Node, Topology
from nettwin.scenario.traffic import Flow, Traffic


def diamond() -> Scenario:
    """A to D over B or C; B-D in a shared-risk group with node C's site."""
    topology = Topology.build(
        [Node("A"), Node("B"), Node("C", srlg=("duct",)), Node("D")],
        [
            Link("A", "B", 1e7),
            Link("A", "C", 1e7),
            Link("B", "D", 1e7, srlg=("duct",)),
            Link("C", "D", 1e7, weight=2),
        ],
        duplex=True,
    )
    flows = [Flow("A", "D", 1e6, "voice"), Flow("D", "A", 2e6), Flow("B", "C", 1e6)]
    return Scenario(topology, Traffic.build(topology, flows))


EXAMPLES = [
    "fail_link A<->B",
    "restore_link A->B",
    "fail_bundle A<->B",
    "restore_bundle A->B",
    "fail_node B",
    "restore_node B",
    "fail_srlg duct",
    "restore_srlg duct",
    "set_capacity A->B 2e7",
    "set_weight A<->B 5",
    "set_buffer A->B buffer_packets=8",
    "set_path A->D/voice via=C",
    "scale_traffic 1.5",
    "add_flow A C 3e6 traffic_class=video",
    "remove_flow B->C/best-effort",
    "rate_limit D->A/best-effort 1e6",
    {
        "kind": "set_scheduler",
        "link": "A->B",
        "scheduler": {
            "policy": "sp",
            "queues": [{}, {"buffer_packets": 64.0}],
            "class_queue": {"voice": 0},
        },
    },
]


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_contract(example: str | dict[str, object]) -> None:
    """Each kind: applies, leaves the original alone, survives JSON, does the same again."""
    scenario = diamond()
    before = scenario.fingerprint()
    change = parse_change(example) if isinstance(example, str) else change_from_dict(example)
    after = change.apply(scenario)
    assert scenario.fingerprint() == before
    assert not after.issues()
    copy = change_from_dict(json.loads(json.dumps(change_to_dict(change))))
    assert copy == change
    assert copy.apply(scenario).fingerprint() == after.fingerprint()
    assert change.describe()
    if not change.kind.startswith("restore"):
        assert after.fingerprint() != before


def test_every_kind_has_an_example() -> None:
    kinds = {e.split()[0] if isinstance(e, str) else e["kind"] for e in EXAMPLES}
    assert kinds == set(CHANGES)


def test_failure_reroutes_and_restore_undoes() -> None:
    scenario = diamond()
    failed = FailLink("A<->B").apply(scenario)
    path = [failed.topology.link_name[k] for k in failed.paths.of(0)[0][1]]
    assert path == ["A->C", "C->D"]
    assert failed.link_load_bps[failed.topology.link("A->B")] == 0
    assert RestoreLink("A<->B").apply(failed).fingerprint() == scenario.fingerprint()


def test_node_failure_marks_its_flows() -> None:
    failed = FailNode("B").apply(diamond())
    assert failed.paths.status.tolist() == [Status.OK, Status.OK, Status.DOWN]
    assert "B->C/best-effort" in failed.routing_problems()[0]


def test_group_failure_takes_nodes_and_links() -> None:
    failed = parse_change("fail_srlg duct").apply(diamond())
    assert failed.paths.status.tolist() == [Status.UNREACHABLE, Status.UNREACHABLE, Status.DOWN]


def test_path_falls_back_when_broken() -> None:
    steered = SetPath("A->D/voice", ({"via": ["C"]},)).apply(diamond())
    assert [steered.topology.link_name[k] for k in steered.paths.of(0)[0][1]] == ["A->C", "C->D"]
    failed = FailNode("C").apply(steered)
    assert [failed.topology.link_name[k] for k in failed.paths.of(0)[0][1]] == ["A->B", "B->D"]
    assert failed.paths.fallback[0]
    assert "lost its own paths" in " ".join(failed.routing_problems())


def test_split_over_midpoint_and_explicit_path() -> None:
    paths = ({"via": ["C"], "share": 0.25}, {"links": ["A->B", "B->D"], "share": 0.75})
    steered = SetPath("A->D/voice", paths).apply(diamond())
    assert sorted(share for share, _ in steered.paths.of(0)) == [0.25, 0.75]
    assert steered.paths.link_loads(np.array([1.0, 0, 0]), 8)[[0, 2]].tolist() == [0.75, 0.25]


def test_removed_flow_takes_its_path_along() -> None:
    steered = SetPath("D->A/best-effort", ({"via": ["C"]},)).apply(diamond())
    after = RemoveFlow("A->D/voice").apply(steered)
    assert set(after.routing.steer) == {0}
    assert [after.topology.link_name[k] for k in after.paths.of(0)[0][1]] == ["D->C", "C->A"]


def test_added_flow_comes_last() -> None:
    after = AddFlow("C", "A", 5e5).apply(diamond())
    assert after.flow_names[-1] == "C->A/best-effort"


def test_scale_selects_by_class() -> None:
    after = ScaleTraffic(3, traffic_class="voice").apply(diamond())
    assert after.traffic.flow_rate_bps.tolist() == [3e6, 2e6, 1e6]


def test_unlimited_buffer() -> None:
    after = SetBuffer("A->B", buffer_packets=None).apply(diamond())
    assert np.isinf(after.topology.queues.buffer_packets[0])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("fail_link A->D", "link"),
        ("fail_node Z", "node"),
        ("fail_srlg x", "duct"),
        ("explode A", "change"),
        ("set_weight A->B 0", "above 0"),
        ("set_weight A->B", "weight"),
        ("set_capacity A->B -5", "above 0"),
        ("set_capacity A->B fast", "capacity_bps"),
        ("set_buffer A->B 8 queue=4", "queue"),
        ("scale_traffic -1", "at least 0"),
        ("scale_traffic nan", "factor"),
        ("rate_limit X->Y 5", "flow"),
        ("scale_traffic 1 traffic_class=gold", "voice"),
        ("set_path A->D/voice via=Q", "node"),
        ("fail_link 'A", "quote"),
        ("fail_link A->B C x y", "too many"),
        ("", "change"),
        ("set_path A->D/voice links=B->D", "source"),
    ],
)
def test_bad_changes_say_why(text: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        parse_change(text).apply(diamond())


@pytest.mark.parametrize(
    ("line", "attributes"),
    [
        ("set_path A->D/voice via=B,C", {"paths": ({"via": ["B", "C"]},)}),
        (
            "set_path A->D/voice links=A->B,B->D share=0.75 via=C share=0.25",
            {"paths": ({"links": ["A->B", "B->D"], "share": 0.75}, {"via": ["C"], "share": 0.25})},
        ),
        ("set_path A->D/voice", {"paths": ()}),
        ("""set_path A->D/voice '[{"via": ["C"]}]'""", {"paths": ({"via": ["C"]},)}),
        ("set_buffer A->B 64", {"buffer_packets": 64.0, "buffer_bits": -1.0}),
        ("set_buffer A->B 64kB", {"buffer_packets": -1.0, "buffer_bits": 512e3}),
        ("set_buffer A->B unlimited", {"buffer_packets": None, "buffer_bits": None}),
        ("set_buffer A->B buffer_bits=unlimited", {"buffer_packets": -1.0, "buffer_bits": None}),
        ("set_buffer A->B 8 queue=0", {"buffer_packets": 8.0, "queue": 0}),
        ("set_scheduler A->B fifo", {"scheduler": {"policy": "fifo", "queues": [{}]}}),
        ("set_scheduler A->B sp voice data", {"scheduler": strict_priority("vd")}),
        ("set_scheduler A->B wfq voice=4 data=1", {"scheduler": wfq({"v": 4, "d": 1})}),
        ("set_scheduler A->B drr voice=3kB data", {"scheduler": drr({"v": 24e3, "d": 12e3})}),
        ("""set_scheduler A->B '{"policy": "fifo"}'""", {"scheduler": {"policy": "fifo"}}),
    ],
)
def test_paths_schedulers_and_buffers_in_a_line(line: str, attributes: dict[str, object]) -> None:
    change = parse_change(line)
    for name, value in attributes.items():
        found = getattr(change, name)
        if isinstance(value, Scheduler):  # of classes v and d, short for voice and data
            classes = {"voice": 0, "data": 1}
            assert Scheduler.from_dict(found) == replace(value, class_queue=classes)
        else:
            assert found == value
    change.apply(diamond())


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("fail_link San Diego<->Los Angeles", r"quote the name, such as fail_link 'San Diego"),
        ("set_weight San Diego->Oslo 5", "quote the name"),
        ("scale_traffic -1", "^factor of scale_traffic is -1: must be at least 0. Give factor"),
        ("set_buffer A->B", "must give buffer_packets or buffer_bits"),
        ("set_buffer A->B queue=0", "must give buffer_packets or buffer_bits"),
        ("set_buffer A->B 8 queue=1.7", "queue of set_buffer is '1.7': must be a whole number"),
        ("set_scheduler A->B best voice=1", "must be one of fifo, sp, wfq"),
        ("set_scheduler A->B fifo voice", "one queue"),
        ("set_scheduler A->B sp voice=1", "takes no weights"),
        ("set_scheduler A->B wfq voice=high", "must be a number"),
        ("set_path A->D/voice share=1", "follows no path"),
        ("set_path A->D/voice via=C share=half", "from 0 to 1"),
        ("set_path A->D/voice C", "list of paths"),
    ],
)
def test_bad_lines_say_what_to_write(line: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        parse_change(line).apply(diamond())


@pytest.mark.parametrize("queue", [1.7, True, "1.7", None, float("inf")])
def test_a_queue_is_a_whole_number(queue: object) -> None:
    entry = {"kind": "set_buffer", "link": "A->B", "buffer_packets": 8, "queue": queue}
    with pytest.raises(ChangeError, match=r"queue of set_buffer is .*: must be a whole number"):
        change_from_dict(entry)


@pytest.mark.parametrize("queue", [0.7, True, "x", None])
def test_a_class_goes_to_a_whole_queue(queue: object) -> None:
    scheduler = {"policy": "sp", "queues": [{}, {}], "class_queue": {"voice": queue}}
    entry = {"kind": "set_scheduler", "link": "A->B", "scheduler": scheduler}
    with pytest.raises(ChangeError, match="scheduler of link A->B cannot be read"):
        change_from_dict(entry).apply(diamond())


def test_bad_json() -> None:
    with pytest.raises(UnknownNameError, match="attribute of fail_link"):
        change_from_dict({"kind": "fail_link", "lnik": "A->B"})
    with pytest.raises(ChangeError, match="lacks"):
        change_from_dict({"kind": "fail_link"})
    with pytest.raises(ChangeError, match="scheduler"):
        change_from_dict({"kind": "set_scheduler", "link": "A->B", "scheduler": 3})
    with pytest.raises(ChangeError, match="cannot be read"):
        broken = {"kind": "set_scheduler", "link": "A->B", "scheduler": {"queues": [{"depth": 1}]}}
        change_from_dict(broken).apply(diamond())


LINKS = ["A<->B", "A->C", "B<->D", "C->D", "D->C"]


@given(st.lists(st.sampled_from(LINKS), unique=True))
def test_failures_commute_and_undo(links: list[str]) -> None:
    scenario = diamond()
    one = apply_all(scenario, [FailLink(k) for k in links])
    other = apply_all(scenario, [FailLink(k) for k in reversed(links)])
    assert one.fingerprint() == other.fingerprint()
    assert apply_all(one, [RestoreLink(k) for k in links]).fingerprint() == scenario.fingerprint()


HOSTILE = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.just(10**400),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(st.data())
def test_hostile_json_gives_an_input_error_or_a_valid_scenario(data: st.DataObject) -> None:
    example = data.draw(st.sampled_from(EXAMPLES))
    change = parse_change(example) if isinstance(example, str) else change_from_dict(example)
    plain = change_to_dict(change)
    name = data.draw(st.sampled_from([n for n in plain if n != "kind"]))
    shape = {
        "size": {"kind": "discrete"},
        "arrival": {"kind": "trace"},
        "scheduler": {"queues": [{}]},
    }
    value = data.draw(HOSTILE)
    if name in shape and data.draw(st.booleans()):
        keys = (
            "sizes_bits",
            "probabilities",
            "times_s",
            "stretch",
            "policy",
            "queues",
            "burst_bits",
        )
        inner = st.dictionaries(st.sampled_from(keys), HOSTILE, max_size=3)
        value = {**shape[name], **data.draw(inner)}
    try:
        after = change_from_dict({**plain, name: value}).apply(diamond())
    except InputError as error:
        assert str(error)
    else:
        assert not after.issues()


@given(st.floats(0.1, 100), st.sampled_from(LINKS))
def test_weight_moves_load_but_conserves_traffic(weight: float, link: str) -> None:
    """What leaves the sources arrives: the net flow at each node is what it sends and sinks."""
    after = SetWeight(link, weight).apply(diamond())
    topology, load = after.topology, after.link_load_bps
    net = np.bincount(topology.link_source, load, 4) - np.bincount(topology.link_target, load, 4)
    demand = after.traffic.matrix(4)
    assert net == pytest.approx(demand.sum(1) - demand.sum(0), abs=1e-6)
