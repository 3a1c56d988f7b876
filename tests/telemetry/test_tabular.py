"""CSV and Parquet: columns by a mapping, times and units as exports write them."""

from __future__ import annotations

import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nettwin.errors import FormatError, InputError, NettwinError
from nettwin.formats import read
from nettwin.telemetry.links import link_loads
from nettwin.telemetry.ports import Names
from nettwin.telemetry.series import Port, Series
from nettwin.telemetry.source import ALWAYS_S, Opening
from nettwin.telemetry.source_file import opened, read_source_file
from nettwin.telemetry.tabular import Tables
from nettwin.telemetry.times import seconds_of

ROOT = Path(__file__).resolve().parents[2]
RECORDINGS = sorted((ROOT.parent / "shared/data/cisco_telemetry").glob("*.tar.gz"))
IOS_XR = ROOT / "examples/sources/ios_xr_telemetry.yaml"


def table(folder: Path, text: str, **settings: Any) -> list[Series]:
    (folder / "t.csv").write_text(text)
    return list(Tables(Opening({"path": "t.csv", **settings}, folder)).read(*ALWAYS_S))


def test_units_and_states_in_words(tmp_path: Path) -> None:
    text = "time,device,interface,bw,state\n10,r1,a,1000,im-state-up\n20,r1,a,1000,down\n"
    quantities = {"speed_bps": "bw [kbit/s]", "up": "state"}
    speed, up = table(tmp_path, text, quantities=quantities)
    assert speed.value.tolist() == [1e6, 1e6]
    assert up.value.tolist() == [1.0, 0.0]
    assert up.port == Port("r1", "a")


def test_a_row_a_number(tmp_path: Path) -> None:
    text = "time,device,interface,name,value\n" + "".join(
        f"{t},r1,a,{name},{t * factor}\n"
        for t in (10, 20)
        for name, factor in (("tx", 1), ("rx", 2), ("other", 3))
    )
    quantities = {"out_octets": "tx", "in_octets": "rx"}
    out, back = sorted(
        table(tmp_path, text, metric="name", quantities=quantities), key=lambda s: s.quantity
    )[::-1]
    assert out.value.tolist() == [10, 20] and back.value.tolist() == [20, 40]


def test_the_device_may_be_in_the_path(tmp_path: Path) -> None:
    folder = tmp_path / "r7"
    folder.mkdir()
    (folder / "a.csv").write_text("time,interface,tx\n1,x,5\n")
    settings = {
        "path": "*/a.csv",
        "device_of_path": "(r[0-9]+)/a",
        "quantities": {"out_octets": "tx"},
    }
    (one,) = Tables(Opening(settings, tmp_path)).read(*ALWAYS_S)
    assert one.port == Port("r7", "x")


@pytest.mark.parametrize(
    ("times", "unit", "zone", "seconds"),
    [
        (["1577836800", "1577836801"], "auto", "UTC", [1577836800, 1577836801]),
        ([1577836800000, 1577836801000], "auto", "UTC", [1577836800, 1577836801]),
        ([1577836800000000000], "auto", "UTC", [1577836800]),
        ([5.0, 6.0], "ms", "UTC", [0.005, 0.006]),
        (["2020-01-01T00:00:00Z"], "auto", "UTC", [1577836800]),
        (["2020-01-01 01:00:00.5+01:00"], "auto", "UTC", [1577836800.5]),
        (["2020-01-01 01:00:00"], "auto", "Europe/Berlin", [1577836800]),
        (["2020-01-01 00:00", "soon"], "auto", "UTC", [1577836800, np.nan]),
        # the clock goes back: an hour is there twice, and forward: one is not there
        (
            ["2020-10-25 02:30:00", "2020-10-25 03:30:00"],
            "auto",
            "Europe/Berlin",
            [np.nan, 1603593000],
        ),
        (["2020-03-29 02:30:00"], "auto", "Europe/Berlin", [np.nan]),
    ],
)
def test_times(times: list[Any], unit: str, zone: str, seconds: list[float]) -> None:
    np.testing.assert_allclose(seconds_of(pd.Series(times), unit, zone), seconds)


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    told: list[str] = []
    text = "time,device,interface,tx\n1,r,a,5\n2,r,a,6,7,8\nsoon,r,a,7\n3,r,a,none\n"
    (tmp_path / "t.csv").write_text(text)
    settings = {"path": "t.csv", "quantities": {"out_octets": "tx"}}
    (one,) = Tables(Opening(settings, tmp_path, told)).read(*ALWAYS_S)
    assert one.time_s.tolist() == [1, 2, 3]
    np.testing.assert_array_equal(one.value, [5, 6, np.nan])  # which counters leave out
    assert told == ["t.csv: 1 rows whose time cannot be read"]


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"quantities": {"out_octets": "txx"}}, 'no column "txx"; did you mean: tx'),
        ({"path": "no*.csv", "quantities": {"out_octets": "tx"}}, "no such file"),
        ({"quantities": {}}, "has no quantities"),
        ({"files": "t.csv"}, "list of mappings"),
        ({"quantities": {"out_octets": "tx"}, "timezone": "Mars/Olympus"}, "timezone is"),
        ({"quantities": {"out_octets": "tx"}, "time_unit": "fortnights"}, "time_unit is"),
        ({"quantities": {"out_octets": "tx"}, "device_of_path": "("}, "no pattern"),
        ({"quantities": {"out_octets": "tx"}, "dveice": "x"}, "did you mean: device"),
    ],
)
def test_wrong_mappings_are_told(tmp_path: Path, settings: dict[str, Any], told: str) -> None:
    with pytest.raises(NettwinError, match=told):
        table(tmp_path, "time,device,interface,tx\n2020-01-01,r,a,5\n", **settings)


def test_garbage_is_told(tmp_path: Path) -> None:
    settings = {"path": "t.csv", "quantities": {"out_octets": "tx"}}
    for content in (b"", b"\x00\xff\x00" * 50):
        (tmp_path / "t.csv").write_bytes(content)
        with pytest.raises(FormatError, match=r"t\.csv"):
            list(Tables(Opening(settings, tmp_path)).read(*ALWAYS_S))


def test_a_wrong_unit_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="furlongs"):
        table(tmp_path, "a", quantities={"speed_bps": "bw [furlongs]"})


@pytest.mark.slow
@pytest.mark.skipif(not RECORDINGS, reason="../shared/data is not there")
@pytest.mark.parametrize("archive", RECORDINGS, ids=lambda path: path.name)
def test_recordings_of_real_routers(archive: Path, tmp_path: Path) -> None:
    """With the mapping file alone; an interface that is shut goes down within its samples, and both
    ends of links agree."""
    with tarfile.open(archive) as packed:
        packed.extractall(tmp_path, filter="data")
    (folder,) = (path.parent for path in tmp_path.rglob("events.csv"))
    topology = read(next(folder.glob("cdp*.json"))).scenario.topology
    file = read_source_file(IOS_XR)
    with opened(file, folder=folder) as source:
        loads = link_loads(source.read(*ALWAYS_S), topology, Names(), interval_s=file.interval_s)
    known = np.isfinite(loads.bps)
    assert known.any(axis=0).sum() > 200
    assert known[:, known.any(axis=0)].mean() > 0.95
    kinds = {one.kind for one in loads.findings.found}
    assert not kinds & {"ends_disagree", "reset", "above_speed", "conflict"}
    events = pd.read_csv(folder / "events.csv")
    for _, event in events[events["event"] == "shutdown_interface"].iterrows():
        link = topology.link(f"{event['device']}:{event['interface']}")
        before = loads.time_s < event["timestamp"] - 20
        after = loads.time_s > event["timestamp"] + 40
        assert loads.bps[before, link].mean() > 1e8 and (loads.up[before, link] == 1).all()
        assert np.nanmax(loads.bps[after, link]) < 1e6 and (loads.up[after, link] == 0).all()
