"""Prometheus: samples as they were scraped, by range selectors of its HTTP API.

Raw samples (`metric[1h]`, asked for at the end of each hour) are read and not `query_range`, which
would repeat the last sample at each step and hide when a device was read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nettwin.errors import InputError, SourceError
from nettwin.settings import settings_of
from nettwin.telemetry.columns import Column, columns_of
from nettwin.telemetry.http import Server
from nettwin.telemetry.series import Port, Series
from nettwin.telemetry.source import Opening, Quality, SourceChoice

# The names that exporters have for quantities, the first that the server knows is taken
FAMILIES: Mapping[str, tuple[Mapping[str, str], str]] = {
    "snmp_exporter (if_mib)": (
        {
            "out_octets": "ifHCOutOctets",
            "in_octets": "ifHCInOctets",
            "out_drops": "ifOutDiscards",
            "out_errors": "ifOutErrors",
            "speed_bps": "ifHighSpeed [Mbit/s]",
            "up": "ifOperStatus",
        },
        "ifName",
    ),
    "snmp_exporter (32-bit)": (
        {"out_octets": "ifOutOctets", "in_octets": "ifInOctets", "up": "ifOperStatus"},
        "ifName",
    ),
    "node_exporter": (
        {
            "out_octets": "node_network_transmit_bytes_total",
            "in_octets": "node_network_receive_bytes_total",
            "speed_bps": "node_network_speed_bytes [octet/s]",
            "up": "node_network_up",
        },
        "device",
    ),
    "gnmic": (
        {
            "out_octets": "interfaces_interface_state_counters_out_octets",
            "in_octets": "interfaces_interface_state_counters_in_octets",
        },
        "interface_name",
    ),
}
_SELECTOR = re.compile(r"[A-Za-z_:][A-Za-z0-9_:]*(?:\{.*\})?", re.DOTALL)


@dataclass(frozen=True)
class Settings:
    """What the file of the source says.

    `device` and `interface` are labels; where they are not said, those of the exporter's family
    that the server has. `match` is put into every selector, such as `job="snmp"`. A query asks for
    at most `window_s`.
    """

    url: str = "http://127.0.0.1:9090"
    device: str = ""
    interface: str = ""
    match: str = ""
    quantities: Mapping[str, str] = field(default_factory=dict)
    window_s: float = 3600.0
    username: str = ""
    password: str = ""
    token: str = ""
    ca_file: str = ""
    timeout_s: float = 30.0


class Prometheus:
    """Samples of a Prometheus, or of what answers like one."""

    live = True

    def __init__(self, opening: Opening) -> None:
        self.settings = settings = settings_of(Settings, opening.settings, "a prometheus source")
        if settings.window_s <= 0:
            raise InputError(f"window_s is {settings.window_s}: must be above 0. Correct it.")
        self._server = Server(
            settings.url,
            settings.username,
            settings.password,
            settings.token,
            str(opening.folder / settings.ca_file) if settings.ca_file else "",
            settings.timeout_s,
        )
        self._family: tuple[dict[str, Column], str] | None = None

    def test(self) -> str:
        found = self._get("/api/v1/status/buildinfo")
        columns, interface = self._known()
        version = found.get("version", "of an unknown version")
        words = ", ".join(f"{quantity} from {c.name}" for quantity, c in columns.items())
        return f"Prometheus {version} at {self._server.shown}: {words}, by {interface}"

    def read(self, since_s: float, until_s: float) -> Iterator[Series]:
        columns, interface = self._known()
        if not np.isfinite([since_s, until_s]).all() or until_s - since_s > 400 * 86400:
            raise InputError(
                "a Prometheus is asked for a stretch of time: give --since and --until."
            )
        for quantity, column in columns.items():
            samples: dict[Port, list[np.ndarray[Any, Any]]] = {}
            begin = since_s
            while begin < until_s:
                end = min(begin + self.settings.window_s, until_s)
                for port, pairs in self._window(column.name, interface, begin, end):
                    samples.setdefault(port, []).append(pairs)
                begin = end
            for port, parts in samples.items():
                pairs = np.concatenate(parts)
                # one port may be scraped by several jobs, each with series of its own
                yield Series(port, quantity, pairs[:, 0], pairs[:, 1] * column.factor)

    def close(self) -> None:
        """Nothing is held."""

    def _window(
        self, name: str, interface: str, begin_s: float, end_s: float
    ) -> Iterator[tuple[Port, np.ndarray[Any, Any]]]:
        # a range selector is open on the left or not, as versions differ: what is too much is cut
        span_ms = max(int(np.ceil((end_s - begin_s) * 1e3)), 1)
        query = f"{self._selector(name)}[{span_ms}ms]"
        answer = self._get("/api/v1/query", {"query": query, "time": f"{end_s:.3f}"})
        if answer.get("resultType") != "matrix":
            raise SourceError(f"{self._server.shown} answers {query} with no series. Check it.")
        for row in answer["result"]:
            labels = row["metric"]
            device = _label(labels, self.settings.device, DEVICE_LABELS)
            pairs = np.array(row["values"], dtype=object).reshape(-1, 2)
            numbers = np.stack([pairs[:, 0].astype(float), _floats(pairs[:, 1])], axis=1)
            inside = (numbers[:, 0] >= begin_s) & (numbers[:, 0] < end_s)
            if inside.any():
                yield Port(device, str(labels.get(interface, ""))), numbers[inside]

    def _selector(self, name: str) -> str:
        if not _SELECTOR.fullmatch(name):
            raise InputError(
                f"{name!r} is no selector: must be a metric with labels, such as"
                ' ifHCOutOctets{job="snmp"}. Correct it.'
            )
        if not self.settings.match:
            return name
        inner = name[name.index("{") + 1 : -1] if "{" in name else ""
        parts = ", ".join(filter(None, (inner.strip(), self.settings.match.strip("{} "))))
        return f"{name.partition('{')[0]}{{{parts}}}"

    def _known(self) -> tuple[dict[str, Column], str]:
        """The quantities that the server has, and the label of interfaces."""
        if self._family is None:
            metrics = set(self._get("/api/v1/label/__name__/values"))
            chosen: Mapping[str, str] = self.settings.quantities
            interface = self.settings.interface or "ifName"
            if not chosen:
                for quantities, label in FAMILIES.values():
                    if columns_of(quantities)["out_octets"].name in metrics:
                        chosen, interface = quantities, self.settings.interface or label
                        break
                else:
                    raise SourceError(
                        f"{self._server.shown} has no metrics of interfaces that are known"
                        f" ({', '.join(FAMILIES)}). Name them under quantities:."
                    )
            columns = columns_of(chosen)
            if self.settings.quantities:
                missing = [
                    c.name for c in columns.values() if c.name.partition("{")[0] not in metrics
                ]
                if len(missing) == len(columns):
                    raise SourceError(
                        f"{self._server.shown} has none of {', '.join(missing)}. Correct the names"
                        " under quantities:, or look whether it scrapes its targets."
                    )
            self._family = (
                {q: c for q, c in columns.items() if c.name.partition("{")[0] in metrics},
                interface,
            )
        return self._family

    def _get(self, path: str, form: Mapping[str, str] | None = None) -> Any:
        answer = self._server.json(path, form)
        try:
            if answer["status"] != "success":
                raise SourceError(f"{self._server.shown}: {answer.get('error', 'it refuses')}.")
            return answer["data"]
        except (KeyError, TypeError):
            raise SourceError(
                f"{self._server.shown}{path} does not answer as a Prometheus does. Check the"
                " address."
            ) from None


# Where the device is: of targets that were relabeled, or scraped with their own label `instance`
DEVICE_LABELS = ("exported_instance", "source", "sysName", "hostname", "instance")


def _label(labels: Mapping[str, str], wanted: str, usual: tuple[str, ...]) -> str:
    if wanted:
        return str(labels.get(wanted, ""))
    return next((str(labels[name]) for name in usual if name in labels), "")


def _floats(texts: Any) -> np.ndarray[Any, Any]:
    """Numbers as Prometheus writes them; NaN where one cannot be read."""
    try:
        return np.asarray(texts, dtype=np.float64)
    except ValueError:
        return np.array([_float(text) for text in texts])


def _float(text: Any) -> float:
    try:
        return float(text)
    except (TypeError, ValueError):
        return float("nan")


PROMETHEUS = SourceChoice(
    "prometheus",
    "a Prometheus: samples of interfaces as snmp_exporter, node_exporter or gnmic names them",
    Prometheus,
    Quality(
        tests_connection=True,
        declares_units=True,
        documented=True,
        says_outage=True,
        back_fills=True,
        tried_on="Prometheus 2.42 that scrapes snmp_exporter 0.21, blackbox_exporter 0.23 and the"
        " simulated network",
    ),
)
