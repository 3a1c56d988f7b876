"""telemetry: how many rows a second each source reads."""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np

from benchmarks.benchmark import Figure, Options, Outcome, cpu_seconds
from nettwin.telemetry.registry import SOURCES
from nettwin.telemetry.source import ALWAYS_S, Opening

TITLE = "Telemetry: rows a second of each source"
PROTOCOL = (
    "Octet counters of 200 ports in samples of 30 s, as each source has them: files, and an HTTP "
    "server that answers as a Prometheus does (its processor time counts as well). Read are all "
    "series, to arrays; processor time."
)
PORTS, SAMPLES, BEGIN_S, STEP_S = 200, 1000, 1767571200, 30


def arguments(parser: argparse.ArgumentParser) -> None:
    """None of its own."""


def run(options: Options) -> Outcome:
    """Measure; `--limit` is the number of samples of each port."""
    samples = options.limit or SAMPLES
    rng = np.random.default_rng(0)
    value = np.cumsum(rng.integers(10**6, 10**7, (PORTS, samples)), axis=1)
    time_s = BEGIN_S + STEP_S * np.arange(samples)
    figures = []
    with tempfile.TemporaryDirectory() as folder:
        for name, make in MAKERS.items():
            settings = make(Path(folder), time_s, value)
            source = SOURCES[name].open(Opening(settings, Path(folder)))
            figures.append(Figure(name, _rate(source, samples), "rows/s"))
        with _prometheus(time_s, value) as url:
            settings = {"url": url, "quantities": {"out_octets": "ifHCOutOctets"}}
            settings["window_s"] = 1e9
            source = SOURCES["prometheus"].open(Opening(settings))
            figures.append(Figure("prometheus", _rate(source, samples), "rows/s"))
    return Outcome(tuple(figures))


def _rate(source: Any, samples: int) -> float:
    found: list[Any] = []
    span = (float(BEGIN_S), float(BEGIN_S + STEP_S * samples)) if source.live else ALWAYS_S
    seconds = cpu_seconds(lambda: found.extend(source.read(*span)))
    rows = sum(map(len, found))
    assert rows == PORTS * samples
    return rows / seconds


def _rows(time_s: np.ndarray, value: np.ndarray) -> Iterator[tuple[int, int, int]]:
    for k, at in enumerate(time_s.tolist()):
        for port in range(PORTS):
            yield at, port, int(value[port, k])


def _csv(folder: Path, time_s: np.ndarray, value: np.ndarray) -> dict[str, Any]:
    lines = [f"{at},r{port % 10},Gi0/{port},{v}" for at, port, v in _rows(time_s, value)]
    (folder / "t.csv").write_text("time,device,interface,tx\n" + "\n".join(lines))
    return {"path": "t.csv", "quantities": {"out_octets": "tx"}}


def _parquet(folder: Path, time_s: np.ndarray, value: np.ndarray) -> dict[str, Any]:
    import pandas as pd

    pd.read_csv(folder / "t.csv").to_parquet(folder / "t.parquet")
    return {"path": "t.parquet", "quantities": {"out_octets": "tx"}}


def _influx(folder: Path, time_s: np.ndarray, value: np.ndarray) -> dict[str, Any]:
    lines = [
        f"interface,source=r{port % 10},ifName=Gi0/{port} tx={v}i {at}000000000"
        for at, port, v in _rows(time_s, value)
    ]
    (folder / "t.lp").write_text("\n".join(lines))
    return {"path": "t.lp", "quantities": {"out_octets": "tx"}}


def _gnmic(folder: Path, time_s: np.ndarray, value: np.ndarray) -> dict[str, Any]:
    lines = [
        json.dumps(
            [
                {
                    "name": "s",
                    "timestamp": at * 10**9,
                    "tags": {"source": f"r{port % 10}", "ifName": f"Gi0/{port}"},
                    "values": {"/interfaces/interface/state/counters/out-octets": v},
                }
            ]
        )
        for at, port, v in _rows(time_s, value)
    ]
    (folder / "t.json").write_text("\n".join(lines))
    return {"path": "t.json", "quantities": {"out_octets": "out-octets"}}


MAKERS: dict[str, Callable[[Path, np.ndarray, np.ndarray], dict[str, Any]]] = {
    "csv": _csv,
    "parquet": _parquet,
    "influx": _influx,
    "gnmic": _gnmic,
}


class _prometheus:
    """A server that answers as a Prometheus does."""

    def __init__(self, time_s: np.ndarray, value: np.ndarray) -> None:
        result = [
            {
                "metric": {"instance": f"r{port % 10}", "ifName": f"Gi0/{port}"},
                "values": [[at, str(v)] for at, v in zip(time_s.tolist(), row, strict=True)],
            }
            for port, row in enumerate(value.tolist())
        ]
        answers = {
            "/api/v1/query": {"resultType": "matrix", "result": result},
            "/api/v1/label/__name__/values": ["ifHCOutOctets"],
        }
        bodies = {p: json.dumps({"status": "success", "data": d}) for p, d in answers.items()}

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                body = bodies[self.path].encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_GET

            def log_message(self, format: str, *args: object) -> None:
                """Nothing is logged."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def __enter__(self) -> str:
        Thread(target=self.server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()
