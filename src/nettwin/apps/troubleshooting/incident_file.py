"""Incident file: an incident as JSON, so that it can be kept, sent and looked at again.

`network` names the network file, beside the incident's. `before` and `during` hold intervals: when
they end, how long they are, and tables of `flow`, `link` and `queue`: quantity, element, value.
What is not there was not measured.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from nettwin.apps.troubleshooting.incident import MEASURES, Incident, Record, values_of
from nettwin.errors import FormatError, InputError, UnknownNameError
from nettwin.formats.files import read_text, write_text
from nettwin.metrics import Metrics, Table
from nettwin.observation import Observation
from nettwin.scenario.scenario import Scenario

SCHEMA = "nettwin-incident-1"
KINDS = ("flow", "link", "queue")


def write_incident(path: Path, incident: Incident, network: str) -> None:
    """Write an incident of a network file of that name."""
    data = {
        "schema": SCHEMA,
        "network": network,
        "before": [_interval(one, incident.network) for one in incident.before],
        "during": [_interval(one, incident.network) for one in incident.during],
        "records": [record._asdict() for record in incident.records],
    }
    write_text(path, json.dumps(data, indent=1) + "\n")


def _interval(one: Observation, network: Scenario) -> dict[str, Any]:
    tables: dict[str, dict[str, dict[str, float]]] = {kind: {} for kind in KINDS}
    names = _names(network)
    for measure, value in values_of(one, network).items():
        kind, _, column = measure.partition("/")
        known = zip(names[kind], value.tolist(), strict=True)
        tables[kind][column] = {name: v for name, v in known if v == v}
    window = float(one.metrics.provenance.get("simulated_s", one.interval_s))
    about = {"time_s": one.time_s, "interval_s": one.interval_s, "counted_s": window}
    return {**about, **tables}


def read_incident(path: Path, read: Callable[[str], Scenario]) -> Incident:
    """An incident from a file; `read` reads its network. Raises InputError (FormatError)."""
    remedy = "See docs/troubleshoot.md."
    try:
        data = json.loads(read_text(path))
    except ValueError as error:
        raise FormatError(path, "", f"is no JSON ({error})", remedy) from None
    if not isinstance(data, dict) or data.get("schema") != SCHEMA:
        raise FormatError(path, "schema", f"must be {SCHEMA}", remedy)
    if not isinstance(data.get("network"), str):
        raise FormatError(path, "network", "must name the network file", remedy)
    place = path.parent / data["network"]
    network = read(str(place if place.exists() else data["network"]))
    try:
        before, during = (
            tuple(_observed(x, network, i) for i, x in enumerate(data.get(part, ())))
            for part in ("before", "during")
        )
        records = tuple(
            Record(float(x["time_s"]), str(x["words"])) for x in data.get("records", ())
        )
    except (TypeError, KeyError, ValueError, AttributeError) as error:
        raise FormatError(path, "", f"a field is missing or malformed ({error})", remedy) from None
    return Incident(before, during, records)


def _observed(data: Mapping[str, Any], network: Scenario, number: int) -> Observation:
    wanted = {measure.split("/")[1]: measure for measure in MEASURES}
    tables: dict[str, dict[str, np.ndarray]] = {}
    names = _names(network)
    for kind in KINDS:
        tables[kind] = {
            column: np.full(len(names[kind]), np.nan)
            for k, column in (m.split("/") for m in MEASURES)
            if k == kind
        }
        index = {name: i for i, name in enumerate(names[kind])}
        for column, values in data.get(kind, {}).items():
            if column not in tables[kind]:
                raise UnknownNameError(f"quantity of a {kind}", column, wanted)
            for name, value in values.items():
                if name not in index:
                    raise UnknownNameError(kind, name, index)
                number_ = float(value)
                if not np.isfinite(number_) or number_ < 0:
                    raise InputError(
                        f"{column} of {kind} {name} is {value} in interval {number}: must be a"
                        " number of at least 0. Leave out what was not measured."
                    )
                tables[kind][column][index[name]] = number_
    interval_s = float(data["interval_s"])
    metrics = Metrics(
        Table(tables["flow"]),
        Table(tables["link"]),
        Table(tables["queue"]),
        method="measured",
        engine="file",
        provenance={"simulated_s": float(data.get("counted_s", interval_s))},
    )
    return Observation(float(data["time_s"]), interval_s, network, metrics)


def _names(network: Scenario) -> dict[str, tuple[str, ...]]:
    return {
        "flow": network.flow_names,
        "link": network.topology.link_name,
        "queue": network.queue_names,
    }
