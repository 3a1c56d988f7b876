"""What every file format must do: read its samples, refuse broken ones and those of others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest

from nettwin.errors import FormatError, InputError, NettwinError
from nettwin.formats import FORMATS, Reading, detect, read, read_all, write
from nettwin.scenario.generate import generate
from nettwin.scenario.packet_sizes import Fixed
from nettwin.scenario.scenario import Scenario
from nettwin.scenario.scheduling import Scheduler


def plain() -> Scenario:
    """What the poorest format can hold: default scheduler, sizes and arrivals, one class."""
    scenario = generate("nsfnet", load=0.5)
    topology, traffic = scenario.topology, scenario.traffic
    return scenario.with_(
        topology=topology.with_arrays(schedulers=(Scheduler(),)),
        traffic=traffic.with_arrays(sizes=(Fixed(8000.0),)),
    )


SCENARIOS: dict[str, Callable[[], Scenario]] = {
    "plain": plain,
    "buffers": lambda: generate("waxman", nodes=8, seed=2, buffer_packets=7.0),
    "priorities": lambda: generate("ring", nodes=5, classes="three", scheduler="sp"),
    "shares": lambda: generate("star", nodes=5, classes="three", scheduler="wfq", arrival="onoff"),
    "single path": lambda: generate("grid", nodes=6, scheduler="drr", arrival="mmpp", ecmp=False),
}

# what is not a network, though it may look so: no format may take it for its own
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
    """Assert that what was assumed and ignored is told in words, once each."""
    for text in (*reading.assumptions, *reading.ignored):
        assert text == text.strip()
        assert "\n" not in text
        assert len(text.split()) > 1, f"{text!r} is not a phrase"
        assert not text.endswith(".")
    assert len(set(reading.assumptions)) == len(reading.assumptions)
    assert len(set(reading.ignored)) == len(reading.ignored)


def refuses(source: str | Path, name: str | None) -> FormatError:
    """The error with which a source is refused, after checking that it says what it must."""
    try:
        list(read_all(source, format=name))
    except FormatError as error:
        assert error.reason
        assert error.remedy
        assert error.path
        assert str(source) in str(error)
        return error
    pytest.fail(f"{source} is not refused as {name or 'a network'}")


def written_by_others(name: str, folder: Path) -> Iterator[Path]:
    """Networks in every other format that writes."""
    for other in [f for f in FORMATS.values() if f.writes and f.name != name]:
        path = target(other.name, folder / other.name)
        path.parent.mkdir()
        write(plain(), path, format=other.name)
        yield path


def target(name: str, folder: Path) -> Path:
    """Where a format would write a network, by its suffix."""
    suffixes = FORMATS[name].suffixes
    return folder / f"network{suffixes[0] if suffixes else ''}"


def content(path: Path) -> dict[str, bytes]:
    """All files of a folder."""
    files = sorted(p for p in path.parent.rglob("*") if p.is_file())
    return {p.name: p.read_bytes() for p in files}


class FormatContract:
    """Tests of one format of files, which is registered in FORMATS or by an entry point.

    Give the fixture `name`, and `good` and `broken`: files or folders to read and to refuse, at
    least one and `least_broken`. Each error must tell the place in the file.
    """

    least_broken = 3

    @pytest.fixture
    def name(self) -> str:
        """The format's name in the registry."""
        raise NotImplementedError("give the fixture `name`: the name of the format")

    def good(self, name: str) -> Iterable[Path]:
        """Samples that are read; a source is called by the file's stem."""
        raise NotImplementedError("give `good`: samples to read")

    def broken(self, name: str) -> Iterable[Path]:
        """Samples that are refused."""
        raise NotImplementedError("give `broken`: samples to refuse")

    def of_others(self, name: str, folder: Path) -> Iterable[Path]:
        """Networks in other formats, which this one must refuse; may be written to a folder."""
        return written_by_others(name, folder)

    def test_is_registered_by_its_name(self, name: str) -> None:
        assert FORMATS[name].name == name
        assert FORMATS[name].title

    def test_has_samples(self, name: str) -> None:
        assert list(self.good(name)), f"{name} has no samples to read"
        assert len(list(self.broken(name))) >= self.least_broken

    def test_reads_good_samples(self, name: str) -> None:
        links = 0
        for path in self.good(name):
            assert detect(path).name == name, path
            readings = list(read_all(path))
            assert readings, path
            for reading in readings:
                assert reading.format == name
                assert path.stem in reading.source
                assert reading.scenario.topology.node_count, path
                links += reading.scenario.topology.link_count
                states_it_in_words(reading)
            assert read(path).scenario.fingerprint() == readings[0].scenario.fingerprint()
        assert links, "no sample has links"

    def test_refuses_broken_samples(self, name: str) -> None:
        for path in self.broken(name):
            error = refuses(path, name)
            assert error.place, f"{path}: an error must tell the place in the file"
            refuses(path, None)  # however it is detected

    def test_refuses_what_is_no_file(self, name: str, tmp_path: Path) -> None:
        refuses(tmp_path / "missing", name)
        empty = tmp_path / "empty"
        empty.write_bytes(b"")
        refuses(empty, name)
        folder = tmp_path / "folder"
        folder.mkdir()
        refuses(folder, name)

    def test_refuses_what_is_no_network(self, name: str, tmp_path: Path) -> None:
        for stranger, data in STRANGERS.items():
            path = tmp_path / stranger
            path.write_bytes(data)
            refuses(path, name)
            refuses(path, None)

    def test_refuses_the_samples_of_others(self, name: str, tmp_path: Path) -> None:
        for path in self.of_others(name, tmp_path):
            refuses(path, name)
            assert detect(path).name != name


class WritingFormatContract:
    """Tests of writing and reading back, for a format that writes. Give the fixture `name`."""

    @pytest.fixture
    def name(self) -> str:
        """The format's name in the registry."""
        raise NotImplementedError("give the fixture `name`: the name of the format")

    @pytest.mark.parametrize("which", SCENARIOS)
    def test_round_trip(self, name: str, which: str, tmp_path: Path) -> None:
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

    def test_writing_again_gives_the_same(self, name: str, tmp_path: Path) -> None:
        path = target(name, tmp_path)
        write(plain(), path, format=name)
        first = content(path)
        write(read(path).scenario, path, format=name)
        assert content(path) == first

    def test_a_place_that_cannot_be_written(self, name: str, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("in the way", encoding="utf-8")
        with pytest.raises(InputError, match="cannot be written"):
            write(plain(), target(name, tmp_path / "file"), format=name)


class NamedFormatContract:
    """Tests of a format whose sources are names behind a prefix. Give the fixture `name`."""

    @pytest.fixture
    def name(self) -> str:
        """The format's name in the registry."""
        raise NotImplementedError("give the fixture `name`: the name of the format")

    def test_refuses_unknown_names(self, name: str) -> None:
        for wrong in ("", "no such network", "../../etc/passwd", "a/b/c/d", "\0"):
            source = FORMATS[name].prefix + wrong
            assert detect(source).name == name
            with pytest.raises(NettwinError) as caught:
                list(read_all(source))
            assert str(caught.value)
