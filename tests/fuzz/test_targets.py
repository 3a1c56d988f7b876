"""Every reader answers its corpus, and simple changes of it, with a scenario or a clear error."""

from __future__ import annotations

from pathlib import Path

import pytest

from fuzz.__main__ import main
from fuzz.corpus import bundle, seeds, unbundle
from fuzz.mutate import mutations
from fuzz.target import TooSlow, at_most, target
from nettwin.formats import FORMATS

CHANGES = 200


@pytest.mark.parametrize("name", FORMATS)
def test_corpus_and_changes(name: str) -> None:
    run = target(name)
    known = seeds(name) or [b"gabriel/25/0", b"backbone"]
    for data in (*known, *mutations(known, CHANGES)):
        try:
            run(data)
        except BaseException:
            print(f"the input:\n{data[:4000]!r}")
            raise


def test_bundles(tmp_path: Path) -> None:
    source, copy, hostile = tmp_path / "source", tmp_path / "copy", tmp_path / "hostile"
    (source / "inner").mkdir(parents=True)
    for folder in (copy, hostile):
        folder.mkdir()
    files = {"a.txt": b"one\n", "b.bin": b"\x00\n\n", "inner/c": b""}
    for name, content in files.items():
        (source / name).write_bytes(content)
    assert unbundle(bundle(source), copy) == copy
    assert {n: (copy / n).read_bytes() for n in files} == files
    alone = unbundle(bundle(source / "a.txt"), hostile)
    assert (alone.name, alone.read_bytes()) == ("a.txt", b"one\n")
    unbundle(b"=== ../../escaped\nx\n=== /escaped\ny\n=== escaped/below\nz", hostile)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["copy", "hostile", "source"]


def test_mutations_repeat() -> None:
    known = [b"abc def 123", b"<x>7</x>"]
    assert list(mutations(known, 50)) == list(mutations(known, 50))
    assert list(mutations(known, 50, seed=2)) != list(mutations(known, 50))


def test_slow_inputs_are_found() -> None:
    with pytest.raises(TooSlow), at_most(0.05):
        while True:
            pass


def test_command(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["--list"]) == 0
    listed = capsys.readouterr().out
    assert all(name in listed for name in FORMATS)
    assert main(["repetit"]) == 2
    assert "repetita" in capsys.readouterr().err
    case = tmp_path / "case"
    case.write_bytes(b"NODES x\n")
    assert main(["repetita", "--replay", str(case)]) == 0
