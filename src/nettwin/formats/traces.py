"""Traces: packet time stamps and sizes from a CSV file or a pcap capture.

CSV: a header with `time_s` and, if sizes are known, `size_bytes` or `size_bits`; or bare time
stamps, one a line. pcap: the time stamps and the lengths on the wire, link-layer headers counted.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nettwin.errors import FormatError
from nettwin.formats.files import read_bytes, read_text
from nettwin.scenario.arrivals import Trace

MAX_PACKETS = 5_000_000
_MAGIC = {b"\xa1\xb2\xc3\xd4", b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\x3c\x4d", b"\x4d\x3c\xb2\xa1"}
_PCAPNG = b"\x0a\x0d\x0d\x0a"
_SIZE_BITS = {"size_bytes": 8.0, "size_bits": 1.0}


def read_trace(path: Path, *, stretch: bool = True) -> Trace:
    """The trace in a CSV or pcap file, told apart by content. Raises FormatError.

    Time stamps count from the first packet.
    """
    head = read_bytes(path)[:4] if path.is_file() else b""
    if head == _PCAPNG:
        raise FormatError(
            path, "", "is pcapng, which is not read", "Convert it: editcap -F pcap IN OUT."
        )
    times, sizes = _pcap(path) if head in _MAGIC else _csv(path)
    trace = Trace(times, sizes, stretch)
    if issues := trace.issues("the file"):
        issue = issues[0]
        raise FormatError(path, "", f"{issue.value}: {issue.allowed}", issue.remedy)
    return trace


def _pcap(path: Path) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    from dpkt import pcap

    data = read_bytes(path)
    if len(data) < 24:
        raise FormatError(path, "byte 0", "is cut off in its header", "Copy the file again.")
    little = data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1")
    header = pcap.LEPktHdr if little else pcap.PktHdr
    per_second = 10**9 if data[:4] in (b"\xa1\xb2\x3c\x4d", b"\x4d\x3c\xb2\xa1") else 10**6
    ticks: list[int] = []
    bits: list[int] = []
    at = 24
    while at < len(data):
        packet = header(data[at : at + 16]) if at + 16 <= len(data) else None
        if packet is None or at + 16 + packet.caplen > len(data):
            place = f"packet {len(ticks) + 1}, byte {at}"
            raise FormatError(path, place, "is cut off", "Copy the file again, or shorten it.")
        _limit(path, len(ticks))
        ticks.append(packet.tv_sec * per_second + packet.tv_usec)
        bits.append(packet.len * 8)
        at += 16 + packet.caplen
    # whole ticks are subtracted first: seconds since 1970 leave a float no nanoseconds
    first = ticks[0] if ticks else 0
    times = np.array([tick - first for tick in ticks], np.float64) / per_second
    return times, np.array(bits, np.float64)


def _csv(path: Path) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    rows = _rows(path)
    line, header = next(rows, (1, []))
    names = [name.strip().lower() for name in header]
    times: list[float] = []
    sizes: list[float] = []
    size_at, bits = -1, 1.0
    if len(names) == 1 and _is_number(names[0]):
        time_at = 0
        times.append(_number(path, line, "time_s", names[0]))
    elif "time_s" in names:
        time_at = names.index("time_s")
        found = [name for name in names if name in _SIZE_BITS]
        if found:
            size_at, bits = names.index(found[0]), _SIZE_BITS[found[0]]
    else:
        raise FormatError(
            path,
            f"line {line}",
            "is neither a pcap capture nor a table with a column time_s",
            "Begin with the header time_s or time_s,size_bytes.",
        )
    for line, row in rows:
        if len(row) <= max(time_at, size_at):
            raise FormatError(
                path, f"line {line}", f"has {len(row)} columns", "Fill in every column."
            )
        _limit(path, len(times))
        times.append(_number(path, line, "time_s", row[time_at]))
        if size_at >= 0:
            sizes.append(_number(path, line, "size", row[size_at]) * bits)
    stamps = np.array(times, np.float64)
    return stamps - stamps[0] if len(stamps) else stamps, np.array(sizes, np.float64)


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(read_text(path)))
    try:
        for row in reader:
            if row and not (len(row) == 1 and not row[0].strip()) and row[0][:1] != "#":
                yield reader.line_num, row
    except csv.Error as error:
        place = f"line {reader.line_num}"
        raise FormatError(path, place, f"is not valid CSV: {error}", "Correct the line.") from None


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _number(path: Path, line: int, column: str, text: str) -> float:
    value = float(text) if len(text) < 64 and _is_number(text) else math.nan
    if not math.isfinite(value):
        raise FormatError(
            path,
            f"line {line}, column {column}",
            f"is {text[:40]!r}: must be a number",
            "Correct or remove the line.",
        )
    return value


def _limit(path: Path, packets: int) -> None:
    if packets >= MAX_PACKETS:
        raise FormatError(
            path, "", f"has more than {MAX_PACKETS:,} packets", "Cut the trace shorter."
        )
