"""bounds on the command line."""

from __future__ import annotations

import json

import pytest

from nettwin.formats import write
from nettwin.scenario.arrivals import CBR
from nettwin.scenario.packet_sizes import Fixed
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.topology import Link, Topology
from nettwin.scenario.traffic import Flow, Traffic


@pytest.fixture(autouse=True)
def network(tmp_path) -> None:
    """net.yaml: one link and a flow over it, and a flow that has no path."""
    topology = Topology.build(["A", "B"], [Link("A", "B", 1e6, 0.002)])
    flows = [Flow(a, b, 1e5, size=Fixed(8000), arrival=CBR()) for a, b in ("AB", "BA")]
    write(Scenario(topology, Traffic.build(topology, flows)), tmp_path / "net.yaml")


def test_bounds_in_json_and_what_has_none(run) -> None:
    done = run("bounds net.yaml --json --strict")
    assert done.code == 3
    told = json.loads(done.out)
    assert told["flows"][0] == {"flow": "A->B", "delay_bound_s": pytest.approx(0.010)}
    assert told["flows"][1] == {"flow": "B->A", "delay_bound_s": None}
    assert told["queues"][0]["rate_bps"] == pytest.approx(1e5)
    assert any(words.startswith("1 of 2 flows have no bound") for words in told["warnings"])


def test_an_intent_that_is_missed_where_nothing_may_change_says_it_in_time(run, tmp_path) -> None:
    wanted = "expect: [{measure: delay_bound, from: A, at_most: 9.5 ms}]\nchange: {at_most: 0}\n"
    (tmp_path / "wanted.yaml").write_text(wanted.replace("9.5", "10.0001"))
    assert run("intent check wanted.yaml net.yaml").code == 0
    (tmp_path / "wanted.yaml").write_text(wanted)
    done = run("intent check wanted.yaml net.yaml --json")
    assert done.code == 2
    assert "10.00 ms" in done.out
