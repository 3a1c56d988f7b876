"""Parquet: samples as tables for other programs: samples, flows, links and queues.

    DIR/samples.parquet   a row a sample               DIR/flows.parquet    a row a flow of a sample
    DIR/links.parquet     a row a link                 DIR/queues.parquet   a row a queue

`sample` names the sample in all of them; `run` is 1, or 2 for what a second simulation of it said.
Every column has a type, its unit in its name and (as metadata of the field) its meaning; what is
not known is null. Files are replaced when all of them are whole. Needs the extra `parquet`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nettwin.datasets.store import Sample
from nettwin.errors import InputError, MissingExtraError
from nettwin.metrics import FLOW_METRICS, LINK_METRICS, QUEUE_METRICS, Metrics, Table
from nettwin.quantity import Quantity
from nettwin.scenario.scenario import Scenario

SCHEMA = "nettwin-tables-1"
TYPES = {"text": "string", "number": "float64", "count": "int64", "yes": "bool"}
Columns = dict[str, Any]  # by name: [rows]
_SAMPLE = (
    ("sample", "count", "number of the sample"),
    ("run", "count", "1, or 2: simulated again"),
)
# Columns that say what a row is: name, kind, meaning; the metrics follow
_OF_SAMPLES = (
    ("sample", "count", "number of the sample"),
    ("name", "text", "name of the scenario"),
    ("nodes", "count", "nodes of the network"),
    ("links", "count", "links, each of one direction"),
    ("flows", "count", "flows"),
    ("queues", "count", "queues of all ports"),
    ("method", "text", "measured, simulated or predicted"),
    ("engine", "text", "what said the metrics"),
    ("provenance", "text", "where the metrics come from, as JSON"),
)
_OF_FLOWS = (
    *_SAMPLE,
    ("flow", "text", "name of the flow"),
    ("source", "text", "node where it begins"),
    ("target", "text", "node where it ends"),
    ("class", "text", "traffic class"),
    ("rate_bps", "number", "offered bits a second"),
    ("packet_rate_pps", "number", "offered packets a second"),
    ("size", "text", "packet sizes"),
    ("arrival", "text", "arrival process"),
)
_OF_LINKS = (
    *_SAMPLE,
    ("link", "text", "name of the link"),
    ("source", "text", "node whose port it is"),
    ("target", "text", "node that it leads to"),
    ("capacity_bps", "number", "bits a second"),
    ("delay_s", "number", "propagation delay"),
    ("weight", "number", "weight in routing"),
    ("policy", "text", "scheduling policy"),
    ("up", "yes", "whether it works"),
    ("load_bps", "number", "offered bits a second"),
)
_OF_QUEUES = (
    *_SAMPLE,
    ("queue", "text", "name of the queue"),
    ("link", "text", "name of its link"),
    ("buffer_packets", "number", "most packets that wait; infinite: no such limit"),
    ("buffer_bits", "number", "most bits that wait; infinite: no such limit"),
    ("weight", "number", "weight in scheduling"),
    ("quantum_bits", "number", "bits a round of DRR"),
)


class Kind(NamedTuple):
    """One of the tables of metrics: what a row is, its metrics, and how to get both."""

    columns: tuple[tuple[str, str, str], ...]
    metrics: Mapping[str, Quantity]
    named: Callable[[Scenario], Columns]
    told: Callable[[Metrics], Table]


def write_tables(samples: Iterable[Sample], folder: Path) -> int:
    """Write the tables of samples into a folder, one sample after another; gives their number.

    Raises MissingExtraError without pyarrow, and InputError where the folder cannot be written.
    """
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError:
        raise MissingExtraError("writing Parquet tables", "parquet") from None
    schemas = {"samples": _schema(pa, _OF_SAMPLES, {})}
    schemas |= {name: _schema(pa, kind.columns, kind.metrics) for name, kind in KINDS.items()}
    count = 0
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=".tables.", dir=folder) as place:
            files = {name: Path(place) / f"{name}.parquet" for name in schemas}
            with ExitStack() as open_files:
                writers = {
                    name: open_files.enter_context(parquet.ParquetWriter(files[name], schema))
                    for name, schema in schemas.items()
                }
                for sample in samples:
                    count += 1
                    for name, columns in tables_of(sample):
                        schema = schemas[name]
                        arrays = [
                            pa.array(columns[field.name], field.type, from_pandas=True)
                            for field in schema
                        ]
                        writers[name].write_table(pa.Table.from_arrays(arrays, schema=schema))
            for name, file in files.items():
                file.replace(folder / f"{name}.parquet")
    except OSError as error:
        raise InputError(
            f"{folder} cannot be written: {error.strerror or error}. Choose another place."
        ) from None
    return count


def tables_of(sample: Sample) -> Iterable[tuple[str, Columns]]:
    """The rows that a sample adds to the tables, by the table's name."""
    scenario, metrics = sample.scenario, sample.metrics
    topology = scenario.topology
    yield (
        "samples",
        {
            "sample": [sample.number],
            "name": [scenario.name],
            "nodes": [topology.node_count],
            "links": [topology.link_count],
            "flows": [scenario.traffic.flow_count],
            "queues": [len(topology.queues.link)],
            "method": [metrics.method],
            "engine": [metrics.engine],
            "provenance": [json.dumps(dict(metrics.provenance))],
        },
    )
    for name, kind in KINDS.items():
        named = kind.named(scenario)
        rows = len(next(iter(named.values())))
        for run, told in enumerate((metrics, sample.second), start=1):
            if told is not None:
                whose = {"sample": np.full(rows, sample.number), "run": np.full(rows, run)}
                yield name, {**whose, **named, **_metrics(kind, kind.told(told), rows)}


def _metrics(kind: Kind, table: Table, rows: int) -> Columns:
    unknown = np.full(rows, np.nan)
    parts = (("", table.columns), ("_low", table.low), ("_high", table.high))
    return {f"{name}{end}": part.get(name, unknown) for name in kind.metrics for end, part in parts}


def _schema(
    pa: Any, columns: Iterable[tuple[str, str, str]], metrics: Mapping[str, Quantity]
) -> Any:
    ends = (("", ""), ("_low", "lower bound: "), ("_high", "upper bound: "))
    told = [(name, TYPES[kind], meaning) for name, kind, meaning in columns]
    told += [
        (f"{name}{end}", "float64", f"{word}{quantity.meaning}")
        for name, quantity in metrics.items()
        for end, word in ends
    ]
    fields = [pa.field(name, kind, metadata={"meaning": what}) for name, kind, what in told]
    return pa.schema(fields, metadata={"schema": SCHEMA})


def _flows(scenario: Scenario) -> Columns:
    traffic = scenario.traffic
    nodes = _words(scenario.topology.node_name)
    return {
        "flow": scenario.flow_names,
        "source": nodes[traffic.flow_source],
        "target": nodes[traffic.flow_target],
        "class": _words(traffic.class_name)[traffic.flow_class],
        "rate_bps": traffic.flow_rate_bps,
        "packet_rate_pps": traffic.flow_packet_rate_pps,
        "size": _words(map(str, traffic.sizes))[traffic.flow_size],
        "arrival": _words(map(str, traffic.arrivals))[traffic.flow_arrival],
    }


def _links(scenario: Scenario) -> Columns:
    topology = scenario.topology
    nodes, policies = _words(topology.node_name), _words(s.policy for s in topology.schedulers)
    return {
        "link": topology.link_name,
        "source": nodes[topology.link_source],
        "target": nodes[topology.link_target],
        "capacity_bps": topology.link_capacity_bps,
        "delay_s": topology.link_delay_s,
        "weight": topology.link_weight,
        "policy": policies[topology.link_scheduler],
        "up": topology.link_up,
        "load_bps": scenario.link_load_bps,
    }


def _queues(scenario: Scenario) -> Columns:
    queues = scenario.topology.queues
    return {
        "queue": scenario.queue_names,
        "link": _words(scenario.topology.link_name)[queues.link],
        "buffer_packets": queues.buffer_packets,
        "buffer_bits": queues.buffer_bits,
        "weight": queues.weight,
        "quantum_bits": queues.quantum_bits,
    }


def _words(words: Iterable[str]) -> NDArray[Any]:
    return np.array(list(words), dtype=object)


KINDS = {
    "flows": Kind(_OF_FLOWS, FLOW_METRICS, _flows, lambda metrics: metrics.flow),
    "links": Kind(_OF_LINKS, LINK_METRICS, _links, lambda metrics: metrics.link),
    "queues": Kind(_OF_QUEUES, QUEUE_METRICS, _queues, lambda metrics: metrics.queue),
}
