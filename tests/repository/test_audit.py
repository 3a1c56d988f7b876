"""The audit log: whole while it is read and written at once."""

from __future__ import annotations

import threading
from pathlib import Path

from nettwin.repository.audit import AuditLog


def test_a_reader_neither_harms_nor_doubts_what_is_being_written(tmp_path: Path) -> None:
    """Before, a reader took a line that was half written for one that was torn, and removed it;
    and a head that was written meanwhile for lines that were missing."""
    writer = AuditLog(tmp_path / "audit", tmp_path / "head")
    writer.add(1.0, "first", "ada")
    whole = writer.path.read_bytes()
    with writer.path.open("ab") as file:
        file.write(b'{"half": ')
    reader = AuditLog(tmp_path / "audit", tmp_path / "head")
    assert [one.what for one in reader.entries()] == ["first"]
    assert reader.issues() == []
    assert writer.path.read_bytes() == whole + b'{"half": '
    # whoever writes next mends it
    AuditLog(tmp_path / "audit", tmp_path / "head").add(2.0, "second", "ada")
    assert [one.what for one in reader.entries()] == ["first", "second"]
    assert reader.issues() == []


def test_reading_while_another_writes(tmp_path: Path) -> None:
    writer = AuditLog(tmp_path / "audit", tmp_path / "head")
    writer.add(0.0, "begin", "ada")
    done = threading.Event()

    def write() -> None:
        for k in range(60):
            writer.add(float(k), "deed", "ada", words="x" * 9000)
        done.set()

    thread = threading.Thread(target=write)
    thread.start()
    found: list[str] = []
    while not done.is_set():
        found += AuditLog(tmp_path / "audit", tmp_path / "head").issues()
    thread.join()
    assert found == []
    assert AuditLog(tmp_path / "audit", tmp_path / "head").issues() == []


def test_what_was_altered_is_still_told(tmp_path: Path) -> None:
    log = AuditLog(tmp_path / "audit", tmp_path / "head")
    for k in range(3):
        log.add(float(k), "deed", "ada")
    assert log.issues() == []
    text = log.path.read_text()
    log.path.write_text(text.replace('"time_s": 1.0', '"time_s": 9.0'))
    assert log.issues()
    log.path.write_text("\n".join(text.split("\n")[:2]) + "\n")
    assert "is missing" in log.issues()[0]
