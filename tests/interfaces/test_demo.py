"""The demo, which is what `make run` shows."""

from __future__ import annotations

from pathlib import Path

from defusedxml.ElementTree import parse

from nettwin.formats import read
from nettwin.formats.change_plan import read_change_plan
from nettwin.formats.intent import read_intent


def test_demo_answers_draws_and_leaves_a_network_to_edit(run) -> None:
    done = run("demo")
    assert done.code == 0, done.err
    folder = Path("nettwin-demo")
    network = read(folder / "nsfnet.yaml").scenario
    assert network.topology.node_count == 14
    for name in ("before.svg", "after.svg", "delays.svg", "plan.svg"):
        parse(folder / name)
        assert f"nettwin-demo/{name}" in done.out
    plan = read_change_plan(folder / "plan.yaml")
    assert plan.after.objectives < plan.before.objectives
    assert [e.engine for e in plan.evidence] == ["gnn", "packet"]
    assert read_intent(folder / "voice.yaml").name == plan.intent
    assert plan.network == network.fingerprint()
    for words in ("Side by side", "Failures, the worst first", "Links that get busier"):
        assert words in done.out
    tried = [line.strip()[2:] for line in done.out.splitlines() if line.startswith("  $ ")]
    assert len(tried) == 8
    for line in tried:
        again = run(line.removeprefix("nettwin "))
        wanted = 4 if " --check " in line and not plan.met else 0  # on a slow machine
        assert again.code == wanted, f"{line}: {again.err}"


def test_demo_without_the_plot_extra_says_what_to_install(run, monkeypatch) -> None:
    monkeypatch.setattr("nettwin.interfaces.plots.figure.find_spec", lambda _: None)
    done = run("demo -o other")
    assert done.code == 0
    assert "pip install 'nettwin[plot]'" in done.err
    left = sorted(path.name for path in Path("other").iterdir())
    assert left == ["nsfnet.yaml", "plan.yaml", "voice.yaml"]
    assert "before.svg" not in done.out
