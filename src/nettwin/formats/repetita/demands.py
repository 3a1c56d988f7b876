"""Demands: a REPETITA set of demands as traffic; read as arrays, for there can be very many."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nettwin.formats.format import ImportDefaults, Reading
from nettwin.formats.repetita.lines import DEMAND_COLUMNS, Lines
from nettwin.quantity import frozen
from nettwin.scenario.arrivals import Poisson
from nettwin.scenario.traffic import BEST_EFFORT, FLOW, Traffic

Columns = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]  # [demands] each


def with_demands(bare: Reading, path: Path, assume: ImportDefaults) -> Reading:
    """The reading of a bare graph with the traffic of a set of demands. Raises FormatError."""
    lines = Lines.of(path)
    stated = lines.header(0, "DEMANDS")
    end = next((i for i in range(2, len(lines.lines)) if not lines.lines[i].strip()), None)
    rows = range(2, len(lines.lines) if end is None else end)
    topology = bare.scenario.topology
    source, target, rate_bps = _columns(lines, rows, topology.node_count)
    own = source == target
    kept = np.flatnonzero(~own)
    flows = _traffic(source[kept], target[kept], rate_bps[kept], assume)
    assumptions, ignored = list(bare.assumptions), list(bare.ignored)
    if len(rows) != stated:
        assumptions.append(f"demands: the {len(rows)} listed, though the file states {stated}")
    if flows.flow_count:
        assumptions.append(f"packet sizes of all {flows.flow_count} flows: {assume.size}")
        assumptions.append(f"arrivals of all {flows.flow_count} flows: Poisson")
        ignored.append("labels of the demands: flows are named by their ends")
    if own.any():
        ignored.append(f"demands from a node to itself: {int(own.sum())}")
    scenario = bare.scenario.with_(traffic=flows, name=path.stem)
    return Reading(scenario, bare.format, str(path), tuple(assumptions), tuple(ignored))


def _columns(lines: Lines, rows: range, node_count: int) -> Columns:
    """Source, target and rate in bit/s of every demand; slowly where one of them is bad."""
    words = [line.rsplit(None, 3) for line in lines.lines[2 : rows.stop]]
    try:
        table = list(zip(*words, strict=True)) or [()] * 4
        _, source_text, target_text, rate_text = table
        source, target = (np.array(t, np.int64) for t in (source_text, target_text))
        rate_bps = np.array([float(text + "e3") for text in rate_text])  # rounded once
    except (ValueError, OverflowError):
        return _columns_one_by_one(lines, rows, node_count)
    ends = np.concatenate([source, target])
    if np.any((ends < 0) | (ends >= node_count)) or not FLOW["rate_bps"].valid(rate_bps).all():
        return _columns_one_by_one(lines, rows, node_count)
    return source, target, rate_bps


def _columns_one_by_one(lines: Lines, rows: range, node_count: int) -> Columns:
    source, target, rate_bps = [], [], []
    for i in rows:
        _, a, b, rate = lines.columns(i, DEMAND_COLUMNS)
        source.append(lines.node(i, "src", a, node_count))
        target.append(lines.node(i, "dest", b, node_count))
        rate_bps.append(lines.quantity(i, FLOW["rate_bps"], rate, 3))
    return np.array(source, np.int64), np.array(target, np.int64), np.array(rate_bps)


def _traffic(
    source: NDArray[Any], target: NDArray[Any], rate_bps: NDArray[Any], assume: ImportDefaults
) -> Traffic:
    count = len(rate_bps)
    zero = frozen(np.zeros(count), np.int32)
    return Traffic(
        class_name=(BEST_EFFORT,) if count else (),
        flow_source=frozen(source, np.int32),
        flow_target=frozen(target, np.int32),
        flow_class=zero,
        flow_rate_bps=frozen(rate_bps, np.float64),
        sizes=(assume.size,) if count else (),
        flow_size=zero,
        arrivals=(Poisson(),) if count else (),
        flow_arrival=zero,
    )
