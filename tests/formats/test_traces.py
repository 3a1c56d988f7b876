"""Traces from CSV and pcap: time stamps and sizes as recorded, clear errors on bad files."""

from __future__ import annotations

from pathlib import Path

import dpkt
import numpy as np
import pytest

from nettwin.errors import FormatError
from nettwin.formats import traces
from nettwin.formats.traces import read_trace


def capture(path: Path, packets: list[tuple[float, bytes]], *, nano: bool = False) -> Path:
    with path.open("wb") as file:
        writer = dpkt.pcap.Writer(file, nano=nano)
        for time_s, packet in packets:
            writer.writepkt(packet, ts=time_s)
    return path


def refused(path: Path) -> FormatError:
    with pytest.raises(FormatError) as caught:
        read_trace(path)
    assert caught.value.reason
    assert caught.value.remedy
    return caught.value


def test_a_capture_gives_times_and_sizes(tmp_path: Path) -> None:
    packets = [(1.7e9, b"x" * 60), (1.7e9 + 0.25, b"y" * 1500), (1.7e9 + 2, b"z")]
    trace = read_trace(capture(tmp_path / "x", packets), stretch=False)
    assert trace.times_s.tolist() == [0.0, 0.25, 2.0]
    assert trace.sizes_bits.tolist() == [480.0, 12000.0, 8.0]
    assert trace.stretch is False


def test_nanoseconds_since_1970_are_not_lost(tmp_path: Path) -> None:
    path = capture(tmp_path / "x", [(0.0, b"a"), (1.0, b"b")], nano=True)
    data = bytearray(path.read_bytes())
    for at, stamp in ((24, (1_700_000_000, 1)), (24 + 17, (1_700_000_000, 4))):
        data[at : at + 8] = np.array(stamp, "<u4" if data[0] == 0x4D else ">u4").tobytes()
    path.write_bytes(data)
    assert read_trace(path).times_s.tolist() == [0.0, 3e-9]


def test_packets_cut_by_the_capture_count_as_on_the_wire(tmp_path: Path) -> None:
    path = capture(tmp_path / "x", [(0.0, b"a" * 10), (1.0, b"b" * 10)])
    data = bytearray(path.read_bytes())
    order = "little" if data[0] == 0xD4 else "big"
    data[24 + 12 : 24 + 16] = (1500).to_bytes(4, order)
    path.write_bytes(data)
    assert read_trace(path).sizes_bits.tolist() == [12000.0, 80.0]


@pytest.mark.parametrize(
    ("text", "times", "sizes"),
    [
        ("time_s\n1\n1.5\n3\n", [0, 0.5, 2], []),
        ("0\n1e-3\n\n2e-3\n", [0, 1e-3, 2e-3], []),
        ("# heard at night\ntime_s,size_bits\n0,800\n1,400\n", [0, 1], [800, 400]),
        ("flow,Size_Bytes,TIME_S\na,100,5\nb,50,6\n", [0, 1], [800, 400]),
    ],
)
def test_tables(tmp_path: Path, text: str, times: list[float], sizes: list[float]) -> None:
    path = tmp_path / "x.csv"
    path.write_text(text)
    trace = read_trace(path)
    assert trace.times_s.tolist() == times
    assert trace.sizes_bits.tolist() == sizes


@pytest.mark.parametrize(
    ("content", "place", "reason"),
    [
        (b"", "line 1", "neither"),
        (b"hello,world\n1,2\n", "line 1", "neither"),
        (b"time_s\n0\nsoon\n", "line 3, column time_s", "'soon'"),
        (b"time_s\n0\nnan\n", "line 3, column time_s", "'nan'"),
        (b"time_s,size_bytes\n0,100\n1\n", "line 3", "1 columns"),
        (b"time_s,size_bytes\n0,100\n1,0\n", "", "above 0"),
        (b"time_s\n3\n2\n", "", "ascending"),
        (b"time_s\n3\n", "", "at least 2"),
        (b'time_s\n"3\n', "", ""),
        (b"time_s\n\xff\n", "line 2", "UTF-8"),
        (b"\x0a\x0d\x0d\x0a" + bytes(40), "", "pcapng"),
        (b"\xd4\xc3\xb2\xa1" + bytes(8), "byte 0", "cut off"),
        (b"\xd4\xc3\xb2\xa1" + bytes(20) + bytes(7), "packet 1, byte 24", "cut off"),
        (b"\xd4\xc3\xb2\xa1" + bytes(20) + bytes(8) + b"\xff" * 8, "packet 1", "cut off"),
    ],
)
def test_bad_files(tmp_path: Path, content: bytes, place: str, reason: str) -> None:
    path = tmp_path / "x"
    path.write_bytes(content)
    error = refused(path)
    assert place in error.place
    assert reason in error.reason


def test_a_trace_has_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traces, "MAX_PACKETS", 10)
    (tmp_path / "x.csv").write_text("".join(f"{i}\n" for i in range(11)))
    assert "more than 10 packets" in refused(tmp_path / "x.csv").reason
    path = capture(tmp_path / "x.pcap", [(float(i), b"x") for i in range(11)])
    assert "more than 10 packets" in refused(path).reason


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "gone.csv"):
        assert "cannot be read" in refused(path).reason
