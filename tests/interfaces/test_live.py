"""Workspaces, loops and plans on the command line."""

from __future__ import annotations

import json
import threading
import urllib.request
from pathlib import Path

import pytest

from nettwin.formats import read
from nettwin.workspace.workspace import Workspace
from tests.live import INTENT, workspace

FAIL = "--event '30s fail_link C<->D'"


@pytest.fixture
def twin(run) -> Path:
    return workspace(Path("twin")).folder


def test_init_asks_for_one_network(run) -> None:
    assert "give --network FILE or --demo" in run("init twin").err
    done = run("init twin --demo")
    assert done.code == 0
    assert "nettwin loop --workspace twin" in done.out
    assert "not empty" in run("init twin --demo").err
    assert run("generate ring --nodes 4 -o net.yaml").code == 0
    assert run("init other --network net.yaml").code == 0
    assert not Workspace(Path("other")).settings.policy.auto
    assert 'no network "cloud"' in run("init third --network net.yaml --kind cloud").err
    assert run("init third --network net.yaml --kind linux").code == 0
    settings = Workspace(Path("third")).settings
    assert (settings.kind, settings.network["grace_s"]) == ("linux", 1.0)
    assert "demo does not run on cloud" in run("demo loop --network cloud").err


def test_a_loop_and_what_is_told_of_it(run, twin) -> None:
    done = run(f"loop -w twin --cycles 2 {FAIL}")
    assert done.code == 0, done.err
    assert done.out.strip().endswith("1 plan applied, 1 kept, 0 rolled back")
    status = run("status -w twin --json")
    facts = json.loads(status.out)
    assert (facts["applied"], facts["kept"], facts["step"]) == (1, 1, "observe")
    assert facts["issues"] == []
    assert facts["measured"]["met"]
    assert "link C->D went down" in run("history -w twin").out
    assert run("history -w twin --series link/A->B/utilization --json").code == 0
    assert "there is no series" in run("history -w twin --series nothing").err
    assert run("history -w twin --at 2026-01-05T12:10 -o then.yaml").code == 0
    assert not read("then.yaml").scenario.topology.link_live.all()
    plans = json.loads(run("plan list -w twin --json").out)["plans"]
    assert [(plan["author"], plan["state"]) for plan in plans] == [("loop", "kept")]


def test_an_event_that_does_not_fit_is_told_at_once(run, twin) -> None:
    assert "there is no link" in run("loop -w twin --cycles 1 --event '1s fail_link X<->Y'").err
    assert "--event is TIME CHANGE" in run("loop -w twin --cycles 1 --event '1s'").err
    assert not (twin / "loop.json").exists()


def test_plans_in_peoples_hands(run, tmp_path) -> None:
    """A plan waits, its author may not approve it, somebody else does; it is applied and undone."""
    folder = workspace(Path("twin"), INTENT, auto=False).folder
    tokens = {}
    for name, role in (("ada", "approver"), ("bob", "operator"), ("eve", "viewer")):
        done = run(f"people add {name} --role {role} -w twin --json")
        tokens[name] = json.loads(done.out)["token"]
    assert run(f"loop -w twin --cycles 2 {FAIL}").code == 0
    (plan,) = json.loads(run("plan list -w twin --json").out)["plans"]
    assert plan["state"] == "waits"
    id = plan["id"]
    assert run(f"plan verify {id} -w twin").code == 0
    told = run(f"plan apply {id} -w twin --token {tokens['bob']}")
    assert (told.code, "nobody has approved" in told.err) == (2, True)
    assert "this needs a person" in run(f"plan approve {id} -w twin").err
    assert "must have approver" in run(f"plan approve {id} -w twin --token {tokens['eve']}").err
    assert run(f"plan approve {id} -w twin --token {tokens['ada']}").code == 0
    assert "must have operator" in run(f"plan apply {id} -w twin --token {tokens['eve']}").err
    assert run(f"plan apply {id} --dry-run dry -w twin").code == 0
    assert "flow" in Path("dry/A.txt").read_text()
    assert run(f"plan apply {id} --dry-run xr --as ios_xr -w twin").code == 0
    assert "never tried on a device" in Path("xr/A.cfg").read_text()
    applied = run(f"plan apply {id} -w twin --token {tokens['bob']}")
    assert applied.code == 0, applied.err
    again = run(f"plan apply {id} -w twin --token {tokens['bob']}")
    assert again.out == applied.out
    with Workspace(folder).network() as network:
        assert network.receipt(id).stands
    assert run(f"plan undo {id} -w twin --token {tokens['bob']}").code == 0
    (plan,) = json.loads(run("plan list -w twin --json").out)["plans"]
    assert plan["state"] == "rolled back"
    who = {entry.who for entry in Workspace(folder).audit.entries()}
    assert {"loop", "bob"} <= who


def test_own_plans_are_approved_by_others(run, twin) -> None:
    token = json.loads(run("people add ada --role operator --role approver -w twin --json").out)[
        "token"
    ]
    assert run("loop -w twin --cycles 1").code == 0
    Path("i.yaml").write_text(INTENT.replace("70 %", "45 %"))
    made = run("optimize twin/network.yaml --intent i.yaml --seconds 0.3 --no-verify --out p.yaml")
    assert Path("p.yaml").exists(), made.err
    done = run(f"plan add p.yaml -w twin --token {token} --json")
    assert done.code == 0, done.err
    id = json.loads(done.out)["id"]
    assert "is ada's own" in run(f"plan approve {id} -w twin --token {token}").err


def test_calibrate_tells_what_it_found(run, twin) -> None:
    assert "too few" in run("calibrate -w twin").err
    assert run("loop -w twin --cycles 6").code == 0
    done = run("calibrate -w twin --json")
    assert done.code == 0, done.err
    found = json.loads(done.out)
    assert found["kept"]
    assert len(found["before"]) == 6
    assert (twin / "twin.json").exists()
    assert "of which" in run("calibrate -w twin --dry-run").out


def test_counters_over_http(run, twin) -> None:
    """As snmp_exporter gives them; counters only grow."""
    from nettwin.physical.exporter import server

    assert run("loop -w twin --cycles 1").code == 0

    def asked() -> dict[str, float]:
        with Workspace(twin).network() as network, server(network.ports, 0) as serving:
            thread = threading.Thread(target=serving.handle_request)
            thread.start()
            place = f"http://127.0.0.1:{serving.server_port}/metrics"
            with urllib.request.urlopen(place, timeout=10) as answer:
                text = answer.read().decode()
            thread.join()
        lines = [line for line in text.splitlines() if not line.startswith("#")]
        return {name: float(value) for name, _, value in (x.rpartition(" ") for x in lines)}

    first = asked()
    out = 'ifHCOutOctets{instance="A",ifIndex="1",ifName="A->C"}'
    assert first['ifHCInOctets{instance="C",ifIndex="1",ifName="C->A"}'] == first[out] > 0
    assert first['ifHighSpeed{instance="A",ifIndex="1",ifName="A->C"}'] == 10
    assert first['ifOperStatus{instance="A",ifIndex="1",ifName="A->C"}'] == 1
    assert run("network inject 'fail_link C<->D' -w twin").code == 0
    assert run("loop -w twin --cycles 1").code == 0
    second = asked()
    assert second['ifOperStatus{instance="C",ifIndex="2",ifName="C->D"}'] == 2
    counters = [name for name in first if "Octets" in name or "Pkts" in name]
    assert all(second[name] >= first[name] for name in counters)
    assert second[out] > first[out]
