"""Troubleshooting: faults, what they do, and whether they are found."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from nettwin.apps.troubleshooting import KINDS, Fault, Faulty, Incident, diagnose
from nettwin.apps.troubleshooting import advice as a
from nettwin.apps.troubleshooting.evidence import measures_of
from nettwin.apps.troubleshooting.incident_file import read_incident, write_incident
from nettwin.apps.troubleshooting.rehearsal import parse_fault, rehearsed
from nettwin.engines.packet import PacketSimulator
from nettwin.engines.theory import Theory
from nettwin.errors import FormatError, InputError, UnknownNameError
from nettwin.metrics import Table
from nettwin.scenario.generate import generate
from nettwin.scenario.scenario import Scenario

THEORY = Theory()


@cache
def network() -> Scenario:
    return generate("ladder", nodes=8, load=0.6, capacity_bps=1e7, seed=3)


@cache
def incident(*faults: Fault) -> Incident:
    simulator = PacketSimulator(max_packets=80_000, precision=0.0, jobs=1)
    return rehearsed(network(), faults, simulator)


def busiest() -> str:
    return network().topology.link_name[int(np.argmax(network().link_offered_load))]


def test_random_loss_takes_its_part_on_the_link_and_keeps_the_load_up_to_there() -> None:
    link = busiest()
    before = measures_of(Faulty.healthy(network()), THEORY.predict([network()])[0])
    faulty = Faulty.healthy(network()).with_faults([Fault("random_loss", link, 0.25)])
    after = measures_of(faulty, THEORY.predict([faulty.scenario])[0])
    k = network().topology.link(link)
    assert after["link/throughput_bps"][k] == pytest.approx(before["link/throughput_bps"][k], 0.01)
    paths = network().paths
    share = np.bincount(
        paths.hop_flow, (paths.links == k) * paths.share[paths.hop_path], len(paths.status)
    )
    lost = after["flow/loss_ratio"] - before["flow/loss_ratio"]
    np.testing.assert_allclose(lost, 0.25 * share, atol=2e-3)
    assert (share > 0).any()


def test_a_black_hole_takes_all_to_its_target_and_nothing_else() -> None:
    target = network().topology.node_name[0]
    node = network().topology.node_name[1]
    faulty = Faulty.healthy(network()).with_faults([Fault("black_hole", node, detail=target)])
    lost = measures_of(faulty, THEORY.predict([faulty.scenario])[0])["flow/loss_ratio"]
    traffic = network().traffic
    assert lost[traffic.flow_target != 0].max() < 1e-3
    from_there = (traffic.flow_target == 0) & (traffic.flow_source == 1)
    assert lost[from_there] == pytest.approx(1.0)


def faults() -> list[Fault]:
    link = busiest()
    source, target = link.split("->")
    return [
        Fault("link_down", f"{source}<->{target}"),
        Fault("random_loss", link, 0.05),
        Fault("capacity_loss", link, 0.7),
        Fault("counter_fault", link, 0.5),
        Fault("attack", target, 2.5),
    ]


@pytest.mark.parametrize("number", range(5))
def test_faults_made_by_packets_are_named_by_theory(number: int) -> None:
    fault = faults()[number]
    found = diagnose(incident(fault), THEORY)
    ends = set(fault.place.replace("<->", "->").split("->"))
    assert found.best.kind == fault.kind
    assert set(found.best.faults[0].place.replace("<->", "->").split("->")) == ends


def test_a_healthy_network_is_healthy_and_says_so() -> None:
    found = diagnose(incident(), THEORY)
    assert found.best.kind == "healthy"
    assert "Nothing is wrong" in a.paragraph(found)[0]
    assert a.repair_plan(found, THEORY) is None


def test_what_no_fault_explains_is_unknown() -> None:
    seen = incident()
    delay = seen.during[0].metrics.flow["owd_mean_s"]
    odd = np.where(np.arange(len(delay)) % 7 == 0, delay * 1.5 + 0.01, delay)

    def changed(one: object) -> object:
        flow = Table({**one.metrics.flow.columns, "owd_mean_s": odd})  # type: ignore[attr-defined]
        return replace(one, metrics=replace(one.metrics, flow=flow))  # type: ignore

    strange = replace(seen, during=tuple(map(changed, seen.during)))
    assert diagnose(strange, THEORY).best.unknown


def test_the_repair_of_a_lossy_link_is_a_plan_that_helps() -> None:
    found = diagnose(incident(Fault("random_loss", busiest(), 0.05)), THEORY)
    plan = a.repair_plan(found, THEORY)
    assert plan is not None
    assert plan.changes
    assert not plan.before.met
    assert plan.after.met
    for_it, _ = a.clues(found, found.best)
    assert for_it
    assert abs(for_it[0].z_healthy) > 3 > abs(for_it[0].z)


def test_an_incident_without_anything_measured_is_refused() -> None:
    with pytest.raises(InputError, match="nothing was observed during the incident"):
        Incident((), ())
    seen = incident()
    empty = Table({"owd_mean_s": np.full(network().traffic.flow_count, np.nan)})
    link = Table({"utilization": np.full(network().topology.link_count, np.nan)})
    blank = replace(seen.during[0], metrics=replace(seen.during[0].metrics, flow=empty, link=link))
    with pytest.raises(InputError, match="nothing was measured"):
        diagnose(Incident(seen.before, (blank,)), THEORY)


def test_two_samples_are_answered_with_what_is_not_known() -> None:
    seen = incident(Fault("link_down", f"{busiest().replace('->', '<->')}"))
    found = diagnose(Incident((), seen.during[:1]), THEORY)
    assert "Nothing was measured before the incident" in " ".join(a.paragraph(found))
    few = diagnose(Incident(seen.before[:1], seen.during[:1]), THEORY)
    assert few.best.kind == "link_down"


def test_incident_files_keep_what_was_measured(tmp_path: Path) -> None:
    seen = incident(Fault("random_loss", busiest(), 0.05))
    write_incident(tmp_path / "incident.json", seen, "net.yaml")
    again = read_incident(tmp_path / "incident.json", lambda name: network())
    one, other = diagnose(seen, THEORY), diagnose(again, THEORY)
    assert one.best.faults[0][:2] == other.best.faults[0][:2]
    data = json.loads((tmp_path / "incident.json").read_text())
    data["during"][0]["link"]["throughput_bps"]["X->Y"] = 1.0
    (tmp_path / "bad.json").write_text(json.dumps(data))
    with pytest.raises(UnknownNameError, match="X->Y"):
        read_incident(tmp_path / "bad.json", lambda name: network())
    (tmp_path / "bad.json").write_text('{"schema": "other"}')
    with pytest.raises(FormatError, match="nettwin-incident-1"):
        read_incident(tmp_path / "bad.json", lambda name: network())


def test_words_of_faults() -> None:
    assert parse_fault("random_loss A->B 0.02") == Fault("random_loss", "A->B", 0.02)
    assert parse_fault("class_loss A->B 0.1 voice") == Fault("class_loss", "A->B", 0.1, "voice")
    assert parse_fault("attack St. Gallen 3") == Fault("attack", "St. Gallen", 3.0)
    for text, words in (("blackhole A B", "blackhole"), ("random_loss A->B", "no size")):
        with pytest.raises(InputError, match=words):
            parse_fault(text)
    assert sum(kind.prior for kind in KINDS.values()) == pytest.approx(1.0, abs=0.1)
