"""Tables of estimated demands: the largest pairs, and what counters leave unexplained."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.table import Table

from nettwin import units
from nettwin.apps.demands import DemandEstimate
from nettwin.interfaces.tables import style


def demand_rows(found: DemandEstimate, names: tuple[str, ...]) -> list[dict[str, Any]]:
    """A row a pair of nodes, means over all intervals, the largest first."""
    mean, low, high = (
        values.mean(axis=0) for values in (found.demand_bps, found.low_bps, found.high_bps)
    )
    most = found.demand_bps.max(axis=0)
    source, target = np.nonzero(~np.eye(len(names), dtype=np.bool_))
    order = np.argsort(-mean[source, target], kind="stable")
    return [
        {
            "source": names[s],
            "target": names[d],
            "demand_bps": float(mean[s, d]),
            "low_bps": float(low[s, d]),
            "high_bps": float(high[s, d]),
            "highest_bps": float(most[s, d]),
        }
        for s, d in zip(source[order].tolist(), target[order].tolist(), strict=True)
    ]


def counter_rows(found: DemandEstimate) -> list[dict[str, Any]]:
    """A row a counter, means over the intervals in which it is there, the least explained first;
    those that never are come last, their value NaN."""
    known = ~np.isnan(found.measured_bps)
    measured = _mean(np.where(known, found.measured_bps, 0.0), known)
    explained = found.explained_bps.mean(axis=0)
    gap = np.where(known, found.residual_bps, 0.0)
    off = _mean(np.abs(gap), known)
    part = np.divide(off, measured, out=np.zeros_like(off), where=measured > 0)
    rows = [
        {
            "counter": name,
            "measured_bps": float(measured[k]),
            "explained_bps": float(explained[k]),
            "residual_bps": float(_mean(gap, known)[k]),
            "residual": float(part[k]),
        }
        for k, name in enumerate(found.counter)
    ]
    order = np.argsort(-np.nan_to_num(part, nan=-1.0), kind="stable")
    return [rows[k] for k in order]


def _mean(values: NDArray[np.float64], known: NDArray[np.bool_]) -> NDArray[np.float64]:
    count = known.sum(axis=0)
    found = np.full(values.shape[1], np.nan)
    np.divide(values.sum(axis=0), count, out=found, where=count > 0)
    return found


def demands(found: DemandEstimate, names: tuple[str, ...], top: int) -> Table:
    """The largest demands."""
    every = demand_rows(found, names)
    rows = [
        (
            f"{row['source']}->{row['target']}",
            *(units.rate(row[key]) for key in ("demand_bps", "low_bps", "high_bps")),
            *([units.rate(row["highest_bps"])] if len(found.times_s) > 1 else []),
        )
        for row in every[:top]
    ]
    return style.table(
        "Largest demands" + (", means over time" if len(found.times_s) > 1 else ""),
        f"<pair | demand | {found.confidence * 100:.0f} % between | and",
        "?highest" if len(found.times_s) > 1 else None,
        of=len(every),
        rows=rows,
    )


def residuals(found: DemandEstimate, top: int) -> Table:
    """The counters that the demands explain least."""
    every = [row for row in counter_rows(found) if row["measured_bps"] == row["measured_bps"]]
    rows = [
        (
            row["counter"],
            units.rate(row["measured_bps"]),
            units.rate(row["explained_bps"]),
            _signed(row["residual_bps"]),
            units.percent(row["residual"], 2),
        )
        for row in every[:top]
    ]
    return style.table(
        "Counters least explained",
        "<counter | counted | explained | residual | off by",
        of=len(every),
        rows=rows,
    )


def _signed(bps: float) -> str:
    return ("-" if bps < 0 else "") + units.rate(abs(bps))
