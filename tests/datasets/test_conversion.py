"""Conversion: recordings become a data set, data sets become tables; nothing is lost."""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nettwin.datasets import conversion
from nettwin.datasets.conversion import samples_of, store_recordings
from nettwin.datasets.generation import generate_dataset
from nettwin.datasets.inspection import inspect_dataset
from nettwin.datasets.labeled import Generated, Recorded, labeled
from nettwin.datasets.parquet import SCHEMA, write_tables
from nettwin.datasets.recipe import read_recipe, shipped_recipe
from nettwin.datasets.store import TABLES, read_manifest, read_samples, write_manifest
from nettwin.errors import FormatError, InputError, MissingExtraError
from nettwin.interfaces.wiring import labeler
from nettwin.metrics import FLOW_METRICS

GOOD = Path(__file__).parents[1] / "formats" / "good"
FILES = ("flows", "links", "queues", "samples")
SMALL = replace(
    read_recipe(shipped_recipe("general")),
    name="small",
    samples=3,
    packet_hops=1e4,
    second_seeds=1.0,
    topology={"nodes": [4, 6], "kinds": {"gabriel": 1}},
)


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    """A folder with three archives of recorded simulations."""
    folder = Path(shutil.copytree(GOOD / "datanet" / "bits_2022", tmp_path / "recordings"))
    for name in ("results_2_3", "results_4_5"):
        shutil.copytree(folder / "results_0_1", folder / name)
    return folder


def test_recordings_come_back_from_the_data_set_as_they_were(
    recordings: Path, tmp_path: Path
) -> None:
    done: list[float] = []
    manifest, left_out = store_recordings(Recorded(recordings), tmp_path / "data", done.append)
    read = list(Recorded(recordings))
    assert len(read) == len(manifest.samples) >= 3
    assert left_out == 0
    assert done == sorted(done)
    assert 0.5 < done[-1] <= 1
    for one, two in zip(read, labeled(tmp_path / "data"), strict=True):
        assert one.number == two.number
        assert one.scenario.name == two.scenario.name
        assert one.scenario.fingerprint() == two.scenario.fingerprint()
        assert one.metrics.provenance == two.metrics.provenance
        assert (one.metrics.method, one.metrics.engine) == ("measured", "omnet++")
        for name in TABLES:
            mine, kept = getattr(one.metrics, name).columns, getattr(two.metrics, name).columns
            assert mine.keys() == kept.keys()
            assert all(np.array_equal(mine[k], kept[k], equal_nan=True) for k in mine)
    assert inspect_dataset(tmp_path / "data").of == len(read)


def test_training_knows_converted_recordings_by_their_name(
    recordings: Path, tmp_path: Path
) -> None:
    store_recordings(Recorded(recordings), tmp_path / "data")
    found = labeled(tmp_path / "data")
    assert isinstance(found, Generated)
    assert found.name == Recorded(recordings).name


def test_an_interrupted_conversion_goes_on_where_it_stopped(
    recordings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversion, "SHARD_SAMPLES", 1)
    told: list[float] = []

    def killed(share: float) -> None:
        told.append(share)
        if len(told) == 2:
            raise KeyboardInterrupt

    folder = tmp_path / "data"
    with pytest.raises(KeyboardInterrupt):
        store_recordings(Recorded(recordings), folder, killed)
    kept = read_manifest(folder).samples
    assert kept == [0, 1]
    found = inspect_dataset(folder)
    assert found.of is None
    assert ("samples", "2 of more") in found.rows()
    before = {path.name: path.stat().st_mtime_ns for path in folder.glob("*.npz")}
    manifest, _ = store_recordings(Recorded(recordings), folder)
    assert manifest.samples == [s.number for s in Recorded(recordings)]
    assert all((folder / name).stat().st_mtime_ns == time for name, time in before.items())
    assert [s.number for s in read_samples(folder)] == manifest.samples


def test_a_bad_recording_is_named_and_those_before_it_are_kept(
    recordings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversion, "SHARD_SAMPLES", 1)
    results = recordings / "results_4_5" / "simulationResults.txt"
    results.write_text(results.read_text().replace("|", "|x", 1))
    with pytest.raises(FormatError, match=r"results_4_5.*line 1.*record 1"):
        store_recordings(Recorded(recordings), tmp_path / "data")
    assert len(list(read_samples(tmp_path / "data"))) >= 2


def test_folders_that_hold_something_else_are_refused(recordings: Path, tmp_path: Path) -> None:
    generate_dataset(replace(SMALL, samples=1), tmp_path / "drawn", labeler)
    with pytest.raises(InputError, match="another recipe or source"):
        store_recordings(Recorded(recordings), tmp_path / "drawn")
    with pytest.raises(InputError, match="must lie outside"):
        store_recordings(Recorded(recordings), recordings / "data")
    with pytest.raises(FormatError, match="no recorded metrics"):
        store_recordings(Recorded(next((GOOD / "native").iterdir())), tmp_path / "plans")


def test_tables_hold_every_sample_with_types_and_meanings(tmp_path: Path) -> None:
    tables = pytest.importorskip("pyarrow.parquet", reason="needs the extra parquet")
    generate_dataset(SMALL, tmp_path / "data", labeler)
    samples = list(read_samples(tmp_path / "data"))
    assert write_tables(samples_of(labeled(tmp_path / "data")), tmp_path / "tables") == 3
    assert sorted(p.name for p in (tmp_path / "tables").iterdir()) == [
        f"{n}.parquet" for n in FILES
    ]
    flows = tables.read_table(tmp_path / "tables" / "flows.parquet")
    assert flows.schema.metadata == {b"schema": SCHEMA.encode()}
    told = flows.schema.field("owd_mean_s").metadata[b"meaning"].decode()
    assert told == FLOW_METRICS["owd_mean_s"].meaning
    frame = flows.to_pydict()
    for sample in samples:
        assert sample.second is not None
        for run, metrics in ((1, sample.metrics), (2, sample.second)):
            rows = [
                k
                for k, whose in enumerate(zip(frame["sample"], frame["run"], strict=True))
                if whose == (sample.number, run)
            ]
            assert [frame["flow"][k] for k in rows] == list(sample.scenario.flow_names)
            for name in ("owd_mean_s", "loss_ratio"):
                values = [frame[name][k] for k in rows]
                expected = metrics.flow[name].tolist()
                assert values == [None if np.isnan(x) else x for x in expected]
            low = [frame["owd_mean_s_low"][k] for k in rows]
            kept = metrics.flow.low["owd_mean_s"]
            assert low == [None if np.isnan(x) else x for x in kept.tolist()]
    counts = tables.read_table(tmp_path / "tables" / "samples.parquet").to_pydict()
    for name in ("links", "queues", "flows"):
        rows = tables.read_metadata(tmp_path / "tables" / f"{name}.parquet").num_rows
        assert rows == 2 * sum(counts[name]) > 0


def test_tables_are_whole_or_as_before(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", reason="needs the extra parquet")
    data, out = tmp_path / "data", tmp_path / "tables"
    generate_dataset(replace(SMALL, shard=1), data, labeler)
    write_tables(read_samples(data, [0]), out)
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    shard = data / "000002.npz"
    shard.write_bytes(shard.read_bytes()[:-9])
    with pytest.raises(FormatError, match=r"000002\.npz"):
        write_tables(read_samples(data), out)
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        write_tables(read_samples(data, [0]), tmp_path / "file")


def test_without_pyarrow_the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r"nettwin\[parquet\]"):
        write_tables([], tmp_path / "tables")
    assert not (tmp_path / "tables").exists()


def test_a_manifest_of_an_earlier_version_is_of_drawn_samples(tmp_path: Path) -> None:
    generate_dataset(replace(SMALL, samples=1), tmp_path, labeler)
    manifest = read_manifest(tmp_path)
    assert "recorded" not in json.loads((tmp_path / "manifest.json").read_text())["recipe"]
    write_manifest(tmp_path, replace(manifest, recipe={"name": "old"}))
    assert inspect_dataset(tmp_path).of == 1
