"""Trust: which engine answered and which flows it flags, in tables, JSON and exit codes."""

from __future__ import annotations

import json

import pytest


@pytest.fixture
def chain(run) -> str:
    """chain.yaml: three nodes in a row, whose queues the learned model knows."""
    assert run("generate line --nodes 3 --load 60% -o chain.yaml").code == 0
    return "chain.yaml"


def test_a_change_that_the_twin_must_hand_on_is_compared_within_one_engine(run, chain) -> None:
    """A load far beyond the training's: gnn before and theory after would differ by more than the
    change."""
    line = f"whatif {chain} 'scale_traffic 8' -e twin"
    told = json.loads(run(f"{line} --json").out)
    assert told["before"]["answered_by"] == told["after"]["answered_by"] == "theory"
    assert told["because"] and "is offered 480% of its capacity" in " ".join(told["because"])
    asked = json.loads(run(f"predict {chain} -e theory --json").out)["answers"][0]
    assert told["before"]["totals"]["owd_mean_s"] == asked["totals"]["owd_mean_s"]
    done = run(f"{line} --strict")
    assert done.code == 3
    assert "predicted by twin (theory)" in done.out
    assert "twin: theory answers: " in done.err


def test_the_twin_says_that_its_first_choice_answered(run, chain) -> None:
    done = run(f"predict {chain} -e twin --strict")
    assert done.code == 0, done.err
    assert "predicted by twin (gnn)" in done.out
    (answer,) = json.loads(run(f"predict {chain} -e twin --json").out)["answers"]
    assert (answer["answered_by"], answer["because"]) == ("gnn", [])
    assert answer["flagged_flows"] == 0


def test_flagged_flows_are_marked_with_their_intervals(run, chain) -> None:
    line = f"whatif {chain} 'scale_traffic 1.7' -e gnn"  # to 102 %, where little moves much
    told = json.loads(run(f"{line} --json").out)
    flagged = [flow for flow in told["flows"] if flow["flagged"]]
    assert flagged and told["flagged_flows"] == len(flagged)
    bounded = [f for f in flagged if f["delay_after_s"] is not None]
    assert all(f["delay_after_low_s"] <= f["delay_after_high_s"] for f in bounded)
    assert all(f["loss_after_low"] <= f["loss_after_high"] for f in flagged)
    done = run(f"{line} --strict", columns=200)
    assert done.code == 3
    assert done.out.count("flagged") >= len(flagged)
    assert "90 % between" in done.out and "± 90 %" in done.out


def test_a_model_can_be_named_for_the_twin(run, chain) -> None:
    assert run(f"predict {chain} -e twin --model gnn").code == 0
    done = run("predict --help")
    assert all(name in done.out for name in ("theory", "packet", "gnn", "twin", "mlp"))
