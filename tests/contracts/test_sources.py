"""Every telemetry source keeps its contract."""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nettwin.telemetry.flows.records import FlowSource
from nettwin.telemetry.registry import SOURCES
from nettwin.telemetry.source import ALWAYS_S, Opening, Source, SourceChoice
from nettwin.testing import SourceContract
from tests.telemetry.agent import agent, ports
from tests.telemetry.flows import exported
from tests.telemetry.recorded import PROMETHEUS, SAMPLES, prometheus, serving

ROWS = [
    {"when": f"2026-01-05T12:00:{k:02}Z", "router": f"r{p}", "port": "Gi0/1", "tx": 100 * k + p}
    for k in range(0, 50, 10)
    for p in range(2)
]
MAPPING = {"time": "when", "device": "router", "interface": "port"}


def opened(name: str, folder: Path = Path(), **settings: Any) -> Source:
    return SOURCES[name].open(Opening(settings, folder))


class TestPrometheus(SourceContract):
    @pytest.fixture
    def choice(self) -> SourceChoice:
        return SOURCES["prometheus"]

    @pytest.fixture
    def source(self) -> Iterator[Source]:
        with serving(prometheus) as url:
            yield opened("prometheus", url=url)

    @pytest.fixture
    def span_s(self) -> tuple[float, float]:
        return PROMETHEUS["end_s"] - 24, PROMETHEUS["end_s"]

    @pytest.fixture
    def broken(self) -> Source:
        return opened("prometheus", url="http://127.0.0.1:9")


class TestSnmp(SourceContract):
    @pytest.fixture
    def choice(self) -> SourceChoice:
        return SOURCES["snmp"]

    @pytest.fixture
    def source(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[Source]:
        pytest.importorskip("gufo.snmp")
        monkeypatch.setenv("COMMUNITY", "public")
        with agent(lambda: ports({1: "xe-0/0/1"}, {"xe-0/0/1": 2**40})) as address:
            yield opened("snmp", agents={"r1": address}, community="env:COMMUNITY", every="50ms")

    @pytest.fixture
    def span_s(self) -> tuple[float, float]:
        return time.time(), time.time() + 0.1

    @pytest.fixture
    def broken(self, monkeypatch: pytest.MonkeyPatch) -> Source:
        pytest.importorskip("gufo.snmp")
        monkeypatch.setenv("COMMUNITY", "public")
        settings = {"agents": {"r1": "127.0.0.1:9"}, "community": "env:COMMUNITY"}
        return opened("snmp", timeout_s=0.05, retries=0, **settings)


class TestCsv(SourceContract):
    @pytest.fixture
    def choice(self) -> SourceChoice:
        return SOURCES["csv"]

    @pytest.fixture
    def source(self, tmp_path: Path) -> Source:
        with (tmp_path / "one.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, list(ROWS[0]))
            writer.writeheader()
            writer.writerows(ROWS)
        return opened("csv", tmp_path, path="*.csv", quantities={"out_octets": "tx"}, **MAPPING)

    @pytest.fixture
    def broken(self, tmp_path: Path) -> Source:
        return opened("csv", tmp_path / "x", path="*.csv", quantities={"out_octets": "tx"})


class TestParquet(SourceContract):
    @pytest.fixture
    def choice(self) -> SourceChoice:
        return SOURCES["parquet"]

    @pytest.fixture
    def source(self, tmp_path: Path) -> Source:
        pd = pytest.importorskip("pandas")
        pytest.importorskip("pyarrow")
        pd.DataFrame(ROWS).to_parquet(tmp_path / "one.parquet")
        quantities = {"out_octets": "tx"}
        return opened("parquet", tmp_path, path="*.parquet", quantities=quantities, **MAPPING)

    @pytest.fixture
    def broken(self, tmp_path: Path) -> Source:
        (tmp_path / "bad.parquet").write_bytes(b"PAR1 and nothing")
        return opened("parquet", tmp_path, path="bad.parquet", quantities={"out_octets": "tx"})


class TestInflux(SourceContract):
    @pytest.fixture
    def choice(self) -> SourceChoice:
        return SOURCES["influx"]

    @pytest.fixture
    def source(self, tmp_path: Path) -> Source:
        lines = [
            f"interface,source=r{k % 2},ifName=Gi0/1 tx={k}i {1_767_571_200 + k}000000000"
            for k in range(10)
        ]
        (tmp_path / "a.lp").write_text("\n".join(lines))
        return opened("influx", tmp_path, path="*.lp", quantities={"out_octets": "tx"})

    @pytest.fixture
    def broken(self, tmp_path: Path) -> Source:
        (tmp_path / "bad.lp").write_text("<html>nothing here</html>")
        return opened("influx", tmp_path, path="bad.lp", quantities={"out_octets": "tx"})


class TestGnmic(SourceContract):
    @pytest.fixture
    def choice(self) -> SourceChoice:
        return SOURCES["gnmic"]

    @pytest.fixture
    def source(self, tmp_path: Path) -> Source:
        events = [
            {
                "name": "port_stats",
                "timestamp": (1_767_571_200 + k) * 10**9,
                "tags": {"source": "r1", "interface_name": "ethernet-1/1"},
                "values": {"/interfaces/interface/state/counters/out-octets": str(1000 * k)},
            }
            for k in range(10)
        ]
        (tmp_path / "a.json").write_text("\n".join(json.dumps([one]) for one in events))
        settings = {"interface": "interface_name", "quantities": {"out_octets": "out-octets"}}
        return opened("gnmic", tmp_path, path="a.json", **settings)

    @pytest.fixture
    def broken(self, tmp_path: Path) -> Source:
        (tmp_path / "bad.json").write_text('[{"event": 1}]')
        return opened("gnmic", tmp_path, path="bad.json", quantities={"out_octets": "x"})


class TestIrtt(SourceContract):
    @pytest.fixture
    def choice(self) -> SourceChoice:
        return SOURCES["irtt"]

    @pytest.fixture
    def source(self) -> Source:
        return opened("irtt", SAMPLES, path="irtt.json")

    @pytest.fixture
    def broken(self, tmp_path: Path) -> Source:
        (tmp_path / "bad.json").write_text("{}")
        return opened("irtt", tmp_path, path="bad.json")


class FlowContract(SourceContract):
    """Sources of flow records, by what the real collectors wrote."""

    kind = path = ""

    @pytest.fixture
    def choice(self) -> SourceChoice:
        return SOURCES[self.kind]

    @pytest.fixture
    def source(self) -> Source:
        return opened(self.kind, SAMPLES, path=self.path)

    @pytest.fixture
    def broken(self, tmp_path: Path) -> Source:
        (tmp_path / "bad").write_text("<html>nothing here</html>")
        return opened(self.kind, tmp_path, path="bad")

    def test_it_tells_flows(self, source: Source) -> None:
        """Whose octets are those of its series."""
        assert isinstance(source, FlowSource)
        records = source.flows(*ALWAYS_S)
        octets = sum(one.value.sum() for one in source.read(*ALWAYS_S))
        assert octets == (records.octets * records.sampling).sum() > 0


class TestNfdump(FlowContract):
    kind, path = "nfdump", "nfdump.json"


class TestNfdumpCsv(FlowContract):
    kind, path = "nfdump", "nfdump.csv"


class TestPmacct(FlowContract):
    kind, path = "pmacct", "nfacctd.json"


class TestPmacctCsv(FlowContract):
    kind, path = "pmacct", "nfacctd.csv"


class TestGoflow2(FlowContract):
    kind, path = "goflow2", "flows.json"

    @pytest.fixture
    def source(self, tmp_path: Path) -> Source:
        exported(tmp_path, nodes=3)
        return opened(self.kind, tmp_path, path=self.path)


def test_every_source_has_a_contract() -> None:
    with_one = {"prometheus", "snmp", "csv", "parquet", "influx", "gnmic", "irtt"}
    assert set(SOURCES.own) == {*with_one, "nfdump", "pmacct", "goflow2"}
