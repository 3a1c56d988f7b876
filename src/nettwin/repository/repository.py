"""Repository: what was seen of a network and what was done to it, over time."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nettwin.errors import InputError
from nettwin.formats.native import native_from_text, native_text
from nettwin.observation import Observation, configuration
from nettwin.repository.lock import held
from nettwin.repository.observations import (
    INTERVAL,
    days,
    metric_rows,
    observation_of,
    rows_of,
    series_rows,
)
from nettwin.repository.place import lock_of
from nettwin.repository.store import Store, times_in
from nettwin.repository.tables import ROLLUP, Document, micros
from nettwin.repository.talkers import Talkers, unpacked
from nettwin.scenario.scenario import Scenario

NETWORK = "network"  # the kind of record that holds a configuration
TOPOLOGY = "topology"  # that which holds the network as a topology source told it


class Repository:
    """The history of one network in a folder. Anybody may read; to write, hold `writing`."""

    def __init__(self, folder: Path, *, relative_error: float = 0.0) -> None:
        self.folder = folder
        self.store = Store(folder, relative_error=relative_error)
        self._written = ""  # the configuration that was written last
        self._times: dict[str, NDArray[np.int64]] = {}  # of each file, in microseconds

    @contextmanager
    def writing(self, who: str = "nettwin") -> Iterator[Repository]:
        """Be the one writer while the block runs. Raises BusyError where another process is."""
        with held(lock_of(self.folder), f"the data repository {self.folder}", who):
            yield self

    def observed(self, observation: Observation) -> int:
        """Keep an observation; the number of its rows when all are on the disk."""
        is_now = _identity(observation.scenario)
        if is_now != (self._written or self._last_configuration()):
            text = native_text(observation.scenario)
            self.keep(Document(observation.time_s, NETWORK, is_now, text))
        self._written = is_now
        return self.store.append("observations", observation.time_s, rows_of(observation))

    def measured_links(
        self,
        scenario: Scenario,
        times_s: NDArray[np.float64],
        interval_s: float,
        columns: Mapping[str, NDArray[np.float64]],
        up: NDArray[np.float64],
    ) -> int:
        """Keep what was measured of the links in intervals that end at `times_s`; the number of
        rows when all are on the disk.

        `columns` are link metrics [intervals, links], NaN where one is not known; `up` [intervals,
        links] is 1, or 0 for a link that was down. Intervals that are kept already are replaced.
        """
        for time_s, state in _states(scenario, times_s, up):
            is_now = _identity(state)
            if is_now != self._configuration_at(time_s):
                self.keep(Document(time_s, NETWORK, is_now, native_text(state)))
        self._written = ""
        return self._metrics("link", scenario.topology.link_name, times_s, interval_s, columns)

    def measured_flows(
        self,
        scenario: Scenario,
        times_s: NDArray[np.float64],
        interval_s: float,
        columns: Mapping[str, NDArray[np.float64]],
    ) -> int:
        """Keep what was measured of flows, as `measured_links` does of links: metrics, their bounds
        (`owd_mean_s.low`), or `rate_bps`, what they offered. [intervals, flows]"""
        if len(times_s) and not self._configuration_at(float(times_s[0])):
            text = native_text(scenario)
            self.keep(Document(float(times_s[0]), NETWORK, _identity(scenario), text))
        self._written = ""
        return self._metrics("flow", scenario.flow_names, times_s, interval_s, columns)

    def _metrics(
        self,
        kind: str,
        names: Sequence[str],
        times_s: NDArray[np.float64],
        interval_s: float,
        columns: Mapping[str, NDArray[np.float64]],
    ) -> int:
        return sum(
            self.store.append("observations", float(times_s[rows.start]), table)
            for rows, table in metric_rows(kind, names, times_s, interval_s, columns)
        )

    def keep(self, *documents: Document) -> None:
        """Keep records; they are on the disk when this returns."""
        if documents:
            columns: dict[str, list[Any]] = {
                "time": [micros(one.time_s) for one in documents],
                "kind": [one.kind for one in documents],
                "id": [one.id for one in documents],
                "document": [one.document for one in documents],
            }
            self.store.append("records", documents[-1].time_s, columns)

    def records(self, kind: str | None = None, id: str | None = None) -> list[Document]:
        """Records of a kind and a name, in the order in which they were kept at their times."""
        where, parameters = ["true"], []
        for column, wanted in (("kind", kind), ("id", id)):
            if wanted is not None:
                where.append(f"{column} = ?")
                parameters.append(wanted)
        found = self.store.ask(
            "SELECT epoch_us(time) AS us, kind, id, document FROM records WHERE "
            f"{' AND '.join(where)}",  # as they were appended; SQL's own order is not stable
            ["records"],
            parameters,
        )
        return [
            Document(row["us"] / 1e6, row["kind"], row["id"], row["document"])
            for row in sorted(found.to_pylist(), key=lambda row: row["us"])
        ]

    def last(self, kind: str, id: str) -> dict[str, Any] | None:
        """The newest record of a kind and a name, None where there is none."""
        found = self.records(kind, id)
        return json.loads(found[-1].document) if found else None

    def keep_network(
        self, scenario: Scenario, source: str, time_s: float, events: Iterable[Document] = ()
    ) -> None:
        """Keep the network as a topology source told it, and what happened to it since the last."""
        document = json.dumps({"source": source, "network": native_text(scenario)})
        self.keep(*events, Document(time_s, TOPOLOGY, scenario.fingerprint(), document))

    def network_told(self) -> Scenario | None:
        """The network as a topology source told it last; None where none was read."""
        found = self.records(TOPOLOGY)
        if not found:
            return None
        text: str = json.loads(found[-1].document)["network"]
        return native_from_text(text, str(self.folder))

    def times_s(self) -> NDArray[np.float64]:
        """The times of all observations, in order. [observations]

        What a file holds is remembered: no file ever changes.
        """

        def found() -> dict[str, NDArray[np.int64]]:
            paths = {str(part.path): part.path for part in self.store.parts("observations")}
            kept = self._times
            return {n: kept[n] if n in kept else times_in(path) for n, path in paths.items()}

        self._times = self.store.again(found)
        us = np.unique(np.concatenate([np.zeros(0, np.int64), *self._times.values()]))
        return np.asarray(us / 1e6, np.float64)

    def interval_s(self) -> float:
        """How long the last observation's interval is; 0 where there is none."""
        found = self.store.ask(
            "SELECT value FROM observations WHERE series = ? ORDER BY time DESC LIMIT 1",
            ["observations"],
            [INTERVAL],
        )
        return float(found["value"][0].as_py()) if found.num_rows else 0.0

    def series(
        self, name: str, since_s: float | None = None, until_s: float | None = None
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The times and values of one series, of each time the one that was kept last. [values]
        each"""
        found = self.store.read("observations", [name], since_s, until_s)
        us = found["time"].cast("int64").to_numpy()
        value = found["value"].to_numpy()
        order = np.argsort(us, kind="stable")  # of one time as they were appended
        us, value = us[order], value[order]
        last = np.append(np.diff(us) > 0, True)[: len(us)]
        return us[last] / 1e6, value[last]

    def counters(self, rows: Any) -> int:
        """Keep what counters of devices read: an Arrow table or batch of time, series and value;
        the number of rows when all are on the disk."""
        return self.store.ingest("counters", rows)

    def talked(self, time_s: float, found: Talkers) -> int:
        """Keep the talkers of the interval that ends at a time, in the place of those that were
        kept of it before; the number of rows."""
        us = micros(time_s)
        columns = {"time": [us] * len(found.key), "key": list(found.key), "octets": found.octets}
        sketch = {
            "time": [us],
            "records": [found.records],
            "rest": [found.rest],
            "depth": [len(found.cells)],
            "cells": [found.packed()],
        }
        rows = self.store.put("talkers", time_s, columns)
        return rows + self.store.put("sketches", time_s, sketch)

    def talked_s(self) -> NDArray[np.float64]:
        """The ends of the intervals whose talkers are kept, in order."""
        found = self.store.read("sketches")["time"].cast("int64").to_numpy()
        return np.asarray(np.unique(found) / 1e6, np.float64)

    def talkers(self, time_s: float) -> Talkers:
        """The talkers of the interval that ends at a time. Raises InputError where there are
        none."""
        sketch = self.store.read("sketches", None, time_s, time_s)
        if not sketch.num_rows:
            raise InputError(f"no flows were kept at {time_s:.0f} (seconds since 1970).")
        rows = self.store.read("talkers", None, time_s, time_s)
        last = {name: sketch[name][-1].as_py() for name in ("records", "rest", "depth", "cells")}
        cells = unpacked(last["cells"], last["depth"])
        octets = rows["octets"].to_numpy()
        return Talkers(tuple(rows["key"].to_pylist()), octets, cells, last["rest"], last["records"])

    def rollup(
        self,
        name: str,
        table: str,
        since_s: float | None = None,
        until_s: float | None = None,
    ) -> dict[str, NDArray[Any]]:
        """A series rolled up, by the columns of `rollup_5m` or `rollup_1h`: the end of each
        interval in seconds (`time_s`), its `count`, `mean`, `max`, `p95` and `p99`."""
        found = self.store.read(table, [name], since_s, until_s).sort_by("time")
        columns = {n: found[n].to_numpy() for n in ROLLUP[2:]}
        return {"time_s": found["time"].cast("int64").to_numpy() / 1e6, **columns}

    def observation(self, time_s: float) -> Observation:
        """The last observation at or before a time. Raises InputError where there is none."""
        found = self.store.ask(
            "SELECT epoch_us(time) AS us, series, value FROM observations WHERE time ="
            " (SELECT max(time) FROM observations WHERE epoch_us(time) <= ?)",
            ["observations"],
            [micros(time_s)],
        )
        if not found.num_rows:
            raise InputError(
                f"nothing was observed by {time_s:.0f} (seconds since 1970). Give a later time;"
                " nettwin history lists what there is."
            )
        at = found["us"][0].as_py()
        numbers = dict(zip(found["series"].to_pylist(), found["value"].to_pylist(), strict=True))
        return observation_of(at / 1e6, self._configured(at), numbers)

    def networks(self, times_s: NDArray[np.float64]) -> list[tuple[slice, Scenario]]:
        """The network at each time as it was configured, in stretches of times in which it stayed
        the same. Raises InputError where none is known."""
        kept = self.records(NETWORK)
        begins = np.array([one.time_s for one in kept])
        which = np.searchsorted(begins, times_s + 1e-6, side="right") - 1
        if len(which) and which[0] < 0:
            raise InputError(
                f"the configuration of the network at {times_s[0]:.0f} is not in {self.folder}."
                " Restore the folder `records` from a copy."
            )
        read: dict[str, Scenario] = {}
        found: list[tuple[slice, Scenario]] = []
        edges = [0, *(np.flatnonzero(np.diff(which)) + 1).tolist(), len(which)]
        for begin, end in pairwise(edges):
            if begin < end:
                one = kept[int(which[begin])]
                if one.id not in read:
                    read[one.id] = native_from_text(one.document, str(self.folder))
                found.append((slice(begin, end), read[one.id]))
        return found

    def values(
        self, kind: str, names: Sequence[str], quantity: str, times_s: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """A quantity of elements at times of observations, as it was kept last; NaN where it was
        not measured. [times, elements]"""
        at = np.rint(times_s * 1e6).astype(np.int64)
        place = {f"{kind}/{name}/{quantity}": k for k, name in enumerate(names)}
        found = np.full((len(at), len(names)), np.nan)
        for rows in days(times_s) if len(names) else ():
            first, last = float(times_s[rows.start]), float(times_s[rows.stop - 1])
            table = self.store.read("observations", place, first, last)
            labels = table["series"].combine_chunks()
            time_us = table["time"].cast("int64").to_numpy()
            row = np.minimum(np.searchsorted(at, time_us), len(at) - 1)
            # a dictionary holds names of rows that were left out, too
            column = np.array([place.get(name, -1) for name in labels.dictionary.to_pylist()], int)
            mine = at[row] == time_us
            element = column[labels.indices.to_numpy()[mine]]
            found[row[mine], element] = table["value"].to_numpy()[mine]
        return found

    def keep_series(
        self, names: Sequence[str], times_s: NDArray[np.float64], values: NDArray[np.float64]
    ) -> int:
        """Keep numbers by time and series [times, series], but for those that are NaN; the number
        of rows when all are on the disk."""
        return sum(
            self.store.append("observations", float(times_s[rows.start]), table)
            for rows, table in series_rows(names, times_s, values)
        )

    def as_of(self, time_s: float) -> Scenario:
        """The network as it was at a time, with what its flows offered. Raises InputError where
        nothing was observed by then."""
        return self.observation(time_s).scenario

    def _configured(self, at: int) -> Scenario:
        found = self.store.ask(
            "SELECT document FROM records WHERE kind = ? AND time = (SELECT max(time) FROM records"
            " WHERE kind = ? AND epoch_us(time) <= ?)",
            ["records"],
            [NETWORK, NETWORK, at],
        )
        if not found.num_rows:
            raise InputError(
                f"the configuration of the network at {at / 1e6:.0f} is not in {self.folder}."
                " Restore the folder `records` from a copy."
            )
        return native_from_text(found["document"][-1].as_py(), str(self.folder))

    def _configuration_at(self, time_s: float) -> str:
        """The digest of the configuration that holds at a time; empty where none does."""
        found = [one for one in self.records(NETWORK) if one.time_s <= time_s]
        return found[-1].id if found else ""

    def _last_configuration(self) -> str:
        found = self.records(NETWORK)
        return found[-1].id if found else ""


def _identity(scenario: Scenario) -> str:
    """A digest of a configuration and of its names: after a renaming rows go by other ones."""
    topology = scenario.topology
    names = "\0".join((*topology.node_name, *topology.link_name, *scenario.flow_names))
    return hashlib.sha256(f"{configuration(scenario)}\0{names}".encode()).hexdigest()


def _states(
    scenario: Scenario, times_s: NDArray[np.float64], up: NDArray[np.float64]
) -> Iterator[tuple[float, Scenario]]:
    """The network at the first time, and at each at which a link went up or down."""
    planned = scenario.topology.link_up
    before = None
    for time_s, row in zip(times_s.tolist(), up, strict=True):
        now = np.where(np.isnan(row), planned, row == 1)
        if before is None or not np.array_equal(now, before):
            yield time_s, scenario.with_(topology=scenario.topology.with_arrays(link_up=now))
        before = now
