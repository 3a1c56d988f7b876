"""nettwin dataset on the command line: generated, inspected, converted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nettwin.datasets.labeled import labeled
from tests.interfaces.conftest import Run

RECORDINGS = Path(__file__).parents[1] / "formats" / "good" / "datanet" / "bits_2022"
RECIPE = """
samples = 2
packet_hops = 1e4
second_seeds = 1.0
[topology]
nodes = [4, 5]
kinds = { ring = 1 }
"""


def test_recordings_are_converted_and_inspected(run: Run) -> None:
    done = run("dataset convert --out data --json", RECORDINGS)
    assert done.code == 0, done.err
    document = json.loads(done.out)
    assert (document["command"], document["to"]) == ("dataset convert", "npz")
    assert document["samples"] == len(list(labeled(RECORDINGS))) > 0
    assert document["without_metrics"] == 0
    assert run("dataset convert --out data", RECORDINGS).code == 0  # nothing is left to do
    found = json.loads(run("dataset inspect data --json").out)
    assert found["samples"] == found["of"] == document["samples"]
    assert "bits_2022" in found["recipe"]


def test_a_data_set_becomes_tables(run: Run) -> None:
    pytest.importorskip("pyarrow", reason="needs the extra parquet")
    Path("small.toml").write_text(RECIPE)
    assert run("dataset generate small.toml --out data").code == 0
    done = run("dataset convert data --out tables --json")
    assert done.code == 0, done.err
    assert json.loads(done.out)["samples"] == 2
    names = sorted(path.name for path in Path("tables").iterdir())
    assert names == ["flows.parquet", "links.parquet", "queues.parquet", "samples.parquet"]
    done = run("dataset convert --to parquet --out recorded", RECORDINGS)
    assert (done.code, done.out) == (0, "")
    assert Path("recorded/flows.parquet").is_file()


@pytest.mark.usefixtures("net")
def test_what_cannot_be_converted_is_named(run: Run) -> None:
    for line, told in (
        ("nowhere --out x", "nowhere: does not exist"),
        ("net.yaml --out x", "has no recorded metrics"),
        ("net.yaml --out net.yaml", "Choose another"),
    ):
        done = run(f"dataset convert {line}")
        assert done.code == 2, line
        assert told in done.err
    assert run("dataset convert --out data", RECORDINGS).code == 0
    assert "already" in run("dataset convert data --to npz --out again").err
