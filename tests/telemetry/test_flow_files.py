"""Flow records as the real collectors wrote them (samples/), and as none should."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nettwin.errors import FormatError, InputError, SourceError
from nettwin.telemetry.flows.prefixes import Prefixes
from nettwin.telemetry.flows.records import FlowRecords
from nettwin.telemetry.registry import SOURCES
from nettwin.telemetry.source import ALWAYS_S, Opening
from tests.telemetry.recorded import SAMPLES


def read(
    kind: str, folder: Path, path: str, told: list[str] | None = None, **more: Any
) -> FlowRecords:
    notes = told if told is not None else []
    source = SOURCES[kind].open(Opening({"path": path, **more}, folder, notes))
    return source.flows(*ALWAYS_S)  # type: ignore[attr-defined, no-any-return]


@pytest.mark.parametrize(
    ("kind", "path", "exporter"),
    [
        ("nfdump", "nfdump.json", "127.0.0.1"),
        ("nfdump", "nfdump.csv", "127.0.0.1"),
        ("pmacct", "nfacctd.json", "127.0.0.1"),
        ("pmacct", "nfacctd.csv", "127.0.0.1"),
    ],
)
def test_collectors_tell_the_same_flows(kind: str, path: str, exporter: str) -> None:
    """Of one replay of softflowd, in NetFlow 9 and IPFIX."""
    records = read(kind, SAMPLES, path)
    assert len(records) == 6
    assert records.keys()[0] == "10.1.0.13 10.3.9.6 udp 1036 53"
    assert records.octets[:2].tolist() == [480, 12000]
    assert records.packets[:2].tolist() == [8, 200]
    assert set(records.exporter) == {exporter}
    assert set(records.in_port) == {""}  # 0 is no port
    assert records.sampling.tolist() == [1.0] * 6
    assert (records.end_s >= records.begin_s).all()


def test_a_clock_that_wrapped_is_put_back() -> None:
    """softflowd began its clock before 2^32 ms: its flows seem to end in the next year."""
    told: list[str] = []
    records = read("nfdump", SAMPLES, "nfdump.json", told)
    assert "6 flows seem to end days after they arrived" in told[0]
    assert records.begin_s[0] == pytest.approx(1_796_036_468, abs=2)  # of the packets: 11:01:08


def test_packets_that_pmacctd_saw_itself_name_no_exporter() -> None:
    records = read("pmacct", SAMPLES, "pmacctd.json", exporter="Seattle")
    assert set(records.exporter) == {"Seattle"}
    assert records.begin_s.tolist() == records.end_s.tolist()  # the end is 0000-00-00
    assert records.begin_s[0] == 1_796_036_405.808157


GOOD: dict[str, Any] = {
    "time_flow_start_ns": 10**18, "time_flow_end_ns": 10**18, "bytes": 5, "packets": 1,
    "src_addr": "2001:db8::1", "dst_addr": "10.0.0.2", "proto": 132, "src_port": 1, "dst_port": 2,
    "sampler_address": "10.0.0.3", "in_if": 7, "out_if": 8, "sampling_rate": 512,
}  # fmt: skip


def test_fields_of_goflow2(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(GOOD))
    records = read("goflow2", tmp_path, "a.json")
    assert records.keys() == ["2001:db8::1 10.0.0.2 sctp 1 2"]
    assert (records.in_port[0], records.out_port[0]) == ("7", "8")
    assert records.sampling[0] == 512
    assert records.begin_s[0] == pytest.approx(1e9, abs=1e-6)
    told = read("goflow2", tmp_path, "a.json", sampling={"10.0.0.3": 100})
    assert told.sampling[0] == 100


def test_garbage_between_records_is_left_out_and_said(tmp_path: Path) -> None:
    bad = ['{"bytes": ', "<html>", "[1, 2]", json.dumps({**GOOD, "src_addr": None})]
    bad += [json.dumps({**GOOD, "bytes": "many"}), json.dumps({**GOOD, "time_flow_start_ns": "?"})]
    lines = [json.dumps(GOOD), *bad, json.dumps(GOOD)]
    (tmp_path / "a.json").write_text("\n".join(lines))
    told: list[str] = []
    assert len(read("goflow2", tmp_path, "a.json", told)) == 2
    assert any("2 lines that are no flow records, the first line 2" in words for words in told)
    assert any("3 records without times, addresses or octets" in words for words in told)


ODD: list[Any] = [
    None, True, [], {}, [1], "", "x", -1, 1e308, float("nan"), float("inf"), 10**30, 2**63,
    "9999-12-31T23:59:59", "0001-01-01", "\0",
]  # fmt: skip


@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_no_field_of_a_record_can_do_harm(tmp_path: Path, odd: Any) -> None:
    """A record that cannot be is left out, or what it does not tell is as if it were not there."""
    records = [GOOD, *({**GOOD, name: odd} for name in GOOD)]
    (tmp_path / "a.json").write_text("\n".join(map(json.dumps, records)))
    found = read("goflow2", tmp_path, "a.json")
    assert 1 <= len(found) <= len(records)
    assert (found.octets >= 0).all() and (found.octets < 2**62).all()
    assert (np.abs(found.begin_s) < 1e12).all() and (found.end_s >= found.begin_s).all()
    assert (found.sampling >= 1).all()


def test_a_list_that_is_still_being_written(tmp_path: Path) -> None:
    text = (SAMPLES / "nfdump.json").read_text()
    (tmp_path / "a.json").write_text(text[: len(text) - 300])
    told: list[str] = []
    assert len(read("nfdump", tmp_path, "a.json", told)) == 5
    assert any("no flow records" in words for words in told)


def test_files_of_nfcapd_need_nfdump(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """tests/system reads some."""
    (tmp_path / "nfcapd.1").write_bytes(b"\x0c\xa5\x02\x00" + bytes(20))
    with pytest.raises((FormatError, SourceError), match="nfdump"):
        read("nfdump", tmp_path, "nfcapd.1")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(SourceError, match="nfdump is not installed here"):
        read("nfdump", tmp_path, "nfcapd.1")


def test_a_time_without_flows_is_no_error(tmp_path: Path) -> None:
    """As nfdump writes it."""
    (tmp_path / "a.json").write_text("[\nNo matching flows\n]\n")
    header = (SAMPLES / "nfdump.csv").read_text().split("\n")[0]
    end = "No matching flows\nSummary\nflows,bytes,packets,avg_bps\n0,0,0,0\n"
    (tmp_path / "a.csv").write_text(f"{header}\n{end}")
    for path in ("a.json", "a.csv"):
        assert not len(read("nfdump", tmp_path, path))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("<html>", "no header of flow records"),
        ('{"a": 1}', "its records have no time_flow_start_ns"),
        ("a,b,c,d\n1,2,3,4", "is no goflow2: its records have no"),
        ("{not json", "no JSON of flow records"),
    ],
)
def test_files_that_hold_no_records_are_told(tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(FormatError, match=said):
        read("goflow2", tmp_path, "a.json")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"path": ""}, "no path"),
        ({"prefixes": {"10.0.0.0/33": "A"}}, "such as 10.1.0.0/16"),
        ({"prefixes": {"10.0.0.1/8": "A"}}, "has host bits"),
        ({"sampling": {"A": 0}}, "at least 1"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_wrong_settings_are_told(tmp_path: Path, settings: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        SOURCES["nfdump"].open(Opening({"path": "a", **settings}, tmp_path))


def test_the_longest_prefix_wins() -> None:
    found = Prefixes({"10.0.0.0/8": "A", "10.1.0.0/16": "B", "10.1.2.3": "C", "2001:db8::/32": "D"})
    names = [
        "10.9.9.9",
        "10.1.9.9",
        "10.1.2.3",
        "2001:db8:5::1",
        "::ffff:10.1.2.3",
        "11.0.0.1",
        "?",
    ]
    assert [found.find(name) for name in names] == ["A", "B", "C", "D", "C", "", ""]
