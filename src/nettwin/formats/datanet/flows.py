"""Traffic of datanet: one line of `traffic.txt` becomes flows.

A flow's rate is what it offers in the long run under the process that the line describes, with the
true mean of its packet sizes (the line's `AvgPktSize` is cut to whole bits):

- exponential gaps: `AvgPktsLambda` packets a time unit, gaps clipped at `ExpMaxFactor` means. Over
  292,000 recorded flows the sources send 1.00002 (+- 0.00001) times the nominal packets, which is a
  gap cut down to the limit, not one drawn again (that would be 1.00045), if it is cut at all.
- equal gaps: `AvgPktsLambda` packets a time unit.
- on-off: (1 + PktsLambdaOn x AvgTOn) packets each AvgTOn + AvgTOff, because an on period begins
  with a packet. The recorded sources send 0.05 % (over 3 packets a time unit) to 1.4 % (0.4 packets
  a time unit) more than that. Periods are exponential and gaps inside on periods are equal: over
  335,700 recorded flows the variance of the packets in a cycle is 0.50 (PktsLambdaOn x AvgTOn)^2,
  that of exponential periods alone; exponential gaps would add PktsLambdaOn x AvgTOn to it.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nettwin.errors import FormatError
from nettwin.quantity import frozen
from nettwin.scenario.arrivals import CBR, ArrivalProcess, OnOff, Poisson
from nettwin.scenario.packet_sizes import Binomial, Discrete, Fixed, PacketSize, Uniform
from nettwin.scenario.traffic import Traffic

KINDS = ("exponential", "deterministic", "uniform", "normal", "on-off", "PPBP", "trace", "external")
EXPONENTIAL, DETERMINISTIC, ON_OFF, EXTERNAL = 0, 1, 4, 7
NEGLIGIBLE = 1e-4  # share of gaps over the limit under which the limit is left out
MAX_SIZES = 1000  # of one distribution
MAX_CLASSES = 256


class Flows(NamedTuple):
    """The flows of a line, where each stands in it, and what was assumed."""

    traffic: Traffic
    record: NDArray[np.int64]  # [flows] index of the record in the line
    record_count: int  # pairs without a flow have a record as well
    assumptions: tuple[str, ...]


def records_begin(path: Path, place: str, line: bytes, first: str) -> int:
    """Where the records of a line begin, after its first field. Raises FormatError."""
    begin = line.find(b"|") + 1
    if begin == 0:
        remedy = f"Give `{first}|` and one record a pair of nodes."
        raise FormatError(path, place, "has no `|` after its first field", remedy)
    return begin


def check_pairs(path: Path, place: str, pairs: int, node_count: int) -> None:
    """Raise FormatError unless there are records for all pairs of nodes."""
    if pairs != node_count**2:
        raise FormatError(
            path,
            place,
            f"has records for {pairs} pairs",
            f"Give {node_count**2}, as the graph has {node_count} nodes.",
        )


def read_flows(path: Path, place: str, line: bytes, node_count: int) -> Flows:
    """The flows of a line of `traffic.txt` on a network of this many nodes."""
    begin = records_begin(path, place, line, "maxAvgLambda")
    from nettwin.formats.datanet import scan

    text = np.frombuffer(line, np.uint8)
    record, pair, kind, parameters, tos, size_of, spans, records, pairs, bad, why = scan.flows(
        text, begin, len(line), scan.PARAMETERS
    )
    if bad >= 0:
        raise FormatError(
            path,
            f"{place}, record {bad + 1}",
            scan.REASONS[why],
            "Give kind, parameters, size distribution and ToS.",
        )
    check_pairs(path, place, pairs, node_count)

    def first(wrong: NDArray[np.bool_], reason: str, remedy: str) -> None:
        if wrong.any():
            at = int(record[int(np.argmax(wrong))]) + 1
            raise FormatError(path, f"{place}, record {at}", reason, remedy)

    source, target = pair // node_count, pair % node_count
    first(source == target, "is a flow from a node to itself", "Remove the flow.")
    first(
        (tos < 0) | (tos >= MAX_CLASSES) | (tos != np.floor(tos)),
        f"has a ToS that is not a whole number 0 to {MAX_CLASSES - 1}",
        "Correct the ToS.",
    )
    first(
        ~np.isfinite(parameters).all(axis=1) | (parameters < 0).any(axis=1),
        "has a parameter that is negative or not finite",
        "Correct the record.",
    )
    sizes = []
    for k, (start, end) in enumerate(spans.tolist()):
        at = int(record[int(np.argmax(size_of == k))]) + 1
        shown = bytes(line[start:end])
        external = bool(kind[int(np.argmax(size_of == k))] == EXTERNAL)
        sizes.append(_size(path, f"{place}, record {at}", shown, external))
    mean_bits = (
        np.array([size.mean_bits for size in sizes], np.float64)[size_of] if sizes else np.zeros(0)
    )
    arrivals, arrival_of, packets, assumed = _arrivals(kind, parameters, mean_bits)
    first(
        ~(packets > 0) | ~np.isfinite(packets),
        "has no packet rate above 0",
        "Give the rate, or remove the flow (-1).",
    )
    classes, class_of = np.unique(tos.astype(np.int64), return_inverse=True)
    traffic = Traffic(
        class_name=tuple(f"tos{k}" for k in classes.tolist()),
        flow_source=frozen(source, np.int32),
        flow_target=frozen(target, np.int32),
        flow_class=frozen(class_of, np.int32),
        flow_rate_bps=frozen(packets * mean_bits, np.float64),
        sizes=tuple(sizes),
        flow_size=frozen(size_of, np.int32),
        arrivals=arrivals,
        flow_arrival=frozen(arrival_of, np.int32),
    )
    return Flows(traffic, record, int(records), assumed)


def _arrivals(
    kind: NDArray[np.int8], parameters: NDArray[np.float64], mean_bits: NDArray[np.float64]
) -> tuple[tuple[ArrivalProcess, ...], NDArray[np.intp], NDArray[np.float64], tuple[str, ...]]:
    """The processes, which one each flow has, and its packets a time unit."""
    shape = np.zeros((len(kind), 4))  # kind, and what the process keeps of the parameters
    shape[:, 0] = kind
    poisson, bursts = kind == EXPONENTIAL, kind == ON_OFF
    shape[poisson, 1] = parameters[poisson, 2]
    shape[bursts, 1:3] = parameters[bursts, 2:4]
    shape[bursts, 3] = parameters[bursts, 4]
    distinct, arrival_of = _distinct_rows(shape)
    packets = parameters[:, 1].copy()
    with np.errstate(all="ignore"):
        limit = np.where(parameters[poisson, 2] > 0, parameters[poisson, 2], np.inf)
        packets[poisson] /= -np.expm1(-limit)
        rate_on, off, on = parameters[bursts, 1], parameters[bursts, 2], parameters[bursts, 3]
        packets[bursts] = (1 + rate_on * on) / (on + off)
        packets[bursts & ((parameters[:, 3] <= 0) | (parameters[:, 1] <= 0))] = 0.0
        other = ~(poisson | bursts | (kind == DETERMINISTIC))
        packets[other] = parameters[other, 0] / mean_bits[other]
    arrivals: list[ArrivalProcess] = []
    words: list[str] = []
    for row, (which, a, b, c) in enumerate(distinct.tolist()):
        count = int(np.count_nonzero(arrival_of == row))
        many = f"{count} of {len(kind)} flows"
        if which == ON_OFF:
            arrivals.append(
                OnOff(on_s=max(b, 1e-12), off_s=a, regular=True, starts_with_packet=True)
            )
            words.append(
                f"{many}: on-off with a packet at the start of each on period, which sends"
                " more than the nominal rate, and equal gaps in it" + _cut(c)
            )
        elif which == DETERMINISTIC:
            arrivals.append(CBR())
        elif which == EXPONENTIAL and a > 0 and math.exp(-a) > NEGLIGIBLE:
            arrivals.append(Poisson(longest_gap=a))
        else:
            arrivals.append(Poisson())
            if which == EXPONENTIAL and a > 0:
                words.append(f"{many}: gaps cut at {a:g} means, read as uncut Poisson")
            elif which != EXPONENTIAL:
                words.append(f"{many}: {KINDS[int(which)]} arrivals read as Poisson of their rate")
    return tuple(arrivals), arrival_of.reshape(-1), packets, tuple(words)


def _distinct_rows(rows: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Different rows and which one each is; column by column, as few differ in most columns."""
    number = np.zeros(len(rows), np.intp)
    for column in rows.T:
        values, place = np.unique(column, return_inverse=True)
        number = np.unique(number * len(values) + place, return_inverse=True)[1]
    _, first = np.unique(number, return_index=True)
    return rows[first], number


def _cut(factor: float) -> str:
    return f"; times cut at {factor:g} means read as uncut" if factor > 0 else ""


def _size(path: Path, place: str, text: bytes, external: bool) -> PacketSize:
    """A size distribution: `0,avg`, `1,avg,low,high`, `2,avg,size1,size2` or
    `3,avg,N,size,probability...`; sizes in bits."""

    def wrong(reason: str) -> FormatError:
        return FormatError(
            path,
            place,
            reason,
            "Give 0 fixed, 1 uniform, 2 binomial or 3 generic"
            " sizes, in bits, as the format describes.",
        )

    if external or len(text) > 40 * MAX_SIZES:
        raise wrong(
            "has an external inter-arrival process, whose parameters the file does not name"
            if external
            else "has a size distribution that is too long"
        )
    try:
        kind, *v = (float(word) for word in text.split(b","))
    except ValueError:
        raise wrong("has a size distribution with a field that is not a number") from None
    if not all(0 <= x < 1e12 for x in v):
        raise wrong("has a packet size or probability that is negative or not finite")
    size: PacketSize
    if kind == 0 and len(v) == 1:
        size = Fixed(v[0])
    elif kind == 1 and len(v) == 3:
        size = Uniform(v[1], v[2])
    elif kind == 2 and len(v) == 3:
        size = Binomial(v[0], min(v[1], v[2]), max(v[1], v[2]))
    elif kind == 3 and len(v) >= 4 and len(v) == 2 + 2 * v[1]:
        if not sum(v[3::2]) > 0:
            raise wrong("has size probabilities that are all 0")
        size = Discrete(tuple(v[2::2]), tuple(v[3::2]))
    elif kind == 4 and len(v) >= 1:
        raise wrong("takes its packet sizes from a trace, which is not in the data set")
    else:
        raise wrong(f"has a size distribution of kind {kind:g} with {len(v)} parameters")
    issues = size.issues("the record")
    if issues:
        raise wrong(f"has a size distribution that cannot be: {issues[0]}")
    return size
