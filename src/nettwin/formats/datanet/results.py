"""What datanet recorded of flows: one line of results becomes the flows' metrics.

Fields of a record: `bandwidth_kbps, packets, drops, mean delay, mean log delay, p10, p20, p50, p80,
p90, variance`; -1 is "not told". Times are in seconds: the shortest delay of a flow is its bits
over the capacities on its path. Packets and bandwidth are what the flow sent, lost or not (over
460,000 flows of all loss ratios, packets are 0.998 to 1.002 of the nominal ones; with drops added
they would be up to 1.95), so that loss is drops over packets.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nettwin.errors import FormatError
from nettwin.formats.datanet.flows import Flows, check_pairs, records_begin
from nettwin.metrics import Table

BANDWIDTH, PACKETS, DROPS = 0, 1, 2
DELAYS = {"owd_mean_s": 3, "owd_p50_s": 7, "owd_p90_s": 9, "pdv_s2": 10}
HIDDEN = -1.0
ROUNDING = 1e-4  # negative numbers closer to 0 than this come from rounding
_REMEDY = "Give 11 numbers a flow, -1 for what is not known."


def read_results(
    path: Path, place: str, line: bytes, flows: Flows, node_count: int
) -> tuple[Table, tuple[str, ...]]:
    """The recorded metrics of the flows, and what of them is left out."""
    begin = records_begin(path, place, line, "packets,losses,delay")
    from nettwin.formats.datanet import scan

    text = np.frombuffer(line, np.uint8)
    values, pair, pairs, bad, why = scan.numbers(text, begin, len(line), scan.RESULT_FIELDS)
    if bad >= 0:
        raise FormatError(path, f"{place}, record {bad + 1}", scan.REASONS[why], _REMEDY)
    check_pairs(path, place, pairs, node_count)
    chosen, ignored = _of_flows(path, place, values, pair, flows, node_count)
    negative = (chosen < -ROUNDING) & (chosen != HIDDEN)
    negative[:, 4] = False  # the logarithm
    wrong = negative.any(axis=1) | np.isinf(chosen).any(axis=1)
    if wrong.any():
        at = int(flows.record[int(np.argmax(wrong))]) + 1
        raise FormatError(
            path, f"{place}, record {at}", "has a number that is negative or too large", _REMEDY
        )
    return Table(_columns(chosen)), ignored


def _of_flows(
    path: Path,
    place: str,
    values: NDArray[np.float64],
    pair: NDArray[np.int64],
    flows: Flows,
    node_count: int,
) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """The record of each flow. [flows, fields]

    Where there is one record a pair, flows that share their pair have none of their own: NaN.
    """
    if len(values) == flows.record_count:
        return values[flows.record], ()
    if len(values) != node_count**2:
        raise FormatError(
            path,
            place,
            f"has {len(values)} records where the traffic has {flows.record_count}",
            "Give one record a flow, or one a pair of nodes.",
        )
    own = flows.traffic.flow_source.astype(np.int64) * node_count + flows.traffic.flow_target
    chosen = values[own]
    shared = np.bincount(own, minlength=node_count**2)[own] > 1
    chosen[shared] = HIDDEN
    return chosen, (
        f"recorded metrics of {int(shared.sum())} of {len(own)} flows: recorded only as the sum"
        " over several flows of a pair",
    )


def _columns(values: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """Records [flows, fields] as metrics; columns of which nothing is known are left out."""
    known = np.where(values == HIDDEN, np.nan, np.where(values < 0, 0.0, values))
    with np.errstate(invalid="ignore", divide="ignore"):
        loss = np.minimum(known[:, DROPS] / known[:, PACKETS], 1.0)
    loss[~(known[:, PACKETS] > 0)] = np.nan
    columns = {name: known[:, field] for name, field in DELAYS.items()}
    columns["loss_ratio"] = loss
    columns["throughput_bps"] = known[:, BANDWIDTH] * 1000.0 * (1 - loss)
    return {name: column for name, column in columns.items() if np.isfinite(column).any()}
