"""The demo, which is what `make run` shows."""

from __future__ import annotations

from pathlib import Path

from defusedxml.ElementTree import parse

from nettwin.formats import read


def test_demo_answers_draws_and_leaves_a_network_to_edit(run) -> None:
    done = run("demo")
    assert done.code == 0, done.err
    folder = Path("nettwin-demo")
    network = read(folder / "nsfnet.yaml").scenario
    assert network.topology.node_count == 14
    for name in ("before.svg", "after.svg", "delays.svg"):
        parse(folder / name)
        assert f"nettwin-demo/{name}" in done.out
    for words in ("Side by side", "Single failures, the worst first", "Links that get busier"):
        assert words in done.out
    tried = [line.strip()[2:] for line in done.out.splitlines() if line.startswith("  $ ")]
    assert len(tried) == 6
    for line in tried:
        again = run(line.removeprefix("nettwin "))
        assert again.code == 0, f"{line}: {again.err}"


def test_demo_without_the_plot_extra_says_what_to_install(run, monkeypatch) -> None:
    monkeypatch.setattr("nettwin.interfaces.plots.figure.find_spec", lambda _: None)
    done = run("demo -o other")
    assert done.code == 0
    assert "pip install 'nettwin[plot]'" in done.err
    assert [path.name for path in Path("other").iterdir()] == ["nsfnet.yaml"]
    assert "before.svg" not in done.out
