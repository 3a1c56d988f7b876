"""telemetry: how many rows a second each source reads."""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
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
    "series, to arrays; processor time. An SNMP agent of 1,000 ports (in a process of its own) is "
    "polled ten times: a row is a value of a port. Flow records are 100,000, and read as records; "
    "probes of irtt 50,000, each a row of both directions, the round trip and loss."
)
PORTS, SAMPLES, BEGIN_S, STEP_S = 200, 1000, 1767571200, 30
AGENT_PORTS, POLLS, RECORDS, PROBES = 1000, 10, 100_000, 50_000


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
        share = samples / SAMPLES
        figures.append(Figure("snmp", _snmp(), "rows/s"))
        figures.append(Figure("irtt", _irtt(Path(folder), int(PROBES * share)), "rows/s"))
        for name, write in FLOWS.items():
            rate = _flows(Path(folder), name, write, int(RECORDS * share))
            figures.append(Figure(name, rate, "rows/s"))
    assert {one.name for one in figures} == set(SOURCES.own)
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


def _snmp() -> float:
    """Values a second of an agent that is polled."""
    os.environ["NETTWIN_BENCHMARK_COMMUNITY"] = "public"
    told: multiprocessing.Queue[str] = multiprocessing.Queue()
    agent = multiprocessing.Process(target=_agent, args=(told,), daemon=True)
    agent.start()
    settings = {"agents": {"r1": told.get(timeout=30)}, "timeout_s": 10.0, "max_repetitions": 50}
    settings["community"] = "env:NETTWIN_BENCHMARK_COMMUNITY"
    source: Any = SOURCES["snmp"].open(Opening(settings))
    found: list[Any] = []
    source.poll()
    seconds = cpu_seconds(lambda: found.extend(source.poll() for _ in range(POLLS)))
    agent.terminate()
    agent.join()
    rows = sum(map(len, found))
    assert rows >= POLLS * AGENT_PORTS * 4
    return rows / seconds


def _agent(told: multiprocessing.Queue[str]) -> None:
    from tests.telemetry.agent import agent, ports

    names = {k + 1: f"Gi0/{k}" for k in range(AGENT_PORTS)}
    table = ports(names, dict.fromkeys(names.values(), 2**40))
    with agent(lambda: table) as address:
        told.put(address)
        while True:
            multiprocessing.Event().wait()


def _irtt(folder: Path, count: int) -> float:
    trips = [
        {
            "seqno": k,
            "lost": "false",
            "timestamps": {"client": {"send": {"wall": (BEGIN_S + k) * 10**9}}},
            "delay": {"receive": 98025, "rtt": 4122109, "send": 4024074},
        }
        for k in range(count)
    ]
    config = {"local_address": "10.0.0.1:9", "remote_address": "10.0.0.2:9"}
    (folder / "irtt.json").write_text(json.dumps({"config": config, "round_trips": trips}))
    source = SOURCES["irtt"].open(Opening({"path": "irtt.json"}, folder))
    found: list[Any] = []
    seconds = cpu_seconds(lambda: found.extend(source.read(*ALWAYS_S)))
    assert sum(map(len, found)) == 5 * count
    return count / seconds


def _flows(folder: Path, name: str, write: Callable[[int], str], count: int) -> float:
    (folder / name).write_text("\n".join(write(k) for k in range(count)))
    source: Any = SOURCES[name].open(Opening({"path": name}, folder))
    found: list[Any] = []
    seconds = cpu_seconds(lambda: found.append(source.flows(*ALWAYS_S)))
    assert len(found[0]) == count
    return count / seconds


def _nfdump(k: int) -> str:
    at = f"2026-01-05T12:{k // 60 % 60:02}:{k % 60:02}"
    return json.dumps(
        {
            "type": "FLOW", "sampled": 0, "first": f"{at}.500",
            "last": f"{at}.900",
            "received": "2026-01-05T13:00:00.000", "in_packets": 8, "in_bytes": 480 + k,
            "proto": 17, "src_port": k % 60_000, "dst_port": 53,
            "src4_addr": f"10.1.{k % 250}.{k % 99}",
            "dst4_addr": f"10.3.9.{k % 7}", "input_snmp": 1, "output_snmp": 2, "direction": 0,
            "ip4_router": "127.0.0.1",
        }
    )  # fmt: skip


def _pmacct(k: int) -> str:
    return json.dumps(
        {
            "event_type": "purge", "peer_ip_src": "127.0.0.1", "iface_in": 0, "iface_out": 0,
            "ip_src": f"10.1.{k % 250}.{k % 99}", "ip_dst": f"10.3.9.{k % 7}", "ip_proto": "udp",
            "port_src": k % 60_000, "port_dst": 53, "packets": 8, "bytes": 480 + k,
            "timestamp_start": f"2026-01-05 12:{k // 60 % 60:02}:{k % 60:02}.000000",
            "timestamp_end": f"2026-01-05 12:{k // 60 % 60:02}:{k % 60:02}.900000",
        }
    )  # fmt: skip


def _goflow2(k: int) -> str:
    return json.dumps(
        {
            "type": "IPFIX", "sampling_rate": 0, "sampler_address": "127.0.0.1",
            "time_received_ns": (BEGIN_S + k) * 10**9, "time_flow_start_ns": (BEGIN_S + k) * 10**9,
            "time_flow_end_ns": (BEGIN_S + k) * 10**9, "bytes": 480 + k, "packets": 8,
            "src_addr": f"10.1.{k % 250}.{k % 99}", "dst_addr": f"10.3.9.{k % 7}", "proto": "UDP",
            "src_port": k % 60_000, "dst_port": 53, "in_if": 1, "out_if": 2,
        }
    )  # fmt: skip


FLOWS: dict[str, Callable[[int], str]] = {
    "nfdump": _nfdump,
    "pmacct": _pmacct,
    "goflow2": _goflow2,
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
