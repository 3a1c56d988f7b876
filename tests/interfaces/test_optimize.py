"""nettwin optimize: what it prints, writes, refuses, and how it is stopped."""

from __future__ import annotations

import json
import re
import signal
import sys
import textwrap
import types
from pathlib import Path

import pytest
from defusedxml.ElementTree import parse
from rich.console import Console

from nettwin.apps.replay import replayed
from nettwin.change_plan import plan_to_dict
from nettwin.errors import FormatError, InputError
from nettwin.formats import read
from nettwin.formats.change_plan import read_change_plan, write_change_plan
from nettwin.intent import Intent
from nettwin.interfaces import wiring
from nettwin.interfaces.cli import options
from nettwin.interfaces.searching import Watch, searching, stoppable
from nettwin.optimize.methods import OPTIMIZERS, Method
from nettwin.optimize.optimize import optimize
from nettwin.optimize.problem import Problem
from nettwin.optimize.search import Progress
from nettwin.optimize.stop import Standing, Steps
from nettwin.scenario.changes import ScaleTraffic, apply_all, change_from_dict

DOCS = Path(__file__).parents[2] / "docs"
LOCAL = "--method local_search"
VOICE = """
intent: voice is quick
minimize: [{measure: utilization}, {measure: changes}]
expect:
  - {measure: delay_p99, class: voice, at_most: LIMIT}
"""
FULL = """
intent: half empty
expect: [{measure: utilization, at_most: 45%}]
"""


@pytest.fixture
def mesh(run) -> Path:
    """mesh.yaml: a network with paths around its busiest line."""
    made = run("generate nsfnet --load 90% --classes three --scheduler sp --seed 3 -o mesh.yaml")
    assert made.code == 0
    return Path("mesh.yaml")


def intent(text: str, name: str = "intent.yaml") -> Path:
    path = Path(name)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.usefixtures("mesh")
def test_without_an_intent_the_busiest_link_is_emptied_and_the_plan_replays(run) -> None:
    done = run(f"optimize mesh.yaml {LOCAL} --seconds 0.6 --out plan.yaml --json")
    assert done.code == 0, done.err
    document = json.loads(done.out)
    plan = document["plan"]
    before, after = (plan[side]["objectives"][0]["value"] for side in ("before", "after"))
    assert plan["bound"] <= after < 0.8 * before
    assert document["intent"] is not None
    assert document["engine"] is None
    assert [e["method"] for e in plan["evidence"]] == ["exact"]
    replay = run("whatif mesh.yaml --changes plan.yaml --json")
    assert replay.code == 0, replay.err
    told = json.loads(replay.out)
    assert told["changes"] == plan["changes"]
    scenario = read("mesh.yaml").scenario
    for change in read_change_plan("plan.yaml").changes:
        scenario = change.apply(scenario)
    assert scenario.link_offered_load.max() == pytest.approx(after, rel=1e-9)
    assert told["after"]["totals"]["utilization_max"] == pytest.approx(after, rel=1e-3)


@pytest.mark.usefixtures("mesh")
def test_tables_name_the_bound_and_the_first_changes(run) -> None:
    done = run(f"optimize mesh.yaml {LOCAL} --seconds 0.4 --top 2")
    assert done.code == 0, done.err
    assert "least offered load is better kept" in done.out
    assert re.search(r"max offered_load +90\.0 % +\d\d\.\d % +-\d\d\.\d % +\d\d\.\d %", done.out)
    assert re.search(r"\.\.\. and \d+ more \(the plan file and --json have all\)", done.out)
    assert len(re.findall(r"^ *\d+ +flow ", done.out, re.M)) == 2
    narrow = run(f"optimize mesh.yaml {LOCAL} --seconds 0.2 --top 2", columns=70).out
    assert max(map(len, narrow.splitlines())) <= 70


@pytest.mark.usefixtures("mesh")
def test_a_delay_intent_is_predicted_and_verified_side_by_side(run) -> None:
    file = intent(VOICE.replace("LIMIT", "40ms"))
    line = f"optimize mesh.yaml --intent {file} {LOCAL} --seconds 0.5 -e theory"
    done = run(f"{line} --out plan.json")
    assert done.code == 0, done.err
    assert "voice is quick is met" in done.out
    assert "predicted by theory; simulated by packet" in done.out
    heads = next(x for x in done.out.splitlines() if x.startswith("expected"))
    assert "simulated" in heads
    plan = read_change_plan("plan.json")
    model, packets = plan.evidence
    assert (model.engine, packets.engine) == ("theory", "packet")
    assert model.judgement.lines[0].value != packets.judgement.lines[0].value
    assert "packet" not in run(f"{line} --no-verify").out


@pytest.mark.usefixtures("mesh")
def test_what_is_not_met_says_why_and_exits_with_4(run) -> None:
    done = run(f"optimize mesh.yaml --intent {intent(FULL)} {LOCAL} --seconds 2")
    assert done.code == 4
    assert "half empty is not met (it was not before)" in done.out
    assert "no routing can keep this" in " ".join(done.err.split())
    quick = run(f"optimize mesh.yaml --intent {intent(VOICE.replace('LIMIT', '1us'))} --seconds 0")
    assert quick.code == 2
    assert "cannot be met, whatever is changed" in quick.err
    assert "expect[0]" in quick.err


@pytest.mark.usefixtures("mesh")
def test_a_plan_is_judged_again_and_refused_on_another_network(run) -> None:
    file = intent(VOICE.replace("LIMIT", "40ms"))
    usual = f"--intent {file} -e theory --no-verify"
    made = run(f"optimize mesh.yaml {usual} {LOCAL} --seconds 0.4 --out plan.yaml --json")
    assert made.code == 0
    again = run(f"optimize mesh.yaml {usual} --check plan.yaml --json")
    assert again.code == 0, again.err
    plans = [json.loads(done.out)["plan"] for done in (made, again)]
    assert plans[0]["after"] == plans[1]["after"]
    assert plans[0]["changes"] == plans[1]["changes"]
    limit_s = 0.999 * plans[0]["after"]["lines"][0]["value"]
    strict = intent(VOICE.replace("LIMIT", f"{limit_s}s"), "strict.yaml")
    missed = run(f"optimize mesh.yaml --intent {strict} -e theory --no-verify --check plan.yaml")
    assert missed.code == 4
    assert "missed" in missed.out
    assert run("generate nsfnet --load 80% --classes three --seed 4 -o other.yaml").code == 0
    other = run(f"optimize other.yaml {usual} --check plan.yaml")
    assert other.code == 2
    assert "made for another network" in other.err
    forced = run(f"optimize other.yaml {usual} --check plan.yaml --force --json")
    assert forced.code in (0, 4)
    assert json.loads(forced.out)["plan"]["bound"] is None
    assert run("optimize mesh.yaml --force").code == 2


FEW = """
intent: mended by few
minimize: [utilization]
change: {at_most: 4}
"""


@pytest.mark.usefixtures("mesh")
def test_it_begins_after_what_has_happened_and_the_plan_replays_there(run) -> None:
    scenario = read("mesh.yaml").scenario
    busiest = scenario.topology.link_name[int(scenario.link_offered_load.argmax())]
    failed = f"fail_link {busiest.replace('->', '<->')}"
    Path("grown.yaml").write_text("changes: [scale_traffic 1.1]", encoding="utf-8")
    usual = ["optimize", "mesh.yaml", "--intent", str(intent(FEW)), "--after", "grown.yaml"]
    usual += ["--after", failed, *LOCAL.split()]
    done = run(*usual, "--seconds", "0.5", "--out", "plan.yaml", "--json")
    assert done.code == 0, done.err
    told = json.loads(done.out)
    assert [change["kind"] for change in told["happened"]] == ["scale_traffic", "fail_link"]
    plan = read_change_plan("plan.yaml")
    now = apply_all(scenario, [change_from_dict(change) for change in told["happened"]])
    assert plan.network == now.fingerprint()
    assert len(plan.changes) <= 4
    before, after = (side.objectives[0] for side in (plan.before, plan.after))
    assert before == pytest.approx(now.link_offered_load.max())
    assert after < before
    assert after == pytest.approx(apply_all(now, plan.changes).link_offered_load.max())
    again = run(*usual, "--check", "plan.yaml", "--json")
    assert again.code == 0, again.err
    assert json.loads(again.out)["plan"]["after"] == told["plan"]["after"]
    unaware = run("optimize mesh.yaml --check plan.yaml")
    assert unaware.code == 2
    assert "--after" in unaware.err


@pytest.mark.usefixtures("mesh")
@pytest.mark.parametrize(
    ("after", "words"),
    [
        ("fail_link Nowhere<->Here", "Nowhere"),
        ("fall_link A<->B", "fail_link"),
        ("nothing.yaml", "nothing.yaml"),
        ("", "a change is empty"),
    ],
)
def test_what_cannot_have_happened_is_named(after, words, run) -> None:
    done = run("optimize", "mesh.yaml", "--after", after)
    assert done.code == 2
    assert words in done.err
    assert "Traceback" not in done.err


@pytest.fixture
def plan(mesh, run) -> Path:
    """plan.yaml: a plan for mesh.yaml."""
    assert run(f"optimize {mesh} {LOCAL} --seconds 0.2 --out plan.yaml").code == 0
    return Path("plan.yaml")


def test_a_plan_file_is_the_plan(plan) -> None:
    found = read_change_plan(plan)
    for name in ("again.yaml", "again.json"):
        write_change_plan(found, name)
        assert plan_to_dict(read_change_plan(name)) == plan_to_dict(found)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("nettwin-changes-1", "nettwin-changes-9", "schema is 'nettwin-changes-9'"),
        ("\nbefore:", "\nearlier:", "'before'"),
        ("kind: set_path, flow: ", "kind: set_pth, flow: ", 'no change "set_pth"'),
        ("seed: 1", "seed: one", "one"),
        ("\nchanges:", "\nchanges: 3\nunused:", "plan lacks or garbles"),
        ("schema: ", "scheme: ", "no schema"),
    ],
)
def test_an_altered_plan_file_is_named_and_refused(plan, old, new, words, run) -> None:
    text = plan.read_text(encoding="utf-8")
    assert old in text
    plan.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(FormatError) as caught:
        read_change_plan(plan)
    assert words in str(caught.value)
    done = run("optimize mesh.yaml --check plan.yaml")
    assert done.code == 2
    assert done.err.startswith("nettwin: plan.yaml")
    assert "Traceback" not in done.err


def test_a_plan_cut_short_anywhere_is_refused(plan) -> None:
    text = plan.read_text(encoding="utf-8")
    ends = [k * len(text) // 12 for k in range(1, 12)]
    ends += [match.start() for match in re.finditer(r"\n(?=\S)", text)][:-1]
    for end in ends:
        Path("short.yaml").write_text(text[:end], encoding="utf-8")
        with pytest.raises(FormatError):
            read_change_plan("short.yaml")


def test_a_plan_that_names_what_is_not_there_says_so(plan, run) -> None:
    text = plan.read_text(encoding="utf-8")
    flow = re.search(r"flow: (.+?), paths", text)
    assert flow
    plan.write_text(text.replace(flow[1], "Nowhere->Here", 1), encoding="utf-8")
    done = run("optimize mesh.yaml --check plan.yaml")
    assert done.code == 2
    assert 'plan.yaml: there is no flow "Nowhere->Here"' in done.err


@pytest.mark.usefixtures("mesh")
def test_both_maps_are_drawn(run) -> None:
    done = run(f"optimize mesh.yaml {LOCAL} --seconds 0.2 --plot maps.svg")
    assert done.code == 0
    words = ["".join(e.itertext()) for e in parse("maps.svg").iter() if e.tag.endswith("text")]
    assert {"before", "after"} <= set(words)
    assert sum(each.startswith("highest offered load") for each in words) == 2
    (title,) = (each for each in words if "least offered load" in each)
    assert re.search(r"busiest link 90\.0 % to \d\d\.\d % by \d+ changes", title)
    places = [e.get("id") for e in parse("maps.svg").iter() if (e.get("id") or "") == "link-0"]
    assert len(places) == 2
    assert run("optimize mesh.yaml --plot maps.gif").code == 2


@pytest.fixture
def absent(monkeypatch) -> None:
    """An optimizer `constraint` whose extra is not installed."""
    monkeypatch.setitem(OPTIMIZERS, "constraint", Method("constraint", "-", extra="constraint"))
    monkeypatch.setattr(wiring, "installed", lambda extra: not extra)


def test_the_list_has_every_optimizer(run) -> None:
    listed = run("optimize --list").out
    names = [line.split()[0] for line in listed.splitlines()[3:] if line[:1].strip()]
    assert names == list(OPTIMIZERS)
    assert [name for name, _ in options.complete_optimizer("l")] == ["linear", "local_search"]


@pytest.mark.usefixtures("absent", "mesh")
def test_a_method_that_is_not_there_or_not_installed_is_told_before_any_work(run) -> None:
    assert "no: pip install 'nettwin[constraint]'" in run("optimize --list").out
    done = run("optimize mesh.yaml --method best")
    assert done.code == 2
    assert all(name in done.err for name in OPTIMIZERS)
    done = run("optimize mesh.yaml --method constraint")
    assert done.code == 2
    assert "pip install 'nettwin[constraint]'" in done.err


def test_extras_of_all_optimizers_can_be_looked_for() -> None:
    for method in OPTIMIZERS.values():
        assert wiring.installed(method.extra) in (True, False)


def test_the_live_line_says_where_the_search_stands() -> None:
    watch = Watch(5.0, lambda value: f"{value:.0%}")
    assert "bound" in watch.line().plain
    watch.tell(Progress("auto: midpoints", Standing(1.0, 10, 0.62, 0.6, 3)))
    assert re.fullmatch(
        r"auto: midpoints  0\.\d of 5 s  best 62%  bound 60%  gap 3\.33 %", watch.line().plain
    )
    watch.tell(Progress("auto: midpoints", Standing(1.0, 10, float("inf"), float("-inf"), 3)))
    assert "a limit is still missed" in watch.line().plain
    watch.simulate(0.4)
    assert "Simulating  40%" in watch.line().plain


def test_the_live_line_of_loads_does_not_pass_for_delays() -> None:
    watch = Watch(5.0, lambda value: f"{value} s")
    watch.tell(Progress("auto: midpoints", Standing(1.0, 10, 0.62, 0.6, 3), "busiest link"))
    assert "busiest link: 62.0 %" in watch.line().plain
    assert "0.62 s" not in watch.line().plain
    watch.tell(Progress("auto: moves judged by the model", Standing(1.0, 10, 0.62, 0.6, 3)))
    assert "0.62 s" in watch.line().plain


def test_nothing_is_drawn_on_a_pipe(capsys) -> None:
    with searching(Console(force_terminal=False), Watch(1.0, str)):
        pass
    assert capsys.readouterr() == ("", "")


def test_the_first_interrupt_stops_the_second_aborts() -> None:
    told = []
    outside = signal.signal(signal.SIGINT, signal.default_int_handler)  # background jobs ignore it
    try:
        with stoppable(lambda: told.append(1)):
            signal.raise_signal(signal.SIGINT)
            assert told == [1]
            with pytest.raises(KeyboardInterrupt):
                signal.raise_signal(signal.SIGINT)
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, outside)


@pytest.mark.usefixtures("mesh")
def test_an_interrupted_search_gives_the_best_so_far(run, monkeypatch) -> None:
    told = Watch.tell

    def tell(self: Watch, progress: Progress) -> None:
        told(self, progress)
        if progress.standing.best < 0.8 and signal.getsignal(signal.SIGINT) is not usual:
            signal.raise_signal(signal.SIGINT)

    usual = signal.getsignal(signal.SIGINT)
    monkeypatch.setattr(Watch, "tell", tell)
    done = run(f"optimize mesh.yaml {LOCAL} --seconds 500 --json")
    assert done.code == 0
    plan = json.loads(done.out)["plan"]
    assert plan["after"]["objectives"][0]["value"] < 0.8
    assert plan["seconds"] < 100
    assert "Stopping" in done.err


def test_replay_of_a_plan_that_does_not_belong_here_needs_force(plan) -> None:
    scenario = read("mesh.yaml").scenario
    found = read_change_plan(plan)
    assert replayed(Problem(scenario, Intent()), found).after == found.after
    half = Problem(ScaleTraffic(0.5).apply(scenario), Intent())
    with pytest.raises(InputError, match="another network"):
        replayed(half, found)
    there = replayed(half, found, force=True)
    assert there.after.objectives[0] == pytest.approx(found.after.objectives[0] / 2)
    assert there.bound is None


def test_the_page_has_every_optimizer_with_its_title() -> None:
    page = (DOCS / "optimize.md").read_text(encoding="utf-8")
    section = page.split("## Methods")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \| (.+) \|$", section, re.M)
    assert rows == [(m.name, m.title) for m in OPTIMIZERS.values()]


@pytest.mark.usefixtures("mesh")
def test_the_optimizer_of_the_page_on_extending_works(run, monkeypatch) -> None:
    page = (DOCS / "extend.md").read_text(encoding="utf-8").split("## An optimizer")[1]
    code = page[page.index("    import numpy") : page.index("(It leaves")]
    module = types.ModuleType("random_moves_of_the_page")
    exec(textwrap.dedent(code), vars(module))
    monkeypatch.setitem(sys.modules, module.__name__, module)
    mine = Method("random", "-", f"{module.__name__}:random_moves")
    monkeypatch.setitem(OPTIMIZERS, "random", mine)
    plan = optimize(Problem(read("mesh.yaml").scenario, Intent()), "random", Steps(2000), 1)
    assert plan.after.objectives < plan.before.objectives
    assert plan.changes


def test_constants_of_the_search_come_from_a_file(run, mesh) -> None:
    """A search without rounds finds nothing that one with them does not, and is heard of."""
    line = f"optimize {mesh} {LOCAL} --seconds 1 --json"
    Path("own.toml").write_text("[local_search]\npatience = 3\n[budget]\nrounds = 1\n")
    done = run(f"{line} --params own.toml")
    assert done.code == 0
    assert json.loads(done.out)["plan"]["after"]["objectives"]
    Path("wrong.toml").write_text("[local_search]\npatience = 0\n")
    done = run(f"{line} --params wrong.toml")
    assert done.code == 2
    assert "local_search.patience is 0: must be a whole number" in done.err
    Path("unknown.toml").write_text("[local_serch]\npatience = 3\n")
    done = run(f"{line} --params unknown.toml")
    assert done.code == 2 and "did you mean: local_search" in done.err
