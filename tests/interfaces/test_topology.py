"""nettwin data topology: from a link-state database to events in the history."""

from __future__ import annotations

import json
from pathlib import Path

from nettwin.formats import ImportDefaults, read
from nettwin.workspace.workspace import begin
from tests.interfaces.conftest import Run

GOOD = Path(__file__).parents[1] / "formats" / "good"
NAMES = "devices: {" + ", ".join(f"10.254.0.{k}: r{k}" for k in range(1, 6)) + "}\n"


def test_what_ospf_tells_becomes_events(run: Run, tmp_path: Path) -> None:
    """Real routers, told by IS-IS when the workspace was made and by OSPF since: on Tuesday a link
    is down and a cost another one. Capacities, which OSPF does not tell, stay."""
    network = read(GOOD / "isis/isis_monday.txt", assume=ImportDefaults(1e9, load=None)).scenario
    twin = begin(tmp_path / "twin", network)
    names = tmp_path / "names.yaml"
    names.write_text(NAMES)

    def topology(day: str, at: str) -> list[dict[str, str]]:
        done = run(
            "data", "topology", GOOD / f"ospf/ospf_{day}.json", "-w", twin.folder,
            "--names", names, "--at", at, "--json",
        )  # fmt: skip
        assert done.code == 0, done.err
        return list(json.loads(done.out)["events"])

    assert topology("monday", "2026-11-02") == []
    events = topology("tuesday", "2026-11-03")
    assert [(e["kind"], e["element"]) for e in events] == [
        ("link removed", "r3<->r4"),
        ("cost changed", "r2->r1#2"),
    ]
    told = json.loads(run("history", "-w", twin.folder, "--json").out)["events"]
    assert [e["kind"] for e in told] == ["link removed", "cost changed"]
    assert told[0]["time"] == "2026-11-03 00:00:00"
    shown = run("history", "-w", twin.folder).out
    assert "link removed" in shown and "r3<->r4" in shown
    now = twin.network_now.topology
    assert now.link_count == 14
    assert set(now.link_capacity_bps) == set(network.topology.link_capacity_bps)
    assert twin.plan.topology.link_count == 16  # the plan is what was planned


def test_unknown_names_are_not_taken_for_another_network(run: Run, tmp_path: Path) -> None:
    network = read(GOOD / "isis/isis_monday.txt", assume=ImportDefaults(load=None)).scenario
    twin = begin(tmp_path / "twin", network)
    failed = run("data", "topology", GOOD / "ospf/ospf_monday.json", "-w", twin.folder)
    assert failed.code == 2
    assert "--names" in failed.err
    assert twin.repository.network_told() is None
