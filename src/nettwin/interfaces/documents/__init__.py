"""Documents: answers as JSON for programs. Names and units as in `nettwin.metrics`; NaN is null.

An answer is

    {"network": {"name", "source", "format", "index", "nodes", "links", "flows", "fingerprint"},
     "assumptions": [...], "ignored": [...], "warnings": [...],
     "engine", "answered_by", "because": [...], "flagged_flows",
     "method", "seconds", "confidence", "provenance": {...}, "totals": {...},
     "flows": [{"flow", "source", "target", "class", "rate_bps", metrics and their bounds...}],
     "links": [{"link", "source", "target", "capacity_bps", "up", "offered_load", ...}],
     "queues": [...]}

Rows follow the network's order. Each command wraps its answers in {"nettwin": version, "command"};
the API gives the same documents. `questions` has what else commands answer.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nettwin import __version__
from nettwin.formats import Reading
from nettwin.metrics import Interval, Metrics, Table
from nettwin.scenario.scenario import Scenario

Rows = list[dict[str, Any]]


def dumps(document: object) -> str:
    """JSON text that every reader takes: no NaN, no infinity."""
    return json.dumps(_plain(document), indent=1, ensure_ascii=False, allow_nan=False)


def headed(command: str, content: Mapping[str, Any]) -> dict[str, Any]:
    """A document as a command gives it."""
    return {"nettwin": __version__, "command": command, **content}


def network(scenario: Scenario, **more: Any) -> dict[str, Any]:
    """What a network is, in brief."""
    return {
        "name": scenario.name,
        **more,
        "nodes": scenario.topology.node_count,
        "links": scenario.topology.link_count,
        "flows": scenario.traffic.flow_count,
        "fingerprint": scenario.fingerprint(),
    }


def reading(found: Reading, index: int, scenario: Scenario | None = None) -> dict[str, Any]:
    """The network that was read, or what has become of it, and where it comes from."""
    where = {"source": found.source, "format": found.format, "index": index}
    return network(found.scenario if scenario is None else scenario, **where)


def answer(scenario: Scenario, metrics: Metrics, seconds: float | None = None) -> dict[str, Any]:
    """Everything a model says of a scenario."""
    return {
        **engine(metrics),
        "method": metrics.method,
        "seconds": seconds,
        "confidence": metrics.confidence,
        "provenance": dict(metrics.provenance),
        "totals": metrics.totals(scenario),
        "flows": flow_rows(scenario, metrics),
        "links": link_rows(scenario, metrics),
        "queues": queue_rows(scenario, metrics),
    }


def engine(*answers: Metrics) -> dict[str, Any]:
    """Which engine answered a question, and how many flows it flags in any of the answers."""
    first = answers[0]
    return {
        "engine": first.engine,
        "answered_by": first.answered_by,
        "because": first.because,
        "flagged_flows": max(metrics.flagged_count for metrics in answers),
    }


def intervals(found: Sequence[Interval]) -> Rows:
    """A time series: totals, flows and links of each interval."""
    return [
        {
            "start_s": part.start_s,
            "end_s": part.end_s,
            "totals": part.metrics.totals(part.scenario),
            "flows": flow_rows(part.scenario, part.metrics),
            "links": link_rows(part.scenario, part.metrics),
        }
        for part in found
    ]


def flow_rows(scenario: Scenario, metrics: Metrics) -> Rows:
    """A row for each flow: what it is and how it fares."""
    traffic, nodes = scenario.traffic, scenario.topology.node_name
    return [
        {
            "flow": scenario.flow_names[f],
            "source": nodes[traffic.flow_source[f]],
            "target": nodes[traffic.flow_target[f]],
            "class": traffic.class_name[traffic.flow_class[f]],
            "rate_bps": float(traffic.flow_rate_bps[f]),
            **row,
            **({} if metrics.flagged is None else {"flagged": bool(metrics.flagged[f])}),
        }
        for f, row in enumerate(_rows(metrics.flow, traffic.flow_count))
    ]


def link_rows(scenario: Scenario, metrics: Metrics) -> Rows:
    """A row for each link."""
    topology, offered = scenario.topology, scenario.link_offered_load
    return [
        {
            "link": topology.link_name[k],
            "source": topology.node_name[topology.link_source[k]],
            "target": topology.node_name[topology.link_target[k]],
            "capacity_bps": float(topology.link_capacity_bps[k]),
            "up": bool(topology.link_live[k]),
            "offered_load": float(offered[k]),
            **row,
        }
        for k, row in enumerate(_rows(metrics.link, topology.link_count))
    ]


def queue_rows(scenario: Scenario, metrics: Metrics) -> Rows:
    """A row for each queue."""
    topology = scenario.topology
    return [
        {
            "queue": scenario.queue_names[q],
            "link": topology.link_name[topology.queues.link[q]],
            **row,
        }
        for q, row in enumerate(_rows(metrics.queue, len(scenario.queue_names)))
    ]


def _rows(table: Table, count: int) -> Rows:
    columns: dict[str, list[float]] = {}
    for name, values in table.columns.items():
        columns[name] = values.tolist()
        if name in table.low:
            columns[f"{name}_low"] = table.low[name].tolist()
            columns[f"{name}_high"] = table.high[name].tolist()
    if not columns:
        return [{} for _ in range(count)]
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _plain(value: Any) -> Any:
    """The value in JSON's own types."""
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, np.generic | np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return _plain(value._asdict())
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, str | int | bool):
        return value
    return str(value)
