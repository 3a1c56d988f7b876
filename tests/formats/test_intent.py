"""Intents: round trips, the schema, issues with their lines, hostile files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nettwin.errors import FormatError, InputError
from nettwin.formats.files import LARGEST_FILE_BYTES
from nettwin.formats.intent import (
    LARGEST_BYTES,
    intent_data,
    intent_document,
    intent_schema,
    read_intent,
    write_intent,
)
from nettwin.formats.intent.fields import SYNONYMS
from nettwin.formats.intent.reader import MAX_ENTRIES
from nettwin.formats.native.document import Document
from nettwin.intent.intent import (
    LEVER_OF,
    LEVERS,
    SURVIVABLE,
    Avoid,
    Expectation,
    Intent,
    Lever,
    Objective,
    Prices,
    Survive,
)
from nettwin.intent.measures import MEASURES
from nettwin.intent.selector import FIELDS, Selector
from tests.formats.texts import refusal, written
from tests.intent.towns import INTENTS

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = jsonschema.Draft202012Validator(intent_schema())
SMALL = """\
intent: small
minimize: [utilization]
expect:
  - {measure: delay, class: voice, at_most: 20 ms}
change:
  with: [segments]
"""


def issue(folder: Path, text: str, name: str = "x.yaml") -> FormatError:
    return refusal(read_intent, written(folder, text, name))


# what is read


def test_every_key_by_hand(tmp_path: Path) -> None:
    text = """\
intent: keep voice fast
minimize:
  - utilization
  - {measure: delay_p99, class: voice, reduce: mean}
  - - {measure: utilization, weight: 10}
    - delay
  - changes
expect:
  - {measure: delay_p99, class: [voice, 7], from: Madrid, to: "*", at_most: 20 ms}
  - {measure: utilization, link: core-*, node: M?drid, srlg: [a, b], at_most: 80 %}
  - {measure: throughput, flow: x, at_least: 5M, reduce: total}
  - {measure: queue_occupancy, at_most: 64 kB}
  - {measure: loss, at_most: 0.001}
  - {measure: cost, at_most: 1000}
survive:
  any: [link, srlg]
  expect: [{measure: utilization, at_most: 1.2}]
  minimize: utilization
avoid:
  - {class: voice, to: Oslo, link: [Madrid->*, core-1], srlg: sea}
change:
  at_most: 10
  with:
    - {lever: segments, midpoints: 2}
    - {lever: capacities, link: core-*, step: 1G, at_most: 400G}
    - {lever: rates, class: bulk, at_least: 75 %}
    - {lever: paths, from: Madrid}
  prices: {capacity_gbps: 3, change: 0.5}
"""
    intent = read_intent(written(tmp_path, text))
    assert intent == Intent(
        minimize=(
            (Objective("utilization"),),
            (Objective("delay_p99", Selector(traffic_class=("voice",)), "mean"),),
            (Objective("utilization", weight=10.0), Objective("delay", reduce="mean")),
            (Objective("changes", reduce="total"),),
        ),
        expect=(
            Expectation(
                "delay_p99",
                Selector(source=("Madrid",), target=("*",), traffic_class=("voice", "7")),
                at_most=0.02,
            ),
            Expectation(
                "utilization",
                Selector(link=("core-*",), node=("M?drid",), srlg=("a", "b")),
                at_most=0.8,
            ),
            Expectation("throughput", Selector(flow=("x",)), at_least=5e6, reduce="total"),
            Expectation("queue_occupancy", at_most=512_000.0),
            Expectation("loss", at_most=0.001),
            Expectation("cost", at_most=1000.0),
        ),
        survive=Survive(
            ("link", "srlg"),
            (Expectation("utilization", at_most=1.2),),
            (Objective("utilization"),),
        ),
        avoid=(
            Avoid(
                Selector(traffic_class=("voice",), target=("Oslo",)),
                Selector(link=("Madrid->*", "core-1"), srlg=("sea",)),
            ),
        ),
        levers=(
            Lever("segments", midpoints=2),
            Lever("capacities", Selector(link=("core-*",)), 1e9, 400e9),
            Lever("rates", Selector(traffic_class=("bulk",)), at_least=0.75),
            Lever("paths", Selector(source=("Madrid",))),
        ),
        most_changes=10,
        prices=Prices(3, 0.5),
        name="keep voice fast",
    )
    SCHEMA.validate(Document(tmp_path, text).data)
    path = written(tmp_path, json.dumps(intent_data(intent)), "x.json")
    assert read_intent(path) == intent


def test_what_is_left_out(tmp_path: Path) -> None:
    line = Expectation("delay", at_most=0.02)
    intent = read_intent(written(tmp_path, "expect: [{measure: delay, at_most: 20ms}]"))
    assert intent == Intent(expect=(line,))
    assert intent.minimize == ((Objective("utilization"),),)
    assert intent.levers == (Lever("segments"),)
    with_survive = read_intent(written(tmp_path, "survive: {minimize: utilization}"))
    assert with_survive.survive == Survive(("link",), (), (Objective("utilization"),))
    assert read_intent(written(tmp_path, "minimize: []")).minimize == ()
    assert read_intent(written(tmp_path, "minimize: delay_p99")).minimize[0][0].reduce == "max"
    unlimited = "minimize: cost\nchange: {with: [{lever: capacities, at_most: unlimited}]}"
    assert read_intent(written(tmp_path, unlimited)).levers == (Lever("capacities"),)


@pytest.mark.parametrize("path", INTENTS, ids=lambda p: p.stem)
def test_examples_are_read_and_fit_the_schema(path: Path, tmp_path: Path) -> None:
    SCHEMA.validate(intent_document(path).data)
    intent = read_intent(path)
    for name in ("x.yaml", "x.json"):
        write_intent(intent, tmp_path / name)
        assert read_intent(tmp_path / name) == intent


def test_the_intents_of_the_documentation_are_read(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "intent.md").read_text(encoding="utf-8")
    blocks = [part.split("```")[0] for part in page.split("```yaml\n")[1:]]
    assert len(blocks) >= 2
    for text in blocks:
        assert read_intent(written(tmp_path, text))
        SCHEMA.validate(Document(tmp_path, text).data)


def test_the_documentation_names_all_that_can_be_asked_and_changed() -> None:
    page = (ROOT / "docs" / "intent.md").read_text(encoding="utf-8")
    assert not [name for name in (*MEASURES, *LEVERS, *SURVIVABLE) if name not in page]


# round trips

NAMES = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=8).filter(
    lambda name: bool(name.strip())
)
SOME = st.lists(NAMES, min_size=1, max_size=2).map(tuple) | st.just(())
LIMITS = {
    "s": st.floats(0, 1e4),
    "share": st.floats(0, 1) | st.integers(0, 1000).map(lambda x: x / 100),
    "bit/s": st.floats(0, 1e12) | st.sampled_from([5e6, 10e9, 64e3]),
    "bit": st.floats(0, 1e9) | st.sampled_from([12000.0, 512e3]),
    "number": st.floats(0, 1e6) | st.integers(0, 9).map(float),
}


def selectors(words: tuple[str, ...], *, given: bool = False) -> st.SearchStrategy[Selector]:
    made = st.fixed_dictionaries({}, optional=dict.fromkeys(words, SOME))
    return made.map(lambda d: Selector(**d)).filter(lambda s: bool(s.given) or not given)


@st.composite
def objectives(draw: Any, *, weighed: bool, failed: bool = False) -> Objective:
    low = [name for name, m in MEASURES.items() if m.worst != "min"]
    measure = MEASURES[draw(st.sampled_from(low))]
    reduce = draw(st.sampled_from(["max", "min", "mean", "total"]))
    return Objective(
        measure.name,
        draw(selectors(FIELDS[measure.kind])),
        measure.worst if measure.kind == "plan" else reduce,
        draw(st.floats(1e-6, 1e6)) if weighed else 1.0,
        draw(st.sampled_from(["worst", "mean"])) if failed else "worst",
    )


@st.composite
def expectations(draw: Any, *, failed: bool = False) -> Expectation:
    names = [name for name, m in MEASURES.items() if not (failed and m.kind == "plan")]
    measure = MEASURES[draw(st.sampled_from(names))]
    limit = min(draw(LIMITS[measure.unit]), measure.high)
    high = draw(st.booleans())
    plan = measure.kind == "plan"
    return Expectation(
        measure.name,
        draw(selectors(FIELDS[measure.kind])),
        limit if high else None,
        None if high else limit,
        None if plan else draw(st.sampled_from([None, "max", "min", "mean", "total"])),
    )


@st.composite
def levers(draw: Any, kind: str) -> Lever:
    more: dict[str, Any] = {}
    if kind == "segments":
        more["midpoints"] = draw(st.integers(1, 3))
    if kind == "capacities":
        more["step_bps"] = draw(st.floats(1, 1e12))
        more["at_most_bps"] = draw(st.floats(1, 1e12) | st.just(float("inf")))
    if kind == "rates":
        more["at_least"] = draw(st.floats(0, 1))
    return Lever(kind, draw(selectors(FIELDS[LEVER_OF[kind]])), **more)


@st.composite
def intents(draw: Any) -> Intent:
    several = st.lists(objectives(weighed=True), min_size=2, max_size=3).map(tuple)
    alone = objectives(weighed=False).map(lambda o: (o,))
    elements, flows = ("link", "node", "srlg"), ("source", "target", "traffic_class", "flow")
    survive = st.builds(
        Survive,
        st.lists(st.sampled_from(list(SURVIVABLE)), min_size=1, unique=True).map(tuple),
        st.lists(expectations(failed=True), max_size=2).map(tuple),
        st.lists(objectives(weighed=False, failed=True), max_size=2).map(tuple),
    )
    kinds = draw(st.lists(st.sampled_from(list(LEVERS)), unique=True))
    return Intent(
        minimize=tuple(draw(st.lists(several | alone, max_size=3))),
        expect=tuple(draw(st.lists(expectations(), max_size=3))),
        survive=draw(st.none() | survive),
        avoid=tuple(
            draw(
                st.lists(
                    st.builds(Avoid, selectors(flows), selectors(elements, given=True)), max_size=2
                )
            )
        ),
        levers=tuple(draw(levers(kind)) for kind in kinds),
        most_changes=draw(st.none() | st.integers(0, 10**6)),
        prices=draw(st.builds(Prices, st.floats(0, 1e6), st.floats(0, 1e6))),
        name=draw(NAMES.map(str.strip)),
    )


@given(intent=intents())
def test_any_intent_comes_back_equal(intent: Intent, tmp_path_factory: Any) -> None:
    folder = tmp_path_factory.getbasetemp()
    SCHEMA.validate(intent_data(intent))
    for name in ("any.yaml", "any.json"):
        write_intent(intent, folder / name)
        assert read_intent(folder / name) == intent


def test_what_no_file_can_hold(tmp_path: Path) -> None:
    survive = Survive(minimize=(Objective("utilization", weight=2.0),))
    with pytest.raises(InputError, match="Leave it out"):
        write_intent(Intent(survive=survive), tmp_path / "x.yaml")
    across = Intent(avoid=(Avoid(Selector(node=("A",)), Selector(link=("B",))),))
    with pytest.raises(InputError, match="Select them so"):
        write_intent(across, tmp_path / "x.yaml")
    assert not list(tmp_path.iterdir())


# issues

LINE = "  - {measure: delay, class: voice, at_most: 20 ms}"
BROKEN = [
    # old, new, place, reason, remedy
    ("20 ms", "20 Mbit/s", "line 4, expect[0].at_most", "invalid time", "20ms"),
    ("20 ms", "20 %", "line 4, expect[0].at_most", "invalid time", "20ms"),
    ("20 ms", "20", "line 4, expect[0].at_most", "is 20 without a unit", "20 ms or 20 s"),
    ("20 ms", "-1 ms", "line 4, expect[0].at_most", "at least 0", "20ms"),
    ("20 ms", "soon", "line 4, expect[0].at_most", "must begin with a number", "20ms"),
    ("20 ms", "'20'", "line 4, expect[0].at_most", "a number", "20ms"),
    ("20 ms", ".nan", "line 4, expect[0].at_most", "nan", "20ms"),
    ("20 ms", ".inf", "line 4, expect[0].at_most", "inf", "20ms"),
    ("20 ms", "true", "line 4, expect[0].at_most", "is true", "20ms"),
    ("20 ms", "[1, 2]", "line 4, expect[0].at_most", "is a list", "20ms"),
    ("20 ms", "9" * 400, "line 4, expect[0].at_most", "must be", "20ms"),
    ("delay", "utilization", "line 4, expect[0].class", "is of the link", "Remove it"),
    ("delay", "latency", "line 4, expect[0].measure", "no measure 'latency'", "mean delay?"),
    ("delay", "jitter", "line 4, expect[0].measure", "no measure", "mean delay_variation?"),
    ("delay", "delay_p95", "line 4, expect[0].measure", "no measure", "delay_p99"),
    ("delay", "7", "line 4, expect[0].measure", "no measure '7'", "Known are"),
    ("measure: delay, ", "", "line 4, expect[0]", "has no measure", "Add measure"),
    ("class", "clas", "line 4, expect[0].clas", "no key 'clas'", "mean class"),
    ("class", "traffic_class", "line 4, expect[0].traffic_class", "no key", "mean class?"),
    ("class", "destination", "line 4, expect[0].destination", "no key", "mean to?"),
    ("at_most", "max", "line 4, expect[0].max", "no key", "mean at_most?"),
    ("at_most", "at_least: 1 ms, at_most", "line 4, expect[0]", "both at_most", "two lines"),
    (", at_most: 20 ms", "", "line 4, expect[0]", "has no limit", "Add at_most"),
    ("voice,", "[],", "line 4, expect[0].class", "empty list", "Name one"),
    ("voice,", "'',", "line 4, expect[0].class", "empty name", "Name one"),
    ("voice,", "{a: b},", "line 4, expect[0].class", "a mapping", "[item]"),
    ("voice,", "[[a]],", "line 4, expect[0].class[0]", "must be text", "quotes"),
    ("voice,", "voice, class: data,", "line 4, expect[0].class", "duplicate", "Remove"),
    ("voice,", "voice, reduce: median,", "line 4, expect[0].reduce", "no way to", "Did you mean"),
    ("voice,", "voice, reduce: avg,", "line 4, expect[0].reduce", "no way to", "mean mean?"),
    ("voice,", f"{'x' * 1001},", "line 4, expect[0].class", "1001 characters", "Shorten"),
    (LINE, "  - 5", "line 4, expect[0]", "is 5: must be an expectation", "Write"),
    (LINE, "  - delay", "line 4, expect[0]", "must be an expectation", "Write"),
    (LINE, "  - ", "line 4, expect[0]", "is empty", "Write"),
    (LINE, "  a: b", "expect", "must be a list", "- item"),
    (LINE, "  - {measure: cost, node: A, at_most: 5}", "expect[0].node", "no selector", "Remove"),
    (LINE, "  - {measure: cost, reduce: max, at_most: 5}", "expect[0].reduce", "one num", "Remove"),
    (LINE, "  - {measure: loss, at_most: 150 %}", "expect[0].at_most", "at most 1", "80%"),
    (LINE, "  - {measure: loss, at_most: 5 ms}", "expect[0].at_most", "invalid share", "0.6"),
    (LINE, "  - {measure: utilization, at_most: 80}", "at_most", "without a unit", "80 %"),
    (LINE, "  - {measure: throughput, at_least: 5 ms}", "at_least", "invalid rate", "10G"),
    ("[utilization]", "[throughput]", "line 2, minimize[0]", "shall not be low", "at_least"),
    ("[utilization]", "[{measure: delay, weight: 3}]", "minimize[0].weight", "alone", "a list"),
    ("[utilization]", "[{measure: delay, failures: mean}]", "[0].failures", "not about", "survive"),
    ("[utilization]", "[[]]", "line 2, minimize[0]", "is an empty list", "Remove it"),
    ("[utilization]", "[[{measure: delay, weight: 0}]]", "weight", "above 0", "Give"),
    ("[utilization]", "{measure: delay}", "line 2, minimize", "must be a list", "[item]"),
    ("[utilization]", "[[[delay]]]", "minimize[0][0]", "must be an objective", "measure"),
    ("[segments]", "[segment]", "line 6, change.with[0]", "no lever 'segment'", "segments"),
    ("[segments]", "[igp]", "line 6, change.with[0]", "no lever", "mean weights?"),
    ("[segments]", "[paths, paths]", "line 6, change.with[1]", "duplicate", "one entry"),
    ("[segments]", "[{lever: weights, class: a}]", "change.with[0].class", "of the link", "Remo"),
    ("[segments]", "[{lever: weights, step: 1G}]", "with[0].step", "takes no limit", "Remove"),
    ("[segments]", "[{lever: rates, at_least: 2}]", "with[0].at_least", "at most 1", "share"),
    ("[segments]", "[{lever: capacities, step: 0}]", "with[0].step", "above 0", "10G"),
    ("[segments]", "[]\n  at_most: 2.5", "line 7, change.at_most", "whole number", "Write 2"),
    ("[segments]", "[{lever: segments, midpoints: 4}]", "midpoints", "at most 3", "Give"),
    ("[segments]", "[{lever: segments, midpoints: 1.5}]", "midpoints", "whole number", "Write 2"),
    ("[segments]", "[{lever: weights, midpoints: 2}]", "midpoints", "no limit", "Remove it"),
    ("[segments]", "[]\n  at_most: -1", "line 7, change.at_most", "at least 0", "Give"),
    ("[segments]", "[]\n  at_most: many", "line 7, change.at_most", "a number", "Give"),
    ("[segments]", "[]\n  prices: {chnge: 1}", "line 7, change.prices.chnge", "no key", "change"),
    ("[segments]", "[]\n  prices: 5", "line 7, change.prices", "what changes cost", "Write"),
    ("change:", "changes:", "line 5, changes", "no key", "mean change"),
    ("change:", "levers: 1\nchange:", "line 5, levers", "no key", "Did you mean|Known are"),
    ("change:", "avoid: [{class: a}]\nchange:", "line 5, avoid[0]", "nothing to avoid", "Add li"),
    ("change:", "survive: {any: link}\nchange:", "line 5, survive", "asks for nothing", "Add ex"),
    ("change:", "survive: {any: cable}\nchange:", "survive.any", "no kind", "Known are"),
    ("change:", "survive: {any: [link, link]}\nchange:", "survive.any[1]", "duplicate", "Remove"),
    ("change:", "survive: {any: [], expect: []}\nchange:", "survive", "of nothing", "any: link"),
    (
        "change:",
        "survive: {expect: [{measure: cost, at_most: 1}]}\nchange:",
        "survive.expect[0].measure",
        "no failure changes it",
        "outside of survive",
    ),
    ("intent: small", "intent: ''", "line 1, intent", "must not be empty", "Give it a name"),
    ("intent: small", "nettwin: 1", "line 1, nettwin", "is a network", "the intent first"),
]


@pytest.mark.parametrize(("old", "new", "place", "reason", "remedy"), BROKEN)
def test_each_fault_gives_its_line_and_a_remedy(
    tmp_path: Path, old: str, new: str, place: str, reason: str, remedy: str
) -> None:
    assert old in SMALL
    told = issue(tmp_path, SMALL.replace(old, new, 1))
    assert told.place.startswith("line ")
    everything = f"{told.place}: {told.reason}. {told.remedy}"
    assert place in everything
    assert reason in everything
    assert any(each in everything for each in remedy.split("|"))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is not a mapping"),
        ("- a\n- b", "is not a mapping"),
        ("just words", "is not a mapping"),
        ("{}", "asks for nothing"),
        ("intent: x", "asks for nothing"),
        ("minimize: [utilization\nexpect: ]", "is not valid YAML"),
        ("a: &x 1\nminimize: *x", "anchor"),
        ("minimize: !!python/object:os.system x", "tag"),
        ("minimize: [utilization]\n---\nexpect: []", "second document"),
        ("minimize: " + "[" * 50 + "]" * 50, "too deep"),
        ("\x00", "is not valid YAML"),
    ],
)
def test_what_is_no_intent(tmp_path: Path, text: str, reason: str) -> None:
    assert reason in issue(tmp_path, text).reason


def test_all_faults_are_told_at_once_in_order(tmp_path: Path) -> None:
    text = SMALL.replace("utilization", "utilisation").replace("20 ms", "20").replace("seg", "sg")
    told = str(issue(tmp_path, text))
    assert [told.index(f"line {n}") for n in (2, 4, 6)] == sorted(
        told.index(f"line {n}") for n in (2, 4, 6)
    )


def test_what_is_too_large(tmp_path: Path) -> None:
    assert "larger than 1 MiB" in issue(tmp_path, "#" * (LARGEST_BYTES + 1)).reason
    assert LARGEST_BYTES < LARGEST_FILE_BYTES
    many = f"minimize: [{', '.join(['delay'] * (MAX_ENTRIES + 1))}]"
    assert f"at most {MAX_ENTRIES}" in issue(tmp_path, many).reason
    names = ", ".join(f"n{i}" for i in range(1001))
    assert "1001 names" in issue(tmp_path, SMALL.replace("voice", f"[{names}]")).reason


def test_json_faults_have_lines_too(tmp_path: Path) -> None:
    text = (
        '{\n "minimize": ["utilization"],\n "expect": [\n  {"measure": "delai", "at_most": 1}]\n}'
    )
    told = issue(tmp_path, text, "x.json")
    assert told.place == "line 4, expect[0].measure"
    assert "not valid JSON" in issue(tmp_path, '{"minimize": [}', "x.json").reason


def test_missing_files_and_bytes_that_are_no_text(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="cannot be read"):
        read_intent(tmp_path / "none.yaml")
    (tmp_path / "x.yaml").write_bytes(b"minimize: [\xff\xfe]")
    with pytest.raises(FormatError, match="not UTF-8"):
        read_intent(tmp_path / "x.yaml")


@settings(max_examples=200)
@given(text=st.text(max_size=80))
def test_no_text_makes_a_traceback(text: str, tmp_path_factory: Any) -> None:
    path = tmp_path_factory.getbasetemp() / "junk.yaml"
    path.write_text(text, encoding="utf-8", errors="replace")
    with pytest.raises(FormatError):
        read_intent(path)


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["measure", "at_most", "class", "any", "lever", "weight", "x"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)
KEYS = st.sampled_from(["minimize", "expect", "survive", "avoid", "change", "intent"])


@settings(max_examples=300)
@given(data=st.dictionaries(KEYS, JUNK, max_size=4))
def test_nested_junk_is_read_or_refused(data: dict[str, Any], tmp_path_factory: Any) -> None:
    path = tmp_path_factory.getbasetemp() / "junk.json"
    path.write_text(json.dumps(data), encoding="utf-8")
    try:
        intent = read_intent(path)
    except FormatError as error:
        assert error.remedy
    else:  # then it is an intent as any other, and the schema knows it
        write_intent(intent, path)
        assert read_intent(path) == intent
        SCHEMA.validate(intent_document(path).data)


# the schema


def test_the_published_schema_is_the_one_of_the_code() -> None:
    published = ROOT / "docs" / "intent.schema.json"
    assert json.loads(published.read_text(encoding="utf-8")) == intent_schema()
    jsonschema.Draft202012Validator.check_schema(intent_schema())


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"minimise": ["utilization"]},
        {"minimize": ["latency"]},
        {"minimize": ["throughput"]},
        {"minimize": [{"measure": "delay", "weight": 2}]},
        {"minimize": [[]]},
        {"minimize": [{"measure": "utilization", "class": "voice"}]},
        {"expect": [{"measure": "delay"}]},
        {"expect": [{"measure": "delay", "at_most": 1, "at_least": 0}]},
        {"expect": [{"measure": "delay", "at_most": 20}]},
        {"expect": [{"measure": "delay", "at_most": "20 Mbit/s"}]},
        {"expect": [{"measure": "utilization", "at_most": 80}]},
        {"expect": [{"measure": "loss", "at_most": 1.5}]},
        {"expect": [{"measure": "changes", "node": "A", "at_most": 5}]},
        {"expect": [{"measure": "delay", "class": [], "at_most": "1ms"}]},
        {"survive": {"any": "link"}},
        {"survive": {"any": "cable", "minimize": ["utilization"]}},
        {"survive": {"expect": [{"measure": "cost", "at_most": 1}]}},
        {"avoid": [{"class": "voice"}]},
        {"minimize": ["delay"], "change": {"with": ["segment"]}},
        {"minimize": ["delay"], "change": {"with": [{"lever": "weights", "step": "1G"}]}},
        {"minimize": ["delay"], "change": {"with": [{"lever": "rates", "srlg": "a"}]}},
        {"minimize": ["delay"], "change": {"at_most": 2.5}},
        {"minimize": ["delay"], "change": {"prices": {"change": -1}}},
    ],
)
def test_the_schema_refuses_what_reading_refuses(tmp_path: Path, data: dict[str, Any]) -> None:
    assert not SCHEMA.is_valid(data)
    issue(tmp_path, json.dumps(data), "x.json")


def test_synonyms_lead_to_names_of_the_language() -> None:
    known = {*MEASURES, *LEVERS, "mean", "total"}
    known |= {"from", "to", "class", "link", "node", "srlg", "at_most", "at_least", "reduce"}
    known |= {"intent", "minimize", "expect", "survive", "avoid", "change", "with"}
    assert set(SYNONYMS.values()) <= known
    assert not set(SYNONYMS) & (known - {"with"})
