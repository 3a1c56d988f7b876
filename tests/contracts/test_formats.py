"""What every format must do. Samples: tests/formats/good/NAME and tests/formats/broken/NAME."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nettwin.errors import FormatError, InputError, NettwinError
from nettwin.formats import FORMATS, Reading, detect, read, read_all, write
from nettwin.scenario.generate import generate
from nettwin.scenario.packet_sizes import Fixed
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.scheduling import Scheduler

SAMPLES = Path(__file__).resolve().parents[1] / "formats"
LEAST_BROKEN = 10
OF_FILES = [f.name for f in FORMATS.values() if not f.prefix]
OF_NAMES = [f.name for f in FORMATS.values() if f.prefix]
WRITING = [f.name for f in FORMATS.values() if f.writes]


def samples(kind: str, name: str) -> list[Path]:
    folder = SAMPLES / kind / name
    return sorted(folder.iterdir()) if folder.is_dir() else []


def every(kind: str) -> list[object]:
    return [
        pytest.param(name, path, id=f"{name}-{path.name}")
        for name in OF_FILES
        for path in samples(kind, name)
    ]


def plain() -> Scenario:
    """What the poorest format can hold: default scheduler, sizes and arrivals, one class."""
    scenario = generate("nsfnet", load=0.5)
    topology, traffic = scenario.topology, scenario.traffic
    return scenario.with_(
        topology=topology.with_arrays(schedulers=(Scheduler(),)),
        traffic=traffic.with_arrays(sizes=(Fixed(8000.0),)),
    )


SCENARIOS = {
    "plain": plain,
    "buffers": lambda: generate("waxman", nodes=8, seed=2, buffer_packets=7.0),
    "priorities": lambda: generate("ring", nodes=5, classes="three", scheduler="sp"),
    "shares": lambda: generate("star", nodes=5, classes="three", scheduler="wfq", arrival="onoff"),
    "single path": lambda: generate("grid", nodes=6, scheduler="drr", arrival="mmpp", ecmp=False),
}

# what is nothing of ours, though it may look so: no format may take it for its own
STRANGERS = {
    "prose.txt": b"The network was quiet that night, and nobody looked at it.\nThen it rang.\n",
    "script.py": b"import sys\n\nprint(sys.argv, {'links': [1, 2]})\n",
    "page.html": b"<!doctype html><html><body><p>Hello</p></body></html>\n",
    "other.xml": b"<?xml version='1.0'?><music><track id='1'/></music>\n",
    "other.json": b'{"name": "a package", "version": "1.0.0", "files": []}\n',
    "list.json": b"[1, 2, 3]\n",
    "number.json": b"17\n",
    "other.yaml": b"title: shopping\nitems:\n  - bread\n  - milk\n",
    "people.csv": b"name,age\nAda,36\nAlan,41\n",
    "columns.tsv": b"1\t2\t3\n4\t5\t6\n",
    "zeros.bin": bytes(4096),
    "random.bin": np.random.default_rng(7).bytes(4096),
    "utf16.txt": "links and nodes".encode("utf-16"),
    "archive.tar.gz": b"\x1f\x8b\x08\x00" + bytes(64),
    "archive.npz": b"PK\x03\x04" + bytes(64),
    "brackets.json": b"[" * 50_000,
    "angles.xml": b"<a>" * 50_000,
}


def states_it_in_words(reading: Reading) -> None:
    for text in (*reading.assumptions, *reading.ignored):
        assert text == text.strip() and "\n" not in text
        assert len(text.split()) > 1, f"{text!r} is no phrase"
        assert not text.endswith(".")
    assert len(set(reading.assumptions)) == len(reading.assumptions)
    assert len(set(reading.ignored)) == len(reading.ignored)


def refuses(source: object, name: str | None) -> FormatError:
    """The error with which a source is refused, after checking that it says what it must."""
    with pytest.raises(FormatError) as caught:
        list(read_all(source, format=name))  # type: ignore[arg-type]
    error = caught.value
    assert error.reason and error.remedy and error.path
    assert str(source) in str(error)
    return error


def test_registry_is_keyed_by_name() -> None:
    assert all(name == known.name and known.title for name, known in FORMATS.items())


@pytest.mark.parametrize("name", OF_FILES)
def test_has_samples(name: str) -> None:
    assert samples("good", name), f"put samples into tests/formats/good/{name}"
    assert len(samples("broken", name)) >= LEAST_BROKEN


@pytest.mark.parametrize(("name", "path"), every("good"))
def test_reads_good_samples(name: str, path: Path) -> None:
    assert detect(path).name == name
    readings = list(read_all(path))
    assert readings
    for reading in readings:
        assert reading.format == name
        assert path.stem in reading.source
        assert reading.scenario.topology.node_count
        states_it_in_words(reading)
    assert read(path).scenario.fingerprint() == readings[0].scenario.fingerprint()


@pytest.mark.parametrize(("name", "path"), every("broken"))
def test_refuses_broken_samples(name: str, path: Path) -> None:
    error = refuses(path, name)
    assert error.place, "an error must tell the place in the file"
    refuses(path, None)  # however it is detected


@pytest.mark.parametrize("name", OF_FILES)
def test_refuses_what_is_no_file(name: str, tmp_path: Path) -> None:
    refuses(tmp_path / "missing", name)
    empty = tmp_path / "empty"
    empty.write_bytes(b"")
    refuses(empty, name)
    folder = tmp_path / "folder"
    folder.mkdir()
    refuses(folder, name)


@pytest.mark.parametrize("stranger", STRANGERS)
def test_strangers_are_refused(stranger: str, tmp_path: Path) -> None:
    path = tmp_path / stranger
    path.write_bytes(STRANGERS[stranger])
    refuses(path, None)


@pytest.mark.parametrize("name", OF_FILES)
def test_strangers_are_refused_as(name: str, tmp_path: Path) -> None:
    for stranger, content in STRANGERS.items():
        path = tmp_path / stranger
        path.write_bytes(content)
        refuses(path, name)


@pytest.mark.parametrize("name", OF_FILES)
def test_refuses_the_samples_of_others(name: str) -> None:
    for other in OF_FILES:
        for path in samples("good", other) if other != name else ():
            refuses(path, name)


@pytest.mark.parametrize("name", OF_NAMES)
def test_refuses_unknown_names(name: str) -> None:
    for wrong in ("", "no such network", "../../etc/passwd", "a/b/c/d", "\0"):
        source = FORMATS[name].prefix + wrong
        assert detect(source).name == name
        with pytest.raises(NettwinError) as caught:
            list(read_all(source))
        assert str(caught.value)


def target(name: str, folder: Path) -> Path:
    suffixes = FORMATS[name].suffixes
    return folder / f"network{suffixes[0] if suffixes else ''}"


@pytest.mark.parametrize("name", WRITING)
@pytest.mark.parametrize("which", SCENARIOS)
def test_round_trip(name: str, which: str, tmp_path: Path) -> None:
    """What is written is read back the same, or writing says what does not fit."""
    scenario = SCENARIOS[which]()
    path = target(name, tmp_path)
    try:
        write(scenario, path, format=name)
    except InputError as error:
        assert which != "plain", f"{name} must hold a plain scenario: {error}"
        assert len(str(error).split()) > 5
        assert not path.exists()
        return
    assert detect(path).name == name
    copy = read(path).scenario
    assert copy.topology.node_count == scenario.topology.node_count
    assert copy.fingerprint() == scenario.fingerprint()


@pytest.mark.parametrize("name", WRITING)
def test_writing_again_gives_the_same(name: str, tmp_path: Path) -> None:
    path = target(name, tmp_path)
    write(plain(), path, format=name)
    first = content(path)
    write(read(path).scenario, path, format=name)
    assert content(path) == first


def content(path: Path) -> dict[str, bytes]:
    files = sorted(p for p in path.parent.rglob("*") if p.is_file())
    return {p.name: p.read_bytes() for p in files}


@pytest.mark.parametrize("name", WRITING)
def test_a_place_that_cannot_be_written(name: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    with pytest.raises(InputError, match="cannot be written"):
        write(plain(), target(name, tmp_path / "file"), format=name)


@pytest.mark.parametrize("name", sorted(set(FORMATS) - set(WRITING)))
def test_reading_only(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="can only be read"):
        write(plain(), tmp_path / "x", format=name)
