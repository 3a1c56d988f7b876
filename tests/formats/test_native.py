"""Plans: round trips in YAML and JSON, the schema, issues with their lines, hostile files."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nettwin.errors import FormatError, InputError
from nettwin.formats import detect, read, write
from nettwin.formats.format import ImportDefaults, Reading
from nettwin.formats.native import native_schema
from nettwin.formats.native.document import Document
from nettwin.formats.native.text import json_text, yaml_text
from nettwin.formats.native.writer import native_data
from nettwin.scenario.arrivals import CBR, Poisson, Trace
from nettwin.scenario.generate import generate
from nettwin.scenario.packet_sizes import Fixed
from nettwin.scenario.routing import Steer
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.scheduling import Scheduler, fifo, wfq
from nettwin.scenario.topology import Link, Node, Topology
from nettwin.scenario.traffic import Flow, Traffic
from tests.formats.scenarios import same, scenarios
from tests.formats.texts import refusal, written
from tests.work import calls

ROOT = Path(__file__).resolve().parents[2]
GOOD = Path(__file__).parent / "good" / "native"
BROKEN = Path(__file__).parent / "broken" / "native"
SMALL = "nettwin: 1\nnodes: [A, B]\nlinks:\n  - [A, B, 10M, 1ms, 1]\nflows: []\n"
SCHEMA = jsonschema.Draft202012Validator(native_schema())


def issue(folder: Path, text: str, name: str = "x.yaml") -> FormatError:
    return refusal(partial(read, format="native"), written(folder, text, name))


@given(scenario=scenarios())
def test_any_scenario_comes_back_equal(scenario: Scenario, tmp_path_factory) -> None:
    folder = tmp_path_factory.mktemp("native")
    for name in ("x.yaml", "x.json"):
        write(scenario, folder / name)
        assert detect(folder / name).name == "native"
        reading = read(folder / name)
        same(scenario, reading.scenario)
        assert reading.scenario.name == scenario.name
        assert reading.scenario.notes == scenario.notes
        assert reading.scenario.traffic.given_names == scenario.traffic.given_names
        assert reading.assumptions == reading.ignored == ()
    for text in (yaml_text(native_data(scenario)), json_text(native_data(scenario))):
        SCHEMA.validate(Document(Path("x"), text).data)


def test_tables_with_unused_and_equal_entries_come_back(tmp_path: Path) -> None:
    topology = Topology.build(["A", "B"], [Link("A", "B"), Link("B", "A")])
    topology = topology.with_arrays(
        schedulers=(fifo(8), fifo(4), fifo(8)), link_scheduler=np.array([2, 0])
    )
    traffic = Traffic.build(topology, [Flow("A", "B", 1e6)]).with_arrays(
        class_name=("unused", "best-effort"),
        flow_class=np.array([1]),
        sizes=(Fixed(800.0), Fixed(1.5), Fixed(800.0)),
        flow_size=np.array([2]),
        arrivals=(CBR(), Poisson()),
        flow_arrival=np.array([1]),
    )
    for scenario in (
        Scenario(topology, traffic),
        Scenario(topology, traffic.keep(np.zeros(0, int))),
    ):
        write(scenario, tmp_path / "x.yaml")
        same(scenario, read(tmp_path / "x.yaml").scenario)


@pytest.mark.parametrize("path", sorted(GOOD.iterdir()), ids=lambda p: p.name)
def test_good_files_are_read_and_fit_the_schema(path: Path) -> None:
    if path.suffix in (".csv", ".pcap"):
        return
    assert detect(path).name == "native"
    assert read(path).scenario.topology.link_count
    SCHEMA.validate(Document(path, path.read_text(encoding="utf-8")).data)


def test_every_key_by_hand() -> None:
    scenario = read(GOOD / "everything.yaml").scenario
    topology, traffic = scenario.topology, scenario.traffic
    assert topology.node_name == ("Paris", "Lyon", "Nice", "7")
    assert topology.node_latitude_deg[0] == 48.86
    assert topology.node_srlg[2] == ("coast",)
    assert topology.node_up.tolist() == [True, True, True, False]
    assert topology.link_name[:2] == ("Paris->Lyon", "Lyon->Paris")
    assert topology.link_name[-1] == "spare"
    assert topology.link_capacity_bps.tolist()[:3] == [10e9, 10e9, 2.5e9]
    assert topology.link_delay_s[0] == 2e-3
    assert topology.link_up.tolist()[-1] is False
    queues = topology.schedulers[0].queues
    assert [q.weight for q in queues] == [3.0, 1.0]
    assert queues[1].buffer_bits == 64_000 * 8
    assert topology.schedulers[topology.link_scheduler[-1]] == fifo()
    assert traffic.class_name == ("voice", "data")
    assert traffic.flow_rate_bps.tolist() == [64e3, 1e9, 5e8, 2e8]
    assert traffic.sizes[traffic.flow_size[0]] == Fixed(1600.0)
    assert traffic.given_names == {3: "backup, at night"}
    assert scenario.routing.ecmp is False
    steer = scenario.routing.steer
    assert steer[1] == (Steer(midpoints=(1,)),)
    assert steer[3] == (Steer(links=(0, 2), share=0.75), Steer(midpoints=(1,), share=0.25))
    assert scenario.routing.next_link is not None
    assert scenario.routing.next_link[0].tolist() == [-1, 0, 0, -1]
    assert scenario.notes["source"].startswith("made by hand")


def test_the_plan_of_the_documentation_is_read(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "formats_native.md").read_text(encoding="utf-8")
    text = page.split("```yaml\n")[1].split("```")[0]
    reading = read(written(tmp_path, text))
    assert reading.assumptions == ()
    assert reading.scenario.topology.link_count == 6
    SCHEMA.validate(Document(tmp_path, text).data)


def test_what_a_plan_leaves_out_is_assumed_and_told(tmp_path: Path) -> None:
    path = written(tmp_path, "nettwin: 1\nnodes: [A, B]\nlinks: [[A, B], [B, A]]\n")
    reading = read(path, assume=ImportDefaults(capacity_bps=1e6))
    told = " | ".join(reading.assumptions)
    assert "scheduler of all 2 links" in told
    assert "capacity of all 2 links: 1 Mbit/s" in told
    assert "propagation delay" in told
    assert "IGP weight" in told
    assert "traffic: synthetic" in told
    assert reading.scenario.traffic.flow_count == 2


def test_flows_without_size_are_assumed_and_told(tmp_path: Path) -> None:
    path = written(tmp_path, SMALL.replace("flows: []", "flows: [[A, B, 1M], [A, B, 2M, x]]"))
    reading = read(path, assume=ImportDefaults(size=Fixed(80.0)))
    assert "packet sizes of all 2 flows: 10 B" in reading.assumptions
    assert "arrivals of all 2 flows: Poisson" in reading.assumptions
    assert reading.scenario.traffic.sizes == (Fixed(80.0),)
    assert reading.scenario.traffic.class_name == ("best-effort", "x")


def test_an_empty_list_of_flows_means_none(tmp_path: Path) -> None:
    assert read(written(tmp_path, SMALL)).scenario.traffic.flow_count == 0


@pytest.mark.parametrize(
    ("old", "new", "place", "reason"),
    [
        ("10M", "-5", "line 4, links[0].capacity", "must be above 0 bit/s"),
        ("10M", ".nan", "line 4, links[0].capacity", "nan"),
        ("10M", "1e400", "line 4, links[0].capacity", "inf"),
        ("10M", "9" * 400, "line 4, links[0].capacity", "above 0"),
        ("10M", "10Q", "line 4, links[0].capacity", "invalid rate"),
        ("10M", "'10'", "line 4, links[0].capacity", "a number"),
        ("10M", "true", "line 4, links[0].capacity", "is true"),
        ("10M", "[1]", "line 4, links[0].capacity", "is a list"),
        ("1ms", "1V", "line 4, links[0].delay", "invalid time"),
        ("1ms, 1]", "1ms, 0]", "line 4, links[0].weight", "above 0"),
        ("1ms, 1]", "1ms, 1, 1]", "line 4, links[0]", "6 values"),
        ("1ms, 1]", "1ms, 1, {wieght: 2}]", "line 4, links[0].wieght", "no key"),
        ("1ms, 1]", "1ms, 1, {weight: 2}]", "line 4, links[0].weight", "duplicate"),
        ("1ms, 1]", "1ms, 1, {up: no}]", "line 4, links[0].up", "true or false"),
        ("1ms, 1]", "1ms, 1, {scheduler: wfq}]", "line 4, links[0].scheduler", "no scheduler"),
        ("[A, B, 10M", "[A, C, 10M", "line 4, links[0].target", "no node 'C'"),
        ("[A, B, 10M", "[A, A, 10M", "line 4, links[0]", "itself"),
        ("[A, B, 10M", "[A, true, 10M", "line 4, links[0].target", "must be text"),
        ("[A, B]", "[A, A]", "line 2, nodes[1]", "duplicate"),
        ("[A, B]", "[A, B, 1, '1']", "line 2, nodes[3]", "duplicate"),
        ("[A, B]", "[A, B, 1.5]", "line 2, nodes[2]", "must be a node"),
        ("[A, B]", "[A, B, ' C']", "line 2, nodes[2]", "space"),
        ("[A, B]", "{A: B}", "line 2, nodes", "must be a list"),
        ("nettwin: 1", "nettwin: 2", "line 1, nettwin", "must be 1"),
        ("nettwin: 1", "nettwin: true", "line 1, nettwin", "must be 1"),
        ("flows: []", "flows: [[A, B]]", "line 5, flows[0]", "has no rate"),
        ("flows: []", "flows: [[A, B, -1]]", "line 5, flows[0].rate", "at least 0"),
        ("flows: []", "flows: [[A, B, 1, x, {size: 1500}]]", "line 5, flows[0].size", "said"),
        ("flows: []", "flows: [[A, B, 1, x, {size: big}]]", "line 5, flows[0].size", "no packet"),
        ("flows: []", "flows: [[A, B, 1, {via: C}]]", "line 5, flows[0].via", "no node"),
        ("flows: []", "flows: [[A, B, 1, {path: C}]]", "line 5, flows[0].path", "no link"),
        ("flows: []", "flows: [[A, B, 1, {path: C, via: B}]]", "line 5, flows[0]", "one of them"),
        ("flows: []", "sizes: {x: {kind: uniform, low_bits: 1}}", "line 5, sizes.x", "high_bits"),
        ("flows: []", "sizes: {x: {kind: odd}}", "line 5, sizes.x.kind", "no packet-size"),
        ("flows: []", "arrivals: {x: {kind: onoff, on_s: 0, off_s: 1}}", "arrivals.x.on_s", "ab"),
        ("flows: []", "schedulers: {x: {policy: rr}}", "line 5, schedulers.x.policy", "no policy"),
        ("flows: []", "schedulers: {x: {class_queue: {a: 3}}}", "line 5, schedulers.x", "0 to 0"),
        ("flows: []", "schedulers: {x: {queues: []}}", "line 5, schedulers.x", "exactly 1"),
        ("flows: []", "routing: {ecmp: 1}", "line 5, routing.ecmp", "true or false"),
        ("flows: []", "routing: {next_hops: {A: {B: x}}}", "routing.next_hops.A.B", "no link"),
        ("flows: []", "classes: {a: {}, a: {}}", "line 5, classes.a", "duplicate"),
        ("flows: []", "notes: {a: [1]}", "line 5, notes.a", "must be text"),
        ("flows: []", "flows: &x []", "line 5", "anchor"),
        ("flows: []", "flows: *x", "line 5", "alias"),
        ("flows: []", "flows: !!python/object []", "line 5", "tag"),
        ("flows: []", "flows: " + "[" * 40, "line 5", "deep"),
        ("flows: []", "flows:\n\t- a", "line 6", "not valid YAML"),
        ("flows: []", "? [a]\n: 1", "line 5", "key"),
        ("flows: []", "---\na: 1", "line 5", "second document"),
        ("flows: []", 'flows: "\\UFFFFFFFF"', "line 5", "not valid YAML"),
        ("flows: []", 'notes: {a: "\\uD800"}', "line 5, notes.a", "half a character"),
    ],
)
def test_a_fault_names_its_line_and_key(
    tmp_path: Path, old: str, new: str, place: str, reason: str
) -> None:
    text = SMALL.replace(old, new, 1)
    assert text != SMALL
    found = issue(tmp_path, text)
    assert place in found.place
    assert reason in found.reason
    assert found.remedy


def test_a_fault_in_json_names_its_line(tmp_path: Path) -> None:
    text = json_text(native_data(generate("ring", nodes=3)))
    line = next(i for i, t in enumerate(text.split("\n"), 1) if '"links"' in t) + 2
    at = text.index("[", text.index('"links": [') + 10)
    second = text.index("[", at + 1)
    broken = text[:second] + '["nowhere", 3],' + text[second:]
    found = issue(tmp_path, broken, "x.json")
    assert found.place == f"line {line}, links[1].source"


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    text = SMALL.replace("10M", "-1").replace("1ms", "x").replace("[A, B]", "[A, B, A]")
    found = issue(tmp_path, text)
    assert found.place == "line 2, nodes[2]"
    assert "line 4, links[0].capacity: is -1" in found.remedy
    assert "line 4, links[0].delay: invalid time 'x'" in found.remedy


def test_near_names_are_offered(tmp_path: Path) -> None:
    assert "schedulers" in issue(tmp_path, SMALL + "scheduler: {}\n").remedy


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"nettwin": 1, "nodes": [}', "not valid JSON"),
        ("[" * 100_000, "too deep"),
        ('{"nettwin": 1, "nodes": ["A"], "nodes": []}', "duplicate"),
        ('{"nettwin": ' + "9" * 5000 + "}", "too many digits"),
        ('{"nettwin": 1, "nodes": ["A", NaN]}', "must be a node"),
        ('{"nettwin": 1, "nodes": ["\\ud800"]}', "half a character"),
        ("null", "not a mapping"),
        ("[]", "not a mapping"),
    ],
)
def test_hostile_json_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    assert reason in issue(tmp_path, text, "x.json").reason


def test_many_faults_take_few_calls_each(tmp_path: Path) -> None:
    nodes = ", ".join(f'"node-{i}"' for i in range(300))
    flows = ", ".join(f'["node-{i % 300}", "nodes-{i}", 1]' for i in range(20_000))
    text = f'{{"nettwin": 1, "nodes": [{nodes}], "flows": [{flows}]}}'
    found: list[FormatError] = []
    assert calls(lambda: found.append(issue(tmp_path, text, "x.json"))) < 200 * 20_000
    assert "and 19980 more" in found[0].remedy


def test_names_that_yaml_could_take_for_something_else(tmp_path: Path) -> None:
    text = "nettwin: 1\nnodes: [no, 007, 12, 'true', '1e5']\nlinks: [[no, 007], [12, 'true']]\n"
    scenario = read(written(tmp_path, text)).scenario
    assert scenario.topology.node_name == ("no", "007", "12", "true", "1e5")


def test_a_name_that_no_file_can_hold_is_refused(tmp_path: Path) -> None:
    topology = Topology.build([Node("A"), Node("\ud800")], [])
    for name in ("x.yaml", "x.json"):
        with pytest.raises(InputError, match="half a character"):
            write(Scenario(topology, Traffic.build(topology, [])), tmp_path / name)


def test_very_long_names_come_back(tmp_path: Path) -> None:
    long = "x" * 3000
    topology = Topology.build([long, "B"], [Link(long, "B")])
    traffic = Traffic.build(topology, [Flow(long, "B", 1.0, long)])
    scenario = Scenario(topology, traffic, notes={long: long})
    write(scenario, tmp_path / "x.yaml")
    same(scenario, read(tmp_path / "x.yaml").scenario)


def test_zeros_of_both_signs_come_back(tmp_path: Path) -> None:
    links = [Link("A", "B", delay_s=delay) for delay in (0.0, -0.0, 0.0)]
    topology = Topology.build([Node("A", -0.0, -80.0), "B"], links)
    scenario = Scenario(topology, Traffic.build(topology, [Flow("A", "B", -0.0)]))
    for name in ("x.yaml", "x.json"):
        write(scenario, tmp_path / name)
        same(scenario, read(tmp_path / name).scenario)


def test_trace_files_beside_the_plan(tmp_path: Path) -> None:
    (tmp_path / "calls.csv").write_text("time_s,size_bytes\n0,100\n0.5,200\n2,50\n")
    text = SMALL.replace(
        "flows: []", "flows: [[A, B, 1k, {arrival: {kind: trace, file: calls.csv}}]]"
    )
    traffic = read(written(tmp_path, text)).scenario.traffic
    assert traffic.arrivals == (Trace(np.array([0, 0.5, 2]), np.array([800.0, 1600.0, 400.0])),)
    (tmp_path / "link.csv").symlink_to("/etc/hostname")
    for name in ("../x.csv", "/etc/hostname", "link.csv", "gone.csv", "calls.csv/x", "a\\0b"):
        found = issue(tmp_path, text.replace("calls.csv", f'"{name}"'))
        assert found.place == "line 5, flows[0].arrival.file"


def test_large_plans_take_few_calls_a_flow(tmp_path: Path) -> None:
    n = 150
    names = [f"n{i}" for i in range(n)]
    links = [Link(names[i], names[(i + 1) % n], scheduler=wfq({"a": 1, "b": 2})) for i in range(n)]
    topology = Topology.build(names, links, duplex=True)
    rate = np.random.default_rng(1).uniform(1, 1e6, (n, n))
    scenario = Scenario(topology, Traffic.from_matrix(rate))
    flows = scenario.traffic.flow_count
    found: list[Reading] = []
    assert calls(lambda: write(scenario, tmp_path / "x.json")) < 40 * flows
    assert calls(lambda: found.append(read(tmp_path / "x.json"))) < 40 * flows
    same(scenario, found[0].scenario)


def test_the_published_schema_is_the_one_of_the_code() -> None:
    published = ROOT / "docs" / "native.schema.json"
    assert json.loads(published.read_text(encoding="utf-8")) == native_schema()
    jsonschema.Draft202012Validator.check_schema(native_schema())


@pytest.mark.parametrize(
    "change",
    [
        {"nettwin": 2},
        {"linkss": []},
        {"links": [["A", "B", -1]]},
        {"links": [{"source": "A"}]},
        {"links": [["A", "B", "10Q"]]},
        {"flows": [["A", "B"]]},
        {"schedulers": {"x": {"policy": "rr"}}},
        {"sizes": {"x": {"kind": "odd"}}},
    ],
)
def test_the_schema_refuses_what_reading_refuses(tmp_path: Path, change: dict) -> None:
    data = {"nettwin": 1, "nodes": ["A", "B"], **change}
    assert not SCHEMA.is_valid(data)
    issue(tmp_path, json.dumps(data), "x.json")


@pytest.mark.parametrize("path", sorted(BROKEN.iterdir()), ids=lambda p: p.name)
def test_broken_files_are_told_by_line(path: Path) -> None:
    with pytest.raises(FormatError) as caught:
        read(path, format="native")
    assert caught.value.path == str(path)
    assert caught.value.place.startswith("line ")
    assert caught.value.reason
    assert caught.value.remedy


@settings(max_examples=300)
@given(text=st.text(max_size=80))
def test_no_text_makes_a_traceback(text: str, tmp_path_factory) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_text(text, encoding="utf-8", errors="replace")
    with pytest.raises(FormatError):
        read(path, format="native")


def test_defaults_of_scheduler_stand_for_links_that_say_none(tmp_path: Path) -> None:
    text = SMALL + "defaults: {scheduler: {policy: fifo, queues: [{buffer_packets: unlimited}]}}\n"
    (scheduler,) = read(written(tmp_path, text)).scenario.topology.schedulers
    assert scheduler == Scheduler("fifo", fifo(float("inf")).queues)
