"""Remote: a server instead of this machine, for commands that take --server."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nettwin.client import Client
from nettwin.errors import InputError
from nettwin.formats import FORMATS, Reading
from nettwin.formats.native import native_from_text, native_text
from nettwin.interfaces.cli.sources import Source
from nettwin.metrics import Metrics, Table
from nettwin.scenario.scenario import Scenario

TABLES = (("flow", "flows"), ("link", "links"), ("queue", "queues"))


def client_of(server: str, token: str | None) -> Client:
    """The client of a server, with the token that was given or is in NETTWIN_TOKEN."""
    if not token:
        raise InputError(
            "a server needs a person: give --token TOKEN, or set NETTWIN_TOKEN. nettwin people add"
            " makes one."
        )
    return Client(server, token)


def is_here(network: str) -> bool:
    """Whether a network is named that this machine can read."""
    known = any(f.prefix and network.startswith(f.prefix) for f in FORMATS.values())
    return known or network == "-" or Path(network).exists()


def reading(client: Client, source: Source, network: str) -> Reading:
    """A network: a file of this machine, or one that the server knows."""
    if is_here(network):
        return source.read(network)
    text = client.download(network).decode()
    return Reading(native_from_text(text, network), "native", network)


class Remote:
    """An engine of a server, asked as if it were here."""

    def __init__(self, client: Client, engine: str) -> None:
        self.client, self.name = client, engine

    def predict(self, scenarios: Sequence[Scenario]) -> list[Metrics]:
        """The metrics of scenarios, which are sent there and removed again."""
        return [self._predict(scenario) for scenario in scenarios]

    def unsupported(self, scenario: Scenario) -> list[str]:
        """What the engine there says comes with its answer."""
        return []

    def _predict(self, scenario: Scenario) -> Metrics:
        id = self.client.upload(native_text(scenario), "network.json", name=scenario.name)["id"]
        try:
            (answer,) = self.client.predict(id, engine=self.name)["answers"]
        finally:
            self.client.remove(id)
        return metrics_of(answer)


def metrics_of(answer: dict[str, Any]) -> Metrics:
    """The metrics in a document of a prediction."""
    from nettwin.metrics import FLOW_METRICS, LINK_METRICS, QUEUE_METRICS

    known = {"flow": FLOW_METRICS, "link": LINK_METRICS, "queue": QUEUE_METRICS}
    tables = {}
    for kind, part in TABLES:
        rows = answer[part]
        names = [name for name in known[kind] if rows and name in rows[0]]
        bounded = [name for name in names if rows and f"{name}_low" in rows[0]]
        tables[kind] = Table(
            {name: _column(rows, name) for name in names},
            {name: _column(rows, f"{name}_low") for name in bounded},
            {name: _column(rows, f"{name}_high") for name in bounded},
        )
    flagged = None
    if answer["flows"] and "flagged" in answer["flows"][0]:
        flagged = np.array([row["flagged"] for row in answer["flows"]], np.bool_)
    return Metrics(
        **tables,
        method=answer["method"],
        engine=answer["engine"],
        flagged=flagged,
        confidence=answer["confidence"],
        provenance=answer["provenance"],
    )


def _column(rows: Sequence[dict[str, Any]], name: str) -> Any:
    return np.array([row[name] for row in rows], np.float64)  # null is NaN
