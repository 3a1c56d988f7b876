"""Flow records against counters, as demands, and as history."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nettwin.apps.flows import collect_flows, demands_of, read_flows
from nettwin.errors import UnknownNameError
from nettwin.formats.counters import read_counters
from nettwin.repository.repository import Repository
from nettwin.telemetry.flows.gathering import cut
from nettwin.telemetry.source import ALWAYS_S
from nettwin.telemetry.source_file import opened, read_source_file
from tests.interfaces.conftest import Run, run  # noqa: F401  # a fixture
from tests.telemetry.flows import Exported, exported


def reading_of(given: Exported) -> Any:
    file = read_source_file(given.source)
    counters = read_counters(given.counters, given.scenario.topology)
    with opened(file) as source:
        return read_flows(source, file, given.scenario, *ALWAYS_S, counters=counters)  # type: ignore[arg-type]


def kinds(reading: Any) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for one in reading.findings.found:
        found.setdefault(one.kind, []).append(f"{one.where}: {one.detail}")
    return found


def off(given: Exported, reading: Any) -> float:
    """By how much known demands are off, over what they are."""
    series = demands_of(reading, given.scenario)
    assert series.listed is not None
    truth = np.where(series.listed, given.demand_bps, 0.0)
    return float(np.abs(series.demand_bps - truth).sum() / truth.sum())


def test_flows_that_agree_are_left_as_they_are(tmp_path: Path) -> None:
    """Each router exports what enters at it alone; its links carry others' traffic as well."""
    given = exported(tmp_path)
    reading = reading_of(given)
    assert not kinds(reading)
    assert off(given, reading) < 1e-6
    assert len(reading.reconciled.compared) == 10


def test_headers_of_frames_are_no_difference(tmp_path: Path) -> None:
    """Flows of small packets: counters have half as much again."""

    def small(record: dict[str, Any]) -> dict[str, Any]:
        packets = record["bytes"] // 64
        return {**record, "bytes": record["bytes"] - 18 * packets, "packets": packets}

    assert not kinds(reading_of(exported(tmp_path, small)))


def test_a_sampling_rate_that_is_not_told_is_estimated(tmp_path: Path) -> None:
    def sampled(record: dict[str, Any]) -> dict[str, Any]:
        rate = 512 if record["sampler_address"].endswith(".2") else 1
        return {**record, "bytes": record["bytes"] // rate, "packets": 1}

    given = exported(tmp_path, sampled)
    reading = reading_of(given)
    (found,) = kinds(reading)["flows_sampled"]
    assert found.startswith("10.255.0.2: 1:")
    assert float(found.split("1:")[1].split()[0]) == pytest.approx(512, rel=0.02)
    assert set(kinds(reading)) == {"flows_sampled"}
    assert off(given, reading) < 0.02


def test_octets_that_were_multiplied_already_are_not_again(tmp_path: Path) -> None:
    given = exported(tmp_path, lambda record: {**record, "sampling_rate": 1000})
    reading = reading_of(given)
    assert len(kinds(reading)["flows_scaled"]) == 5
    assert off(given, reading) < 1e-6
    told = kinds(reading)["flows_over"]  # 1000 times too much does not fit
    assert "Tbit/s of flows on a port of 10 Gbit/s" in told[0]


def test_a_rate_that_is_told_and_true_is_used(tmp_path: Path) -> None:
    def sampled(record: dict[str, Any]) -> dict[str, Any]:
        return {**record, "bytes": record["bytes"] // 100, "sampling_rate": 100}

    given = exported(tmp_path, sampled)
    assert not kinds(reading_of(given))
    assert off(given, reading_of(given)) < 1e-4


def test_an_exporter_that_is_counted_twice_is_halved(tmp_path: Path) -> None:
    """By two line cards, a little later each: the records are not the same."""

    def twice(record: dict[str, Any]) -> list[dict[str, Any]]:
        again = {**record, "time_flow_start_ns": record["time_flow_start_ns"] + 10**6}
        return [record, again] if record["sampler_address"].endswith(".1") else [record]

    given = exported(tmp_path, twice)
    reading = reading_of(given)
    (found,) = kinds(reading)["flows_twice"]
    assert found.startswith("10.255.0.1: 2")
    assert off(given, reading) < 0.01


def test_the_same_record_twice_is_one(tmp_path: Path) -> None:
    given = exported(tmp_path, lambda record: [record, record])
    reading = reading_of(given)
    assert set(kinds(reading)) == {"flows_again"}
    assert off(given, reading) < 1e-6


def test_a_link_that_is_off_alone_spoils_no_exporter(tmp_path: Path) -> None:
    given = exported(tmp_path)
    lines = given.counters.read_text().splitlines()
    cells = [line.split(",") for line in lines]
    place = cells[0].index("N1->N2")
    for row in cells[1:]:
        row[place] = str(float(row[place]) / 3)
    given.counters.write_text("\n".join(",".join(row) for row in cells))
    reading = reading_of(given)
    assert set(kinds(reading)) == {"flows_disagree"}
    (found,) = kinds(reading)["flows_disagree"]
    assert found.startswith("N1->N2: ")
    assert off(given, reading) < 1e-6


def test_a_link_that_is_off_hides_no_exporter_that_is_counted_twice(tmp_path: Path) -> None:
    def twice(record: dict[str, Any]) -> dict[str, Any]:
        of_n4 = record["sampler_address"].endswith(".4")
        return {**record, "bytes": record["bytes"] * 2} if of_n4 else record

    given = exported(tmp_path, twice)
    lines = given.counters.read_text().splitlines()
    cells = [line.split(",") for line in lines]
    place = cells[0].index("N1->N2")
    for row in cells[1:]:
        row[place] = str(float(row[place]) / 3)
    given.counters.write_text("\n".join(",".join(row) for row in cells))
    reading = reading_of(given)
    assert set(kinds(reading)) == {"flows_disagree", "flows_twice"}
    assert off(given, reading) < 1e-3


def test_exporters_that_no_link_tells_of_are_as_the_others(tmp_path: Path) -> None:
    """All sample at one rate; links of N3's traffic carry some that is not exported, too."""

    def sampled(record: dict[str, Any]) -> dict[str, Any]:
        size, packets = record["bytes"] // 100, record["packets"] // 100
        return {**record, "bytes": size, "packets": packets}

    given = exported(tmp_path, sampled, exporters="N1 N3 N5")
    reading = reading_of(given)
    told = kinds(reading)["flows_sampled"]
    assert len(told) == 3
    assert told[1] == "10.255.0.3: as the others"
    assert off(given, reading) < 0.02


def test_more_than_a_port_carries_is_said_where_others_are_not_exported(tmp_path: Path) -> None:
    """One exporter of many, of which everything is told five times as large."""

    def more(record: dict[str, Any]) -> dict[str, Any]:
        return {**record, "bytes": record["bytes"] * 5}

    given = exported(tmp_path, more, exporters="N1", nodes=8)
    told = kinds(reading_of(given))
    assert set(told) <= {"flows_over", "flows_disagree"}
    assert any("of flows on a port of 10 Gbit/s" in words for words in told["flows_over"])


def test_an_exporter_of_few_is_not_blamed_for_what_others_send(tmp_path: Path) -> None:
    given = exported(tmp_path, exporters="N2 N5", nodes=9)
    reading = reading_of(given)
    assert not kinds(reading)
    assert off(given, reading) < 1e-6


def test_ports_of_records_are_compared_with_what_they_counted(tmp_path: Path) -> None:
    """N1 sends to N2 alone; N2 tells the port by which it came, and tells every flow twice as
    large."""

    def at_n2(record: dict[str, Any]) -> list[dict[str, Any]]:
        if not (record["src_addr"].startswith("10.1.") and record["dst_addr"].startswith("10.2.")):
            return []
        size = record["bytes"] * 2
        return [{**record, "sampler_address": "10.255.0.2", "in_if": 7, "bytes": size}]

    given = exported(tmp_path, at_n2, nodes=3, told="links: {10.255.0.2: {'7': N2->N1}}\n")
    reading = reading_of(given)
    assert [one.link for one in reading.reconciled.compared] == ["N1->N2"]
    assert reading.reconciled.compared[0].exporter == "10.255.0.2"
    assert reading.reconciled.factor.tolist() == [0.5]


def test_flows_told_where_they_enter_and_leave_are_counted_once(tmp_path: Path) -> None:
    given = exported(
        tmp_path, lambda record: [record, {**record, "flow_direction": 1, "out_if": 9}]
    )
    reading = reading_of(given)
    assert set(kinds(reading)) == {"flows_both"}
    assert off(given, reading) < 1e-6


def test_addresses_of_no_prefix_are_told(tmp_path: Path) -> None:
    def strange(record: dict[str, Any]) -> dict[str, Any]:
        far = record["dst_addr"].startswith("10.2.")
        return {**record, "dst_addr": "192.0.2.7"} if far else record

    (found,) = kinds(reading_of(exported(tmp_path, strange)))["flows_unknown"]
    assert "of the octets, such as of 192.0.2.7" in found


def test_a_prefix_of_no_node_is_told(tmp_path: Path) -> None:
    given = exported(tmp_path)
    given.source.write_text(given.source.read_text().replace("16: N1", "16: Nowhere"))
    with pytest.raises(UnknownNameError, match="Nowhere"):
        reading_of(given)


def test_known_pairs_are_those_with_an_exporter_at_an_end(tmp_path: Path) -> None:
    given = exported(tmp_path, exporters="N1 N3")
    series = demands_of(reading_of(given), given.scenario)
    assert series.listed is not None
    assert series.listed.sum(axis=1).tolist() == [4, 0, 4, 0, 0]


def test_demands_that_are_exported_are_kept_and_the_others_estimated(
    run: Run,  # noqa: F811
    tmp_path: Path,
) -> None:
    given = exported(tmp_path, exporters="N1 N3")
    line = "data demands network.yaml counters.csv --known flows.yaml -o found.npz"
    done = run(line)
    assert done.code == 0, done.err
    found = np.load(tmp_path / "found.npz")["demand_bps"]
    np.testing.assert_allclose(found[:, 0], given.demand_bps[:, 0], rtol=1e-4)
    alone = run(line.replace("--known flows.yaml ", "").replace("found", "alone"))
    assert alone.code == 0
    without = np.load(tmp_path / "alone.npz")["demand_bps"]
    others = [1, 3, 4]
    better, worse = (
        np.abs(x[:, others] - given.demand_bps[:, others]).sum() for x in (found, without)
    )
    assert better < worse


def test_history_has_the_largest_flows_and_the_rates_of_pairs(
    run: Run,  # noqa: F811
    tmp_path: Path,
) -> None:
    given = exported(tmp_path)
    assert run("init twin --network network.yaml").code == 0
    done = json.loads(run("data collect flows.yaml -w twin --json").out)
    assert done["intervals"] == 6 and done["flows"] == 20
    again = json.loads(run("data collect flows.yaml -w twin --json").out)
    assert again["talkers"] == done["talkers"]
    shown = json.loads(run("data flows -w twin --json --top 3").out)
    last = given.demand_bps[-1].sum() * 300 / 8
    assert shown["octets"] == pytest.approx(last, rel=1e-6)  # not twice, though collected twice
    assert shown["largest"][0]["octets"] >= shown["largest"][1]["octets"]
    kept = Repository(tmp_path / "twin" / "repository")
    flow = kept.observation(kept.times_s()[-1]).scenario
    np.testing.assert_allclose(flow.traffic.matrix(5), given.demand_bps[-1], rtol=1e-6)
    one = shown["largest"][0]["flow"]
    assert json.loads(run(f"data flows -w twin --flow '{one}' --json").out)["flow"]["exact"]


def test_late_records_are_added_to_their_interval(tmp_path: Path) -> None:
    given = exported(tmp_path)
    lines = (tmp_path / "flows.json").read_text().splitlines()
    kept = Repository(tmp_path / "history")
    for upto in (len(lines) // 2, len(lines)):
        (tmp_path / "flows.json").write_text("\n".join(lines[:upto]))
        with kept.writing():
            collect_flows(reading_of(given), given.scenario, kept)
    total = sum(
        int(t.octets.sum()) + t.rest for t in (kept.talkers(float(at)) for at in kept.talked_s())
    )
    assert total == pytest.approx(given.demand_bps.sum() * 300 / 8, rel=1e-6)


def test_flows_are_cut_at_the_edges_and_no_octet_is_lost() -> None:
    draw = np.random.default_rng(0)
    begin = draw.uniform(0, 900, 500)
    end = begin + draw.exponential(200, 500) * (draw.random(500) < 0.8)
    octets = draw.integers(1, 10**9, 500)
    edges = np.arange(0, 6000, 60.0)
    pieces = cut(begin, end, octets, edges)
    np.testing.assert_array_equal(np.bincount(pieces.record, pieces.octets), octets)
    first = pieces.record == 0
    assert pieces.share[first].sum() == pytest.approx(1.0)
    inside = cut(begin, end, octets, edges[:5])
    assert inside.octets.sum() < octets.sum()
    assert inside.interval.max() == 3


def test_intervals_are_those_of_the_history(run: Run, tmp_path: Path) -> None:  # noqa: F811
    given = exported(tmp_path, nodes=3)
    (tmp_path / "links.csv").write_text(
        "time,device,interface,sent\n"
        + "\n".join(f"{1_796_036_400 + 120 * k},N1,N1->N2,{k * 10**6}" for k in range(9))
    )
    (tmp_path / "links.yaml").write_text(
        "source: csv\npath: links.csv\nquantities: {out_octets: sent}\n"
    )
    given.source.write_text(given.source.read_text().replace("interval: 300\n", ""))
    assert run("init twin --network network.yaml").code == 0
    assert json.loads(run("data collect links.yaml -w twin --json").out)["interval_s"] == 120
    assert json.loads(run("data collect flows.yaml -w twin --json").out)["interval_s"] == 120


def test_counters_may_be_those_of_another_source(run: Run, tmp_path: Path) -> None:  # noqa: F811
    given = exported(tmp_path, nodes=3)
    at = "1796036400"
    rows = [f"{int(at) + 300 * k},N1,N1->N2,{k * 10**9}" for k in range(7)]
    (tmp_path / "links.csv").write_text("time,device,interface,sent\n" + "\n".join(rows))
    (tmp_path / "links.yaml").write_text(
        "source: csv\npath: links.csv\nquantities: {out_octets: sent}\n"
    )
    line = "data check flows.yaml --network network.yaml --counters links.yaml --json"
    done = json.loads(run(line).out)
    (link,) = done["links"]
    assert link["counted_bps"] == pytest.approx(8e9 / 300, rel=1e-3)
    (tmp_path / "links.yaml").write_text(
        "source: snmp\nagents: {N1: 127.0.0.1}\ncommunity: env:X\n"
    )
    told = run(line)
    assert told.code == 2 and "is polled" in told.err
    assert given.network.exists()
