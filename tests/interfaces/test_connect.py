"""The page that connects a Prometheus, followed line by line with one that knows nothing of
nettwin: devices are addresses, ports have a vendor's names, one is for management."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nettwin.formats import read
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.topology import Link, Topology
from nettwin.scenario.traffic import Traffic
from tests.docs.pages import ROOT, blocks, commands
from tests.interfaces.conftest import Run
from tests.telemetry.recorded import serving

PAGE = ROOT / "docs" / "connect.md"
NODES = ("core-a", "core-b", "core-c", "edge-1", "edge-2", "edge-3")
CABLES = (
    ("core-a", "et-0/0/0", "core-b", "et-0/0/0", 100),
    ("core-b", "et-0/0/1", "core-c", "et-0/0/5", 100),
    ("core-c", "et-0/0/6", "core-a", "et-0/0/1", 100),
    ("edge-1", "xe-0/0/0", "core-a", "xe-0/0/2", 10),
    ("edge-1", "xe-0/0/1", "core-b", "xe-0/0/2", 10),
    ("edge-2", "xe-0/0/0", "core-b", "xe-0/0/3", 10),
    ("edge-2", "xe-0/0/1", "core-c", "xe-0/0/2", 10),
    ("edge-3", "xe-0/0/0", "core-c", "xe-0/0/3", 10),
    ("edge-3", "xe-0/0/1", "core-a", "xe-0/0/3", 10),
)
STEP_S = 60.0


def octets(time_s: np.ndarray, bps: float) -> np.ndarray:  # type: ignore[type-arg]
    """A counter whose rate moves by a quarter around a mean."""
    since = time_s - 1.7e9
    return np.floor(bps / 8 * (since + 2000 * np.sin(time_s / 8000) + 1e4)).astype(np.int64)


class Stranger:
    """Routers of which a Prometheus has counters, for any time."""

    def __init__(self) -> None:
        topology = Topology.build(
            NODES, [Link(a, b, gigabits * 1e9) for a, _, b, _, gigabits in CABLES], duplex=True
        )
        mass = np.array([3.0, 2.0, 2.5, 1.0, 1.7, 0.6])
        self.demand = np.outer(mass, mass) * 3e8 * (1 - np.eye(6))
        self.load = Scenario(topology, Traffic.from_matrix(self.demand)).link_load_bps
        self.ports = []  # address, port, speed, sends, receives
        for k, (a, p, b, q, gigabits) in enumerate(CABLES):
            there, back = float(self.load[2 * k]), float(self.load[2 * k + 1])
            self.ports.append((self.address(a), p, gigabits, there, back))
            self.ports.append((self.address(b), q, gigabits, back, there))
        self.ports += [(self.address(name), "fxp0", 1, 2e4, 3e4) for name in NODES]

    @staticmethod
    def address(name: str) -> str:
        return f"10.0.0.{NODES.index(name) + 1}"

    def neighbors(self) -> dict[str, dict[str, list[dict[str, str]]]]:
        """LLDP as NAPALM tells it: neighbors have domains, a device itself has none."""
        told: dict[str, dict[str, list[dict[str, str]]]] = {name: {} for name in NODES}
        for a, p, b, q, _ in CABLES:
            told[a][p] = [{"hostname": f"{b}.example.net", "port": q}]
            told[b][q] = [{"hostname": f"{a}.example.net", "port": p}]
        return told

    def answer(self, path: str, form: dict[str, str]) -> Any:
        names = ["ifHCOutOctets", "ifHCInOctets", "ifHighSpeed", "ifOperStatus"]
        if "label" in path:
            return {"status": "success", "data": names}
        if "buildinfo" in path:
            return {"status": "success", "data": {"version": "2.42"}}
        match = re.fullmatch(r"(\w+)\[(\d+)ms\]", form["query"])
        assert match
        end, span = float(form["time"]), int(match[2]) / 1e3
        times = np.arange(math.ceil((end - span) / STEP_S), math.floor(end / STEP_S) + 1) * STEP_S
        result = []
        for k, (device, port, gigabits, sends, receives) in enumerate(self.ports):
            told = {
                "ifHCOutOctets": octets(times, sends),
                "ifHCInOctets": octets(times, receives),
                "ifHighSpeed": np.full(len(times), gigabits * 1000),
                "ifOperStatus": np.ones(len(times), int),
            }[match[1]]
            labels = {"instance": device, "ifName": port, "ifIndex": str(500 + k), "job": "snmp"}
            values = [[t, str(v)] for t, v in zip(times.tolist(), told.tolist(), strict=True)]
            result.append({"metric": labels, "values": values})
        return {"status": "success", "data": {"resultType": "matrix", "result": result}}


def test_the_page_as_a_new_user_follows_it(run: Run, tmp_path: Path) -> None:
    stranger = Stranger()
    Path("neighbors.json").write_text(json.dumps(stranger.neighbors()))
    (source,) = (text for text in blocks(PAGE) if text.startswith("source: prometheus"))
    lines = [line for line in commands(PAGE) if "demo" not in line]
    assert len(lines) >= 10
    told = {}
    with serving(stranger.answer) as url:
        Path("prometheus.yaml").write_text(source.replace("http://127.0.0.1:9090", url))
        for line in lines:
            done = run(line.removeprefix("nettwin "))
            assert done.code == 0, f"{line}\n{done.err}"
            told[line] = done.out
    mapped = Path("mapped.yaml").read_text()
    for name in NODES:  # each is found, and is what it is
        assert f"{stranger.address(name)}: {name}\n" in mapped
    check = next(out for line, out in told.items() if "data check" in line)
    assert "links known                18 of 18" in check
    assert "no link of the network" not in check  # nothing with traffic is left over
    topology = next(out for line, out in told.items() if "data topology" in line)
    assert topology.count("capacity changed") == 3  # et ports: 10G was assumed, they have 100G
    for drawn in ("map.svg", "predicted.svg", "past.svg"):
        assert Path(drawn).read_text().count("<path") > 20
    assert "18 of 18 links measured" in Path("map.svg").read_text()
    now = read("now.yaml").scenario
    offered = now.traffic.flow_rate_bps.sum()
    assert offered == pytest.approx(stranger.demand.sum(), rel=0.3)
    links = json.loads(run("data", "links", "-w", "live", "--json").out)["links"]
    rates = {one["link"]: one["throughput_bps"] for one in links}
    for k, (a, p, b, q, _) in enumerate(CABLES):
        assert rates[f"{a}:{p}"] == pytest.approx(stranger.load[2 * k], rel=0.26)
        assert rates[f"{b}:{q}"] == pytest.approx(stranger.load[2 * k + 1], rel=0.26)
